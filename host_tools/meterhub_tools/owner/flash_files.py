"""The files of a hub's data folder, over the raw REPL: listed, read, hashed, put in place.

Memory   on the board: one piece of 512 bytes; the interrupted hub still holds most of the heap.
Errors   ToolError: no such folder, a full flash, a file that does not arrive whole, the cable pulled.
"""

from __future__ import annotations

import binascii
import json

from ..board.port import BoardError, Repl
from ..errors import ToolError
from . import archive
from .archive import sha256

_PIECE = 512
TEMPORARY = ".restore"
_READ = """
from binascii import hexlify
with open({path!r}, "rb") as f:
    while True:
        piece = f.read({size})
        if not piece:
            break
        print(str(hexlify(piece), "ascii"))
"""
_HASH = """
from hashlib import sha256
from binascii import hexlify
h = sha256()
with open({path!r}, "rb") as f:
    while True:
        piece = f.read({size})
        if not piece:
            break
        h.update(piece)
print(str(hexlify(h.digest()), "ascii"))
"""


class HubFiles:
    """The data folder of the board behind `repl`."""

    def __init__(self, repl: Repl) -> None:
        self._repl = repl
        self._folder = self._find_folder()

    def _find_folder(self) -> str:
        try:
            pins = json.loads(self._repl.eval("open('/pins.json').read()", "to read /pins.json"))
            return str(pins["data"]).rstrip("/")
        except BoardError:
            raise ToolError(
                f"{self._repl.port}: there is no /pins.json on this board; meterhub deploy puts it there"
            ) from None
        except (ValueError, KeyError, TypeError):
            raise ToolError(f"{self._repl.port}: /pins.json is damaged; meterhub deploy puts it right") from None

    def folders(self) -> list[str]:
        """Return the sorted names of the folders with history; none when the hub has not written any yet."""
        return [name for name in self._listed("") if archive.is_folder(name)]

    def names(self, folder: str) -> list[str]:
        """Return the sorted names in a folder of the data folder."""
        return [f"{folder}/{name}" for name in self._listed(folder)]

    def _listed(self, folder: str) -> list[str]:
        self._repl.exec("import os", "to begin")
        path = self._path(folder).rstrip("/")
        try:
            return sorted(self._repl.eval(f"os.listdir({path!r})", f"to list {path}"))
        except BoardError as error:
            if "ENOENT" in error.text:
                return []
            raise

    def read(self, name: str) -> bytes:
        """Return a file's content, checked by its hash."""
        said = self._repl.exec(_READ.format(path=self._path(name), size=_PIECE), f"to read {name}")
        try:
            raw = binascii.unhexlify("".join(said.split()))
        except ValueError:
            raise ToolError(f"{name} did not arrive whole; run this again") from None
        if self.hash(name) != sha256(raw):
            raise ToolError(f"{name} did not arrive whole; run this again")
        return raw

    def hash(self, name: str) -> str:
        """Return the SHA-256 of a file on the board, in hex."""
        return self._repl.exec(_HASH.format(path=self._path(name), size=_PIECE), f"to look at {name}").strip()

    def write_temporary(self, name: str, raw: bytes) -> None:
        """Write `raw` beside the file `name`, and see that it is whole; put_in_place() makes it count."""
        path = self._path(name) + TEMPORARY
        self._repl.exec("import os\nfrom binascii import unhexlify", "to begin")
        self._repl.exec(f"try:\n os.mkdir({path.rpartition('/')[0]!r})\nexcept OSError:\n pass", f"to write {name}")
        try:
            self._repl.exec(f"f = open({path!r}, 'wb')", f"to write {name}")
            for at in range(0, len(raw), _PIECE):
                self._repl.exec(f"f.write(unhexlify('{raw[at : at + _PIECE].hex()}'))", f"to write {name}")
            self._repl.exec("f.close()", f"to write {name}")
        except BoardError as error:
            raise ToolError(f"{name}: {_no_room(error)}; nothing on the hub was replaced") from None
        if self.hash(name + TEMPORARY) != sha256(raw):
            raise ToolError(f"{name} did not arrive whole; nothing on the hub was replaced, run this again")

    def put_in_place(self, name: str, raw: bytes) -> None:
        """Let what write_temporary() has written, `raw`, take the place of the file `name`, in one step."""
        path = self._path(name)
        self._repl.exec(f"import os\nos.rename({path + TEMPORARY!r}, {path!r})", f"to replace {name}")
        if self.hash(name) != sha256(raw):
            raise ToolError(f"{name} is not what was written; run this again")

    def remove(self, name: str) -> None:
        """Delete a file."""
        self._repl.exec(f"import os\nos.remove({self._path(name)!r})", f"to remove {name}")

    def _path(self, name: str) -> str:
        return f"{self._folder}/{name}"


def _no_room(error: BoardError) -> str:
    return "the board's flash is full" if "ENOSPC" in error.text or "28" in error.text.split() else error.text
