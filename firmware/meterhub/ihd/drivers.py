"""Which driver is loaded for which display. Only needed at start: who has a driver can let this module go.

Errors   open(): OSError when the board has no such bus, ImportError when the driver is not there
Runs on  both
"""

import errno

from .driver import Driver


def open(name: str, board, address: int = 0) -> "Driver | None":
    """Return the driver `name` on the board's bus, None for "none". address: on the I2C bus, 0 for the usual one."""
    try:
        return _opened(name, board, address)
    except KeyError:
        raise OSError(errno.ENODEV)  # this board has no such pins


def _opened(name, board, address):
    if name in ("ssd1306", "sh1106"):
        from .oled import Oled  # noqa: PLC0415 - one of them is in a house

        return Oled(board.i2c(400000), address or 0x3C, name == "sh1106")
    if name == "hd44780":
        from .hd44780 import Lcd  # noqa: PLC0415

        return Lcd(board.i2c(100000), address or 0x27)
    if name == "max7219":
        from .max7219 import Max7219  # noqa: PLC0415

        return Max7219(*board.spi())
    if name == "tm1637":
        from .tm1637 import Tm1637  # noqa: PLC0415

        return Tm1637(*board.pin_pair("tm1637"))
    return None
