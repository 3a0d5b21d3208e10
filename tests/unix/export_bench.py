"""A hub with one applet, and a recipient that asks it: what the tests of the data export share.

The hub's identity, trust and cryptography are the real ones; store, display and clock the smallest that behave.
"""

import board_heap  # noqa: F401 - first

from meterhub.trust import mhx  # isort: skip - the longest text, while there is room

import asyncio
import gc
import hashlib
import json

from meterhub.applets.export import Export
from meterhub.codec import base64url, checkdigit, jose, series
from meterhub.codec.load_profile import MEASURED, MISSING, Column, Entry
from meterhub.crypto import aead, ecdh, ecdsa, p256
from meterhub.crypto.drbg import Drbg
from meterhub.crypto.spake2 import Spake2
from meterhub.crypto.steps import run
from meterhub.trust import attempts, consents, identity

NOW = 1790000000 // 1800 * 1800
SUPPLIER = 0x1234567890ABCDEF1234567890ABCDEF1234567890ABCDEF1234567890ABCDEF
STRANGER = 0xABCDEF


class MemoryRecord:
    def __init__(self):
        self.raw = None
        self.saves = 0

    def load(self):
        return self.raw

    def save(self, raw):
        self.raw = bytes(raw)
        self.saves += 1


class Journal:
    def __init__(self):
        self.entries = []

    def add(self, kind, name, detail="", at=None):
        self.entries.append((kind, name, detail))

    def end(self, kind):
        return len(self.names(kind))

    def foreign(self, name, detail=""):
        self.add("security", name, detail)

    def names(self, kind):
        return [entry[1] for entry in self.entries if entry[0] == kind]


class Clock:
    state = "set"

    def now(self):
        return NOW


class Display:
    works = True

    def __init__(self):
        self.shown = []
        self.pin = ""

    def ask(self, *what):
        self.shown.append(("ask",) + what)

    def show_pin(self, pin, code, deadline, left):
        self.pin = pin
        self.shown.append(("pin", code, left))

    def idle(self):
        self.pin = ""

    def notice(self, lines, seconds):
        self.shown.append(("notice",) + tuple(lines))


class Utc:
    """Days and months in UTC; months of 30 days are good enough here."""

    def day_start(self, at):
        return at - at % 86400

    def next_day_start(self, at):
        return at - at % 86400 + 86400

    def month_start(self, at):
        return at - at % 2592000

    def next_month_start(self, at):
        return at - at % 2592000 + 2592000

    def local(self, at):
        return (2026, 9, 21, 0, 0, 0, 0)


class Profile:
    """`count` half-hours that end at NOW, with two gaps; registers grow by their index."""

    interval_s = 1800
    columns = [Column("1-0:1.8.0", 0, 30), Column("1-0:2.8.0", 0, 30)]
    meters = ("", "")
    since = 0

    def __init__(self, count):
        self.count = count
        self.last = NOW
        self.first = NOW - (count - 1) * 1800

    def entry(self, at):
        i = (at - self.first) // 1800
        if i < 0 or i % 100 in (7, 8):
            return Entry(at, MISSING, (None, None))
        return Entry(at, MEASURED, (4000000 + i * 211, 1000 + i * (i % 3)))

    def read(self, start, stop, meters, since):
        while start <= stop:
            yield self.entry(start) if start >= since else Entry(start, MISSING, (None, None))
            start += 1800


