"""Where a board counts its seconds from, what dates they are, and which of them can be true.

Source   MicroPython py/mpconfig.h: ESP32 counts from 2000, RP2 and unix from 1970. Nothing outside hal/ knows.
Units    Unix seconds, UTC
Runs on  both
"""

from micropython import const

_FROM_2000_S = const(946684800)
EARLIEST = 1577836800  # 2020-01-01: a clock that says less was never set (not const(): no small int on 32 bits)
LATEST = 4133980800  # 2101-01-01
_DAY_S = const(86400)


def epoch_offset_s(gmtime) -> int:
    """Return what must be added to this board's time.time() to get Unix seconds, judged by its own `gmtime`."""
    return _FROM_2000_S if gmtime(0)[0] == 2000 else 0


def utc_fields(unix_s: int) -> "tuple[int, int, int, int, int, int, int]":
    """Return (year, month, day, weekday 0 = Monday, hour, minute, second), until 2399.

    The ports' own gmtime() fails from 2038 on (the RP2's), and codec/calendar.py is above hal.
    """
    day, second = divmod(unix_s, _DAY_S)
    era_day = day + 719468 - 584388  # since 1600-03-01; an era is 400 years, 146097 days
    era, era_day = divmod(era_day, 146097)
    of_era = (era_day - era_day // 1460 + era_day // 36524 - era_day // 146096) // 365
    year_day = era_day - (365 * of_era + of_era // 4 - of_era // 100)
    month = (5 * year_day + 2) // 153  # 0 is March
    year = 1600 + 400 * era + of_era + (month > 9)
    date = (year, month + 3 if month < 10 else month - 9, year_day - (153 * month + 2) // 5 + 1, (day + 3) % 7)
    return date + (second // 3600, second // 60 % 60, second % 60)
