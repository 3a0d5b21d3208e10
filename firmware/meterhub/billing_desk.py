"""Looks after private billing on a hub whose household has agreed to it: loads applets/billing.py when there is work.

Memory   1 KB, and what the applet takes while it works
Runs on  the unix port and the boards
"""

from micropython import const

from . import lazy
from .applets.bucket import Bucket
from .applets.mailbox import Mailbox
from .trust import identity

PARTS = ("billing_desk", "applets.bucket", "applets.mailbox")
# what the applet loads, and who is done with it may let go
WORK = identity.SIGNING + (
    "applets.billed_day",
    "applets.billing",
    "codec.billing",
    "crypto.hkdf",
    "crypto.pedersen",
    "crypto.pedersen_tables",
    "store.tariffs",
    "trust.batches",
    "trust.bill_chain",
    "trust.mhx",
)
_FIRST_GAP_S = const(60)
_LONGEST_GAP_S = const(3600)
_TROUBLE_S = const(3600)
_MOST = const(1024)  # bytes of a receipt: trust/mhx.py


class BillingDesk:
    """hub: app.Hub. due: Unix s, when there may be work; 1: as soon as there is a time."""

    def __init__(self, hub) -> None:
        self._hub = hub
        self._inbox = Mailbox(2)
        self._bucket = Bucket(4, 10000)
        self._gap_s = _FIRST_GAP_S
        self._works = False
        self.due = 1

    def connected(self) -> None:
        """The broker can be reached again."""
        self.due = 1

    def receive(self, payload: bytes) -> None:
        """Take what claims to be a receipt of a batch."""
        if len(payload) > _MOST:
            self._hub.journal.foreign("OVERSIZED", "batch")
        elif not self._inbox.put(payload):
            self._hub.journal.foreign("RATE_LIMITED", "batch")
        else:
            self.due = 1

    def tick(self, now: int) -> None:
        """Begin to work when it is time; once a second."""
        if now and now >= self.due and not self._works:
            self._works = True
            self.due = 1 << 40
            self._hub.start("billing", self._work)

    async def _work(self):
        hub = self._hub
        before = lazy.loaded()
        from .applets import billing  # noqa: PLC0415 - a few minutes a day

        try:
            due = await billing.Billing(hub, self._inbox, self._bucket).run()
            gap_s, self._gap_s = self._gap_s, _FIRST_GAP_S
            if not due:
                due = hub.clock.now() + gap_s
                self._gap_s = min(2 * gap_s, _LONGEST_GAP_S)
        except OSError:
            hub.journal.add("event", "RECORD_FAILED", "billing")
            due = hub.clock.now() + _TROUBLE_S
        finally:
            billing = None
            lazy.let_go(lazy.parts(WORK) - before)
        self.due = min(self.due, due)
        self._works = False  # not after what nobody has foreseen: supervise.py begins anew then
