"""A token bucket: so many at once, then one every so often."""

import time


class Bucket:
    """Holds at most `size` tokens, gains one every `refill_ms`."""

    def __init__(self, size: int, refill_ms: int) -> None:
        self._size = size
        self.refill_ms = refill_ms
        self._left = size
        self._since = time.ticks_ms()

    def take(self) -> bool:
        """Take a token; False when there is none."""
        gained = time.ticks_diff(time.ticks_ms(), self._since) // self.refill_ms
        if gained > 0:
            self._left = min(self._size, self._left + gained)
            self._since = time.ticks_add(self._since, gained * self.refill_ms)
        if not self._left:
            return False
        self._left -= 1
        return True

    def give_back(self) -> None:
        """Put back the token that was taken last: it was well spent."""
        self._left = min(self._size, self._left + 1)
