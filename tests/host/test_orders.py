"""What the owner tells a hub at the cable: the time, a new tenant, an outage; time zones; a time server's answers."""

import json
import time
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from cabled_hub import CabledHub
from operator_desk import Desk

from meterhub_tools.board.port import Line
from meterhub_tools.errors import ToolError
from meterhub_tools.headend import Store, Wish, cable, send
from meterhub_tools.owner import keys, orders, zones
from meterhub_tools.roles import keys as role_keys

from meterhub.codec import base64url, jose  # isort: skip
from meterhub.codec.timezone import Zone  # isort: skip
from meterhub.store.record import Record  # isort: skip

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


def command(desk, hub, *words):
    """Type `meterhub command` as the owner at the cable, with times of London."""
    owner = ("--role", "ROOT", "--port", hub.port, "--keys", desk.keys, "--zone", "Europe/London")
    return desk.run("command", *owner, *words)


def planned(hub):
    return json.loads(Record(str(hub.data / "outages")).load() or b'{"planned": []}')["planned"]


def asked(hub, verb):
    with Line(hub.port) as line:
        return line.ask(verb)


def test_the_owner_tells_the_time_and_nobody_else(desk, hub, tmp_path):
    assert desk.provision(hub.port, *PLAIN)[0] == 0, desk.shown
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
    status, said = desk.run("settings", "set", "--port", hub.port, "--keys", desk.keys, "zone=Mars/Olympus")
    assert (status, "is no time zone" in said) == (2, True)


def test_the_owner_announces_an_outage_and_a_tenant_at_the_cable_and_nobody_else(desk, hub, tmp_path):
    assert desk.provision(hub.port, *PLAIN)[0] == 0, desk.shown
    assert order(desk, hub, "time")[0] == 0
    thief = Desk(tmp_path / "thief")
    keys.load(thief.keys)
    tenant = ("set.change_of_tenancy", "--from", "2026-01-05")
    status, said = command(thief, hub, *tenant)
    assert (status, "UNKNOWN_RECIPIENT" in said) == (1, True)
    outage = ("outage.planned", "ref=W-7", "text=new cable")
    day = datetime.now(ZoneInfo("Europe/London")) + timedelta(days=3)
    start, end = f"{day:%Y-%m-%dT08:00}", f"{day:%Y-%m-%dT12:00}"
    status, said = command(desk, hub, *outage, "--from", start, "--to", end)
    at = int(day.replace(hour=8, minute=0, second=0, microsecond=0).timestamp())
    # it has no display: the household is shown it when there is one, and the log knows it
    assert (status, said.split()[0]) == (1, "REFUSED(DISPLAY_FAILED)")
    assert [row[:4] for row in planned(hub)] == [["W-7", at, at + 4 * 3600, "new cable"]]
    status, said = command(desk, hub, "outage.planned", "ref=W 7", "--from", start, "--to", end)
    assert (status, said.split()[0]) == (1, "REFUSED(INVALID_VALUE)")
    assert command(desk, hub, "outage.planned", "ref=W-7", "from=0", "to=0")[1].startswith("DONE")
    assert planned(hub) == []
    assert not hub.journal("SEND_FAILED")  # there is no broker that could take the answers, which came here
    status, said = command(desk, hub, "set.change_of_tenancy", "--from", "tomorrow")
    assert (status, "is no time" in said) == (2, True)
    starts = hub.starts
    status, said = command(desk, hub, *tenant, "--json")
    told = json.loads(said)
    assert (status, told["state"], told["arg"]) == (0, "DONE", {"from": 1767571200}), said
    deadline = time.monotonic() + 20
    while hub.starts == starts and time.monotonic() < deadline:
        time.sleep(0.1)
    assert hub.journal("tenancy")[0]["detail"] == "since 1767571200"
    assert "outages         none" in desk.run("info", "--port", hub.port)[1]
    status, said = command(desk, hub, *tenant)
    assert (status, said.split()[0]) == (1, "REFUSED(REPLAY)")
    store = Store(f"sqlite:///{desk.keys / 'head-end.sqlite3'}")
    given = [one for one in store.transactions() if one.cmd == "set.change_of_tenancy"]
    store.close()
    assert sorted(one.state for one in given) == ["DONE", "REFUSED"]
    with Line(hub.port) as line:  # byte for byte what was done before: answered, and not done again
        line.put(next(one.token for one in given if one.state == "DONE"))
        assert line.ask("command")["letter"]


def test_a_command_is_not_given_to_another_hub_than_the_one_that_was_named(desk, hub):
    assert desk.provision(hub.port, *PLAIN)[0] == 0, desk.shown
    root = role_keys.root(desk.keys)
    store = Store(f"sqlite:///{desk.folder / 'other.sqlite3'}")
    with pytest.raises(ToolError, match="is there, not 0000000000000000"):
        cable.visit(root, hub.port, store, Wish("0" * 16, "read.clock", {}))
    store.close()
    status, said = desk.run("command", "--role", "ROOT", "--port", hub.port, "--hub", "x", "read.clock")
    assert (status, "not allowed with" in said) == (2, True)
    assert desk.run("command", "--role", "ROOT", "read.clock")[0] == 2


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
    zone = ZoneInfo("Europe/Amsterdam")
    for text in ("2026-07-01", "2026-12-01T08:30", "2026-03-29T03:00", "2026-03-29T01:59", "2026-10-25T02:30"):
        wanted = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Amsterdam"))
        assert send.moment(text, 0, "--from", zone) == wanted.timestamp()
    assert send.moment("2026-03-29T02:30", 0, "--from", zone) == 1774747800  # skipped: as if there were no change
    assert send.moment("2026-07-01T00:00:00+00:00", 0, "--from", zone) == 1782864000
    assert send.moment("2026-07-01", 0, "--from") == 1782864000


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
