"""A bounded queue between tasks."""

import asyncio


class Mailbox:
    """Holds at most `size` items; what does not fit is refused and counted in `discarded`."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._items = []
        self._filled = asyncio.Event()
        self.discarded = 0

    def put(self, item) -> bool:
        """Append `item`; False when the box is full."""
        if len(self._items) >= self._size:
            self.discarded += 1
            return False
        self._items.append(item)
        self._filled.set()
        return True

    async def take(self, timeout_ms: int):
        """Return the oldest item, or None when there is none within `timeout_ms`."""
        if not self._items:
            self._filled.clear()
            try:
                await asyncio.wait_for(self._filled.wait(), timeout_ms / 1000)
            except asyncio.TimeoutError:
                return None
        return self._items.pop(0)
