"""Cuts the stream of readings into intervals: what did the registers read when each one ended?

Source   GB SMETS2 (profile of half-hours, UTC); qualities: codec/series.py.
Units    at: Unix seconds; an interval is named by its end, a multiple of the profile's interval_s
Memory   the last reading; while nobody has told the time, at most 96 readings of a meter without a clock (4 KB).
Errors   HubError INTERVAL_LATE for a reading older than what is kept; nothing changes.
Runs on  both

The value at an interval's end is that of the reading nearest to it, at most a minute before or after: MEASURED.
Where there is none, it is that of the last reading inside the interval: PARTIAL. A register that a reading does not
tell has what another has told in the minute before it, else nothing: a meter that tells its totals once an hour, and
its power all the time, has no total at the half-hour. An interval without a reading is
not kept; it stays a gap, and nothing is ever guessed into one. An interval in which the hub was off, or its clock has
jumped, is PARTIAL at the best; one in which a meter was exchanged is EXCHANGED.

What a meter without a clock tells before the hub knows the time is kept by the ticks (undated.py), and stamped, as
CLOCK_UNSURE, as soon as it does.
"""

from micropython import const

from ..codec.load_profile import CLOCK_UNSURE, EXCHANGED, MEASURED, OPEN, PARTIAL, Entry
from ..errors import HubError
from ..hal.ticks import age, now_ms

_NEAR_S = const(60)
_STALE_S = const(120)
_SILENT_MS = const(5000)
_METER_OFF_S = const(3600)  # a meter's clock that differs by more from a synchronised one is wrong
_LEAP_S = const(86400)
_AGREEING = const(3)  # readings in a row that must agree on a leap in time


