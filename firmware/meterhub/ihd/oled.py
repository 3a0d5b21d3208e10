"""The big display: an SSD1306 with 128 x 64 pixels on I2C, driven by micropython-lib's ssd1306.

A page is sent when it has changed, and every ten seconds anyway, with the controller's registers: so a
display that lost its power for a moment, or was plugged in later, shows something again by itself.

Memory   the driver's frame, 1 KB
Errors   none: show() returns False while there is no display
Runs on  MicroPython (framebuf)
"""

from micropython import const
from ssd1306 import SSD1306_I2C

from ..hal.ticks import now_ms, since
from . import layout
from .canvas import Canvas

_REFRESH_MS = const(10000)
_RETRY_MS = const(5000)
_BRIGHT, _DIM = const(0xCF), const(0x01)


class _Panel(SSD1306_I2C):
    """The driver, which starts when start() says so and shows nothing before the first page is drawn."""

    def __init__(self, i2c):
        self._starting = True
        super().__init__(layout.WIDTH, layout.HEIGHT, i2c)

    def init_display(self):
        """The driver's constructor calls this; the display may not be there yet."""

    def show(self):
        if not self._starting:
            super().show()

    def start(self):
        self._starting = True
        super().init_display()
        self._starting = False


class Oled:
    """Shows pages. i2c: the bus, with writeto() and writevto() as in machine.I2C."""

    def __init__(self, i2c) -> None:
        self._panel = _Panel(i2c)
        self._shown = None
        self._tried_at = None
        self._works = False

    def show(self, page, dim: bool = False) -> bool:
        """Show `page`; return True when the display has taken it. Blocks for a frame on the bus (25 ms at 400 kHz)."""
        now = now_ms()
        age = _RETRY_MS if self._tried_at is None else since(now, self._tried_at)
        if not self._works and age < _RETRY_MS:
            return False
        if self._works and self._shown == (page, dim) and age < _REFRESH_MS:
            return True
        try:
            if not self._works or age >= _REFRESH_MS:
                self._tried_at = now
                self._panel.start()
            self._send(page, dim)
            self._works = True
        except OSError:
            self._works = False
        return self._works

    def _send(self, page, dim):
        layout.draw(page, Canvas(layout.WIDTH, layout.HEIGHT, self._panel.buffer))
        self._panel.contrast(_DIM if dim else _BRIGHT)
        self._panel.show()
        self._shown = (page, dim)
