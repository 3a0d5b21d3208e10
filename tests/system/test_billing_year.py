"""A year of a household, from its meter through the whole hub to bills that anyone can check.

The hub is the firmware on the unix port: it reads the telegrams of a simulated meter, private billing is agreed to at
its display, its batches come over the broker, readings and keys out of its export. All else is typed as customer,
supplier and verifier would. What each bill must come to is worked out here from what the simulated household has used,
with the standard library's calendar and fractions and nothing of the firmware or of what makes bills.
"""

import asyncio
import io
import json
import random
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from billed import Past, Site
from world import REGS, Asker, Home, Mosquitto, agreeing, new_recipient

from meterhub_tools import cli, proof
from meterhub_tools.billing.files import pack_batches
from meterhub_tools.recipient import bill_wish, data_wish, link_wish
from meterhub_tools.simulators.household import Household, Registers
from meterhub_tools.simulators.p1_meter import P1Meter

from meterhub.codec import base64url  # isort: skip

HERE, RULE = ZoneInfo("Europe/Amsterdam"), "CET-1CEST,M3.5.0,M10.5.0/3"
HOUR_S, DAY_S = 3600, 86400
HEAP = "32m"  # a PC's: a hub with little memory tidies it up so often that a year takes several times as long
CHANGES = ((3, 29), (10, 25))
HEAD = {
    "v": 1,
    "id": "sim-1",
    "currency": "EUR",
    "zone": RULE,
    "interval_s": 3600,
    "scale": -5,
    "round": 2,
    "tax_bp": 500,
    "standing": {"price": 5010, "scale": -4},
}
NIGHT_AND_DAY = {"days": [[0, 0, 420, 1]]}
TIME_OF_USE = HEAD | {
    "kind": "linear",
    "bands": [{"name": "night", "price": 9000}, {"name": "day", "price": 21000}, {"name": "peak", "price": 38000}],
    "seasons": [[4, 1, 1], [10, 15, 0]],
    "weeks": [[0, 0, 0, 0, 0, 1, 1], [1, 1, 1, 1, 1, 1, 1]],
    "days": [[0, 0, 420, 1, 960, 2, 1200, 1], [0, 0, 420, 1]],
    "special": [[12, 25, 1]],
}
BLOCKS = (
    HEAD
    | NIGHT_AND_DAY
    | {
        "kind": "block",
        "bands": [
            {"name": "night", "prices": [9000, 12000], "limits": [60000]},
            {"name": "day", "prices": [20000, 30000, 25000], "limits": [100000, 220000]},
        ],
        "blocks": ["monthly", 1],
    }
)
RISING = HEAD | {"kind": "steps", "bands": [{"name": "all", "prices": [20000, 45000], "limits": [800]}]}
FALLING = HEAD | {"kind": "steps", "bands": [{"name": "all", "prices": [40000, 30000, 15000], "limits": [300, 1000]}]}


# -- what a bill must come to --------------------------------------------------------------------------------------


def tou_price(at):
    """Return the price of a half-hour of TIME_OF_USE."""
    if at.hour < 7:
        return 9000
    winter = (at.month, at.day) < (4, 1) or (at.month, at.day) >= (10, 15)
    workday = at.weekday() < 5 and (at.month, at.day) != (12, 25)
    return 38000 if winter and workday and 16 <= at.hour < 20 else 21000


def stepped(wh, prices, limits):
    """Return the price of some energy, piece by piece."""
    edges = [0, *limits, max(wh, *limits)]
    return sum(price * max(0, min(wh, b) - a) for price, a, b in zip(prices, edges, edges[1:], strict=False))


def by_blocks(used):
    night = sum(wh for at, wh in used if at.hour < 7)
    day = sum(wh for at, wh in used if at.hour >= 7)
    return stepped(night, [9000, 12000], [60000]) + stepped(day, [20000, 30000, 25000], [100000, 220000])


FEES = {
    "time of use": (TIME_OF_USE, [], lambda used: sum(wh * tou_price(at) for at, wh in used)),
    "blocks opened": (BLOCKS, [], by_blocks),
    "blocks hidden": (BLOCKS, ["--hidden"], by_blocks),
    "rising steps": (RISING, ["--bits", "12"], lambda used: sum(stepped(wh, [20000, 45000], [800]) for _, wh in used)),
    "falling steps": (
        FALLING,
        [],
        lambda used: sum(stepped(wh, [40000, 30000, 15000], [300, 1000]) for _, wh in used),
    ),
}


def cents(euros):
    exact = Decimal(euros.numerator) / Decimal(euros.denominator)
    return int((100 * exact).quantize(Decimal(1), ROUND_HALF_UP))


def due(used, fee, days):
    """Return (energy, standing charge, total) in cents, with tax."""
    energy = Fraction(fee(used), 10**5 * 1000) * Fraction(105, 100)
    standing = days * Fraction(501, 1000) * Fraction(105, 100)
    return tuple(cents(one) for one in (energy, standing, energy + standing))


