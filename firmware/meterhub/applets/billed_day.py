"""What the registers read on a local day, as a batch of commitments needs it: from the load profile.

Source   codec/billing.py (what a batch says), meters/intervals.py (what a reading is)
Units    Unix seconds, UTC; Wh
Memory   two words for each interval of the day
Errors   HubError BILL_CHAIN "growth" for a register that has grown by more than an interval can have: it must never be
         committed to
Runs on  both

A reading counts when it was taken at the interval's end: MEASURED, or EXCHANGED, the new meter's first one. Every
other interval is missing, and what it used is in the next one that is not. A register that falls is another meter's,
whatever the meter says of itself. What comes after a second such turn within a day is missing until the next day.
"""

from ..codec import billing
from ..codec.load_profile import EXCHANGED, MEASURED
from ..errors import HubError
from ..trust.bill_chain import Before

_SLICE = 8  # entries read between two looks at the other tasks
_MOST_WH = 0xFFFFF  # crypto/pedersen.py, which need not be here yet
_MOST_LATE = 65535


class Readings:
    """(imported, exported or None) at the end of each of `count` intervals; None where there is no reading."""

    def __init__(self, count: int) -> None:
        self._imported, self._exported = [None] * count, [None] * count

    def __len__(self) -> int:
        return len(self._imported)

    def __getitem__(self, i):
        imported = self._imported[i]
        return None if imported is None else (imported, self._exported[i])

    def __setitem__(self, i, reading) -> None:
        self._imported[i], self._exported[i] = reading or (None, None)


def place(zone, interval_s: int, day: int) -> tuple:
    """Return (start, stop, number of the first interval, count) of a local day. zone: codec.timezone.Zone"""
    start, stop = zone.day_begins(day), zone.day_begins(day + 1)
    return start, stop, start // interval_s, (stop - start) // interval_s


def columns_of(profile, zone, regs: list) -> list:
    """Return where the registers `regs` stand in a profile (store.profile.Profile).

    HubError NOT_AVAILABLE when it has them not, or its intervals or the zone's days cannot be billed.
    """
    step = profile.interval_s
    if step not in (900, 1800, 3600) or not zone.is_aligned(step):
        raise HubError("NOT_AVAILABLE", "zone")
    known = [column.obis for column in profile.columns]
    for reg in regs:
        if reg not in known:
            raise HubError("NOT_AVAILABLE", "regs")
    return [known.index(reg) for reg in regs]


def first_before(profile, columns: list, start: int, meters: tuple) -> Before:
    """Return what a chain begins with whose first day begins at `start`. meters: whose readings"""
    wanted = [known or eldest for known, eldest in zip(meters, profile.eldest_meters())]
    for entry in profile.read(start, start, tuple(wanted)):
        reading = _reading(entry, columns)
        if reading is not None:
            return Before(reading, start, meters)
    return Before(None, 0, meters)


def late(before: Before, start: int, interval_s: int) -> int:
    """Return how many intervals before `start`, up to it, are missing."""
    return min((start - before.at) // interval_s, _MOST_LATE) if before.at else _MOST_LATE


def read(profile, columns: list, place: tuple, before: Before, meters: tuple):
    """Generate slices of reading a day; return (readings, turn, Before of the next day) for trust/batches.py.

    meters: whose readings may follow on those of before.meters: the profile's, or on a second time those of the first
    """
    start, _, _, count = place
    step = profile.interval_s
    found = Readings(count)
    sources = [before.meters]
    if _changed(profile, columns, before.meters, meters):
        sources.append(meters)
    of_other = count  # from which interval on the readings are another meter's
    for source in sources:
        wanted = [known or eldest for known, eldest in zip(source, profile.eldest_meters())]
        for turn, entry in enumerate(profile.read(start + step, start + count * step, tuple(wanted))):
            if not turn % _SLICE:
                yield
            reading = _reading(entry, columns)
            if reading is not None:
                found[turn] = reading
                if source is not before.meters:
                    of_other = min(of_other, turn)
    return _judged(found, of_other, start, step, before, meters)


def _changed(profile, columns, before, after):
    """Return whether any register that is billed is another meter's now."""
    eldest = profile.eldest_meters()
    return any([after[i] and (before[i] or eldest[i]) != after[i] for i in columns])


def _judged(found, of_other, start, step, before, meters):
    """Take out of `found` what cannot be committed to; return it, the turn, and the Before of the next day."""
    turn, full = billing.NO_TURN, False
    last: "tuple | None" = before.reading
    at = before.at
    for i in range(len(found)):
        reading = found[i]
        if reading is None:
            continue
        fell = last is None or i == of_other or any([b < a for a, b in zip(last, reading) if a is not None])
        full = full or (fell and turn != billing.NO_TURN)
        if full:
            found[i] = None
            of_other = len(found) if i == of_other else of_other
            continue
        if fell:
            turn = i
        elif any([b - a > _MOST_WH for a, b in zip(last, reading) if a is not None]):  # pyright: ignore[reportArgumentType]
            raise HubError("BILL_CHAIN", "growth")
        last, at = reading, start + (i + 1) * step
    is_other = of_other < len(found)
    return found, turn, Before(last, at, meters if is_other else before.meters)


def _reading(entry, columns):
    """Return (imported, exported or None) of an entry, None when it is no reading of all of `columns`."""
    if entry.quality not in (MEASURED, EXCHANGED):
        return None
    values = [entry.values[i] for i in columns]
    if any([value is None for value in values]):
        return None
    return values[0], (values[1] if len(values) > 1 else None)
