"""Where the journal ends (format: journal.py): for its start, which has to know the newest entry of each kind.

Memory   one record and, where a file is not whole, a Window
Errors   none: a file that cannot be read is as one that is not there.
Runs on  both

A board takes more than a millisecond for the CRC of an entry, and there are eight hundred of them. So a start goes
from entry to entry by their lengths, in the newer file only, and looks at the CRC of its head and of its last entry.
Where lengths, numbers or CRCs do not fit together, or which file is the newer one does not show, all is read, both
files, every CRC. Damage within an entry is no matter of the start: who reads it counts it, journal_check.py tells it.
"""

import struct

from micropython import const

from .journal import HEAD, OLD, UNKEYED, length_at

_HEAD_BYTES = const(16)
_FIXED = const(16)
_SEAL = const(8)
_MOST = const(232)
_ABSENT, _UNSURE = -1, -2  # in the place of the number before a file's first entry


def find(journal, kind: str) -> tuple:
    """Return (number, which file, how many entries are in that, its record) of a kind's newest entry, 0 0 0 b""."""
    return _walked(journal, kind) or _read(journal, kind)


def _walked(journal, kind):
    """Return what find() does; None when that takes more than going along the newer file."""
    begins = [_begin(journal.file(kind, which)) for which in (0, 1)]
    if _UNSURE in begins or begins[0] == begins[1]:
        return None
    which = int(begins[1] > begins[0])
    count, raw = _last(journal.file(kind, which))
    if not raw or struct.unpack_from("<I", raw, 2)[0] != begins[which] + count:
        return None
    return begins[which] + count, which, count, raw


def _begin(path):
    """Return the number of the entry before a file's first one."""
    try:
        with open(path, "rb") as file:
            raw = file.read(_HEAD_BYTES)
    except OSError:
        return _ABSENT
    if not raw or raw[0] != HEAD or not length_at(raw, 0, len(raw)):
        return _UNSURE
    return struct.unpack_from("<I", raw, 2)[0]


def _last(path):
    """Return (how many entries a file has, the last one's record), the record b"" where they do not fill the file."""
    pos = _HEAD_BYTES
    count = last = 0
    front = bytearray(2)
    try:
        with open(path, "rb") as file:
            while True:
                file.seek(pos)
                if file.readinto(front) != 2 or not OLD <= front[0] <= UNKEYED:
                    break
                count += 1
                last = pos
                pos += _FIXED + front[1] + (0 if front[0] == OLD else _SEAL)
            file.seek(last)
            raw = file.read(_MOST)
    except OSError:
        return 0, b""
    return count, raw if count and last + len(raw) == pos and length_at(raw, 0, len(raw)) == len(raw) else b""


def _read(journal, kind):
    """Return what find() does, from every record of both files."""
    best = (0, 0, 0, b"")
    for which in (0, 1):
        count = seq = 0
        raw = b""
        for buf, at, length in journal.records(kind, which):
            if buf[at] != HEAD:
                count += 1
                seq = struct.unpack_from("<I", buf, at + 2)[0]
                raw = bytes(memoryview(buf)[at : at + length])
        if seq > best[0]:
            best = (seq, which, count, raw)
    return best
