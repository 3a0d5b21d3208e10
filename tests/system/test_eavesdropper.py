"""What leaks: to who reads everything on the broker, and to who keeps it and tries PINs at home (EX-04, EX-07)."""

import asyncio
import base64
import hashlib
import json
import re
import secrets

from test_broker import flat, ready, truth
from world import agreeing, another, claims, everything

from meterhub.codec import base64url, varint
from meterhub.codec.load_profile import MEASURED
from meterhub.crypto import p256
from meterhub.crypto.spake2 import Spake2
from meterhub.crypto.steps import run as finish
from meterhub.trust import mhx


def decoded(payload):
    """Return `payload` and everything in it that is base64, decoded, as one byte string."""
    found = [payload]
    for part in re.findall(rb"[A-Za-z0-9_-]{16,}", payload):
        whole = part[: -1 if len(part) % 4 == 1 else None]  # no base64 has such a length: something else stands there
        found.append(base64.urlsafe_b64decode(whole + b"=" * (-len(whole) % 4)))
    return b"\n".join(found)


def spellings(value_wh):
    """Return the ways in which a register value could stand in bytes."""
    text = str(value_wh).encode()
    kwh = f"{value_wh // 1000}.{value_wh % 1000:03d}".encode()
    cell = bytearray()
    varint.append(cell, value_wh + 1)
    return [text, kwh, bytes(cell), value_wh.to_bytes(4, "big"), value_wh.to_bytes(4, "little")]


def test_everything_the_broker_saw_holds_no_reading(tmp_path):
    async def run():
        async with flat(tmp_path) as (_, place, asker):
            card = await ready(place, asker)
            for mode in ("private", "server"):
                got = await asker.exchange(card, everything(mode, card.have), agreeing(place, [another]))
                assert got.outcome == "done", got.error
            seen = b"\n".join(topic.encode() + b" " + decoded(payload) for topic, payload in asker.seen)
            seen = re.sub(rb"(?<!\d)\d{10}(?!\d)", b"", seen)  # a time has as many digits, some of them a reading's
            values = {v for e in got.result.entries if e.quality == MEASURED for v in e.values}
            assert len(values) > 100
            for value in values:
                for spelling in spellings(value):
                    assert len(spelling) < 3 or spelling not in seen
            # the search finds a reading where there is one
            assert any(s in got.result.chunks[0] for s in spellings(truth(place, got.result.entries[0].at)[0]))
            # and nothing the hub keeps on its console or in its journal is one
            console = json.dumps(place.hub.journal).encode()
            assert not any(str(value).encode() in console for value in values if value > 99999)

    asyncio.run(run())


def test_a_captured_exchange_does_not_tell_a_right_pin_from_a_wrong_one(tmp_path, monkeypatch):
    """Whoever has the transcript and tries PINs at home needs x or y: with neither, no PIN fits better than another.

    The control shows that the search works: handed the recipient's own x, which never crosses the wire, it finds
    the right PIN, and only that. With all that the wire shows it finds none.
    """
    secret = []

    def randbelow(n):
        secret.append(secrets.SystemRandom().randrange(n))
        return secret[-1]

    monkeypatch.setattr("meterhub_tools.recipient.secrets.randbelow", randbelow)

    async def run():
        async with flat(tmp_path) as (_, place, asker):
            card = await ready(place, asker)
            pins = []

            def remember(pin):
                pins.append(pin)
                return another(pin)

            del secret[:]
            start = len(asker.seen)
            got = await asker.exchange(card, everything("private", card.have), agreeing(place, [remember]))
            assert got.outcome == "done"
            return pins[0], got, [json.loads(p) for t, p in asker.seen[start:] if t.endswith("export")]

    pin, got, messages = asyncio.run(run())
    proofs = [m for m in messages if m["t"] == "proof"]
    offers = [m for m in messages if m["t"] == "offer"]
    assert len(proofs) == len(offers) == 2  # a wrong and a right PIN
    shapes = [{k: (type(v), len(v) if isinstance(v, str) else 0) for k, v in p.items()} for p in proofs]
    assert shapes[0] == shapes[1]
    candidates = [pin, another(pin), another(another(pin)), another(another(another(pin)))]
    known = [1 + x for x in secret]
    assert [c for c in candidates if fits(c, got, offers[1], proofs[1], known)] == [pin]
    assert [c for c in candidates if fits(c, got, offers[0], proofs[0], known)] == [another(pin)]
    for offer, proof in zip(offers, proofs, strict=True):
        seen = json.dumps([offer, proof]).encode()
        public = [1, 2, int.from_bytes(hashlib.sha256(seen).digest(), "big") % p256.N]
        public += [int.from_bytes(base64url.decode(proof[k])[1:33], "big") % p256.N for k in ("pa", "ca")]
        assert not [
            c for c in candidates if fits(c, got, offer, proof, [*public, mhx.password_scalar(c, got.request.h)])
        ]


def fits(candidate, got, offer, proof, scalars):
    """Return whether `candidate` explains the proof's confirmation, for one of the `scalars` in the place of x."""
    h = got.request.h
    w = mhx.password_scalar(candidate, h)
    pb = base64url.decode(claims(json.dumps(offer))["pb"])
    aad = mhx.confirmation_aad(h, offer["jws"])
    for scalar in scalars:
        spake = Spake2("A", w, scalar, *mhx.identities(got.card.hub))
        finish(spake.share())
        if finish(spake.finish(pb, aad)).confirm_mine == base64url.decode(proof["ca"]):
            return True
    return False
