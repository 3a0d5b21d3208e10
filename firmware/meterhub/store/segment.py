"""One month of the load profile in one file: its format, and how it is read.

Source   this file; columns: codec/load_profile.py; numbers: codec/varint.py.
Memory   a Window (512 bytes) and one record.
Errors   none for what a file holds: bytes that are no record are skipped, counted and told.
Runs on  both

    header   4 bytes magic "MHLP", u8 version 3, u8 R (1..8), u16 interval_s, R columns (6 bytes OBIS A-F, i8 scale,
             u8 unit), R ids, each that of the column's meter (u8 length, at most 48, 0 where it is not known; ASCII),
             u16 CRC-16/ARC (from 0xFFFF) over all that stands before it. Little endian.
    records  to the end of the file, each:
             u8      kind and quality: 0xA0 anchor or a step, plus the quality (load_profile.KEPT). A step is 0x50,
                     0x18, 0x28, 0x30, 0x48, 0x60, 0x88 or 0x90: so many of the last registers (0..7) stand still,
                     and have no cell; as many as do
             anchor: varint index, the interval's end / interval_s; varint ordinal, the records before it in the file
             cells   of each other register a varint: 0 where it was not read, else 1 + its reading less its last one;
                     an anchor has all R and forgets the last readings, so its cells are 1 + the reading
             u16     CRC-16/ARC from the header's CRC on, over the index (u32) and all of the record before this

Two kinds differ in two bits at least: one that has flipped makes no record of another length. Older files are read:
in version 2 every step is 0x50 and has R cells; version 1 has no ids either.
The index of a step is one more than that of the record before. So a record counts only in its own place, in a file
of its own kind. An anchor stands at the start, after every boot, gap and lower reading, and first on each UTC day:
what is damaged costs the records up to the next one.
"""

import struct

from micropython import const

from ..codec import varint
from ..codec.crc import crc16_arc
from ..codec.load_profile import KEPT, Column
from ..codec.obis import pack_obis, unpack_obis
from .window import Window

_MAGIC = const(b"MHLP")
_NAMELESS = const(1)  # versions
_NAMED = const(2)
_SHORT = const(3)
_SEED = const(0xFFFF)
_STEPS = const(b"\x50\x18\x28\x30\x48\x60\x88\x90")  # by how many registers stand still
_STILL = const(1)  # the cell of one that does
_ANCHOR = const(0xA0)
_KIND = const(0xF8)
_MOST_RECORD = const(96)  # tag, two numbers, 8 cells of 9 bytes, CRC
_MOST_ID = const(48)
_MOST_HEADER = const(466)
_NEAR = const(512)  # bytes of a file that hold more than a day, and so an anchor


def meter_id(told: str) -> str:
    """Return the id of a meter as a header can hold it: the end of it, without what is not printable ASCII."""
    return "".join([c for c in told if " " < c <= "~"])[-_MOST_ID:]


def header(columns: list, interval_s: int, meters: tuple = (), version: int = _SHORT) -> bytes:
    """Return a file's header for a list of Columns and the meter_id() of each, "" where it is not known."""
    out = bytearray(_MAGIC)
    out.extend(struct.pack("<BBH", version, len(columns), interval_s))
    for column in columns:
        out.extend(pack_obis(column.obis))
        out.append(column.scale & 255)
        out.append(column.unit)
    if version != _NAMELESS:
        for meter in meters or ("",) * len(columns):
            out.append(len(meter))
            out.extend(meter.encode())
    out.extend(struct.pack("<H", crc16_arc(out, len(out), _SEED)))
    return bytes(out)


