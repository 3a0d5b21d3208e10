"""The store on a flash that is full, worn or damaged, under the real littlefs: named, set aside, and the rest goes on.

Runs on  the MicroPython unix port; test_flash_cuts.py starts it
"""

import json
import os
import unittest

from cut_scenarios import COLUMNS, STEP_S
from nor_flash import BLOCK, FREEZES, KEEPS, TEARS, TOP, Flash, Random
from power_cuts import Machine

from meterhub import app, console
from meterhub.codec.calendar import seconds
from meterhub.codec.load_profile import MEASURED, Entry
from meterhub.errors import HubError, StoreError
from meterhub.hal import unix
from meterhub.store import files
from meterhub.store.journal import Journal
from meterhub.store.kept import Kept
from meterhub.store.last import LastValues
from meterhub.store.profile import Profile
from meterhub.store.record import Record

T = seconds(2025, 10, 2)
FOLDER = TOP + "/profile"
DAMAGED = 1300  # entries of two blocks


class Clock:
    def now(self):
        return T

    def keep(self, raw):
        return False

    def kept(self):
        return b""


class Case(unittest.TestCase):
    def setUp(self):
        self.machine = Machine(Flash(40), 256, 1)
        self.machine.format()
        self.told = []
        self.boot()

    def tearDown(self):
        self.machine.halt()

    def boot(self):
        self.machine.boot()
        self.open()

    def open(self):
        self.profile = Profile(FOLDER, COLUMNS, STEP_S, 13, self.told.append)
        self.journal = Journal(TOP + "/journal", Clock())

    def put(self, *steps):
        for n in steps:
            self.profile.append(entry(n))

    def kept(self, stop):
        """Return the steps up to `stop` that are kept, all of them right."""
        found = []
        for n, got in enumerate(self.profile.read(T, T + stop * STEP_S)):
            if got.quality:
                self.assertEqual(got, entry(n))
                found.append(n)
        return found

    def refusal(self, *steps):
        try:
            self.put(*steps)
        except HubError as err:
            return err.name
        return ""

    def block_of(self, path, content):
        """Return the block of the flash that holds these bytes of a file."""
        device = self.machine.device
        device.seen = set()
        files.read(path, 20000)
        data = self.machine.flash.data
        (block,) = [n for n in device.seen if data[n * BLOCK : (n + 1) * BLOCK].find(content) >= 0]
        return block


class FullTest(Case):
    def test_it_is_named_nothing_is_deleted_and_when_there_is_room_it_goes_on(self):
        for n in range(700):
            self.put(n)
        record = Record(TOP + "/record")
        record.save(b"old")
        last = LastValues(record, Kept(Clock()), "main")
        fill()
        before = list_all(TOP)
        self.assertEqual(self.refusal(700), "STORE_FULL")
        self.assertRaises(OSError, record.save, b"n" * 4000)
        self.assertRaises(OSError, self.fill_journal, "consent")
        self.fill_journal("event")
        self.assertTrue(self.journal.unwritten > 0)
        last.note(T, {}, 5)
        self.assertTrue(set(before) <= set(list_all(TOP)))
        for _ in range(2):
            self.assertEqual(self.kept(700), list(range(700)))
            self.assertTrue(Record(TOP + "/record").load() is not None)
            self.boot()
        for number in range(9):
            files.remove(TOP + "/filler%d" % number)
        self.put(700, 701)
        self.assertEqual(self.kept(701), list(range(702)))
        self.journal.add("event", "start")
        numbers = [found.seq for found in self.journal.last("event", 1000)]
        self.assertEqual(numbers, list(range(len(numbers), 0, -1)))
        self.assertEqual(self.told, [])

    def fill_journal(self, kind):
        for _ in range(40):
            self.journal.add(kind, "start", "x" * 150)

    def test_a_hub_with_a_full_flash_and_no_folders_opens_all_the_same(self):
        os.rmdir(FOLDER)
        fill()
        self.open()
        self.assertEqual(self.told[0], FOLDER + ": cannot be made (STORE_FULL)")
        self.assertEqual((self.refusal(0), self.profile.last, self.profile.count), ("STORE_FULL", None, 0))
        self.assertEqual(self.kept(3), [])
        files.remove(TOP + "/filler0")
        self.put(0, 1)
        self.assertEqual(self.kept(3), [0, 1])


class WornTest(Case):
    def test_blocks_that_lie_are_gone_around_and_cost_nothing(self):
        for seed, way in ((1, KEEPS), (2, TEARS), (3, FREEZES), (4, None)):
            self.machine = Machine(Flash(40), 256, seed)
            self.machine.format()
            random = Random(seed)
            for n in range(8):
                self.machine.flash.worn[2 + random.below(38)] = way or (KEEPS, TEARS, FREEZES)[n % 3]
            self.boot()
            for n in range(300):
                self.put(n)
                self.journal.add("event", "start", str(n))
                if n % 60 == 7:
                    self.boot()
            self.boot()
            self.assertEqual(self.kept(299), list(range(300)))
            self.assertEqual([found.seq for found in self.journal.last("event", 100)], list(range(300, 200, -1)))
            self.assertEqual((self.told, self.journal.damaged, self.journal.unwritten), ([], 0, 0))


