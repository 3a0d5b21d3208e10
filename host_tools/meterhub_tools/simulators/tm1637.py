"""A model of the TM1637 with six digits of seven segments, level by level on its two lines.

Source   Titan Micro TM1637: interface section 5, figures 3 and 4; commands section 8
Errors   none raised: what makes no sense is noted in `errors` and ignored

The usual module of six digits is wired in two halves: grids 1 to 6 are the digits 3 2 1 6 5 4.
"""

from . import segments

DIGITS = 6
GRIDS = (2, 1, 0, 5, 4, 3)  # of the digits, from the left
_CLK, _DIO = 1, 2
_PULSES = (1, 2, 4, 10, 11, 12, 13, 14)  # sixteenths of the time


class TM1637:
    """One display. `errors`: what was sent and makes no sense; `version` rises with each transmission."""

    bus = "tm1637"

    def __init__(self) -> None:
        self.errors: list[str] = []
        self.version = 0
        self.reset()

    def reset(self) -> None:
        """Power up: memory undefined (here: all dark), display off."""
        self.memory = bytearray(16)
        self.is_on = False
        self.brightness = 0
        self._fixed = False  # the address does not count up
        self._levels = _CLK | _DIO
        self._release()
        self._started = False
        self.version += 1

    def _release(self) -> None:
        self._clocks = self._shifted = 0
        self._command: int | None = None
        self._pulls = False

    def take(self, levels: bytes) -> int:
        """Take what the other side drives, one after the other; return the level of DIO after that."""
        for now in levels:
            before, self._levels = self._levels, now
            if before & _CLK and now & _CLK:
                self._data_moved(before & _DIO, now & _DIO)
            elif now & _CLK:
                self._clock_rises(now & _DIO)
            elif before & _CLK:
                self._clock_falls()
            if (before ^ now) == _CLK | _DIO:
                self._error("both lines change at once")
        return int(bool(self._levels & _DIO) and not self._pulls)

    def _error(self, text: str) -> None:
        if len(self.errors) < 100:
            self.errors.append(text)

    def _data_moved(self, before: int, now: int) -> None:
        """Data that moves while the clock is high starts (falling) or stops a transmission."""
        if before and not now:
            self._release()
            self._started = True
        elif now and not before:
            if self._clocks > 1:  # the clock's last rise belongs to the stop
                self._error(f"stop after {self._clocks - 1} bits")
            self._started = False
            self._release()
            self.version += 1

    def _clock_rises(self, data: int) -> None:
        self._clocks += self._started
        if 1 <= self._clocks <= 8:
            self._shifted |= bool(data) << self._clocks - 1
        elif self._clocks == 9 and not data:
            self._error("the line is not let go for the acknowledgement")

    def _clock_falls(self) -> None:
        """After the eighth bit the chip pulls the line down until the ninth pulse is over."""
        self._pulls = self._clocks == 8
        if self._clocks == 8:
            self._take_byte(self._shifted)
        elif self._clocks == 9:
            self._clocks = self._shifted = 0

    def _take_byte(self, byte: int) -> None:
        if self._command is not None:
            self._data(byte)
        elif byte & 0xC0 == 0x40:
            self._command, self._fixed = byte, bool(byte & 4)
            if byte & 0x3B:
                self._error(f"data command {byte:02x}")
        elif byte & 0xC0 == 0xC0:
            self._command = byte
            if byte & 0x3F >= DIGITS:
                self._error(f"address {byte:02x}")
        elif byte & 0xC0 == 0x80:
            self._command, self.is_on, self.brightness = byte, bool(byte & 8), byte & 7
        else:
            self._error(f"no command {byte:02x}")

    def _data(self, byte: int) -> None:
        command = self._command or 0
        at = command & 0x3F
        if command & 0xC0 != 0xC0 or at >= DIGITS:
            self._error(f"data after {command:02x}")
            return
        self.memory[at] = byte
        if not self._fixed:
            self._command = command + 1

    # -- what a person sees ----------------------------------------------------------------------------------------

    def digits(self) -> bytes:
        """Return the segments that are lit, from the left."""
        return bytes(self.memory[grid] for grid in GRIDS) if self.is_on else bytes(DIGITS)

    def seen(self) -> str:
        """Return what a person reads."""
        return segments.text(self.digits())

    def png(self, scale: int = 3) -> bytes:
        """Return the digits as a PNG."""
        return segments.picture(self.digits(), scale, _PULSES[self.brightness])
