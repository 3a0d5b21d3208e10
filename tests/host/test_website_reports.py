"""What hubs have told of their own accord, as the log page shows it: in words, to whom it is theirs, and no more."""

import html
import re
import time

import pytest
from recipient_fake_hub import FakeHub, b64, history
from test_website import account_of, link
from website_site import NOW

from meterhub.events import LANES

AT = 1_790_000_000  # 21 Sep 2026 14:13:20 UTC
OUTAGE = f"{AT}-{AT + 754} 754 s estimated long clock set"
DETAILS = {  # what the firmware writes, and what is made of it
    ("METER_SILENT", "main"): "No data from meter main since 21 Sep 2026 14:13 UTC.",
    ("meter is back", "main"): "Meter main sends data again.",
    ("LINE_STUCK", "main noise"): "Meter main cannot be read: what comes is not understood.",
    ("LINE_STUCK", "main break"): "Meter main cannot be read: its line may be broken.",
    ("LINE_STUCK", "main closed"): "Meter main cannot be read: its contact stays closed.",
    ("line is back", "gas-2"): "The line of meter gas-2 works again.",
    ("METER_CLOCK", "main 75 s ahead"): "The clock of meter main is 1 min 15 s fast.",
    ("METER_CLOCK", "main -7200 s ahead"): "The clock of meter main is 2 h slow.",
    ("meter's clock is right", "main"): "The clock of meter main is right again.",
    ("METER_CHANGED", "main"): "Another meter is connected as main; the readings of the one before are kept apart.",
    ("METER_CHANGED", "main 2"): "Another meter is connected as main (channel 2); the readings of the one before are"
    " kept apart.",
    ("REGISTER_BACKWARD", "main 1-0:1.8.0"): "A total of meter main went backward: taken from the grid (1-0:1.8.0).",
    ("REGISTER_BACKWARD", "main 7-0:3.0.0"): "A total of meter main went backward: 7-0:3.0.0.",
    ("supply restored", f"{AT}-{AT + 25} 25 s estimated short clock meter"): "The supply is back; it was away for"
    " about 25 s, from 21 Sep 2026 14:13 UTC to 21 Sep 2026 14:13 UTC.",
    ("supply restored 3 min", OUTAGE): "The supply is back; it was away for about 12 min 34 s, from"
    " 21 Sep 2026 14:13 UTC to 21 Sep 2026 14:25 UTC.",
    ("supply restored 3 min", OUTAGE + " planned W-17"): "The supply is back; it was away for about 12 min 34 s, from"
    " 21 Sep 2026 14:13 UTC to 21 Sep 2026 14:25 UTC. It had been announced (W-17).",
}


def said(name, detail, at=AT):
    from meterhub_tools.website import event_words, tags

    return re.sub("<[^>]*>", "", event_words.sentence(name, detail, at, tags.moment))


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize(("name", "detail"), DETAILS)
def test_event_is_said_in_plain_words(name, detail):
    assert said(name, detail) == DETAILS[name, detail]


@pytest.mark.usefixtures("site")
def test_every_event_that_a_hub_tells_has_words_and_a_detail_that_is_understood_here():
    from meterhub_tools.website import event_words

    assert set(event_words.EVENTS) == set(LANES) == {name for name, _ in DETAILS}


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("name", [*sorted(LANES), "SOMETHING_NEW"])
@pytest.mark.parametrize(
    "detail", ["", "<b>", "a b c d", "9" * 99, f"{AT}-{'9' * 20} 5 s", "main 12 s ahead\n", "{at}"]
)
def test_detail_that_is_not_understood_is_shown_as_it_is(name, detail):
    from meterhub_tools.website import event_words, tags

    for at in (0, AT, 1 << 33):
        sentence = event_words.sentence(name, detail, at, tags.moment)
        assert "<b>" not in sentence
        assert detail.strip() in html.unescape(sentence)
        assert not re.search(r"[{}]", sentence.replace("{at}", ""))


@pytest.mark.usefixtures("site")
def test_meter_that_fell_silent_before_the_hub_knew_the_time_has_no_time():
    assert said("METER_SILENT", "main", 0) == "No data from meter main since a time that the hub did not know."


# -- the page --------------------------------------------------------------------------------------------


@pytest.fixture
def new_hub(desk):
    def make():
        point = desk.recipient.point
        jwk = {"kty": "EC", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])}
        hub = FakeHub(jwk, history(NOW - 100 * 1800, NOW, ()))
        hub.clock = NOW
        desk.courier.add(hub)
        return hub

    return make


_people = (f"erna{i}" for i in range(1000))


@pytest.fixture
def home(browser, new_hub):
    """Return (client, hub) of a customer who has linked it."""

    def make():
        client, hub = browser(next(_people)), new_hub()
        link(client, hub)
        return client, hub

    return make


def tell(desk, hub, *items, dropped=(0, 0), box="01020304"):
    claims = {"to": desk.recipient.kid, "box": box, "at": NOW, "dropped": list(dropped), "items": list(items)}
    desk.on_items(hub.hub, hub.sign("mh-items", claims).encode())


def page(client):
    """Return the text of the log page below "What your hub reported"."""
    found = client.get("/log/").content.decode().split('id="reported"')[1].split("</main>")[0]
    return " ".join(html.unescape(re.sub("<[^>]*>", " ", found)).split())


def of_link(client, **changes):
    account_of(client).links.update(**changes)


def later(seconds=1):
    return int(time.time()) + seconds


