"""The fixed data structure of old M-Bus meters: two counters, and a unit for each.

Source   EN 1434-3:1997, table 4 (medium and unit); the same in EN 13757-3:2004, annex.
Errors   none: a counter that is no number is left out.
Runs on  both
"""

from micropython import const

_HISTORIC = const(0x3E)
# from code 2 on three powers of ten each
_UNITS = const(
    (
        ("Wh", "energy", 0),
        ("Wh", "energy", 3),
        ("Wh", "energy", 6),
        ("J", "energy", 3),
        ("J", "energy", 6),
        ("J", "energy", 9),
        ("W", "power", 0),
        ("W", "power", 3),
        ("W", "power", 6),
        ("J/h", "power", 3),
        ("J/h", "power", 6),
        ("J/h", "power", 9),
        ("l", "volume", -3),
        ("l", "volume", 0),
        ("m3", "volume", 0),
        ("l/h", "volume flow", -3),
        ("l/h", "volume flow", 0),
        ("m3/h", "volume flow", 0),
    )
)


def fixed_records(raw: bytes, low_first: bool) -> list:
    """Return [(name, value, scale, unit)] of an answer with CI 73 or 77, from its C field on, 19 bytes."""
    status = raw[8]
    codes = (raw[9] & 0x3F, raw[10] & 0x3F)
    if not low_first:
        codes = (codes[1], codes[0])
    found = []
    for i in range(2):
        bits = int.from_bytes(raw[11 + 4 * i : 15 + 4 * i], "little" if low_first else "big")
        value = _value(bits, status & 1)
        if value is None:
            continue
        is_stored = status & 2  # at a fixed date
        code = codes[i]
        if code == _HISTORIC:
            code, is_stored = codes[1 - i], True
        unit, name, scale = _unit(code)
        found.append((name + (" s1" if is_stored else ""), value, scale, unit))
    if len(found) == 2 and found[0][0] == found[1][0]:
        found[1] = (found[1][0] + " #2",) + found[1][1:]
    return found


def _value(bits, is_binary):
    if is_binary:
        return bits - (1 << 32) if bits >> 31 else bits
    digits = "%08x" % bits
    sign = 1
    if digits[0] == "f":
        sign = -1
        digits = digits[1:]
    return sign * int(digits) if digits.isdigit() else None


def _unit(code):
    """Return (unit, name, power of ten) of a unit's code."""
    if 2 <= code < 0x38:
        unit, name, scale = _UNITS[(code - 2) // 3]
        return unit, name, scale + (code - 2) % 3
    if code == 0x38:
        return "C", "temperature", -3
    return "", "heat cost units" if code == 0x39 else "counter", 0
