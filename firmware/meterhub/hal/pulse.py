"""An S0 pulse input: counted in the interrupt, delivered to one task.

Source   EN 62053-31 (S0): a pulse lasts at least 30 ms, and so does the pause after it
Units    milliseconds as of ticks.now_ms()
Memory   edge() allocates nothing: it may run in an interrupt handler
Runs on  both (wait() needs MicroPython's asyncio)
"""

from micropython import const

from .ticks import since

_BOUNCE_MS = const(15)  # LED meters flash up to 44 times a second: the next true edge is 22 ms away
_WRAP = const(0x3FFFFFFF)


class Pulse:
    """count: pulses since boot, modulo 2**30 (a small int on every board); at_ms: ticks of the newest one.

    flag: what wait() sleeps on (asyncio.ThreadSafeFlag on a board).
    """

    def __init__(self, flag) -> None:
        self._flag = flag
        self._seen = 0
        self.count = 0
        self.at_ms = 0

    def edge(self, at_ms: int) -> None:
        """Count the closing of the contact at `at_ms` unless it is the bouncing of the one before (interrupt)."""
        if self.count and since(at_ms, self.at_ms) < _BOUNCE_MS:
            return
        self.add(1, at_ms)

    def add(self, pulses: int, at_ms: int) -> None:
        """Count `pulses` that another counter has already seen through."""
        self.count = (self.count + pulses) & _WRAP
        self.at_ms = at_ms
        self._flag.set()

    async def wait(self) -> int:
        """Sleep until there is at least one new pulse; return the running count."""
        while self._seen == self.count:
            await self._flag.wait()
            self._flag.clear()
        self._seen = self.count
        return self.count
