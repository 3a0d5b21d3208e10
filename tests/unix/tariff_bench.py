"""A hub for the tests of tariffs: its records, journal and load profile are real."""

import gc
import unittest

from store_folder import fresh, remove
from tariff_samples import LONDON, simple

from meterhub import lazy, tariff_desk
from meterhub.codec import tariff
from meterhub.codec.calendar import seconds
from meterhub.codec.load_profile import MEASURED, Column, Entry
from meterhub.codec.timezone import Zone
from meterhub.ihd.model import Model
from meterhub.store import tariffs, transaction
from meterhub.store.journal import Journal
from meterhub.store.profile import Profile
from meterhub.store.record import Record

STEP = 1800
DAY = seconds(2026, 1, 10)  # a Saturday, in winter: local time is UTC


def document(**fields):
    """Return a tariff: night 7.5 p from 00:30 to 07:30, day 28.5 p, 40 p a day, 5 % tax."""
    found = simple()
    found.update({"tax_bp": 500, "standing": {"price": 40, "scale": -2}})
    found.update(fields)
    return found


class Clock:
    def __init__(self, at):
        self.at = at
        self.state = "set"

    def now(self):
        return self.at


class Hub:
    """A hub in `folder` at the time `at`; one in the same folder is the same hub after a start."""

    def __init__(self, folder="", at=DAY):
        self.board = self
        self.data_dir = folder or fresh()
        if transaction.is_pending(self.data_dir):
            transaction.finish(self.data_dir)
        self.clock = Clock(at)
        self.zone = Zone(LONDON)
        self.damaged = []
        self.journal = Journal(self.data_dir + "/journal", self.clock)
        columns = [Column("1-0:2.8.0", 0, 30), Column("1-0:1.8.0", 0, 30)]
        self.profile = Profile(self.data_dir + "/profile", columns, STEP)
        self.model = Model()
        self.extras = self
        self.tariffs = None
        if Record(self.data_dir + "/tariff").load() is not None:
            self.open_tariffs()

    def strict_record(self, name):
        return self.record(name)

    def record(self, name):
        return Record(self.data_dir + "/" + name, tell=self.damaged.append)

    def open_tariffs(self):
        lazy.keep(lazy.parts(tariff_desk.PARTS))
        self.tariffs = tariff_desk.open_for(self)

    def put(self, **fields):
        """Put a tariff in force now."""
        now = self.clock.at - self.clock.at % STEP
        kept = tariffs.Kept(now, "KID", 1, tariff.packed(document(**fields)))
        if self.tariffs is None:
            tariffs.change(self, ((tariffs.IN_FORCE, tariffs.blob(kept)),))
            self.open_tariffs()
        else:
            self.tariffs.put_in_force(kept)

    def tell(self, at, wh, quality=MEASURED):
        """Let an interval end at `at` with the register at `wh`, and the hub look at it ten seconds later."""
        self.profile.append(Entry(at, quality, (0, wh)))
        self.look(at + 10, wh)

    def look(self, at, wh=None):
        """Let it be `at`."""
        self.clock.at = at
        if wh is not None:
            self.model.import_wh = wh
        for _ in range(30):
            if self.tariffs is not None:
                self.tariffs.tick(at)

    def told(self):
        """Return the journal's event entries as (name, detail), oldest first."""
        return [(entry.name, entry.detail) for entry in reversed(self.journal.last("event", 50))]

    def again(self, at=0):
        """Return the hub after a power cut."""
        gc.collect()
        return type(self)(self.data_dir, at or self.clock.at)

    def close(self):
        remove(self.data_dir)


class Case(unittest.TestCase):
    def setUp(self):
        self.hub = Hub()

    def tearDown(self):
        self.hub.close()

    def tell(self, count, wh=100, start=None, reading=None):
        """Let `count` intervals end, each with `wh` used in it."""
        at = self.hub.profile.last if start is None else start
        reading = self.hub.model.import_wh if reading is None else reading
        for _ in range(count):
            at += STEP
            reading += wh
            self.hub.tell(at, reading)

    def begin(self, at=DAY, reading=1000000, **fields):
        """Put a tariff in force at `at`, where the register stands at `reading`."""
        self.hub.clock.at = at
        self.hub.put(**fields)
        self.hub.tell(at, reading)

    def registers(self):
        return self.hub.tariffs.registers[:2], self.hub.tariffs.unassigned
