"""The firmware's files on a board: two slots, /fw/a and /fw/b, of which /slot names the one that boots.

A new slot is written as /fw/new: what the board has already is copied there, the rest is sent; then its every byte
is checked by SHA-256 on the board, it becomes the slot that is not in use, and only then /slot is replaced (written
beside and renamed: one step for the file system). A power cut or a pulled cable at any moment leaves the old slot in
force, and what had come across is not sent again by the next run.

Data travel in pieces of 1 KB, each compressed by itself and in base64, as statements for the raw REPL, many to a
command: nothing on the board needs more than a few KB, and mpremote sees to it that no byte overruns it.

Errors   ToolError: the board's file system is full or fails, or does not hold what was sent
"""

import base64
import hashlib
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from ..errors import ToolError
from .bundle import Bundle
from .port import BoardError, Repl

_NEW, _PARTIAL = "/fw/new", "/fw/partial"
_PIECE_BYTES = 1024
_COMMAND_CHARS = 1800
_WINDOW_BITS = 10  # deflate's window on the board: 1 KB
_SAVED_BYTES = 8192  # so much is safe from a power cut from time to time

# The words that the commands below are made of; those that are said often are short.
_WORDS = """\
import os, io, json, hashlib, deflate
from binascii import a2b_base64, hexlify

_buf = memoryview(bytearray(512))

def _pour(file, length, take):
    while length:
        n = file.readinto(_buf[:min(512, length)])
        if not n:
            break
        take(_buf[:n])
        length -= n

def _digest(file, length):
    digest = hashlib.sha256()
    _pour(file, length, digest.update)
    return hexlify(digest.digest()).decode()

def _hash(path):
    try:
        with open(path, 'rb') as file:
            print(_digest(file, os.stat(path)[6]))
    except OSError as err:
        if err.errno != 2:
            raise

def _show(path):
    try:
        with open(path, 'rb') as file:
            if file.read(4) != b'MHF1':
                return
            file.seek(8 * int.from_bytes(file.read(2), 'little'), 1)
            files = json.loads(file.read(int.from_bytes(file.read(4), 'little')))['files']
            for name in files:
                start, length, _ = files[name]
                file.seek(start)
                print(_digest(file, length), start, length, name)
    except (OSError, ValueError, KeyError):
        pass

def _remove(path):
    try:
        os.remove(path)
    except OSError:
        pass

def _rename(old, new):
    try:
        os.rename(old, new)
    except OSError as err:
        if err.errno != 2:
            raise

def O(path):
    global _out
    _out = open(path, 'wb')

def W(text):
    _out.write(deflate.DeflateIO(io.BytesIO(a2b_base64(text)), deflate.RAW, 10).read())

def Y(path, start, length):
    with open(path, 'rb') as file:
        file.seek(start)
        _pour(file, length, _out.write)

def F():
    _out.flush()

def C():
    _out.close()

try:
    os.mkdir('/fw')
except OSError:
    pass
"""


class Found(NamedTuple):
    """A piece of the firmware that the board has: in which file, where in it, how long."""

    path: str
    start: int
    length: int


class Plan(NamedTuple):
    """What it takes to fill `slot`: names of files to send, and those to copy from where the board has them."""

    slot: str
    send: list[str]
    copy: dict[str, Found]


class FullError(ToolError):
    """Not all of it fits."""

    def __init__(self) -> None:
        super().__init__("the board's file system is full; the firmware that was there stays in force")


