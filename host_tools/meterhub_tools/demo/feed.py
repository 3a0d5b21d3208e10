"""What the demo page is told: the newest of everything that changes, and the tail of everything that grows.

A page that opens late gets the same picture as one that was there from the start; a page that does not keep up loses
the oldest of what waits for it.

Events   JSON objects {"ev": kind, ...}: meter, display, start, status, website, steps (only the newest counts);
         journal, wire (a list that grows)
"""

import asyncio
import base64
import collections
import contextlib
import json
from collections.abc import Iterator

from ..simulators.ssd1306 import SSD1306

_GROWING = ("journal", "wire")
_TAIL = 200
_WAITING_MAX = 500


class Feed:
    """Collects events and hands them to every page that is open."""

    def __init__(self) -> None:
        self._newest: dict[str, str] = {}
        self._tails = {kind: collections.deque[str](maxlen=_TAIL) for kind in _GROWING}
        self._pages: set[asyncio.Queue[str]] = set()

    def publish(self, event: dict) -> None:
        """Tell every page `event`; what a page is told already is not said twice."""
        text = json.dumps(event)
        kind = event["ev"]
        if kind in self._tails:
            self._tails[kind].append(text)
        elif self._newest.get(kind) == text:
            return
        else:
            self._newest[kind] = text
        for page in self._pages:
            if page.full():
                page.get_nowait()
            page.put_nowait(text)

    @contextlib.contextmanager
    def subscribed(self) -> Iterator["asyncio.Queue[str]"]:
        """Give a queue of events (JSON text) that begins with how things stand."""
        page: asyncio.Queue[str] = asyncio.Queue(_WAITING_MAX)
        for text in (*self._newest.values(), *(text for tail in self._tails.values() for text in tail)):
            page.put_nowait(text)
        self._pages.add(page)
        try:
            yield page
        finally:
            self._pages.discard(page)


def picture(display: SSD1306) -> dict:
    """Return the display event for what the glass shows: 64 rows of 128 bits, base64."""
    rows = bytearray()
    for row in display.pixels():
        rows += int("".join("1" if pixel else "0" for pixel in row), 2).to_bytes(16, "big")
    return {"ev": "display", "rows": base64.b64encode(rows).decode(), "contrast": display.contrast}
