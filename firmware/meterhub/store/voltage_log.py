"""The voltage log: the mean of each phase in each averaging period, the newest 4,320 at least, through power cuts.

Source   GB SMETS2 (4,320 entries, a configurable period: 90 days of half-hours). Files in a folder, named by a number
         that rises, "00000001.vl"; each takes 480 entries and is added to only: littlefs copies a file from the place
         on where it is changed, and takes what is appended in one commit. A new one is begun when it is full, when
         the period or the phases are others, and when its end is torn; the oldest goes when the rest hold enough, or
         are 32. Little endian:
             head   4 bytes magic "MHV1", u32 first (Unix s: end of the period with the number 0), u32 period_s,
                    u8 phases (bit 0: L1), u8 0, u16 CRC-16/ARC (from 0xFFFF)
             entry  u16 number of the period; for each phase u16 mean in 0.1 V (65535: nothing was measured), u8 how
                    much of the period was measured, in percent; u16 CRC-16/ARC (from 0xFFFF)
         A period that has no entry was not measured at all.
Units    dv: 0.1 V; end: Unix seconds
Memory   a Window while it is read
Errors   OSError from append(). What is damaged is passed over, counted and told.
Runs on  both
"""

import struct

from micropython import const

from ..codec.crc import crc16_arc
from . import files
from .window import Window

ENTRIES = const(4320)
_PER_FILE = const(480)
_MOST_FILES = const(32)
_MAGIC = const(b"MHV1")
_HEAD = const(16)
_SEED = const(0xFFFF)
_NONE = const(65535)
_SUFFIX = const(".vl")
_FOREVER = const(0xFFFFFFFF)


