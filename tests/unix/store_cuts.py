"""Power that is cut after so many changes of the flash, for the tests of store/."""

import os

from meterhub.store import files


class Cut(BaseException):
    """The power is cut."""


class Flash:
    """Stands for `os` and `open` in rooms that write files: after so many changes of the flash the power is cut.

    torn: what was being written is there, and is half. rooms: modules that call open() or os; store.files is one.
    """

    def __init__(self, changes, torn=False, *rooms):
        self._left = changes
        self._torn = torn
        self._rooms = (files,) + rooms
        self._os = os

    def __enter__(self):
        files.os = self
        for room in self._rooms:
            room.open = self._open
        return self

    def __exit__(self, *_):
        files.os = self._os
        for room in self._rooms:
            del room.open

    def _count(self):
        if not self._left:
            raise Cut
        self._left -= 1

    def _open(self, path, mode):
        return open(path, mode) if mode == "rb" else _File(self, path, mode)

    def written(self, path, mode, raw):
        if not self._left and self._torn:
            with open(path, mode) as file:
                file.write(raw[: len(raw) // 2])
        self._count()
        with open(path, mode) as file:
            file.write(raw)

    def rename(self, old, new):
        self._count()
        self._os.rename(old, new)

    def remove(self, path):
        self._count()
        self._os.remove(path)

    def __getattr__(self, name):
        return getattr(self._os, name)


class _File:
    """A file that is written when it is closed, as littlefs does it."""

    def __init__(self, flash, path, mode):
        self._flash, self._path, self._mode = flash, path, mode
        self._raw = b""

    def write(self, raw):
        self._raw += bytes(raw)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self._flash.written(self._path, self._mode, self._raw)
