"""Writes the file system of a hub as it stands on its flash: 450 intervals, a journal, what the meter told last.

    flash_image.py FILE
Runs on  the MicroPython unix port; test_store_command.py starts it
"""

import os
import sys

from cut_scenarios import COLUMNS, STEP_S
from nor_flash import TOP, Flash
from power_cuts import Machine

from meterhub.codec.calendar import seconds
from meterhub.codec.load_profile import MEASURED, PARTIAL, Entry
from meterhub.store import files
from meterhub.store.journal import Journal
from meterhub.store.kept import Kept
from meterhub.store.last import LastValues
from meterhub.store.profile import Profile
from meterhub.store.record import Record

T = seconds(2025, 10, 25)
DATA = TOP + "/data"


class Board:
    def now(self):
        return T

    def keep(self, raw):
        return False

    def kept(self):
        return b""


def fill():
    os.mkdir(DATA)
    profile = Profile(DATA + "/profile", COLUMNS, STEP_S)
    profile.set_meters(("M1", ""))
    for n in range(450):
        if n == 400:
            profile.set_meters(("M2", ""))
        profile.append(Entry(T + n * STEP_S, PARTIAL if n == 7 else MEASURED, (1000 + 100 * n, None if n % 2 else 5)))
    journal = Journal(DATA + "/journal", Board())
    for n in range(120):
        journal.add("event", "start", "number %d" % n)
    files.ensure_dir(DATA + "/last")
    last = LastValues(Record(DATA + "/last/main"), Kept(Board()), "main")
    last.note(T, {"1-0:1.8.0": 45900}, 77)
    last.put_away()
    Record(DATA + "/identity").save(b"the hub's own secret key")
    files.replace(DATA + "/settings.json", b'{"schema": 1, "name": "kitchen", "wifi": {"password": "sesame"}}')


machine = Machine(Flash(352), 256, 1)
machine.format()
machine.boot()
fill()
machine.halt()
with open(sys.argv[1], "wb") as file:
    file.write(machine.flash.data)
