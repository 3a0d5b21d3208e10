"""Unsigned integers of up to 63 bits as LEB128: seven bits a byte, lowest first, high bit while more follow.

Source   this file; the shortest form is the only one accepted.
Memory   nothing of its own.
Errors   IndexError at the end of the bytes, ValueError for what is no such integer.
Runs on  both
"""

from micropython import const

_MOST_BITS = const(63)


def append(out: bytearray, value: int) -> None:
    """Append `value` to `out`; ValueError when it is negative or needs more than 63 bits."""
    if value >> _MOST_BITS:  # of a negative number -1 is left
        raise ValueError("varint")
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)


def read(buf: "bytes | bytearray | memoryview", pos: int) -> "tuple[int, int]":
    """Return (value, position after it) of the varint at `pos`.

    Raises IndexError when `buf` ends within it, ValueError when it is overlong or has more than 63 bits.
    """
    value = shift = 0
    while True:
        byte = buf[pos]
        pos += 1
        value |= (byte & 127) << shift
        if byte < 128:
            break
        shift += 7
        if shift >= _MOST_BITS:
            raise ValueError("varint")
    if not byte and shift:
        raise ValueError("varint")  # a last byte of zero adds nothing: a second spelling of the same number
    return value, pos
