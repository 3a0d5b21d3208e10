"""Eight digits on SPI, a MAX7219. digits.py says what they show.

The controller never answers: whether one is there, and lit, only the household can tell.

Source   Maxim MAX7219 19-4452 rev 4: registers table 2, intensity table 7; digit 0 is the one at the right
Errors   OSError of the bus
Runs on  both
"""

from micropython import const

from . import digits
from .driver import Driver

_DIGITS = const(8)
_DECODE, _INTENSITY, _SCAN, _AWAKE, _TEST = const(9), const(10), const(11), const(12), const(15)
_BRIGHT, _DIM = const(7), const(0)
# the controller's order of a digit's segments: bit 6 is a, bit 0 is g
_ORDER = const((6, 5, 4, 3, 2, 1, 0, 7))


def _ordered(bits):
    return sum([1 << _ORDER[i] for i in range(8) if bits >> i & 1])


class Max7219(Driver):
    """spi: as machine.SPI, with write(); select: its chip select, called with the level."""

    def __init__(self, spi, select) -> None:
        super().__init__()
        self._spi = spi
        self._select = select

    def readable(self, text: str) -> bool:
        """Return True when each character can be shown."""
        return digits.readable(text)

    def start(self) -> None:
        """Set the registers: eight digits, not decoded."""
        for register, value in ((_TEST, 0), (_DECODE, 0), (_SCAN, _DIGITS - 1)):
            self._write(register, value)

    def send(self, page, dim: bool, leaf: int) -> None:
        """Show a leaf. Blocks for less than a millisecond."""
        self.leaves, shown = digits.leaf(page, leaf, _DIGITS)
        for i in range(_DIGITS):
            self._write(_DIGITS - i, _ordered(shown[i]))
        self._write(_INTENSITY, _DIM if dim else _BRIGHT)
        self._write(_AWAKE, 1)

    def _write(self, register, value):
        self._select(0)
        try:
            self._spi.write(bytes((register, value)))
        finally:
            self._select(1)
