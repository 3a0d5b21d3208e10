"""Sends what waits in the outbox, a few items at a time, again and again until the recipient's receipt is there.

Source   trust/items.py (the messages)
Memory   3 KB, and 10 KB for a moment while a batch is signed or a receipt verified
Errors   A receipt that is not what it must be is journalled under its name, and changes nothing.
Runs on  both

It ends when nothing waits or the WAN is down, and is begun anew then (events.py). A batch without a receipt is sent
again after 30 s, a minute, and so on up to an hour; at once when the WAN has come back.
"""

from micropython import const

from . import lazy
from .applets.bucket import Bucket
from .applets.mailbox import Mailbox
from .crypto.steps import slowly
from .errors import HubError
from .trust import identity

_BRIEF = identity.SIGNING + ("trust.items", "trust.mhx", "crypto.hkdf")  # loaded for each message
_BATCH = const(16)  # trust.items.MAX_ITEMS
_MAX_RECEIPT = const(1024)  # trust.items.MAX_RECEIPT
_FIRST_WAIT_S = const(30)
_LONGEST_WAIT_S = const(3600)
_BATCH_BYTES = const(768)


class Sender:
    """Sends for `hub` (app.Hub) what its `events` (events.Events) have in their outbox."""

    first_wait_s = _FIRST_WAIT_S

    def __init__(self, hub, events) -> None:
        self._hub = hub
        self._events = events
        self._outbox = events.outbox
        self._inbox = Mailbox(4)
        self._bucket = Bucket(4, 10000)  # a verification takes a second on a board: nobody outside orders many in vain
        self._sent = 0  # the id of the newest item that was sent

    def post(self, payload: bytes) -> None:
        """Take what claims to be a receipt."""
        if len(payload) > _MAX_RECEIPT:
            self._hub.journal.foreign("OVERSIZED", "receipt")
        elif not self._inbox.put(payload):
            self._hub.journal.foreign("RATE_LIMITED", "receipt")

    async def run(self) -> None:
        """Send until nothing waits or the WAN is down."""
        await self._serve()
        while await self._inbox.take(0) is not None:
            self._hub.journal.foreign("REPLAY", "receipt")  # nothing was sent that it could be for

    async def _serve(self):
        wait_s = self.first_wait_s
        while self._hub.wan.is_up:
            batch = self._outbox.oldest(_BATCH, _BATCH_BYTES)
            if not batch:
                return
            await self._send(batch)
            came = await self._receipt(wait_s)
            wait_s = self.first_wait_s if came else min(2 * wait_s, _LONGEST_WAIT_S)

    async def _send(self, batch):
        claims = {"v": 1, "hub": self._hub.identity.hub, "to": self._outbox.addressee, "box": self._events.box}
        claims.update({"at": self._hub.clock.now(), "dropped": self._outbox.dropped})
        claims["items"] = [[item.id, item.at, item.name, item.detail] for item in batch]
        before = lazy.loaded()
        try:
            token = await slowly(self._hub.identity.sign("mh-items", claims))
        finally:
            self._let_go(before)
        self._sent = max(self._sent, batch[-1].id)
        try:
            self._hub.wan.post("outbox", token.encode())
        except HubError:  # no room beside an export: the batch is sent again
            pass

    def _let_go(self, before):
        """Let go of what one message has loaded, unless the export needs it."""
        if self._hub.export is None:
            lazy.let_go(lazy.parts(_BRIEF) - before)

    async def _receipt(self, wait_s):
        """Return whether a receipt has come in time, and has been carried out."""
        for _ in range(wait_s):
            payload = await self._inbox.take(1000)
            if payload is not None:
                before = lazy.loaded()
                try:
                    await self._carry_out(payload)
                    return True
                except HubError as err:
                    self._hub.journal.foreign(err.name, "receipt " + err.field)
                finally:
                    self._let_go(before)
            if not self._hub.wan.is_up:
                break
        return False

    async def _carry_out(self, payload):
        """Let go of what a receipt speaks for; HubError when it does not fit, or is not the recipient's."""
        from .trust import items  # noqa: PLC0415 - it loads what verifying needs

        try:
            token = str(payload, "utf-8")
        except UnicodeError:
            raise HubError("MALFORMED", "jws")
        kid, claims = items.receipt_claims(token)
        self._check(kid, claims)
        if not self._bucket.take():
            raise HubError("RATE_LIMITED", "jws")
        if not await slowly(identity.verify(self._hub.recipients[kid][1], token)):
            raise HubError("NOT_AUTHENTIC", "jws")
        self._bucket.give_back()
        self._check(kid, claims)  # the outbox may have been emptied meanwhile
        self._outbox.acknowledge(claims["id"])

    def _check(self, kid, claims):
        if kid != self._outbox.addressee:
            raise HubError("UNKNOWN_RECIPIENT", "kid")
        if claims["hub"] != self._hub.identity.hub:
            raise HubError("WRONG_HUB", "hub")
        if claims["box"] != self._events.box:
            raise HubError("WRONG_REQUEST", "box")
        if claims["id"] <= self._outbox.acknowledged:
            raise HubError("REPLAY", "id")
        if claims["id"] > self._sent:
            raise HubError("OUT_OF_RANGE", "id")