class VoltageLog:
    """The log in the folder `path`. tell(detail), when given, hears of each damage, once a boot.

    damaged: how many entries and files that belong to what was read could not be; wrong: which was the last.
    """

    def __init__(self, path: str, tell=None, entries: int = ENTRIES, per_file: int = _PER_FILE) -> None:
        self._path = path
        self._tell = tell
        self._entries = entries
        self._per_file = per_file
        self._told = set()
        self.damaged = 0
        self.wrong = ""
        said = files.open_dir(path)
        if said and tell is not None:
            tell(said)
        self._name = ""  # the file that is added to, "" when the next entry begins one
        self._number = 0  # of the newest file
        self._first = self._period_s = self._phases = self._count = 0
        self._resume()

    def _resume(self):
        names = self._names()
        if not names:
            return
        self._number = int(names[-1][:8])
        head = self._head(names[-1])
        if head is not None:
            self._first, self._period_s, self._phases, size = head
            if not (size - _HEAD) % _length(self._phases):  # no torn end
                self._name = names[-1]
                self._count = (size - _HEAD) // _length(self._phases)

    # -- writing -------------------------------------------------------------------------------------

    def append(self, end: int, period_s: int, phases: int, means: tuple, covered: tuple) -> None:
        """Keep the means (dv or None) of a period, and how much of it was measured (percent), for each of `phases`."""
        number = (end - self._first) // period_s
        as_before = period_s == self._period_s and phases == self._phases and not (end - self._first) % period_s
        if not self._name or not as_before or self._count >= self._per_file or not 0 <= number < _NONE:
            self._begin(end, period_s, phases)
            number = 0
        raw = bytearray(struct.pack("<H", number))
        for i in range(8):
            if phases & 1 << i:
                mean = _NONE if means[i] is None else min(means[i], _NONE - 1)
                raw.extend(struct.pack("<HB", mean, min(100, covered[i])))
        _close(raw)
        name, self._name = self._name, ""  # should it be torn, the next one begins a file
        with open(self._path + "/" + name, "ab") as file:
            file.write(raw)
        self._name = name
        self._count += 1

    def _begin(self, end, period_s, phases):
        names = self._names()
        kept = [self._size(name) for name in names]
        while names and (sum(kept[1:]) >= self._entries or len(names) >= _MOST_FILES):
            files.remove(self._path + "/" + names.pop(0))
            kept.pop(0)
        raw = bytearray(_MAGIC) + struct.pack("<IIBB", end, period_s, phases, 0)
        name = "%08d%s" % (self._number + 1, _SUFFIX)
        files.replace(self._path + "/" + name, _close(raw))
        self._number += 1
        self._name, self._count = name, 0
        self._first, self._period_s, self._phases = end, period_s, phases

    # -- reading -------------------------------------------------------------------------------------

    def read(self, start: int, stop: int):
        """Generate (end, period_s, phases, (dv or None, ...), (percent, ...)) of start <= end <= stop, as written.

        The two last hold one value for each of the phases.
        """
        for name in self._names():
            head = self._head(name)
            if head is None:
                self._damage(name, 0)
                continue
            if self._is_over(name, head, start):
                continue
            for entry in self._entries_of(name, head, start, stop):
                yield entry

    def _is_over(self, name, head, start):
        """Return whether the last entry of a file lies before `start`."""
        length = _length(head[2])
        count = (head[3] - _HEAD) // length
        if not count:
            return True
        window = Window(self._path + "/" + name, length)
        at = window.show(_HEAD + (count - 1) * length, length)
        end = _end(window.buf, at, length, head)
        return end is not None and end < start

    def _entries_of(self, name, head, start, stop):
        length = _length(head[2])
        window = Window(self._path + "/" + name)
        before, lost = 0, 0  # end of the last good entry; where damage was met after it
        for pos in range(_HEAD, head[3] - length + 1, length):
            at = window.show(pos, length)
            end = _end(window.buf, at, length, head)
            if end is None:
                lost = lost or pos
                continue
            if lost and end > start and before < stop:
                self._damage(name, lost)
            before, lost = end, 0
            if start <= end <= stop:
                yield self._entry(window.buf, at, end, head)
        if lost and before < stop:
            self._damage(name, lost)

    def _entry(self, buf, at, end, head):
        means, covered = [], []
        for i in range((_length(head[2]) - 4) // 3):
            mean, percent = struct.unpack_from("<HB", buf, at + 2 + 3 * i)
            means.append(None if mean == _NONE else mean)
            covered.append(percent)
        return end, head[1], head[2], tuple(means), tuple(covered)

    # -- files ---------------------------------------------------------------------------------------

    def _names(self):
        try:
            names = files.names(self._path)
        except OSError:
            self._damage("", 0)
            return []
        return [name for name in names if len(name) == 11 and name[:8].isdigit() and name[8:] == _SUFFIX]

    def _head(self, name):
        """Return (first, period_s, phases, bytes of the file), None when it cannot be read or is damaged."""
        try:
            window = Window(self._path + "/" + name, _HEAD)
        except OSError:
            return None
        raw = bytes(window.buf[: _HEAD if window.show(0, _HEAD) == 0 and window.end >= _HEAD else 0])
        if raw[:4] != _MAGIC or crc16_arc(raw, _HEAD, _SEED):
            return None
        first, period_s, phases, _ = struct.unpack_from("<IIBB", raw, 4)
        return first, period_s, phases, window.end

    def _size(self, name):
        head = self._head(name)
        return 0 if head is None else (head[3] - _HEAD) // _length(head[2])

    def _damage(self, name, offset):
        self.damaged += 1
        self.wrong = "%s damaged at byte %d" % (name or "folder", offset)
        if self.wrong not in self._told:
            self._told.add(self.wrong)
            if self._tell is not None:
                self._tell("voltage log " + self.wrong)


def _length(phases):
    return 4 + 3 * sum([phases >> i & 1 for i in range(8)])


def _end(buf, at, length, head):
    """Return the end of the period of an entry, None when it is damaged."""
    raw = bytes(memoryview(buf)[at : at + length])
    return None if crc16_arc(raw, length, _SEED) else head[0] + head[1] * (raw[0] | raw[1] << 8)


def _close(raw):
    raw.extend(struct.pack("<H", crc16_arc(raw, len(raw), _SEED)))
    return raw
