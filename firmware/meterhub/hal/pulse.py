"""A pulse input: counted in the interrupt, delivered to one task.

Source   EN 62053-31 (S0): a pulse lasts at least 30 ms, and so does the pause after it; the LED of a meter flashes
         for 2 to 40 ms, up to 44 times a second; a reed contact at a water meter may stay closed for days
Units    milliseconds as of ticks.now_ms()
Memory   edge() allocates nothing: it may run in a hard interrupt
Runs on  both (wait() needs MicroPython's asyncio)

A pulse is the contact closed for `width_ms`, after it was open for `width_ms`: what bounces or flickers in between
is neither. So it is known by its end, or by look(); its time is when the contact closed.
"""

from micropython import const

from .ticks import since

_WRAP = const(0x3FFFFFFF)


class Pulse:
    """count: pulses since boot, modulo 2**30 (a small int on every board); at_ms: ticks of the newest one; is_closed.

    flag: what wait() sleeps on (asyncio.ThreadSafeFlag on a board); width_ms: the shortest pulse, and pause, there is.
    """

    def __init__(self, flag, width_ms: int = 10) -> None:
        self._flag = flag
        self._width_ms = width_ms
        self._seen = 0
        self.is_closed = False  # the level since the last edge
        self._was_closed = False  # the last level that lasted
        self._edge_ms = 0
        self.count = 0
        self.at_ms = 0

    def edge(self, is_closed: bool, at_ms: int) -> None:
        """Take a change of the contact, the level that it has now (interrupt)."""
        self.look(at_ms)
        if is_closed != self.is_closed:
            self.is_closed = is_closed
            self._edge_ms = at_ms

    def look(self, at_ms: int) -> None:
        """Count the pulse that goes on at `at_ms`, if it is long enough already; needed where contacts stay closed."""
        if self.is_closed == self._was_closed or since(at_ms, self._edge_ms) < self._width_ms:
            return
        self._was_closed = self.is_closed  # first: an interrupt may come between this and the next line
        if self._was_closed:
            self._count(1, self._edge_ms)

    def add(self, pulses: int, at_ms: int) -> None:
        """Count `pulses` that another counter has already seen through."""
        self._count(pulses, at_ms)

    def _count(self, pulses, at_ms):
        room = _WRAP - self.count
        self.count = self.count + pulses if pulses <= room else pulses - room - 1
        self.at_ms = at_ms
        self._flag.set()

    async def wait(self) -> int:
        """Sleep until there is at least one new pulse; return the running count."""
        while self._seen == self.count:
            await self._flag.wait()
            self._flag.clear()
        self._seen = self.count
        return self.count
