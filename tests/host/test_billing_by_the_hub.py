"""A hub that is asked for a bill: from its consent, over the batches it sends, to one that a verifier believes."""

import asyncio
import hashlib
import json
import sys
from pathlib import Path

import pytest
from billing_house import SUPPLIER, SUPPLIER_KEY, linear, sign

sys.path.append(str(Path(__file__).parents[1] / "unix"))
import billing_bench as bench
from billing_bench import DAY_S, EXPORT, IMPORT, START, STEP
from export_bench import Display, Intervals, MemoryRecord, Recipient, claims_of, wrong
from store_folder import fresh, remove

from meterhub.applets.export import Export
from meterhub.codec import base64url, tariff
from meterhub.codec import bill as forms
from meterhub.trust import attempts
from meterhub.trust.linear_proof import both_of
from meterhub_tools.billing import group, verifier
from meterhub_tools.billing.refusals import Refused

REGS = ["1-0:1.8.0", "1-0:2.8.0"]
SITE_SCALAR = 0x7654321 << 190 | 7
NONCE = bytes(range(16))
G = group.fastest()


class Hub(bench.Hub):
    """One that has the applet of the data export, too."""

    def __init__(self, folder):
        super().__init__(folder, (IMPORT, EXPORT))
        self.attempts = attempts.Attempts(MemoryRecord(), self.clock.now())
        self.intervals = Intervals(self.profile)
        self.settings = {"may.history": ""}
        self.ihd = Display()
        self.sent = []
        self.send = self.sent.append
        self.export = Export(self)

    def turn(self, *items):
        del self.sent[:]
        for item in items:
            is_message = isinstance(item, dict) and "t" in item
            asyncio.run(self.export.turn(json.dumps(item).encode() if is_message else item))
        return [json.loads(message) for message in self.sent]


@pytest.fixture
def hub():
    folder = fresh()
    yield Hub(folder)
    remove(folder)


def asked(hub, recipient, what, **changes):
    """Go through a request until its PIN is proved; return what the hub says to that."""
    now = hub.clock.now()
    wish = {"iat": now, "exp": now + 600, "sub": "anna", "regs": REGS} | changes
    first = hub.turn(recipient.request(what, **wish))[-1]
    if first["t"] == "end":
        return claims_of(first)["error"] + " " + claims_of(first)["field"]
    offer = hub.turn("accept")[-1]
    return hub.turn(recipient.proof(offer, hub.ihd.pin))[-1]


def commit(m, r):
    """Commit as the firmware does, by the host's library: the firmware's own takes ten times as long on a PC."""
    yield
    return G.encode(G.commit(m, r))


def week_of(hub, missing=(), days=7, exchange=None):
    """Let days pass, with their readings; return the batches that the hub has sent. exchange: (hour, of the meter)"""
    for hour in range(-1, 24 * days + 1):
        if hour == 1:
            hub.clock.at = START + STEP
            hub.work()  # the chain begins
        if hour == exchange:
            hub.profile.set_meters(("another", "another"))
        if hour not in missing:
            values = (1000000 + 211 * hour + hour * hour % 97, 5000 + 13 * hour)
            hub.profile.append(bench.Entry(START + hour * STEP, bench.MEASURED, values))
    raw = []

    def far(payload):
        batch = bench.batch_of(bytes(payload))
        raw.append(batch.body + batch.signature)
        hub.inbox.put(bench.receipt(batch.day, batch.digest()))

    hub.wan.far = far
    hub.clock.at = START + days * DAY_S + 7200
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("meterhub.crypto.pedersen.commit", commit)
        patched.setattr("meterhub.crypto.pedersen.commit_register", commit)
        for _ in range(days + 2):
            hub.work()
    return raw


def signed(document):
    return sign(SUPPLIER_KEY, forms.tariff_body(START - DAY_S, verifier.signer_id(SUPPLIER), tariff.packed(document)))


def wish(raw, document, **changes):
    digests = b"".join(hashlib.sha256(one[:-64]).digest() for one in raw)
    found = {"from": START, "to": START + 7 * DAY_S, "res": "half-hour"}
    found["tariff"] = base64url.encode(signed(document))
    found["batches"] = base64url.encode(hashlib.sha256(digests).digest())
    return found | {"nonce": base64url.encode(NONCE)} | changes


PLAN = linear(interval_s=STEP, zone="UTC0", days=[[0, 0, 420, 1]], export=[5000, 9000])


