"""A tariff: what a supplier writes and signs, what the hub shows and books by, and what a bill is proved by.

Source   the tariff model of GB SMETS2 and its use cases in GBCS: 48 time-of-use registers, or 4 blocks for each of 8;
         4 seasons, 4 weeks, 16 days of 48 switch times, 50 special days; a billing calendar
Units    prices: integers x 10^scale of the currency's unit for a kWh, without tax; energies Wh; times as said below
Memory   the document while it is packed; rates.py works on the packed form alone
Errors   HubError, field "tariff.bands[3].price": MALFORMED for what is missing, unknown or of another type,
         INVALID_VALUE for what is outside the limits; MALFORMED "packed" for bytes that packed() would not have made
Runs on  both

Document, JSON; a field with a default may be left out, one that is not here is refused:
  v          1
  id         1 .. 32 printable ASCII characters without a space: the supplier's name of this version of the tariff
  currency   three capital letters (ISO 4217)
  zone       POSIX TZ rule (timezone.py): all days and times of day are local ones of this place
  from       Unix s, a multiple of interval_s: when it begins; 0 (default): when it is put in force
  kind       "linear": a kWh costs the price of its band
             "block":  the price of a band rises or falls with what was used in this band in the period of `blocks`
             "steps":  the price of a band rises or falls with what was used in the interval
  interval_s 900, 1800 or 3600: the intervals, whole ones of UTC, that energy is measured in. All of an interval counts
             for the band that it begins in. The zone's offsets and changes must be multiples of it, too
  scale      -8 .. 0: of all prices for energy, import and export
  round      0 .. 5: decimals that an amount is rounded to, once, half away from zero, after all has been added up
             exactly and the tax was added. Nothing before that is ever rounded
  tax_bp     0 .. 10000: tax on energy and standing charge, in 1/100 of a percent; default 0
  standing   {price 0 .. 2000000000, scale -8 .. 0}: for each local day that begins under the tariff; default 0
  bands      1 .. 48, of "block" and "steps" 1 .. 8: {name, price}; of these two also {name, prices, limits}
             name: 1 .. 8 printable ASCII characters; a price: -2000000000 .. 2000000000
             prices 2 .. 4; limits, one less: Wh, rising, 1 .. 2000000000: the first price counts up to the first
             limit, the next from there to the next, the last for all beyond; what goes over a limit is split exactly
  export     prices for what is fed in: none (default), one, or one for each band
  seasons    1 .. 4 of [month, day, week]: from this date on the week counts, each year, until the next season's date;
             dates rise; before the first one the last one counts. Default [[1, 1, 0]]
  weeks      1 .. 4 of seven days' numbers, Monday first; default [[0, 0, 0, 0, 0, 0, 0]]
  days       1 .. 16 of [minute, band, minute, band, ...], up to 48 pairs: from this minute of the local day on this
             band; the first minute is 0, they rise, multiples of interval_s. Default [[0, 0]]. On the wall clock: an
             hour that is left out in spring is never there, one that comes twice in autumn is alike both times
  special    0 .. 50 of [month, day, number of a day] each year or [year, month, day, number]: a date on which another
             day counts than its week says; one with a year counts before one without. Default none
  billing    [period, day, month]: billing calendar. period "daily" [period], "weekly" day 1 (Monday) .. 7, "monthly"
             day 1 .. 28, "quarterly" "six-monthly" "yearly" day and month 1 .. 12. Default ["monthly", 1]
  blocks     of "block" alone: the same, where what was used begins anew; default: as billing

Packed, little endian; its SHA-256 (digest()) is the tariff's identity, whoever wrote the JSON how:
  0   u8 1, u8 kind 0 linear 1 block 2 steps, u8 interval_s / 900, u8 -scale, u8 round, u16 tax_bp,
  7   u8 -scale and u32 price of the standing charge, 3 bytes currency,
  15  3 x u8 billing (index of billing_calendar.PERIODS, day, month), 3 x u8 blocks (zeros when not "block"), u32 from,
  25  u8 each: bands, export prices, seasons, weeks, days, special days
  31  seasons 3 x u8; weeks 7 x u8; special days u16 year or 0, u8 month, u8 day, u8 number
      u16 for each day and one more: where its switches begin, counted in switches
      switches u16: minute / 15 << 6 | band
      bands, linear: i32 price; else 4 x i32 prices and 3 x u32 limits, those there are not being the last price and
      0xFFFFFFFF; export prices i32
      texts, u8 length each: id, zone, the bands' names
"""