def pack_record(head: bytes, index: int, quality: int, values: tuple, last: "list | None", ordinal: int) -> bytearray:
    """Return a record: a step from the `last` readings, an anchor when that is None. head: its file's, just made."""
    cells = [0 if value is None else 1 + value - ((last[i] or 0) if last else 0) for i, value in enumerate(values)]
    kind = _ANCHOR
    if last is not None:
        still = 0
        while cells and cells[-1] == _STILL and still + 1 < len(_STEPS):
            cells.pop()
            still += 1
        kind = _STEPS[still]
    out = bytearray((kind | quality,))
    if last is None:
        varint.append(out, index)
        varint.append(out, ordinal)
    for cell in cells:
        varint.append(out, cell)
    out.extend(struct.pack("<H", _record_crc(out, len(out), index, _seed_of(head))))
    return out


def _seed_of(head):
    return head[-2] | head[-1] << 8


def _record_crc(raw, n, index, seed):
    return crc16_arc(raw, n, crc16_arc(struct.pack("<I", index), 4, seed))


class Segment:
    """The file at `path`. expected: the header() that it would have if it were written now.

    is_current: its header is the expected one; columns, interval_s, meters (an id for each column): those of its
    header. index, quality, values, last, ordinal: of the record read last. tell(offset), when set, hears of each
    stretch of damage; damaged counts them.
    """

    def __init__(self, path: str, expected: bytes, tell=None) -> None:
        self._window = Window(path)
        self._tell = tell
        self.damaged = 0
        window = self._window
        at = window.show(0, _MOST_HEADER)
        head = _header_in(window.buf, at, window.limit())
        self._start = len(head)
        self._crc_buf = bytearray(4)
        self.is_current = head == expected
        self._take(head or expected)
        if not head:
            self._note(0)
            self._guess(expected)

    def _take(self, head):
        """Be a file with this header."""
        self.columns, self.interval_s, self.meters = _content(head)
        self._seed = _seed_of(head)
        self._most_still = min(len(self.columns), len(_STEPS) - 1) if head[4] == _SHORT else 0
        self.forget()

    def _guess(self, expected):
        """Find under which header that could be ours there are records: they show by their CRC."""
        for version in (_SHORT, _NAMED, _NAMELESS):
            self._take(header(self.columns, self.interval_s, self.meters, version))
            if self.find_anchor(0, self._window.end) >= 0:
                return
        self._take(expected)

    def forget(self) -> None:
        """Be at no record: the next one must be an anchor."""
        self.index = self.ordinal = -1
        self.quality = 0
        self.values = ()
        self.last = [None] * len(self.columns)

    def records(self, offset: int):
        """Yield the index of each whole record from `offset` on; the attributes are those of that record."""
        window = self._window
        while offset < window.end:
            size = self._read(offset)
            if size:
                yield self.index
                offset += size
                continue
            self._note(offset)
            offset = self.find_anchor(offset + 1, window.end)
            if offset < 0:
                return

    def locate(self, index: int) -> int:
        """Return where to read from so as to pass over no record of `index` or later: an anchor, if there is one."""
        low, high = self._start, self._window.end
        while high - low > _NEAR:
            middle = (low + high) // 2
            found = self.find_anchor(middle, high)
            if found >= 0 and self._peek(found) <= index:
                low = found
            else:
                high = middle
        return low

    def read_tail(self) -> bool:
        """Read the last record; False when the file has none."""
        near = _NEAR
        while True:
            offset = max(self._start, self._window.end - near)
            found = self.find_anchor(offset, self._window.end)
            if found >= 0:
                self.forget()
                for _ in self.records(found):
                    pass
                return True
            if offset == self._start:
                return False
            near *= 4

    def find_anchor(self, offset: int, stop: int) -> int:
        """Return where in offset..stop the first anchor stands, -1 when there is none."""
        window = self._window
        while offset < stop:
            at = window.show(offset, _MOST_RECORD)
            limit = window.limit()
            while at < limit:
                if window.buf[at] & _KIND == _ANCHOR:
                    break
                at += 1
                offset += 1
            if at < limit and offset < stop and self._peek(offset) >= 0:
                return offset
            if at < limit:
                offset += 1
        return -1

    def _peek(self, offset):
        """Return the index of the anchor at `offset`, -1 when there is none."""
        window = self._window
        at = window.show(offset, _MOST_RECORD)
        try:
            if window.buf[at] & _KIND != _ANCHOR:
                return -1
            return self._decode(window.buf, at, window.limit())[1]
        except (IndexError, ValueError):
            return -1

    def _read(self, offset):
        """Move on to the record at `offset`; return its size, 0 when there is none that can come next."""
        window = self._window
        at = window.show(offset, _MOST_RECORD)
        try:
            size, index, ordinal, values = self._decode(window.buf, at, window.limit())
        except (IndexError, ValueError):
            return 0
        if index <= self.index:  # time does not run back in a file
            return 0
        self.index = index
        self.ordinal = ordinal
        self.quality = window.buf[at] & 7
        anchor = window.buf[at] & _KIND == _ANCHOR
        for i, value in enumerate(values):
            if anchor or value is not None:
                self.last[i] = value
        self.values = values
        return size

    def _decode(self, buf, at, limit):
        """Return (size, index, ordinal, values) of the record at buf[at]; IndexError, ValueError if there is none."""
        pos = at + 1
        last = self.last
        told = len(self.columns)
        if buf[at] & _KIND == _ANCHOR:
            index, pos = varint.read(buf, pos)
            ordinal, pos = varint.read(buf, pos)
            last = None
        else:
            index = self.index + 1
            ordinal = self.ordinal + 1
            told -= self._still(buf[at] & _KIND)
        values = []
        for i in range(len(self.columns)):
            cell = _STILL
            if i < told:
                cell, pos = varint.read(buf, pos)
            if cell:
                values.append(cell - 1 + ((last[i] or 0) if last is not None else 0))
            else:
                values.append(None)
        if pos + 2 > limit or buf[at] & 7 not in KEPT or index >> 32:
            raise ValueError
        struct.pack_into("<I", self._crc_buf, 0, index)
        crc = crc16_arc(memoryview(buf)[at:pos], pos - at, crc16_arc(self._crc_buf, 4, self._seed))
        if crc != buf[pos] | buf[pos + 1] << 8:
            raise ValueError
        return pos + 2 - at, index, ordinal, tuple(values)

    def _still(self, kind):
        """Return how many registers have no cell in a step of this kind; ValueError when it is none."""
        for still in range(self._most_still + 1):
            if _STEPS[still] == kind:
                return still
        raise ValueError

    def _note(self, offset):
        self.damaged += 1
        if self._tell is not None:
            self._tell(offset)


