"""A reading: one number that a meter has told, whatever protocol it came by.

Source   register names: IEC 62056-61 (OBIS).
Units    value x 10^scale in `unit`; unit is "Wh", "W", "varh", "var", "VA", "V", "A", "Hz", "m3", "J", "s", or ""
         where the meter gives none.
Runs on  both
"""

from collections import namedtuple

# obis: "1-0:1.8.0"; value: int; scale: power of ten; unit: str; meter: the meter's own id, "" when it tells none;
# channel: 0 for the meter itself, n for the n-th one behind it; at: Unix s the value belongs to, or None
Reading = namedtuple("Reading", ("obis", "value", "scale", "unit", "meter", "channel", "at"))
# meter: the meter's own id, "" when it tells none; version: of its protocol, as each decoder says; at: Unix s by the
# meter's clock, or None; readings: list of Reading; texts: {obis: str}, what is not a number
Telegram = namedtuple("Telegram", ("meter", "version", "at", "readings", "texts"))


def whole(reading: Reading, scale: int) -> int:
    """Return the reading's value as an integer in units of 10^scale; what is finer than that is cut off."""
    shift = reading.scale - scale
    if shift >= 0:
        return reading.value * 10**shift
    divisor = 10**-shift
    return reading.value // divisor if reading.value >= 0 else -(-reading.value // divisor)
