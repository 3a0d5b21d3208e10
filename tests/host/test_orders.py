"""`meterhub order` on a hub at the cable, time zones by name, and the answers of a time server."""

import json
import time
from datetime import datetime
from zoneinfo import ZoneInfo, available_timezones

import pytest
from cabled_hub import CabledHub
from operator_desk import Desk

from meterhub_tools.board.port import Line
from meterhub_tools.errors import ToolError
from meterhub_tools.owner import keys, orders, zones

from meterhub.codec import base64url, jose  # isort: skip
from meterhub.codec.timezone import Zone  # isort: skip

PLAIN = ("--broker", "none", "--zone", "Europe/London")


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path / "desk")


@pytest.fixture
def hub(tmp_path):
    with CabledHub(tmp_path / "hub", {"schema": 1}) as hub:
        yield hub


def order(desk, hub, what, *words):
    return desk.run("order", what, *words, "--port", hub.port, "--keys", desk.keys)


def asked(hub, verb):
    with Line(hub.port) as line:
        return line.ask(verb)


def test_the_owner_tells_the_time_a_tenant_and_an_outage_and_nobody_else(desk, hub, tmp_path):
    assert desk.provision(hub.port, *PLAIN)[0] == 0
    assert asked(hub, "settings")["settings"]["zone"] == "GMT0BST,M3.5.0/1,M10.5.0"
    thief = Desk(tmp_path / "thief")
    keys.load(thief.keys)
    status, said = order(thief, hub, "time", "--jump")
    assert (status, "UNKNOWN_RECIPIENT" in said) == (1, True)
    assert asked(hub, "hello")["clock"] == "cable"
    status, said = order(desk, hub, "time")
    assert status == 0, said
    assert asked(hub, "hello")["clock"] == "set"
    assert hub.journal("clock set")
    status, said = order(desk, hub, "outage", "W-7", "2031-11-01T08:00", "2031-11-01T12:00", "--text", "new cable")
    assert status == 0, said
    assert hub.journal("outage announced")[0]["detail"] == "W-7 1951286400-1951300800"
    assert order(desk, hub, "outage", "W 7", "2031-11-01T08:00", "2031-11-01T12:00")[0] == 1
    for words in (("tenant", "tomorrow"), ("outage", "W", "2031-11-01", "x")):
        status, said = order(desk, hub, *words)
        assert (status, "is no date" in said) == (1, True)
    status, said = desk.run("settings", "set", "--port", hub.port, "--keys", desk.keys, "zone=Mars/Olympus")
    assert (status, "is no time zone" in said) == (1, True)
    starts = hub.starts
    status, said = order(desk, hub, "tenant", "2026-01-05")
    assert status == 0, said
    deadline = time.monotonic() + 20
    while hub.starts == starts and time.monotonic() < deadline:
        time.sleep(0.1)
    assert hub.journal("tenancy")[0]["detail"] == "since 1767571200"
    assert "outages         none" in desk.run("info", "--port", hub.port)[1]


# -- zones -------------------------------------------------------------------------------------------------------


def test_a_zone_is_given_by_its_name_or_as_a_rule():
    assert zones.rule("Europe/Amsterdam") == "CET-1CEST,M3.5.0,M10.5.0/3"
    assert zones.rule("UTC") == "UTC0"
    assert zones.rule("NZST-12NZDT,M9.5.0,M4.1.0/3") == "NZST-12NZDT,M9.5.0,M4.1.0/3"
    for name in ("Europe/Nowhere", "../../etc/passwd", "", "CET-1CEST"):
        with pytest.raises(ToolError, match="is no time zone"):
            zones.rule(name)


def test_every_zone_there_is_goes_by_its_rule_for_years():
    moments = [datetime(2031, month, 15, 12, tzinfo=ZoneInfo("UTC")) for month in (1, 4, 7, 10)]
    wrong = []
    for name in sorted(available_timezones()):
        if name in ("localtime", "Factory"):
            continue
        zone, truth = Zone(zones.rule(name)), ZoneInfo(name)
        if any(zone.offset_s(int(at.timestamp())) != truth.utcoffset(at).total_seconds() for at in moments):
            wrong.append(name)
    # the moon's calendar: the tz database has these countries' Ramadans written down to 2087
    assert set(wrong) <= {"Africa/Casablanca", "Africa/El_Aaiun", "Asia/Gaza", "Asia/Hebron"}


def test_a_moment_is_local_time():
    zone = Zone(zones.rule("Europe/Amsterdam"))
    for text in ("2026-07-01", "2026-12-01T08:30", "2026-03-29T03:00", "2026-03-29T01:59", "2026-10-25T02:30"):
        wanted = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Amsterdam"))
        assert orders.moment(text, zone) == wanted.timestamp()
    assert orders.moment("2026-07-01T00:00:00+00:00", zone) == 1782864000


# -- the time server ---------------------------------------------------------------------------------------------


def test_a_question_is_answered_to_who_asked_with_a_signature_over_the_nonce(tmp_path):
    root = keys.load(tmp_path)
    nonce = base64url.encode(b"n" * 16)
    topic, token = orders.answer("meterhub/HUB1/up/time", json.dumps({"nonce": nonce}).encode(), root.sign)
    header, claims = jose.jws_claims(token, 2048)
    assert (topic, header["typ"], header["kid"]) == ("meterhub/HUB1/down/order", "mh-time", root.kid)
    assert (claims["hub"], claims["nonce"], abs(claims["at"] - time.time()) < 3) == ("HUB1", nonce, True)
    for payload in (b"", b"x", b"[]", b"{}", b'{"nonce": 5}', b'{"nonce": "AAAA"}', b" " * 300, b"\xff"):
        assert orders.answer("meterhub/HUB1/up/time", payload, root.sign) is None
