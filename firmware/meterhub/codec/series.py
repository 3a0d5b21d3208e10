"""A load profile on its way out: register readings at interval ends, packed with delta varints.

Source   this file; columns, entries, qualities: codec/load_profile.py; OBIS codes: codec/obis.py.
Units    what each register's header says: value x 10^scale in `unit` (30 Wh, 13 m3).
Memory   Packer holds the bytes of one chunk; nothing else grows.
Errors   HubError MALFORMED for bytes that are no series.
Runs on  both

    u8      version, 1
    varint  step_s: 1800 for half-hours; 0 when every entry carries its own time (days, months)
    u8      R, the number of registers, 1..8; then for each: 6 bytes OBIS A-F, i8 scale, u8 unit
    varint  start: the time of the base, Unix seconds; with step_s the first entry's end is start + step_s
    R cells the base: the readings at `start`
    runs until the end, each:
        u8      quality (load_profile.QUALITY), + 128 where the registers start anew (the meter was exchanged)
        varint  n >= 1, the number of entries
        entries, each: [varint seconds since the entry before, where step_s is 0] R cells (none where quality is 0)

A cell is a varint: 0 for a register that was not read, else 1 + the growth since that register's last cell in
this chunk (since 0 when there is none, and in the first entry of a run that starts anew). So nothing that was
not read can be taken for a zero, and no chunk needs another one to be read.
"""

from micropython import const

from ..errors import HubError
from . import varint
from .load_profile import MISSING, QUALITY, Column, Entry
from .obis import pack_obis, unpack_obis

VERSION = 1
_ANEW = const(128)


class Packer:
    """Packs entries, oldest first, into one chunk.

    columns: list of Column; step_s: as above; start: time of the base; base: tuple of int or None.
    """

    def __init__(self, columns: list, step_s: int, start: int, base: tuple) -> None:
        self._out = bytearray((VERSION,))
        varint.append(self._out, step_s)
        self._out.append(len(columns))
        for column in columns:
            self._out.extend(pack_obis(column.obis))
            self._out.append(column.scale & 255)
            self._out.append(column.unit)
        varint.append(self._out, start)
        self._step_s = step_s
        self._at = start
        self._last = [None] * len(columns)
        self._run = bytearray()
        self._kind = -1
        self._n = 0
        self._cells(self._out, base)

    def add(self, entry: Entry) -> None:
        """Append one entry; with a step, ValueError when it is not the very next one."""
        if self._step_s and entry.at != self._at + self._step_s:
            raise ValueError("entry out of step")
        kind = entry.quality
        if kind != MISSING and self._goes_down(entry.values):
            kind |= _ANEW
            self._last = [None] * len(self._last)
        if kind != self._kind:
            self._flush()
            self._kind = kind & ~_ANEW
            self._head = kind
        if not self._step_s:
            varint.append(self._run, entry.at - self._at)
        self._at = entry.at
        self._n += 1
        if kind != MISSING:
            self._cells(self._run, entry.values)

    def _goes_down(self, values):
        pairs = zip(self._last, values)
        return any(last is not None and value is not None and value < last for last, value in pairs)

    def _cells(self, out, values):
        for i, value in enumerate(values):
            if value is None:
                out.append(0)
            else:
                varint.append(out, 1 + value - (self._last[i] or 0))
                self._last[i] = value

    def _flush(self):
        if self._n:
            self._out.append(self._head)
            varint.append(self._out, self._n)
            self._out.extend(self._run)
            self._run = bytearray()
            self._n = 0

    def close(self) -> bytearray:
        """Return the chunk."""
        self._flush()
        return self._out


def unpack(raw: bytes) -> "tuple[list, int, int, tuple, list]":
    """Return (columns, step_s, start, base, entries) of a chunk; HubError MALFORMED when it is none."""
    try:
        return _unpack(raw)
    except (IndexError, ValueError):
        raise HubError("MALFORMED", "series")


def _unpack(raw):
    if raw[0] != VERSION:
        raise ValueError
    step_s, pos = varint.read(raw, 1)
    width = raw[pos]
    pos += 1
    if not 0 < width <= 8:
        raise ValueError
    columns = []
    for _ in range(width):
        scale = raw[pos + 6]
        columns.append(Column(unpack_obis(raw[pos : pos + 6]), scale - 256 if scale > 127 else scale, raw[pos + 7]))
        pos += 8
    start, pos = varint.read(raw, pos)
    last = [None] * width
    base, pos = _read_cells(raw, pos, last)
    entries = []
    at = start
    while pos < len(raw):
        kind = raw[pos]
        count, pos = varint.read(raw, pos + 1)
        quality = kind & ~_ANEW
        if quality >= len(QUALITY) or not 0 < count <= 100000 or len(entries) + count > 100000:
            raise ValueError
        if kind & _ANEW:
            last = [None] * width
        for _ in range(count):
            gap = step_s
            if not step_s:
                gap, pos = varint.read(raw, pos)
            at += gap
            values = (None,) * width
            if quality != MISSING:
                values, pos = _read_cells(raw, pos, last)
            entries.append(Entry(at, quality, values))
    return columns, step_s, start, base, entries


def _read_cells(raw, pos, last):
    values = []
    for i in range(len(last)):
        cell, pos = varint.read(raw, pos)
        if cell:
            last[i] = (last[i] or 0) + cell - 1
        values.append(last[i] if cell else None)
    return tuple(values), pos
