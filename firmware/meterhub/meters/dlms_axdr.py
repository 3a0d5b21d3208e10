"""A-XDR: the data of DLMS/COSEM, element by element, where they stand in the buffer.

Source   IEC 61334-6 (A-XDR); DLMS UA 1000-2 (Green Book) 9.5, "Data"; 4.1.6.1 of the Blue Book (date-time)
Memory   nothing is copied but what is asked for.
Errors   FrameError "truncated" when an element ends behind the data, "garbage" for what is none,
         "unsupported compact array"
Runs on  both
"""

from micropython import const

from ..codec import calendar
from ..codec.decimal import decimal32, decimal64
from ..errors import FrameError
from .dlms_security import length_at

ARRAY = const(1)
STRUCTURE = const(2)
BIT_STRING = const(4)
OCTETS = const(9)
TEXT = const(10)
UTF8 = const(12)
INT8 = const(15)
UINT16 = const(18)
COMPACT_ARRAY = const(19)
ENUM = const(22)
FLOAT32 = const(23)
FLOAT64 = const(24)
DATE_TIME = const(25)
_NONE = const(0xFF)  # no such tag
_LENGTH = const(0xFE)  # a length follows
# what follows each tag: that many bytes
_SIZES = (
    b"\x00\xfe\xfe\x01\xfe\x04\x04\xff\xff\xfe\xfe\xff\xfe\x01\xff\x01\x02\x01\x02\xfe\x08\x08\x01\x04\x08\x0c\x05\x04"
    b"\x01\x02\x04\x01\x02\x04" + b"\xff" * 222
)
_SIGNED = const(b"\x05\x0f\x10\x14\x1c\x1d\x1e")
_UNSIGNED = const(b"\x03\x06\x0d\x11\x12\x15\x16\x1f\x20\x21")


def skip(buf: bytearray, pos: int, end: int) -> int:
    """Return where the element at `pos` ends, with all that is in it."""
    left = 1
    while left:
        if pos >= end:
            raise FrameError("truncated")
        tag = buf[pos]
        pos += 1
        left -= 1
        size = _SIZES[tag]
        if size < _LENGTH:
            pos += size
        elif size == _NONE:
            raise FrameError("garbage")
        else:
            if tag == COMPACT_ARRAY:
                raise FrameError("unsupported compact array")
            if pos < end and buf[pos] < 0x80:  # nearly always
                length = buf[pos]
                pos += 1
            else:
                length, pos = length_at(buf, pos, end)
            if tag <= STRUCTURE:
                left += length
            else:
                pos += (length + 7) // 8 if tag == BIT_STRING else length
    if pos > end:
        raise FrameError("truncated")
    return pos


def children(buf: bytearray, pos: int, end: int) -> list:
    """Return where each element of the array or structure at `pos` begins, and at last where the last one ends."""
    count, pos = length_at(buf, pos + 1, end)
    found = [pos]
    for _ in range(count):
        tag = buf[pos] if pos < end else _NONE
        if _SIZES[tag] < _LENGTH:
            pos += 1 + _SIZES[tag]
        elif tag == OCTETS and pos + 1 < end and buf[pos + 1] < 0x80:
            pos += 2 + buf[pos + 1]
        else:
            pos = skip(buf, pos, end)
        found.append(pos)
    return found


def octets(buf: bytearray, pos: int, end: int) -> "bytes | None":
    """Return the string of any kind at `pos`, or None when it is something else."""
    if buf[pos] not in (OCTETS, TEXT, UTF8):
        return None
    length, pos = length_at(buf, pos + 1, end)
    return bytes(buf[pos : pos + length])


def number(buf: bytearray, pos: int) -> "tuple[int, int] | None":
    """Return (value, power of ten) of the number at `pos`, or None when it is none."""
    tag = buf[pos]
    if tag in (FLOAT32, FLOAT64):
        bits = int.from_bytes(buf[pos + 1 : pos + 1 + _SIZES[tag]], "big")
        return decimal32(bits) if tag == FLOAT32 else decimal64(bits)
    if tag not in _SIGNED and tag not in _UNSIGNED:
        return None
    size = _SIZES[tag]
    value = int.from_bytes(buf[pos + 1 : pos + 1 + size], "big")
    if tag in _SIGNED and value >> 8 * size - 1:
        value -= 1 << 8 * size
    return value, 0


def unix(raw: bytes, zone, base_offset_s: int) -> "int | None":
    """Return the Unix time of the 12 bytes of a date-time, or None when they are none or the meter says it is wrong.

    Where it does not say how far it is from UTC, the zone says it, or else base_offset_s (and its own summer bit).
    """
    status = raw[11]
    if status == 0xFF:  # not specified
        status = 0
    if status & 1:  # invalid value
        return None
    try:
        wall = calendar.seconds(raw[0] << 8 | raw[1], raw[2], raw[3], raw[5], raw[6], 0 if raw[7] == 0xFF else raw[7])
        deviation = raw[9] << 8 | raw[10]
        if deviation != 0x8000:  # minutes from local time to UTC
            return wall + 60 * (deviation - 0x10000 if deviation & 0x8000 else deviation)
        if zone is None:
            return wall - base_offset_s - (3600 if status & 0x80 else 0)
        at = wall - zone.offset_s(wall - zone.offset_s(wall))
        # an hour that comes twice: the first time it is summer
        return at - 3600 if status & 0x80 and zone.offset_s(at - 3600) == zone.offset_s(at) + 3600 else at
    except ValueError:
        return None


def is_date_time(raw: bytes) -> bool:
    """Return whether 12 bytes may be a date-time, and not the digits of a number."""
    if len(raw) != 12 or not (raw[0] << 8 | raw[1] == 0xFFFF or 1970 <= raw[0] << 8 | raw[1] < 2200):
        return False
    fields = (
        (2, 1, 12, 0xFD),
        (3, 1, 31, 0xFD),
        (4, 1, 7, 0xFF),
        (5, 0, 23, 0xFF),
        (6, 0, 59, 0xFF),
        (7, 0, 59, 0xFF),
    )
    return all([low <= raw[i] <= high or raw[i] >= other for i, low, high, other in fields])
