"""The journal: what happened, when, in order; it survives a power cut, and old entries make way for new ones.

Source   GB SMETS2 (at least 100 entries of each log). Format of a record, little endian:
             u8 mark 0xE1, u8 n, u32 seq, u64 at, u8 length of the name, name, detail (n bytes from the name's
             length on), u16 CRC-16/ARC (from 0xFFFF) over all that stands before it
         Each kind has two files, KIND.0 and KIND.1. The newer one is added to until it is full; then the other
         one is emptied and becomes the newer one.
Units    at: Unix seconds by the hub's clock, 0 while it was not set
Memory   one record; last() holds what it returns.
Errors   ValueError for an unknown kind or a name that is too long; OSError from the file system. An event or a
         security entry that cannot be written is only counted, in `unwritten`, and heard: the hub goes on without.
Runs on  both

No caller puts a PIN, a key or a reading into a detail.
"""

import struct
from collections import namedtuple

from micropython import const

from ..codec.crc import crc16_arc
from ..hal.ticks import now_ms, since
from . import files
from .window import Window

KINDS = ("event", "security", "consent")
_KEPT = {"event": 100, "security": 100, "consent": 200}  # at least so many, after the first so many
_MARK = const(0xE1)
_FIXED = const(17)  # bytes of a record but for the name and the detail
_MOST = const(224)  # longest record
_NAME_BYTES = const(32)
_DETAIL_BYTES = const(160)
_SEED = const(0xFFFF)
_FOREIGN = const(10)
_FOREIGN_MS = const(6000)

# seq: counts each kind from 1 without a hole; at: Unix s or 0; name: an error of errors.py or a word; detail: str
Entry = namedtuple("Entry", ("seq", "at", "name", "detail"))


class Journal:
    """The journal in the folder `path`; clock: now() -> Unix s, 0 while unset.

    listener(kind, entry), when set, hears of each entry; damaged counts the stretches of bytes that were no record.
    """

    def __init__(self, path: str, clock) -> None:
        files.ensure_dir(path)
        self._path = path
        self._clock = clock
        self._state = {}  # kind -> (seq, which file, records in it)
        self.listener = lambda kind, entry: None
        self.damaged = 0
        self.suppressed = 0
        self.unwritten = 0
        self._tokens = _FOREIGN
        self._refilled = now_ms()
        for kind in KINDS:
            self._state[kind] = self._find_end(kind)

    def add(self, kind: str, name: str, detail: str = "") -> None:
        """Append an entry; a detail of more than 160 bytes is cut."""
        seq, which, count = self._state[kind] if kind in self._state else _refuse(kind)
        seq += 1
        entry = Entry(seq, self._clock.now(), name, _cut(detail))
        raw = _pack(entry)
        mode = "ab"
        if count >= _KEPT[kind]:
            which, count, mode = 1 - which, 0, "wb"
        try:
            with open(self._file(kind, which), mode) as file:
                file.write(raw)
            self._state[kind] = (seq, which, count + 1)
        except OSError:
            if kind == "consent":  # what the household agrees to does not happen unless it is on record
                raise
            self.unwritten += 1
        self.listener(kind, entry)

    def foreign(self, name: str, detail: str = "") -> None:
        """Append a security entry that anybody outside can cause: ten at once, then one every six seconds.

        What is more is only counted, in `suppressed`: nobody can push the true entries out.
        """
        gained = max(0, since(now_ms(), self._refilled)) // _FOREIGN_MS
        if gained:
            self._tokens = min(_FOREIGN, self._tokens + gained)
            self._refilled = now_ms()
        if self._tokens:
            self._tokens -= 1
            self.add("security", name, detail)
        else:
            self.suppressed += 1

    def last(self, kind: str, n: int) -> list:
        """Return the newest `n` entries of a kind (all that are kept, when fewer), newest first."""
        seq, which, _ = self._state[kind]
        found = []
        for part in (1 - which, which):
            for entry in self._entries(kind, part):
                if entry.seq > seq - n:
                    found.append(entry)
        found.reverse()
        return found

    def _find_end(self, kind):
        best = (0, 0, 0)
        for which in (0, 1):
            count = seq = 0
            for entry in self._entries(kind, which):
                count += 1
                seq = entry.seq
            if seq > best[0]:
                best = (seq, which, count)
        return best

    def _entries(self, kind, which):
        """Yield the whole records of a file, oldest first."""
        try:
            window = Window(self._file(kind, which))
        except OSError:
            return  # never written
        pos = 0
        whole = True
        while pos < window.end:
            at = window.show(pos, _MOST)
            length = _length(window.buf, at, window.limit())
            if length:
                whole = True
                yield _unpack(window.buf, at)
                pos += length
            else:
                self.damaged += whole
                whole = False
                pos += 1

    def _file(self, kind, which):
        return "%s/%s.%d" % (self._path, kind, which)


def _refuse(kind):
    raise ValueError(kind)


def _cut(text):
    while len(text.encode()) > _DETAIL_BYTES:
        text = text[:-1]
    return text


def _pack(entry):
    name = entry.name.encode()
    if not 0 < len(name) <= _NAME_BYTES:
        raise ValueError("name")
    detail = entry.detail.encode()
    raw = bytearray(struct.pack("<BBIQB", _MARK, 1 + len(name) + len(detail), entry.seq, entry.at, len(name)))
    raw.extend(name)
    raw.extend(detail)
    raw.extend(struct.pack("<H", crc16_arc(raw, len(raw), _SEED)))
    return raw


def _length(buf, at, limit):
    """Return the length of the record at buf[at], 0 when it is none."""
    if at + _FIXED > limit or buf[at] != _MARK:
        return 0
    length = 16 + buf[at + 1]
    if at + length > limit or not 0 < buf[at + 14] < buf[at + 1]:
        return 0
    raw = bytes(memoryview(buf)[at : at + length])
    return length if crc16_arc(raw, length, _SEED) == 0 else 0


def _unpack(buf, at):
    _, n, seq, when, width = struct.unpack_from("<BBIQB", buf, at)
    body = bytes(memoryview(buf)[at + 15 : at + 14 + n])
    return Entry(seq, when, str(body[:width], "utf-8"), str(body[width:], "utf-8"))
