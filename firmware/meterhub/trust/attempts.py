"""How often a PIN may be tried: what bounds a guesser, and survives the power switch.

An attempt is spent, and stored as spent, before anything is answered; a request has three; requests that died lock the
next ones out for longer and longer; a request id is good once.

Errors   HubError LOCKED_OUT, REPLAY.
Runs on  both

Format   JSON {seen: [rid, ...], died: [Unix seconds, ...], open: rid or "", spent: n,
         at: Unix seconds of the last try} in one two-slot record.
"""

import json

from micropython import const

from ..errors import HubError

TRIES = 3  # of one request
_SEEN = const(32)
_DAY_S = const(86400)
_FIRST_LOCK_S = const(60)


class Attempts:
    """The count, kept in `record`. A request left open by a power cut after an attempt counts as one that died."""

    def __init__(self, record, now: int) -> None:
        self._record = record
        raw = record.load()
        self._state = json.loads(raw) if raw else {"seen": [], "died": [], "open": "", "spent": 0, "at": 0}
        if self._state["open"]:
            # without a clock `now` is 0, and a lock-out from then would be over as soon as the time is known
            try:
                self.close(died=self._state["spent"] > 0, now=now or self._state["at"])
            except OSError:  # flash is full or broken: it counts while the hub is on, and at the next start
                pass

    def check_new(self, rid: str) -> None:
        """Raise HubError REPLAY for a request id that was noted before."""
        if rid in self._state["seen"]:
            raise HubError("REPLAY", "rid")

    def check_lock(self, now: int) -> None:
        """Raise HubError LOCKED_OUT while the lock-out lasts."""
        if self.locked_s(now):
            raise HubError("LOCKED_OUT")

    def note(self, rid: str) -> None:
        """Remember the id of an authentic request: it is good once, whatever becomes of it."""
        self._state["seen"] = self._state["seen"][-_SEEN + 1 :] + [rid]
        self._keep()

    def locked_s(self, now: int) -> int:
        """Return how many seconds new requests are still refused: 60 when one died in a day, x 4 for each more."""
        if now and max(self._state["died"] or [0]) > now:  # the clock was ahead: it is served from now on
            self._state["died"] = [min(at, now) for at in self._state["died"]]
            self._keep()
        died = [at for at in self._state["died"] if now - at < _DAY_S]
        if not died:
            return 0
        lock_s = min(_FIRST_LOCK_S * 4 ** (len(died) - 1), _DAY_S)
        return max(0, min(lock_s, died[-1] + lock_s - now))  # never longer, should the clock have been put back

    def open(self, rid: str) -> None:
        """Note that the request `rid` is the open one now."""
        self._state["open"] = rid
        self._state["spent"] = 0
        self._keep()

    def spend(self, now: int) -> int:
        """Spend one attempt of the open request and store it; return how many are left."""
        self._state["spent"] += 1
        self._state["at"] = now
        self._keep()
        return TRIES - self._state["spent"]

    def close(self, died: bool, now: int) -> None:
        """The open request is over; `died` when it used up its attempts (or was left with some spent)."""
        if died:
            self._state["died"] = self._state["died"][-9:] + [now]
        self._state["open"] = ""
        self._state["spent"] = 0
        self._keep()

    def _keep(self):
        self._record.save(json.dumps(self._state).encode())
