"""What the household has agreed to: which recipient may ask for what, and until when.

A consent comes into being when somebody who can see the display links the hub to an account at a recipient, and
lets that account ask; every export is agreed to again, by its own PIN. It ends on its day, or when the household
or the recipient revokes it, and stays in the list then, so that a later request hears REVOKED and not NOT_LINKED.

Errors   HubError NOT_LINKED, REVOKED, EXPIRED, NOT_CONSENTED; OSError from the file system.
Runs on  both

One from before the tenancy is none to this tenant (tenancy.py): not found, not listed, the first to make room.

What changes them is agreements.py, which also journals that: a link that is not on record yet is none.

Format   JSON list of objects {kid, sub, regs, res, until, made, used, ended} in one two-slot record; times are
         Unix seconds, 0 for never. Until they are written, `owed` has the entries: a list of [number in the journal,
         name, detail, Unix seconds].
"""

import json

from ..errors import HubError

RESOLUTIONS = ("half-hour", "day", "month")  # each coarser than the one before


class Consents:
    """The list, kept in `record` (store.record.Record). since: Unix s; what was made before is hidden.

    is_saved: whether `all` is what the record holds.
    """

    def __init__(self, record) -> None:
        self._record = record
        self.is_saved = True
        self.since = 0
        raw = record.load()
        self.all = json.loads(raw) if raw else []

    def find(self, kid: str, sub: str) -> "dict | None":
        """Return the consent of account `sub` at recipient `kid`, ended or not, or None."""
        for consent in self.all:
            if consent["kid"] == kid and consent["sub"] == sub and self._counts(consent):
                return consent
        return None

    def check(self, kid: str, sub: str, regs: list, res: str, now: int) -> dict:
        """Return the live consent that covers `regs` at resolution `res`; HubError names what is not covered."""
        consent = self.find(kid, sub)
        if consent is None:
            raise HubError("NOT_LINKED", "sub")
        if consent["ended"]:
            raise HubError("REVOKED", "sub")
        if consent["until"] < now:
            raise HubError("EXPIRED", "until")
        if not all(reg in consent["regs"] for reg in regs):
            raise HubError("NOT_CONSENTED", "regs")
        if RESOLUTIONS.index(res) < RESOLUTIONS.index(consent["res"]):
            raise HubError("NOT_CONSENTED", "res")
        return consent

    def live(self, now: int) -> list:
        """Return the consents under which a request would be looked at."""
        return [c for c in self.all if not c["ended"] and c["until"] >= now and self._counts(c)]

    def owed(self) -> list:
        """Return the entries that are still to be journalled."""
        return [one for consent in self.all for one in consent.get("owed", ())]

    def keep(self, consents: list) -> None:
        """Let `consents` be the list."""
        self._record.save(json.dumps(consents).encode())
        self.is_saved = True
        self.all = consents

    def _counts(self, consent):
        """Return whether a consent is this tenant's, and on record."""
        return consent["made"] >= self.since and not any([one[1] == "linked" for one in consent.get("owed", ())])
