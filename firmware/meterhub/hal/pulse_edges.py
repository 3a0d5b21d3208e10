"""A pulse input that is counted in the interrupt of its pin.

Units    milliseconds as of ticks.now_ms()
Memory   edge() allocates nothing: it may run in a hard interrupt
Runs on  both

A pulse is known by its end, or by look(). One that begins and ends while interrupts are off is not seen: an ESP32
turns them off to erase a sector of its flash.
"""

from .pulse import Pulse
from .ticks import since


class EdgePulse(Pulse):
    """width_ms: the shortest pulse, and pause, there is."""

    def __init__(self, flag, width_ms: int = 10) -> None:
        super().__init__(flag)
        self._width_ms = width_ms
        self._was_closed = False  # the last level that lasted; is_closed is the one since the last edge
        self._edge_ms = 0

    def edge(self, is_closed: bool, at_ms: int) -> None:
        """Take a change of the contact, the level that it has now (interrupt)."""
        self.look(at_ms)
        if is_closed != self.is_closed:
            self.is_closed = is_closed
            self._edge_ms = at_ms

    def look(self, at_ms: int) -> None:
        """Count the pulse that goes on at `at_ms`, if it is long enough already."""
        if self.is_closed == self._was_closed or since(at_ms, self._edge_ms) < self._width_ms:
            return
        self._was_closed = self.is_closed  # first: an interrupt may come between this and the next line
        if self._was_closed:
            self.add(1, self._edge_ms)
