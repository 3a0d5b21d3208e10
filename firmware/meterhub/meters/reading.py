"""A reading: one number that a meter has told, whatever protocol it came by.

Source   register names: IEC 62056-61 (OBIS); unit codes: IEC 62056-6-2 table 4.
Units    value x 10^scale in `unit`; unit is "Wh", "W", "varh", "var", "VA", "V", "A", "Hz", "m3", "J", "s", another
         one as the meter spells it, or "" where the meter gives none.
Errors   ValueError for a register that no unit is known for.
Runs on  both
"""

from collections import namedtuple

from ..codec.series import Column, pack_obis

# obis: "1-0:1.8.0"; value: int; scale: power of ten; unit: str; meter: the meter's own id, "" when it tells none;
# channel: 0 for the meter itself, n for the n-th one behind it; at: Unix s the value belongs to, or None
Reading = namedtuple("Reading", ("obis", "value", "scale", "unit", "meter", "channel", "at"))

UNIT_CODES = {"W": 27, "VA": 28, "var": 29, "Wh": 30, "varh": 32, "A": 33, "V": 35, "Hz": 44, "m3": 13, "J": 25}
_ENERGY = {1: "Wh", 2: "Wh", 3: "varh", 4: "varh", 16: "Wh"}  # group C of a total, IEC 62056-61 table 5


def whole(reading: Reading, scale: int) -> int:
    """Return the reading's value as an integer in units of 10^scale; what is finer than that is cut off."""
    shift = reading.scale - scale
    if shift >= 0:
        return reading.value * 10**shift
    divisor = 10**-shift
    return reading.value // divisor if reading.value >= 0 else -(-reading.value // divisor)


def column_of(obis: str) -> Column:
    """Return the profile's Column of a totalling register: electricity in Wh, gas and water in dm3.

    ValueError for any register that does not total: a load profile of it would mean nothing.
    """
    code = pack_obis(obis)
    if code[0] == 1 and code[2] in _ENERGY and code[3] == 8:
        return Column(obis, 0, UNIT_CODES[_ENERGY[code[2]]])
    if code[0] == 0 and code[1] and code[2] == 24 and code[3] == 2:  # DSMR: an M-Bus meter behind the first
        return Column(obis, -3, UNIT_CODES["m3"])
    if code[0] in (7, 8, 9) and code[2] in (1, 2, 3) and code[3] in (0, 2, 8):  # gas, cold and hot water
        return Column(obis, -3, UNIT_CODES["m3"])
    raise ValueError(obis)
