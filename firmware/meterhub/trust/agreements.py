"""What is agreed to and what ends: changes of the consents, each with its entry in the journal.

Errors   HubError STORE_FULL; OSError from the file system.
Runs on  both

Both happen, or none of it, whenever the power is cut: the change is saved together with the entry that it owes, then
the entry is written, then what was owed is taken out. The start after a cut, and the next change, do what is left of
that; by the entry's number they see whether it is written. A link whose entry cannot be written is none until it is.
"""

from micropython import const

from ..errors import HubError
from .consents import what

_MOST = const(8)
_KIND = "consent"


class Agreements:
    """Changes `consents` (consents.Consents) and tells `journal` (store.journal.Journal).

    detail: of the entry that a change makes.
    """

    def __init__(self, consents, journal) -> None:
        self._consents = consents
        self._journal = journal

    def grant(self, kid: str, claims: dict, now: int, detail: str, mark: str = "") -> None:
        """Keep the consent that a proved request (`claims`) stands for; HubError STORE_FULL when 8 are live.

        mark: of one to private billing.
        """
        self.settle()
        of, since = what(claims), self._consents.since
        old = self._consents.find(kid, claims["sub"], of)
        kept = [c for c in self._consents.all if c is not old]
        if len(kept) >= _MOST:
            ended = [c for c in kept if c["made"] < since] or [c for c in kept if c["ended"] or c["until"] < now]
            if not ended:
                raise HubError("STORE_FULL", "consents")
            kept.remove(ended[0])
        consent = {"kid": kid, "sub": claims["sub"], "regs": claims["regs"], "res": claims.get("res", "")}
        consent.update({"until": claims["until"], "made": max(now, since), "used": 0, "ended": 0})
        if of == "bill":
            kept = [c for c in kept if what(c) != "bill" or c["ended"]]  # the one there was is past its day
            goes_on = old is not None and not old["ended"] and old["until"] >= now and old["regs"] == claims["regs"]
            consent.update({"what": "bill", "mark": old["mark"] if goes_on else mark})  # pyright: ignore
        self._change(consent, "linked", detail, now, kept + [consent])

    def mark_used(self, consent: dict, now: int, detail: str) -> None:
        """Note that an export under `consent` was completed."""
        self.settle()
        consent["used"] = now
        self._change(consent, "done", detail, now, self._consents.all)

    def revoke(self, consent: dict, now: int, detail: str) -> None:
        """End `consent`; requests under it are refused from now on, also when the entry cannot be written."""
        consent["ended"] = now or 1
        self._change(consent, "revoked", detail, now, self._consents.all)

    def log(self, name: str, detail: str) -> None:
        """Journal what has changed no consent."""
        self.settle()  # its number is given away already
        self._journal.add(_KIND, name, detail)

    def settle(self) -> None:
        """Write the entries that are owed."""
        owed = sorted(self._consents.owed())
        if not owed:
            return
        if not self._consents.is_saved:
            self._consents.keep(self._consents.all)
        for number, name, detail, at in owed:
            if self._journal.end(_KIND) == number - 1:  # else it was written before the power was cut
                self._journal.add(_KIND, name, detail, at)
        for consent in self._consents.all:
            consent.pop("owed", None)
        try:
            self._consents.keep(self._consents.all)
        except OSError:
            pass  # a start sees by the numbers that they are written

    def _change(self, consent, name, detail, now, consents):
        """Let `consents` be the list, in which `consent` has changed, and journal it."""
        number = max([self._journal.end(_KIND)] + [one[0] for one in self._consents.owed()])
        consent["owed"] = consent.get("owed", []) + [[number + 1, name, detail, now]]
        self._consents.is_saved = False
        self._consents.keep(consents)
        self.settle()
