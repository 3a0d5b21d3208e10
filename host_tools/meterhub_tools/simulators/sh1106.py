"""A model of the SH1106 display controller with its 128 x 64 glass: the SSD1306's elder cousin.

Source   Sino Wealth SH1106 rev 2.3: commands 1 to 23, RAM of 132 x 64; the usual modules show columns 2 to 129

It knows page addressing only, where the column stops at the last one instead of beginning anew, has no windows and
no scrolling, and its DC-DC converter is switched by a command of its own.
"""

from . import ssd1306

_ARGUMENTS = {0x81: 1, 0xA8: 1, 0xAD: 1, 0xD3: 1, 0xD5: 1, 0xD9: 1, 0xDA: 1, 0xDB: 1, 0xE0: 0, 0xE3: 0, 0xEE: 0}
_ARGUMENTS |= dict.fromkeys((0xA0, 0xA1, 0xA4, 0xA5, 0xA6, 0xA7, 0xAE, 0xAF, 0xC0, 0xC8), 0)
_ARGUMENTS |= dict.fromkeys((*range(0x00, 0x20), *range(0x30, 0x34), *range(0x40, 0x80), *range(0xB0, 0xB8)), 0)


class SH1106(ssd1306.SSD1306):
    """One controller."""

    segments = 132
    arguments = _ARGUMENTS

    def reset(self) -> None:
        """Power up: as the SSD1306, but the DC-DC converter is on."""
        super().reset()
        self.pump = True

    def _run(self, code: int, arguments: list[int]) -> None:
        if code == 0xAD:
            self._set_converter(arguments[0])
        elif not 0x30 <= code < 0x34:
            super()._run(code, arguments)

    def _set_converter(self, value: int) -> None:
        if value & 0xFE != 0x8A:
            self._error(f"DC-DC control {value:02x}")
        elif self.is_on:
            self._error("DC-DC control while the display is on")
        else:
            self.pump = bool(value & 1)

    def _data(self, byte: int) -> None:
        if self.column >= self.segments:
            self._error(f"column {self.column}")
            return
        super()._data(byte)

    def _next_in_page(self) -> None:
        self.column = min(self.column + 1, self.segments - 1)
