"""What a recipient takes of private billing: day keys after the readings, and a bill that the hub has made."""

import hashlib
import json

import pytest
from billing_house import JANUARY, NONCE, SUPPLIER, House, household, linear, signed_tariff
from recipient_fake_hub import NOW, b64
from test_recipient import Page, Refused, Site, converse, to_pin, to_want
from website_billing_hub import BillingHub

from meterhub_tools import proof, recipient
from meterhub_tools.billing import verifier

from meterhub.codec import bill as forms  # isort: skip
from meterhub.codec import base64url, billing  # isort: skip
from meterhub.errors import HubError  # isort: skip
from meterhub.trust import mhx  # isort: skip

DAYS = 8
REGS = ["1-0:1.8.0", "1-0:2.8.0"]
TARIFF = signed_tariff(linear(export=[5000]))


@pytest.fixture(scope="module")
def house():
    return House(DAYS, household("asked", True))


@pytest.fixture(scope="module")
def asker():
    return recipient.Recipient("Green Co-op", recipient.Recipient.new_pem())


@pytest.fixture
def hub(asker, house):
    x, y = b64(asker.point[1:33]), b64(asker.point[33:])
    hub = BillingHub({"kty": "EC", "crv": "P-256", "x": x, "y": y}, house)
    hub.linked.add("acc_1")
    hub.billed.add("acc_1")
    return hub


@pytest.fixture(params=["server", "private", "page"])
def ask_keys(request, asker, hub, house):
    """Return a function that begins an export, with keys unless it is told otherwise, up to its first want."""
    opened = []

    def make(keys=True):
        mode = "server" if request.param == "server" else "private"
        wish = recipient.data_wish(mode, REGS, "half-hour", house.start, house.stop, keys=keys)
        side = (Page if request.param == "page" else Site)(asker, hub, wish, NOW)
        opened.append(side)
        to_want(side, hub)
        return side

    yield make
    for side in opened:
        side.close()


@pytest.fixture
def ask_bill(asker, hub, house):
    """Return a function that begins a request for a bill, up to its first want."""

    def make(tariff=TARIFF):
        side = Site(asker, hub, recipient.proof_wish(house.batches, tariff, NONCE), NOW)
        to_want(side, hub)
        return side

    return make


def refused(call, *arguments, **more):
    """Return the name and field by which something is refused, without anything having changed."""
    with pytest.raises(Refused) as caught:
        call(*arguments, **more)
    return caught.value.args


# -- day keys ----------------------------------------------------------------------------------------------------


def fed(side, hub, count):
    """Let the first chunks come."""
    for seq in range(count):
        side.feed(hub.chunk(seq))


def test_keys_come_after_the_readings_and_stay_out_of_a_proof_that_is_passed_on(ask_keys, hub, house):
    side = ask_keys()
    fed(side, hub, len(hub.chunks) + 1)
    assert side.state == "done"
    kept = json.loads(json.dumps(side.proof()))
    content = [base64url.decode(text) for text in kept["chunks"] + kept["keys"]]
    content += [part for jws in (kept["request"], kept["receipt"]) for part in map(base64url.decode, jws.split("."))]
    assert not any(key in raw for key in billing.keys_of(house.keys())[2].values() for raw in content)
    result = proof.verify_proof(kept)
    assert (len(result.entries), result.keys) == (48 * DAYS, b"")
    for keys, name in (
        ([], "INTEGRITY_FAILED: digests"),
        ([b64(bytes(32))], "INTEGRITY_FAILED: digests"),
        ([kept["keys"][0][:-1]], "MALFORMED"),
        ([5], "MALFORMED: keys"),
        ("x", "MALFORMED: keys"),
        (kept["keys"] * 1025, "MALFORMED: keys"),
    ):
        with pytest.raises(HubError, match=name):
            proof.verify_proof(kept | {"keys": keys})


def test_a_reading_cannot_be_left_out_as_if_it_were_a_key(ask_keys, hub):
    side = ask_keys()
    fed(side, hub, len(hub.chunks) + 1)
    kept = side.proof()
    last = hashlib.sha256(base64url.decode(kept["chunks"].pop())).digest()
    with pytest.raises(HubError, match="INTEGRITY_FAILED: entries"):
        proof.verify_proof(kept | {"keys": [b64(last), *kept["keys"]]})


def test_keys_that_nobody_asked_for_are_not_taken(ask_keys, hub, house):
    side = ask_keys(keys=False)
    fed(side, hub, len(hub.chunks) - 1)
    seq = len(hub.chunks) - 1
    assert refused(side.feed, hub.chunk(seq, house.keys(), typ="mhx-keys")) == ("MALFORMED", "typ")
    side.feed(hub.chunk(seq))
    assert side.received == len(hub.chunks)


