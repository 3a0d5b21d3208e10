"""The household's PIN: who stands before the display may decide only when they know it.

Source   HKDF: RFC 5869. The PIN is kept as the text "h1." and base64url of 12 bytes of salt and 20 bytes of
         HKDF(ikm: the PIN, salt, info "household pin"): it cannot be read off, though whoever reads the flash can try
         all ten thousand. What bounds a guesser at the buttons is the count.
Errors   OSError from the file system: the try is not made then
Memory   a few numbers
Runs on  both

A try is counted, and stored as counted, before anything is compared. Five wrong ones lock for ten minutes, the next
five for forty, and so on up to a day; the right one forgives all. It is time that the hub is on, so that no clock
shortens it: a power cut begins it anew.

Format   JSON {wrong: n, died: how many times five were wrong, locked: bool} in one two-slot record.
"""

import json

from micropython import const

from ..codec import base64url
from ..crypto.equal import equal
from ..crypto.hkdf import hkdf

TRIES = const(5)
_MARK = const("h1.")
_SALT = const(12)
_LOCK_S = const(600)
_LONGEST_S = const(86400)


def is_pin(text: str) -> bool:
    """Return whether a text is a PIN as people type it."""
    return len(text) == 4 and all([c in "0123456789" for c in text])


def hidden(pin: str, salt: bytes) -> str:
    """Return what is kept of a PIN; salt: 12 random bytes."""
    return _MARK + base64url.encode(salt + hkdf(pin.encode(), salt, b"household pin", 20))


def is_hidden(text: str) -> bool:
    """Return whether a text is what hidden() makes."""
    return text.startswith(_MARK) and len(text) == 46 and len(base64url.decode(text[3:])) == 32


class HouseholdPin:
    """kept: what hidden() made of the PIN; record: of the count (store.record.Record); uptime_s(): since start."""

    def __init__(self, kept: str, record, uptime_s) -> None:
        self._kept = kept
        self._record = record
        self._uptime_s = uptime_s
        raw = record.load()
        state = json.loads(raw) if raw else {"wrong": 0, "died": 0, "locked": False}
        self._wrong, self._died, self._locked = state["wrong"], state["died"], state["locked"]
        self._locked_at = uptime_s()
        if self._wrong >= TRIES and not self._locked:  # the power was cut between the try and its verdict
            self._lock()

    @property
    def left(self) -> int:
        """How many tries there are before it locks."""
        return TRIES - self._wrong

    def locked_s(self) -> int:
        """Return how many seconds nothing can be tried; 0 when it can."""
        if not self._locked:
            return 0
        lock_s = min(_LOCK_S * 4 ** min(self._died - 1, 4), _LONGEST_S)
        left = lock_s - (self._uptime_s() - self._locked_at)
        if left > 0:
            return left
        self._keep(0, self._died, False)
        return 0

    def check(self, pin: str) -> bool:
        """Spend a try; return whether it is the PIN."""
        if self.locked_s():
            return False
        self._keep(self._wrong + 1, self._died, False)
        raw = base64url.decode(self._kept[3:])
        if equal(raw[_SALT:], hkdf(pin.encode(), raw[:_SALT], b"household pin", 20)):
            self._keep(0, 0, False)
            return True
        if self._wrong >= TRIES:
            self._lock()
        return False

    def _lock(self):
        self._locked_at = self._uptime_s()
        self._keep(TRIES, self._died + 1, True)

    def _keep(self, wrong, died, locked):
        self._record.save(json.dumps({"wrong": wrong, "died": died, "locked": locked}).encode())
        self._wrong, self._died, self._locked = wrong, died, locked
