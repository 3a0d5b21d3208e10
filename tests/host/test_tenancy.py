"""A change of tenant, on a whole hub: no page, topic, export or log tells what was before, but to who may ask."""

import asyncio
import gc
import json
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

from meterhub_tools import toolchain

sys.path.insert(0, str(toolchain.ROOT / "tests/unix"))

from export_bench import NOW, SUPPLIER, Recipient, claims_of

from meterhub import console
from meterhub.applets.export import Export
from meterhub.codec import base64url
from meterhub.codec.load_profile import MEASURED, MISSING, Entry
from meterhub.crypto import ecdsa, p256
from meterhub.crypto.drbg import Drbg
from meterhub.crypto.steps import run
from meterhub.store import files
from meterhub.store.columns import column_of
from meterhub.store.journal import Journal
from meterhub.store.profile import Profile
from meterhub.store.record import Record
from meterhub.trust import identity
from meterhub.trust.agreements import Agreements
from meterhub.trust.identity import Identity
from meterhub.trust.tenancy import Tenancy

STEP = 1800
DAY = 86400
FIRST = NOW - 16 * DAY
MOVED_IN = NOW - 10 * DAY + 5  # a little after an interval's end
SINCE = NOW - 10 * DAY + STEP  # so this is the first one that the tenant may see
COLUMNS = [column_of(obis) for obis in ("1-0:1.8.0", "1-0:2.8.0")]
POINT = base64url.encode(p256.encode_point(run(ecdsa.public_point(SUPPLIER))))
OWNER = Identity(SUPPLIER + 1, p256.encode_point(run(ecdsa.public_point(SUPPLIER + 1))), Drbg(bytes(48)))


class Board:
    """Knows the time, and has nothing wired."""

    name = "UNIX"

    def __init__(self, folder: Path) -> None:
        self.data_dir = str(folder)

    def time(self) -> int:
        return NOW

    def clock_is_set(self) -> bool:
        return True

    def keep(self, raw: bytes) -> bool:
        return False

    def kept(self) -> bytes:
        return b""

    def entropy(self, count: int) -> bytes:
        return bytes(count)

    def unique_id(self) -> bytes:
        return b"board"

    def flash(self) -> tuple[int, int]:
        return 1, 1

    def reset_reason(self) -> str:
        return ""

    def link(self) -> dict:
        return {}


