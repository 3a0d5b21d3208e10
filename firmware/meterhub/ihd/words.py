"""Numbers and dates as the household reads them.

Units    as in the names; a `local` is (year, month, day, hour, minute, ...) as codec.timezone gives it
Runs on  both
"""

_MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"
_SIGNS = {"EUR": "€", "GBP": "£", "USD": "$"}
RESOLUTIONS = {"half-hour": "half-hours", "day": "days", "month": "months"}


def kilo(value: "int | None", places: int) -> str:
    """Return `value` / 1000 with `places` (0..3) decimals, rounded half up; dashes for None."""
    if value is None:
        return "--"
    unit = 10 ** (3 - places)
    whole = (abs(value) + unit // 2) // unit
    text = "-" if value < 0 < whole else ""
    if not places:
        return text + str(whole)
    return text + "%d.%0*d" % (whole // 10**places, places, whole % 10**places)


def energy(wh: "int | None") -> str:
    """Return kWh: two decimals below 100 kWh, one below 1000, none above."""
    if wh is None or abs(wh) < 100000:
        return kilo(wh, 2)
    return kilo(wh, 1 if abs(wh) < 1000000 else 0)


def money(e5: "int | None", currency: str) -> str:
    """Return an amount in 1e-5 units with two decimals and the currency's sign before it (or its code after it)."""
    if e5 is None:
        return ""
    text = kilo(abs(e5) // 100, 2)
    minus = "-" if e5 < 0 else ""
    sign = _SIGNS.get(currency)
    return minus + sign + text if sign else minus + text + " " + currency


def cost(wh: "int | None", price_e5: "int | None") -> "int | None":
    """Return what `wh` cost at `price_e5` per kWh, in 1e-5 units; None when one of them is not known."""
    return None if wh is None or price_e5 is None else wh * price_e5 // 1000


def day(local: tuple) -> str:
    """Return "1 Oct"."""
    return "%d %s" % (local[2], _MONTHS[3 * local[1] - 3 : 3 * local[1]])


def clock(local: tuple) -> str:
    """Return "14:05"."""
    return "%02d:%02d" % (local[3], local[4])


def stamp(local: tuple) -> str:
    """Return "1 Oct 14:05"."""
    return day(local) + " " + clock(local)


def period(first: tuple, last: tuple) -> str:
    """Return the first and the last day, both years when they differ, one date when there is only one."""
    end = "%s %d" % (day(last), last[0])
    if first[:3] == last[:3]:
        return end
    start = day(first) if first[0] == last[0] else "%s %d" % (day(first), first[0])
    return start + " – " + end


def countdown(seconds: int) -> str:
    """Return "4:51"."""
    seconds = max(seconds, 0)
    return "%d:%02d" % (seconds // 60, seconds % 60)


def grouped(count: int) -> str:
    """Return a count with its thousands apart: "1,488"."""
    text = str(count)
    for at in range(len(text) - 3, 0, -3):
        text = text[:at] + "," + text[at:]
    return text
