"""A DLMS/COSEM encoder for the tests: data, notifications, blocks, envelopes and the frames around them."""

import board_heap  # noqa: F401 - first

from meterhub.codec.crc import crc16_x25
from meterhub.crypto.gcm import GCM

KEY = bytes(range(16))
AUTH_KEY = bytes(range(0xD0, 0xE0))
TITLE = b"ABC\x00\x00\x00\x00\x07"
LLC = b"\xe6\xe7\x00"
AT = 1760000400
CLOCK = b"\x07\xe9\x0a\x09\x04\x0b\x00\x00\x00\xff\x88\x80"  # 11:00 in summer, two hours ahead of UTC


def length(n):
    if n < 0x80:
        return bytes((n,))
    return bytes((0x81, n)) if n < 0x100 else b"\x82" + n.to_bytes(2, "big")


def u8(n):
    return bytes((0x11, n))


def u16(n):
    return b"\x12" + n.to_bytes(2, "big")


def u32(n):
    return b"\x06" + n.to_bytes(4, "big")


def i8(n):
    return bytes((0x0F, n & 0xFF))


def i16(n):
    return b"\x10" + (n & 0xFFFF).to_bytes(2, "big")


def octets(raw):
    return b"\x09" + length(len(raw)) + raw


def visible(words):
    return b"\x0a" + length(len(words)) + words


def struct(*items):
    return b"\x02" + length(len(items)) + b"".join(items)


def array(*items):
    return b"\x01" + length(len(items)) + b"".join(items)


def name(c, d, e=0, a=1, b=0, f=255):
    return octets(bytes((a, b, c, d, e, f)))


def scaled(scale, unit):
    return struct(i8(scale), bytes((0x16, unit)))


def notification(data, time=CLOCK):
    return b"\x0f\x00\x00\x00\x01" + length(len(time)) + time + data


def ciphered(apdu, counter=1, control=0x30, title=TITLE, key=KEY, auth_key=AUTH_KEY):
    """Return `apdu` in its envelope: control 0x30 with a tag, 0x20 without, 0x10 with nothing but a tag."""
    raw = bytearray(apdu)
    iv = title + counter.to_bytes(4, "big")
    aad = bytes((control,)) + auth_key
    gcm = GCM(key)
    tag = gcm.seal(iv, aad, raw)[:12] if control & 0x20 else gcm.seal(iv, aad + apdu, bytearray())[:12]
    content = bytes((control,)) + counter.to_bytes(4, "big") + bytes(raw) + (tag if control & 0x10 else b"")
    return b"\xdb\x08" + title + length(len(content)) + content


def blocks(apdu, size):
    """Return the general-block-transfer APDUs of `apdu`, `size` bytes in each."""
    found = []
    parts = [apdu[pos : pos + size] for pos in range(0, len(apdu), size)]
    for i in range(len(parts)):
        control = 0x40 | (0x80 if i == len(parts) - 1 else 0)
        found.append(b"\xe0" + bytes((control, 0, i + 1, 0, 0)) + length(len(parts[i])) + parts[i])
    return found


def hdlc(info, segmented=False, destination=b"\xce\xff", source=b"\x03"):
    size = 2 + len(destination) + len(source) + 1 + 2 + len(info) + 2
    head = bytes((0xA0 | (8 if segmented else 0) | size >> 8, size & 0xFF)) + destination + source + b"\x13"
    raw = head + crc16_x25(head, len(head)).to_bytes(2, "little") + info
    return b"\x7e" + raw + crc16_x25(raw, len(raw)).to_bytes(2, "little") + b"\x7e"


def segments(info, size, **more):
    """Return the HDLC frames of one APDU in segments of `size` bytes."""
    parts = [info[pos : pos + size] for pos in range(0, len(info), size)]
    return b"".join([hdlc(parts[i], i < len(parts) - 1, **more) for i in range(len(parts))])


def mbus(apdu, size=245):
    """Return the M-Bus frames of one APDU."""
    frames = []
    parts = [apdu[pos : pos + size] for pos in range(0, len(apdu), size)]
    for i in range(len(parts)):
        control = i | (0x10 if i == len(parts) - 1 else 0)
        raw = b"\x53\xff" + bytes((control, 0x01, 0x67)) + parts[i]
        n = len(raw) & 0xFF
        frames.append(bytes((0x68, n, n, 0x68)) + raw + bytes((sum(raw) & 0xFF, 0x16)))
    return frames


def described(*more):
    """Return a list whose objects say unit and scale themselves, as Aidon has it."""
    return array(
        struct(name(0, 2, 129, b=1), visible(b"ABCDE_V0001")),
        struct(name(96, 1, a=0), visible(b"1234567890")),
        struct(name(1, 7), u32(1234), scaled(0, 27)),
        struct(name(31, 7), i16(-75), scaled(-1, 33)),
        struct(name(32, 7), u16(2307), scaled(-1, 35)),
        struct(name(1, 8), u32(10203040), scaled(1, 30)),
        *more,
    )


METER = "1234567890"
GOOD = notification(described())
TRUTH = [
    ("1-0:1.7.0", 1234, 0, "W", METER, 0, AT),
    ("1-0:31.7.0", -75, -1, "A", METER, 0, AT),
    ("1-0:32.7.0", 2307, -1, "V", METER, 0, AT),
    ("1-0:1.8.0", 10203040, 1, "Wh", METER, 0, AT),
]


def feed(decoder, raw, size=0):
    """Feed `raw` in pieces of `size` bytes, or at once; return the Telegrams."""
    found = []
    for pos in range(0, len(raw), size or len(raw) or 1):
        piece = raw[pos : pos + size] if size else raw
        found.extend(decoder.feed(piece, len(piece)))
    return found
