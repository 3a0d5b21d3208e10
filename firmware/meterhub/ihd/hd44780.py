"""A character display of 2 rows of 16, an HD44780 behind a PCF8574 that makes eight outputs of an I2C bus.

What is shown how: the title and the value first, then the lines, two rows at a time. An arrow at the right edge says
that B turns to the next leaf; the last leaf has the headline once more and says what A and B do. The PIN and its code
stand in one row, the tries and the time below; A cancels, B shows who asked.

Source   Hitachi HD44780U: instructions table 6, 4-bit start figure 24, character codes table 4 (ROM A00);
         NXP PCF8574; wiring of the usual backpack: P0 RS, P1 R/W, P2 E, P3 backlight, P4..7 D4..7
Errors   OSError of the bus
Runs on  both
"""

import time

from micropython import const

from .driver import Driver
from .plain import plain
from .rows import rows

_COLUMNS = const(16)
_RS, _E, _LIGHT = const(1), const(4), const(8)
_START_MS = const(5)  # 4.1 ms are asked for
_TWO_ROWS, _ON, _RIGHTWARDS = const(0x28), const(0x0C), const(0x06)
_ROW0, _ROW1, _SHAPES = const(0x80), const(0xC0), const(0x40)
_MORE = const("→")
# characters of our own, codes 0 to 7: WAN up and down; meter fresh, old, silent; arrow up, euro, trouble
_OWN = const("\ue000\ue001\ue002\ue003\ue004↑€▲")
_PIXELS = const(
    b"\x01\x01\x05\x05\x15\x15\x15\x00\x11\x0a\x04\x0a\x11\x00\x15\x00\x00\x0e\x1f\x1f\x1f\x0e\x00\x00"
    b"\x00\x0e\x11\x15\x11\x0e\x00\x00\x00\x0e\x11\x11\x11\x0e\x00\x00\x04\x0e\x15\x04\x04\x04\x04\x00"
    b"\x07\x08\x1e\x08\x1e\x08\x07\x00\x04\x04\x0a\x0a\x15\x11\x1f\x00"
)
_ROM = const("→äöüßñ£")  # what table 4 has outside of ASCII, and where
_ROM_CODES = const(b"\x7e\xe1\xef\xf5\xe2\xee\xed")
_ASIDE = const("○◐●")  # shapes beside words that say the same


def _code(character):
    """Return a character's code in the controller, -1 when it has none."""
    at = _OWN.find(character)
    if at >= 0:
        return at
    at = _ROM.find(character)
    if at >= 0:
        return _ROM_CODES[at]
    if " " <= character < "~" and character != "\\":  # at these two the ROM has an arrow and a yen
        return ord(character)
    character = plain(character)
    return ord(character) if character else -1


def _sides(left, right, columns=_COLUMNS - 1):
    """Return the rows of a text at the left and one at the right: one row when they fit in."""
    if not right:
        return _rows(left)
    if len(left) + 1 + len(right) <= columns:
        return [left + " " * (columns - len(left) - len(right)) + right]
    return _rows(left) + [" " * (_COLUMNS - 1 - len(right)) + right]


def _rows(text):
    """Return the rows of a text, with room for the arrow unless they are fewer without."""
    found = rows(text, _COLUMNS - 1)
    wide = rows(text, _COLUMNS)
    return wide if len(wide) < len(found) else found


def _blocks(page):
    """Yield the rows of a page by what belongs together, what must not be overlooked first."""
    if page.unit:
        yield _sides(page.title, page.value + " " + page.unit, _COLUMNS)
    else:
        yield _sides(page.title, page.corner.replace("● ", "*"), _COLUMNS)
        yield _rows(page.value)
    urgent = [line for line in page.lines if line.startswith("▲")]
    for line in urgent + [line for line in page.lines if line not in urgent]:
        left, _, right = (line[2:] if line and line[0] in _ASIDE else line).partition("\t")
        yield _sides(left, right)
    yield _rows(page.text)
    yield _rows(page.strong)


def leaves(page) -> list:
    """Return the leaves of `page`: lists of two rows."""
    if not page.text and page.value.count(" ") == 2 and page.value.replace(" ", "").isdigit():
        tries, _, clock = page.corner.replace(" tries", "").partition("  ")
        return [[page.value + " " + page.lines[0]] + _sides(tries, clock, _COLUMNS)]
    found = []
    for block in _blocks(page):
        together = len(block) > 1
        for row in block:
            if not found or together or len(found[-1]) > 1 or len(row) + len(found[-1][0]) == 2 * _COLUMNS:
                found.append([])
                together = False
            found[-1].append(row)
    if page.b:
        headline = page.title + " " + page.corner.replace(" ", "") if page.unit else page.value
        labels = ("A " + page.a + " " if page.a else "") + "B " + page.b
        found.append([headline[:_COLUMNS], labels[:_COLUMNS]])
    for leaf in found:
        _complete(leaf, leaf is not found[-1])
    return found


def _complete(leaf, more):
    """Fill a leaf up, and mark it with an arrow at its right edge when there is another one."""
    if len(leaf) < 2:
        leaf.append("")
    if more:
        at = 1 if len(leaf[1]) < _COLUMNS else 0
        leaf[at] += " " * (_COLUMNS - 1 - len(leaf[at])) + _MORE


class Lcd(Driver):
    """bus: as machine.I2C, with writeto(). A PCF8574 is made for 100 kHz."""

    def __init__(self, bus, address: int = 0x27) -> None:
        super().__init__()
        self._bus = bus
        self._address = address
        self._light = _LIGHT

    def readable(self, text: str) -> bool:
        """Return True when there is a code for each character, if only without its accent."""
        return all([_code(character) >= 0 for character in text])

    def start(self) -> None:
        """Set the controller up, whatever state it is in, and give it our characters. Blocks for 15 ms."""
        for _ in range(3):  # eight bits, thrice: now it listens, wherever it was
            self._write(self._pulsed(0x30))
            time.sleep(_START_MS / 1000)
        self._write(self._pulsed(0x20))
        self._write(self._sent((_TWO_ROWS, _ON, _RIGHTWARDS, _SHAPES), 0) + self._sent(_PIXELS, _RS))

    def send(self, page, dim: bool, leaf: int) -> None:
        """Show a leaf; at night without the backlight. Blocks for 13 ms at 100 kHz."""
        found = leaves(page)
        self.leaves = len(found)
        self._light = 0 if dim else _LIGHT
        out = b""
        for at, row in zip((_ROW0, _ROW1), found[min(leaf, len(found) - 1)]):
            codes = [_code(character) for character in row]
            codes = [code if code >= 0 else 0x3F for code in codes] + [0x20] * (_COLUMNS - len(codes))
            out += self._sent((at,), 0) + self._sent(codes, _RS)
        self._write(out)

    def _sent(self, codes, rs):
        """Return the outputs that send instructions (rs 0) or characters; RS settles before E rises."""
        out = bytes((rs | self._light,))
        for code in codes:
            out += self._pulsed(code & 0xF0 | rs) + self._pulsed(code << 4 & 0xF0 | rs)
        return out

    def _pulsed(self, outputs):
        outputs |= self._light
        return bytes((outputs | _E, outputs))

    def _write(self, out):
        self._bus.writeto(self._address, out)
