"""A hub whose parts are the real ones, as the tests of voltage, interference and their services need it."""

import sys
from collections import namedtuple

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from meterhub.codec.timezone import Zone
from meterhub.errors import HubError, StoreError
from meterhub.hal.clock import Clock
from meterhub.meters.reading import Reading
from meterhub.meters.registers import Registers
from meterhub.outages import Outages
from meterhub.store.journal import Journal
from meterhub.store.kept import Kept
from meterhub.store.record import Record

NOW = 1790553600  # 2026-09-28, a Monday, 0:00 UTC
KEY = b"\x07" * 32
PLACES = ("1-0:32.7.0", "1-0:52.7.0", "1-0:72.7.0")

# as trust.command has it
Command = namedtuple("Command", ("kid", "role", "since", "ctr", "iat", "cmd", "arg", "at", "h", "service", "consent"))


class Board:
    def __init__(self, folder, unix_s):
        self.data_dir = folder
        self.unix_s = unix_s
        self.contacts = {}

    def time(self):
        return self.unix_s

    def set_time(self, unix_s):
        self.unix_s = unix_s

    def clock_is_set(self):
        return True

    def keep(self, raw):
        return False

    def kept(self):
        return b""

    def contact(self, name):
        return self.contacts[name]


class Meter:
    """What of a meter is looked at; the real one brings the profile with it."""

    took_ms = age_ms = 0
    is_old = False
    intervals = None

    def __init__(self, name, period_ms=0):
        self.name = name
        self.period_ms = period_ms
        self.registers = Registers()


class Letters:
    def __init__(self):
        self.sent = []

    def alert(self, to, event, code, detail, data):
        self.sent.append((to, event, code, data))


class Notices:
    """Takes what is to be shown; refuses: the name of an error."""

    refuses = ""

    def __init__(self, folder):
        self.folder = folder
        self.shown = []

    def put(self, notice, transaction=None, quiet=False):
        if self.refuses and not quiet:
            raise HubError(self.refuses)
        if transaction is not None:
            transaction.commit()
        self.shown.append(notice)
        return len(self.shown)

    def put_with(self, record, blob, notice, quiet=False):
        if self.refuses and not quiet:
            raise HubError(self.refuses)
        from meterhub.store.transaction import Transaction

        both = Transaction(self.folder)
        both.save(record, blob)
        return self.put(notice, both, quiet)


class _Lossy(Record):
    def load(self):
        try:
            return Record.load(self)
        except StoreError:
            self.set_aside()
            return None


class Hub:
    """A hub that starts at `at`; board: the one before it was cut off, for a restart."""

    def __init__(self, folder, at=NOW, **settings):
        self.settings = {"outage.heartbeat_s": 10, "tamper.inputs": [], "tamper.no_export": False, "tamper.failed": 10}
        self.settings.update(settings)
        self.ms = 0
        self.board = Board(folder, at)
        self.clock = Clock(self.board, lambda: self.ms & 0x3FFFFFFF)
        self.journal = Journal(folder + "/journal", self.clock, KEY)
        self.kept = Kept(self.board)
        self.zone = Zone("CET-1CEST,M3.5.0,M10.5.0/3")
        self.letters = Letters()
        self.notices = Notices(folder)
        self.voltage = self.tamper = None
        self.errors = {}
        self.since = 0  # what is older is not for who sends commands
        self.meters = [Meter("p1")]
        self.outages = Outages(self)
        self.journal.listener = self._journalled

    def _journalled(self, kind, entry):
        if self.tamper is not None:
            self.tamper.heard(entry)

    def record(self, name):
        return _Lossy(self.board.data_dir + "/" + name)

    def strict_record(self, name):
        return Record(self.board.data_dir + "/" + name)

    def wait(self, seconds):
        """Let time pass, and nothing else happen."""
        self.board.unix_s += seconds
        while seconds:
            step = min(seconds, 100000)
            seconds -= step
            self.ms += 1000 * step
            self.clock.uptime_s()

    def tell(self, volts, after=1, meter=None):
        """After so many seconds the meter tells the voltages of its phases, in tenths of a volt (None: not)."""
        self.wait(after)
        meter = meter or self.meters[0]
        pairs = zip(PLACES, volts)  # noqa: B905 - MicroPython has no strict=
        readings = [Reading(obis, dv, -1, "V", "E1", 0, None) for obis, dv in pairs if dv is not None]
        meter.registers.update(readings)
        self.voltage.take(meter, readings)

    @property
    def commands(self):
        return self

    def name(self, kid):
        return "the operator"

    def names(self, kind="event"):
        return [entry.name for entry in self.journal.after(kind, 0)]

    def command(self, cmd, role="DNO", **arg):
        """Return a command that has come now."""
        return Command("K" * 16, role, self.since, 1, self.clock.now(), cmd, arg, None, "h", "", False)

    def do(self, service, cmd, role="DNO", **arg):
        """Return what a service answers to a command: its data, or the name and field of its error."""
        if "start" in arg:
            arg["from"] = arg.pop("start")
        try:
            return service.handle(self, self.command(cmd, role, **arg)).data
        except HubError as err:
            if hasattr(service, "refused"):  # as whoever carries out commands does
                err.kid, err.ctr, err.h, err.cmd = "K" * 16, 1, "h", cmd
                service.refused(self, cmd, err)
            return "%s %s" % (err.name, err.field)
