"""The composition root: builds the parts, hands them to each other, starts the tasks. Only this file knows all rooms.

Runs on  the unix port and the boards
"""

import asyncio
import gc
import sys
import time

from . import console
from .codec import base64url
from .codec.timezone import Zone
from .crypto.steps import slowly
from .errors import ConfigError, HubError, StoreError
from .hal.clock import Clock
from .hal.ticks import now_ms
from .household import Household
from .ihd.model import Model
from .ihd.screens import Ihd
from .links.wan import Wan
from .meters.intervals import IntervalRecorder
from .meters.p1 import P1Decoder
from .meters.pulse import PulseMeter
from .meters.registers import Registers
from .store import settings
from .store.columns import column_of
from .store.journal import Journal
from .store.profile import Profile
from .store.record import Record
from .supervise import supervise
from .trust import identity
from .trust.attempts import Attempts
from .trust.consents import Consents
from .version import VERSION

_UART_BUFFER = 512
_PULSE_LOOK_S = 10  # without a pulse, how often the power is looked at
_PULSE_SAVE_MS = 60000
_PULSE_WRAP = 0x3FFFFFFF
_PORTS = {"mqtt": 1883, "mqtts": 8883}


class Hub:
    """What the rooms share. Each attribute is set once, by the function that builds it."""

    def __init__(self, board) -> None:
        self._tasks = []
        self.board = board
        self.clock = Clock(board)
        data = board.data_dir
        self.journal = Journal(data + "/journal", self.clock)
        self.journal.listener = self._journalled
        self.settings, refused = settings.load_file(data + "/settings.json")
        if refused:
            self.journal.add("event", "SETTING_REFUSED", "%s %s" % refused.args)
        self.zone = Zone(self.settings.get("zone"))
        self.profile = Profile(
            data + "/profile",
            [column_of(obis) for obis in self.settings.get("profile.registers")],
            self.settings.get("profile.interval_s"),
            self.settings.get("profile.months"),
            self._damaged,
        )
        self.p1 = P1Decoder(self.zone, self.settings.get("meter.p1.base_offset_s"))  # early: 4 KB in one piece
        self.registers = Registers()
        self.intervals = IntervalRecorder(self.profile, self.clock, self.journal)
        self.consents = Consents(self.record("consents"))
        self.attempts = Attempts(self.record("attempts"), self.clock.now())
        self.recipients = {}
        for one in self.settings.get("recipients"):
            self.recipients[one["kid"]] = (one["name"], base64url.decode(one["key"]))
        self.drbg = identity.start_drbg(board, self.record("seed"), time.ticks_us)
        self.identity: "identity.Identity | None" = None
        self.wan: "Wan | None" = None
        self.export = None
        self.card_due = False
        self.model = Model("", self.settings.get("name"), VERSION)
        self.ihd = Ihd(_display(board), self.model)
        self.household = Household(self)

    def record(self, name: str) -> Record:
        """Return the small record `name` of the hub's folder; one that is damaged begins anew, and that is said."""
        return _LossyRecord(self.board.data_dir + "/" + name, self._damaged)

    def _damaged(self, detail):
        self.journal.add("event", "STORE_DAMAGED", detail)

    def greet(self) -> None:
        """The WAN has come up: who this hub is must be said again."""
        self.card_due = True

    def _journalled(self, kind, entry):
        console.journal_line(kind, entry)
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
        else:
            self.journal.foreign("UNSUPPORTED", "wan topic")

    def applet(self):
        """Return the data-export applet, loaded and started when it is first needed."""
        if self.export is None:
            from .applets.export import Export  # noqa: PLC0415 - an applet takes no memory before it is needed

            self.export = Export(self)
            self.start("export", self.export.run)
        return self.export

    def start(self, name: str, service) -> None:
        """Start a task that lives for ever."""
        self._tasks.append(asyncio.create_task(supervise(name, service, self.journal)))


class _LossyRecord(Record):
    """A record that begins anew, and says so, when flash does not hold what was written."""

    def __init__(self, path, tell) -> None:
        super().__init__(path)
        self._tell = tell

    def load(self):
        try:
            return super().load()
        except StoreError as err:
            self._tell(err.args[0])
            return None


def _display(board):
    try:
        from .ihd.oled import Oled  # noqa: PLC0415 - a port may have no framebuf

        return Oled(board.i2c())
    except (ImportError, OSError):
        return None


def _wan(hub):
    """Return the WAN link of the settings, None when they name none; ConfigError when its CA cannot be used."""
    url = hub.settings.get("wan.url")
    if not url:
        return None
    scheme, _, rest = url.partition("://")
    host, _, port = rest.rstrip("/").partition(":")
    ca = b""
    if scheme == "mqtts":
        ca = _ca(hub.board.data_dir, hub.settings.get("wan.ca"))
    link = {"host": host, "port": int(port or _PORTS[scheme]), "ca": ca}
    for name in ("user", "password", "server_name"):
        link[name] = hub.settings.get("wan." + name)
    return Wan(hub.identity.hub, link, hub.receive, hub.greet, hub.journal, hub.drbg)


def _ca(folder, name):
    try:
        with open(folder + "/" + name, "rb") as file:
            der = file.read(4096)
    except OSError:
        raise ConfigError("wan.ca", "names no file of the hub")
    if der[:1] != b"\x30":
        raise ConfigError("wan.ca", "is not in DER")
    return der


