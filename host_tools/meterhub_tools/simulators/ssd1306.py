"""A model of the SSD1306 display controller with its 128 x 64 glass: bytes from the I2C bus in, pixels out.

Source   Solomon Systech SSD1306 rev 1.1: control byte 8.1.5.2, GDDRAM 8.7, commands 9 and 10.1, reset values 8.5
Errors   none raised: what a real chip would leave undefined is noted in `errors` and ignored

The glass is wired as on the usual modules: upright when the firmware asks for segment remap (A1) and COM scan
from the far end (C8). Scrolling (26..2F, A3) is understood by its length and not animated.
"""

from collections.abc import Callable

from .png import Pixels, png

WIDTH, HEIGHT, PAGES = 128, 64, 8
HORIZONTAL, VERTICAL, PAGE = 0, 1, 2

# how many argument bytes follow a command byte; what is not here and not a range below is unknown
_ARGUMENTS = {0x20: 1, 0x21: 2, 0x22: 2, 0x26: 6, 0x27: 6, 0x29: 5, 0x2A: 5, 0x2E: 0, 0x2F: 0, 0x81: 1, 0x8D: 1}
_ARGUMENTS |= {0xA3: 2, 0xA8: 1, 0xD3: 1, 0xD5: 1, 0xD9: 1, 0xDA: 1, 0xDB: 1, 0xE3: 0}
_ARGUMENTS |= dict.fromkeys((0xA0, 0xA1, 0xA4, 0xA5, 0xA6, 0xA7, 0xAE, 0xAF, 0xC0, 0xC8), 0)
_ARGUMENTS |= dict.fromkeys((*range(0x00, 0x20), *range(0x40, 0x80), *range(0xB0, 0xB8)), 0)


