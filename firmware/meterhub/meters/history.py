"""What a register grew by in each of the last days, weeks and months, from the load profile.

Source   GB SMETS2 (in-home display: this and the previous 8 days, 5 weeks, 13 months; weeks begin on Monday, all
         periods at local midnight; nothing from before a change of tenant).
Units    the column's own (Wh; dm3)
Memory   30 small tuples
Errors   none: what cannot be known is None, and never guessed.
Runs on  both
"""

from micropython import const

DAYS = const(8)
WEEKS = const(5)
MONTHS = const(13)


def history(profile, zone, column: int, now: int, newest: "int | None") -> tuple:
    """Return (days, weeks, months) of the profile's register `column`, each a list of (start, growth), newest first.

    profile: store.profile.Profile; zone: codec.timezone.Zone; now: Unix s; newest: the register as last read, or None;
    start: Unix s; growth: int, or None where a reading at either end is missing or the meter was exchanged between.
    """
    starts = (
        (zone.day_start, DAYS),
        (lambda at: _week_start(zone, at), WEEKS),
        (zone.month_start, MONTHS),
    )
    return tuple([_periods(profile, column, now, newest, start, count + 1) for start, count in starts])


def _week_start(zone, at):
    for _ in range(zone.local(at)[6]):
        at = zone.day_start(at) - 1
    return zone.day_start(at)


def _periods(profile, column, now, newest, start_of, count):
    step = profile.interval_s
    moved_in = -(-profile.since // step) * step
    found = []
    at, after = now, newest
    while len(found) < count and at > moved_in:
        start = max(start_of(at), moved_in)
        before = _reading(profile, column, start)
        growth = None if before is None or after is None or after < before else after - before
        found.append((start, growth))
        at, after = start - 1, before
    return found


def _reading(profile, column, at):
    entry = None if at % profile.interval_s else profile.value_at(at)
    return None if entry is None else entry.values[column]
