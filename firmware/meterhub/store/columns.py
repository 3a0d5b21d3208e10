"""Which registers a load profile can keep, and in which units it keeps them.

Source   IEC 62056-61 (OBIS: 8 in group D is a total since the meter was made); IEC 62056-6-2 table 4 (unit codes);
         P1 companion standard, Dutch Smart Meter Requirements 5.0.2, 6.12 (0-n:24.2.x, the meters behind the meter).
Errors   ValueError for a register that does not total: a load profile of it would mean nothing.
Runs on  both
"""

from micropython import const

from ..codec.load_profile import Column
from ..codec.obis import pack_obis

_WH = const(30)
_VARH = const(32)
_M3 = const(13)
_ENERGY = {1: _WH, 2: _WH, 3: _VARH, 4: _VARH, 16: _WH}  # group C of electricity: its unit


def column_of(obis: str) -> Column:
    """Return the profile's Column of a register: electricity in Wh or varh, gas and water in dm3."""
    code = pack_obis(obis)
    if code[0] == 1 and code[2] in _ENERGY and code[3] == 8:
        return Column(obis, 0, _ENERGY[code[2]])
    if code[0] == 0 and code[1] and code[2] == 24 and code[3] == 2:
        return Column(obis, -3, _M3)
    if code[0] in (7, 8, 9) and code[2] in (1, 2, 3) and code[3] in (0, 2, 8):  # gas, cold and hot water
        return Column(obis, -3, _M3)
    raise ValueError(obis)
