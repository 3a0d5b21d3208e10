"""The composition root: builds the parts, hands them to each other, starts the tasks. Only this file knows all rooms.

Runs on  the unix port and the boards
"""

import asyncio
import gc
import sys
import time

from . import console, lazy, meter_line
from .codec import base64url
from .codec.timezone import Zone
from .crypto.steps import slowly
from .errors import ConfigError, HubError, StoreError
from .hal.clock import Clock
from .hal.ticks import now_ms, since
from .household import Household
from .ihd import drivers
from .ihd.model import Model
from .ihd.screens import Ihd
from .links.cable import Cable
from .meters.intervals import IntervalRecorder
from .outages import Outages
from .store import files, settings
from .store.columns import column_of
from .store.journal import Journal
from .store.kept import Kept
from .store.last import LastValues
from .store.profile import Profile
from .store.record import Record
from .supervise import supervise
from .trust import identity
from .trust.attempts import Attempts
from .trust.consents import Consents
from .trust.tenancy import Tenancy
from .version import VERSION

_RESTART_MS = 300  # for the answer to go out
_LATER_S = 1  # what reads much of the flash waits until the first telegram is through


class Hub:
    """What the rooms share. Each attribute is set once, by the function that builds it."""

    def __init__(self, board) -> None:
        self._tasks = []
        self.board = board
        self.clock = Clock(board)
        stranger = _settled(board)
        data = board.data_dir
        self.errors = {}  # name -> how often since the start
        self.uptime_ms = 0
        self.events = None  # events.Events
        self._early = []  # damage that was found before there was a journal
        wrong = files.open_dir(data + "/journal")
        if wrong:
            self._damaged(wrong)
        self.journal = Journal(data + "/journal", self.clock, self._journal_key())
        lazy.let_go(["meterhub.store.journal_end"])
        self.journal.listener = self._journalled
        if stranger:
            self.journal.add("security", "STORE_FOREIGN", stranger)
        early, self._early = self._early, None
        for detail in early:
            self._damaged(detail)
        self.kept = Kept(board)
        self.settings = self._load_settings(data + "/settings.json")
        self.zone = Zone(self.settings.get("zone"))
        self.profile = self._open_profile("/profile", self.settings.get("profile.registers"))
        self.intervals = IntervalRecorder(self.profile, self.clock)
        self.meters = []  # of meters.meter.Meter; the first one is the household's main meter
        self._add_meters(self.settings.get("meters"))  # early: a decoder's buffer is 4 KB in one piece
        others = [meter.profile for meter in self.meters if meter.profile not in (None, self.profile)]
        self.profiles = [self.profile] + others
        self.consents = Consents(self.record("consents"))
        self.tenancy = self._open_tenancy()
        self.outages = Outages(self)
        self.attempts = Attempts(self.record("attempts"), self.clock.now())
        self.recipients = {}
        for one in self.settings.get("recipients"):
            self.recipients[one["kid"]] = (one["name"], base64url.decode(one["key"]))
        self.drbg = None  # crypto.drbg.Drbg
        self.identity: "identity.Identity | None" = None
        self.wan = None  # links.wan.Wan
        self.export = None
        self.card_due = False
        self._timekeeper = self._order_desk = None
        self.cable = Cable(console, _Desk(self))
        self.model = Model("", self.settings.get("name"), VERSION)
        self.ihd = Ihd(_display(board, self.settings), self.model)
        self.take_press = self.ihd.button  # what a press goes to: (name, kind)
        self.household = Household(self)
        self._settle_consents()

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

    def _load_settings(self, path):
        """Return the settings in force, after what a power cut has left half-way was ended."""
        before = lazy.loaded()
        from .store import transaction  # noqa: PLC0415 - once a start

        try:
            if transaction.is_pending(self.board.data_dir):
                transaction.finish(self.board.data_dir)
        except StoreError as err:
            self.journal.add("event", "STORE_DAMAGED", err.args[0])
        transaction = None
        found, refused = settings.load_file(path)
        if refused:
            self.journal.add("event", "SETTING_REFUSED", "%s %s" % refused.args)
        lazy.let_go(lazy.loaded() - before)
        return found

    def _add_meters(self, settings):
        from .meters import kinds  # noqa: PLC0415 - only to make them

        for setting in settings:
            try:
                meter = kinds.meter(setting, self.zone, self.board.data_dir)
            except ConfigError as err:
                self.journal.add("event", "SETTING_REFUSED", "meters.%s.%s %s" % ((setting["name"],) + err.args))
                continue
            meter.last = self._open_last(setting)
            if setting is settings[0]:
                meter.profile, meter.intervals = self.profile, self.intervals
            elif setting.get("registers_kept"):
                meter.profile = self._open_profile("/profile-" + meter.name, setting["registers_kept"])
                meter.intervals = IntervalRecorder(meter.profile, self.clock)
            self.meters.append(meter)
            if meter.protocol == "auto":
                from . import meter_finder  # noqa: PLC0415 - only for lines that nobody has described

                meter_finder.prepare(self, meter)
        kinds = None
        if "meterhub.meter_finder" not in sys.modules:
            lazy.let_go(["meterhub.meters.kinds"])

    def _open_profile(self, name, registers):
        get = self.settings.get
        columns = [column_of(obis) for obis in registers]
        path = self.board.data_dir + name
        return Profile(path, columns, get("profile.interval_s"), get("profile.months"), self._damaged)

    def _open_tenancy(self):
        """Return the Tenancy; nobody sees what was before it."""
        profiles = self.profiles
        tenancy = Tenancy(self.strict_record("tenancy"), lambda: max([profile.last or 0 for profile in profiles]))
        if tenancy.damaged:
            self._damaged("tenancy: all that was kept is hidden")
        self.consents.since = tenancy.since
        for profile in profiles:
            profile.hide_before(tenancy.since)
        return tenancy

    def _settle_consents(self):
        """Journal what a power cut has kept from it."""
        if not self.consents.owed():
            return
        before = lazy.loaded()
        from .trust import agreements  # noqa: PLC0415 - hardly ever

        try:
            agreements.Agreements(self.consents, self.journal).settle()
        except OSError:  # there is no room: the next entry of their journal tries again
            self.journal.unwritten += 1
        agreements = None
        lazy.let_go(lazy.loaded() - before)

    def _open_last(self, setting):
        wrong = files.open_dir(self.board.data_dir + "/last")
        if wrong:
            self._damaged(wrong)
        name, get = setting["name"], setting.get
        return LastValues(self.record("last/" + name), self.kept, name, get("save_s", 10), get("save_pulses", 10))

    def record(self, name: str) -> Record:
        """Return the small record `name` of the hub's folder; one that is damaged begins anew, and that is said."""
        return _LossyRecord(self.board.data_dir + "/" + name, self._damaged)

    def strict_record(self, name: str) -> Record:
        """Return the small record `name`; its load() raises StoreError when it is damaged."""
        return Record(self.board.data_dir + "/" + name, tell=self._damaged)

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
            self._damaged("outbox %s" % err.args[0])
        if self.events is None:
            events = None
            lazy.let_go(lazy.loaded() - before)

    def _damaged(self, detail):
        if self._early is None:
            self.journal.add("event", "STORE_DAMAGED", detail)
        else:
            self._early.append(detail)

    def greet(self) -> None:
        """The WAN has come up: who this hub is must be said again."""
        self.card_due = True

    def _journalled(self, kind, entry):
        console.journal_line(kind, entry)
        if entry.name.isupper():
            self.errors[entry.name] = self.errors.get(entry.name, 0) + 1
        if self.events is not None:
            self.events.take(kind, entry)
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
        elif kind == b"receipt" and self.events is not None:
            self.events.receipt(payload)
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
        lazy.let_go(modules)

    def start(self, name: str, service) -> None:
        """Start a task that lives until `service` returns."""
        self._tasks = [task for task in self._tasks if not task.done()]
        self._tasks.append(asyncio.create_task(supervise(name, service, self.journal)))

    def restart_soon(self) -> None:
        """Restart the board as soon as what has been said is out."""
        self.start("restart", self._restart)

    async def _restart(self):
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


