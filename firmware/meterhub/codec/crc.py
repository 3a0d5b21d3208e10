"""The CRC-16 of the meter lines.

Source   CRC-16/ARC: DSMR P1 companion standard 5.0.2, 5.2 (x^16+x^15+x^2+1, least significant bit first, from 0);
         CRC-16/X-25: ISO/IEC 13239 (the frame check sequence of HDLC);
         CRC-16/KERMIT: the same polynomial from 0 and not inverted (what some SML meters send instead).
Memory   allocates nothing.
Runs on  both. `_reflected_py` is the specification; where the runtime has a viper emitter `_crc_native` runs in
         its place, under CPython `_crc_host`, and must agree with it on every vector. Nothing else knows of them.
"""

import sys

from micropython import const

_ARC = const(0xA001)  # 0x8005 with its bits reversed
_X25 = const(0x8408)  # 0x1021 with its bits reversed


def _reflected_py(buf: "bytes | bytearray | memoryview", n: int, crc: int, poly: int) -> int:
    for i in range(n):
        crc ^= buf[i]
        for _ in range(8):
            crc = (crc >> 1) ^ poly if crc & 1 else crc >> 1
    return crc


_reflected = _reflected_py
if sys.implementation.name == "micropython":
    try:
        from ._crc_native import reflected as _reflected
    except SyntaxError:  # a port without a viper emitter for its processor
        pass
else:
    from ._crc_host import reflected as _reflected


def crc16_arc(buf: "bytes | bytearray | memoryview", n: int, crc: int = 0) -> int:
    """Return CRC-16/ARC of the first `n` bytes of `buf`; `crc` is the result for what came before them."""
    return _reflected(buf, n, crc, _ARC)  # pyright: ignore[reportArgumentType] - ptr8 takes any buffer


def crc16_x25(buf: "bytes | bytearray | memoryview", n: int, crc: int = 0) -> int:
    """Return CRC-16/X-25 of the first `n` bytes of `buf`; `crc` is the result for what came before them."""
    return _reflected(buf, n, crc ^ 0xFFFF, _X25) ^ 0xFFFF  # pyright: ignore[reportArgumentType]


def crc16_kermit(buf: "bytes | bytearray | memoryview", n: int, crc: int = 0) -> int:
    """Return CRC-16/KERMIT of the first `n` bytes of `buf`; `crc` is the result for what came before them."""
    return _reflected(buf, n, crc, _X25)  # pyright: ignore[reportArgumentType]
