"""A hub with switches, without a board: records, journal and clock are the real ones; the contactors obey or not."""

from collections import namedtuple

from store_folder import fresh, remove

from meterhub import loads
from meterhub.codec.timezone import Zone
from meterhub.crypto.drbg import Drbg
from meterhub.errors import HubError
from meterhub.hal.clock import Clock
from meterhub.ihd.model import Model
from meterhub.store.journal import Journal
from meterhub.store.record import Record

NOW = 1790000000  # 2026-09-21 14:13:20 UTC
SUP, OTHER = "S" * 16, "T" * 16
Command = namedtuple("Command", ("kid", "role", "since", "ctr", "iat", "cmd", "arg", "at", "h"))


class Contactor:
    """What is wired to a switch's pins. late_ms: how long it takes to move; latch: it keeps its position by itself."""

    def __init__(self, ticks):
        self.ticks = ticks
        self.on = self.driven = self.stuck = self.inverted = self.latch = False
        self.senses = True
        self.late_ms = 0
        self.driven_at = 0
        self.ons = 0  # how often it has gone on

    def drive(self, on):
        if on != self.driven:
            self.driven, self.driven_at = on, self.ticks.ms
        self.settle()

    def settle(self):
        if self.stuck or self.driven in (None, self.on) or self.ticks.ms - self.driven_at < self.late_ms:
            return
        self.on = self.driven
        self.ons += self.on
        if self.latch:
            self.driven = None

    def sensed(self):
        self.settle()
        return (self.on != self.inverted) if self.senses else None

    def power_cut(self):
        self.driven = None if self.latch else False
        self.settle()


class Board:
    """A board: its clock, and the contactors, which stay when it starts anew."""

    def __init__(self):
        self.data_dir = fresh()
        self.ms = 0
        self.unix_s = NOW
        self.switches = {}
        for name in ("supply", "load1", "load2", "load3", "load4"):
            self.switches[name] = Contactor(self)

    def switch(self, name, on):
        if not self.switches[name].latch:  # a start leaves the coils at rest
            self.switches[name].drive(on)
        return self.switches[name]

    def time(self):
        return self.unix_s

    def clock_is_set(self):
        return True

    def unique_id(self):
        return b"bench"


class Full:
    """A record that cannot be written any more."""

    def save(self, raw):
        raise OSError(28)


class Letters:
    def __init__(self):
        self.alerts = []
        self.reports = []
        self.key = ["", "LC", "", "The LC", 0, 0]  # who sends events

    def entry(self, kid):
        return self.key

    def alert(self, to, event, code, detail, data):
        self.alerts.append((to, event, code, detail, data))

    def report(self, to, schedule, seq, data):
        self.reports.append((to, schedule, data))


class Notices:
    """Keeps what the household is shown. full: takes nothing."""

    def __init__(self):
        self.shown = []
        self.withdrawn = []
        self.full = False

    def put(self, notice):
        if self.full:
            raise HubError("DISPLAY_FAILED", "notices")
        self.shown.append(notice)
        return len(self.shown)

    def put_with(self, record, blob, notice):
        if not self.full:
            record.save(blob)
        return self.put(notice)

    def find(self, kid, ref):
        found = [i + 1 for i, one in enumerate(self.shown) if (one["kid"], one["ref"]) == (kid, ref)]
        return found[-1] if found else 0

    def withdraw(self, number):
        if not number:
            raise HubError("NOT_AVAILABLE", "notice")
        notice = self.shown[number - 1]
        self.withdrawn.append((notice["kid"], notice["ref"]))


class Hub:
    """Starts on `board` with these settings; live() lets seconds pass."""

    def __init__(self, board, loads_wired=0, supply_wired=True, offset_s=0):
        self.board = board
        board.ms += 1
        loads.now_ms = lambda: board.ms & 0x3FFFFFFF
        self.clock = Clock(board, lambda: board.ms & 0x3FFFFFFF)
        self.settings = {"supply.offset_s": offset_s}
        self.zone = Zone("UTC0")
        self.journal = Journal(board.data_dir + "/journal", self.clock)
        self.model = Model()
        self.letters = Letters()
        self.notices = Notices()
        self.drbg = Drbg(b"\x07" * 48)
        self.demand_due = 0
        self.since = 0  # what is older is not for who sends commands
        self.extras = self.commands = self
        self.supply = self.loads = self.desk = None
        if supply_wired:
            from meterhub import supply  # who tests loads has no room for it

            supply.now_ms = loads.now_ms
            self.supply = supply.Supply(self, self.strict_record("supply"))
        if loads_wired:
            self.loads = loads.Loads(self, self.strict_record("loads"), loads_wired)

    def name(self, kid):
        return "The LC" if kid == OTHER else ""

    def strict_record(self, name):
        return Record(self.board.data_dir + "/" + name)

    record = strict_record

    def demand_desk(self):
        if self.desk is None:
            from meterhub.demand_desk import DemandDesk

            self.desk = DemandDesk(self)
        return self.desk

    def live(self, seconds=1, power_w=None):
        for _ in range(seconds):
            self.board.ms += 1000
            self.board.unix_s += 1
            self.model.power_w = power_w
            if self.supply is not None:
                self.supply.tick()
            if self.loads is not None:
                self.loads.tick(self.clock.now())
            if self.desk is not None:
                self.desk.tick(self.clock.now())

    def run(self, steps, step_ms=100):
        """Go through what yields, the clock running; return its result."""
        for _ in range(1000):
            try:
                next(steps)
            except StopIteration as stop:
                return stop.value
            self.board.ms += step_ms
        raise AssertionError("it never ends")

    def do(self, service, cmd, arg=None, at=None, kid=SUP, role="SUP", step_ms=100):
        return self.run(service.handle(self, command(cmd, arg, at, kid, role, self.since)), step_ms)

    def said(self):
        """Return (name, detail) of the events in the journal, oldest first."""
        return [(entry.name, entry.detail) for entry in self.journal.after("event", 0)]


def command(cmd, arg=None, at=None, kid=SUP, role="SUP", since=0):
    return Command(kid, role, since, 1, NOW, cmd, {} if arg is None else arg, at, "A" * 43)


def refused(test, name, field, called, *args):
    """See that `called` raises this HubError."""
    try:
        called(*args)
    except HubError as err:
        test.assertEqual((err.name, err.field), (name, field))
        return
    test.fail("not refused: " + name)


def end(board):
    remove(board.data_dir)
