"""Carries out orders (trust/orders.py), from the broker and from the cable.

Errors   HubError from take(); what came from the broker and is refused is journalled, and not answered.
Memory   one order at a time; loaded with the first one.
Runs on  the unix port and the boards
"""

from . import lazy
from .applets.bucket import Bucket
from .crypto.steps import slowly
from .errors import HubError, StoreError
from .hal.ticks import now_ms
from .trust import identity, owner

_AT_ONCE = 4  # a signature takes a small board seconds: so many, then one in a quarter of a minute
_EVERY_MS = 15000
_FRESH_S, _AHEAD_S = 3600, 300  # of a decision


class OrderDesk:
    """hub: app.Hub."""

    def __init__(self, hub) -> None:
        self._hub = hub
        self._bucket = Bucket(_AT_ONCE, _EVERY_MS)
        self._busy = False

    def post(self, payload: bytes) -> None:
        """Take an order from the broker."""
        if self._busy or not self._bucket.take():
            self._hub.journal.foreign("RATE_LIMITED", "order")
            return
        arrived = now_ms()
        self._busy = True
        self._hub.start("order", lambda: self._carry_out(payload, arrived))

    async def _carry_out(self, payload, arrived):
        try:
            await self.take(str(payload, "utf-8"), arrived)
        except HubError as err:
            self._hub.journal.foreign(err.name, "order " + err.field)
        except UnicodeError:
            self._hub.journal.foreign("MALFORMED", "order")
        finally:
            self._busy = False

    async def take(self, token: str, arrived: int) -> str:
        """Carry out an order that came at `arrived` (ticks); return its typ."""
        before = lazy.loaded()
        from .trust import orders  # noqa: PLC0415 - let go again, with all that judges a signature

        hub = self._hub
        if hub.identity is None:
            raise HubError("INTEGRITY_FAILED", "identity")
        try:
            typ, kid, claims = await slowly(orders.opened(token, hub.identity.hub, self._keys))
        finally:
            orders = None
            if hub.export is None:
                lazy.let_go((lazy.parts(identity.SIGNING) | {"meterhub.trust.orders"}) - before)
        if typ == "mh-time":
            hub.timekeeping().take(kid, claims, arrived)
        else:
            self._check_customer(kid, claims)
            hub.notices.decide_there(claims["notice"], claims["decision"])
        return typ

    def _check_customer(self, kid, claims):
        """Raise HubError unless a decision is of an account that is linked, and was made just now."""
        now = self._hub.clock.now()
        consent = self._hub.consents.find(kid, claims["sub"])
        if consent is None:
            raise HubError("NOT_LINKED", "sub")
        if consent["ended"]:
            raise HubError("REVOKED", "sub")
        if now and (consent["until"] < now or not now - _FRESH_S <= claims["at"] <= now + _AHEAD_S):
            raise HubError("EXPIRED", "at")

    def _keys(self, right):
        """Return the keys that may give an order: the owner's root, and the recipient that has the right."""
        hub = self._hub
        found = {}
        named = hub.settings.get(right)
        if named in hub.recipients:
            found[named] = hub.recipients[named][1]
        try:
            known = owner.Owner(hub.strict_record("owner"), hub.identity.hub, hub.identity.public)
        except StoreError:  # it has one, and does not know whom
            return found
        if known.root:
            found[known.kid] = known.root
        return found
