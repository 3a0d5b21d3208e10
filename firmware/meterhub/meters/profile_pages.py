"""What a load profile tells, in pages that fit into an answer: intervals, days, and readings at certain moments.

Source   the form of a page: codec/profile_page.py
Units    Unix seconds, UTC
Memory   one page, whatever the range: at most 192 intervals, and 1500 bytes of values as JSON
Errors   HubError RETRIEVE_FAILED when flash has lost something of what was asked for, unless `skip`: then what is left
         is told; OUT_OF_RANGE, NOT_AVAILABLE, INVALID_VALUE
Runs on  both

All of these are generators to go through with crypto.steps: they yield between slices, and return what they found.
"""

from micropython import const

from ..codec import profile_page
from ..codec.load_profile import MISSING
from ..errors import HubError

DAY_S = const(86400)
_SLICE = const(16)  # entries read between two looks at the other tasks
# what a page's values may be: sealed in a letter it must fit into one piece of a small heap
_ROOM = const(1500)  # bytes of JSON
_MOST = const(192)  # intervals: four days of half-hours


class Look:
    """One look into `profile` (store.profile.Profile): nothing older than `since` is seen; skip: damage is let be."""

    def __init__(self, profile, since: int, skip: bool) -> None:
        self.profile = profile
        self._since = since
        self._skip = skip

    def span(self, start: int, stop: int, last_s: int, step_s: int) -> tuple:
        """Return (from, to) of what was asked for, in whole steps.

        start, stop 0: all there is on that side; last_s: the newest so many seconds of it, 0: no limit.
        """
        first, last = self.profile.first, self.profile.last
        step = self.profile.interval_s
        if last is None:
            raise HubError("NOT_AVAILABLE", "profile")
        oldest = max(first - step, -(-self._since // step) * step)
        if start and stop and start >= stop:
            raise HubError("INVALID_VALUE", "arg.to")
        if start and start < oldest:
            raise HubError("OUT_OF_RANGE", "arg.from")
        if stop >= last + step:  # what is asked for up to now ends with the newest that there is
            raise HubError("OUT_OF_RANGE", "arg.to")
        stop = min(stop or last, last) // step_s * step_s
        start = max(start or oldest, stop - last_s if last_s else 0)
        start = -(-start // step_s) * step_s
        if start >= stop:
            raise HubError("NOT_AVAILABLE", "profile")
        return start, stop

    def entries(self, start: int, stop: int):
        """Yield the Entry of each interval end in start..stop."""
        profile = self.profile
        found = profile.read(start, stop, None, self._since)
        while True:
            met = profile.flaws
            try:
                entry = next(found)
            except StopIteration:
                entry = None
            if profile.flaws != met and not self._skip:
                raise HubError("RETRIEVE_FAILED", "profile")
            if entry is None:
                return
            yield entry

    def at(self, moment: int):
        """Return the Entry at a moment, MISSING where there is none."""
        return next(self.entries(moment, moment))


def intervals(look: Look, places: list, start: int, stop: int):
    """Return the page of the registers at `places` among the profile's columns, from start on."""
    page = _Page(look.profile, places, start, stop, look.profile.interval_s)
    last = None
    for turn, entry in enumerate(look.entries(start, stop)):
        if turn % _SLICE == 0:
            yield
        told = [entry.values[i] for i in places]
        if last is None:
            page.found["base"] = list(told)
            last = told
            continue
        steps = [None if value is None else value - (old or 0) for value, old in zip(told, last)]
        if not page.add(entry.quality if any([value is not None for value in told]) else MISSING, steps):
            break
        last = [old if value is None else value for value, old in zip(told, last)]
    return page.closed()


def days(look: Look, places: list, start: int, stop: int):
    """Return the page of what the registers have grown by in each day, UTC, from start on."""
    page = _Page(look.profile, places, start, stop, DAY_S)
    before = look.at(start)
    while page.end < stop:
        yield
        after = look.at(page.end + DAY_S)
        grown = [_growth(before.values[i], after.values[i]) for i in places]
        if not page.add(after.quality if any([one is not None for one in grown]) else MISSING, grown):
            break
        before = after
    return page.closed()


def readings(look: Look, places: list, moments: list):
    """Return {at: moments, quality: a digit for each, readings: [[...] of each register, null for none]}."""
    quality = []
    columns = [[] for _ in places]
    for moment in moments:
        yield
        entry = look.at(moment)
        told = [entry.values[i] for i in places]
        quality.append(str(entry.quality if any([value is not None for value in told]) else MISSING))
        for column, value in zip(columns, told):
            column.append(value)
    return {"at": moments, "quality": "".join(quality), "readings": columns}


def _growth(before, after):
    return None if before is None or after is None or after < before else after - before


class _Page:
    """A page in the making, from start on; there is nothing after `stop`."""

    def __init__(self, profile, places, start, stop, step_s):
        columns = [profile.columns[i] for i in places]
        count = min(_MOST, (stop - start) // step_s)
        self.end = start
        self._stop = stop
        self._n = 0
        self._room = _ROOM - 40 * len(places)
        self._quality = bytearray(count)
        self._values = [[None] * count for _ in places]
        self.found = {"from": start, "step_s": step_s, "seq": start // step_s}
        self.found["registers"] = [[column.obis, column.unit, column.scale] for column in columns]

    def add(self, quality, told):
        """Take the next interval; return False, and it is not taken, when there is no room for it."""
        self._room -= 1 + sum([6 if value is None else len(str(value)) + 2 for value in told])
        if self._room < 0 or self._n == len(self._quality):
            return False
        self._quality[self._n] = 48 + quality
        for values, value in zip(self._values, told):
            values[self._n] = value
        self._n += 1
        self.end += self.found["step_s"]
        return True

    def closed(self):
        page = self.found
        for values in self._values:
            del values[self._n :]
        page.update({"to": self.end, "values": self._values, "quality": str(self._quality[: self._n], "ascii")})
        page["next"] = self.end if self.end < self._stop else 0
        page["sha256"] = profile_page.checksum(page)
        return page
