"""A hub's way of a signed command, without its WAN: verify, act, answer on flash, seal. Every part is the hub's own.

Words    a folder with the hub's settings and the keys of its roles
Orders   take TOKEN    carry out a command: {first: us until its answer is on flash, after: us more, for the table of
                       the key, seal: us, letter: the sealed answer}
         verify TOKEN  [us]: is it authentic? nothing is carried out
         forget        the tables of all keys, in memory and on flash
         telegram HEX  let the meter tell something
Answers  first of all {hub: id, key: point in base64url}
Runs on  the unix port
"""

import asyncio
import binascii
import gc
import os
import sys

import in_place  # noqa: F401 - first: where the firmware comes from
from answers import elapsed_us, now_us, tell

from meterhub import command_desk, uplink  # noqa: F401 - uplink: a hub has it loaded
from meterhub.app import Hub
from meterhub.codec import base64url
from meterhub.crypto.steps import run
from meterhub.hal.unix import Board
from meterhub.trust import identity


class Obedient:
    """A switch that is where it was driven."""

    on = False

    def drive(self, on):
        self.on = on

    def sensed(self):
        return self.on


class Wan:
    """A way to the broker that nothing is sent by."""

    is_up = True


def _nothing(*_what):
    pass


class Bench(Board):
    """A board whose switches obey."""

    def switch(self, _name, on):
        made = Obedient()
        made.on = on
        return made


def built(folder):
    """Return a hub as app.py builds it."""
    hub = Hub(Bench({"data": folder, "net": False}))
    hub.start_drbg()
    hub.identity = run(identity.load(hub.strict_record("identity"), hub.drbg))
    hub.seal_journal()
    hub.meet_household()
    hub.extras.start()
    hub.journal.listener = _nothing
    hub.ihd.works = True  # as with a display
    hub.wan = Wan()
    hub.letters.deliver = _nothing  # what its sender does, take() does at once
    return hub


async def take(hub, token):
    """Carry out a command and seal its answer."""
    desk = hub.commands.commands()
    marks = []

    def made():
        marks.append(now_us())
        return tables.build()

    tables, desk._tables = desk._tables, None
    desk._tables = _Watched(tables, made)
    begin = now_us()
    number = await desk.take(token)
    end = now_us()
    desk._tables = tables
    mark = marks[0] if marks else end
    start = now_us()
    letter = await hub.letters.copy(number)
    sealed = now_us()
    hub.look_at_notices()  # as the hub does once a second
    hub.letters._letters().remove(number)
    found = {"first": elapsed_us(mark, begin), "after": elapsed_us(end, mark), "seal": elapsed_us(sealed, start)}
    found["letter"] = letter if isinstance(letter, str) else str(letter, "ascii")
    return found


class _Watched:
    """Tables that tell when one is begun to be made: by then the answer is on flash."""

    def __init__(self, tables, build):
        self.verify, self.is_due, self.build = tables.verify, tables.is_due, build


def verify(hub, token):
    """Return how long it takes to find a command authentic."""
    desk = hub.commands.commands()
    begin = now_us()
    run(command_desk.envelope.authentic(token, hub.identity.hub, hub.letters.entry, desk._tables.verify))
    return [elapsed_us(now_us(), begin)]


async def main(folder):
    """Serve the orders on the standard input until its end."""
    hub = built(folder)
    tell({"hub": hub.identity.hub, "key": base64url.encode(hub.identity.public)})
    while True:
        words = sys.stdin.readline().split()
        if not words:
            return
        if words[0] == "take":
            tell(await take(hub, words[1]))
        elif words[0] == "verify":
            tell(verify(hub, words[1]))
        elif words[0] == "forget":
            hub.commands.commands()._tables.only([])
            tell(True)
        else:
            tell(feed(hub, binascii.unhexlify(words[1])))


def feed(hub, telegram):
    """Let the meter tell `telegram`, as the line's task does; return how many registers are known then."""
    meter = hub.meters[0]
    for start in range(0, len(telegram), 256):
        part = telegram[start : start + 256]
        meter.heard(part, len(part))
        for one in meter.decoder.feed(part, len(part)):
            hub.household.take(meter, one)
    return len(meter.registers.codes())


if __name__ == "__main__":
    if os.getenv("METERHUB_IMAGE"):
        gc.threshold(32768)  # as firmware/main.py has it on a board
    asyncio.run(main(sys.argv[1]))
