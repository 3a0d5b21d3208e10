"""Pictures of one-colour displays."""

import struct
import zlib

Pixels = list[list[bool]]
Colour = tuple[int, int, int]


def png(pixels: Pixels, scale: int, dark: Colour, light: Colour) -> bytes:
    """Return rows of pixels as a PNG, each of them `scale` x `scale`."""
    width, height = len(pixels[0]) * scale, len(pixels) * scale
    spare = -width % 8
    lines = []
    for row in pixels:
        bits = "".join(("1" if pixel else "0") * scale for pixel in row) + "0" * spare
        lines.append((b"\0" + int(bits, 2).to_bytes(len(bits) // 8, "big")) * scale)
    header = struct.pack(">IIBBBBB", width, height, 1, 3, 0, 0, 0)
    palette = bytes(dark + light)
    parts = ((b"IHDR", header), (b"PLTE", palette), (b"IDAT", zlib.compress(b"".join(lines), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in parts)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
