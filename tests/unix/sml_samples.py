"""An SML encoder for the tests: elements, messages and files as SML 1.04 has them, and what meters do instead."""

from meterhub.codec.crc import crc16_kermit, crc16_x25

NONE = b"\x01"
SERVER = b"\x0a\x01ABC\x00\x00\x12\xd6\x87"
METER = "1ABC0001234567"
ESCAPE = b"\x1b" * 4


def tl(kind, length, is_list=False):
    """Return the TL field: `length` in bytes of content, or in elements of a list."""
    size = 1
    while True:
        total = length if is_list else length + size
        if total < 1 << 4 * size:
            break
        size += 1
    out = bytearray()
    for i in range(size):
        more = 0x80 if i < size - 1 else 0
        out.append(more | (kind if i == 0 else 0) | total >> 4 * (size - 1 - i) & 15)
    return bytes(out)


def octets(raw):
    return tl(0, len(raw)) + raw


def unsigned(value, width=1):
    return tl(0x60, width) + value.to_bytes(width, "big")


def integer(value, width=1):
    return tl(0x50, width) + (value & (1 << 8 * width) - 1).to_bytes(width, "big")


def listed(*items):
    return tl(0x70, len(items), True) + b"".join(items)


def entry(obis, value, number=None, scaler=None, status=NONE, time=NONE, signature=NONE):
    """Return a value with its name; `value`, `status` and `time` are elements."""
    return listed(
        octets(obis),
        status,
        time,
        NONE if number is None else unsigned(number),
        NONE if scaler is None else integer(scaler),
        value,
        signature,
    )


def obis(c, d, e=0, a=1, b=0, f=255):
    return bytes((a, b, c, d, e, f))


def crc_element(raw, kermit=False):
    if kermit:
        crc = crc16_kermit(raw, len(raw))
    else:
        crc = crc16_x25(raw, len(raw))
        crc = (crc & 0xFF) << 8 | crc >> 8
    return unsigned(crc, 2 if crc > 0xFF else 1)  # leading zeros may be left out


def message(tag, body, transaction=b"\x00\x01", kermit=False):
    raw = b"\x76" + octets(transaction) + unsigned(0) + unsigned(0) + listed(unsigned(tag, 2), body)
    return raw + crc_element(raw, kermit) + b"\x00"


def opening(kermit=False):
    return message(0x0101, listed(NONE, NONE, octets(b"\x01\x02"), octets(SERVER), NONE, NONE), b"\x01", kermit)


def closing(kermit=False):
    return message(0x0201, listed(NONE), b"\x03", kermit)


def values(*entries, server=SERVER, time=NONE, transaction=b"\x02", kermit=False):
    """Return the GetListResponse with these entries."""
    name = octets(b"\x01\x00\x62\x0a\xff\xff")
    return message(0x0701, listed(NONE, octets(server), name, time, listed(*entries), NONE, NONE), transaction, kermit)


def framed(file, kermit=False):
    """Return an SML file as it goes over the line."""
    out = bytearray(ESCAPE + b"\x01" * 4)
    pos = 0
    while pos < len(file):
        if file[pos : pos + 4] == ESCAPE:
            out += ESCAPE + ESCAPE
            pos += 4
        else:
            out.append(file[pos])
            pos += 1
    padding = -len(out) % 4
    out += bytes(padding) + ESCAPE + bytes((0x1A, padding))
    if kermit:
        return bytes(out) + crc16_kermit(out, len(out)).to_bytes(2, "big")
    return bytes(out) + crc16_x25(out, len(out)).to_bytes(2, "little")


def sml(*entries, kermit=False, **more):
    """Return a whole frame with these values."""
    return framed(opening(kermit) + values(*entries, kermit=kermit, **more) + closing(kermit), kermit)


STATUS = unsigned(0x1C0104, 4)
PLAIN = (
    entry(obis(96, 50, 1, f=1), octets(b"ABC")),
    entry(obis(96, 1), octets(SERVER)),
    entry(obis(1, 8), unsigned(123456789, 8), 30, -1, STATUS),
    entry(obis(2, 8), unsigned(7, 1), 30, -1),
    entry(obis(16, 7), integer(-1234, 4), 27, 0),
)


def feed(decoder, raw, size=0):
    """Feed `raw` in pieces of `size` bytes, or at once; return the Telegrams."""
    found = []
    for pos in range(0, len(raw), size or len(raw) or 1):
        piece = raw[pos : pos + size] if size else raw
        found.extend(decoder.feed(piece, len(piece)))
    return found
