"""What times a hub's start on a board, or finds how much heap its store wants: loaded before the firmware.

What it finds it says on UART 0, in lines: a name and a number.

times()  "own": us that it has taken itself, when GPIO 2 falls; then when each part of the start is over, in us after
         that
heap()   bytes: what the file system's mount holds, what the open store holds, what there must be for it to be opened;
         and how many intervals there are

Memory   heap(): all modules are loaded before it counts; the least is found to 256 bytes
Runs on a board; /boot.py calls one of them
"""

import gc
import time

from machine import UART, Pin

_STEP = 256
_OBJECT = 16
_MOST = 32768
_RUBBISH_BYTES = 32768  # main.py's
_DATA = "/data"

line = UART(0, 115200, tx=Pin(12), rx=Pin(13))
passed = []


def times(began: int) -> None:
    """Time the start. began: time.ticks_us() in the first line of /boot.py."""
    edge = Pin(2, Pin.OUT, value=1)
    gc.threshold(_RUBBISH_BYTES)
    before = time.ticks_us()
    from meterhub import app

    loading = time.ticks_diff(time.ticks_us(), before)  # main.py need not do it any more
    from meterhub.hal import chip

    for owner, name, label in (
        (app, "Journal", "journal"),
        (app, "Profile", "profile"),
        (app, "LastValues", "last"),
        (chip.Board, "uart", "line"),
        (app.Hub, "start_drbg", "random"),
        (app.Hub, "open_events", "outbox"),
        (app.Household, "take", "telegram"),
    ):
        _time(owner, name, label)
    passed.append(time.ticks_us())
    edge.off()
    line.write("own %d\n" % (time.ticks_diff(passed[0], began) - loading))


def _time(owner, name, label):
    work = getattr(owner, name)

    def timed(*args):
        result = work(*args)
        if label not in passed:
            passed.append(label)
            line.write("%s %d\n" % (label, time.ticks_diff(time.ticks_us(), passed[0])))
        return result

    setattr(owner, name, timed)


def heap() -> None:
    """Find the bytes."""
    import rp2
    import vfs

    before = _used()
    mounted = [vfs.VfsLfs2(rp2.Flash(), progsize=256)]
    line.write("mount %d\n" % (_used() - before))
    mounted.clear()
    _open()  # loads what it needs
    before = _used()
    store = _open()
    line.write("held %d\n" % (_used() - before))
    line.write("intervals %d\n" % store[1].count)
    store = None
    low, high = 0, _MOST
    while high - low > _STEP:
        middle = (low + high) // 2
        low, high = (low, middle) if _opens_in(middle) else (middle, high)
    line.write("least %d\n" % high)


def _used():
    gc.collect()
    return gc.mem_alloc()


def _opens_in(room):
    """Return whether the store can be opened when there are only `room` bytes, at the end of the heap."""
    gc.collect()
    ballast = [None] * (gc.mem_free() // _STEP)
    try:
        for n in range((gc.mem_free() - room) // (_STEP + _OBJECT)):  # the holes first
            ballast[n] = bytearray(_STEP)
        return len(_open()) > 0
    except MemoryError:
        return False


class _Clock:
    def now(self):
        return 0

    def keep(self, raw):
        return False

    def kept(self):
        return b""


def _open():
    """Return the open store, as app.py opens it."""
    from meterhub.store import settings
    from meterhub.store.columns import column_of
    from meterhub.store.journal import Journal
    from meterhub.store.kept import Kept
    from meterhub.store.last import LastValues
    from meterhub.store.outbox import Outbox
    from meterhub.store.profile import Profile
    from meterhub.store.record import Record
    from meterhub.trust import identity

    journal = Journal(_DATA + "/journal", _Clock(), identity.journal_key(Record(_DATA + "/identity")))
    chosen = settings.load_file(_DATA + "/settings.json")[0]
    profile = Profile(_DATA + "/profile", [column_of(obis) for obis in chosen.get("profile.registers")])
    last = LastValues(Record(_DATA + "/last/p1"), Kept(_Clock()), "p1")
    outbox = Outbox(_DATA + "/outbox", chosen.get("events.to"), 0, None, None)
    return journal, profile, last, outbox, chosen
