"""A pulse input, delivered to one task: what every port's has, however it counts.

    pulse_pio     RP2: counted by the chip's PIO, also while interrupts are off
    pulse_edges   ESP32: counted in the pin's interrupt

Source   EN 62053-31 (S0): a pulse lasts at least 30 ms, and so does the pause after it; the LED of a meter flashes
         for 2 to 40 ms, up to 44 times a second; a reed contact at a water meter may stay closed for days
Units    milliseconds as of ticks.now_ms()
Memory   add() allocates nothing: it may run in a hard interrupt
Runs on  both (wait() needs MicroPython's asyncio)

A pulse is the contact closed for so long as is set, after it was open for as long: what bounces or flickers in between
is neither. Its time is when the contact closed.
"""

from micropython import const

_WRAP = const(0x3FFFFFFF)


class Pulse:
    """count: pulses since it was made, modulo 2**30 (a small int on every board); at_ms: ticks of the newest one.

    is_closed: whether the contact stays closed, as far as the newest pulse and look() tell.
    flag: what wait() sleeps on (asyncio.ThreadSafeFlag on a board).
    """

    def __init__(self, flag) -> None:
        self._flag = flag
        self._seen = 0
        self.is_closed = False
        self.count = 0
        self.at_ms = 0

    def look(self, at_ms: int) -> None:
        """Take note of the contact as it is at `at_ms`; needed where contacts stay closed."""

    def add(self, pulses: int, at_ms: int) -> None:
        """Count `pulses` more, the newest of them at `at_ms`."""
        room = _WRAP - self.count
        self.count = self.count + pulses if pulses <= room else pulses - room - 1
        self.at_ms = at_ms
        self._flag.set()

    def newest(self) -> tuple:
        """Return count and at_ms of one moment: an interrupt may come between reading the one and the other."""
        while True:
            count, at_ms = self.count, self.at_ms
            if count == self.count:
                return count, at_ms

    async def wait(self) -> int:
        """Sleep until there is at least one new pulse; return the running count."""
        while self._seen == self.count:
            await self._flag.wait()
            self._flag.clear()
        self._seen = self.count
        return self._seen