def _settled(board):
    """Let the board's folder be its own; return which folder of another hub's was found, "" for none."""
    from .store import home  # noqa: PLC0415 - at a start only

    stranger = home.settle(board)
    home = None
    lazy.let_go(["meterhub.store.home"])
    return stranger


class _LossyRecord(Record):
    """A record that begins anew, and says so, when flash does not hold what was written."""

    def __init__(self, path, tell) -> None:
        super().__init__(path, tell=tell)
        self._say = tell

    def load(self):
        try:
            return super().load()
        except StoreError as err:
            self._say(err.args[0])
            self.set_aside()
            return None


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


def _display(board, chosen):
    """Return the driver of the display that the settings name; None when there is none."""
    try:
        return drivers.open(chosen.get("display.driver"), board, chosen.get("display.address"))
    except (ImportError, OSError):
        return None


# -- the tasks ---------------------------------------------------------------------------------------------------


async def _press(hub, name):
    button = hub.board.button(name)
    while True:
        kind = await button.pressed()
        hub.take_press(name, kind)  # whoever takes presses by now


async def _check_journal(hub):
    """Go along the journal's seals, and journal what is wrong with it and was not said before."""
    before = lazy.loaded()
    from .store import journal_check  # noqa: PLC0415 - once a start

    modules = lazy.loaded() - before
    for line in await slowly(journal_check.report(hub.journal)):
        hub.journal.add("security", "INTEGRITY_FAILED", line)
    journal_check = None
    lazy.let_go(modules)