class Home:
    """A hub with sixteen days of history, in which somebody has moved in ten days ago."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sent: list[bytes] = []
        self.pin = ""
        self._live_through()
        self.before = {path: path.read_bytes() for path in (folder / "profile").iterdir()}
        record = Record(f"{folder}/tenancy")
        Tenancy(record, int).take(MOVED_IN)
        Tenancy(record, int).due(NOW)
        self.hub = self._start()

    def _live_through(self) -> None:
        for name in ("profile", "journal"):
            files.ensure_dir(f"{self.folder}/{name}")
        profile = Profile(f"{self.folder}/profile", COLUMNS, STEP)
        for n in range((NOW - FIRST) // STEP + 1):
            profile.append(Entry(FIRST + n * STEP, MEASURED, (4000000 + n * 211, 1000 + n)))
        recipients = [{"kid": kid, "name": name, "key": POINT} for kid, name in (("coop", "Green"), ("grid", "Grid"))]
        settings = {"schema": 1, "recipients": recipients, "display": {"driver": "none"}, "may": {"history": "grid"}}
        (self.folder / "settings.json").write_text(json.dumps(settings))
        consents = [consent("coop", MOVED_IN - 1), consent("grid", MOVED_IN + 1)]
        Record(f"{self.folder}/consents").save(json.dumps(consents).encode())
        clock = types.SimpleNamespace(now=lambda: MOVED_IN - DAY)
        journal = Journal(f"{self.folder}/journal", clock)
        journal.add("consent", "linked", "coop|anna|link")
        clock.now = lambda: MOVED_IN + DAY
        journal.add("consent", "done", "grid|anna|data")

    def _start(self):
        from meterhub.app import Hub

        hub = Hub(Board(self.folder))
        hub.start_drbg()
        hub.identity = run(identity.load(hub.strict_record("identity"), hub.drbg))
        hub.ihd.works = True
        hub.ihd.show_pin = lambda pin, *_: setattr(self, "pin", pin)
        hub.send = self.sent.append
        hub.export = Export(hub)
        hub.turn = self.turn
        return hub

    def turn(self, *items: object) -> list[dict]:
        """Feed items to the applet; return the messages it sent meanwhile, parsed."""
        self.sent.clear()
        for item in items:
            is_message = isinstance(item, dict) and "t" in item
            asyncio.run(self.hub.export.turn(json.dumps(item).encode() if is_message else item))
        return [json.loads(message) for message in self.sent]

    def own(self) -> None:
        """Give the hub an owner; command() gives it a command of his."""
        root = {"root": base64url.encode(OWNER.public), "seq": 1, "cert": ""}
        self.hub.strict_record("owner").save(json.dumps(root).encode())
        self.hub.start = lambda name, service: None
        self.ctr = 0

    def command(self, cmd: str, arg: dict) -> tuple[str, str]:
        """Return outcome and error of the answer."""
        self.ctr += 1
        claims = {"v": 1, "hub": self.hub.identity.hub, "ctr": self.ctr, "iat": NOW, "exp": NOW + 60}
        token = run(OWNER.sign("cmd+jws", claims | {"cmd": cmd, "arg": arg}))
        number = asyncio.run(self.hub.market.commands().take(token))
        answer = json.loads(self.hub.letters._letters().read(number)[2])
        return answer["outcome"], answer["error"]

    def asking(self, kid: str) -> Recipient:
        recipient = Recipient(self.hub, "private", SUPPLIER, kid)
        recipient.count = len(self.hub.attempts._state["seen"]) + 100
        return recipient

    def refusal(self, kid: str, start: int, what: str = "data") -> dict:
        """Return the signed end that a request from `start` until now comes to."""
        return claims_of(self.turn(self.asking(kid).request(what, **{"from": start, "to": NOW}))[-1])

    def export(self, kid: str, start: int, stop: int) -> list[Entry]:
        """Go through a whole export; return what has come."""
        recipient = self.asking(kid)
        offer = recipient.until_pin("data", **{"from": start, "to": stop})
        ack = self.turn(recipient.proof(offer, self.pin))[0]
        entries: list[Entry] = []
        recipient.fetch(ack["chunks"], entries.append)
        self.turn(recipient.done(ack["chunks"]))
        return entries


def consent(kid: str, made: int) -> dict:
    terms = {"kid": kid, "sub": "anna", "regs": ["1-0:1.8.0", "1-0:2.8.0"], "res": "half-hour"}
    return terms | {"until": NOW + 300 * DAY, "made": made, "used": made, "ended": 0}


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """All lines of the console."""
    lines: list[str] = []
    monkeypatch.setattr(console, "line", lines.append)
    monkeypatch.setattr(gc, "mem_free", lambda: 0, raising=False)
    monkeypatch.setitem(sys.modules, "umqtt", types.SimpleNamespace(simple=None))  # MQTT is on MicroPython only
    return lines


@pytest.fixture
def home(tmp_path: Path, said: list[str]) -> Iterator[Home]:
    yield Home(tmp_path)
    for name in ("app", "uplink", "service_desk", "selftest", "links.wan"):
        sys.modules.pop("meterhub." + name, None)


# -- what anybody is told ----------------------------------------------------------------------------------------


def test_pages_console_and_service_line_show_nothing_from_before(home: Home, said: list[str]) -> None:
    hub = home.hub
    count = (NOW - SINCE) // STEP + 1
    hub.household.tick()
    model = hub.model
    assert [one.recipient for one in model.consents] == ["Grid"]
    assert [(one.who, one.result) for one in model.log] == [("Grid", "sent")]
    assert model.last_month_wh is None
    assert model.yesterday_wh == 48 * 211
    status = [json.loads(line) for line in said if '"status"' in line][-1]
    assert (status["have"], status["intervals"]) == ([SINCE, NOW], count)

    from meterhub.service_desk import Desk

    told = asyncio.run(Desk(hub).info(None))
    assert (told["have"], told["intervals"]) == ([SINCE, NOW], count)
    assert not [line for line in [*said, json.dumps(told)] if "coop" in line or str(FIRST) in line]


def test_the_card_on_the_broker_tells_the_tenants_range(home: Home) -> None:
    from meterhub import uplink

    cards: list[bytes] = []
    home.hub.wan = types.SimpleNamespace(post=lambda kind, payload, retain: cards.append(payload))
    asyncio.run(uplink._send_card(home.hub))
    assert claims_of({"jws": cards[0].decode()})["have"] == [SINCE, NOW]


# -- what is exported --------------------------------------------------------------------------------------------


def test_a_website_that_was_linked_before_is_not_linked(home: Home) -> None:
    for what in ("data", "revoke"):
        end = home.refusal("coop", SINCE, what)
        assert (end["error"], "have" in end) == ("NOT_LINKED", False)


def test_nothing_from_before_is_exported_and_no_refusal_tells_that_there_is_any(home: Home) -> None:
    home.hub.settings._values["may.history"] = ""
    for start in (SINCE - STEP, FIRST):
        end = home.refusal("grid", start)
        assert (end["error"], end["have"]) == ("OUT_OF_RANGE", [SINCE, NOW])
    assert [entry.quality for entry in home.export("grid", SINCE, SINCE + 4 * STEP)] == [MEASURED] * 4


def test_who_may_reaches_back_and_the_household_agrees_to_it(home: Home) -> None:
    assert [entry.quality for entry in home.export("grid", SINCE - 4 * STEP, SINCE)] == [MEASURED] * 4


# -- and what is kept --------------------------------------------------------------------------------------------


def test_nothing_is_destroyed(home: Home) -> None:
    hub = home.hub
    found = list(hub.profile.read(SINCE - 2 * STEP, SINCE))
    assert [entry.quality for entry in found] == [MISSING, MISSING, MEASURED]
    assert hub.profile.value_at(SINCE - STEP) is None
    assert all(path.read_bytes() == raw for path, raw in home.before.items())
    everything = list(hub.profile.read(FIRST, NOW, None, 0))
    assert [entry.quality for entry in everything] == [MEASURED] * ((NOW - FIRST) // STEP + 1)
    kids = [one["kid"] for one in json.loads(Record(f"{home.folder}/consents").load() or b"")]
    assert kids == ["coop", "grid"]
    assert len(hub.journal.last("consent", 100)) == 2


def test_the_first_consents_to_make_room_are_those_from_before(home: Home) -> None:
    consents = home.hub.consents
    consents.all = [consent(f"k{n}", MOVED_IN - 1) for n in range(3)] + [consent(f"n{n}", NOW) for n in range(5)]
    agreements = Agreements(consents, home.hub.journal)
    agreements.grant("new", {"sub": "anna", "regs": [], "res": "day", "until": NOW + 5}, 0, "")  # the clock not set
    assert [one["kid"] for one in consents.all] == ["k1", "k2", "n0", "n1", "n2", "n3", "n4", "new"]
    assert consents.find("new", "anna")["made"] == MOVED_IN


def test_a_date_that_comes_restarts_the_hub_once(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    restarts: list[int] = []
    monkeypatch.setattr(home.hub, "restart_soon", lambda: restarts.append(1))
    home.own()
    assert home.command("set.change_of_tenancy", {"from": NOW - 1}) == ("done", "")
    for _ in range(2):
        home.hub.household.tick()
    assert (restarts, home.hub.tenancy.since) == ([1], NOW - 1)
    assert home.command("set.change_of_tenancy", {"from": NOW - 2}) == ("refused", "REPLAY")


def test_the_owners_command_hides_what_was_before(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home.hub, "restart_soon", lambda: None)
    later = SINCE + 4 * DAY
    home.own()
    assert home.command("set.change_of_tenancy", {"from": later}) == ("done", "")
    assert home.hub.intervals.have() == [SINCE, NOW]
    home.hub.household.tick()
    home.hub = home._start()
    assert (home.hub.intervals.have(), home.hub.tenancy.since) == ([later, NOW], later)
    assert home.hub.profile.value_at(later - STEP) is None
    assert home.refusal("grid", SINCE)["error"] == "NOT_LINKED"  # that was a consent of the tenant before


def test_a_restart_waits_for_the_answer_to_the_cable_and_not_for_ever(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    answered = [0]

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == answered[0]:
            home.hub.cable._request = None

    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr(asyncio, "sleep_ms", lambda ms: sleep(ms / 1000), raising=False)
    monkeypatch.setattr(home.hub.board, "restart", lambda: slept.append(0), raising=False)
    for answered[0], waits in ((3, [1, 1, 1, 0.3, 0]), (99, [1] * 30 + [0.3, 0])):
        slept.clear()
        home.hub.cable._request = {"id": 1, "do": "command"}
        asyncio.run(home.hub._restart())
        assert slept == waits
    slept.clear()
    home.hub.cable._request = None
    asyncio.run(home.hub._restart())
    assert slept == [0.3, 0]


def test_a_damaged_date_hides_all_there_is(tmp_path: Path, said: list[str]) -> None:
    home = Home(tmp_path)
    for path in tmp_path.glob("tenancy.?"):
        path.write_bytes(b"MHR1 no more")
    hub = home._start()
    assert (hub.intervals.have(), hub.profile.count) == (None, 0)
    assert [json.loads(line)["name"] for line in said if "tenancy" in line] == ["STORE_DAMAGED"]