def test_events_are_shown_newest_first_with_time_and_hub(home, desk):
    client, hub = home()
    at = later()
    tell(desk, hub, [1, at, "METER_SILENT", "main"], [2, at + 60, "meter is back", "main"])
    tell(desk, hub, [5, at + 90, "METER_CHANGED", "main"])
    text = page(client)
    places = [text.index(words) for words in ("Another meter", "sends data again", "No data from meter main since")]
    assert places == sorted(places)
    card = desk.courier.watch(hub.hub).card
    assert f"{card.name} {hub.hub[:4]} {hub.hub[4:8]}" in text
    shown = client.get("/log/").content.decode()
    assert shown.count("<time datetime=") >= 4  # page.js writes these in the visitor's own zone


def test_nothing_told_is_said(home, browser):
    client, _ = home()
    assert "Nothing was reported since the link" in page(client)
    assert "No hub is linked" in page(browser(next(_people)))


def test_event_without_a_time_says_when_it_arrived(home, desk):
    client, hub = home()
    tell(desk, hub, [1, later(), "METER_SILENT", "main"], [2, 0, "meter is back", "main"])
    assert "time not known, arrived" in page(client)


def test_what_a_hub_says_cannot_become_markup(home, desk):
    client, hub = home()
    tell(desk, hub, [1, later(), "<script>x", "<img src=y>"], [2, later(), "METER_SILENT", "<i>"])
    shown = client.get("/log/").content.decode()
    for markup in ("<script>x", "<img src=y", "<i>"):
        assert markup not in shown
        assert html.escape(markup) in shown


def test_hubs_of_others_are_not_shown(home, desk):
    (anna, annas), (bert, berts) = home(), home()
    tell(desk, annas, [1, later(), "METER_SILENT", "annas"])
    tell(desk, berts, [1, later(), "METER_SILENT", "berts"], dropped=(3, 0))
    assert "annas" in page(anna)
    assert "berts" not in page(anna)
    assert "given up" not in page(anna)
    assert "annas" not in page(bert)


def test_what_happened_before_the_link_is_not_shown(home, desk):
    client, hub = home()
    long_ago = int(time.time()) - 3600
    tell(desk, hub, [1, 0, "METER_SILENT", "undated"], [2, long_ago, "METER_SILENT", "early"])
    tell(
        desk,
        hub,
        [3, 0, "METER_SILENT", "unproved"],
        [4, later(), "METER_SILENT", "late"],
        [5, 0, "meter is back", "x"],
    )
    text = page(client)
    assert "late" in text
    assert "Meter x sends data again" in text  # told after one since the link
    for name in ("undated", "early", "unproved"):
        assert name not in text


def test_an_event_of_another_box_proves_nothing(home, desk):
    client, hub = home()
    tell(desk, hub, [1, later(), "METER_SILENT", "late"])
    tell(desk, hub, [2, 0, "METER_SILENT", "undated"], box="05060708")
    assert "undated" not in page(client)


def test_what_arrived_before_the_link_is_not_shown_wherever_the_hubs_clock_stood(home, desk):
    from meterhub_tools.website.models import Event

    client, hub = home()
    tell(desk, hub, [1, later(3600), "METER_SILENT", "early"], [2, later(), "METER_SILENT", "late"])
    Event.objects.filter(hub=hub.hub, number=1).update(received_at=NOW - 7200)
    assert "late" in page(client)
    assert "early" not in page(client)


@pytest.mark.parametrize("end", ["revoked_at", "until"])
def test_what_is_told_after_the_links_end_is_not_shown(home, browser, desk, end):
    client, hub = home()
    tell(desk, hub, [1, int(time.time()), "METER_SILENT", "early"])
    other = browser(next(_people))
    link(other, hub)  # so that the website still listens
    of_link(client, linked_at=NOW - 7200, **{end: int(time.time()) - 5})
    tell(desk, hub, [2, later(), "METER_SILENT", "late"])
    assert "late" in page(other)
    assert "late" not in page(client)
    of_link(client, **{end: later(5)})
    assert "early" in page(client)


def test_link_that_is_renewed_goes_on_and_one_that_had_ended_begins_anew(home, desk):
    client, hub = home()
    of_link(client, linked_at=NOW - 7200)
    link(client, hub)
    assert account_of(client).links.get().linked_at == NOW - 7200
    of_link(client, revoked_at=NOW - 3600)
    link(client, hub)
    assert account_of(client).links.get().linked_at > NOW - 3600


def test_what_the_hub_gave_up_is_said_and_counted_from_the_link_on(home, desk):
    client, hub = home()
    from meterhub_tools.website.models import Loss

    Loss.objects.create(hub=hub.hub, box="01020304", dropped=40, received_at=NOW - 7200)
    for dropped in ((40, 1), (40, 1), (38, 0)):
        tell(desk, hub, [9, later(), "METER_SILENT", "main"], dropped=dropped)
    assert "1 report was given up because the hub had no room" in page(client)
    tell(desk, hub, [9, later(), "METER_SILENT", "main"], dropped=(44, 2))
    tell(desk, hub, [1, later(), "METER_SILENT", "main"], dropped=(3, 0), box="05060708")
    assert "9 reports were given up because the hub had no room" in page(client)
    assert Loss.objects.filter(hub=hub.hub).count() == 4


def test_page_is_bounded(home, desk):
    client, hub = home()
    at = later()
    for first in range(1, 240, 16):
        tell(desk, hub, *([n, at, "METER_SILENT", f"m{n}"] for n in range(first, first + 16)))
    text = page(client)
    assert text.count("No data from meter") == 200
    assert "meter m240 " in text
    assert "meter m40 " not in text
