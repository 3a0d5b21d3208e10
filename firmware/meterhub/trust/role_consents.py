"""What the household has agreed to with a market role: what for, and until when.

A role asks (services/consent.py), the household accepts on its display or on the linked website; it ends on its day,
when the household revokes it, or with the tenancy. What has ended stays in the list while there is room.

Errors   HubError STORE_FULL
Runs on  both

Format   JSON {v 1, all: [[kid, name, scope, until, made, used, ended, told], ...]} in one two-slot record, at most 12;
         times are Unix seconds, 0 for never; told: 1 when the role has heard that it was revoked.
"""

import json

from micropython import const

from ..errors import HubError

SCOPES = ("readings", "demand", "marketing")
_MOST = const(12)
_DAY_S = const(86400)
_KID, _NAME, _SCOPE, _UNTIL, _MADE = const(0), const(1), const(2), const(3), const(4)
_USED, _ENDED, _TOLD = const(5), const(6), const(7)


class RoleConsents:
    """The list, kept in `record` (store.record.Record). since: Unix s; what was agreed to before is hidden."""

    def __init__(self, record, since: int) -> None:
        self._record = record
        self._since = since
        raw = record.load()
        self._all = json.loads(raw)["all"] if raw else []

    def _find(self, kid, scope):
        for row in self._all:
            if (row[_KID], row[_SCOPE]) == (kid, scope) and row[_MADE] >= self._since:
                return row
        return None

    def granted(self, kid: str, scope: str, now: int) -> bool:
        """Return whether the role with this key may; without a clock (now 0) nobody may."""
        row = self._find(kid, scope)
        return row is not None and not row[_ENDED] and 0 < now <= row[_UNTIL]

    def grant(self, kid: str, name: str, scope: str, until: int, now: int) -> None:
        """Keep what the household has agreed to; HubError STORE_FULL when 12 are in force."""
        old = self._find(kid, scope)
        kept = [row for row in self._all if row is not old]
        if len(kept) >= _MOST:
            over = [row for row in kept if row[_MADE] < self._since or row[_ENDED] or row[_UNTIL] < now]
            if not over:
                raise HubError("STORE_FULL", "consents")
            kept.remove(over[0])
        self._keep(kept + [[kid, name, scope, until, max(now, self._since), 0, 0, 0]])

    def used(self, kid: str, scope: str, now: int) -> None:
        """Note that a consent was used, once a day."""
        row = self._find(kid, scope)
        if row is not None and now - row[_USED] >= _DAY_S:
            self._put(row, _USED, now)

    def revoke(self, kid: str, scope: str, now: int) -> bool:
        """End a consent; False when there is none in force."""
        row = self._find(kid, scope)
        if row is None or row[_ENDED]:
            return False
        self._put(row, _ENDED, now or 1)
        return True

    def untold(self) -> list:
        """Return (kid, name, scope, when) of what was revoked and the role has not heard of."""
        rows = [row for row in self._all if row[_ENDED] and not row[_TOLD]]
        return [(row[_KID], row[_NAME], row[_SCOPE], row[_ENDED]) for row in rows]

    def told(self, kid: str, scope: str) -> None:
        """The role has heard that this was revoked."""
        for row in self._all:
            if (row[_KID], row[_SCOPE]) == (kid, scope) and row[_ENDED] and not row[_TOLD]:
                self._put(row, _TOLD, 1)
                return

    def live(self, now: int) -> list:
        """Return dicts {kid, name, scope, until, used} of what is in force."""
        found = [row for row in self._all if not row[_ENDED] and row[_UNTIL] >= now and row[_MADE] >= self._since]
        names = ("kid", "name", "scope", "until", "made", "used")
        return [{names[i]: row[i] for i in range(6)} for row in found]

    def _put(self, row, place, value):
        changed = list(row)
        changed[place] = value
        self._keep([changed if one is row else one for one in self._all])

    def _keep(self, rows):
        self._record.save(json.dumps({"v": 1, "all": rows}).encode())
        self._all = rows
