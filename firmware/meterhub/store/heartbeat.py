"""The heartbeat: when the hub was alive last.

Source   this file. One file, written over in place, 12 bytes, little endian:
             u8 version 1, u8 kind (1 beat, 2 a restart that was meant), u64 Unix seconds,
             u16 CRC-16/ARC (from 0xFFFF) over all that stands before it
         littlefs takes a file that is closed for one commit: a power cut leaves the old beat or the new one. On a
         file system that is not so kind a torn one is none.
         What a board keeps through a reset (store/kept.py, "beat") is the same 12 bytes.
Errors   OSError from the file system; what is no beat is None
Runs on  both

A beat is one commit of littlefs: on the RP2, which programs 256 bytes at least, a block of 4 KB takes 16 of them, on
the ESP32 63. One every 10 s is 540 erases a day (137), spread over what is free: 100,000 cycles of 1 MB, three
quarters of it free, last 96 years (379). Measured: tests/bench/heartbeat.py.
"""

import struct
from collections import namedtuple

from micropython import const

from ..codec.crc import crc16_arc
from . import files

BEAT = const(1)
RESTART = const(2)
_VERSION = const(1)
_BYTES = const(12)
_SEED = const(0xFFFF)

Beat = namedtuple("Beat", ("kind", "at"))


def pack(kind: int, at: int) -> bytes:
    """Return the 12 bytes."""
    raw = struct.pack("<BBQ", _VERSION, kind, at)
    return raw + struct.pack("<H", crc16_arc(raw, len(raw), _SEED))


def unpack(raw: "bytes | None") -> "Beat | None":
    """Return the Beat in `raw`, None when there is none of a version we know."""
    if raw is None or len(raw) != _BYTES or raw[0] != _VERSION or crc16_arc(raw, _BYTES, _SEED):
        return None
    return Beat(raw[1], struct.unpack_from("<Q", raw, 2)[0])


def read(path: str) -> "Beat | None":
    """Return what was written last."""
    return unpack(files.read(path, _BYTES))


def write(path: str, raw: bytes) -> None:
    """Write a beat over the one before."""
    with open(path, "wb") as file:
        file.write(raw)