import gc
import hashlib
import struct

from micropython import const

from ..errors import ConfigError, HubError
from . import calendar
from .billing_calendar import PERIODS
from .rates import HEAD, HEAD_BYTES, NO_LIMIT
from .timezone import Zone

KINDS = ("linear", "block", "steps")
MOST_BYTES = 2816  # packed, with all that there can be: 2805
_LONG = const(1000)
_MOST = const(2000000000)
_LATEST = const(4102444800)  # 2100
_FIELDS = (
    "v id currency zone from kind interval_s scale round tax_bp standing bands export seasons weeks days special "
    "billing blocks"
)
_DEFAULTS = (
    ("from", 0),
    ("tax_bp", 0),
    ("standing", {"price": 0, "scale": 0}),
    ("export", []),
    ("seasons", [[1, 1, 0]]),
    ("weeks", [[0, 0, 0, 0, 0, 0, 0]]),
    ("days", [[0, 0]]),
    ("special", []),
    ("billing", ["monthly", 1]),
)


def digest(raw: bytes) -> bytes:
    """Return the 32 bytes by which a packed tariff is known."""
    return hashlib.sha256(raw).digest()


def filled(document: dict, where: str = "tariff") -> dict:
    """Return the document with the defaults in the place of what it leaves out."""
    _object(where, document, _FIELDS)
    full = dict(_DEFAULTS)
    full.update(document)
    if full.get("kind") == "block":
        full.setdefault("blocks", full["billing"])
    return full


def packed(document: dict, where: str = "tariff") -> bytes:
    """Check a document, and return its packed form. where: what the names of its fields begin with."""
    full = filled(document, where)
    for name in ("v", "id", "currency", "zone", "kind", "interval_s", "scale", "round", "bands"):
        if name not in full:
            raise HubError("MALFORMED", where + "." + name)
    where += "."
    fields, texts = _head(where, full)
    step_s, kind = 900 * fields[2], fields[1]
    bands, prices = _bands(where + "bands", full["bands"], kind)
    texts += bands
    export = _items(where + "export", full["export"], 0, 48)
    if len(export) not in (0, 1, len(bands)):
        raise HubError("INVALID_VALUE", where + "export")
    days = _items(where + "days", full["days"], 1, 16)
    weeks = _items(where + "weeks", full["weeks"], 1, 4)
    seasons = _items(where + "seasons", full["seasons"], 1, 4)
    special = _items(where + "special", full["special"], 0, 50)
    fields += [len(bands), len(export), len(seasons), len(weeks), len(days), len(special)]
    parts = [struct.pack(HEAD, *fields), _seasons(where + "seasons", seasons, len(weeks))]
    parts.append(_weeks(where + "weeks", weeks, len(days)))
    parts.append(_special(where + "special", special, len(days)))
    parts.append(_days(where + "days", days, step_s, len(bands)))
    parts += [prices, _prices(where + "export", export)]
    for text in texts:
        parts += [bytes((len(text),)), text]
    return b"".join(parts)


# -- checks: each returns the value, or what is packed of it -----------------------------------------------------


def _whole(where, value, low, high, i=-1):
    """Check a number, the i-th of a list unless that is negative; its name is made only when it is wrong."""
    if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
        return value
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    raise HubError("INVALID_VALUE" if is_whole else "MALFORMED", where if i < 0 else "%s[%d]" % (where, i))


def _items(where, value, low, high):
    if not isinstance(value, list):
        raise HubError("MALFORMED", where)
    if not low <= len(value) <= high:
        raise HubError("INVALID_VALUE", where)
    return value


