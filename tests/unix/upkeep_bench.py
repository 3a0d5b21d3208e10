"""A hub that introduces itself and can be maintained, without a board: for the tests of UC-02 below the wire."""
# ruff: noqa: E402 - what is left of a text that was compiled is collected before the next one

import gc

from meterhub.store import settings_table  # isort: skip - the longest texts to compile, while there is room

gc.collect()
from meterhub import health, registration, upkeep  # isort: skip

gc.collect()
from meterhub.trust import owner, roles  # isort: skip

gc.collect()
from meterhub.store import journal, letters  # isort: skip

gc.collect()

import json
import unittest

from store_folder import fresh, remove

from meterhub.codec import base64url
from meterhub.letterbox import Letterbox
from meterhub.store import settings, transaction
from meterhub.store.record import Record
from meterhub.trust import identity

AT = 1790000000
PARTS = (health, registration, settings_table, owner, roles, letters)
POINT = b"\x04" + bytes(range(64))
ADM, SUP = "A" * 16, "S" * 16


class Clock:
    state = "set"
    drift_ppm = 0

    def now(self):
        return AT

    def uptime_s(self):
        return 500


class Board:
    name = "UNIX"
    free = 900

    def __init__(self, folder):
        self.data_dir = folder

    def unique_id(self):
        return b"board"

    def has(self, name):
        return name == "relay"

    def flash(self):
        return self.free, 1000

    def link(self):
        return {"rssi": -60}

    def reset_reason(self):
        return "power on"


class Registers:
    def codes(self):
        return ["1-0:1.8.0", "7-0:3.0.0"]


class Meter:
    protocol = "p1"
    setting = {"input": "p1"}
    registers = Registers()
    profile = None
    is_silent = False
    telegrams = 1
    age_ms = 1000

    def __init__(self, name, serial):
        self.name, self.serial = name, serial


class Wan:
    is_up = False
    trouble = ""


class Market:
    def upkeep(self):
        return upkeep

    def look_again(self):
        pass

    def failed(self, kid, claims, name):
        pass

    rest = look_again


class Model:
    wan = "up"


class Hub:
    export = None
    errors = {}
    restarts = 0

    def __init__(self, folder):
        if transaction.is_pending(folder):  # as app.py does
            transaction.finish(folder)
        self.board = Board(folder)
        self.clock = Clock()
        self.journal = journal.Journal(folder + "/journal", self.clock)
        self.identity = identity.Identity(1, POINT, None)
        self.settings, _ = settings.load_file(folder + "/settings.json")
        self.meters = [Meter("main", "M1")]
        self.wan, self.market, self.model = Wan(), Market(), Model()
        self.recipients = {}
        self.letters = Letterbox(self)

    def record(self, name):
        return Record(self.board.data_dir + "/" + name)

    strict_record = record

    def restart_soon(self):
        self.restarts += 1

    def named(self, name):
        return [entry.detail for entry in self.journal.after("event", 0) if entry.name == name]


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = fresh()
        self.roles([ADM, "ADM"], [SUP, "SUP"])
        Record(self.folder + "/x").save(b"")
        self.boot()

    def tearDown(self):
        remove(self.folder)

    def boot(self):
        gc.collect()
        self.hub = Hub(self.folder)

    def roles(self, *entries):
        known = [[kid, role, base64url.encode(POINT), "n", 0, 0] for kid, role in entries]
        Record(self.folder + "/roles").save(json.dumps(known).encode())

    def hellos(self):
        box = self.hub.letters._letters()
        found = [json.loads(box.read(n)[2]) for n in box.waiting()]
        return [one["data"] for one in found if one["kind"] == "hello"]
