"""The website's page of messages: what a hub's letters tell, and what customers decide about it."""

import json
import time

import pytest
from test_website import anna, hub, link  # noqa: F401  (anna and hub are fixtures)
from website_site import NOW

from meterhub_tools import proof

WORDS = {
    "category": "outage",
    "name": "Stadtwerke",
    "title": "No power",
    "text": "From 9:00 to 11:30, <b>bring</b> a torch.",
}


class Writer:
    """Writes letters as a hub does."""

    def __init__(self, fake, desk):
        self.fake, self.desk, self.n = fake, desk, 0

    def letter(self, kind="alert", event="notice", to=None, n=None, **data):
        from meterhub.crypto.drbg import Drbg
        from meterhub.crypto.steps import run
        from meterhub.trust import letter

        self.n = n or self.n + 1
        claims = {"to": to or self.desk.recipient.kid, "n": self.n, "at": NOW, "clock": "set", "kind": kind}
        claims |= {"event": event, "code": 0, "detail": "", "data": data}
        point = self.desk.recipient.point
        token, self.key = run(letter.seal(self.fake.sign("mhc-letter", claims), point, Drbg(bytes(48))))
        return bytes(token)

    def tell(self, state="shown", asks="accept", said="", n=None, number=7, words=WORDS, **data):
        about = {"notice": number, "state": state, "said": said, "asks": asks, "changed": NOW, "start": NOW}
        about |= {"expiry": int(time.time()) + 3600, **(words or {}), **data}
        self.desk.on_letter(self.fake.hub, self.letter(n=n, **about))


@pytest.fixture
def writer(hub, desk):  # noqa: F811
    return Writer(hub, desk)


def page(client):
    return client.get("/messages/").content.decode()


def decide(client, hub, decision, number=7):  # noqa: F811
    return client.post(f"/messages/{hub.hub}/{number}/", {"decision": decision}, follow=True).content.decode()


def orders(desk):
    from meterhub.codec import jose

    sent = [
        message.decode()
        for message, kind in zip(desk.courier.sent, desk.courier.kinds, strict=True)
        if kind == "order"
    ]
    for token in sent:
        proof.check_signature(token, desk.recipient.point)
    return [jose.jws_claims(token, 2048) for token in sent]


def test_a_message_is_shown_and_answered(anna, hub, desk, writer):  # noqa: F811
    from meterhub_tools.website.models import Link

    link(anna, hub)
    writer.tell()
    shown = page(anna)
    assert "No power" in shown and "From Stadtwerke" in shown and "please answer" in shown
    assert "&lt;b&gt;bring&lt;/b&gt;" in shown
    assert 'value="accept"' in shown and 'value="decline"' in shown and 'value="delete"' not in shown
    assert "Sent to your hub" in decide(anna, hub, "accept")
    header, claims = orders(desk)[0]
    sub = Link.objects.get(hub=hub.hub).sub
    assert (header["typ"], header["kid"]) == ("mh-decision", desk.recipient.kid)
    assert (claims["hub"], claims["sub"], claims["notice"], claims["decision"]) == (hub.hub, sub, 7, "accept")
    assert abs(claims["at"] - time.time()) < 60
    writer.tell(state="accepted", asks="", said="accept")
    shown = page(anna)
    assert "you said yes" in shown and "Sent to your hub" not in shown and 'value="delete"' in shown
    writer.tell(state="deleted", asks="", said="accept", words=None)
    assert "No power" not in page(anna)


def test_the_order_is_one_that_a_hub_takes(anna, hub, desk, writer):  # noqa: F811
    from meterhub.crypto.steps import run
    from meterhub.trust import orders as firmware_orders

    link(anna, hub)
    writer.tell()
    decide(anna, hub, "decline")
    token = desk.courier.sent[-1].decode()
    keys = {"may.notices": {desk.recipient.kid: desk.recipient.point}}
    typ, kid, claims = run(firmware_orders.opened(token, hub.hub, lambda right: keys[right]))
    assert (typ, kid, claims["decision"]) == ("mh-decision", desk.recipient.kid, "decline")


