"""Six digits with points on two wires, a TM1637. digits.py says what they show.

Modules of four digits have no room for a group of the PIN with its number, and have no driver. Those of six are wired
as two halves: the controller's grids 1 to 6 are the digits 3 2 1 6 5 4.

Source   Titan Micro TM1637: start, stop and acknowledge in figure 4, commands in section 8
Errors   OSError ENODEV when nobody acknowledges
Runs on  MicroPython (time.sleep_us)
"""

import errno
import time

from micropython import const

from . import digits
from .driver import Driver

_DIGITS = const(6)
_GRIDS = const((2, 1, 0, 5, 4, 3))
_DATA, _ADDRESS, _CONTROL = const(0x40), const(0xC0), const(0x88)
_BRIGHT, _DIM = const(4), const(0)
_HALF_US = const(10)  # the modules have capacitors on both lines


class Tm1637(Driver):
    """clk, dio: open-drain pins that are pulled up; pin(0) pulls down, pin(1) lets go, pin() reads."""

    def __init__(self, clk, dio) -> None:
        super().__init__()
        self._clk = clk
        self._dio = dio

    def readable(self, text: str) -> bool:
        """Return True when each character can be shown."""
        return digits.readable(text)

    def start(self) -> None:
        """Nothing to do: each leaf comes with all registers."""

    def send(self, page, dim: bool, leaf: int) -> None:
        """Show a leaf. Blocks for about 5 ms."""
        self.leaves, shown = digits.leaf(page, leaf, _DIGITS)
        self._command((_DATA,))
        self._command([_ADDRESS] + [shown[i] for i in _GRIDS])
        self._command((_CONTROL | (_DIM if dim else _BRIGHT),))

    def _command(self, data):
        self._dio(0)  # start: data falls while the clock is high
        self._wait()
        try:
            for byte in data:
                if not self._acknowledged(byte):
                    raise OSError(errno.ENODEV)
        finally:
            self._clk(0)
            self._dio(0)
            self._wait()
            self._clk(1)
            self._wait()
            self._dio(1)  # stop: data rises while the clock is high
            self._wait()

    def _acknowledged(self, byte):
        """Send a byte, lowest bit first; return True when somebody pulls the line down after it."""
        for i in range(8):
            self._clock(byte >> i & 1)
        self._clk(0)
        self._dio(1)
        self._wait()
        self._clk(1)
        self._wait()
        return not self._dio()

    def _clock(self, level):
        self._clk(0)
        self._dio(level)
        self._wait()
        self._clk(1)
        self._wait()

    def _wait(self):
        time.sleep_us(_HALF_US)
