"""One small blob that survives a power cut: two slots, written in turn, each with its CRC.

Source   this file. Two files, PATH.0 and PATH.1:
             4 bytes magic "MHR1", u32 sequence number, u16 length, content, u16 CRC-16/ARC (from 0xFFFF)
             over all that stands before it; little endian.
         load() takes the whole slot with the higher number; save() writes the other one. An empty slot was made
         and never written.
         A slot that is not whole is set aside (files.set_aside) once the other one is known to be; when neither is,
         both stay, so that it is told at every start, until set_aside() is called or save().
Memory   the content, twice while it is saved.
Errors   StoreError from load() when slots are there and none of them is whole; OSError from the file system.
Runs on  both
"""

import struct

from micropython import const

from ..codec.crc import crc16_arc
from ..errors import StoreError
from . import files

_MAGIC = const(b"MHR1")
_HEAD = const(10)
_SEED = const(0xFFFF)


class Record:
    """The blob at `path` (two files, .0 and .1), at most `limit` bytes.

    tell(detail), when given, hears of a slot that is damaged while the other one is whole.
    """

    def __init__(self, path: str, limit: int = 4096, tell=None) -> None:
        self._path = path
        self._limit = limit
        self._tell = tell
        self._seq = -1  # of the slot that counts; -1 before the first load

    def load(self) -> "bytes | None":
        """Return the blob last saved, or None when there never was one; StoreError when none of it is whole."""
        damaged, found = self._find()
        if damaged and found is None:
            raise StoreError(self._path + ": no whole slot")
        if damaged:
            self.set_aside(damaged)
            if self._tell is not None:
                self._tell(self._slot(damaged[0]) + ": damaged")
        return found

    def set_aside(self, slots: "list | tuple" = (0, 1)) -> None:
        """Let what is in the slots be kept under other names, so that the record begins anew."""
        for slot in slots:
            files.set_aside(self._slot(slot))

    def _find(self):
        """Return (slots that are there and not whole, the newer whole blob or None)."""
        found = None
        damaged = []
        self._seq = 0
        for slot in (0, 1):
            try:
                raw = files.read(self._slot(slot), self._limit + _HEAD + 2)
            except OSError:  # a bad block
                raw = b"unreadable"
            if raw and self._is_whole(raw):
                seq = struct.unpack_from("<I", raw, 4)[0]
                if seq > self._seq:
                    self._seq = seq
                    found = raw[_HEAD:-2]
            elif raw:
                damaged.append(slot)
        return damaged, found

    def save(self, blob: "bytes | bytearray") -> None:
        """Keep `blob` in the place of what was there; ValueError when it is longer than the limit."""
        files.write(*self.next_slot(blob))
        self._seq += 1

    def next_slot(self, blob: "bytes | bytearray") -> "tuple[str, bytearray]":
        """Return (file, content) of the slot that counts once it is there: what a transaction puts in place."""
        if len(blob) > self._limit:
            raise ValueError("record")
        if self._seq < 0:
            self._find()
        seq = self._seq + 1
        raw = bytearray(_MAGIC) + struct.pack("<IH", seq, len(blob)) + blob
        raw += struct.pack("<H", crc16_arc(raw, len(raw), _SEED))
        return self._slot(seq & 1), raw

    def forget(self) -> None:
        """Look at both slots again before the next save: somebody else has put one in place."""
        self._seq = -1

    def is_there(self) -> bool:
        """Return whether something was ever saved, whole or not; nothing is read for it."""
        return files.exists(self._slot(0)) or files.exists(self._slot(1))

    def erase(self) -> None:
        """Delete both slots."""
        for slot in (0, 1):
            files.remove(self._slot(slot))
        self._seq = 0

    def _slot(self, slot):
        return "%s.%d" % (self._path, slot)

    def _is_whole(self, raw):
        if raw[:4] != _MAGIC or len(raw) < _HEAD + 2:
            return False
        length = struct.unpack_from("<H", raw, 8)[0]
        if len(raw) != _HEAD + length + 2:
            return False
        return crc16_arc(raw, len(raw) - 2, _SEED) == struct.unpack_from("<H", raw, len(raw) - 2)[0]


class LossyRecord(Record):
    """A Record that begins anew, and tells so, when flash does not hold what was written: load() raises nothing."""

    def __init__(self, path: str, tell) -> None:
        super().__init__(path, tell=tell)
        self._say = tell

    def load(self) -> "bytes | None":
        """Return the blob last saved; None when there never was one, or none of it is whole."""
        try:
            return super().load()
        except StoreError as err:
            self._say(err.args[0])
            self.set_aside()
            return None
