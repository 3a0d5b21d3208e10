"""A token bucket: so many at once, then one every so often."""

from micropython import const

from ..hal.ticks import age, now_ms

_WRAP = const(0x3FFFFFFF)


class Bucket:
    """Holds at most `size` tokens, gains one every `refill_ms`."""

    def __init__(self, size: int, refill_ms: int) -> None:
        self._size = size
        self.refill_ms = refill_ms
        self._left = size
        self._since = now_ms()

    def take(self) -> bool:
        """Take a token; False when there is none."""
        gained = age(now_ms(), self._since) // self.refill_ms
        if gained:
            self._left = min(self._size, self._left + gained)
            self._since = (self._since + gained * self.refill_ms) & _WRAP
        if not self._left:
            return False
        self._left -= 1
        return True

    def give_back(self) -> None:
        """Put back the token that was taken last: it was well spent."""
        self._left = min(self._size, self._left + 1)
