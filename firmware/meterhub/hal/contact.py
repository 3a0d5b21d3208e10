"""A contact to ground that tells by staying open or closed: a cover's switch, a reed contact for magnets.

Units    milliseconds as of ticks.now_ms()
Memory   edge() and look() allocate nothing: they may run in a hard interrupt
Runs on  both

What lasts less than a tenth of a second did not happen. What has happened between two looks is counted.
"""

from micropython import const

from .ticks import now_ms, since

_BOUNCE_MS = const(100)
_WRAP = const(0x3FFFFFFF)


class Contact:
    """is_closed: the level that has lasted, None before there was one; opened, closed: how often, modulo 2**30.

    read: function that returns whether the contact is closed now; None where nobody can tell.
    """

    def __init__(self, read, ticks_ms=now_ms) -> None:
        self._read = read
        self._ticks_ms = ticks_ms
        self.is_closed = None
        self.opened = self.closed = 0
        self._level = read()
        self._since_ms = ticks_ms()

    def edge(self) -> None:
        """The level has changed: note it (interrupt handler)."""
        self.take(self._read(), self._ticks_ms())

    def look(self) -> None:
        """Take note of the level as it is; to be called now and then."""
        self.take(self._read(), self._ticks_ms())

    def take(self, is_closed: "bool | None", at_ms: int) -> None:
        """Let the level be `is_closed` since `at_ms`, or still."""
        if self._level is not None and self._level != self.is_closed and since(at_ms, self._since_ms) >= _BOUNCE_MS:
            self.is_closed = self._level
            if self._level:
                self.closed = (self.closed + 1) & _WRAP
            else:
                self.opened = (self.opened + 1) & _WRAP
        if is_closed != self._level:
            self._level = is_closed
            self._since_ms = at_ms
