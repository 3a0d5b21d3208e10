"""What is in a MicroPython image, found out before anything is written: for which chip, which board, which version.

    image = read(Path("RPI_PICO_W-20250415-v1.25.0.uf2"))      ToolError: it is none, or not all of it

Source   UF2: the specification (blocks of 512 bytes, magic numbers, family ids); RP2350: the datasheet's erratum E10,
         for which an image begins with a block of the family "absolute".
         ESP32: ESP-IDF's "App Image Format" (magic 0xE9, chip id, segments, checksum, SHA-256) and "Partition Tables".
         MicroPython's ESP32 images are a boot loader, a partition table at 0x8000 and the program at 0x10000.
Errors   ToolError, one sentence
"""

import hashlib
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ..errors import ToolError

_LARGEST = 64 << 20

_UF2_BLOCK = struct.Struct("<8I476sI")
_UF2_MAGICS = (0x0A324655, 0x9E5D5157, 0x0AB16F30)
_UF2_FAMILY_PRESENT, _UF2_NOT_FLASH = 0x2000, 0x1
_UF2_ABSOLUTE = 0xE48BFF57
_UF2_CHIPS = {0xE48BFF56: "rp2040", 0xE48BFF59: "rp2350", 0xE48BFF5A: "rp2350 (RISC-V)"}

_ESP_MAGIC, _ESP_HEAD = 0xE9, 24
_ESP_CHECKSUM = 0xEF
_ESP_CHIPS = {
    0: "esp32",
    2: "esp32s2",
    5: "esp32c3",
    9: "esp32s3",
    12: "esp32c2",
    13: "esp32c6",
    16: "esp32h2",
    18: "esp32p4",
}
_ESP_FLASH_OFFSETS = {"esp32": 0x1000, "esp32s2": 0x1000, "esp32p4": 0x2000}  # the others boot from 0
_ESP_TABLE, _ESP_TABLE_BYTES = 0x8000, 0xC00
_ESP_PARTITION = struct.Struct("<HBBII16sI")
_ESP_PARTITION_MAGIC, _ESP_TYPE_APP = 0x50AA, 0

_VERSION = re.compile(rb"MicroPython v(\d+)\.(\d+)\.(\d+)([-\w.]*) on ")
_MACHINE = re.compile(rb"[ -~]{3,120} with (?:RP2040|RP2350[-\w]*|ESP32\w*)(?=\0)")


class Image(NamedTuple):
    """An image. machine: how it calls the board that it is for, "" when it does not say; family: of a UF2 file."""

    path: Path
    sha256: str
    chip: str
    family: int
    machine: str
    version: tuple[int, int, int]
    length: int

    @property
    def words(self) -> str:
        """It in words."""
        return f"MicroPython {'.'.join(map(str, self.version))} for {self.machine or self.chip}"


def read(path: Path) -> Image:
    """Read an image and check that all of it is there and whole."""
    try:
        if path.stat().st_size > _LARGEST:
            raise ToolError(f"{path} is too long for an image")
        raw = path.read_bytes()
    except OSError as error:
        raise ToolError(f"{path}: {error.strerror}") from None
    try:
        chip, family, content = _uf2(raw) if path.suffix.lower() == ".uf2" else _esp(raw)
    except _BadImageError as error:
        raise ToolError(f"{path} {error}") from None
    version = _VERSION.search(content)
    if version is None:
        raise ToolError(f"{path} is no MicroPython: it does not say its version")
    machine = _MACHINE.search(content)
    numbers = int(version[1]), int(version[2]), int(version[3])
    name = machine[0].decode().rpartition("; ")[2] if machine else ""  # in the REPL's banner it is the last part
    return Image(path, hashlib.sha256(raw).hexdigest(), chip, family, name, numbers, len(raw))


class _BadImageError(Exception):
    """Why a file is no image: the rest of a sentence that begins with its name."""


# -- UF2 ---------------------------------------------------------------------------------------------------------