class DamagedTest(Case):
    def setUp(self):
        super().setUp()
        self.put(*range(DAMAGED))

    def test_flipped_bits_cost_the_days_they_are_in_and_are_told_once(self):
        block = self.block_of(FOLDER + "/202510a.lp", self.profile._head)
        self.machine.halt()
        self.machine.flash.rot(block * BLOCK + 2000, 0x24)
        self.boot()
        found = self.kept(DAMAGED - 1)
        lost = set(range(DAMAGED)) - set(found)
        self.assertTrue(0 < len(lost) <= 48)
        self.kept(DAMAGED - 1)
        self.assertEqual(len(self.told), 1)
        self.assertEqual(files.names(FOLDER), ["202510a.lp"])
        self.put(DAMAGED)
        self.boot()
        self.assertEqual(self.kept(DAMAGED), found + [DAMAGED])

    def test_a_file_whose_blocks_cannot_be_read_costs_what_is_in_them(self):
        dead = self.block_of(FOLDER + "/202510a.lp", self.profile._head)
        self.machine.halt()
        self.machine.flash.dead.add(dead)
        self.boot()
        found = self.kept(DAMAGED - 1)
        self.assertTrue(0 < len(found) < DAMAGED // 2)  # those of the second block
        self.assertEqual(found[-1], DAMAGED - 1)
        self.assertEqual(len(self.told), 1)
        self.put(DAMAGED)
        self.assertEqual(self.kept(DAMAGED), found + [DAMAGED])

    def test_a_folder_that_cannot_be_listed_is_set_aside_and_a_new_one_begun(self):
        reads = self.reads_of(FOLDER) - self.reads_of(TOP)
        self.machine.flash.dead |= reads
        self.open()
        self.assertEqual(self.told, [FOLDER + ": cannot be listed, kept as " + FOLDER + ".bad"])
        self.assertTrue("profile.bad" in files.names(TOP))
        self.put(0, 1)
        self.assertEqual(self.kept(2), [0, 1])
        self.journal.add("event", "start")
        self.assertEqual(self.journal.unwritten, 0)
        self.machine.flash.dead.clear()
        self.assertEqual(files.names(FOLDER + ".bad"), ["202510a.lp"])

    def test_a_folder_that_goes_bad_while_the_hub_runs_is_named_and_the_rest_goes_on(self):
        self.machine.flash.dead |= self.reads_of(FOLDER) - self.reads_of(TOP)
        self.assertEqual(self.refusal(DAMAGED), "STORE_DAMAGED")
        self.assertEqual(self.kept(DAMAGED), [])
        self.assertEqual(len(self.told), 1)
        self.journal.add("event", "STORE_DAMAGED", "profile")
        self.machine.flash.dead.clear()
        self.put(DAMAGED)
        self.assertEqual(self.kept(DAMAGED), list(range(DAMAGED + 1)))

    def reads_of(self, path):
        """Return the blocks that are read for listing a folder."""
        device = self.machine.device
        device.seen = set()
        files.names(path)
        return device.seen

    def test_a_record_s_slot_that_cannot_be_read_leaves_the_other_one(self):
        record = Record(TOP + "/record", 4096)
        record.save(b"a" * 900)
        record.save(b"b" * 900)
        self.machine.flash.dead.add(self.block_of(TOP + "/record.0", b"b" * 900))
        record = Record(TOP + "/record", 4096, self.told.append)
        self.assertEqual((record.load(), self.told), (b"a" * 900, [TOP + "/record.0: damaged"]))
        record.save(b"c")
        self.assertEqual(Record(TOP + "/record").load(), b"c")
        self.assertTrue("record.0.bad" in files.names(TOP))


class HubTest(Case):
    """A whole hub, from app.py."""

    def hub(self):
        hub = app.Hub(unix.Board({"data": TOP + "/data"}))
        hub.start_drbg()
        hub.open_events()
        self.events = [found.name + " " + found.detail for found in hub.journal.last("event", 100)]
        return hub

    def setUp(self):
        super().setUp()
        self.say = console.say
        console.say = lambda kind, what: None
        self.hub()
        files.replace(TOP + "/data/settings.json", b'{"schema": 1, "meters": [{"protocol": "p1", "input": "p1"}]}')
        self.hub()

    def tearDown(self):
        console.say = self.say
        super().tearDown()

    def test_it_starts_with_a_full_flash_and_goes_on(self):
        fill()
        for _ in range(3):
            hub = self.hub()
            for _ in range(20):
                hub.journal.add("event", "start", "x" * 150)
            hub.meters[0].last.note(T, {"1-0:1.8.0": 5})
            hub.put_away()
        self.assertTrue(hub.journal.unwritten > 0)
        self.assertEqual(hub.settings.get("meters")[0]["name"], "p1")

    def test_it_starts_with_what_is_damaged_named_and_set_aside(self):
        data = TOP + "/data"
        os.rmdir(data + "/profile")
        for name in ("profile", "consents.1", "consents.0", "attempts.1"):
            files.write(data + "/" + name, b"rubbish")
        self.machine.boot()
        self.hub()
        for said in ("profile: cannot be listed, kept as", "consents: no whole slot", "attempts: no whole slot"):
            self.assertEqual(len([event for event in self.events if said in event]), 1, said)
        self.assertEqual([name for name in files.names(data) if ".bad" in name], BAD)
        count = len(self.events)
        self.hub()
        self.assertEqual(len(self.events), count)

    def test_a_month_with_a_damaged_header_is_told_after_the_start_though_nobody_reads_it(self):
        hub = self.hub()
        hub.profile.set_meters(("A", "A"))
        for at in (T - 100 * 86400, T):
            hub.profile.append(Entry(at, MEASURED, (1, 2)))
        oldest = TOP + "/data/profile/" + files.names(TOP + "/data/profile")[0]
        files.write(oldest, b"?" + files.read(oldest, 1000)[1:])
        self.machine.boot()
        hub = self.hub()
        self.assertEqual((hub.profile.meters, hub.profile.damaged), (("A", "A"), 0))
        for _ in range(2):
            for _ in hub.profiles[0].look():
                pass
            said = [found.detail for found in hub.journal.last("event", 100) if found.name == "STORE_DAMAGED"]
            self.assertEqual(said, ["202506a.lp: damaged at byte 0"])

    def test_what_is_journalled_before_the_outbox_is_opened_is_sent_once(self):
        key = "BPxihrXNvb6uElAZG0fL7bU5IuNLrzLO5Itw_yHR1bIkyhL364-fQCyWYilkWXYV4CQy7P58B_EA5Epc4c2VqCk"
        kid = "R5GC1VFZAC6NQCT5"
        document = {"schema": 1, "recipients": [{"kid": kid, "name": "x", "key": key}], "events": {"to": kid}}
        files.replace(TOP + "/data/settings.json", json.dumps(document).encode())
        for n in range(2):
            hub = app.Hub(unix.Board({"data": TOP + "/data"}))
            hub.journal.add("event", "METER_SILENT", "early %d" % n)
            self.assertEqual(hub.events, None)
            hub.start_drbg()
            hub.open_events()
            hub.open_events()
            hub.journal.add("event", "METER_SILENT", "late %d" % n)
        said = [item.detail for item in hub.events.outbox.oldest(9, 999)]
        # an outbox that is begun takes nothing from before it
        self.assertEqual(said, ["late 0", "early 1", "late 1"])

    def test_settings_that_cannot_be_read_leave_the_last_good_ones_in_force(self):
        document = b'{"schema": 1, "name": "kitchen"' + b" " * 900 + b"}"
        path = TOP + "/data/settings.json"
        files.replace(path, document)
        self.hub()
        self.machine.flash.dead.add(self.block_of(path, document))
        self.assertRaises(OSError, files.read, path, 2000)
        self.assertEqual(self.hub().settings.get("name"), "kitchen")
        self.assertTrue(self.events[0].startswith("SETTING_REFUSED schema"))

    def test_settings_are_taken_when_there_is_no_room_for_their_copy(self):
        document = b'{"schema": 1, "name": "kitchen"' + b" " * 2000 + b"}"
        files.replace(TOP + "/data/settings.json", document)
        fill()
        self.assertEqual(self.hub().settings.get("name"), "kitchen")

    def test_an_identity_that_is_damaged_is_never_replaced(self):
        record = self.hub().strict_record("identity")
        files.write(TOP + "/data/identity.1", b"rubbish")
        for _ in range(2):
            self.assertRaises(StoreError, record.load)
        self.assertEqual(files.read(TOP + "/data/identity.1", 99), b"rubbish")


BAD = ["attempts.1.bad", "consents.0.bad", "consents.1.bad", "profile.bad"]


def entry(n):
    return Entry(T + n * STEP_S, MEASURED, (10000 + 131 * n + n % 7, 77 if n % 2 else None))


def fill():
    """Leave no room for anything."""
    for number in range(9):
        try:
            with open(TOP + "/filler%d" % number, "wb") as file:
                while True:
                    file.write(b"x" * 600)
                    file.flush()
        except OSError as err:
            if err.args[0] != 28:
                raise


def list_all(path):
    found = []
    for name in files.names(path):
        if os.stat(path + "/" + name)[0] & 0x4000:
            found += list_all(path + "/" + name)
        else:
            found.append(path + "/" + name)
    return found


if __name__ == "__main__":
    unittest.main()
