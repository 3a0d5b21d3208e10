"""A hub introduces itself once for each thing that happens, says what will fail, and counts what was used."""

import gc
import json
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from store_cuts import Cut, Flash
from upkeep_bench import ADM, AT, SUP, Case, Meter

from meterhub import health, registration
from meterhub.store import journal

if not hasattr(gc, "mem_free"):  # the PC's
    gc.mem_free = lambda: 100000


class RegistrationTest(Case):
    def test_once_for_each_thing_that_happens(self):
        for _ in range(3):
            registration.look(self.hub)
        self.assertEqual([one["event"] for one in self.hellos()], ["keys"])
        self.boot()
        registration.look(self.hub)
        self.assertEqual(len(self.hellos()), 1)
        self.hub.meters = [Meter("main", "M2")]
        registration.look(self.hub)
        self.assertEqual(
            [(one["event"], one["meters"][0]["serial"]) for one in self.hellos()][1:], [("hardware", "M2")]
        )
        self.hub.meters = [Meter("main", "")]  # it is silent: that is no other one
        registration.look(self.hub)
        self.assertEqual(len(self.hellos()), 2)
        record = self.hub.record("registration")
        known = registration.load(record)
        registration.replaced(known, "hub", "meterhub", "Q" * 16, "H" * 16, AT, ADM)
        record.save(json.dumps(known).encode())
        registration.look(self.hub)
        self.assertEqual(self.hellos()[2]["replaced"][0][:2], ["hub", "meterhub"])

    def test_another_version_of_the_firmware_is_told(self):
        registration.look(self.hub)
        known = registration.load(self.hub.record("registration"))
        known["told"][ADM][2] = "0.0.1"
        self.hub.record("registration").save(json.dumps(known).encode())
        registration.look(self.hub)
        self.assertEqual([one["event"] for one in self.hellos()], ["keys", "firmware"])

    def test_a_hub_without_administrator_or_owner_waits(self):
        self.roles([SUP, "SUP"])
        self.hub.letters.forget_roles()
        registration.look(self.hub)
        self.assertEqual(self.hellos(), [])
        self.assertEqual(registration.load(self.hub.record("registration"))["state"], "pending")

    def test_wherever_the_power_is_cut_it_is_told_exactly_once(self):
        for changes in range(40):
            self.tearDown()
            self.setUp()
            try:
                with Flash(changes, False, journal):
                    registration.look(self.hub)
                break
            except Cut:
                self.boot()
                registration.look(self.hub)
            self.assertEqual([one["event"] for one in self.hellos()], ["keys"], changes)
        self.assertTrue(changes > 3)

    def test_a_state_is_followed_by_what_may_follow_it(self):
        for state in registration.STATES:
            for new in registration.STATES:
                may = registration.may_follow(state, new)
                self.assertTrue(may or state != new)
        self.assertFalse(registration.may_follow("withdrawn", "commissioned"))
        self.assertTrue(registration.may_follow("installed", "commissioned"))

    def test_capabilities(self):
        made_of = registration.capabilities(self.hub)
        self.assertEqual((made_of["switch"], made_of["radio"], made_of["inputs"]), (True, False, ["p1"]))
        self.assertEqual(made_of["fuels"], ["electricity", "gas"])


class HealthTest(Case):
    def test_what_fails_soon_is_told_once_while_it_lasts(self):
        self.hub.board.free = 99
        warned = health.look(self.hub, [])
        self.assertTrue("flash" in warned, warned)
        self.assertEqual(health.look(self.hub, warned), warned)
        self.assertEqual(self.hub.named("warning").count("flash"), 1)
        self.hub.board.free = 100
        self.assertFalse("flash" in health.look(self.hub, warned))

    def test_each_threshold(self):
        before = health.figures(self.hub)["warnings"]
        for name, change in (
            ("link", lambda hub: setattr(hub.board, "link", lambda: {"rssi": -86})),
            ("clock", lambda hub: setattr(hub.clock, "state", "kept")),
            ("journal", lambda hub: setattr(hub.journal, "unwritten", 1)),
            ("letters", lambda hub: setattr(hub.letters, "count", lambda: 31)),
            ("meter main", lambda hub: setattr(hub.meters[0], "is_silent", True)),
            ("fault", lambda hub: hub.record("diagnosis").save(b'{"job": null, "fault": ["flash"]}')),
        ):
            self.assertFalse(name in before)
            self.boot()
            change(self.hub)
            self.assertTrue(name in health.figures(self.hub)["warnings"], name)

    def test_what_was_used_is_added_up_and_kept(self):
        self.hub.letters.charge(ADM, 1, 100, 0, 0, 0)
        self.hub.letters.charge(ADM, 0, 0, 1, 50, 1)
        self.assertEqual(health.used(self.hub), {ADM: [1, 100, 1, 50, 1]})
        health.save(self.hub)
        self.boot()
        self.hub.letters.charge(ADM, 1, 1, 1, 1, 1)
        self.hub.letters.charge(SUP, 1, 1, 0, 0, 0)
        self.assertEqual(health.used(self.hub), {ADM: [2, 101, 2, 51, 2], SUP: [1, 1, 0, 0, 0]})


if __name__ == "__main__":
    unittest.main()
