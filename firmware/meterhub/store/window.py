"""A file seen through a small buffer that moves along it.

Memory   the buffer; the file is open only while the buffer is filled, so that a reader may be left half-way.
Errors   OSError from the file system when there is no such file; what of it cannot be read shows as zeros.
Runs on  both
"""

import os

from micropython import const

_SIZE = const(512)


class Window:
    """The file at `path`: `end` is its length in bytes, `buf` the part of it that moved into sight last."""

    def __init__(self, path: str, size: int = _SIZE) -> None:
        self._path = path
        self._base = 0
        self._filled = 0
        self.end = os.stat(path)[6]
        self.buf = bytearray(size)

    def show(self, offset: int, need: int) -> int:
        """Return the index in `buf` of the file's byte `offset`; `need` bytes from there are in it, or all to the end.

        ValueError for more than the buffer holds.
        """
        if need > len(self.buf):
            raise ValueError("window")
        stop = min(offset + need, self.end)
        if offset < self._base or stop > self._base + self._filled:
            self._base = offset
            try:
                with open(self._path, "rb") as file:
                    file.seek(offset)
                    self._filled = file.readinto(self.buf)
            except OSError:
                self._filled = len(self.buf)
                self.buf[:] = bytes(self._filled)
        return offset - self._base

    def limit(self) -> int:
        """Return the index in `buf` behind the last byte of the file that is in it."""
        return min(self._filled, self.end - self._base)
