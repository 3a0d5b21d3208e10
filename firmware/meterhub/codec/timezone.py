"""Local time by a POSIX TZ rule such as "CET-1CEST,M3.5.0,M10.5.0/3".

Source   POSIX.1-2017 8.3 (TZ), RFC 8536 3.3.1 (transition times of -167 to 167 hours). Of the three ways to write
         a date only Mm.w.d is taken, the one the tz database uses. The rule is applied to every year.
Units    Unix seconds UTC in and out; offsets in seconds east of Greenwich (POSIX writes them west).
Memory   the transitions of one year are kept.
Errors   ConfigError "zone" for a bad rule; ValueError for a time outside 1970-2199 (calendar.py).
Runs on  both
"""

from micropython import const

from ..errors import ConfigError
from . import calendar

_DAY_S = const(86400)
_NUMBER = const("+-:0123456789")


class Zone:
    """Local time of one place, now and in every other year of its present rule."""

    def __init__(self, rule: str) -> None:
        try:
            head = rule.split(",")
            self._std, self._dst = _offsets(head[0], len(head))
            self._dates = [_date(text) for text in head[1:]]
        except (ValueError, IndexError):
            raise ConfigError("zone", "is no POSIX TZ rule such as CET-1CEST,M3.5.0,M10.5.0/3")
        self._low = self._high = 0  # the UTC year that _start and _end are of
        self._start = self._end = 0

    def _load(self, utc):
        year = calendar.fields(utc)[0]
        self._low = calendar.seconds(year, 1, 1)
        self._high = self._low + (366 if calendar.is_leap(year) else 365) * _DAY_S
        start, end = self._dates
        self._start = _wall(year, start) - self._std
        self._end = _wall(year, end) - self._dst

    def offset_s(self, utc: int) -> int:
        """Return the seconds by which local time is ahead of UTC at `utc`."""
        if not self._dates:
            return self._std
        if not self._low <= utc < self._high:
            self._load(utc)
        if self._start < self._end:
            return self._dst if self._start <= utc < self._end else self._std
        return self._std if self._end <= utc < self._start else self._dst  # the southern half of the world

    def local(self, utc: int) -> "tuple[int, int, int, int, int, int, int]":
        """Return (year, month, day, hour, minute, second, weekday 0 = Monday) of the local time at `utc`."""
        return calendar.fields(utc + self.offset_s(utc))

    def day_start(self, utc: int) -> int:
        """Return when (UTC) the local day that `utc` lies in began."""
        return self.day_begins((utc + self.offset_s(utc)) // _DAY_S)

    def next_day_start(self, utc: int) -> int:
        """Return when (UTC) the local day after the one that `utc` lies in begins: 23, 24 or 25 hours later."""
        return self.day_begins((utc + self.offset_s(utc)) // _DAY_S + 1)

    def month_start(self, utc: int) -> int:
        """Return when (UTC) the local month that `utc` lies in began."""
        year, month = self.local(utc)[:2]
        return self.day_begins(calendar.days(year, month, 1))

    def next_month_start(self, utc: int) -> int:
        """Return when (UTC) the local month after the one that `utc` lies in begins."""
        year, month = self.local(utc)[:2]
        return self.day_begins(calendar.days(year + month // 12, month % 12 + 1, 1))

    def is_aligned(self, step_s: int) -> bool:
        """Return whether local time is whole steps ahead of UTC, and changes between two steps."""
        times = [self._std, self._dst] + [date[3] for date in self._dates]
        return not any([time_s % step_s for time_s in times])

    def day_begins(self, day: int) -> int:
        """Return when (UTC) the local day begins that is `day` days after 1970-01-01."""
        midnight = day * _DAY_S
        early, late = max(self._std, self._dst), min(self._std, self._dst)
        for offset in (early, late):  # where midnight comes twice, the day begins with the first
            if self.offset_s(midnight - offset) == offset:
                return midnight - offset
        # clocks were put forward over midnight: the day begins at that moment, in the year loaded last
        return self._start if self._dst > self._std else self._end


def _wall(year, date):
    month, week, weekday, time_s = date
    first = calendar.days(year, month, 1)
    day = (weekday - 1 - calendar.weekday(first)) % 7 + 7 * (week - 1)  # POSIX counts from Sunday
    if day >= calendar.month_days(year, month):
        day -= 7  # week 5 is the last one that the month has
    return (first + day) * _DAY_S + time_s


# -- the rule's text: every function raises ValueError or IndexError when it is not as POSIX has it ----------


def _offsets(text, pieces):
    number, text = _name(text)
    std = dst = -_time(number, 24)
    expected = 1
    if text:
        number, text = _name(text)
        dst = -_time(number, 24) if number else std + 3600
        expected = 3
    if text or pieces != expected:
        raise ValueError
    return std, dst


def _name(text):
    """Take a name off `text` and the number behind it; return (number, what is left)."""
    if text[0] == "<":
        name, closing, rest = text[1:].partition(">")
        good = closing and all(c.isalpha() or c in _NUMBER for c in name)
    else:
        n = 0
        while n < len(text) and text[n].isalpha():
            n += 1
        name, rest = text[:n], text[n:]
        good = True
    if not good or len(name) < 3:
        raise ValueError
    n = 0
    while n < len(rest) and rest[n] in _NUMBER:
        n += 1
    return rest[:n], rest[n:]


def _time(text, most_h):
    """Return the seconds of [+|-]hh[:mm[:ss]]."""
    sign = -1 if text[0] == "-" else 1
    hours, *rest = (text[1:] if text[0] in "+-" else text).split(":")
    total = _number(hours, 0, most_h) * 3600
    for i, part in enumerate(rest):
        total += _number(part, 0, 59) * (60, 1)[i]
    return sign * total


def _number(text, low, high):
    if not text or not all(c in "0123456789" for c in text) or not low <= int(text) <= high:
        raise ValueError
    return int(text)


def _date(text):
    if text[0] != "M":
        raise ValueError
    day, slash, time = text[1:].partition("/")
    month, week, weekday = day.split(".")
    time_s = _time(time, 167) if slash else 7200
    return _number(month, 1, 12), _number(week, 1, 5), _number(weekday, 0, 6), time_s
