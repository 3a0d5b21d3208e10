"""Reports that are due: each once, whenever the power is cut, and only to whom they may still be told."""

import asyncio
import json
import os
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from services_bench import KID, NOW, Case

from meterhub import schedule_runner
from meterhub.crypto.drbg import Drbg
from meterhub.errors import HubError
from meterhub.letterbox import Letterbox
from meterhub.services import Result
from meterhub.store import files, schedules
from meterhub.store.letters import Letters
from meterhub.store.record import Record


class Cut(Exception):
    """The power goes."""


class Desk:
    """In the place of the command desk, which the tests on a real hub have."""

    fails = None

    def __init__(self):
        self.asked = []

    async def perform(self, command):
        await asyncio.sleep(0)
        self.asked.append(command)
        if self.fails:
            raise HubError(*self.fails)
        return Result("done", {"w": len(self.asked)})


class Wan:
    is_up = False


class Market:
    def __init__(self):
        self.schedules_at = 0
        self.desk = Desk()
        self.unsent = []

    def commands(self):
        return self.desk

    def failed(self, kid, claims, name):
        self.unsent.append((kid, claims["kind"], name))


class RunnerTest(Case):
    def setUp(self):
        super().setUp()
        self.keys([KID, "SUP", "", "The SUP", 0, 0])
        self.put(60)

    def boot(self, is_set=True):
        hub = super().boot(is_set)
        hub.identity = None
        hub.drbg = Drbg(b"\x08" * 48)
        hub.market = Market()
        hub.wan = Wan()
        hub.letters = Letterbox(hub)
        hub.letters.owner = lambda: None  # a hub without an owner
        return hub

    def keys(self, *entries):
        Record(self.folder + "/roles").save(json.dumps(entries).encode())
        self.hub.letters.forget_roles()

    def put(self, period_s, cmd="read.power_now", start=NOW):
        one = [KID, "a", cmd, {}, start, period_s, 0, "fixed", 0, 1, 0, 0, start, 0]
        schedules.save(self.hub.record("schedules"), [one])

    def run_at(self, at):
        self.hub.board.unix_s = at
        asyncio.run(schedule_runner.run(self.hub))

    def letters(self):
        """Return the claims of the letters that are on flash."""
        store = Letters(self.folder + "/letters", None, None)
        return [json.loads(store.read(n)[2]) for n in store.waiting()]

    def known(self):
        return schedules.load(self.hub.record("schedules"))

    def test_a_report_says_what_on_demand_would_and_which_slot_it_is_of(self):
        self.run_at(NOW + 3)
        self.run_at(NOW + 61)
        first, second = self.letters()
        wanted = {"kind": "report", "schedule": "a", "seq": 1, "cmd": "read.power_now", "due": NOW, "missed": 0}
        wanted.update({"error": "", "field": "", "data": {"w": 1}})
        self.assertEqual(first, wanted)
        self.assertEqual((second["seq"], second["due"]), (2, NOW + 60))
        self.assertEqual(self.hub.market.unsent, [(KID, "report", "SEND_FAILED")] * 2)  # there is no WAN: they wait
        self.assertEqual(self.hub.market.schedules_at, NOW + 120)
        asked = self.hub.market.desk.asked[0]
        self.assertEqual(
            (asked.kid, asked.role, asked.cmd, asked.service, asked.consent),
            (KID, "SUP", "read.power_now", "readings", False),
        )

    def test_nothing_is_reported_before_it_is_due(self):
        self.run_at(NOW - 1)
        self.assertEqual(self.letters(), [])
        self.assertEqual(self.hub.market.schedules_at, NOW)

    def test_a_read_that_fails_is_a_report_that_says_so(self):
        self.hub.market.desk.fails = ("RETRIEVE_FAILED", "profile")
        self.run_at(NOW)
        told = self.letters()[0]
        self.assertEqual(
            (told["error"], told["field"], told["data"], told["seq"]), ("RETRIEVE_FAILED", "profile", {}, 1)
        )
        self.assertTrue("RETRIEVE_FAILED" in self.hub.journal.names())

    def test_slots_that_went_by_while_the_hub_was_off_are_counted_and_told(self):
        self.run_at(NOW)
        self.hub = self.boot()
        schedule_runner.settle(self.hub)
        self.run_at(NOW + 305)
        self.assertEqual(self.hub.journal.said[0], ("event", "SCHEDULE_MISSED", "UC-01 read.power_now %s a 4" % KID))
        told = self.letters()[1]
        self.assertEqual((told["seq"], told["missed"], told["due"]), (2, 4, NOW + 300))
        self.run_at(NOW + 360)
        self.assertEqual(self.letters()[2]["missed"], 0)

    def test_a_clock_that_was_a_year_ahead_silences_nothing(self):
        self.run_at(NOW)
        self.run_at(NOW + 366 * 86400)
        before = len(self.letters())
        self.hub = self.boot()
        self.assertTrue(0 < schedule_runner.settle(self.hub) <= NOW)
        for minute in (1, 2, 3):
            self.run_at(NOW + 60 * minute)
        self.assertEqual([one["due"] for one in self.letters()[before:]], [NOW + 60 * n for n in (1, 2, 3)])
        self.assertEqual([one["missed"] for one in self.letters()[before:]], [0] * 3)

    def cut(self, at, changes):
        """Make what is due at `at`; the power goes before the given change of the file system. Tell if it went."""
        left = [changes]

        def until_it_goes(real):
            def change(*words):
                left[0] -= 1
                if left[0] == 0:
                    raise Cut
                return real(*words)

            return change

        kept = (files.write, files.move, files.remove)
        files.write, files.move, files.remove = [until_it_goes(real) for real in kept]
        try:
            self.run_at(at)
        except Cut:
            return True
        finally:
            files.write, files.move, files.remove = kept
        return False

    def test_a_power_cut_anywhere_doubles_and_loses_no_report(self):
        turn, was_cut = 0, True
        while was_cut:
            turn += 1
            was_cut = self.cut(NOW + 60 * turn - 60, turn)
            self.hub = self.boot()
            self.hub.market.schedules_at = schedule_runner.settle(self.hub)
            self.run_at(NOW + 60 * turn - 30)
            told = self.letters()
            self.assertEqual([one["seq"] for one in told], list(range(1, len(told) + 1)))
            self.assertEqual([one["due"] for one in told], [NOW + 60 * n for n in range(len(told))])
            self.assertEqual([one["missed"] for one in told], [0] * len(told))
            self.assertEqual(len(told), turn)
        self.assertTrue(turn > 3)  # the letter's file, its place, the schedule's record

    def test_a_flash_that_takes_no_letter_makes_the_next_one_say_so(self):
        os.mkdir(self.folder + "/letters")
        real = files.replace

        def full(path, content):
            if "/letters/" in path:
                raise OSError(28)
            real(path, content)

        files.replace = full
        try:
            self.run_at(NOW)
        finally:
            files.replace = real
        self.assertEqual(self.hub.journal.names(), ["RECORD_FAILED", "SCHEDULE_MISSED"])
        self.run_at(NOW + 60)
        self.assertEqual([(one["seq"], one["missed"]) for one in self.letters()], [(1, 1)])

    def test_a_flash_that_takes_no_record_is_tried_again_later(self):
        real = files.write

        def full(path, content):
            if "/schedules" in path:
                raise OSError(28)
            real(path, content)

        files.write = full
        try:
            self.run_at(NOW)
        finally:
            files.write = real
        self.assertEqual(self.hub.journal.said[1:], [("event", "RECORD_FAILED", "schedules (28,)")])
        self.assertEqual(self.hub.market.schedules_at, NOW + 3600)
        self.run_at(NOW + 3600)
        self.assertEqual(self.letters()[0]["seq"], 1)

    def test_a_right_that_has_ended_ends_the_schedule(self):
        for entry, fails, name in (
            ([KID, "SUP", "", "The SUP", 0, NOW - 5], None, "REVOKED"),
            (["L" * 16, "SUP", "", "The SUP", 0, 0], None, "REVOKED"),
            ([KID, "LC", "", "The LC", 0, 0], None, "NOT_AUTHORISED"),
            ([KID, "ESP", "", "The ESP", 0, 0], ("NOT_CONSENTED", "readings"), "NOT_CONSENTED"),
        ):
            self.hub = self.boot()
            self.put(60)
            self.keys(entry)
            self.hub.market.desk.fails = fails
            self.run_at(NOW)
            self.assertEqual(self.known(), [])
            self.assertEqual(self.letters(), [])
            said = ("security", "schedule ended", "UC-01 read.power_now %s a %s" % (KID, name))
            self.assertEqual(self.hub.journal.said, [said])
            self.assertEqual(self.hub.market.schedules_at, 0)
            self.assertEqual([one.consent for one in self.hub.market.desk.asked], [True] if fails else [])

    def test_a_schedule_that_is_changed_while_it_is_being_read_reports_anew(self):
        desk = self.hub.market.desk
        perform = desk.perform

        async def slow(command):
            result = await perform(command)
            if len(desk.asked) == 1:
                self.put(900, "read.max_demand", NOW + 100)
            return result

        desk.perform = slow
        self.run_at(NOW)
        self.assertEqual(self.letters(), [])
        self.assertEqual(self.hub.market.schedules_at, NOW + 100)

    def test_a_hub_that_has_lost_its_keys_keeps_the_schedules(self):
        self.hub.letters.roles = lambda: None
        self.run_at(NOW)
        self.assertEqual((len(self.known()), self.hub.market.schedules_at), (1, 0))


if __name__ == "__main__":
    unittest.main()
