"""Tariffs against a slow and simple computation with Python's own datetime, zoneinfo and Fraction."""

import bisect
import datetime
import random
import zoneinfo
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

import pytest

from meterhub.codec import billing_calendar, tariff
from meterhub.codec.rates import Rates
from meterhub.codec.tariff_use import Use, bill
from meterhub.codec.timezone import Zone

ZONES = {
    "Europe/London": "GMT0BST,M3.5.0/1,M10.5.0",
    "Europe/Berlin": "CET-1CEST,M3.5.0,M10.5.0/3",
    "America/New_York": "EST5EDT,M3.2.0,M11.1.0",
    "Australia/Sydney": "AEST-10AEDT,M10.1.0,M4.1.0/3",
    "Asia/Kolkata": "IST-5:30",
    "America/Sao_Paulo": "<-03>3",
}
PERIODS = billing_calendar.PERIODS
MONTHS = dict(zip(PERIODS[2:], (1, 3, 6, 12), strict=True))


def local(document, at):
    return datetime.datetime.fromtimestamp(at, zoneinfo.ZoneInfo(document["place"]))


def day_of(document, date):
    """Return the number of the day that counts on a date."""
    fixed = {tuple(one[:-1]): one[-1] for one in document["special"]}
    for key in ((date.year, date.month, date.day), (date.month, date.day)):
        if key in fixed:
            return fixed[key]
    begun = [season for season in document["seasons"] if tuple(season[:2]) <= (date.month, date.day)]
    week = (begun or document["seasons"])[-1][2]
    return document["weeks"][week][date.weekday()]


def band_of(document, at):
    wall = local(document, at - at % document["interval_s"])
    day = document["days"][day_of(document, wall.date())]
    return day[1::2][bisect.bisect(day[::2], wall.hour * 60 + wall.minute) - 1]


def begins(document, date):
    """Return when a local day begins."""
    return int(
        datetime.datetime(date.year, date.month, date.day, tzinfo=zoneinfo.ZoneInfo(document["place"])).timestamp()
    )


def period_start(document, kind, at):
    """Return when the period of a billing calendar began: step back a day at a time until one begins."""
    date = local(document, at).date()
    while not is_first(kind, date):
        date -= datetime.timedelta(1)
    return begins(document, date)


def is_first(kind, date):
    if kind[0] == "daily":
        return True
    if kind[0] == "weekly":
        return date.isoweekday() == kind[1]
    return date.day == kind[1] and (len(kind) < 3 or (date.month - kind[2]) % MONTHS[kind[0]] == 0)


def price_of(band, nth):
    """Return the price of the nth Wh, from 0."""
    if "price" in band:
        return band["price"]
    return band["prices"][bisect.bisect(band["limits"], nth)]


def expected(document, series):
    """Return (net of each band in currency, standing) of (start, Wh), Wh by Wh."""
    net, used, began = [Fraction(0)] * len(document["bands"]), {}, None
    for start, wh in series:
        number = band_of(document, start)
        if document["kind"] == "block":
            if period_start(document, document["blocks"], start) != began:
                used, began = {}, period_start(document, document["blocks"], start)
        else:
            used = {}
        band = document["bands"][number]
        before = used.get(number, 0)
        used[number] = before + wh
        total = wh * band["price"] if "price" in band else sum(price_of(band, before + i) for i in range(wh))
        net[number] += Fraction(total, 1000) * Fraction(10) ** document["scale"]
    days = {local(document, start + s).date() for start, _ in series for s in (0, document["interval_s"] - 1)}
    first = local(document, series[0][0])
    count = len(days) - (int(first.timestamp()) != begins(document, first.date()))
    return net, count * document["standing"]["price"] * Fraction(10) ** document["standing"]["scale"]


def rounded(amount, document):
    """Return an amount with tax in units of the last decimal, by the decimal module's rounding."""
    gross = amount * Fraction(10000 + document["tax_bp"], 10000)
    with localcontext() as context:
        context.prec = 60
        exact = Decimal(gross.numerator) / Decimal(gross.denominator)
        return int((exact.scaleb(document["round"])).quantize(Decimal(1), ROUND_HALF_UP))


def calendar_like(chance):
    period = chance.choice(PERIODS)
    if period == "daily":
        return [period]
    if period == "weekly":
        return [period, chance.randint(1, 7)]
    return [period, chance.randint(1, 28)] + ([chance.randint(1, 12)] if period not in ("monthly",) else [])


