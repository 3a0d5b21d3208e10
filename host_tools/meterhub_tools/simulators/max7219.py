"""A model of the MAX7219 with its eight digits of seven segments.

Source   Maxim MAX7219 19-4452 rev 4: registers table 2, code B table 5 (not used here), intensity table 7
Errors   none raised: what makes no sense is noted in `errors` and ignored
"""

from . import segments

DIGITS = 8
_DECODE, _INTENSITY, _SCAN, _AWAKE, _TEST = 9, 10, 11, 12, 15


class MAX7219:
    """One display. `errors`: what was sent and makes no sense; `version` rises with each transmission."""

    bus = "spi"

    def __init__(self) -> None:
        self.errors: list[str] = []
        self.version = 0
        self.reset()

    def reset(self) -> None:
        """Power up: all registers empty, one digit scanned, asleep."""
        self.registers = dict.fromkeys(range(16), 0)
        self.version += 1

    def write(self, payload: bytes) -> None:
        """Take what was clocked in while the chip was selected; the last sixteen bits count (LOAD's rising edge)."""
        if len(payload) != 2:
            self._error(f"{8 * len(payload)} bits for one chip")
        if len(payload) >= 2:
            register, value = payload[-2] & 0x0F, payload[-1]
            if register in (13, 14):
                self._error(f"no register {register}")
            if register == _DECODE and value:
                self._error("decoding: there are no letters in it")
            self.registers[register] = value
        self.version += 1

    def _error(self, text: str) -> None:
        if len(self.errors) < 100:
            self.errors.append(text)

    # -- what a person sees ----------------------------------------------------------------------------------------

    def digits(self) -> bytes:
        """Return the segments that are lit, the leftmost digit first (digit register 8)."""
        if self.registers[_TEST] & 1:
            return b"\xff" * DIGITS
        if not self.registers[_AWAKE] & 1:
            return bytes(DIGITS)
        scanned = (self.registers[_SCAN] & 7) + 1
        return bytes(_usual(self.registers[i]) if i <= scanned else 0 for i in range(DIGITS, 0, -1))

    def seen(self) -> str:
        """Return what a person reads."""
        return segments.text(self.digits())

    def png(self, scale: int = 3) -> bytes:
        """Return the digits as a PNG."""
        return segments.picture(self.digits(), scale, self.registers[_INTENSITY] & 15)


def _usual(value: int) -> int:
    """Return segments with a in bit 0, as everywhere else; here it is bit 6, and g is bit 0 (table 6)."""
    return value & 0x80 | sum((value >> (6 - i) & 1) << i for i in range(7))
