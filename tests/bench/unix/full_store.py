"""Writes the file system of a hub that has run for thirteen months, by the store's own code.

Words   the history (lines "at,imported_wh,exported_wh"), its meter's id, pins.json, the settings, the recipient's kid,
        the blocks, FILE
Prints  one JSON object: what is in it
Runs on the MicroPython unix port
"""

import json
import sys

from nor_flash import TOP, Flash, Random
from power_cuts import Machine

from meterhub.codec.load_profile import MEASURED, Entry
from meterhub.crypto.drbg import Drbg
from meterhub.store import files, heartbeat, settings
from meterhub.store.columns import column_of
from meterhub.store.journal import KEPT, Journal
from meterhub.store.kept import Kept
from meterhub.store.last import LastValues
from meterhub.store.outbox import Outbox
from meterhub.store.profile import Profile
from meterhub.store.record import Record
from meterhub.trust import identity

_PAGE = 256  # littlefs's program size on the RP2
_DATA = TOP + "/data"
_EVENT_EVERY = 12  # intervals
_WAITING = 40  # events in the outbox


class Board:
    """A clock that stands where the history is, and a chip that keeps nothing through a reset."""

    at = 0

    def now(self):
        return self.at

    def keep(self, raw):
        return False

    def kept(self):
        return b""


def write_all(history: str, meter: str, kid: str) -> dict:
    """Let the history pass; return how much of what is kept then."""
    board, random = Board(), Random(1)
    drbg = Drbg(b"the seed of a full store, the same in every run of the bench")
    for _ in identity.load(Record(_DATA + "/identity"), drbg):
        pass
    journal = Journal(_DATA + "/journal", board, identity.journal_key(Record(_DATA + "/identity")))
    registers = settings.load_file(_DATA + "/settings.json")[0].get("profile.registers")
    profile = Profile(_DATA + "/profile", [column_of(obis) for obis in registers])
    profile.set_meters((meter,) * len(registers))
    files.ensure_dir(_DATA + "/last")
    last = LastValues(Record(_DATA + "/last/p1"), Kept(board), "p1", save_s=0)
    outbox = Outbox(_DATA + "/outbox", kid, 0, lambda: drbg.read(4), None)
    with open(history) as lines:
        for n, line in enumerate(lines):
            board.at, *values = [int(word) for word in line.split(",")]
            profile.append(Entry(board.at, MEASURED, tuple(values)))
            last.note(board.at, {registers[i]: value for i, value in enumerate(values)})
            heartbeat.write(_DATA + "/heartbeat", heartbeat.pack(heartbeat.BEAT, board.at))
            if n % _EVENT_EVERY == 0:
                journal.add("event", "METER_SILENT", "main, for the %dth time" % n)
    for kind in ("security", "consent"):
        for n in range(2 * KEPT[kind] - 1):
            journal.add(kind, "REPLAY" if kind == "security" else "done", "1-0:1.8.0, number %d" % n)
    while len(list(journal.after("event", 0))) < 2 * KEPT["event"] - 1:
        journal.add("event", "METER_SILENT", "main, and %d" % random.below(1000))
    for n in range(_WAITING):
        outbox.add("METER_SILENT", "main, and %d" % n, board.at, journal.end("event"), 0)
    return {
        "intervals": profile.count,
        "profile": len(files.names(_DATA + "/profile")),
        "journal": {kind: len(list(journal.after(kind, 0))) for kind in KEPT},
        "outbox": outbox.pending,
    }


def main(history: str, meter: str, pins: str, document: str, kid: str, blocks: str, path: str) -> None:
    """Write the image."""
    machine = Machine(Flash(int(blocks)), _PAGE, 1)
    machine.format()
    machine.boot()
    files.ensure_dir(_DATA)
    for source, name in (pins, TOP + "/pins.json"), (document, _DATA + "/settings.json"):
        with open(source, "rb") as file:
            files.write(name, file.read())
    told = write_all(history, meter, kid)
    machine.halt()
    with open(path, "wb") as file:
        file.write(machine.flash.data)
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