def test_chunks_of_another_type_than_their_turn_has_are_not_taken(ask_keys, hub, house):
    side = ask_keys()
    keys = house.keys()
    assert refused(side.feed, hub.chunk(0, keys, typ="mhx-keys")) == ("MALFORMED", "typ")  # before the readings
    assert refused(side.feed, hub.chunk(0, typ="mhx-bill")) == ("MALFORMED", "typ")
    assert refused(side.feed, hub.chunk(0, typ="mhx-receipt")) == ("MALFORMED", "typ")
    fed(side, hub, hub.series)
    assert refused(side.feed, hub.chunk(hub.series, keys, typ="mhx-series"))[0] == "MALFORMED"
    assert refused(side.feed, hub.chunk(hub.series, hub.chunks[0], typ="mhx-keys"))[0] == "MALFORMED"


def test_readings_do_not_come_after_keys(ask_keys, hub, house, monkeypatch):
    good = hub.cut
    monkeypatch.setattr(hub, "cut", lambda: [*good(), house.keys()])
    side = ask_keys()
    fed(side, hub, hub.series + 1)
    assert refused(side.feed, hub.chunk(hub.series + 1, hub.chunks[0], typ="mhx-series")) == ("MALFORMED", "typ")


def test_keys_that_are_none_are_not_taken(ask_keys, hub, house):
    side = ask_keys()
    fed(side, hub, hub.series)
    good = house.keys()
    for raw in (b"", b"mhk1", good[:-1], good + b"\0", b"mhk2" + good[4:], good[:34] + b"\0\0"):
        assert refused(side.feed, hub.chunk(hub.series, raw))[0] == "MALFORMED"
    side.feed(hub.chunk(hub.series))
    assert side.received == hub.series + 1


def test_keys_of_another_hub_are_not_taken(ask_keys, hub, house):
    side = ask_keys()
    fed(side, hub, hub.series)
    raw = house.keys()
    hub.chunks[hub.series] = raw[:4] + bytes(10) + raw[14:]
    try:
        side.feed(hub.chunk(hub.series))
        side.feed(hub.chunk(hub.series + 1))
        found = side.refused
    except Refused as error:  # at once, or when all is here
        found = error.args
    assert tuple(found) == ("WRONG_HUB", "keys")


def test_keys_that_do_not_follow_each_other_are_not_taken(asker, hub, house, monkeypatch):
    of_hub, chain, keys = billing.keys_of(house.keys())
    first = min(keys)
    good = hub.cut
    monkeypatch.setattr(hub, "cut", lambda: [*good(), b""])
    side = Site(asker, hub, recipient.data_wish("server", REGS, "half-hour", house.start, house.stop, True), NOW)
    to_want(side, hub)
    fed(side, hub, hub.series)
    side.feed(hub.chunk(hub.series, billing.pack_keys(of_hub, chain, first, [keys[first]])))
    for bad in (
        billing.pack_keys(of_hub, chain, first + 2, [keys[first]]),
        billing.pack_keys(of_hub, bytes(16), first + 1, [keys[first]]),
        billing.pack_keys(bytes(10), chain, first + 1, [keys[first]]),
    ):
        assert refused(side.feed, hub.chunk(hub.series + 1, bad)) == ("INTEGRITY_FAILED", "keys")


# -- a bill that the hub makes -----------------------------------------------------------------------------------


def test_a_bill_is_asked_for_and_taken(ask_bill, hub, house):
    side = ask_bill()
    assert (hub.request["regs"], hub.request["res"]) == (REGS, "half-hour")
    assert (hub.request["from"], hub.request["to"]) == (house.start, house.stop)
    digest = forms.batches_digest([billing.Batch(raw).digest() for raw in house.batches])
    assert base64url.decode(hub.request["batches"]) == digest
    side.feed(hub.chunk(0))
    converse(side, hub, side.feed(hub.chunk(1)))
    assert (side.state, side.outcome, side.result, hub.done) == ("done", "done", None, True)
    made = side.made
    batches = verifier.Batches(house.batches, made.hub_key)
    assert verifier.check_bill(batches, TARIFF, SUPPLIER, NONCE, made.bill, made.proof).checked


