"""Drawing into a one-colour frame laid out as the SSD1306 wants it (framebuf's MONO_VLSB), in plain Python.

So that what the display shows is drawn, and tested, the same way on a board and on a PC; a page costs
about a thousand column writes, which is less than sending it over I2C.

Source   SSD1306 rev 1.1, 8.7: byte page * width + x holds the pixels (x, 8 page .. 8 page + 7), the topmost in bit 0
Units    pixels, (0, 0) is the top left corner; what lies outside the frame is cut off
Memory   none of its own: the frame is the driver's buffer
Runs on  both
"""

from micropython import const

from .glyphs import BIG, SMALL

_GAP = const(1)  # pixels between two small glyphs
_BIG_GAP = const(3)


def has(character: str) -> bool:
    """Return True when there is a small glyph for a character, if only without its accent."""
    return character in SMALL[0] or _plain(character) != "?"


def _plain(character):
    from .plain import plain  # noqa: PLC0415 - few pages have letters without a glyph

    return plain(character) or "?"


def _record(font, character):
    """Return where the record of `character` begins; that of "?" when it has none."""
    at = font[0].find(character)
    if at < 0:
        at = font[0].find(_plain(character))
    return max(at, 0) * (1 + font[2] * ((font[1] + 7) // 8))


def _shape(character):
    """Return the columns of a small glyph."""
    at = _record(SMALL, character)
    return SMALL[3][at + 1 : at + 1 + SMALL[3][at]]


def text_width(text: str) -> int:
    """Return the width of `text` in small glyphs."""
    return sum([SMALL[3][_record(SMALL, c)] + _GAP for c in text]) - _GAP if text else 0


def _spread(bits):
    """Return the eight bits of `bits` with a zero after each: room for the other half of a doubled column."""
    bits = (bits | bits << 4) & 0x0F0F
    bits = (bits | bits << 2) & 0x3333
    return (bits | bits << 1) & 0x5555


def _corner(here, a, b, c, d):
    """Return one corner of each pixel of a doubled column, its stairs smoothed (Scale2x).

    a, b: the corner's neighbours; c, d: those opposite to a and b. A corner takes its neighbours' colour when these
    two agree and the other two differ from them.
    """
    agree = ~(a ^ b) & (a ^ d) & (b ^ c)
    return _spread((here & ~agree | a & agree) & 0xFF)


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

    def glyphs(self, font: tuple, gap: int, x: int, y: int, text: str) -> int:
        """Draw `text` in the glyphs of `font`, `gap` pixels between two; return the x after it."""
        _, height, _, records = font
        size = (height + 7) // 8
        for character in text:
            at = _record(font, character)
            end = x + records[at]
            at += 1
            while x < end:
                self.column(x, y, int.from_bytes(records[at : at + size], "little"))
                at += size
                x += 1
            x += gap
        return x

    def text(self, x: int, y: int, text: str) -> int:
        """Draw `text` in small glyphs (7 pixels high, 8 with descenders); return the x after it."""
        return self.glyphs(SMALL, _GAP, x, y, text)

    def text_right(self, x: int, y: int, text: str) -> int:
        """Draw `text` in small glyphs so that it ends before `x`; return where it begins."""
        start = x - text_width(text)
        self.text(start, y, text)
        return start

    def big(self, x: int, y: int, text: str) -> int:
        """Draw `text` (digits . : - and an arrow up) in big glyphs, 20 pixels high; return the x after it."""
        return self.glyphs(BIG, _BIG_GAP, x, y, text)

    def bold(self, x: int, y: int, text: str) -> int:
        """Draw `text` in small glyphs with strokes of two pixels that close no opening; return the x after it."""
        for character in text:
            shape = _shape(character) + b"\0\0"
            left = 0
            for i in range(len(shape) - 1):
                self.column(x, y, shape[i] | left & ~shape[i + 1])
                left = shape[i]
                x += 1
            x += _GAP
        return x

    def double(self, x: int, y: int, text: str) -> int:
        """Draw `text` in small glyphs at twice their size; return the x after it."""
        for character in text:
            shape = _shape(character)
            last = len(shape) - 1
            for i in range(last + 1):
                here = shape[i]
                left, right = shape[max(i - 1, 0)], shape[min(i + 1, last)]  # the outer edges stay straight: D is no 0
                up, down = here << 1 & 0xFF, here >> 1
                self.column(x, y, _corner(here, up, left, down, right) | _corner(here, down, left, up, right) << 1)
                self.column(x + 1, y, _corner(here, up, right, down, left) | _corner(here, down, right, up, left) << 1)
                x += 2
            x += 2 * _GAP
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
