"""What some meters push instead of A-XDR, put right; asked only about data that are none as they stand.

Source   Landis+Gyr ZMF100: tag and length of a name the wrong way round, 06 09; ZPA and others after the Czech
         specification of the customer interface: the attribute descriptor (class, name, attribute) without tags
Errors   None where nothing of the kind is there
Runs on  both
"""

from ..errors import FrameError
from .dlms_axdr import skip


def mended(buf: bytearray, pos: int, end: int) -> "bytearray | None":
    """Return the data buf[pos:end] as they should be, if every byte of them makes sense then."""
    for mend, more in ((_swap, 0), (_tag, 2), (_tag, 3)):
        found = mend(buf, pos, end, more)
        try:
            if found is not None and skip(found, 0, len(found)) == len(found):
                return found
        except FrameError:
            pass
    return None


def _swap(buf, pos, end, _):
    """Turn 06 09 into 09 06 where a name follows."""
    found = bytearray(buf[pos:end])
    n = 0
    for i in range(len(found) - 7):
        if found[i] == 6 and found[i + 1] == 9 and found[i + 2] < 2 and found[i + 7] == 0xFF:
            found[i], found[i + 1] = 9, 6
            n += 1
    return found if n else None


def _tag(buf, pos, end, more):
    """Put tags into structures that begin with a bare descriptor; `more`: how many elements that makes it more."""
    found = bytearray()
    n = 0
    while pos < end:
        if pos + 11 < end and buf[pos] == 2 and 0 < buf[pos + 1] < 4 and _is_descriptor(buf, pos + 2):
            found += bytes((2, buf[pos + 1] + more, 0x12, 0, buf[pos + 3], 9, 6))
            found += buf[pos + 4 : pos + 10] + bytes((0x0F, buf[pos + 10]))
            pos += 11
            n += 1
        else:
            found.append(buf[pos])
            pos += 1
    return found if n else None


def _is_descriptor(buf, pos):
    return not buf[pos] and buf[pos + 2] < 2 and buf[pos + 7] == 0xFF and 0 < buf[pos + 8] < 20
