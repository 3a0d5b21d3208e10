"""Today, yesterday, this month, last month: energy and money from the load profile.

Source   GB SMETS2, in-home display (periods begin at local midnight).
Units    energy in the column's own unit (Wh; dm3); costs, and prices of 1000 of them, in 1/100000 of a currency's unit
Memory   the readings at four moments.

A tenant's first day and month begin when the tenancy does (Profile.since); what was before is not known.
Errors   none: what cannot be known is None, and never guessed.
Runs on  both
"""

from collections import namedtuple

from micropython import const

_SETTLED_S = const(600)  # an interval that is not there so long after its end will not come any more

# each an int or None
Sums = namedtuple("Sums", ("today", "yesterday", "month", "last_month"))


class Periods:
    """The periods of one register, from the readings of the meter there is now.

    profile: store.profile.Profile; zone: codec.timezone.Zone; column: the register's index in the profile.
    """

    def __init__(self, profile, zone, column: int = 0) -> None:
        self._profile = profile
        self._zone = zone
        self._column = column
        self._meter = None  # the one whose readings are in _known
        self._known = {}  # moment -> reading or None, for good

    def sums(self, now: int, newest: "int | None") -> Sums:
        """Return the Sums at `now` (Unix s, 0 while unset); newest: the register as last read, or None."""
        if now <= 0:
            return Sums(None, None, None, None)
        day, month = self._zone.day_start(now), self._zone.month_start(now)
        day_before, month_before = self._zone.day_start(day - 1), self._zone.month_start(month - 1)
        step = self._profile.interval_s
        moved_in = -(-self._profile.since // step) * step
        if moved_in < now:
            day, month = max(day, moved_in), max(month, moved_in)
            day_before, month_before = max(day_before, moved_in), max(month_before, moved_in)
        meter = self._profile.meters[self._column]
        if meter != self._meter:
            self._meter = meter
            self._known = {}
        found = {}
        for at in (day, day_before, month, month_before):
            found[at] = self._known[at] if at in self._known else self._value_at(at)
        self._known = {}
        for at, value in found.items():
            if value is not None or now - at > _SETTLED_S:
                self._known[at] = value
        return Sums(
            _growth(found[day], newest),
            _growth(found[day_before], found[day]) if day_before < day else None,
            _growth(found[month], newest),
            _growth(found[month_before], found[month]) if month_before < month else None,
        )

    def _value_at(self, at):
        if at % self._profile.interval_s:
            return None  # a zone whose midnight falls into an interval
        entry = self._profile.value_at(at)
        return None if entry is None else entry.values[self._column]


def cost_e5(energy: "int | None", price_e5: int) -> "int | None":
    """Return what `energy` (Wh, dm3) costs at `price_e5` for 1000 of them, rounded; None for None."""
    return None if energy is None else (energy * price_e5 + 500) // 1000


def _growth(before, after):
    """Return after - before; None when one is not known or the meter was exchanged between them."""
    if before is None or after is None or after < before:
        return None
    return after - before
