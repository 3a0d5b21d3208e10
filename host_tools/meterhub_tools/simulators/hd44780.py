"""A model of a 16 x 2 character display as it is sold: an HD44780 behind a PCF8574 on the I2C bus.

Source   Hitachi HD44780U: instructions table 6, pin functions, 4-bit interface figure 9, start figure 24, DDRAM
         addresses figure 4; character codes table 4 (ROM A00). NXP PCF8574. Backpack: P0 RS, P1 R/W, P2 E, P3 light,
         P4..7 D4..7
Errors   none raised: what makes no sense is noted in `errors` and ignored
"""

from .. import firmware  # noqa: F401 - puts the firmware's package on the path
from .png import Pixels, png

from meterhub.ihd.glyphs import SMALL  # isort: skip

COLUMNS, ROWS = 16, 2
_RS, _RW, _E, _LIGHT = 1, 2, 4, 8
_POWER_UP = 0xFF  # outputs of a PCF8574 that has just got its power
_LINE = 0x40  # DDRAM address of the second row
_ROM = {0x7E: "→", 0x7F: "←", 0x5C: "¥", 0xDF: "°", 0xE1: "ä", 0xE2: "ß", 0xED: "£", 0xEE: "ñ", 0xEF: "ö", 0xF5: "ü"}
_CELL = (6, 10)  # dots of a character and the gap to the next one


class HD44780:
    """One display. `errors`: what was sent and makes no sense; `version` rises with each transaction."""

    bus = "i2c"
    address = 0x27

    def __init__(self) -> None:
        self.errors: list[str] = []
        self.version = 0
        self.reset()

    def reset(self) -> None:
        """Power up: eight bits, display off, DDRAM full of blanks."""
        self.ddram = bytearray(b" " * 128)
        self.cgram = bytearray(64)
        self.is_on = self.is_lit = self.two_rows = False
        self.wide = True  # eight data lines, of which the lower four hang in the air
        self._increment = 1
        self._at, self._in_cgram = 0, False
        self._upper: int | None = None
        self._outputs = _POWER_UP
        self.version += 1

    def write(self, payload: bytes) -> None:
        """Take one I2C write transaction: each byte sets the eight outputs."""
        for outputs in payload:
            before, self._outputs = self._outputs, outputs
            if before == _POWER_UP:
                continue  # E falls, but in a read that nobody asked for
            rises, falls = outputs & ~before & _E, before & ~outputs & _E
            if rises and (outputs ^ before) & (_RS | _RW):
                self._error("RS changes together with E")
            if falls and (outputs ^ before) & 0xF3:
                self._error("data changes together with E")
            if falls:
                self._nibble(before)
        self.is_lit = bool(self._outputs & _LIGHT)
        self.version += 1

    def _error(self, text: str) -> None:
        if len(self.errors) < 100:
            self.errors.append(text)

    def _nibble(self, outputs: int) -> None:
        if outputs & _RW:
            self._error("read")
            return
        register, data = outputs & _RS, outputs & 0xF0
        if self.wide:
            self._take(register, data)
        elif self._upper is None:
            self._upper = data | register
        elif self._upper & _RS != register:
            self._error("RS changes between two halves")
            self._upper = None
        else:
            data = self._upper & 0xF0 | data >> 4
            self._upper = None
            self._take(register, data)

    def _take(self, register: int, byte: int) -> None:
        if register:
            self._character(byte)
        elif byte & 0x80:
            self._at, self._in_cgram = byte & 0x7F, False
        elif byte & 0x40:
            self._at, self._in_cgram = byte & 0x3F, True
        elif byte & 0x20:
            self.wide, self.two_rows = bool(byte & 0x10), bool(byte & 8)
        elif byte & 0x10:
            self._error(f"cursor or display shift {byte:02x}")
        elif byte & 8:
            self.is_on = bool(byte & 4)
        elif byte & 4:
            self._increment = 1 if byte & 2 else -1
        elif byte & 2:
            self._at, self._in_cgram = 0, False
        elif byte:
            self.ddram[:] = b" " * 128
            self._at, self._in_cgram, self._increment = 0, False, 1
        else:
            self._error("no instruction")

    def _character(self, byte: int) -> None:
        if self.wide:
            self._error("data on eight lines of which four are not there")
        elif self._in_cgram:
            self.cgram[self._at] = byte & 0x1F
            self._at = (self._at + self._increment) % 64
        elif self._at % _LINE >= 40:
            self._error(f"DDRAM address {self._at:02x}")
        else:
            self.ddram[self._at] = byte
            self._at = self._next()

    def _next(self) -> int:
        """Return the next DDRAM address: each row has forty, the second one follows the first."""
        row, column = divmod(self._at, _LINE)
        column += self._increment
        return (row ^ (not 0 <= column < 40)) * _LINE + column % 40

    # -- what a person sees ----------------------------------------------------------------------------------------

    def _codes(self) -> list[bytes]:
        if not self.is_on:
            return [b" " * COLUMNS] * ROWS
        rows = [bytes(self.ddram[at : at + COLUMNS]) for at in (0, _LINE)]
        return rows if self.two_rows else [rows[0], b" " * COLUMNS]

    def seen(self) -> list[str]:
        """Return what a person reads: two rows; characters of its own are U+E010 to U+E017."""
        return ["".join(map(_character, row)) for row in self._codes()]

    def pixels(self) -> Pixels:
        """Return the dots of the glass."""
        width, height = COLUMNS * _CELL[0] + 1, ROWS * _CELL[1] + 1
        glass = [[False] * width for _ in range(height)]
        for y, row in enumerate(self._codes()):
            for x, code in enumerate(row):
                for line, bits in enumerate(self._dots(code)):
                    for dot in range(5):
                        glass[y * _CELL[1] + 1 + line][x * _CELL[0] + 1 + dot] = bool(bits >> (4 - dot) & 1)
        return glass

    def _dots(self, code: int) -> list[int]:
        """Return the eight lines of a character, drawn with our own small glyphs where they are the ROM's."""
        if code < 16:
            return list(self.cgram[8 * (code & 7) : 8 * (code & 7) + 8])
        at = max(SMALL[0].find(_character(code)), 0) * 8
        columns = SMALL[3][at + 1 : at + 1 + min(SMALL[3][at], 5)]
        return [sum((column >> line & 1) << (4 - x) for x, column in enumerate(columns)) for line in range(8)]

    def png(self, scale: int = 4) -> bytes:
        """Return the glass as a PNG: white on blue, dark without its light."""
        colours = ((16, 40, 160), (235, 240, 255)) if self.is_lit else ((10, 14, 40), (70, 76, 100))
        return png(self.pixels(), scale, *colours)


def _character(code: int) -> str:
    if code < 16:
        return chr(0xE010 + (code & 7))
    return _ROM.get(code, chr(code) if 0x20 <= code < 0x7E else "�")
