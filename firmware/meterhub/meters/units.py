"""The units of DLMS/COSEM by their number, as SML and COSEM objects carry them.

Source   IEC 62056-6-2 4.3.2, table "enumerated values for physical units"; SML 1.04 takes the same numbers.
Units    those of reading.py; what is not among those is written as the standard has it ("C" is degree Celsius)
Runs on  both
"""

_UNITS = (
    "", "a", "mo", "wk", "d", "h", "min", "s", "\xb0", "C",
    "", "m", "m/s", "m3", "m3", "m3/h", "m3/h", "m3/d", "m3/d", "l",
    "kg", "N", "Nm", "Pa", "bar", "J", "J/h", "W", "VA", "var",
    "Wh", "VAh", "varh", "A", "As", "V", "V/m", "F", "Ohm", "Ohm m2/m",
    "Wb", "T", "A/m", "H", "Hz", "1/Wh", "1/varh", "1/VAh", "V2h", "A2h",
    "kg/s", "S", "K", "1/V2h", "1/A2h", "1/m3", "%", "Ah", "", "",
    "Wh/m3", "J/m3", "mol%", "g/m3", "Pa s", "J/kg", "g/cm2", "atm", "", "",
    "dBm", "dBuV", "dB",
)  # fmt: skip


def unit(number: int) -> str:
    """Return the unit that `number` means; "" for none, for 255 (a count) and for a number that is not assigned."""
    return _UNITS[number] if 0 <= number < len(_UNITS) else ""
