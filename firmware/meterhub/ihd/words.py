"""Numbers as the household reads them.

Units    as in the names
Runs on  both
"""

_SIGNS = {"EUR": "€", "GBP": "£", "USD": "$"}


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
