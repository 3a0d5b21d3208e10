"""Decrypted readings of server mode: in this process's memory, per session, and nowhere else.

They go when the customer says so, logs off, is silent for as long as a session lives, or when the process ends.
"""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..recipient import HubBill, Result
from .options import IDLE_S

if TYPE_CHECKING:
    from .bills import Made, Order

MOST_PER_SESSION = 8


@dataclass
class Stored:
    """One export: the hub it is of, and the readings, or, of a bill that the hub has made, that bill.

    order: what is billed, where it is about a bill; made: that bill, as it was verified here.
    """

    id: str
    hub: str
    result: Result | HubBill = field(repr=False)
    at: int
    order: Order | None = None
    made: Made | None = field(default=None, repr=False)

    @property
    def is_bill(self) -> bool:
        """Whether the hub has made it, and no reading is here."""
        return isinstance(self.result, HubBill)


class Vault:
    """Keeps what was decrypted under the key of a session."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._drawers: dict[str, dict[str, Stored]] = {}
        self._touched: dict[str, float] = {}

    def touch(self, key: str) -> None:
        """Note that the session with this key was just used."""
        with self._lock:
            if key in self._drawers:
                self._touched[key] = time.monotonic()

    def put(self, key: str, hub: str, result: Result | HubBill, order: Order | None = None) -> str:
        """Keep `result` for the session `key`; return the id it is found by. The oldest goes when there are eight."""
        stored = Stored(secrets.token_urlsafe(12), hub, result, int(time.time()), order)
        with self._lock:
            drawer = self._drawers.setdefault(key, {})
            if len(drawer) >= MOST_PER_SESSION:
                drawer.pop(next(iter(drawer)))
            drawer[stored.id] = stored
            self._touched[key] = time.monotonic()
        return stored.id

    def find(self, key: str, id: str) -> Stored | None:
        """Return what session `key` has under `id`; None when there is nothing, or it is another session's."""
        with self._lock:
            return self._drawers.get(key, {}).get(id)

    def all(self, key: str) -> list[Stored]:
        """Return everything of session `key`, newest first."""
        with self._lock:
            return list(self._drawers.get(key, {}).values())[::-1]

    def drop(self, key: str, id: str) -> None:
        """Delete one export."""
        with self._lock:
            self._drawers.get(key, {}).pop(id, None)

    def empty(self, key: str) -> None:
        """Delete everything of session `key`."""
        with self._lock:
            self._drawers.pop(key, None)
            self._touched.pop(key, None)

    def sweep(self, now: float | None = None) -> None:
        """Delete what belongs to sessions that have been silent for too long."""
        now = time.monotonic() if now is None else now
        with self._lock:
            for key in [key for key, at in self._touched.items() if now - at > IDLE_S]:
                self._drawers.pop(key, None)
                self._touched.pop(key, None)
