"""A hub's store on a simulated flash of 1 MB under littlefs: how it wears, how long it takes to open, what it needs.

Words   the history (lines "at,imported_wh,exported_wh"), littlefs's program size: 256 on the RP2, 32 on the ESP32
Runs on the MicroPython unix port
"""

import gc
import sys

import vfs
from answers import elapsed_us, now_us, serve
from nor_flash import TOP, Device, Flash, Random
from power_cuts import Machine

from meterhub.codec.load_profile import MEASURED, MISSING, Entry
from meterhub.store import files, settings
from meterhub.store.columns import column_of
from meterhub.store.journal import Journal
from meterhub.store.kept import Kept
from meterhub.store.last import LastValues
from meterhub.store.profile import Profile
from meterhub.store.record import Record

REGISTERS = ("1-0:1.8.0", "1-0:2.8.0")
_BLOCKS = 256
_SLOT_BYTES = 140000  # of the firmware, twice: make size
_DAY_S = 86400
_STEP_S = 1800
_SAVE_S = 10
_EVENTS_A_DAY = 4


class Board:
    """A clock that stands still, and a chip that keeps nothing through a reset."""

    def now(self):
        return 1760000000

    def keep(self, raw):
        return False

    def kept(self):
        return b""


class Hub:
    """The store of a hub, open."""

    def __init__(self):
        self.settings = settings.load_file(TOP + "/settings.json")[0]
        self.journal = Journal(TOP + "/journal", Board())
        self.profile = Profile(TOP + "/profile", [column_of(obis) for obis in REGISTERS])
        self.ms = 0
        self.last = LastValues(Record(TOP + "/last/main"), Kept(Board()), "main", ticks_ms=lambda: self.ms)


class Store:
    """The flash, what is on it, and what is done to it."""

    def __init__(self, history, program):
        self.machine = Machine(Flash(_BLOCKS), int(program), 1)
        self.machine.format()
        self.machine.boot()
        for slot in ("a", "b"):
            with open(TOP + "/" + slot, "wb") as file:
                for _ in range(_SLOT_BYTES // 1000):
                    file.write(b"\x5a" * 1000)
        for name in ("profile", "last"):
            files.ensure_dir(TOP + "/" + name)
        self.hub = Hub()
        self.lines = open(history)  # noqa: SIM115 - as long as the process
        self.value = (0, 0)

    def interval(self):
        """Let half an hour pass without what is saved every ten seconds; False at the end of the history."""
        line = self.lines.readline()
        if not line:
            return False
        at, imported, exported = [int(word) for word in line.split(",")]
        self.value = (imported, exported)
        self.hub.profile.append(Entry(at, MEASURED, self.value))
        return True

    def counters(self):
        """Return [erases, programs, bytes programmed] since the beginning."""
        flash = self.machine.flash
        return [sum(flash.erases), flash.programs, flash.programmed]

    def since(self, before):
        """Return how far the counters have gone since they were `before`."""
        counters = self.counters()
        return [counters[i] - before[i] for i in range(len(before))]

    def fill(self):
        """Let the whole history pass; return [intervals, erases, programs, bytes programmed]."""
        before, count = self.counters(), 0
        while self.interval():
            count += 1
            if count % 12 == 0:
                self.hub.journal.add("event", "start", "event %d" % count)
        for kind in ("security", "consent"):
            for n in range(300):
                self.hub.journal.add(kind, "start", "event %d" % n)
        return [count] + self.since(before)

    def saves(self, count):
        """Save what the meter has told last so often; return [erases, programs, bytes programmed]."""
        before = self.counters()
        last = self.hub.last
        for n in range(int(count)):
            self.hub.ms = self.hub.ms + 1000 * _SAVE_S & 0x3FFFFFFF
            last.note(1760000000 + n, {"1-0:1.8.0": 5000000 + n, "1-0:2.8.0": 3000000 + n // 3})
        return self.since(before)

    def wear(self, days):
        """Let days pass, with all that is saved on them; return [erases, of the worst block, blocks never erased]."""
        flash = self.machine.flash
        flash.erases = [0] * _BLOCKS
        hub = self.hub
        at = hub.profile.last
        for day in range(int(days)):
            for n in range(_DAY_S // _STEP_S):
                at += _STEP_S
                self.value = (self.value[0] + 200, self.value[1] + 100 * (16 < n < 32))
                hub.profile.append(Entry(at, MEASURED, self.value))
                if n % (_DAY_S // _STEP_S // _EVENTS_A_DAY) == 0:
                    hub.journal.add("event", "start", "day %d" % day)
                self.saves(_STEP_S // _SAVE_S)
            gc.collect()
        return [sum(flash.erases), max(flash.erases), len([n for n in flash.erases if not n])]

    def start(self):
        """Boot; return [us to mount, us to open the store, bytes that it holds, the most while all of it is read]."""
        machine = self.machine
        machine.halt()
        self.hub = None
        machine.device = Device(machine.flash, Random(1))
        gc.collect()
        began = now_us()
        vfs.mount(vfs.VfsLfs2(machine.device, progsize=machine.program), TOP)
        mounted = now_us()
        before = _alive()
        opening = now_us()
        hub = Hub()
        hub.profile.count  # noqa: B018 - looked up once
        opened = now_us()
        held = most = _alive() - before
        for turn, _ in enumerate(hub.profile.read(hub.profile.first, hub.profile.last)):
            if turn % 997 == 0:
                most = max(most, _alive() - before)
        self.hub = hub
        return [elapsed_us(mounted, began), elapsed_us(opened, opening), held, most]

    def read(self, days):
        """Read the last days; return [us, how many intervals were there]."""
        profile = self.hub.profile
        gc.collect()
        began = now_us()
        found = 0
        for entry in profile.read(profile.last - int(days) * _DAY_S + _STEP_S, profile.last):
            found += entry.quality != MISSING
        return [elapsed_us(now_us(), began), found]


def _alive():
    gc.collect()
    return gc.mem_alloc()


if __name__ == "__main__":
    STORE = Store(*sys.argv[1:])
    serve({name: getattr(STORE, name) for name in ("fill", "saves", "wear", "start", "read")})