def test_the_hub_s_refusal_comes_by_its_name(asker, hub, house):
    hub.made.add((house.start, house.stop, "another"))
    side = Site(asker, hub, recipient.proof_wish(house.batches, TARIFF, NONCE), NOW)
    (answer,) = hub.handle(side.start()[0])
    side.feed(answer)
    assert (side.state, side.refused, side.made) == ("refused", ("NOT_CONSENTED", "second bill"), None)


def test_a_meter_that_feeds_nothing_in_is_asked_for_what_it_has():
    plain = House(7, household("plain"))
    assert recipient.proof_wish(plain.batches, TARIFF, NONCE)["regs"] == REGS[:1]


def test_a_bill_is_one_chunk_of_its_type(asker, hub, house):
    side = Site(asker, hub, recipient.proof_wish(house.batches, TARIFF, NONCE), NOW)
    to_pin(side, hub)
    (ack,) = hub.handle(side.pin(hub.pin)[0])
    for chunks in (0, 2):
        wrong = json.dumps(json.loads(ack) | {"chunks": chunks}).encode()
        assert refused(side.feed, wrong) == ("INVALID_VALUE", "chunks")
    side.feed(ack)
    assert refused(side.feed, hub.chunk(0, typ="mhx-series")) == ("MALFORMED", "typ")
    assert refused(side.feed, hub.chunk(0, house.keys(), typ="mhx-keys")) == ("MALFORMED", "typ")
    good = hub.chunks[0]
    for raw in (b"", good[:2], good[:100], good[:2] + b"mhi2" + good[6:]):
        assert refused(side.feed, hub.chunk(0, raw))[0] == "MALFORMED"
    assert refused(side.feed, hub.end("done")) == ("WRONG_STATE", "result")  # the receipt counts, not the word
    side.feed(hub.chunk(0))
    assert side.state == "receiving"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("hub", bytes(10)),
        ("start", JANUARY + 86400),
        ("stop", JANUARY + 7 * 86400),
        ("tariff", bytes(32)),
        ("digest", bytes(32)),
        ("nonce", bytes(16)),
    ],
)
def test_a_bill_about_something_else_than_was_asked_for_is_refused(ask_bill, hub, field, value):
    side = ask_bill()
    raw = hub.chunks[0]
    size = int.from_bytes(raw[:2], "little")
    changed = forms.pack_bill(forms.bill_of(raw[2 : 2 + size])._replace(**{field: value}))
    hub.chunks[0] = raw[:2] + changed + raw[2 + size :]
    side.feed(hub.chunk(0))
    converse(side, hub, side.feed(hub.chunk(1)))
    assert (side.state, side.refused, side.made) == ("refused", ("WRONG_REQUEST", "bill." + field), None)


def test_a_bill_that_is_not_the_receipt_s_is_refused(ask_bill, hub):
    side = ask_bill()
    side.feed(hub.chunk(0))
    side.feed(hub.chunk(1, hub.receipt(digests=b64(bytes(32)))))
    assert side.refused == ("INTEGRITY_FAILED", "digests")


def test_who_makes_a_bill_is_given_time(ask_bill, hub):
    side = ask_bill()
    wants = [at for at in range(601) if side.tick(NOW + at)]
    assert wants == list(range(60, 601, 60))
    assert side.state == "receiving"
    side.tick(NOW + 601)
    assert side.refused == ("NOT_RECEIVED", "")


def test_a_tariff_that_no_message_holds_is_not_asked_for(asker, hub, house):
    def message(length):
        wish = recipient.proof_wish(house.batches, bytes(length), NONCE)
        return recipient.Request(asker, hub.hub, "a-" + "0" * 16, wish, NOW).message()

    assert len(message(700)) <= mhx.MAX_MESSAGE
    with pytest.raises(HubError, match="OVERSIZED: message"):
        message(730)


def test_readings_and_bills_are_not_taken_for_each_other(asker, hub, house, ask_bill):
    side = ask_bill()
    side.feed(hub.chunk(0))
    converse(side, hub, side.feed(hub.chunk(1)))
    made = side.made
    chunk = len(made.bill).to_bytes(2, "little") + made.bill + made.proof
    with pytest.raises(HubError, match="WRONG_REQUEST: what"):
        proof.assemble(made.request, made.receipt, [chunk], made.hub_key)
    side = Site(asker, hub, recipient.data_wish("server", REGS, "half-hour", house.start, house.stop), NOW)
    to_pin(side, hub)
    converse(side, hub, side.pin(hub.pin))
    result = side.result
    with pytest.raises(HubError, match="WRONG_REQUEST: what"):
        proof.assemble_bill(result.request, result.receipt, result.chunks, result.hub_key)
