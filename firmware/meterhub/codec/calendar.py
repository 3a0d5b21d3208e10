"""The Gregorian calendar in integers, the same on every runtime and epoch.

Source   proleptic Gregorian rules (ISO 8601-1 4.2.1), counted in years that begin in March so that the
         leap day is the last one; weekday 0 is Monday.
Units    days and seconds since 1970-01-01T00:00:00, of whatever clock the caller means (UTC or local).
Errors   ValueError outside 1970-2199 or for a date or time that does not exist.
Runs on  both
"""

from micropython import const

_FIRST_YEAR = const(1970)
_LAST_YEAR = const(2199)
_DAY_S = const(86400)
_DAYS = const(84006)  # 1970-01-01 to 2200-01-01


def is_leap(year: int) -> bool:
    """Return whether `year` has a 29 February."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def month_days(year: int, month: int) -> int:
    """Return the number of days of `month` 1-12."""
    if month == 2:
        return 29 if is_leap(year) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def days(year: int, month: int, day: int) -> int:
    """Return the days from 1970-01-01 to this date; ValueError when there is no such date in 1970-2199."""
    if not (_FIRST_YEAR <= year <= _LAST_YEAR and 0 < month < 13 and 0 < day <= month_days(year, month)):
        raise ValueError("date")
    if month < 3:
        year -= 1
        month += 12
    # (153 m - 457) // 5: the days of the months from March on, 31 30 31 30 31 twice over
    return 365 * year + year // 4 - year // 100 + year // 400 + (153 * month - 457) // 5 + day - 719469


def date(day_number: int) -> "tuple[int, int, int]":
    """Return (year, month 1-12, day) of the date `day_number` days after 1970-01-01; ValueError outside 1970-2199."""
    if not 0 <= day_number < _DAYS:
        raise ValueError("date")
    era_day = day_number + 719468 - 4 * 146097  # since 1600-03-01; an era is 400 years, 146097 days
    era, era_day = divmod(era_day, 146097)
    of_era = (era_day - era_day // 1460 + era_day // 36524 - era_day // 146096) // 365
    year_day = era_day - (365 * of_era + of_era // 4 - of_era // 100)
    month = (5 * year_day + 2) // 153  # 0 is March
    day = year_day - (153 * month + 2) // 5 + 1
    year = 1600 + 400 * era + of_era + (month > 9)
    return year, month + 3 if month < 10 else month - 9, day


def weekday(day_number: int) -> int:
    """Return 0 for Monday ... 6 for Sunday of the date `day_number` days after 1970-01-01, which was a Thursday."""
    return (day_number + 3) % 7


def seconds(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> int:
    """Return the seconds from 1970-01-01T00:00:00 to this date and time; ValueError when there is no such time."""
    if not (0 <= hour < 24 and 0 <= minute < 60 and 0 <= second < 60):
        raise ValueError("time")
    return days(year, month, day) * _DAY_S + hour * 3600 + minute * 60 + second


def fields(at: int) -> "tuple[int, int, int, int, int, int, int]":
    """Return (year, month, day, hour, minute, second, weekday 0 = Monday) of `at`; ValueError outside 1970-2199."""
    day, rest = divmod(at, _DAY_S)
    return date(day) + (rest // 3600, rest // 60 % 60, rest % 60, weekday(day))
