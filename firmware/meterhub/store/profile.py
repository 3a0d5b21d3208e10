"""The load profile: what the registers read at the end of every interval, for 13 months, through power cuts.

Source   GB SMETS2 (13 months of half-hours); the files: store/segment.py, one for each UTC month, named
         YYYYMM and a letter: "202510a.lp". A month has a second file (b, c, ...) when the columns or the interval
         changed within it, or the header of its first was damaged.
Units    at: Unix seconds of the interval's end, a multiple of interval_s; values as the columns say
Memory   a few hundred bytes, whatever the history; read() holds one Window.
Errors   HubError INTERVAL_LATE, STORE_FULL; OSError from the file system. What a file lost is missing, and told.
Runs on  both
"""

from micropython import const

from ..codec import calendar
from ..codec.load_profile import MISSING, OPEN, Entry
from ..errors import HubError
from . import files, segment

_DAY_S = const(86400)
_SUFFIX = const(".lp")


class Profile:
    """The load profile in the folder `path`.

    columns: list of load_profile.Column; months: how many are kept besides the current one. tell(detail), when given,
    hears of each file found damaged, once a boot.
    """

    def __init__(self, path: str, columns: list, interval_s: int = 1800, months: int = 13, tell=None) -> None:
        files.ensure_dir(path)
        self.columns = columns
        self.interval_s = interval_s
        self.damaged = 0
        self.last = None  # Unix s of the newest entry's end
        self._path = path
        self._months = months
        self._tell = tell
        self._told = set()
        self._head = segment.header(columns, interval_s)
        self._none = (None,) * len(columns)
        self._name = ""  # the file that is added to, "" when the next entry begins one
        self._ordinal = 0  # records in it
        self._anchor = True  # the next record must be one
        self._values = []  # each column's last reading since the last anchor
        self._first = None
        self._count = None
        self._resume()

    @property
    def first(self) -> "int | None":
        """Unix seconds of the oldest entry's end, None while there is none."""
        if self._first is None:
            for name in self._names():
                found = self._open(name)
                for index in found.records(found.locate(0)):
                    self._first = index * found.interval_s
                    return self._first
        return self._first

    @property
    def count(self) -> int:
        """How many entries are kept; the first call after a boot looks into every file."""
        if self._count is None:
            self._count = sum([self._size(name) for name in self._names()])
        return self._count

    def append(self, entry: Entry) -> None:
        """Keep an entry of quality MEASURED, PARTIAL or CLOCK_UNSURE.

        Raises HubError INTERVAL_LATE unless it is newer than all that are kept, ValueError for one that cannot be.
        """
        at, quality, values = entry
        if at % self.interval_s or not MISSING < quality < OPEN or len(values) != len(self.columns):
            raise ValueError("entry")
        if any([value is not None and value < 0 for value in values]):
            raise ValueError("entry")
        if self.last is not None and at <= self.last:
            raise HubError("INTERVAL_LATE", "at")
        if not self._name or _month(at) != _month_of_name(self._name):
            self._begin(at)
        last = None if self._needs_anchor(at, values) else self._values
        raw = segment.pack_record(self._head, at // self.interval_s, quality, values, last, self._ordinal)
        self._anchor = True  # should the next line be the last one before the power goes
        with open(self._path + "/" + self._name, "ab") as file:
            file.write(raw)
        self._anchor = False
        self._keep(at, values, last is None)

    def _keep(self, at, values, anchored):
        if anchored:
            self._values = list(values)
        else:
            self._values = [old if v is None else v for v, old in zip(values, self._values)]
        self._ordinal += 1
        if self.last is None:
            self._first = at
        self.last = at
        if self._count is not None:
            self._count += 1

    def _needs_anchor(self, at, values):
        if (
            self._anchor
            or self.last is None
            or at != self.last + self.interval_s
            or at // _DAY_S != self.last // _DAY_S
        ):
            return True
        # a lower reading: the meter was exchanged
        return any([o is not None and v is not None and v < o for o, v in zip(self._values, values)])

    def read(self, start: int, stop: int):
        """Yield an Entry for every interval end in start..stop, oldest first, MISSING where nothing is kept."""
        step = self.interval_s
        at = -(-start // step) * step
        for name in self._names():
            if at > stop or _month_of_name(name) > _month(stop):
                break
            if _month_of_name(name) < _month(at):
                continue
            for entry in self._entries(name, at, stop):
                while at < entry.at:
                    yield Entry(at, MISSING, self._none)
                    at += step
                if at == entry.at:  # not one from before `start`, or of a shorter interval than ours
                    yield entry
                    at += step
        while at <= stop:
            yield Entry(at, MISSING, self._none)
            at += step

    def value_at(self, at: int) -> "Entry | None":
        """Return the entry of the interval that ends at `at`, None when there is none."""
        for entry in self.read(at, at):
            if entry.quality != MISSING:
                return entry
        return None

    def _entries(self, name, start, stop):
        """Yield a file's entries up to `stop` in our columns; from `start` on none is left out."""
        found = self._open(name)
        order = None if found.columns == self.columns else self._order(found.columns)
        for index in found.records(found.locate(start // found.interval_s)):
            at = index * found.interval_s
            if at > stop:
                return
            values = found.values
            if order is not None:
                values = tuple([None if i is None else values[i] for i in order])
            yield Entry(at, found.quality, values)

    def _order(self, columns):
        """Return for each of our columns which of a file's it is, None where the file has it not."""
        return [columns.index(column) if column in columns else None for column in self.columns]

    # -- files -------------------------------------------------------------------------------------------

    def _names(self):
        return [name for name in files.names(self._path) if _month_of_name(name) >= 0]

    def _open(self, name):
        return segment.Segment(self._path + "/" + name, self._head, lambda offset: self._note(name, offset))

    def _note(self, name, offset):
        if name not in self._told:
            self._told.add(name)
            self.damaged += 1
            if self._tell is not None:
                self._tell("%s: damaged at byte %d" % (name, offset))

    def _size(self, name):
        found = self._open(name)
        return found.ordinal + 1 if found.read_tail() else 0

    def _resume(self):
        """Find the newest entry, and the file to go on with."""
        names = self._names()
        for i in range(len(names) - 1, -1, -1):
            found = self._open(names[i])
            if found.read_tail():
                self.last = found.index * found.interval_s
                if found.is_current and i == len(names) - 1:
                    self._name = names[i]
                    self._ordinal = found.ordinal + 1
                return

    def _begin(self, at):
        """Begin a file for the month of `at`, and let go of those that are too old."""
        month = _month(at)
        for name in self._names():
            if _month_of_name(name) < month - self._months:
                files.remove(self._path + "/" + name)
                self._first = self._count = None
        stem = "%04d%02d" % (month // 12, month % 12 + 1)
        taken = [name for name in self._names() if name.startswith(stem)]
        letter = chr(ord(taken[-1][6]) + 1) if taken else "a"
        if letter > "z":
            raise HubError("STORE_FULL", "profile")
        files.replace(self._path + "/" + stem + letter + _SUFFIX, self._head)
        self._name = stem + letter + _SUFFIX
        self._ordinal = 0
        self._anchor = True


def _month(at):
    year, month, _ = calendar.date(at // _DAY_S)
    return year * 12 + month - 1


def _month_of_name(name):
    """Return the month number of a file's name, -1 when it is none of ours."""
    if len(name) != 10 or name[7:] != _SUFFIX or not name[:6].isdigit() or not "a" <= name[6] <= "z":
        return -1
    return int(name[:4]) * 12 + int(name[4:6]) - 1
