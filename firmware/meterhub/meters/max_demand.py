"""The maximum demand: the highest average of half an hour, of all time, of each day or of each month.

Source   GB SMETS2 (maximum demand import, and the one within a configurable time of day)
Units    W; Unix seconds, UTC; days and months are those of UTC
Memory   one row for each period
Errors   as of profile_pages.Look
Runs on  both

The average is that of a half-hour, of an hour in a profile of hours. It is taken between two readings that both belong
to the end of their interval: what lies beside a gap, a restart or an exchange is nobody's demand.
"""

from micropython import const

from ..codec import calendar
from ..codec.load_profile import CLOCK_UNSURE, MEASURED

RESOLUTIONS = ("all", "day", "month")
_HALF_HOUR_S = const(1800)
_DAY_S = const(86400)
_SLICE = const(48)
_MOST_ROWS = const(62)


def rows(look, place: int, start: int, stop: int, window: list, res: str):
    """Return (rows, next), as a generator (crypto/steps.py).

    rows: [[start of the period, end of its highest half-hour, W, quality], ...] of the register at `place` among the
    columns of look (profile_pages.Look); window: [from, to] seconds of the day; next: where to go on, 0 at the end.
    """
    period_s = max(_HALF_HOUR_S, look.profile.interval_s)
    found = []
    before = None
    turn = 0
    for entry in look.entries(start, stop):
        turn += 1
        if turn % _SLICE == 0:
            yield
        if entry.at % period_s:
            continue
        demand = _demand(before, entry, place, period_s)
        before = entry
        if demand is None or not _is_within(entry.at - period_s, period_s, window):
            continue
        begun = _begun(entry.at - period_s, start, res)
        if not found or found[-1][0] != begun:
            if len(found) == _MOST_ROWS:
                return found, begun
            found.append([begun, entry.at, demand, entry.quality])
        elif demand > found[-1][2]:
            found[-1] = [begun, entry.at, demand, entry.quality]
    return found, 0


def _demand(before, entry, place, period_s):
    """Return the average power between two entries, None where they do not tell it."""
    if before is None or entry.at - before.at != period_s:
        return None
    if entry.quality not in (MEASURED, CLOCK_UNSURE) or before.quality not in (MEASURED, CLOCK_UNSURE):
        return None
    old, new = before.values[place], entry.values[place]
    if old is None or new is None or new < old:
        return None
    return ((new - old) * 3600 + period_s // 2) // period_s


def _is_within(begin, period_s, window):
    of_day = begin % _DAY_S
    return window[0] <= of_day and of_day + period_s <= window[1]


def _begun(at, start, res):
    """Return when the period began that `at` lies in."""
    if res == "all":
        return start
    day = at // _DAY_S
    if res == "month":
        year, month, _ = calendar.date(day)
        day = calendar.days(year, month, 1)
    return day * _DAY_S
