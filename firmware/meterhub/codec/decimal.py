"""IEEE 754 numbers as decimal integers with a power of ten: no float on the way.

Source   IEEE 754-2019 3.4 (binary32, binary64). The rule is that of 5.12.2 read backwards: the result has the fewest
         decimal digits that still name this number and none of its neighbours, and of those is the nearest; so
         equal numbers give equal results, and a growing one never falls.
Errors   none: what is no number is None.
Runs on  both; MicroPython's own floats have 22 or 30 bits of mantissa on some boards.
"""


def decimal32(bits: int) -> "tuple[int, int] | None":
    """Return (value, power of ten) of the 32 bits of a binary32; None for an infinity and what is no number."""
    return _decimal(bits >> 31, bits >> 23 & 0xFF, bits & 0x7FFFFF, 23, 0xFF)


def decimal64(bits: int) -> "tuple[int, int] | None":
    """Return (value, power of ten) of the 64 bits of a binary64; None for an infinity and what is no number."""
    return _decimal(bits >> 63, bits >> 52 & 0x7FF, bits & 0xFFFFFFFFFFFFF, 52, 0x7FF)


def _decimal(sign, exponent, mantissa, width, most):
    if exponent == most:
        return None
    if not exponent and not mantissa:
        return 0, 0
    is_border = not mantissa and exponent > 1  # the neighbour below is only half as far away
    if exponent:
        mantissa |= 1 << width
    else:
        exponent = 1
    exponent -= (most >> 1) + width + 2  # in quarters of the last place
    value, scale = _shortest(4 * mantissa, 1 if is_border else 2, 2, exponent)
    return (-value if sign else value), scale


def _shortest(middle, below, above, exponent):
    """Return the shortest (value, scale) between middle - below and middle + above, each times 2^exponent."""
    scale = 0
    unit = 1  # 10^scale in the units of `middle`
    if exponent >= 0:
        middle <<= exponent
        below <<= exponent
        above <<= exponent
    else:
        unit <<= -exponent
    while unit > below:  # so fine that the nearest is surely between
        middle *= 10
        below *= 10
        above *= 10
        scale -= 1
    found = 0, 0
    while True:
        value = (2 * middle + unit) // (2 * unit)
        off = value * unit - middle
        if off >= above or -off >= below:
            break
        found = value, scale
        if not value:
            break
        unit *= 10
        scale += 1
    value, scale = found
    if 0 < scale < 16:  # 100 is 100, not 1 and two zeros
        return value * 10**scale, 0
    while value and value % 10 == 0 and scale < 0:
        value //= 10
        scale += 1
    return value, scale
