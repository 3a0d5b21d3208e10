"""Letters to the market roles that wait for their receipt: one file each, in order, through power cuts.

Source   this file. Little endian. In the folder, LNNNNNNNN.ml; L: lane 0 or 1, N: number of the letter, 8 hex digits
             4 bytes magic "MHL1", u8 n, the addressee's kid (n bytes), u64 at, content, u16 CRC-16/ARC (from 0xFFFF)
             over all that stands before it
         An empty file is the newest letter, received: it keeps the number, which is not given again.
Units    at: Unix seconds, when it was written; 0 when the clock was not set
Memory   the numbers; one content while it is read
Errors   ValueError for what is too long; OSError from the file system
Runs on  both

When there is no room the oldest letter of lane 0 goes, and only when lane 0 is empty that of lane 1.
"""

import os
import struct

from micropython import const

from ..codec.crc import crc16_arc
from . import files

MOST_CONTENT = const(4096)
_MOST = const(40)
_MAGIC = const(b"MHL1")
_SEED = const(0xFFFF)
_KID_BYTES = const(16)


class Letters:
    """The letters in the folder `path`. told(n): hears of a letter that had to go, damaged(name) of a damaged one."""

    def __init__(self, path: str, told, damaged, most: int = _MOST) -> None:
        wrong = files.open_dir(path)
        if wrong:
            damaged(wrong)
        self._path = path
        self._most = most
        self._told = told
        self._damaged = damaged
        self._lanes = {}  # number -> lane of those that wait
        self._mark = ""  # the file that keeps the newest number
        self.last = 0
        self._open()

    def _open(self):
        empty = []
        for name in files.names(self._path):
            lane, number = _parsed(name)
            if number:
                if os.stat(self._path + "/" + name)[6]:
                    self._lanes[number] = lane
                else:
                    empty.append((number, name))
                self.last = max(self.last, number)
            elif name.endswith(".new"):
                files.remove(self._path + "/" + name)  # the power went before it counted
        for number, name in empty:
            if number == self.last:
                self._mark = name
            else:
                files.remove(self._path + "/" + name)

    def waiting(self) -> list:
        """Return the numbers of the letters that were not received, oldest first."""
        return sorted(self._lanes)

    def put(self, kid: str, content: bytes, at: int, lane: int) -> int:
        """Keep a letter for the key `kid`; return its number."""
        if len(content) > MOST_CONTENT or len(kid) > _KID_BYTES:
            raise ValueError("letter")
        while len(self._lanes) >= self._most:
            low = [n for n, of in self._lanes.items() if not of] or list(self._lanes)
            gone = min(low)
            self.remove(gone)
            self._told(gone)
        raw = bytearray(_MAGIC) + bytes((len(kid),)) + kid.encode() + struct.pack("<Q", at) + content
        raw += struct.pack("<H", crc16_arc(raw, len(raw), _SEED))
        number = self.last + 1
        files.replace(self._file(lane, number), raw)
        if self._mark:
            files.remove(self._path + "/" + self._mark)
            self._mark = ""
        self.last = number
        self._lanes[number] = lane
        return number

    def read(self, number: int) -> "tuple[str, int, bytes] | None":
        """Return (kid, at, content) of a letter; None when there is none, or it is damaged: then it is set aside."""
        if number not in self._lanes:
            return None
        path = self._file(self._lanes[number], number)
        try:
            raw = files.read(path, MOST_CONTENT + 64)
        except OSError:  # a bad block
            raw = None
        if raw is None or len(raw) < 15 or raw[:4] != _MAGIC or crc16_arc(raw, len(raw), _SEED) != 0:
            lane = self._lanes.pop(number)
            files.set_aside(path)
            if number == self.last:
                files.replace(path, b"")  # its number is not given again
                self._mark = _name(lane, number)
            self._damaged(path)
            return None
        end = 5 + raw[4]
        return str(raw[5:end], "utf-8"), struct.unpack_from("<Q", raw, end)[0], raw[end + 8 : -2]

    def kid(self, number: int) -> str:
        """Return whom a letter is for, as its file says; "" for one that is damaged."""
        try:
            with open(self._file(self._lanes[number], number), "rb") as file:
                raw = file.read(5 + _KID_BYTES)
            return str(raw[5 : 5 + raw[4]], "utf-8")
        except (OSError, IndexError, KeyError, UnicodeError):
            return ""

    def remove(self, number: int) -> None:
        """Let go of a letter: whom it was for has it, or never will."""
        lane = self._lanes[number]
        if number == self.last:
            files.replace(self._file(lane, number), b"")
            self._mark = _name(lane, number)
        else:
            files.remove(self._file(lane, number))
        del self._lanes[number]

    def _file(self, lane, number):
        return self._path + "/" + _name(lane, number)


def _name(lane, number):
    return "%d%08x.ml" % (lane, number)


def _parsed(name):
    """Return (lane, number) of a letter's file; number 0 when it is none."""
    if len(name) == 12 and name.endswith(".ml") and name[0] in "01":
        try:
            return int(name[0]), int(name[1:9], 16)
        except ValueError:
            pass
    return 0, 0
