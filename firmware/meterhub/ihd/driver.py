"""What the drivers of all displays have in common.

Each driver is a module of its own and loads its layout with it. It divides a page into leaves, as many as it needs:
one on 128 x 64 pixels, but for a long text, several on two rows of characters or on digits. Button B turns them
(screens.py).

Errors   none: show() returns False while there is no display
Runs on  both
"""

from micropython import const

from ..hal.ticks import age, now_ms

_REFRESH_MS = const(10000)
_RETRY_MS = const(5000)


class Driver:
    """Shows pages: when they have changed, and every ten seconds anyway, with the controller's registers.

    So a display that lost its power for a moment, or was plugged in later, shows something again by itself. A driver
    adds start(), send(page, dim, leaf) and readable(text); the first two raise OSError while there is no display.

    leaves: how many the page has that was shown last; seldom: modules that only some pages need.
    """

    leaves = 1
    seldom = ()

    def __init__(self) -> None:
        self._shown = None
        self._tried_at = None
        self._works = False

    def show(self, page, dim: bool = False, leaf: int = 0) -> bool:
        """Show a leaf of `page`; return True when the display has taken it. Blocks while it is sent."""
        now = now_ms()
        tried_ms = _RETRY_MS if self._tried_at is None else age(now, self._tried_at)
        if not self._works and tried_ms < _RETRY_MS:
            return False
        if self._works and self._shown == (page, dim, leaf) and tried_ms < _REFRESH_MS:
            return True
        try:
            if not self._works or tried_ms >= _REFRESH_MS:
                self._tried_at = now
                self.start()
            self.send(page, dim, leaf)
            self._shown = (page, dim, leaf)
            self._works = True
        except OSError:
            self._works = False
        return self._works

    def start(self) -> None:
        """Set the controller up."""
        raise NotImplementedError

    def send(self, page, dim: bool, leaf: int) -> None:
        """Send a leaf of `page`, and set `leaves`."""
        raise NotImplementedError

    def readable(self, text: str) -> bool:
        """Return True when each character of `text` can be told from others on this display."""
        raise NotImplementedError
