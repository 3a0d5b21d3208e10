"""A firmware slot as one file: made here, read by the boot loader. The format is the docstring of firmware/main.py."""

import hashlib
import json
import zlib
from typing import NamedTuple

MAGIC = b"MHF1"


class Part(NamedTuple):
    """One file in a slot: where it begins, its length, its SHA-256 in hex."""

    start: int
    length: int
    sha256: str


class Bundle(NamedTuple):
    """A slot's file: what comes before the files in it, and the files."""

    head: bytes
    files: dict[str, bytes]
    parts: dict[str, Part]

    @property
    def data(self) -> bytes:
        """All of it."""
        return self.head + b"".join(self.files.values())


def pack(version: str, files: dict[str, bytes]) -> Bundle:
    """Return the slot's file with these files; ValueError when two names have the same CRC."""
    names = sorted({folder for name in files for folder in _folders(name)} | files.keys())
    if len({zlib.crc32(name.encode()) for name in names}) < len(names):
        raise ValueError("two names have the same CRC: rename one of the modules")
    parts: dict[str, Part] = {}
    length, size = 0, -1
    while length != size:  # where the files begin depends on how long the manifest is, which says where they begin
        size = length
        parts = _parts(6 + 8 * len(names) + 4 + size, files)
        manifest = json.dumps({"version": version, "files": parts}, sort_keys=True, separators=(",", ":")).encode()
        length = len(manifest)
    head = MAGIC + len(names).to_bytes(2, "little")
    head += b"".join(zlib.crc32(name.encode()).to_bytes(4, "little") for name in names)
    head += b"".join((parts[name].start if name in parts else 0).to_bytes(4, "little") for name in names)
    return Bundle(head + len(manifest).to_bytes(4, "little") + manifest, files, parts)


def _parts(start: int, files: dict[str, bytes]) -> dict[str, Part]:
    parts = {}
    for name, data in files.items():
        parts[name] = Part(start, len(data), hashlib.sha256(data).hexdigest())
        start += len(data)
    return parts


def _folders(name: str) -> list[str]:
    return [name[:at] for at, char in enumerate(name) if char == "/"]
