"""Events for a recipient: those entries of the journal that the one named by the setting `events.to` is told of.

Memory   1 KB, and only on a hub that tells somebody; outbox_sender.py is loaded while there is something to send
Errors   OSError only when the outbox cannot be opened
Runs on  both

Every such entry becomes an item of the outbox exactly once, whenever the power is cut: the outbox knows the number of
the newest entry it holds, and a start, or a flash that can be written again, takes what is newer from the journal.
"""

import binascii

from .lazy import let_go, loaded
from .store import files
from .store.outbox import Outbox

# what is told, and its lane in the outbox: 1 stays longest when there is no room
LANES = {
    "METER_SILENT": 0,
    "meter is back": 0,
    "LINE_STUCK": 0,
    "line is back": 0,
    "METER_CLOCK": 0,
    "meter's clock is right": 0,
    "METER_CHANGED": 1,
    "REGISTER_BACKWARD": 1,
    "supply restored": 1,
    "supply restored 3 min": 1,
}


def open_for(hub, addressee: str) -> "Events | None":
    """Return the Events of a hub (app.Hub) for the recipient `addressee`; for nobody remove what waits."""
    path = hub.board.data_dir + "/outbox"
    if not addressee and not files.exists(path):
        return None
    events = Events(hub, path, addressee)
    if events.outbox.abandoned:
        hub.journal.add("event", "outbox emptied", "%d items" % events.outbox.abandoned)
    if addressee:
        events.catch_up()
        return events
    events.outbox.remove()
    return None


class Events:
    """Takes entries of the journal to the outbox, and sees to it that they are sent. hub: app.Hub"""

    def __init__(self, hub, path: str, addressee: str) -> None:
        self._hub = hub
        source = hub.journal.end("event")
        self.outbox = Outbox(path, addressee, source, lambda: hub.drbg.read(4), self._tell_dropped)
        self.behind = False  # an entry could not be taken: all that follow wait for it
        self._sender = None

    @property
    def box(self) -> str:
        """The outbox's box as messages name it."""
        return binascii.hexlify(self.outbox.box).decode()

    def _tell_dropped(self, lane, n):
        self._hub.journal.add("event", "OUTBOX_FULL", "%d items of lane %d" % (n, lane))

    def take(self, kind: str, entry) -> None:
        """Hear of an entry of the journal (store.journal.Entry)."""
        if kind != "event" or self.behind or entry.name not in LANES:
            return
        try:
            if entry.seq > self.outbox.source:
                self.outbox.add(entry.name, entry.detail, entry.at, entry.seq, LANES[entry.name])
        except OSError:
            self.behind = True  # the journal has it; catch_up() takes it from there

    def catch_up(self) -> None:
        """Take the entries that were journalled and are not in the outbox."""
        self.behind = False
        for entry in self._hub.journal.after("event", self.outbox.source):
            self.take("event", entry)

    def deliver(self) -> None:
        """Send what waits; to be called again and again while the WAN is up."""
        if self.behind:
            self.catch_up()
        if self._sender is None and self.outbox.pending:
            before = loaded()
            from .outbox_sender import Sender  # noqa: PLC0415 - nothing waits most of the time

            self._sender = Sender(self._hub, self)
            modules = loaded() - before
            self._hub.start("outbox", lambda: self._send(modules))

    async def _send(self, modules):
        await self._sender.run()  # pyright: ignore[reportOptionalMemberAccess]
        self._sender = None
        let_go(modules)

    def receipt(self, payload: bytes) -> None:
        """Take what claims to be a receipt; one that nothing was sent for is journalled."""
        if self._sender is None:
            self._hub.journal.foreign("REPLAY", "receipt")
        else:
            self._sender.post(payload)