@pytest.mark.parametrize("mode", ["server", "private"])
def test_from_consent_to_a_bill_that_is_believed(hub, mode):
    recipient = Recipient(hub, "server", SITE_SCALAR, "site")
    assert asked(hub, recipient, "proof", **wish([], PLAN)) == "NOT_LINKED keys"
    hub.agree(REGS)
    raw = week_of(hub, missing=[6, 7, 30])
    assert len(raw) == 7
    recipient.mode = mode
    ack = asked(hub, recipient, "proof", **wish(raw, PLAN))
    shown = next(one for one in hub.ihd.shown if one[0] == "ask")
    assert shown[2:] == (["wants: a bill", hub_days(hub)], "fee+income: 4 totals")
    assert ack["chunks"] == 1
    header, plain = recipient.open_chunk(hub.turn(recipient.want(0))[0])
    assert header["typ"] == "mhx-bill" and not header["last"]
    made = both_of(plain)
    batches = verifier.Batches(raw, bench.HUB.public)
    verdict = verifier.check_bill(batches, signed(PLAN), SUPPLIER, NONCE, *made)
    assert any("no reading" in line for line in verdict.learnt)
    assert forms.bill_of(made[0]).unpriced_wh
    again = recipient.open_chunk(hub.turn(recipient.want(0))[0])[1]
    assert again == plain
    _, token = recipient.open_chunk(hub.turn(recipient.want(1))[0])
    receipt = bench.jose.jws_claims(str(token, "utf-8"), 4096)[1]
    assert receipt["digests"] == base64url.encode(hashlib.sha256(hashlib.sha256(plain).digest()).digest())
    end = claims_of(hub.turn(recipient.done(1))[-1])
    assert end["result"] == "done"
    assert hub.ihd.shown[-1] == ("notice", "sent:", "your bill")
    assert hub.consents.bill()["used"]
    # another one over nearly the same time
    other = wish(raw, PLAN | {"id": "eco-2"})
    assert asked(hub, recipient, "proof", **other) == "NOT_CONSENTED second bill"
    with pytest.raises(Refused, match="BILL_NONCE"):
        verifier.check_bill(batches, signed(PLAN), SUPPLIER, bytes(16), *made)


@pytest.mark.parametrize(
    ("missing", "exchange"),
    [((46, 47, 48, 49), None), (range(30, 50), None), ((), 30), ((47, 48), 60), ((49, 50), 48), ((), 9 * 24 - 3)],
)
def test_what_the_period_begins_with_is_what_the_batches_say(hub, missing, exchange):
    """The bill is for the third day on: a gap, or another meter, before it, across its beginning, within it."""
    hub.profile.set_meters(("one", "one"))
    hub.agree(REGS)
    raw = week_of(hub, missing, 9, exchange)[2:]
    assert len(raw) == 7
    recipient = Recipient(hub, "private", SITE_SCALAR, "site")
    period = {"from": START + 2 * DAY_S, "to": START + 9 * DAY_S}
    asked(hub, recipient, "proof", **wish(raw, PLAN, **period))
    made = both_of(recipient.open_chunk(hub.turn(recipient.want(0))[0])[1])
    verifier.check_bill(verifier.Batches(raw, bench.HUB.public), signed(PLAN), SUPPLIER, NONCE, *made)


def hub_days(hub):
    first, last = hub.zone.local(START), hub.zone.local(START + 7 * DAY_S - 1)
    return "-".join("%d.%d.%02d" % (one[2], one[1], one[0] % 100) for one in (first, last))


def test_nothing_leaves_without_the_pin(hub):
    hub.agree(REGS)
    raw = week_of(hub)
    recipient = Recipient(hub, "private", SITE_SCALAR, "site")
    now = hub.clock.now()
    asking = recipient.request(
        "proof", **wish(raw, PLAN) | {"iat": now, "exp": now + 600, "sub": "anna", "regs": REGS}
    )
    hub.turn(asking)
    offer = hub.turn("accept")[-1]
    said = hub.turn(recipient.proof(offer, wrong(hub.ihd.pin)))
    assert [one["t"] for one in said] == ["end", "offer"]
    assert claims_of(said[0])["error"] == "WRONG_PIN"
    assert hub.turn(recipient.want(0)) == []
    assert not hub.record("bills").is_there()


def test_what_is_refused_before_anybody_is_asked(hub):
    recipient = Recipient(hub, "private", SITE_SCALAR, "site")
    hub.agree(REGS)
    raw = week_of(hub)
    for changes, error in (
        ({"sub": "berta"}, "NOT_LINKED keys"),
        ({"regs": REGS[:1]}, "NOT_CONSENTED regs"),
        ({"res": "day"}, "NOT_CONSENTED res"),
        ({"to": START + 8 * DAY_S}, "NOT_AVAILABLE chain"),
        ({"from": START + STEP}, "INVALID_VALUE from"),
        ({"nonce": "AA"}, "MALFORMED nonce"),
        ({"nonce": None}, "MALFORMED nonce"),
        ({"tariff": "AAAA"}, "MALFORMED tariff"),
    ):
        assert asked(hub, recipient, "proof", **wish(raw, PLAN) | changes) == error
    hub.revoke()
    assert asked(hub, recipient, "proof", **wish(raw, PLAN)) == "REVOKED keys"
    assert [one[0] for one in hub.ihd.shown if one[0] == "ask"] == []
