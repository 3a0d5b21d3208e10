"""What the household has agreed to: which recipient may ask for what, and until when.

A consent comes into being when somebody who can see the display links the hub to an account at a recipient, and
lets that account ask; every export is agreed to again, by its own PIN. It ends on its day, or when the household
or the recipient revokes it, and stays in the list then, so that a later request hears REVOKED and not NOT_LINKED.

Errors   HubError NOT_LINKED, REVOKED, EXPIRED, NOT_CONSENTED; OSError from the file system.
Runs on  both

One from before the tenancy is none to this tenant (tenancy.py): not found, not listed, the first to make room.

What changes them is agreements.py, which also journals that: a link that is not on record yet is none.

One to private billing (`bill`) stands beside the link of the same account, and covers nothing but the batches.

Format   JSON list of objects {kid, sub, regs, res, until, made, used, ended} in one two-slot record; times are
         Unix seconds, 0 for never. One to private billing has res "", what: "bill", and mark: 16 hex digits, another
         one each time that billing is turned on. Until they are written, `owed` has the entries: a list of [number in
         the journal, name, detail, Unix seconds].
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
        self.bills = False  # whether any consent is one to private billing, and has not ended
        self.since = 0
        raw = record.load()
        self._take(json.loads(raw) if raw else [])

    def _take(self, consents):
        self.all = consents
        self.bills = any([what(c) == "bill" and not c["ended"] for c in consents])

    def find(self, kid: str, sub: str, of: str = "link") -> "dict | None":
        """Return the consent of account `sub` at recipient `kid`, ended or not, or None. of: "link" or "bill" """
        for consent in self.all:
            if consent["kid"] == kid and consent["sub"] == sub and what(consent) == of and self._counts(consent):
                return consent
        return None

    def bill(self) -> "dict | None":
        """Return the consent to private billing that has not been revoked, be it past its day, or None."""
        for consent in self.all:
            if what(consent) == "bill" and not consent["ended"] and self._counts(consent):
                return consent
        return None

    def check(self, kid: str, sub: str, regs: list, res: str, now: int) -> dict:
        """Return the live consent that covers `regs` at resolution `res`; HubError names what is not covered."""
        consent = _live(self.find(kid, sub), now, "sub", "until")
        if not all(reg in consent["regs"] for reg in regs):
            raise HubError("NOT_CONSENTED", "regs")
        if RESOLUTIONS.index(res) < RESOLUTIONS.index(consent["res"]):
            raise HubError("NOT_CONSENTED", "res")
        return consent

    def check_keys(self, kid: str, sub: str, regs: list, res: str, now: int) -> dict:
        """Return the live consent to billing under which day keys may go with such readings; HubError otherwise."""
        consent = _live(self.find(kid, sub, "bill"), now, "keys", "keys")
        if not all([reg in regs for reg in consent["regs"]]):
            raise HubError("NOT_CONSENTED", "regs")  # who has the keys and the batches has all of the readings
        if res != RESOLUTIONS[0]:
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
        self._take(consents)

    def _counts(self, consent):
        """Return whether a consent is this tenant's, and on record."""
        return consent["made"] >= self.since and not any([one[1] == "linked" for one in consent.get("owed", ())])


def what(consent: dict) -> str:
    """Return what a consent is to: "link" or "bill"."""
    return consent.get("what", "link")


def _live(consent, now, field, until):
    if consent is None:
        raise HubError("NOT_LINKED", field)
    if consent["ended"]:
        raise HubError("REVOKED", field)
    if consent["until"] < now:
        raise HubError("EXPIRED", until)
    return consent