def test_what_was_stored_is_said_each_time_and_the_latest_letter_counts(anna, hub, desk, writer):  # noqa: F811
    from meterhub.codec import base64url
    from meterhub.trust import letter
    from meterhub_tools.website.models import Notice

    writer.tell()
    assert not desk.courier.sent  # nobody here has linked it
    link(anna, hub)
    writer.tell(n=5, state="read")
    writer.tell(n=4, state="shown")
    assert Notice.objects.get(hub=hub.hub).state == "read"
    assert desk.courier.kinds[-2:] == ["received", "received"]
    said = json.loads(desk.courier.sent[-1])
    assert said == {"n": 4, "mac": base64url.encode(letter.received_mac(writer.key, 4))}
    desk.on_letter(hub.hub, writer.letter(n=6, event="something else"))
    assert (desk.courier.kinds[-1], Notice.objects.filter(hub=hub.hub).count()) == ("received", 1)


def test_what_is_not_this_hubs_or_not_for_us_is_neither_stored_nor_received(anna, hub, desk, writer):  # noqa: F811
    from meterhub.errors import HubError
    from meterhub_tools.website.models import Notice

    link(anna, hub)
    sent = len(desk.courier.sent)
    good = writer.letter(notice=7)
    for bad in (
        good[:-4] + b"AAAA",
        b"\xff" * 50,
        b"x" * 9000,
        writer.letter(to="somebody", notice=7),
        writer.letter(notice=7, state="shown", said="", asks="", changed=0, start=0),
        writer.letter(notice=7, state="x" * 13, said="", asks="", changed=0, start=0, expiry=0),
        writer.letter(notice=7, state="shown", said="", asks="", changed=0, start=0, expiry=0, text="t" * 161),
    ):
        with pytest.raises(HubError):
            desk.on_letter(hub.hub, bad)
    assert len(desk.courier.sent) == sent and not Notice.objects.filter(hub=hub.hub).exists()


def test_nobody_decides_for_another_household(anna, browser, hub, desk, writer):  # noqa: F811
    link(anna, hub)
    writer.tell()
    other = browser(f"other{time.time_ns()}")
    assert "No power" not in page(other)
    assert other.post(f"/messages/{hub.hub}/7/", {"decision": "accept"}).status_code == 404
    assert anna.post(f"/messages/{hub.hub}/8/", {"decision": "accept"}).status_code == 404
    assert browser().post(f"/messages/{hub.hub}/7/", {"decision": "accept"}).status_code == 302
    assert orders(desk) == []


def test_who_moves_in_sees_nothing_of_before(anna, browser, hub, writer):  # noqa: F811
    from meterhub_tools.website.models import Notice

    link(anna, hub)
    writer.tell()
    Notice.objects.filter(hub=hub.hub).update(received_at=int(time.time()) - 10)
    other = browser(f"next{time.time_ns()}")
    link(other, hub)
    assert "No power" not in page(other)
    assert other.post(f"/messages/{hub.hub}/7/", {"decision": "accept"}).status_code == 404
    writer.tell(number=8, words=WORDS | {"title": "Hello"})
    assert "Hello" in page(other)


@pytest.mark.parametrize(
    ("told", "decision"),
    [
        ({}, "delete"),
        ({}, "override"),
        ({"asks": ""}, "accept"),
        ({"asks": ""}, "delete"),
        ({"asks": "", "state": "read"}, "read"),
        ({"asks": "override"}, "decline"),
        ({"expiry": 1}, "accept"),
        ({}, "explode"),
    ],
)
def test_what_is_not_open_is_not_sent(anna, hub, desk, writer, told, decision):  # noqa: F811
    link(anna, hub)
    writer.tell(**told)
    assert "Nothing was decided here" in decide(anna, hub, decision)
    assert orders(desk) == []


def test_an_override_is_offered_after_ok(anna, hub, desk, writer):  # noqa: F811
    link(anna, hub)
    writer.tell(asks="override", said="accept", state="accepted")
    assert 'value="accept"' not in page(anna)
    decide(anna, hub, "override")
    assert [claims["decision"] for _, claims in orders(desk)] == ["override"]


def test_an_offline_hub_is_not_told(anna, hub, desk, writer):  # noqa: F811
    link(anna, hub)
    writer.tell()
    desk.courier.hubs[hub.hub][1].online = False
    assert "Your hub is offline" in decide(anna, hub, "accept")
    assert orders(desk) == []


def test_the_page_says_what_to_do_first(anna):  # noqa: F811
    assert "Link a hub first" in page(anna)