# -- the house -----------------------------------------------------------------------------------------------------


def midnight(day):
    return int(datetime(day.year, day.month, day.day, tzinfo=HERE).timestamp())


async def nothing(past):
    """Nothing happens to the meter."""


class Billed:
    """A home with private billing from one day to before another, and the files that come of it.

    events(past): awaited with the home's Past at the first day's beginning. shown: what the meter showed at the end of
    each interval, from the first day's beginning on.
    """

    def __init__(self, folder, first, last, registers=tuple(REGS[:1]), events=nothing):
        self.folder, self.first, self.last = folder, first, last
        self.batches, self.readings, self.export = (folder / name for name in ("home.mhb", "home.csv", "export.json"))
        self.keys, self.hub_key = folder / "home.mhk", folder / "hub.key"
        self._registers, self._events = list(registers), events
        life = Household(midnight(first) - DAY_S // 2)
        asyncio.run(self._live(life))
        self.starts = range(midnight(first), midnight(last), HOUR_S)
        self.shown = [life.registers(at) for at in (*self.starts, midnight(last))]

    @property
    def used(self):
        """[(local time, Wh of the interval), ...]"""
        wh = [shown.import_wh for shown in self.shown]
        at = [datetime.fromtimestamp(start, HERE) for start in self.starts]
        return [(start, b - a) for start, a, b in zip(at, wh, wh[1:], strict=False)]

    def files(self):
        return ["--batches", self.batches, "--keys", self.keys, "--readings", self.readings]

    async def _live(self, life):
        broker, recipient = Mosquitto(self.folder).start(), new_recipient()
        home = Home(self.folder, f"mqtt://127.0.0.1:{broker.port}", [recipient], heapsize=HEAP)
        home.settings |= {"zone": RULE, "profile": {"interval_s": HOUR_S, "registers": self._registers}}
        asker = Asker(recipient, broker.port)
        try:
            async with home:
                await self._through(home, asker, Past(home, P1Meter(life), HOUR_S))
        finally:
            asker.close()
            broker.kill()

    async def _through(self, home, asker, past):
        await past.live_until(past.start + 2 * HOUR_S)
        card = await asker.card(home.hub.id, want=lambda card: card.have)
        until = midnight(self.last) + DAY_S
        for wish in (link_wish(self._registers, "half-hour", until), bill_wish(self._registers, until)):
            run = await asker.exchange(card, wish, agreeing(home), now=past.now)
            assert run.outcome == "linked", run.error
        site, days = Site(asker, home.hub.id), (self.last - self.first).days
        batches = asyncio.create_task(site.until(lambda: len(site.stored) == days, 900))
        await past.live_until(midnight(self.first))
        await self._events(past)
        await past.live_until(midnight(self.last) + HOUR_S)
        await batches
        span = (midnight(self.first) - HOUR_S, midnight(self.last))
        wish = data_wish("server", self._registers, "half-hour", *span, keys=True)
        run = await asker.exchange(card, wish, agreeing(home), now=past.now)
        assert run.outcome == "done", run.error
        assert home.hub.status["errors"] == {}
        assert [home.hub.journalled(name) for name in ("BILL_CHAIN", "EXECUTE_FAILED")] == [[], []]
        self._save(site.stored, run.result)

    def _save(self, batches, result):
        self.batches.write_bytes(pack_batches(batches))
        self.keys.write_bytes(result.keys)
        self.export.write_text(json.dumps(proof.make_proof(result)))
        self.hub_key.write_text(base64url.encode(result.hub_key))


@pytest.fixture
def typed(monkeypatch, capsys):
    """Type `meterhub ...` and yes; return what it prints."""

    def meterhub(*words):
        monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
        status = cli.main([str(word) for word in words])
        said = capsys.readouterr()
        assert status == 0, said.err
        return said.out

    return meterhub


@pytest.fixture(scope="module")
def year(tmp_path_factory):
    """2026, whole, in hours: the clock goes forward in March and back in October."""
    return Billed(tmp_path_factory.mktemp("year"), date(2026, 1, 1), date(2027, 1, 1))


@pytest.fixture(scope="module")
def supplier(tmp_path_factory):
    return tmp_path_factory.mktemp("supplier")


def signed(typed, supplier, document):
    """Return the signed tariff's file, and that of the supplier's public key."""
    key = supplier / "roles/acme.json"
    if not key.exists():
        typed("role", "new", "acme", "--role", "SUP", "--keys", supplier)
    plain, made = supplier / "tariff.json", supplier / f"{random.random()}.mht"
    plain.write_text(json.dumps(document))
    typed("tariff", "sign", plain, "--at", "2025-12-20", "--keys", supplier, "-o", made)
    return made, key


def settle(typed, supplier, home, document, *options):
    """Return the bill that a verifier has found right, and what it has learnt."""
    tariff, key = signed(typed, supplier, document)
    nonce, out = typed("bill", "nonce").strip(), supplier / f"{random.random()}.bill"
    if not home.readings.exists():
        home.readings.write_text(typed("proof", home.export, "--csv"))
    ledger = ["--ledger", f"{out}.ledger"]
    typed("bill", "prove", *home.files(), "--tariff", tariff, "--nonce", nonce, "-o", out, *ledger, *options)
    public = ["--batches", home.batches, "--tariff", tariff, "--hub-key", home.hub_key, "--supplier-key", key]
    return json.loads(typed("bill", "verify", out, *public, "--nonce", nonce, "--json"))


def test_a_year_of_time_of_use(year, typed, supplier):
    said = settle(typed, supplier, year, TIME_OF_USE)
    assert len(year.used) == 8760
    assert (said["energy"], said["standing"], said["total"]) == due(year.used, FEES["time of use"][2], 365)
    assert (said["start"], said["stop"]) == (midnight(year.first), midnight(year.last))
    assert (said["days"], said["gaps"], said["unpriced_wh"]) == (365, 0, 0)


def test_a_month_out_of_a_year(year, typed, supplier):
    """October, when the clock goes back, by the batches of that month alone."""
    said = settle(typed, supplier, year, TIME_OF_USE, "--from", "2026-10-01", "--to", "2026-11-01")
    used = [(at, wh) for at, wh in year.used if at.month == 10]
    assert len(used) == 31 * 24 + 1
    assert (said["energy"], said["standing"], said["total"]) == due(used, FEES["time of use"][2], 31)


@pytest.mark.parametrize("name", FEES)
def test_a_month_by_each_kind_of_tariff(year, typed, supplier, name):
    """March, when the clock goes forward."""
    document, options, fee = FEES[name]
    said = settle(typed, supplier, year, document, "--from", "2026-03-01", "--to", "2026-04-01", *options)
    used = [(at, wh) for at, wh in year.used if at.month == 3]
    assert len(used) == 31 * 24 - 1
    assert (said["energy"], said["standing"], said["total"]) == due(used, fee, 31)
    night = sum(wh for at, wh in used if at.hour < 7)
    total = sum(wh for _, wh in used)
    assert said["totals_wh"] == ([night, total - night] if name == "blocks opened" else [])


def test_feed_in_an_exchanged_meter_and_gaps(tmp_path, typed, supplier):
    """Ten days of hours: what the hub has as missing, partial or exchanged, the bill says."""
    first, last = date(2026, 4, 10), date(2026, 4, 20)
    lost, partial, turn = (midnight(first) + hours * 3600 for hours in (30, 52, 100))
    new = Household(turn + 600, opening=Registers(20, 30, 3, 4, 0))

    async def events(past):
        past.silent = (lost + 3600, partial + 3600)
        await past.live_until(partial)
        await past.tell(partial + 3000)
        await past.live_until(turn)
        past.meter = P1Meter(new, equipment="E0045007152099999")
        for second in range(3):  # the hub wants to be sure
            await past.tell(turn + 1800 + second)

    home = Billed(tmp_path, first, last, REGS, events)
    owed = paid = without = unpaid = since = fed_since = 0
    for i, at in enumerate(home.starts):
        local, a, b = datetime.fromtimestamp(at, HERE), home.shown[i], home.shown[i + 1]
        if at == turn:  # what both meters counted in this hour is lost
            since = fed_since = 0
            continue
        if at > turn:
            a, b = new.registers(at), new.registers(at + 3600)
        since, fed_since = since + b.import_wh - a.import_wh, fed_since + b.export_wh - a.export_wh
        if at in (lost, partial):
            continue
        was_gap = at - 3600 in (lost, partial)
        if was_gap and (local.hour - 1 < 7) != (local.hour < 7):
            without += since
        else:
            owed += since * (9000 if local.hour < 7 else 21000)
        if was_gap:
            unpaid += fed_since
        else:
            paid += fed_since * (4000 if local.hour < 7 else 6000)
        since = fed_since = 0
    assert without > 0 and paid > 0
    bands = [{"name": "night", "price": 9000}, {"name": "day", "price": 21000}]
    document = HEAD | NIGHT_AND_DAY | {"kind": "linear", "bands": bands, "export": [4000, 6000]}
    said = settle(typed, supplier, home, document)
    assert (said["energy"], said["standing"], said["total"]) == due([], lambda _: owed, 10)
    assert said["income"] == cents(Fraction(paid, 10**8))
    assert (said["unpriced_wh"], said["unpaid_wh"], said["gaps"]) == (without, unpaid, 3)


def test_the_days_are_whole_ones_on_the_wall(year):
    """What this file counts with is right: the clock changes where it should."""
    assert [sum(at.date() == date(2026, month, day) for at, _ in year.used) for month, day in CHANGES] == [23, 25]
    assert year.used[-1][0].astimezone(UTC) == datetime(2026, 12, 31, 22, tzinfo=UTC)
