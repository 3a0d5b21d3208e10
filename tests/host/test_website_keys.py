"""Day keys after the readings: what both recipients of MHX 1, the website's and the page's, take and refuse."""

import contextlib

import pytest
from billing_house import House, household
from recipient_fake_hub import NOW, REGS, b64
from test_recipient import Page, Refused, Site, hear, to_want
from website_billing_hub import BillingHub

from meterhub_tools import recipient

from meterhub.codec import billing  # isort: skip


@pytest.fixture(scope="module")
def asker():
    return recipient.Recipient("Green Co-op", recipient.Recipient.new_pem())


@pytest.fixture(scope="module")
def house():
    return House(3, household("keys", True), step_s=3600)


@pytest.fixture(params=["server", "private", "page"])
def begun(request, asker, house):
    """Return a function that brings an exchange to its first want: (side, hub, wants)."""
    opened = []

    def make(keys=True, chunks=None):
        point = asker.point
        jwk = {"kty": "EC", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])}
        hub = BillingHub(jwk, house)
        hub.clock = NOW
        hub.linked.add("acc_1")
        if chunks:
            cut = hub.cut
            hub.cut = lambda: chunks(cut())
        mode = "server" if request.param == "server" else "private"
        wish = recipient.data_wish(mode, list(REGS), "half-hour", house.start, house.stop, keys)
        side = (Page if request.param == "page" else Site)(asker, hub, wish)
        opened.append(side)
        return side, hub, to_want(side, hub)

    yield make
    for side in opened:
        side.close()


def go_on(side, hub, messages):
    while messages:
        messages = [more for message in messages for answer in hub.handle(message) for more in hear(side, answer)]


def keys_of(side):
    result = side.result
    if isinstance(result, dict):  # the page's: chunks, as JSON has bytes
        return [bytes(chunk[str(i)] for i in range(len(chunk))) for chunk in result["keys"]]
    return [result.keys]


def halves(house):
    """Return the keys as two chunks."""
    hub, chain, keys = billing.keys_of(house.keys())
    days = sorted(keys)
    return [
        billing.pack_keys(hub, chain, days[0], [keys[days[0]]]),
        billing.pack_keys(hub, chain, days[1], [keys[day] for day in days[1:]]),
    ]


def test_keys_come_after_the_readings_and_the_receipt_is_for_both(begun, house):
    side, hub, wants = begun()
    go_on(side, hub, wants)
    assert side.state == "done"
    assert keys_of(side) == [house.keys()]
    assert len(side.entries) == 3 * 24


def test_keys_may_come_in_parts(begun, house):
    side, hub, wants = begun(chunks=lambda chunks: chunks[:-1] + halves(house))
    go_on(side, hub, wants)
    assert side.state == "done"
    assert keys_of(side) in ([house.keys()], halves(house))


def test_keys_that_nobody_asked_for_are_refused(begun, house):
    side, hub, _ = begun(keys=False, chunks=lambda chunks: [*chunks, house.keys()])
    side.feed(hub.chunk(0))
    with pytest.raises(Refused) as refused:
        side.feed(hub.chunk(1, typ="mhx-keys"))
    assert refused.value.args[0] == "MALFORMED"
    assert side.received == 1


def test_readings_after_the_keys_are_refused(begun):
    side, hub, _ = begun(chunks=lambda chunks: [*chunks, chunks[0]])
    side.feed(hub.chunk(0))
    side.feed(hub.chunk(1, typ="mhx-keys"))
    with pytest.raises(Refused) as refused:
        side.feed(hub.chunk(2, typ="mhx-series"))
    assert refused.value.args[0] == "MALFORMED"
    assert side.received == 2


def test_what_is_no_keys_is_refused(begun, house):
    side, hub, _ = begun()
    side.feed(hub.chunk(0))
    for plain in (b"mhk1", house.keys()[:-1], b"mhk2" + house.keys()[4:]):
        with pytest.raises(Refused) as refused:
            side.feed(hub.chunk(1, plain, typ="mhx-keys"))
        assert refused.value.args[0] == "MALFORMED"
    assert side.received == 1


def test_keys_of_another_hub_end_in_no_result(begun, house):
    other = house.keys()[:4] + bytes(10) + house.keys()[14:]
    side, hub, wants = begun(chunks=lambda chunks: [*chunks[:-1], other])
    with contextlib.suppress(Refused):  # the page refuses the chunk, the website what comes of it
        go_on(side, hub, wants)
    assert side.state in ("receiving", "refused")


def test_a_receipt_that_leaves_the_keys_out_is_refused(begun):
    side, hub, wants = begun()
    receipt = hub.receipt

    def without(**changed):
        chunks, hub.chunks = hub.chunks, hub.chunks[:-1]
        try:
            return receipt(**changed)
        finally:
            hub.chunks = chunks

    hub.receipt = without
    go_on(side, hub, wants)
    assert side.state == "refused"
    assert side.refused[0] == "INTEGRITY_FAILED"
