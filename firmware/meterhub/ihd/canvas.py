"""Drawing into a one-colour frame laid out as the SSD1306 wants it (framebuf's MONO_VLSB), in plain Python.

So that what the display shows is drawn, and tested, the same way on a board and on a PC; a page costs
about a thousand column writes, which is less than sending it over I2C.

Source   SSD1306 rev 1.1, 8.7: byte page * width + x holds the pixels (x, 8 page .. 8 page + 7), the topmost in bit 0
Units    pixels, (0, 0) is the top left corner; what lies outside the frame is cut off
Memory   none of its own: the frame is the driver's buffer
Runs on  both
"""

from micropython import const

from .glyphs import BIG, MEDIUM, SMALL

WAN_UP, WAN_DOWN, FRESH, OLD, SILENT = "\ue000", "\ue001", "\ue002", "\ue003", "\ue004"
BIG_HEIGHT = BIG[1]
_GAP = const(1)  # pixels between two small glyphs
_MEDIUM_GAP = const(2)
_BIG_GAP = const(3)
# letters that are drawn without their accent
_ACCENTED = "áàâãëêíìîïóòôõúùûýÁÀÂÃÄÅÉÈÊËÍÌÎÏÓÒÔÕÖÚÙÛÜÝÇÑØ’‘“”·"
_PLAIN = "aaaaeeiiiioooouuuyAAAAAAEEEEIIIIOOOOOUUUUYCNO''\"\"-"


def _record(font, character):
    """Return where the record of `character` begins; that of "?" when it has none."""
    at = font[0].find(character)
    if at < 0:
        at = _ACCENTED.find(character)
        at = font[0].find(_PLAIN[at] if at >= 0 else "?")
    return max(at, 0) * (1 + font[2] * ((font[1] + 7) // 8))


def text_width(text: str) -> int:
    """Return the width of `text` in small glyphs."""
    records = SMALL[3]
    return sum([records[_record(SMALL, c)] + _GAP for c in text]) - _GAP if text else 0


def big_width(text: str) -> int:
    """Return the width of `text` in big glyphs."""
    records = BIG[3]
    return sum([records[_record(BIG, c)] + _BIG_GAP for c in text]) - _BIG_GAP if text else 0


def _spread(bits):
    """Return the eight bits of `bits` with a zero after each: room for the other half of a doubled column."""
    bits = (bits | bits << 4) & 0x0F0F
    bits = (bits | bits << 2) & 0x3333
    return (bits | bits << 1) & 0x5555


def _doubled(left, here, right):
    """Return the two columns that a column of a small glyph becomes at twice the size, its stairs smoothed (Scale2x).

    left, here, right: three neighbouring columns of 8 pixels. A corner takes its neighbours' colour when these two
    agree and the other two differ from them.
    """
    up, down = here << 1 & 0xFF, here >> 1

    def corner(a, b, c, d):  # a, b: the corner's neighbours; c, d: those opposite to a and b
        agree = ~(a ^ b) & (a ^ d) & (b ^ c)
        return _spread((here & ~agree | a & agree) & 0xFF)

    first = corner(up, left, down, right) | corner(down, left, up, right) << 1
    second = corner(up, right, down, left) | corner(down, right, up, left) << 1
    return first, second


class Canvas:
    """A frame of `width` x `height` pixels in `buffer` (bytearray of width * height / 8)."""

    def __init__(self, width: int, height: int, buffer: bytearray) -> None:
        self.width = width
        self.height = height
        self.buffer = buffer

    def clear(self) -> None:
        """Make every pixel dark."""
        row = bytes(self.width)
        for at in range(0, len(self.buffer), self.width):
            self.buffer[at : at + self.width] = row

    def column(self, x: int, y: int, bits: int) -> None:
        """Light the pixels of `bits` (lowest = topmost) at (x, y) downwards; y >= 0."""
        if not 0 <= x < self.width:
            return
        bits <<= y & 7
        at = (y >> 3) * self.width + x
        while bits and at < len(self.buffer):
            self.buffer[at] |= bits & 0xFF
            bits >>= 8
            at += self.width

    def _glyph(self, font, x, y, character):
        """Draw one glyph; return its width."""
        size = (font[1] + 7) // 8
        at = _record(font, character)
        records = font[3]
        width = records[at]
        at += 1
        for i in range(width):
            bits = 0
            for byte in range(size):
                bits |= records[at + byte] << 8 * byte
            self.column(x + i, y, bits)
            at += size
        return width

    def text(self, x: int, y: int, text: str) -> int:
        """Draw `text` in small glyphs (7 pixels high, 8 with descenders); return the x after it."""
        for character in text:
            x += self._glyph(SMALL, x, y, character) + _GAP
        return x

    def text_right(self, x: int, y: int, text: str) -> int:
        """Draw `text` in small glyphs so that it ends before `x`; return where it begins."""
        start = x - text_width(text)
        self.text(start, y, text)
        return start

    def bold(self, x: int, y: int, text: str) -> int:
        """Draw `text` in small glyphs with strokes of two pixels that close no opening; return the x after it."""
        records = SMALL[3]
        for character in text:
            at = _record(SMALL, character)
            width = records[at]
            left = 0
            for i in range(at + 1, at + 2 + width):
                here = records[i] if i <= at + width else 0
                right = records[i + 1] if i < at + width else 0
                self.column(x, y, here | left & ~right)
                left = here
                x += 1
            x += _GAP
        return x

    def double(self, x: int, y: int, text: str) -> int:
        """Draw `text` in small glyphs at twice their size; return the x after it."""
        records = SMALL[3]
        for character in text:
            at = _record(SMALL, character)
            width = records[at]
            left = records[at + 1]  # the outer edges stay straight: a D must not look like a 0
            for i in range(at + 1, at + 1 + width):
                right = records[min(i + 1, at + width)]
                first, second = _doubled(left, records[i], right)
                self.column(x, y, first)
                self.column(x + 1, y, second)
                left = records[i]
                x += 2
            x += 2 * _GAP
        return x

    def medium(self, x: int, y: int, text: str) -> int:
        """Draw `text` (Crockford's base32) 14 pixels high, 16 with the tail of a Q; return the x after it."""
        for character in text:
            x += self._glyph(MEDIUM, x, y, character) + _MEDIUM_GAP
        return x

    def big(self, x: int, y: int, text: str) -> int:
        """Draw `text` (digits . : - and an arrow up) in big glyphs, 20 pixels high; return the x after it."""
        for character in text:
            x += self._glyph(BIG, x, y, character) + _BIG_GAP
        return x

    def box(self, x: int, y: int, width: int, height: int) -> None:
        """Light a filled rectangle; height <= 22."""
        bits = (1 << height) - 1
        for i in range(x, x + width):
            self.column(i, y, bits)

    def invert(self, x: int, y: int, width: int, height: int) -> None:
        """Swap light and dark in a rectangle that lies inside the frame."""
        for row in range(y >> 3, (y + height + 7) >> 3):
            bits = 0xFF
            if row == y >> 3:
                bits &= 0xFF << (y & 7)
            if row == (y + height) >> 3:
                bits &= (1 << ((y + height) & 7)) - 1
            at = row * self.width + x
            for i in range(at, at + width):
                self.buffer[i] ^= bits & 0xFF
