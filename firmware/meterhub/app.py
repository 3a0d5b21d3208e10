"""The composition root: builds the parts and hands them to each other. Only this file knows all rooms.

Once a start it asks opening.py for what is on flash; running.py starts the tasks.

Runs on  the unix port and the boards
"""

import asyncio
import sys
import time

from . import console, lazy, running
from .codec import base64url
from .codec.timezone import Zone
from .errors import HubError
from .extras import Extras
from .hal.clock import Clock
from .household import Household
from .ihd.model import Model
from .ihd.screens import Ihd
from .links.cable import Cable
from .meters.intervals import IntervalRecorder
from .outages import Outages
from .store import files, settings
from .store.journal import Journal
from .store.kept import Kept
from .store.record import LossyRecord, Record
from .supervise import supervise
from .trust import identity
from .trust.attempts import Attempts
from .trust.consents import Consents
from .version import VERSION

# what an export loads besides when it is about private billing
_EXPORT_OF_BILLS = (
    "applets.billed_day",
    "applets.billing_prover",
    "applets.keyed",
    "codec.bill",
    "codec.billing",
    "codec.tariff",
    "crypto.pedersen",
    "crypto.pedersen_tables",
    "trust.bill_chain",
    "trust.bills_made",
    "trust.linear_proof",
)
_RESTART_MS = 300  # for the answer to go out
_ANSWER_S = 30  # for it to be signed and sealed, when it goes to the cable
_LATER_S = 1  # what reads much of the flash waits until the first telegram is through