class IntervalRecorder:
    """Writes the intervals of one profile.

    profile: store.profile.Profile; clock: now() -> Unix s, 0 while unset, and state "unset", "meter" or "set".
    """

    def __init__(self, profile, clock, ticks_ms=now_ms) -> None:
        self._profile = profile
        self._clock = clock
        self._ticks_ms = ticks_ms
        self._step = profile.interval_s
        self._meters = None  # what set_meters was told last
        self._before = None  # (at, values, sure) of the newest reading
        self._told = {}  # column -> when a reading has told it last
        self._closed = profile.last or 0  # end of the newest interval that is done with
        self._heard = 0  # ticks of the newest reading
        self._lag_s = 0  # what its time was behind the hub's
        self._leap = (0, 0)  # (time, readings in a row) of those far ahead of all before
        self._late = False  # the readings that are late have been told
        self._torn = (0, 0)  # from when to when the hub was off, or its clock jumped
        self._exchanged = 0  # when a meter was
        self._undated = None  # undated.Undated

    def set_meters(self, meters: tuple, at: "int | None") -> list:
        """Let the readings from now on be those of these meters; return the indexes of the columns that changed hands.

        meters: an id per column of the profile, "" where none is told; at: as of the reading() that comes next.
        The last interval of a meter that is gone is closed if it has ended, and is the new one's if not. HubError
        STORE_FULL as of Profile.set_meters.
        """
        if meters == self._meters:
            return []
        changed = self._profile.exchanged(meters)
        if changed:
            self._exchanged = at or self._clock.now()
        try:
            if changed and self._before is not None:
                end = self._end_of(self._before[0])
                if self._closed < end <= (at or self._clock.now()):
                    self._close(end, None)
        finally:
            self._meters = meters
            self._forget(changed)
            self._profile.set_meters(meters)
        self._closed = max(self._closed, self._profile.last or 0)
        return changed

    def _forget(self, columns):
        """Forget what was last read in these columns."""
        if columns and self._before is not None:
            at, values, sure = self._before
            values = tuple([None if i in columns else value for i, value in enumerate(values)])
            self._before = (at, values, sure) if any([value is not None for value in values]) else None

    def reading(self, at: "int | None", values: tuple) -> int:
        """Take a reading; return how many intervals it closed.

        at: Unix s by the meter's own clock, None when it has none; values: one per column of the profile, None where
        this reading tells none.
        HubError INTERVAL_LATE comes once in a run of readings from before the newest one, or of another value at the
        end of an interval that is kept; what is kept and what is newer stays.
        """
        closed = 0
        if self._undated is not None and self._clock.now():
            undated, self._undated = self._undated, None
            closed = self._date(undated.samples)
        found = self._stamped(at, values)
        if found is None or (found[0] != self._closed and self._is_leap(found[0])):
            return closed
        return closed + self._take(found)

    def torn(self, start: int, stop: int) -> None:
        """Take note that the hub was off from start to stop (Unix s), or that its clock has jumped between them."""
        self._torn = (start, stop)

    def _date(self, samples):
        """Stamp what was read before anybody had told the time."""
        now, up_s = self._clock.now(), self._clock.uptime_s()
        closed = 0
        for read_up_s, values in samples:
            try:
                closed += self._take((now - up_s + read_up_s, values, False))
            except HubError:  # there is a reading for that time already: it stays
                pass
        return closed

    def _take(self, found):
        stamp = found[0]
        if stamp <= self._closed or (self._before is not None and stamp < self._before[0]):
            return self._refuse(stamp, found[1])
        self._late = False
        self._heard = self._ticks_ms()
        self._lag_s = max(0, self._clock.now() - stamp)
        found = (stamp, self._with_newest(stamp, found[1]), found[2])
        closed = 0
        boundary = stamp // self._step * self._step
        ends = [boundary]
        if self._before is not None and self._end_of(self._before[0]) < boundary:
            ends.insert(0, self._end_of(self._before[0]))
        for end in ends:
            if end > self._closed:
                closed += self._close(end, found)
        self._before = found
        return closed

    def _with_newest(self, stamp, values):
        """Return the values of a reading, and of those that it does not tell what was told in the minute before."""
        values = list(values)
        for i, value in enumerate(values):
            if value is not None:
                self._told[i] = stamp
            elif self._before is not None and stamp - self._told.get(i, 0) <= _NEAR_S:
                values[i] = self._before[1][i]
        return tuple(values)

    def open_entry(self) -> "Entry | None":
        """Return the Entry, quality OPEN, of the interval that has not ended, None when it has no reading yet."""
        if self._before is None or self._end_of(self._before[0]) <= self._closed:
            return None
        return Entry(self._end_of(self._before[0]), OPEN, self._before[1])

    def have(self, since: "int | None" = None) -> "list | None":
        """Return [start of the oldest interval that is kept, end of the newest or of the open one], None for none.

        since: what is older is left out (Unix s); the profile's own date when it is not given.
        """
        opened = self.open_entry()
        last = self._profile.last if opened is None else opened.at
        if last is None:
            return None
        since = self._profile.since if since is None else since
        first = last if self._profile.first is None else self._profile.first
        start = max(first - self._step, -(-since // self._step) * self._step)
        return [start, last] if start < last else None

    def close_stale(self, now: int) -> int:
        """Close an interval that ended and whose meter has been silent since; return how many were closed.

        now: Unix s. It is left open for two minutes, and while telegrams come: the next one may be the nearest.
        """
        if self._before is None or age(self._ticks_ms(), self._heard) < _SILENT_MS:
            return 0
        end = self._end_of(self._before[0])
        if end <= self._closed or now - self._lag_s <= end + _STALE_S:
            return 0
        return self._close(end, None)

    def _stamped(self, at, values):
        """Return (at, values, whether the time is sure), None for what no time can be given to or nothing is in."""
        if all([value is None for value in values]):
            return None
        if at is None:
            at = self._clock.now()
            if at:
                return at, values, self._clock.state == "set"
            if self._undated is None:
                from .undated import Undated  # noqa: PLC0415 - a clock that is unset is seldom, and soon set

                self._undated = Undated()
            self._undated.note(self._clock.uptime_s(), values)
            return None
        if self._clock.state != "set":
            return at, values, True
        ahead = at - self._clock.now()
        off = abs(ahead) > _METER_OFF_S
        # kept, a reading from the far future would make every true one after it late
        return None if ahead > _LEAP_S else (at, values, not off)

    def _refuse(self, stamp, values):
        """Take no reading that is not newer; tell it once in a run, unless it only says again what is known."""
        if stamp == self._closed and self._is_known(stamp, values):
            return 0
        if self._late:
            return 0
        self._late = True
        raise HubError("INTERVAL_LATE", "at")

    def _is_known(self, stamp, values):
        """Return whether a reading at the end of the newest interval only says again what is kept of it."""
        if self._before is not None:
            return self._before[0] == stamp  # two telegrams of one second
        kept = self._profile.value_at(stamp, 0)  # from before a start
        return kept is None or kept.values == values

    def _is_leap(self, at):
        """Return whether `at` is more than a day ahead of all before and too few readings have said so."""
        newest = max(self._closed, self._before[0] if self._before is not None else 0)
        if not newest or at <= newest + _LEAP_S:
            self._leap = (0, 0)
            return False
        before, count = self._leap
        count = count + 1 if before <= at <= before + _LEAP_S else 1
        self._leap = (at, count)
        return count < _AGREEING

    def _end_of(self, at):
        return -(-at // self._step) * self._step

    def _close(self, end, after):
        """Keep the interval that ends at `end`, if a reading tells; return how many were. after: the next reading."""
        before = self._before
        if before is not None and not end - self._step < before[0] <= end:
            before = None
        behind_s = end - before[0] if before is not None else _NEAR_S + 1
        ahead_s = after[0] - end if after is not None else _NEAR_S + 1
        if min(behind_s, ahead_s) <= _NEAR_S:
            chosen, quality = before if behind_s <= ahead_s else after, MEASURED
        else:
            chosen, quality = before, PARTIAL
        if quality == MEASURED and end > self._torn[0] and end - self._step < self._torn[1]:
            quality = PARTIAL
        if end - self._step <= self._exchanged < end:
            quality = EXCHANGED
        if chosen is not None:
            self._profile.append(Entry(end, quality if chosen[2] else CLOCK_UNSURE, chosen[1]))
        self._closed = end
        return int(chosen is not None)