async def _send_card(hub):
    """Publish who this hub is, and which range it has, signed and retained."""
    claims = {"v": 1, "hub": hub.identity.hub, "key": base64url.encode(hub.identity.public), "at": hub.clock.now()}
    claims["name"] = hub.settings.get("name")
    claims["have"] = hub.intervals.have()
    token = await slowly(hub.identity.sign("mhx-card", claims))
    hub.wan.post("card", token.encode(), True)


# -- the tasks ---------------------------------------------------------------------------------------------------


async def _read_p1(hub):
    get = hub.settings.get
    bits, parity, stop = (7, 0, 1) if get("meter.p1.format") == "7E1" else (8, None, 1)
    uart = hub.board.uart(get("meter.p1.uart"), get("meter.p1.baud"), bits, parity, stop, get("meter.p1.inverted"))
    buf = bytearray(_UART_BUFFER)
    while True:
        count = await uart.read_into(buf)
        for telegram in hub.p1.feed(buf, count):
            hub.household.take(telegram.readings, telegram.at)


def _last_kept(profile, obis):
    """Return the newest reading of a register in the profile, 0 when there is none."""
    names = [column.obis for column in profile.columns]
    if profile.last is None or obis not in names:
        return 0
    return profile.value_at(profile.last).values[names.index(obis)] or 0


async def _count_pulses(hub):
    get = hub.settings.get
    meter = PulseMeter(get("meter.pulse.imp_per_kwh"), get("meter.pulse.start_wh"))
    record = hub.record("pulses")
    meter.pulses = saved = int.from_bytes(record.load() or b"", "big")
    meter.catch_up(_last_kept(hub.profile, "1-0:1.8.0"))  # the count is saved once a minute, and must not fall behind
    pulse = hub.board.pulse(get("meter.pulse.input"))
    counted = pulse.count
    saved_at = time.ticks_ms()
    while True:
        try:
            await asyncio.wait_for(pulse.wait(), _PULSE_LOOK_S)
        except asyncio.TimeoutError:
            pass
        meter.pulse((pulse.count - counted) & _PULSE_WRAP, pulse.at_ms)
        counted = pulse.count
        hub.household.take(meter.readings(None, now_ms()), None)
        if meter.pulses != saved and time.ticks_diff(time.ticks_ms(), saved_at) >= _PULSE_SAVE_MS:
            record.save(meter.pulses.to_bytes(8, "big"))
            saved, saved_at = meter.pulses, time.ticks_ms()


async def _press(hub, name):
    button = hub.board.button(name)
    while True:
        hub.ihd.button(name, await button.pressed())


async def _housekeeping(hub):
    while True:
        hub.board.feed_watchdog()
        hub.household.tick()
        await asyncio.sleep(1)


async def _announce(hub):
    """Keep the card on the broker up to date: at each connection, with the first reading, and every hour."""
    told = None
    while True:
        await asyncio.sleep(1)
        state = (hub.clock.now() // 3600, hub.intervals.have() is not None)
        if hub.wan.is_up and (hub.card_due or state != told):
            hub.card_due = False
            told = state
            await _send_card(hub)


def _connect_ihd(hub):
    hub.ihd.on_accept = lambda: hub.applet().post("accept")
    hub.ihd.on_decline = lambda: hub.applet().post("decline")
    hub.ihd.on_cancel = lambda: hub.applet().post("cancel")
    hub.ihd.on_revoke = lambda consent: hub.applet().post(consent)
    hub.ihd.on_display = lambda works: hub.journal.add("event", "display" if works else "DISPLAY_FAILED", "")
    hub.start("ihd", hub.ihd.run)
    for name in ("A", "B"):
        hub.start("button " + name, lambda name=name: _press(hub, name))


async def _run(board):
    hub = Hub(board)
    await _start(hub)
    while True:
        gc.collect()
        await asyncio.sleep(3600)


async def _start(hub):
    board = hub.board
    _connect_ihd(hub)
    if hub.settings.get("meter.p1.uart"):
        hub.start("p1", lambda: _read_p1(hub))
    elif hub.settings.get("meter.pulse.input"):
        hub.start("pulse", lambda: _count_pulses(hub))
    hub.start("housekeeping", lambda: _housekeeping(hub))
    try:
        hub.identity = await slowly(identity.load(Record(board.data_dir + "/identity"), hub.drbg))
    except StoreError as err:  # a hub that made itself another key would be another hub: read on, but stay offline
        hub.journal.add("security", "INTEGRITY_FAILED", err.args[0])
    hub.model.hub_id = hub.identity.hub if hub.identity else ""
    console.say("start", {"hub": hub.model.hub_id, "version": VERSION, "name": hub.settings.get("name")})
    hub.journal.add("event", "start", VERSION)
    if hub.identity is None:
        return
    await board.network_up()
    try:
        hub.wan = _wan(hub)
    except ConfigError as err:
        hub.journal.add("event", "SETTING_REFUSED", "%s %s" % err.args)
    if hub.wan is not None:
        hub.start("wan", hub.wan.run)
        hub.start("announce", lambda: _announce(hub))


def main() -> None:
    """Run the hub on this board, for ever."""
    if sys.platform in ("rp2", "esp32"):
        from .hal import chip as port  # noqa: PLC0415 - each exists on its own kind of board only
    else:
        from .hal import unix as port  # noqa: PLC0415
    asyncio.run(_run(port.Board(port.configuration())))