def _header_in(buf, at, limit):
    """Return the header at buf[at], b"" when there is none that is whole and of a version we know."""
    if limit - at < 18 or bytes(buf[at : at + 4]) != _MAGIC or not _NAMELESS <= buf[at + 4] <= _SHORT:
        return b""
    width = buf[at + 5]
    end = at + 8 + 8 * width
    if buf[at + 4] != _NAMELESS:
        for _ in range(width):
            end += 1 + (buf[end] if end < limit else 0)
    size = end + 2 - at
    raw = bytes(buf[at : at + size])
    if not 0 < width <= 8 or at + size > limit or crc16_arc(raw, size, _SEED) or not raw[6] | raw[7]:
        return b""
    return raw


def _content(head):
    """Return (list of Column, interval_s, tuple of ids) of a whole header."""
    columns = []
    pos = 8
    for _ in range(head[5]):
        scale = head[pos + 6]
        columns.append(Column(unpack_obis(head[pos : pos + 6]), scale - 256 if scale > 127 else scale, head[pos + 7]))
        pos += 8
    meters = [""] * len(columns)
    if head[4] != _NAMELESS:
        for i in range(len(columns)):
            stop = pos + 1 + head[pos]
            meters[i] = "".join([chr(c) for c in head[pos + 1 : stop]])
            pos = stop
    return columns, head[6] | head[7] << 8, tuple(meters)