class Intervals:
    def __init__(self, profile):
        self.open = None
        self._profile = profile

    def have(self, since=None):
        since = self._profile.since if since is None else since
        return [max(self._profile.first - 1800, -(-since // 1800) * 1800), self.open.at if self.open else NOW]

    def open_entry(self):
        return self.open


class Hub:
    """What app.py hands to the applet; `sent` collects what would go out."""

    def __init__(self, count=1000, seed=b"\x01"):
        self.records = [MemoryRecord() for _ in range(3)]
        self.drbg = Drbg(seed * 48)
        self.identity = run(identity.load(self.records[0], self.drbg))
        self.journal = Journal()
        self.clock = Clock()
        self.consents = consents.Consents(self.records[1])
        self.attempts = attempts.Attempts(self.records[2], NOW)
        self.profile = Profile(count)
        self.intervals = Intervals(self.profile)
        self.zone = Utc()
        self.settings = {"may.history": ""}
        self.ihd = Display()
        self.recipients = {"coop": ("Green Co-op", p256.encode_point(run(ecdsa.public_point(SUPPLIER))))}
        self.sent = []
        self.send = self.sent.append
        self.export = Export(self)

    def turn(self, *items):
        """Feed items to the applet; return the messages it sent meanwhile, parsed."""
        del self.sent[:]
        for item in items:
            is_message = isinstance(item, dict) and "t" in item
            asyncio.run(self.export.turn(json.dumps(item).encode() if is_message else item))
        return [json.loads(message) for message in self.sent]


def claims_of(message):
    """Return the claims of a hub's JWS message."""
    return jose.jws_claims(message["jws"], 4096)[1]


class Recipient:
    """Asks a Hub, the way trust/mhx.py says, with the firmware's own primitives."""

    def __init__(self, hub, mode="private", scalar=SUPPLIER, kid="coop"):
        self.hub = hub
        self.mode = mode
        self.scalar = scalar
        self.kid = kid
        self.count = 0
        self.one_time = 0x7777777777
        self.typ = "mhx-request"
        self.data = None

    def claims(self, what, changes):
        self.count += 1
        rid = base64url.encode(hashlib.sha256(b"%d %s" % (self.count, self.mode.encode())).digest()[:16])
        claims = {"v": 1, "rid": rid, "hub": self.hub.identity.hub, "sub": "anna", "what": what, "mode": self.mode}
        claims.update({"iat": NOW, "exp": NOW + 600})
        if what != "revoke":
            claims.update({"regs": ["1-0:1.8.0", "1-0:2.8.0"], "res": "half-hour"})
            if self.mode == "server":
                claims["ek"] = base64url.encode(p256.encode_point(run(ecdsa.public_point(self.one_time))))
        if what == "data":
            claims.update({"from": self.hub.profile.first - 1800, "to": NOW})
        if what == "link":
            claims["until"] = NOW + 86400 * 365
        claims.update(changes)
        return claims

    def request(self, wish, **changes):
        """Return a request message; keyword arguments replace claims (None takes one out)."""
        claims = {k: v for k, v in self.claims(wish, changes).items() if v is not None}
        signing_input = jose.jws_input({"alg": "ES256", "kid": self.kid, "typ": self.typ}, claims)
        signature = run(ecdsa.sign(self.scalar, hashlib.sha256(signing_input).digest(), None))
        self.token = jose.jws_join(signing_input, signature)
        self.rid, self.h = claims.get("rid"), mhx.request_hash(self.token)
        return {"t": "request", "jws": self.token}

    def proof(self, offer, pin):
        """Return the proof message that answers an offer message with `pin`."""
        claims = claims_of(offer)
        scalar = 0x1111111111111111111111111111111111111111111111111111111111111111 + claims["try"]
        spake = Spake2("A", mhx.password_scalar(pin, self.h), scalar, *mhx.identities(self.hub.identity.hub))
        share = run(spake.share())
        keys = run(spake.finish(base64url.decode(claims["pb"]), mhx.confirmation_aad(self.h, offer["jws"])))
        z = b""
        if self.mode == "server":
            z = run(ecdh.shared_x(self.one_time, p256.decode_point(base64url.decode(claims["ek"]))))
        self.keys = keys
        self.cek, self.ck = mhx.content_keys(keys.ke, z, self.h, self.mode)
        proof = {"t": "proof", "rid": self.rid, "try": claims["try"], "pa": base64url.encode(share)}
        proof["ca"] = base64url.encode(keys.confirm_mine)
        return proof

    def want(self, seq):
        return {"t": "want", "rid": self.rid, "seq": seq, "mac": mhx.want_mac(self.ck, seq)}

    def done(self, chunks):
        return {"t": "done", "rid": self.rid, "mac": mhx.done_mac(self.ck, chunks)}

    def open_chunk(self, message):
        """Return (header, plaintext) of a chunk message."""
        header, aad, iv, ciphertext, tag = jose.jwe_parts(message["jwe"], mhx.MAX_CHUNK)
        return header, aead.unseal(self.cek, iv, aad, ciphertext, tag)

    def until_pin(self, wish, **changes):
        """Ask, let the household accept; return the offer."""
        self.hub.turn(self.request(wish, **changes))
        return self.hub.turn("accept")[-1]

    def link(self):
        """Go through a whole link; return its end's claims."""
        offer = self.until_pin("link")
        return claims_of(self.hub.turn(self.proof(offer, self.hub.ihd.pin))[-1])

    def fetch(self, chunks, each):
        """Want everything, call each(entry) with what comes; return the receipt's claims."""
        digests = b""
        for seq in range(chunks):
            gc.collect()
            _, plaintext = self.open_chunk(self.hub.turn(self.want(seq))[0])
            digests += hashlib.sha256(plaintext).digest()
            for entry in series.unpack(plaintext)[4]:
                each(entry)
        header, token = self.open_chunk(self.hub.turn(self.want(chunks))[0])
        receipt = jose.jws_claims(str(token, "utf-8"), 4096)[1]
        assert header["last"] and receipt["digests"] == mhx.digest_of(digests)
        assert run(identity.verify(self.hub.identity.public, str(token, "utf-8")))
        return receipt


def wrong(pin):
    """Return another PIN with a right check digit."""
    return checkdigit.append("%08d" % ((int(pin[:8]) + 1) % 100000000))
