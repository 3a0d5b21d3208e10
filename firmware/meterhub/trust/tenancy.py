"""Whose home it is: what was recorded before the tenant moved in is not this tenant's to see, nor anybody's they know.

Source   GB SMETS2: after a change of tenancy profile, history and logs from before it are not shown to the household.
Units    Unix seconds, UTC
Errors   HubError INVALID_VALUE, REPLAY; a refusal changes nothing
Runs on  both

Nothing is deleted: readings, consents and log stay where they are until their rings overwrite them. What hides them is
asked for by those who read: Profile.since, Consents.since, Household. A recipient that the setting may.history names
reaches back further, under a consent and a PIN of the tenant there is now.

Format   JSON {since: s, next: s or 0} in one two-slot record. `next` is a date that has not come yet.
"""

import json

from ..errors import HubError, StoreError
from ..hal.epoch import EARLIEST, LATEST


class Tenancy:
    """The dates in `record` (a store.record.Record). `since`: what is older is hidden; 0: nothing is."""

    def __init__(self, record, newest) -> None:
        """newest(): the time of the newest reading there is, asked when the record is damaged: all of it is hidden.

        `damaged` says so then.
        """
        self._record = record
        self.damaged = False
        try:
            raw = record.load()
            state = json.loads(raw) if raw else {"since": 0, "next": 0}
        except StoreError:
            self.damaged = True
            state = {"since": newest() + 1, "next": 0}
            record.save(json.dumps(state).encode())
        self.since = state["since"]
        self._next = state["next"]

    def take(self, start: int) -> None:
        """Take the date of a command (set.change_of_tenancy); it counts when due() has said so."""
        if not EARLIEST <= start < LATEST:
            raise HubError("INVALID_VALUE", "arg.from")
        if start <= self.since:
            raise HubError("REPLAY", "arg.from")  # what has been hidden stays hidden
        self._keep(self.since, start)

    def due(self, now: int) -> bool:
        """Let a date that has come count; return whether one has. now: 0 while the clock is not set."""
        if not self._next or now < self._next:
            return False
        self._keep(self._next, 0)
        return True

    def _keep(self, since, following):
        self._record.save(json.dumps({"since": since, "next": following}).encode())
        self.since, self._next = since, following
