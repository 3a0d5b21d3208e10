"""The load profile: what the registers read at the end of every interval, for 13 months, through power cuts.

Source   GB SMETS2 (13 months of half-hours); the files: store/segment.py, one for each UTC month, named
         YYYYMM and a letter: "202510a.lp". A month has a second file (b, c, ...) when the columns, the interval or
         a meter changed within it, or the header of its first was damaged.
Units    at: Unix seconds of the interval's end, a multiple of interval_s; values as the columns say
Memory   a few hundred bytes, whatever the history; read() holds one Window.
Errors   HubError INTERVAL_LATE; STORE_FULL, STORE_DAMAGED when the file system takes no more, and what could not be
         written is not kept. What a file lost is missing, and told. A file that cannot be read is told and left where
         it is: at a start the newest ones, the others when they are read, or by look(). A folder that cannot be
         listed is set aside (files.set_aside), and a new one begun.
Runs on  both

The history of each meter is kept apart: a file holds one meter's readings in each column, and its header says whose.
What is read is of the meters there are now; a register of any other is None there, though its file stays. A file from
before a column's meter was known counts as that of the first one that was known in that column.
"""

from micropython import const

from ..codec import calendar
from ..codec.load_profile import KEPT, MISSING, Entry
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
        wrong = files.open_dir(path)
        if wrong and tell is not None:
            tell(wrong)
        self.columns = columns
        self.interval_s = interval_s
        self.damaged = 0
        self.flaws = 0  # damage met by whoever has read since the start, each time anew
        self.since = 0  # what is older is kept, and read only by who asks for it
        self.last = None  # Unix s of the newest entry's end
        self._path = path
        self._months = months
        self._tell = tell
        self._told = set()
        self._head = segment.header(columns, interval_s)
        self.meters = ("",) * len(columns)  # each column's meter_id, "" while it is not known
        self._eldest = None  # each column's first known one, once somebody had to know
        self._none = (None,) * len(columns)
        self._name = ""  # the file that is added to, "" when the next entry begins one
        self._ordinal = 0  # records in it
        self._anchor = True  # the next record must be one
        self._values = []  # each column's last reading since the last anchor
        self._first = None
        self._count = None
        self.meters = self._told_first(reversed(self._names()))
        self._head = segment.header(columns, interval_s, self.meters)
        self._resume()

    def exchanged(self, meters: tuple) -> list:
        """Return the indexes of the columns where set_meters(meters) would put another meter in the place of one."""
        pairs = enumerate(zip(meters, self.meters))
        return [i for i, (told, known) in pairs if known and segment.meter_id(told) not in ("", known)]

    def set_meters(self, meters: tuple) -> None:
        """Let what is appended from now on be readings of these meters: an id for each column, "" where none is told.

        HubError STORE_FULL, STORE_DAMAGED: their file could not be begun; the next append() will try again.
        """
        before = self.meters
        known = tuple([segment.meter_id(told) or old for told, old in zip(meters, before)])
        if known == before:
            return
        self._eldest = tuple([old or new for old, new in zip(self.eldest_meters(), known)])
        self.meters = known
        self._head = segment.header(self.columns, self.interval_s, known)
        self._first = self._count = None
        self._resume()  # what lies under a damaged header may now show to be theirs
        named = any([new and not old for old, new in zip(before, known)])
        if named and self.last is not None and not self._name:
            try:
                self._begin(self.last)  # at once: the files before must never count as those of who comes after them
            except OSError as err:
                raise HubError(files.trouble(err), "profile")

    def look(self):
        """Generate a step for each file, which is looked into: `count` need not, and a damaged header is told."""
        before, count = (self.last, self.meters, self.since), 0
        for name in self._names():
            count += self._size(name)
            yield
        if before == (self.last, self.meters, self.since):  # else what has changed may have been counted or not
            self._count = count

    def hide_before(self, since: int) -> None:
        """Let nobody read, by default, what was kept before `since` (Unix s)."""
        self.since = since
        self._count = None

    @property
    def first(self) -> "int | None":
        """Unix seconds of the oldest entry's end, hidden or not, None while there is none."""
        if self._first is None:
            for name in self._names():
                found = self._open(name)
                if found is None:
                    continue
                for index in found.records(found.locate(0)):
                    self._first = index * found.interval_s
                    return self._first
        return self._first

    @property
    def count(self) -> int:
        """How many entries are kept and not hidden; the first call after a boot looks into every file."""
        if self._count is None:
            self._count = sum([self._size(name) for name in self._names()])
        return self._count

    def append(self, entry: Entry) -> None:
        """Keep an entry; its quality is one of load_profile.KEPT.

        HubError INTERVAL_LATE unless it is newer than all that are kept, STORE_FULL, STORE_DAMAGED when it cannot be
        written; ValueError for one that cannot be.
        """
        at, quality, values = entry
        if at % self.interval_s or quality not in KEPT or len(values) != len(self.columns):
            raise ValueError("entry")
        if any([value is not None and value < 0 for value in values]):
            raise ValueError("entry")
        if self.last is not None and at <= self.last:
            raise HubError("INTERVAL_LATE", "at")
        try:
            self._write(at, quality, values)
        except OSError as err:
            raise HubError(files.trouble(err), "profile")

    def _write(self, at, quality, values):
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

    def read(self, start: int, stop: int, meters: "tuple | None" = None, since: "int | None" = None):
        """Yield an Entry for every interval end in start..stop, oldest first, MISSING where nothing is kept.

        meters: whose readings, as in `meters`, "" for those of any; those there are now when it is not given. What is
        older than `since` is MISSING; that of the profile when it is not given.
        """
        meters = meters or self.meters
        since = self.since if since is None else since
        step = self.interval_s
        at = -(-start // step) * step
        for name in self._names():
            if at > stop or _month_of_name(name) > _month(stop):
                break
            if _month_of_name(name) < _month(at):
                continue
            for entry in self._entries(name, at, stop, meters):
                while at < entry.at:
                    yield Entry(at, MISSING, self._none)
                    at += step
                if at == entry.at:  # not one from before `start`, or of a shorter interval than ours
                    yield entry if at >= since else Entry(at, MISSING, self._none)
                    at += step
        while at <= stop:
            yield Entry(at, MISSING, self._none)
            at += step

    def value_at(self, at: int, since: "int | None" = None) -> "Entry | None":
        """Return the entry of the interval that ends at `at`, None when there is none. since: as in read()."""
        for entry in self.read(at, at, None, since):
            if entry.quality != MISSING:
                return entry
        return None

    def _entries(self, name, start, stop, meters):
        """Yield a file's entries up to `stop` in our columns; from `start` on none is left out."""
        found = self._open(name)
        if found is None:
            return
        order = self._order(found, meters)
        if all([place is None for place in order]):
            return
        if order == list(range(len(found.columns))):
            order = None
        for index in found.records(found.locate(start // found.interval_s)):
            at = index * found.interval_s
            if at > stop:
                return
            values = found.values
            if order is not None:
                values = tuple([None if i is None else values[i] for i in order])
            yield Entry(at, found.quality, values)

    def _order(self, found, meters):
        """Return for each of our columns which of an open file's it is, None where that is of another meter, too."""
        order = self._places(found.columns)
        for i, place in enumerate(order):
            if place is not None and meters[i] not in ("", found.meters[place] or self.eldest_meters()[i]):
                order[i] = None
        return order

    def _places(self, columns):
        """Return for each of our columns which of a file's it is, None where the file has it not."""
        return [columns.index(column) if column in columns else None for column in self.columns]

    # -- files -------------------------------------------------------------------------------------------

    def _names(self):
        try:
            return [name for name in files.names(self._path) if _month_of_name(name) >= 0]
        except OSError:
            self._note(self._path, "cannot be listed")
            return []

    def _open(self, name):
        """Return a file as a Segment, None when there is nothing to be had from it."""
        try:
            return segment.Segment(self._path + "/" + name, self._head, lambda offset: self._damage(name, offset))
        except OSError:
            self._note(name, "cannot be read")
            return None

    def _damage(self, name, offset):
        self._note(name, "damaged at byte %d" % offset)

    def _note(self, name, what):
        self.flaws += 1
        if name not in self._told:
            self._told.add(name)
            self.damaged += 1
            if self._tell is not None:
                self._tell(name + ": " + what)

    def _size(self, name):
        found = self._open(name)
        if found is None:
            return 0
        if self.since and _month_of_name(name) <= _month(self.since):
            return sum([index * found.interval_s >= self.since for index in found.records(found.locate(0))])
        return found.ordinal + 1 if found.read_tail() else 0

    def eldest_meters(self):
        """Return for each column the meter that was the first to be known."""
        if self._eldest is None:
            self._eldest = self._told_first(self._names())
        return self._eldest

    def _told_first(self, names):
        """Return for each column the meter that the first of the files to name one names; no more are opened."""
        told = [""] * len(self.columns)
        for name in names:
            found = self._open(name)
            if found is None:
                continue
            for i, place in enumerate(self._places(found.columns)):
                if place is not None:
                    told[i] = told[i] or found.meters[place]
            if all(told):
                break
        return tuple(told)

    def _resume(self):
        """Find the newest entry, and the file to go on with."""
        self._name = ""
        self._anchor = True
        names = self._names()
        for i in range(len(names) - 1, -1, -1):
            found = self._open(names[i])
            if found is None:
                continue
            has_entries = found.read_tail()
            if found.is_current and i == len(names) - 1:
                self._name = names[i]
                self._ordinal = found.ordinal + 1
            if has_entries:
                self.last = found.index * found.interval_s
                return

    def _begin(self, at):
        """Begin a file for the month of `at`, and let go of those that are too old."""
        month = _month(at)
        files.ensure_dir(self._path)  # there may have been no room for it
        for name in files.names(self._path):
            if -1 < _month_of_name(name) < month - self._months:
                self._let_go(name)
        stem = "%04d%02d" % (month // 12, month % 12 + 1)
        taken = [name for name in files.names(self._path) if name.startswith(stem) and _month_of_name(name) >= 0]
        letter = chr(ord(taken[-1][6]) + 1) if taken else "a"
        if letter > "z":
            raise HubError("STORE_FULL", "profile")
        files.replace(self._path + "/" + stem + letter + _SUFFIX, self._head)
        self._name = stem + letter + _SUFFIX
        self._ordinal = 0
        self._anchor = True

    def _let_go(self, name):
        try:
            files.remove(self._path + "/" + name)
        except OSError:
            self._note(name, "cannot be removed")
        self._first = self._count = None


def _month(at):
    year, month, _ = calendar.date(at // _DAY_S)
    return year * 12 + month - 1


def _month_of_name(name):
    """Return the month number of a file's name, -1 when it is none of ours."""
    if len(name) != 10 or name[7:] != _SUFFIX or not name[:6].isdigit() or not "a" <= name[6] <= "z":
        return -1
    return int(name[:4]) * 12 + int(name[4:6]) - 1