async def _housekeeping(hub):
    hub.board.feed_watchdog()
    looked = now_ms()
    await asyncio.sleep(_LATER_S)
    hub.open_events()
    for profile in hub.profiles:
        for _ in profile.look():
            hub.board.feed_watchdog()
            await asyncio.sleep(0)
    while True:
        hub.board.feed_watchdog()
        hub.household.tick()
        hub.outages.beat(True)
        await asyncio.sleep(1)
        now = now_ms()
        hub.uptime_ms += since(now, looked)
        looked = now


def _connect_ihd(hub):
    hub.ihd.on_accept = lambda: hub.applet().post("accept")
    hub.ihd.on_decline = lambda: hub.applet().post("decline")
    hub.ihd.on_cancel = lambda: hub.applet().post("cancel")
    hub.ihd.on_revoke = lambda consent: hub.applet().post(consent)
    driver = hub.settings.get("display.driver")
    hub.ihd.on_display = lambda works: hub.journal.add("event", "display" if works else "DISPLAY_FAILED", driver)
    hub.start("ihd", hub.ihd.run)
    for name in ("A", "B"):
        hub.start("button " + name, lambda name=name: _press(hub, name))


async def _wipe_if_wanted(hub):
    """Wipe the hub when button A is held at power-on, or when a power cut has kept a wipe from ending."""
    await hub.board.settle()
    if hub.board.held("A") or files.exists(hub.board.data_dir + "/wiping"):
        from . import wipe  # noqa: PLC0415 - once in a hub's life

        await wipe.run(hub)


async def _run(hub):
    await _wipe_if_wanted(hub)
    await _start(hub)
    while True:
        gc.collect()
        await asyncio.sleep(3600)


async def _start(hub):
    meter_line.start(hub)
    await asyncio.sleep(0)  # the lines are open: from here on they keep what comes
    hub.start_drbg()
    _connect_ihd(hub)
    hub.start("cable", hub.cable.run)
    hub.start("housekeeping", lambda: _housekeeping(hub))
    before = lazy.loaded()
    try:
        hub.identity = await slowly(identity.load(hub.strict_record("identity"), hub.drbg))
    except StoreError as err:  # a hub that made itself another key would be another hub: read on, but stay offline
        hub.journal.add("security", "INTEGRITY_FAILED", err.args[0])
    lazy.let_go(lazy.parts(identity.SIGNING) - before)
    hub.seal_journal()
    hub.start("journal check", lambda: _check_journal(hub))
    hub.model.hub_id = hub.identity.hub if hub.identity else ""
    hub.start("service desk", hub.cable.serve)
    console.say("start", {"hub": hub.model.hub_id, "version": VERSION, "name": hub.settings.get("name")})
    hub.journal.add("event", "start", VERSION)
    if hub.identity is not None and hub.settings.get("wan.url"):
        _start_wan(hub)
    if hub.settings.get("may.time") or hub.settings.get("time.ntp"):
        hub.start("time", hub.timekeeping().run)


def _start_wan(hub):
    from . import uplink  # noqa: PLC0415 - a hub may have no broker

    try:
        hub.wan = uplink.build(hub)
    except ConfigError as err:
        hub.journal.add("event", "SETTING_REFUSED", "%s %s" % err.args)
        return
    hub.start("wan", hub.wan.run)
    hub.start("announce", lambda: uplink.announce(hub))


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
        asyncio.run(_run(hub))
    finally:  # Ctrl-C: whoever deploys comes this way
        end(hub)