class Slots:
    """The slots of the board that listens to `repl`. in_use: the one that boots, "" for none."""

    def __init__(self, repl: Repl) -> None:
        self._repl = repl
        repl.exec(_WORDS, "to get ready")
        name = repl.exec("try:\n print(open('/slot').read(1), end='')\nexcept OSError:\n pass", "to read /slot")
        self.in_use = name if name in ("a", "b") else ""

    def plan(self, wanted: Bundle) -> Plan | None:
        """Return what it takes to have `wanted` in a slot; None when the slot in use has just that."""
        used = self._have(f"/fw/{self.in_use}") if self.in_use else {}
        if self.in_use and self.hash(f"/fw/{self.in_use}") == digest_of(wanted.data):
            return None
        self._do("_rename", _NEW, _PARTIAL)  # what a run before us has left
        have = self._have(_PARTIAL) | used
        copy = {name: have[part.sha256] for name, part in wanted.parts.items() if part.sha256 in have}
        return Plan("b" if self.in_use == "a" else "a", [name for name in wanted.parts if name not in copy], copy)

    def fill(self, plan: Plan, wanted: Bundle, tell: Callable[[int, int], None]) -> None:
        """Write /fw/new as `plan` says; tell(bytes done, of how many). FullError: it does not fit; nothing is left."""
        total, done = len(wanted.data), 0
        try:
            for command, size in _commands(_filling(plan, wanted)):
                self._write(command)
                done += size
                tell(done, total)
        except FullError:
            self._repl.exec("try:\n C()\nexcept OSError:\n pass", "to close its file")
            self._do("_remove", _NEW)
            self._do("_remove", _PARTIAL)
            raise

    def check(self, wanted: Bundle) -> None:
        """ToolError when what fill() has written is not there as it should be."""
        if self.hash(_NEW) != digest_of(wanted.data):
            self._do("_remove", _NEW)
            raise ToolError("the board's flash does not hold what was sent; run it again")

    def switch(self, slot: str) -> None:
        """Have the board boot from now on what was written and checked."""
        self._do("_rename", _NEW, f"/fw/{slot}")
        self._do("_remove", _PARTIAL)
        self.write("/slot", slot.encode())
        self.in_use = slot

    def leave(self) -> None:
        """Have the board boot the firmware in its image from now on, and forget the slots."""
        for path in ("/slot", "/fw/a", "/fw/b", _PARTIAL, _NEW):
            self._do("_remove", path)
        self.in_use = ""

    def write(self, path: str, data: bytes) -> None:
        """Replace one file, so that it is there as it was or as it will be."""
        new = path + ".new"
        for command, _ in _commands(_sending(new, data)):
            self._write(command)
        if self.hash(new) != digest_of(data):
            raise ToolError(f"the board's flash does not hold what was sent: {path}; run it again")
        self._do("_rename", new, path)
        self._repl.exec("os.sync()", "to write its files")

    def hash(self, path: str) -> str:
        """Return the SHA-256 of one file, computed on the board; "" when it is not there."""
        return self._do("_hash", path).strip()

    def _have(self, path: str) -> dict[str, Found]:
        """Return what is in a slot's file, by the SHA-256 of what is really there."""
        rows = [line.split() for line in self._do("_show", path).splitlines()]
        return {row[0]: Found(path, int(row[1]), int(row[2])) for row in rows if len(row) == 4}

    def _do(self, word: str, *paths: str) -> str:
        return self._repl.exec(f"{word}({','.join(map(repr, paths))})", "to handle its files")

    def _write(self, command: str) -> None:
        try:
            self._repl.exec(command, "to write its files")
        except BoardError as error:
            if re.search(r"ENOSPC|\b28$", error.text):  # an image without error texts says the number
                raise FullError() from None
            raise


def digest_of(data: bytes) -> str:
    """Return the SHA-256 of a file's content, in hex."""
    return hashlib.sha256(data).hexdigest()


# -- statements, each with how many bytes of a file it brings ----------------------------------------------------


def _filling(plan: Plan, wanted: Bundle) -> Iterator[tuple[str, int]]:
    """What writes a slot's file."""
    yield f"O({_NEW!r})", 0
    yield from _pieces(wanted.head)
    unsaved = len(wanted.head)
    for name, data in wanted.files.items():
        found = plan.copy.get(name)
        if found:
            yield f"Y({found.path!r},{found.start},{found.length})", len(data)
        else:
            yield from _pieces(data)
        unsaved += len(data)
        if unsaved >= _SAVED_BYTES:
            yield "F()", 0
            unsaved = 0
    yield "C()", 0


def _sending(path: str, data: bytes) -> Iterator[tuple[str, int]]:
    """What writes a whole file."""
    yield f"O({path!r})", 0
    yield from _pieces(data)
    yield "C()", 0


def _pieces(data: bytes) -> Iterator[tuple[str, int]]:
    for at in range(0, len(data), _PIECE_BYTES):
        piece = data[at : at + _PIECE_BYTES]
        squeezer = zlib.compressobj(9, zlib.DEFLATED, -_WINDOW_BITS)
        packed = base64.b64encode(squeezer.compress(piece) + squeezer.flush()).decode()
        yield f"W({packed!r})", len(piece)


def _commands(statements: Iterable[tuple[str, int]]) -> Iterator[tuple[str, int]]:
    """Pack statements into commands: (command, bytes that it brings)."""
    begun, size = "", 0
    for statement, brings in statements:
        if begun and len(begun) + len(statement) > _COMMAND_CHARS:
            yield begun, size
            begun, size = "", 0
        begun += statement + "\n"
        size += brings
    if begun:
        yield begun, size