def _uf2(raw: bytes) -> tuple[str, int, bytes]:
    """Return (chip, family, the flash's content) of a UF2 file."""
    if not raw or len(raw) % 512:
        raise _BadImageError("is no whole UF2 file: its length is no multiple of 512; download it again")
    content = bytearray()
    family, expected, total = 0, 0, 0
    for at in range(0, len(raw), 512):
        one, two, flags, _, size, number, count, its_family, data, last = _UF2_BLOCK.unpack_from(raw, at)
        if (one, two, last) != _UF2_MAGICS or size > 476:
            raise _BadImageError(f"is no UF2 file: block {at // 512} does not have its marks; download it again")
        if flags & _UF2_NOT_FLASH or its_family == _UF2_ABSOLUTE:
            continue
        if not flags & _UF2_FAMILY_PRESENT or its_family not in (family or its_family,):
            raise _BadImageError("is for more than one kind of chip, or for none that it names")
        if number != expected or count != (total or count):
            raise _BadImageError(f"is no whole UF2 file: block {expected} is missing; download it again")
        family, expected, total = its_family, expected + 1, count
        content += data[:size]
    if expected != total or not total:
        raise _BadImageError(f"is no whole UF2 file: it has {expected} of {total} blocks; download it again")
    return _UF2_CHIPS.get(family, f"another chip (UF2 family {family:#010x})"), family, bytes(content)


# -- ESP32 -------------------------------------------------------------------------------------------------------


def _esp(raw: bytes) -> tuple[str, int, bytes]:
    """Return (chip, 0, the file) of a MicroPython image for an ESP32: boot loader, partition table, program."""
    if len(raw) < _ESP_HEAD or raw[0] != _ESP_MAGIC:
        raise _BadImageError("is no image for an ESP32 (and no .uf2 file either)")
    number = struct.unpack_from("<H", raw, 12)[0]
    chip = _ESP_CHIPS.get(number, f"another chip (ESP chip id {number})")
    offset = _ESP_FLASH_OFFSETS.get(chip, 0)
    _check_program(raw, 0, number, "boot loader")
    starts = [start for kind, start in _partitions(raw, _ESP_TABLE - offset) if kind == _ESP_TYPE_APP]
    if not starts:
        raise _BadImageError("has no partition table: it is no complete image; take the .bin file of the board's page")
    _check_program(raw, starts[0] - offset, number, "program")
    return chip, 0, raw


def _partitions(raw: bytes, at: int) -> Iterator[tuple[int, int]]:
    """Yield (type, start) of each partition."""
    for row in range(at, min(at + _ESP_TABLE_BYTES, len(raw) - 31), 32):
        magic, kind, _, start, _, _, _ = _ESP_PARTITION.unpack_from(raw, row)
        if magic != _ESP_PARTITION_MAGIC:
            return
        yield kind, start


def _check_program(raw: bytes, at: int, chip: int, what: str) -> None:
    """_BadImageError unless a whole program for this chip begins at `at`."""
    short = f"is cut off: not all of its {what} is there; download it again"
    if len(raw) < at + _ESP_HEAD:
        raise _BadImageError(short)
    if raw[at] != _ESP_MAGIC or struct.unpack_from("<H", raw, at + 12)[0] != chip:
        raise _BadImageError(f"has no {what} for this chip where it should be; download it again")
    end, checksum = at + _ESP_HEAD, _ESP_CHECKSUM
    for _ in range(raw[at + 1]):
        if end + 8 > len(raw):
            raise _BadImageError(short)
        length = struct.unpack_from("<I", raw, end + 4)[0]
        segment = raw[end + 8 : end + 8 + length]
        if len(segment) < length:
            raise _BadImageError(short)
        checksum ^= _xor(segment)
        end += 8 + length
    end += 16 - (end - at) % 16  # the checksum is the last byte of a row of 16
    digest = raw[end : end + 32]
    if len(raw) < end or (raw[at + 23] and len(digest) < 32):
        raise _BadImageError(short)
    if raw[end - 1] != checksum or (raw[at + 23] and hashlib.sha256(raw[at:end]).digest() != digest):
        raise _BadImageError(f"is damaged: the check over its {what} fails; download it again")


def _xor(data: bytes) -> int:
    """Return the exclusive or of all bytes, by halving."""
    number, bits = int.from_bytes(data, "little"), 8
    while bits < 8 * len(data):
        bits *= 2
    while bits > 8:
        bits //= 2
        number = (number >> bits) ^ (number & ((1 << bits) - 1))
    return number
