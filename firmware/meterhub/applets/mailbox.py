"""A bounded queue between tasks."""

import asyncio


class Mailbox:
    """Holds at most `size` items; what does not fit is refused and counted in `discarded`."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._items = []
        self._filled = asyncio.Event()
        self.discarded = 0

    def put(self, item, anyway: bool = False) -> bool:
        """Append `item`; False when the box is full, unless it must go in anyway: what people press is not much."""
        if len(self._items) >= self._size and not anyway:
            self.discarded += 1
            return False
        self._items.append(item)
        self._filled.set()
        return True

    async def take(self, timeout_ms: int):
        """Return the oldest item, or None when there is none within `timeout_ms`.

        None means that the box is empty now: who goes away on it, before anything else runs, leaves nothing behind.
        """
        if not self._items:
            self._filled.clear()
            try:
                await asyncio.wait_for(self._filled.wait(), timeout_ms / 1000)
            except asyncio.TimeoutError:
                pass  # and yet something may have come while this task waited for its turn
        return self._items.pop(0) if self._items else None