class Hub:
    """What the rooms share. Each attribute is set once, by the function that builds it."""

    def __init__(self, board) -> None:
        from . import opening  # noqa: PLC0415 - at a start only

        self._tasks = []
        self.board = board
        self.clock = Clock(board)
        stranger = opening.settle(board)
        self.errors = {}  # name -> how often since the start
        self.uptime_ms = 0
        self.events = None  # events.Events
        self.tamper = None  # tamper_watch.TamperWatch: hears of each entry of the journal
        self._early = []  # damage that was found before there was a journal
        self._open_journal(stranger)
        self.kept = Kept(board)
        self.settings = opening.load_settings(self)
        self.zone = Zone(self.settings.get("zone"))
        self.extras = Extras(self)
        self.profile = opening.profile(self, "/profile", self.settings.get("profile.registers"))
        self.intervals = IntervalRecorder(self.profile, self.clock)
        self.meters = []  # of meters.meter.Meter; the first one is the household's main meter
        opening.add_meters(self)  # early: a decoder's buffer is 4 KB in one piece
        others = [meter.profile for meter in self.meters if meter.profile not in (None, self.profile)]
        self.profiles = [self.profile] + others
        self.consents = Consents(self.record("consents"))
        self.tenancy = opening.tenancy(self)
        self.outages = Outages(self)
        self.attempts = Attempts(self.record("attempts"), self.clock.now())
        self.recipients = {}
        for one in self.settings.get("recipients"):
            self.recipients[one["kid"]] = (one["name"], base64url.decode(one["key"]))
        self.drbg = None  # crypto.drbg.Drbg
        self.identity: "identity.Identity | None" = None
        self.wan = self.export = None  # links.wan.Wan, applets.export.Export
        self.card_due = False
        self._market = None
        self._timekeeper = self._order_desk = self.billing = None
        self.cable = Cable(console, _Desk(self))
        self.model = Model("", self.settings.get("name"), VERSION)
        self.ihd = Ihd(opening.display(self), self.model)
        self.take_press = self.ihd.button  # what a press goes to: (name, kind)
        self.household = Household(self)
        opening.settle_consents(self)
        self._notices, self._notices_modules, self._notices_due = None, (), (0, 0)
        modules = opening.modules()
        opening = None
        lazy.let_go(modules)

    def _open_journal(self, stranger):
        """Open the journal, and tell in it what was found before there was one."""
        folder = self.board.data_dir + "/journal"
        wrong = files.open_dir(folder)
        if wrong:
            self.damaged(wrong)
        self.journal = Journal(folder, self.clock, self._journal_key())
        lazy.let_go(["meterhub.store.journal_end"])
        self.journal.listener = self._journalled
        if stranger:
            self.journal.add("security", "STORE_FOREIGN", stranger)
        early, self._early = self._early or [], None
        for detail in early:
            self.damaged(detail)

    def _journal_key(self):
        before = lazy.loaded()
        key = identity.journal_key(self.strict_record("identity"))
        lazy.let_go(lazy.loaded() - before)
        return key

    def seal_journal(self) -> None:
        """Seal the journal from now on: the hub's very first key has just been made."""
        if not self.journal.key:
            key = self._journal_key()
            if key:
                self.journal.begin_sealing(key)

    def record(self, name: str) -> Record:
        """Return the small record `name` of the hub's folder; one that is damaged begins anew, and that is said."""
        return LossyRecord(self.board.data_dir + "/" + name, self.damaged)

    def strict_record(self, name: str) -> Record:
        """Return the small record `name`; its load() raises StoreError when it is damaged."""
        return Record(self.board.data_dir + "/" + name, tell=self.damaged)

    def start_drbg(self) -> None:
        """Start the generator: to be done once, when the lines are open, as a board gathers entropy for 0.3 s."""
        self.drbg = identity.start_drbg(self.board, self.record("seed"), time.ticks_us)

    def open_events(self) -> None:
        """Find what waits to be sent, on a hub that tells somebody of events, or has done so.

        What was journalled before is taken from the journal, so that this is in no hurry.
        """
        addressee = self.settings.get("events.to")
        if self.events is not None or not (addressee or files.exists(self.board.data_dir + "/outbox")):
            return
        before = lazy.loaded()
        from . import events  # noqa: PLC0415 - most hubs tell nobody

        try:
            self.events = events.open_for(self, addressee)
        except OSError as err:
            self.damaged("outbox %s" % err.args[0])
        if self.events is None:
            events = None
            lazy.let_go(lazy.loaded() - before)

    def meet_household(self) -> None:
        """Show what it is to see, and let nobody without its PIN decide; the random generator is there by now."""
        self._open_pin()
        self.model.message = lambda number: self.notices.message(number)  # noqa: PLW0108 - loaded when there are any
        if files.exists(self.board.data_dir + "/notices"):
            self._open_notices()

    def _open_pin(self):
        """Let what decides wait for the household's PIN, if it has one. A PIN is kept as what cannot be read off."""
        kept = self.settings.get("household.pin")
        self.ihd.guard = None
        if not kept:
            return
        from .trust import household_pin  # noqa: PLC0415 - few have one

        if household_pin.is_pin(kept):
            salt = self.drbg.read(12)  # pyright: ignore[reportOptionalMemberAccess]
            self.change_setting("household.pin", household_pin.hidden(kept, salt))
        else:
            record = self.record("household-pin")
            guard = household_pin.HouseholdPin(kept, record, self.clock.uptime_s)
            self.ihd.guard = guard  # pyright: ignore[reportAttributeAccessIssue]

    def change_setting(self, name: str, value, commit=None) -> None:
        """Let a setting have another value. commit(transaction): ends it, with what must change together with it."""
        before = lazy.loaded()
        from .store import transaction  # noqa: PLC0415 - seldom

        one = transaction.Transaction(self.board.data_dir)
        changed = settings.put(one, self.settings, name, value)
        if commit is None:
            one.commit()
        else:
            commit(one)
        self.settings = changed
        one = transaction = None
        lazy.let_go(lazy.parts(("store.transaction", "store.settings_table")) - before)
        self._open_pin()

    @property
    def market(self):
        """The market roles' side of this hub (market.py); loaded, and let go by look_after_market()."""
        if self._market is None:
            from .market import Market  # noqa: PLC0415 - most hubs have no market role

            self._market = Market(self)
        return self._market

    @property
    def commands(self):
        """Whom the household's decisions are told (notices.py)."""
        return self.market

    @property
    def letters(self):
        """What writes to the market roles (market.py)."""
        return self.market.letters

    def has_market(self) -> bool:
        """Whether a market role has left anything on this hub's flash."""
        kept = [self.record(name).is_there() for name in ("roles", "schedules", "commands", "diagnosis")]
        return any(kept) or files.exists(self.board.data_dir + "/letters")

    def look_after_market(self, now: int) -> None:
        """Once a second: do what time brings to the market roles; where there are none, nothing of it stays."""
        if self._market is not None and not self._market.tick(now):
            self._market = None
            lazy.let_go(lazy.parts(("market",)))

    @property
    def notices(self):
        """What the household is shown and asked; loaded, and let go by look_at_notices()."""
        return self._notices or self._open_notices()

    def _open_notices(self):
        before = lazy.loaded()
        from .notices import Notices  # noqa: PLC0415 - most of the time there are none

        self._notices = Notices(self)
        self._notices_modules = lazy.loaded() - before
        return self._notices

    def website(self) -> str:
        """Return the kid of the recipient that shows notices, too, and takes decisions; "" for none that is linked."""
        kid = self.settings.get("may.notices")
        live = self.consents.live(self.clock.now())
        linked = kid in self.recipients and any([c["kid"] == kid and c["res"] for c in live])
        return kid if linked else ""

    def look_at_notices(self) -> None:
        """Let notices do what time brings, and go when nobody needs them."""
        if self._notices is None:
            at, up_s = self._notices_due
            if not (0 < at <= self.clock.now() or 0 < up_s <= self.clock.uptime_s()):
                return
        self.notices.tick()
        due = self.notices.rest()
        if due is not None:
            self._notices_due = due
            self._notices = None
            lazy.let_go(self._notices_modules)

    def has_role_consents(self) -> bool:
        """Return whether the household has ever agreed to something with a role."""
        path = self.board.data_dir + "/role-consents."
        return files.exists(path + "0") or files.exists(path + "1")

    def role_consents(self):
        """Return what the household has agreed to with roles, as it is in flash now."""
        from .trust.role_consents import RoleConsents  # noqa: PLC0415 - asked for now and then

        return RoleConsents(self.record("role-consents"), self.tenancy.since)

    def damaged(self, detail: str) -> None:
        """Journal that something on flash is not what was written."""
        if self._early is None:
            self.journal.add("event", "STORE_DAMAGED", detail)
        else:
            self._early.append(detail)

    def greet(self) -> None:
        """The WAN has come up: who this hub is must be said again."""
        self.card_due = True
        if self.billing is not None:
            self.billing.connected()

    def _journalled(self, kind, entry):
        console.journal_line(kind, entry)
        if entry.name.isupper():
            self.errors[entry.name] = self.errors.get(entry.name, 0) + 1
        if self.events is not None:
            self.events.take(kind, entry)
        if self.tamper is not None:
            self.tamper.heard(entry)
        if kind == "consent":
            self.household.agreed += 1

    def send(self, message: bytes) -> None:
        """Send a message of the export protocol; HubError OUTBOX_FULL."""
        if self.wan is None:
            raise HubError("SEND_FAILED", "wan")
        self.wan.post("export", message)

    def receive(self, kind: bytes, payload: bytes) -> None:
        """Take a message from the WAN; what this hub has no applet for is journalled."""
        if kind == b"export":
            self.applet().post(payload)
        elif kind == b"order":
            self.order_desk().post(payload)
        elif kind == b"command":
            self.market.take(payload)
        elif kind == b"received":
            self.letters.received(payload)
        elif kind == b"receipt" and self.events is not None:
            self.events.receipt(payload)
        elif kind == b"batch" and self.billing is not None:
            self.billing.receive(payload)
        else:
            self.journal.foreign("UNSUPPORTED", "wan topic")

    def order_desk(self):
        """Return what carries out orders, loaded with the first one."""
        if self._order_desk is None:
            from .order_desk import OrderDesk  # noqa: PLC0415 - most hubs never get one

            self._order_desk = OrderDesk(self)
        return self._order_desk

    def timekeeping(self):
        """Return what asks for the time, loaded where there is somebody to ask."""
        if self._timekeeper is None:
            from .timekeeper import Timekeeper  # noqa: PLC0415 - a meter's clock is enough for many

            self._timekeeper = Timekeeper(self)
        return self._timekeeper

    def applet(self):
        """Return the data-export applet, loaded and started when it is needed."""
        if self.export is None:
            before = lazy.loaded()
            from .applets.export import Export  # noqa: PLC0415 - an applet takes no memory before it is needed

            self.export = Export(self)
            modules = lazy.loaded() - before
            self.start("export", lambda: self._serve_export(modules))
        return self.export

    async def _serve_export(self, modules):
        """Let the applet serve, and let it go when nobody wants anything any more."""
        await self.export.run()  # pyright: ignore[reportOptionalMemberAccess]
        self.export = None
        lazy.let_go(modules | lazy.parts(_EXPORT_OF_BILLS))

    def start(self, name: str, service) -> None:
        """Start a task that lives until `service` returns."""
        self._tasks = [task for task in self._tasks if not task.done()]
        self._tasks.append(asyncio.create_task(supervise(name, service, self.journal)))

    def restart_soon(self) -> None:
        """Restart the board as soon as what has been said is out."""
        self.start("restart", self._restart)

    async def _restart(self):
        for _ in range(_ANSWER_S):
            if not self.cable.is_busy:
                break
            await asyncio.sleep(1)
        await asyncio.sleep_ms(_RESTART_MS)
        self.outages.restarting()
        self.put_away()
        self.board.restart()

    def put_away(self) -> None:
        """Save what is saved now and then only."""
        for meter in self.meters:
            try:
                meter.last.put_away()
            except OSError:  # the flash is full or broken: that was told when it happened
                pass
        self.extras.put_away()


class _Desk:
    """What answers on the service line, loaded when somebody asks."""

    def __init__(self, hub) -> None:
        self._hub = hub
        self._desk = None
        self._modules = ()

    async def answer(self, verb, request, tell):
        if self._desk is None:
            before = lazy.loaded()
            from .service_desk import Desk  # noqa: PLC0415 - an idle hub has nobody at the cable

            self._desk = Desk(self._hub)
            self._modules = lazy.loaded() - before
        return await self._desk.answer(verb, request, tell)

    def close(self):
        self._desk = None
        lazy.let_go(self._modules)


def end(hub) -> None:
    """Let the hub save what it saves now and then only; another Ctrl-C takes nothing from that."""
    while True:
        try:
            hub.put_away()
            return
        except KeyboardInterrupt:
            pass


def main() -> None:
    """Run the hub on this board, for ever."""
    if sys.platform in ("rp2", "esp32"):
        from .hal import chip as port  # noqa: PLC0415 - each exists on its own kind of board only
    else:
        from .hal import unix as port  # noqa: PLC0415
    hub = Hub(port.Board(port.configuration()))
    try:
        asyncio.run(running.run(hub))
    finally:  # Ctrl-C: whoever deploys comes this way
        end(hub)