class SSD1306:
    """One controller. `errors`: what was sent and makes no sense; `version` rises with each transaction."""

    bus = "i2c"
    address = 0x3C
    segments = WIDTH  # columns of the RAM; the glass shows those in the middle
    arguments = _ARGUMENTS

    def __init__(self) -> None:
        self.errors: list[str] = []
        self.version = 0
        self.reset()

    def reset(self) -> None:
        """Power up: registers to their reset values (8.5), the display off and its RAM empty."""
        self.ram = bytearray(self.segments * PAGES)
        self.is_on = self.inverted = self.all_on = self.pump = False
        self.contrast = 0x7F
        self.mode = PAGE
        self.columns, self.pages_window = (0, WIDTH - 1), (0, PAGES - 1)
        self.column = self.page = 0
        self.start_line = self.offset = 0
        self.rows = HEIGHT
        self.remap = self.from_far_end = False
        self.com_pins = 0x12
        self._command: list[int] = []
        self.version += 1

    # -- the bus ---------------------------------------------------------------------------------------------

    def write(self, payload: bytes) -> None:
        """Take one I2C write transaction (after the address byte)."""
        at = 0
        while at < len(payload):
            control = payload[at]
            if control & 0x3F:
                self._error(f"control byte {control:02x}")
                return
            end = at + 2 if control & 0x80 else len(payload)
            for byte in payload[at + 1 : end]:
                if control & 0x40:
                    self._data(byte)
                else:
                    self._take(byte)
            at = end
        self.version += 1

    def _error(self, text: str) -> None:
        if len(self.errors) < 100:
            self.errors.append(text)

    def _take(self, byte: int) -> None:
        """One command byte; an argument may come in a later transaction."""
        self._command.append(byte)
        wanted = self.arguments.get(self._command[0])
        if wanted is None:
            self._error(f"unknown command {byte:02x}")
            self._command = []
        elif len(self._command) == wanted + 1:
            code, *arguments = self._command
            self._command = []
            self._run(code, arguments)

    def _run(self, code: int, arguments: list[int]) -> None:
        if code < 0x20:
            shift = 4 if code & 0x10 else 0
            self.column = self.column & (0x0F if shift else 0xF0) | (code & 0x0F) << shift
        elif 0x40 <= code < 0x80:
            self.start_line = code & 0x3F
        elif 0xB0 <= code < 0xB8:
            self.page = code & 7
        elif code in _ACTIONS:
            _ACTIONS[code](self, *arguments)

    # -- commands with a meaning of their own ------------------------------------------------------------------

    def _set_mode(self, mode: int) -> None:
        if mode & 3 == 3:
            self._error("addressing mode 3")
        else:
            self.mode = mode & 3

    def _set_columns(self, first: int, last: int) -> None:
        if self._window("column", first, last, WIDTH):
            self.columns, self.column = (first, last), first

    def _set_pages(self, first: int, last: int) -> None:
        if self._window("page", first, last, PAGES):
            self.pages_window, self.page = (first, last), first

    def _window(self, what: str, first: int, last: int, size: int) -> bool:
        if first <= last < size:
            return True
        self._error(f"{what} window {first}..{last}")
        return False

    def _set_rows(self, mux: int) -> None:
        if mux & 0x3F < 15:
            self._error(f"multiplex ratio {mux}")
        else:
            self.rows = (mux & 0x3F) + 1

    def _set_com_pins(self, value: int) -> None:
        if not value & 0x10:
            self._error("sequential COM pins on a glass with 64 rows")
        self.com_pins = value

    # -- GDDRAM (8.7, 10.1.3) ------------------------------------------------------------------------------------

    def _data(self, byte: int) -> None:
        segment = self.segments - 1 - self.column if self.remap else self.column
        self.ram[self.page * self.segments + segment] = byte
        if self.mode == PAGE:
            self._next_in_page()
        elif self.mode == HORIZONTAL:
            if self._next_column():
                self._next_page()
        elif self._next_page():
            self._next_column()

    def _next_in_page(self) -> None:
        self.column = (self.column + 1) % WIDTH

    def _next_column(self) -> bool:
        first, last = self.columns
        wrapped = self.column == last
        self.column = first if wrapped else (self.column + 1) % WIDTH
        return wrapped

    def _next_page(self) -> bool:
        first, last = self.pages_window
        wrapped = self.page == last
        self.page = first if wrapped else (self.page + 1) % PAGES
        return wrapped

    # -- what a person sees ----------------------------------------------------------------------------------------

    @property
    def is_lit(self) -> bool:
        """True when the panel has its voltage and is switched on."""
        return self.is_on and self.pump

    def pixels(self) -> Pixels:
        """Return 64 rows of 128 pixels as the glass shows them, top left first; all dark when it is off."""
        glass = [[False] * WIDTH for _ in range(HEIGHT)]
        if not self.is_lit:
            return glass
        for row in range(self.rows):
            com = (self.rows - 1 - row if self.from_far_end else row) + self.offset
            line = (row + self.start_line) % HEIGHT
            start, bit = line // 8 * self.segments + (self.segments - WIDTH) // 2, line % 8
            bits = [bool(byte >> bit & 1) for byte in self.ram[start : start + WIDTH]]
            glass[HEIGHT - 1 - com % HEIGHT] = [(b or self.all_on) != self.inverted for b in reversed(bits)]
        return glass

    def seen(self) -> Pixels:
        """Return what a person reads: the pixels."""
        return self.pixels()

    def png(self, scale: int = 4) -> bytes:
        """Return the glass as a PNG, each pixel `scale` x `scale`, its brightness from the contrast setting."""
        on = 105 + 150 * self.contrast // 255
        return png(self.pixels(), scale, (4, 8, 14), (on * 7 // 10, on * 9 // 10, on))


def _setter(name: str, value: object = None) -> Callable:
    if value is None:
        return lambda chip, argument: setattr(chip, name, argument)
    return lambda chip: setattr(chip, name, value)


_ACTIONS: dict[int, Callable] = {
    0x20: SSD1306._set_mode,
    0x21: SSD1306._set_columns,
    0x22: SSD1306._set_pages,
    0x81: _setter("contrast"),
    0x8D: lambda chip, argument: setattr(chip, "pump", bool(argument & 4)),
    0xA0: _setter("remap", False),
    0xA1: _setter("remap", True),
    0xA4: _setter("all_on", False),
    0xA5: _setter("all_on", True),
    0xA6: _setter("inverted", False),
    0xA7: _setter("inverted", True),
    0xA8: SSD1306._set_rows,
    0xAE: _setter("is_on", False),
    0xAF: _setter("is_on", True),
    0xC0: _setter("from_far_end", False),
    0xC8: _setter("from_far_end", True),
    0xD3: lambda chip, argument: setattr(chip, "offset", argument & 0x3F),
    0xDA: SSD1306._set_com_pins,
}
