"""A hub's data export without its WAN: the real applet, store, trust and cryptography; display and clock stand still.

Words    the profile's folder, a folder for the hub's records, the recipient's kid, name and point (base64url), a time
Orders   a message for the applet ({...}), or
         accept        the household presses the button
         pin           what the display shows
         idle          [bytes in use, bytes free] after a collection
         leave N       take all of the heap but one piece of N bytes; what idle tells
         watch         from now on look at the heap at every slice and every message of the applet
Answers  what the applet sends, a line each, and then the answer of the order: for a message or a button
         [us, the most bytes in use], the latter 0 unless it is watched
Runs on  the unix port
"""

import asyncio
import gc
import os
import sys

import in_place  # noqa: F401 - first: where the firmware comes from
from answers import elapsed_us, now_us, tell
from load_profile import open_profile

from meterhub.applets.export import Export
from meterhub.codec import base64url
from meterhub.codec.timezone import Zone
from meterhub.crypto.drbg import Drbg
from meterhub.crypto.steps import run
from meterhub.meters.intervals import IntervalRecorder
from meterhub.store import files
from meterhub.store.journal import Journal
from meterhub.store.record import Record
from meterhub.trust import identity
from meterhub.trust.attempts import Attempts
from meterhub.trust.consents import Consents


class Clock:
    state = "set"

    def __init__(self, now):
        self._now = now

    def now(self):
        return self._now


class Display:
    """Shows nothing; `pin` is what it would."""

    works = True
    pin = ""

    def ask(self, *_what):
        pass

    def show_pin(self, pin, *_more):
        self.pin = pin

    def idle(self):
        self.pin = ""

    def notice(self, *_what):
        pass


class Hub:
    """What app.py hands to the applet."""

    def __init__(self, profile, folder, recipient, now):
        files.ensure_dir(folder)
        for name in files.names(folder):
            if name != "journal":
                files.remove(folder + "/" + name)
        kid, name, point = recipient
        self.clock = Clock(now)
        self.journal = Journal(folder + "/journal", self.clock)
        self.profile = open_profile(profile)
        self.intervals = IntervalRecorder(self.profile, self.clock)
        self.zone = Zone("CET-1CEST,M3.5.0,M10.5.0/3")
        self.drbg = Drbg(os.urandom(48))
        self.identity = run(identity.load(Record(folder + "/identity"), self.drbg))
        self.consents = Consents(Record(folder + "/consents"))
        self.attempts = Attempts(Record(folder + "/attempts"), now)
        self.recipients = {kid: (name, base64url.decode(point))}
        self.settings = {"may.history": ""}
        self.ihd = Display()
        self.watched = False
        self.alive = 0
        self.export = Export(self)

    def send(self, message):
        if self.watched:
            self.look()
        sys.stdout.write(message)
        sys.stdout.write("\n")

    def look(self):
        gc.collect()
        self.alive = max(self.alive, gc.mem_alloc())

    async def turn(self, item):
        """Let the applet deal with `item`; look at the heap between its slices if that is wanted."""
        if not self.watched:
            await self.export.turn(item)
            return
        ended = []

        async def work():
            try:
                await self.export.turn(item)
            finally:
                ended.append(True)

        task = asyncio.create_task(work())
        while not ended:
            self.look()
            await asyncio.sleep(0)
        await task


def heap() -> list:
    """Return [bytes in use, bytes free]."""
    gc.collect()
    return [gc.mem_alloc(), gc.mem_free()]


def leave(free: int):
    """Take all memory but one piece of `free` bytes; return what holds it."""
    gc.collect()
    hole = bytearray(free)
    held = None
    for size in (1024, 64, 0):
        try:
            while True:
                held = (held, bytearray(size) if size else None)
        except MemoryError:
            pass
    hole = None  # noqa: F841 - given back
    return held


def serve(hub) -> None:
    """Carry out the orders on the standard input until its end."""
    held = None
    tell({"hub": hub.identity.hub, "key": base64url.encode(hub.identity.public), "have": hub.intervals.have()})
    while True:
        line = sys.stdin.readline().strip()
        if not line:
            return
        if line == "idle":
            tell(heap())
        elif line.startswith("leave "):
            held = leave(int(line[6:]))
            tell(heap())
        elif line == "watch":
            hub.watched = True
            tell(held is None)
        elif line == "pin":
            tell(hub.ihd.pin)
        else:
            item = line.encode() if line[0] == "{" else line
            line = ""
            hub.alive = 0
            start = now_us()
            asyncio.run(hub.turn(item))
            item = None
            tell([elapsed_us(now_us(), start), hub.alive])


if __name__ == "__main__":
    serve(Hub(sys.argv[1], sys.argv[2], sys.argv[3:6], int(sys.argv[6])))
