"""The big display: 128 x 64 pixels on I2C, its controller an SSD1306 or an SH1106.

Source   SSD1306 rev 1.1: control byte 8.1.5.2, commands 9; SH1106 rev 2.3: commands 1 to 23. The SH1106's RAM is 132
         columns wide, the glass shows those from the third on, and it knows page addressing only.
Memory   the frame, 1 KB
Errors   OSError of the bus
Runs on  both
"""

from micropython import const

from . import layout
from .canvas import Canvas, has
from .driver import Driver

_BRIGHT, _DIM = const(0xCF), const(0x01)
_STRIPE = const(128)  # bytes; 8 rows of pixels
# clock; 64 rows, no offset, from line 0; upright; COM pins; precharge; deselect level; RAM shown, not inverted
_START = const(b"\x00\xd5\x80\xa8\x3f\xd3\x00\x40\xa1\xc8\xda\x12\xd9\xf1\xdb\x30\xa4\xa6")
_START_SSD1306 = const(b"\x00\x8d\x14\x20\x00\x2e")  # charge pump; horizontal addressing; no scrolling
_START_SH1106 = const(b"\x00\xad\x8b\x32")  # DC-DC converter, 8 V
_WINDOW = const(b"\x00\x21\x00\x7f\x22\x00\x07")  # SSD1306: all columns and pages from the first on
_ON = const(b"\x00\xaf")


class Oled(Driver):
    """bus: as machine.I2C, with writeto() and writevto(); sh1106: which of the two controllers it is."""

    seldom = ("sheets", "glyphs_code", "rows", "plain")

    def __init__(self, bus, address: int = 0x3C, sh1106: bool = False) -> None:
        super().__init__()
        self._bus = bus
        self._address = address
        self._sh1106 = sh1106
        self._canvas = Canvas(layout.WIDTH, layout.HEIGHT, bytearray(layout.WIDTH * layout.HEIGHT // 8))

    def readable(self, text: str) -> bool:
        """Return True when there is a glyph for each character, if only without its accent."""
        return all([has(character) for character in text])

    def start(self) -> None:
        """Set the registers; a controller that has just got its power shows nothing before the first page is there."""
        self._bus.writeto(self._address, _START)
        self._bus.writeto(self._address, _START_SH1106 if self._sh1106 else _START_SSD1306)

    def send(self, page, dim: bool, leaf: int) -> None:
        """Draw and send `page`: 25 ms at 400 kHz."""
        self.leaves = layout.draw(page, self._canvas, leaf)
        self._bus.writeto(self._address, bytes((0, 0x81, _DIM if dim else _BRIGHT)))
        frame = memoryview(self._canvas.buffer)
        if self._sh1106:
            for row in range(8):
                self._bus.writeto(self._address, bytes((0, 0xB0 | row, 0x02, 0x10)))
                self._data(frame[row * _STRIPE : (row + 1) * _STRIPE])
        else:
            self._bus.writeto(self._address, _WINDOW)
            self._data(frame)
        self._bus.writeto(self._address, _ON)

    def _data(self, part):
        self._bus.writevto(self._address, (b"\x40", part))