def document_like(chance):
    """Return a random tariff; `place` is its zone by name."""
    place = chance.choice(list(ZONES))
    step_min = chance.choice((15, 30) if place == "Asia/Kolkata" else (15, 30, 60))
    kind = chance.choice(("linear", "block", "steps"))
    count = chance.randint(1, 48 if kind == "linear" else 8)
    days = []
    for _ in range(chance.randint(1, 16)):
        minutes = [
            0,
            *sorted(chance.sample(range(step_min, 1440, step_min), chance.randint(0, min(47, 1440 // step_min - 1)))),
        ]
        days.append([number for minute in minutes for number in (minute, chance.randrange(count))])
    weeks = [[chance.randrange(len(days)) for _ in range(7)] for _ in range(chance.randint(1, 4))]
    leap = [datetime.date(2024, 1, 1) + datetime.timedelta(n) for n in range(366)]
    dates = sorted(chance.sample(leap, chance.randint(1, 4)))
    special = {(date.month, date.day) for date in chance.sample(leap, chance.randint(0, 25))}
    special |= {(2024, date.month, date.day) for date in chance.sample(leap, chance.randint(0, 25))}
    bands = [band_like(chance, kind, n) for n in range(count)]
    found = {
        "v": 1, "id": "x", "currency": "EUR", "zone": ZONES[place], "kind": kind, "interval_s": step_min * 60,
        "scale": chance.randint(-8, 0), "round": chance.randint(0, 5), "tax_bp": chance.randint(0, 2500),
        "standing": {"price": chance.randint(0, 99999), "scale": chance.randint(-8, 0)}, "bands": bands,
        "seasons": [[date.month, date.day, chance.randrange(len(weeks))] for date in dates], "weeks": weeks,
        "days": days, "special": [[*date, chance.randrange(len(days))] for date in special],
        "billing": calendar_like(chance),
    }  # fmt: skip
    if kind == "block":
        found["blocks"] = calendar_like(chance)
    return found, found | {"place": place}


def band_like(chance, kind, number):
    prices = [chance.randint(-9999, 99999) for _ in range(chance.randint(1, 4))]
    if kind == "linear" or len(prices) == 1:
        return {"name": f"b{number}", "price": prices[0]}
    limits = sorted(chance.sample(range(1, 9000 if kind == "block" else 900), len(prices) - 1))
    return {"name": f"b{number}", "prices": prices, "limits": limits}


def moments(chance):
    """Return times of 2024 and 2026, the days of the clock changes and around the leap day among them."""
    edges = [(2024, 2, 28), (2024, 3, 31), (2024, 10, 27), (2024, 3, 10), (2024, 11, 3), (2024, 4, 7), (2024, 10, 6)]
    edges += [(2024, 12, 31), (2026, 3, 29), (2026, 10, 25)]
    found = []
    for edge in edges:
        start = int(datetime.datetime(*edge, tzinfo=datetime.UTC).timestamp()) - 43200
        found += range(start, start + 2 * 86400, 900)
    return found + [chance.randrange(1704067200, 1798761600) for _ in range(300)]


@pytest.mark.parametrize("seed", range(12))
def test_bands_are_those_of_the_wall_clock(seed):
    chance = random.Random(seed)
    document, told = document_like(chance)
    rates = Rates(tariff.packed(document))
    for at in moments(chance):
        assert rates.band_at(at) == band_of(told, at), (told["place"], local(told, at))


@pytest.mark.parametrize("seed", range(12, 18))
def test_the_next_change_is_the_first_other_band(seed):
    chance = random.Random(seed)
    document, told = document_like(chance)
    rates = Rates(tariff.packed(document))
    step_s = document["interval_s"]
    for at in chance.sample(moments(chance), 40):
        found = rates.next_change(at)
        band = rates.band_at(at)
        ahead = range(at - at % step_s + step_s, at - at % step_s + 8 * 86400 + 1, step_s)
        assert found == next((one for one in ahead if band_of(told, one) != band), None)


@pytest.mark.parametrize("seed", range(100, 112))
def test_a_bill_is_exact_and_rounded_once(seed):
    chance = random.Random(seed)
    document, told = document_like(chance)
    step_s = document["interval_s"]
    start = chance.choice(moments(chance)) // step_s * step_s
    ends = range(start + step_s, start + step_s * chance.randint(2, 200) + 1, step_s)
    series = [(end - step_s, chance.choice((0, 1, 7, chance.randint(0, 1500)))) for end in ends]
    rates = Rates(tariff.packed(document))
    found = bill(rates, [(at, at + step_s, wh, None) for at, wh in series], step_s)
    net, standing = expected(told, series)
    assert [Fraction(one, 10**rates.digits) for one in found.net] == net
    assert (found.start, found.stop, found.gaps, found.unpriced_wh) == (start, ends[-1], 0, 0)
    assert sum(found.wh) == sum(wh for _, wh in series)
    assert found.energy == rounded(sum(net), told)
    assert found.standing == rounded(standing, told)
    assert found.total == rounded(sum(net) + standing, told)


@pytest.mark.parametrize("place", ZONES)
def test_periods_begin_and_end_where_a_calendar_on_the_wall_says(place):
    chance = random.Random(place)
    told, zone = {"place": place}, Zone(ZONES[place])
    for at in chance.sample(moments(chance), 25):
        kind = calendar_like(chance)
        packed = tariff.calendar_of(kind)
        start = billing_calendar.period_start(zone, packed, at)
        following = billing_calendar.next_period_start(zone, packed, at)
        assert start == period_start(told, kind, at) <= at < following, (kind, at)
        assert period_start(told, kind, following) == following
        assert billing_calendar.period_start(zone, packed, following - 1) == start


@pytest.mark.parametrize("seed", range(6))
def test_energy_over_a_gap_is_booked_only_where_nothing_else_can_be(seed):
    chance = random.Random(seed)
    for _ in range(6):
        document, told = document_like(chance)
        step_s = document["interval_s"]
        use = Use(Rates(tariff.packed(document)), step_s)
        start = chance.choice(moments(chance)) // step_s * step_s
        cells = range(start, start + step_s * chance.choice((2, 3, 5, 40)), step_s)
        found = use.book_gap(start, cells[-1] + step_s, 1000)
        alike = {(band_of(told, at), period_start(told, document.get("blocks", ["yearly", 1, 1]), at)) for at in cells}
        if document["kind"] == "linear":
            alike = {band for band, _ in alike}
        if document["kind"] == "steps" or len(alike) > 1:
            assert (found, use.unassigned_wh, sum(use.wh)) == (None, 1000, 0)
        else:
            assert found is not None and (use.unassigned_wh, use.wh[band_of(told, start)]) == (0, 1000)
