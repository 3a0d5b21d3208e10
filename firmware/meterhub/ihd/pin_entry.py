"""The household's PIN, typed with two buttons. Loaded while it is.

A counts the digit up, B takes it and goes on; with the last digit the PIN is whole. What was taken is a star.

Runs on  both
"""

from .pages import Page, page

DIGITS = 4


class PinEntry:
    """action(): what waits for the PIN; left: how many tries there are."""

    def __init__(self, action, left: int) -> None:
        self.action = action
        self._left = left
        self._taken = ""
        self._digit = 0

    def press(self, name: str) -> str:
        """Take button "A" or "B"; return the PIN when it is whole, "" before."""
        if name == "A":
            self._digit = (self._digit + 1) % 10
            return ""
        self._taken += str(self._digit)
        self._digit = 0
        return self._taken if len(self._taken) == DIGITS else ""

    def page(self) -> Page:
        """Return how far it has come."""
        cells = ["*"] * len(self._taken) + [str(self._digit)] + ["_"] * (DIGITS - 1 - len(self._taken))
        corner = "last try" if self._left == 1 else "%d tries" % self._left
        return page(
            "YOUR PIN", "".join(cells), ("A +1, B next", "hold A: back"), "+1", "next", corner=corner, unit=" "
        )