def _object(where, value, names):
    if not isinstance(value, dict):
        raise HubError("MALFORMED", where)
    names = names.split()
    for name in value:
        if name not in names:
            raise HubError("MALFORMED", where + "." + str(name)[:32])
    return value


def _text(where, value, low, high):
    if not isinstance(value, str):
        raise HubError("MALFORMED", where)
    if not low <= len(value) <= high or not all([" " <= c <= "~" for c in value]) or value != value.strip():
        raise HubError("INVALID_VALUE", where)
    return value.encode()


def _choice(where, value, choices):
    if not isinstance(value, str):
        raise HubError("MALFORMED", where)
    if value not in choices:
        raise HubError("INVALID_VALUE", where)
    return choices.index(value)


def _zone(where, value, step_s):
    text = _text(where, value, 3, 64)
    try:
        zone = Zone(value)
    except ConfigError:
        raise HubError("INVALID_VALUE", where)
    if not zone.is_aligned(step_s):
        raise HubError("INVALID_VALUE", where)
    return text


def _head(where, full):
    """Return (the first fields of the packed head, [id, zone])."""
    _whole(where + "v", full["v"], 1, 1)
    kind = _choice(where + "kind", full["kind"], KINDS)
    step_s = _whole(where + "interval_s", full["interval_s"], 900, 3600)
    if step_s not in (900, 1800, 3600):
        raise HubError("INVALID_VALUE", where + "interval_s")
    fields = [1, kind, step_s // 900, -_whole(where + "scale", full["scale"], -8, 0)]
    fields += [_whole(where + "round", full["round"], 0, 5), _whole(where + "tax_bp", full["tax_bp"], 0, 10000)]
    fields += _standing(where + "standing", full["standing"])
    fields += [_currency(where + "currency", full["currency"])]
    fields += _billing(where + "billing", full["billing"])
    if "blocks" in full and kind != 1:
        raise HubError("MALFORMED", where + "blocks")
    fields += _billing(where + "blocks", full["blocks"]) if kind == 1 else [0, 0, 0]
    fields += [_whole(where + "from", full["from"], 0, _LATEST)]
    if fields[-1] % step_s:
        raise HubError("INVALID_VALUE", where + "from")
    name = _text(where + "id", full["id"], 1, 32)
    if b" " in name:
        raise HubError("INVALID_VALUE", where + "id")
    return fields, [name, _zone(where + "zone", full["zone"], step_s)]


def _currency(where, value):
    text = _text(where, value, 3, 3)
    if not (value.isalpha() and value.isupper()):
        raise HubError("INVALID_VALUE", where)
    return text


def _standing(where, value):
    _object(where, value, "price scale")
    price = _whole(where + ".price", value.get("price"), 0, _MOST)
    return [-_whole(where + ".scale", value.get("scale"), -8, 0), price]


def _billing(where, value):
    _items(where, value, 1, 3)
    period = _choice(where + "[0]", value[0], PERIODS)
    if len(value) != (1, 2, 2, 3, 3, 3)[period]:
        raise HubError("MALFORMED", where)
    day = month = 0
    if period:
        day = _whole(where, value[1], 1, 7 if period == 1 else 28, 1)
    if period > 2:
        month = _whole(where, value[2], 1, 12, 2)
    return [period, day, month]


def calendar_of(value: list, where: str = "billing") -> tuple:
    """Return the calendar (billing_calendar.py) of a field `billing`; HubError when it is none."""
    return tuple(_billing(where, value))


def _bands(where, value, kind):
    """Return (the names, the packed prices)."""
    _items(where, value, 1, 8 if kind else 48)
    names, raw = [], bytearray((28 if kind else 4) * len(value))
    for i, band in enumerate(value):
        at = "%s[%d]" % (where, i)
        _object(at, band, "name price prices limits" if kind else "name price")
        names.append(_text(at + ".name", band.get("name"), 1, 8))
        if kind:
            struct.pack_into("<4i3I", raw, 28 * i, *_steps(at, band))
        else:
            struct.pack_into("<i", raw, 4 * i, _whole(at + ".price", band.get("price"), -_MOST, _MOST))
    return names, raw


def _steps(where, band):
    """Return four prices and three limits of a band."""
    if "prices" not in band:
        prices, limits = [_whole(where + ".price", band.get("price"), -_MOST, _MOST)], []
        if "limits" in band:
            raise HubError("MALFORMED", where + ".limits")
    elif "price" in band:
        raise HubError("MALFORMED", where + ".price")
    else:
        prices = _items(where + ".prices", band["prices"], 2, 4)
        limits = _items(where + ".limits", band.get("limits"), 1, 3)
        _check_steps(where, prices, limits)
    return prices + [prices[-1]] * (4 - len(prices)) + limits + [NO_LIMIT] * (3 - len(limits))


def _prices(where, value):
    raw = bytearray(4 * len(value))
    for i, price in enumerate(value):
        struct.pack_into("<i", raw, 4 * i, _whole(where, price, -_MOST, _MOST, i))
    return raw


def _check_steps(where, prices, limits):
    for i, price in enumerate(prices):
        _whole(where + ".prices", price, -_MOST, _MOST, i)
    if len(limits) != len(prices) - 1:
        raise HubError("INVALID_VALUE", where + ".limits")
    low = 0
    for i, limit in enumerate(limits):
        low = _whole(where + ".limits", limit, low + 1, _MOST, i)


def _check_date(where, value, at, year):
    """Check the month and the day that stand at `at` in a list."""
    month = _whole(where, value[at], 1, 12, at)
    _whole(where, value[at + 1], 1, calendar.month_days(year, month), at + 1)


def _seasons(where, value, weeks):
    raw = bytearray()
    before = (0, 0)
    for i, season in enumerate(value):
        at = "%s[%d]" % (where, i)
        _items(at, season, 3, 3)
        _check_date(at, season, 0, 2024)  # a leap year: a season may begin on 29 February
        date = tuple(season[:2])
        if date <= before:
            raise HubError("INVALID_VALUE", at)
        before = date
        raw += bytes(date) + bytes((_whole(at, season[2], 0, weeks - 1, 2),))
    return raw


def _weeks(where, value, days):
    raw = bytearray()
    for i, week in enumerate(value):
        at = "%s[%d]" % (where, i)
        _items(at, week, 7, 7)
        raw += bytes([_whole(at, week[j], 0, days - 1, j) for j in (0, 1, 2, 3, 4, 5, 6)])
    return raw


def _special(where, value, days):
    raw = bytearray(5 * len(value))
    seen = set()
    for i, one in enumerate(value):
        at = "%s[%d]" % (where, i)
        _items(at, one, 3, 4)
        last = len(one) - 1
        year = _whole(at, one[0], 2020, 2099, 0) if last == 3 else 0
        _check_date(at, one, last - 2, year or 2024)
        date = (year * 12 + one[last - 2]) * 32 + one[last - 1]
        if date in seen:
            raise HubError("INVALID_VALUE", at)
        seen.add(date)
        number = _whole(at, one[last], 0, days - 1, last)
        struct.pack_into("<HBBB", raw, 5 * i, year, one[last - 2], one[last - 1], number)
    return raw


def _days(where, value, step_s, bands):
    """Return the packed places and switches of the days."""
    count = sum([len(day) // 2 for day in value if isinstance(day, list)])
    raw = bytearray(2 * len(value) + 2 + 2 * count)
    place = 0
    for i, day in enumerate(value):
        at = "%s[%d]" % (where, i)
        _items(at, day, 2, 96)
        if len(day) % 2:
            raise HubError("MALFORMED", at)
        low = 0
        for j in range(0, len(day), 2):
            minute = _whole(at, day[j], low, 1439 if j else 0, j)
            if minute * 60 % step_s:
                raise HubError("INVALID_VALUE", "%s[%d]" % (at, j))
            low = minute + 1
            switch = minute // 15 << 6 | _whole(at, day[j + 1], 0, bands - 1, j + 1)
            struct.pack_into("<H", raw, 2 * (len(value) + 1 + place), switch)
            place += 1
        struct.pack_into("<H", raw, 2 * i + 2, place)
    return raw


# -- and back ----------------------------------------------------------------------------------------------------


def document(raw: bytes) -> dict:
    """Return the document, all defaults filled in, of a packed tariff."""
    try:
        found = _unpacked(raw)
        if packed(found) == raw:
            return found
    except (HubError, ValueError, IndexError):  # ValueError: UnicodeError, too
        pass
    raise HubError("MALFORMED", "packed")


def _unpacked(raw):
    if len(raw) > MOST_BYTES:
        raise ValueError
    head = _numbers(HEAD, raw, 0)
    bands, exports, seasons, weeks, days, special = head[16:22]
    kind = head[1]
    at = HEAD_BYTES
    found = {"v": head[0], "kind": KINDS[kind], "interval_s": 900 * head[2], "scale": -head[3], "round": head[4]}
    found.update({"tax_bp": head[5], "standing": {"price": head[7], "scale": -head[6]}, "from": head[15]})
    found.update({"currency": str(head[8], "utf-8"), "billing": _billing_of(head[9:12])})
    if kind == 1:
        found["blocks"] = _billing_of(head[12:15])
    found["seasons"] = [list(raw[i : i + 3]) for i in range(at, at + 3 * seasons, 3)]
    at += 3 * seasons
    found["weeks"] = [list(raw[i : i + 7]) for i in range(at, at + 7 * weeks, 7)]
    at += 7 * weeks
    found["special"] = []
    for _ in range(special):
        year = _numbers("<H", raw, at)[0]
        found["special"].append(([year] if year else []) + list(raw[at + 2 : at + 5]))
        at += 5
    places = _numbers("<%dH" % (days + 1), raw, at)
    at += 2 * days + 2
    _tidy(raw)
    found["days"] = [_day_of(raw, at, places[i], places[i + 1]) for i in range(days)]
    at += 2 * places[-1]
    _tidy(raw)
    found["bands"] = [_band_of(raw, at + i * (28 if kind else 4), kind) for i in range(bands)]
    at += bands * (28 if kind else 4)
    found["export"] = list(_numbers("<%di" % exports, raw, at)) if exports else []
    texts = _texts(raw, at + 4 * exports, bands + 2)
    found["id"], found["zone"] = texts[:2]
    for band, name in zip(found["bands"], texts[2:]):
        band["name"] = name
    _tidy(raw)
    return found


def _tidy(raw):
    """Let what a long tariff becomes lie together in memory."""
    if len(raw) > _LONG:
        gc.collect()


def _numbers(form, raw, at):
    """As struct.unpack_from(), whose error has another name on each runtime."""
    if at + struct.calcsize(form) > len(raw):
        raise ValueError
    return struct.unpack_from(form, raw, at)


def _billing_of(fields):
    return [PERIODS[fields[0]]] + [field for field in fields[1:] if field]


def _day_of(raw, at, start, stop):
    if not 0 < stop - start <= 48 or at + 2 * stop > len(raw):
        raise ValueError
    day = [0] * (2 * (stop - start))
    for i in range(stop - start):
        place = at + 2 * (start + i)
        switch = raw[place] | raw[place + 1] << 8
        day[2 * i], day[2 * i + 1] = (switch >> 6) * 15, switch & 63
    return day


def _band_of(raw, at, kind):
    if not kind:
        return {"price": _numbers("<i", raw, at)[0]}
    numbers = _numbers("<4i3I", raw, at)
    limits = [limit for limit in numbers[4:] if limit != NO_LIMIT]
    if not limits:
        return {"price": numbers[0]}
    return {"prices": list(numbers[: len(limits) + 1]), "limits": limits}


def _texts(raw, at, count):
    found = []
    for _ in range(count):
        end = at + 1 + raw[at]
        found.append(str(raw[at + 1 : end], "utf-8"))
        at = end
    return found
