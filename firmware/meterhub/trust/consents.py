"""What the household has agreed to: which recipient may ask for what, and until when.

A consent comes into being when somebody who can see the display links the hub to an account at a recipient, and
lets that account ask; every export is agreed to again, by its own PIN. It ends on its day, or when the household
or the recipient revokes it, and stays in the list then, so that a later request hears REVOKED and not NOT_LINKED.

Errors   HubError NOT_LINKED, REVOKED, EXPIRED, NOT_CONSENTED, STORE_FULL.
Runs on  both

One from before the tenancy is none to this tenant (tenancy.py): not found, not listed, the first to make room.

Format   JSON list of objects {kid, sub, regs, res, until, made, used, ended} in one two-slot record; times are
         Unix seconds, 0 for never.
"""

import json

from micropython import const

from ..errors import HubError

RESOLUTIONS = ("half-hour", "day", "month")  # each coarser than the one before
_MOST = const(8)


class Consents:
    """The list, kept in `record` (store.record.Record). since: Unix s; what was made before is hidden."""

    def __init__(self, record) -> None:
        self._record = record
        self.since = 0
        raw = record.load()
        self.all = json.loads(raw) if raw else []

    def find(self, kid: str, sub: str) -> "dict | None":
        """Return the consent of account `sub` at recipient `kid`, ended or not, or None."""
        for consent in self.all:
            if consent["kid"] == kid and consent["sub"] == sub and consent["made"] >= self.since:
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

    def grant(self, kid: str, claims: dict, now: int) -> None:
        """Keep the consent that a proved link request (`claims`) stands for; HubError STORE_FULL when 8 are live."""
        old = self.find(kid, claims["sub"])
        kept = [c for c in self.all if c is not old]
        if len(kept) >= _MOST:
            ended = [c for c in kept if c["made"] < self.since] or [c for c in kept if c["ended"] or c["until"] < now]
            if not ended:
                raise HubError("STORE_FULL", "consents")
            kept.remove(ended[0])
        consent = {"kid": kid, "sub": claims["sub"], "regs": claims["regs"], "res": claims["res"]}
        consent.update({"until": claims["until"], "made": max(now, self.since), "used": 0, "ended": 0})
        self._keep(kept + [consent])

    def mark_used(self, consent: dict, now: int) -> None:
        """Note that an export under `consent` was completed."""
        consent["used"] = now
        self._keep(self.all)

    def revoke(self, consent: dict, now: int) -> None:
        """End `consent`; requests under it are refused from now on."""
        consent["ended"] = now or 1
        self._keep(self.all)

    def live(self, now: int) -> list:
        """Return the consents under which a request would be looked at."""
        return [c for c in self.all if not c["ended"] and c["until"] >= now and c["made"] >= self.since]

    def _keep(self, consents):
        self._record.save(json.dumps(consents).encode())
        self.all = consents
