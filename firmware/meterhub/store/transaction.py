"""Several small files change together or not at all, whenever the power is cut: settings, keys, counters, consents.

Source   this file. In this order: each new content goes into a file NAME.next beside NAME; then the file `transaction`
         names them all, put in place in one step: that is the moment. After it finish() lets each NAME.next take the
         place of NAME, and removes `transaction` last, now or at the next start; a NAME.next of which no `transaction`
         knows is thrown away. Format of `transaction`, little endian:
             4 bytes magic "MHT1", u8 n, n times (u8 length of the name, name, first 8 bytes of the SHA-256 of the
             content), u16 CRC-16/ARC (from 0xFFFF) over all that stands before it
Memory   40 bytes for each file; a content is not kept.
Errors   StoreError from finish() when `transaction`, or a file it names, is not what was written: nothing was moved
         and nothing thrown away; ValueError for what is no name of a file in the folder, or is named twice; OSError
         from the file system.
Runs on  both
"""

import hashlib
import struct

from micropython import const

from ..codec.crc import crc16_arc
from ..errors import StoreError
from . import files

_NAME = "transaction"
_NEXT = ".next"
_MAGIC = const(b"MHT1")
_MOST = const(8)
_NAME_BYTES = const(40)
_DIGEST = const(8)
_LIMIT = const(512)
_SEED = const(0xFFFF)
_PIECE = const(512)


class Transaction:
    """A change of files in `folder`: nothing of it counts before commit()."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._digests = {}  # name -> of the new content
        self._records = []
        try:
            finish(folder)
        except StoreError:  # what cannot be ended any more gives way, and is kept to be looked at
            files.move(folder + "/" + _NAME, folder + "/" + _NAME + ".damaged")

    def put(self, name: str, content: "bytes | bytearray") -> None:
        """Let `content` take the place of the file `name`."""
        known = name in self._digests or len(self._digests) >= _MOST
        if known or not 0 < len(name.encode()) <= _NAME_BYTES or "/" in name:
            raise ValueError("transaction")
        files.write(self._folder + "/" + name + _NEXT, content)
        self._digests[name] = hashlib.sha256(content).digest()[:_DIGEST]

    def save(self, record, blob: "bytes | bytearray") -> None:
        """Keep `blob` in `record` (store.record.Record), which lies in the folder."""
        path, raw = record.next_slot(blob)
        if not path.startswith(self._folder + "/"):
            raise ValueError("transaction")
        self.put(path[len(self._folder) + 1 :], raw)
        self._records.append(record)

    def commit(self) -> None:
        """Let all of it count."""
        raw = bytearray(_MAGIC) + bytes((len(self._digests),))
        for name, digest in self._digests.items():
            raw += bytes((len(name.encode()),)) + name.encode() + digest
        raw += struct.pack("<H", crc16_arc(raw, len(raw), _SEED))
        files.replace(self._folder + "/" + _NAME, raw)
        for record in self._records:
            record.forget()
        finish(self._folder)


def is_pending(folder: str) -> bool:
    """Return whether a power cut has left something that finish() must look at."""
    return any([name == _NAME or name.endswith(_NEXT) for name in files.names(folder)])


def finish(folder: str) -> None:
    """End the transaction whose moment has come, and throw away one that has never got there."""
    raw = files.read(folder + "/" + _NAME, _LIMIT)
    if raw is None:
        for name in files.names(folder):
            if name.endswith(_NEXT):
                files.remove(folder + "/" + name)
        return
    due = _parse(raw)
    for name, digest in due:
        found = _digest(folder + "/" + name + _NEXT)
        if found is not None and found != digest:
            raise StoreError(name + _NEXT)
    for name, _ in due:
        if files.exists(folder + "/" + name + _NEXT):  # else it was moved before the power was cut
            files.move(folder + "/" + name + _NEXT, folder + "/" + name)
    files.remove(folder + "/" + _NAME)


def _parse(raw):
    """Return [(name, digest)] of a transaction; StoreError when it is none."""
    size = len(raw) - 2
    if size < 5 or raw[:4] != _MAGIC or crc16_arc(raw, len(raw), _SEED) != 0:
        raise StoreError(_NAME)
    due = []
    at = 5
    for _ in range(raw[4]):
        end = at + 1 + raw[at] + _DIGEST
        if end > size:
            raise StoreError(_NAME)
        due.append((str(raw[at + 1 : end - _DIGEST], "utf-8"), raw[end - _DIGEST : end]))
        at = end
    return due


def _digest(path):
    """Return the digest of a file's content, None when there is no such file."""
    if not files.exists(path):
        return None
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while True:
            piece = file.read(_PIECE)
            if not piece:
                return digest.digest()[:_DIGEST]
            digest.update(piece)
