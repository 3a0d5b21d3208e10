"""A push button: edges in (from an interrupt), presses out.

Units    milliseconds as of ticks.now_ms()
Memory   edge() allocates nothing: it may run in an interrupt handler
Runs on  both (Button needs MicroPython's asyncio, Press does not)
"""

import asyncio

from micropython import const

from .ticks import now_ms, since

_BOUNCE_MS = const(25)
_LONG_MS = const(1500)
_LOOK_MS = const(20)


class Press:
    """Turns the bouncing level of one contact into "short" and "long" presses.

    What is shorter than 25 ms did not happen. A long press is told after 1.5 s, while the button is still down.
    """

    def __init__(self) -> None:
        self._down = False
        self._active = False  # a press that has not been told or thrown away
        self._told = False
        self._down_at = 0
        self._up_at = 0
        self._shorts = 0

    @property
    def idle(self) -> bool:
        """True when nothing will happen before the next edge."""
        return not (self._active or self._shorts)

    def edge(self, down: bool, at_ms: int) -> None:
        """Note that the contact is closed (down) or open since `at_ms`."""
        if down == self._down:
            return
        self._down = down
        if not down:
            self._up_at = at_ms
            return
        if self._active and since(at_ms, self._up_at) < _BOUNCE_MS:
            return
        self._finish()
        self._active = True
        self._told = False
        self._down_at = at_ms

    def _finish(self):
        if self._active and not self._told and since(self._up_at, self._down_at) >= _BOUNCE_MS:
            self._shorts += 1
        self._active = False

    def poll(self, down: bool, now_ms: int) -> "str | None":
        """Return "short" or "long" when a press has come about, else None.

        down: the level read just now; it is believed more than the edges, one of which may have been missed.
        """
        self.edge(down, now_ms)
        if self._active and not self._down and since(now_ms, self._up_at) >= _BOUNCE_MS:
            self._finish()
        if self._shorts:
            self._shorts -= 1
            return "short"
        if self._active and self._down and not self._told and since(now_ms, self._down_at) >= _LONG_MS:
            self._told = True
            return "long"
        return None


class Button:
    """One button of the display. down: function that reads the level; flag: set by whoever calls edge()."""

    def __init__(self, down, flag) -> None:
        self._read = down
        self._flag = flag
        self._press = Press()

    def edge(self) -> None:
        """The level has changed: note it (interrupt handler)."""
        self._press.edge(self._read(), now_ms())
        self._flag.set()

    async def pressed(self) -> str:
        """Wait for the next press; return "short" or "long"."""
        while True:
            kind = self._press.poll(self._read(), now_ms())
            if kind:
                return kind
            if self._press.idle:
                await self._flag.wait()
                self._flag.clear()
            else:
                await asyncio.sleep_ms(_LOOK_MS)
