"""The load limit to the second, and the commands of UC-11."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from store_cuts import Cut, Flash
from supply_bench import Board, Full, Hub, command, end, refused

from meterhub import loads
from meterhub.services import supply as service
from meterhub.store import journal

LIMIT = {"threshold_w": 6900, "period_s": 300, "restoration_s": 30, "action": "disable"}  # GB's reference values


class Case(unittest.TestCase):
    def setUp(self):
        self.board = Board()
        self.switch = self.board.switches["supply"]
        self.hub = Hub(self.board)

    def tearDown(self):
        end(self.board)

    def do(self, cmd, arg=None, at=None):
        return self.hub.do(service, cmd, arg, at)


class LimitTest(Case):
    def setUp(self):
        super().setUp()
        self.do("supply.enable")
        self.do("set.load_limit", LIMIT)

    def codes(self):
        return [code for _, _, code, _, _ in self.hub.letters.alerts]

    def test_it_acts_after_300_s_above_and_restores_after_30_s(self):
        hub = self.hub
        hub.live(300, 6901)  # the first second is the one in which it was seen
        self.assertEqual((hub.supply.state, self.codes()), ("enabled", []))
        hub.live(1, 6901)
        self.assertEqual((hub.supply.state, self.switch.on, self.codes()), ("armed", False, [0x8F01, 0x8F33]))
        self.assertEqual(hub.supply.limit()["count"], 1)
        hub.live(29, 0)
        self.assertFalse(self.switch.on)
        hub.live(1, 0)
        self.assertEqual((hub.supply.state, self.switch.on, self.codes()[2:]), ("enabled", True, [0x8F34]))
        self.assertEqual(hub.supply.report()["reason"], "limit")

    def test_power_at_the_limit_or_a_second_below_it_or_not_known_begins_anew(self):
        for pause in (6900, 0, None, -9000):
            self.hub.live(299, 20000)
            self.hub.live(1, pause)
            self.hub.live(300, 20000)
            self.hub.live(1, pause)
        self.hub.live(600, 6900)
        self.assertEqual((self.hub.supply.state, self.hub.letters.alerts), ("enabled", []))

    def test_another_limit_begins_another_period(self):
        self.hub.live(299, 7000)
        self.do("set.load_limit", LIMIT)
        self.hub.live(300, 7000)
        self.assertEqual(self.hub.supply.state, "enabled")
        self.hub.live(1, 7000)
        self.assertEqual(self.hub.supply.state, "armed")

    def test_unchanged_counts_and_tells_once_each_time_and_switches_nothing(self):
        limit = dict(LIMIT)
        limit["action"] = "unchanged"
        self.do("set.load_limit", limit)
        self.hub.live(900, 7000)
        self.hub.live(1, 0)
        self.hub.live(400, 7000)
        self.assertEqual((self.hub.supply.state, self.codes()), ("enabled", [0x8F01, 0x8F01]))
        self.assertEqual(Hub(self.board).supply.limit()["count"], 2)
        self.assertEqual(self.do("reset.load_limit_counter").data["count"], 0)
        self.assertEqual(Hub(self.board).supply.limit()["count"], 0)

    def test_a_restart_the_household_and_the_supplier_end_the_restoration(self):
        self.hub.live(301, 7000)
        self.switch.power_cut()
        hub = Hub(self.board)
        hub.live(600, 0)
        self.assertEqual((hub.supply.state, self.switch.on), ("armed", False))
        hub.supply.press()
        self.assertTrue(self.switch.on)
        hub.live(301, 7000)
        hub.do(service, "supply.disable")
        hub.live(60, 0)
        self.assertEqual((hub.supply.state, self.switch.on), ("disabled", False))
        hub.do(service, "supply.enable")
        hub.live(301, 7000)
        hub.do(service, "supply.arm")
        hub.live(60, 0)
        self.assertEqual(hub.supply.state, "armed")

    def test_a_switch_that_sticks_is_told_and_tried_again_after_another_period(self):
        self.switch.stuck = True
        self.hub.live(303, 7000)
        self.assertEqual((self.hub.supply.state, self.codes()), ("enabled", [0x8F01, 0x81C0]))
        self.hub.live(303, 7000)
        self.assertEqual(self.hub.supply.limit()["count"], 2)
        self.switch.stuck = False
        self.hub.live(303, 7000)
        self.assertEqual((self.hub.supply.state, self.switch.on), ("armed", False))

    def test_one_that_does_not_connect_again_is_left_to_the_household(self):
        self.hub.live(301, 7000)
        self.switch.stuck = True
        self.hub.live(100, 0)
        self.assertEqual((self.hub.supply.state, self.codes()[2:]), ("armed", [0x81BD]))
        self.switch.stuck = False
        self.hub.live(100, 0)
        self.assertEqual((self.hub.supply.state, self.switch.on), ("armed", False))

    def test_a_power_cut_at_any_write_of_the_trip_leaves_it_on_or_armed(self):
        for torn in (False, True):
            for changes in range(20):
                try:
                    with Flash(changes, torn, journal):
                        self.hub.live(301, 7000)
                    break
                except Cut:
                    self.switch.power_cut()
                    self.hub = Hub(self.board)
                    state = self.hub.supply.state
                    self.assertTrue(state in ("enabled", "armed"), state)
                    self.assertEqual(self.switch.on, state == "enabled")
                    if state == "armed":
                        self.hub.supply.press()
            self.assertTrue(changes > 2)
            self.hub.live(40, 0)
            self.assertEqual(self.hub.supply.state, "enabled")

    def test_a_flash_that_takes_nothing_does_not_stop_the_housekeeping(self):
        self.hub.supply._record = Full()
        self.hub.live(900, 7000)
        self.assertEqual([name for name, _ in self.hub.said()].count("RECORD_FAILED"), 1)
        self.assertTrue(self.switch.on)


class CommandTest(Case):
    def test_each_command_answers_what_is_true_afterwards(self):
        for cmd, state, on in (
            ("supply.enable", "enabled", 1),
            ("supply.disable", "disabled", 0),
            ("supply.arm", "armed", 0),
            ("read.supply_state", "armed", 0),
        ):
            result = self.do(cmd)
            self.assertEqual((result.outcome, result.data["state"], result.data["on"]), ("done", state, on))
        self.assertEqual(self.do("supply.disable", {"reason": "unpaid"}).data["text"], "unpaid")

    def test_a_wrong_state_a_stuck_switch_and_what_cannot_be_read_are_refused_by_name(self):
        self.do("supply.enable")
        refused(self, "WRONG_STATE", "enabled", self.do, "supply.arm")
        self.switch.stuck = True
        refused(self, "EXECUTE_FAILED", "81C0", self.do, "supply.disable")
        for cmd, arg, name, field in (
            ("supply.disable", {"reason": 5}, "MALFORMED", "arg.reason"),
            ("supply.disable", {"reason": "x" * 41}, "INVALID_VALUE", "arg.reason"),
            ("supply.disable", {"reason": "a\x1bb"}, "INVALID_VALUE", "arg.reason"),
            ("supply.disable", {"why": ""}, "MALFORMED", "arg.why"),
            ("supply.enable", [], "MALFORMED", "arg"),
            ("set.tamper_state", {}, "MALFORMED", "arg.tamper"),
            ("set.tamper_state", {"tamper": "open"}, "INVALID_VALUE", "arg.tamper"),
            ("read.load_limit", {"x": 1}, "MALFORMED", "arg.x"),
            ("set.power_thresholds", {"low_w": 500, "high_w": 500}, "INVALID_VALUE", "arg.high_w"),
            ("supply.melt", {}, "UNSUPPORTED", "cmd"),
        ):
            refused(self, name, field, self.do, cmd, arg)
        for name, bad in (("threshold_w", 0), ("period_s", 86401), ("restoration_s", -1), ("action", "explode")):
            limit = dict(LIMIT)
            limit[name] = bad
            refused(self, "INVALID_VALUE", "arg." + name, self.do, "set.load_limit", limit)
            limit[name] = True
            refused(self, "MALFORMED", "arg." + name, self.do, "set.load_limit", limit)
        self.assertEqual(self.do("read.load_limit").data["threshold_w"], 6900)

    def test_a_limit_for_a_date_is_refused_at_once_for_what_it_would_be_refused_for_then(self):
        service.check(self.hub, command("set.load_limit", LIMIT))
        self.assertEqual(self.do("read.load_limit").data["threshold_w"], 6900)
        limit = dict(LIMIT)
        limit["period_s"] = 0
        refused(self, "INVALID_VALUE", "arg.period_s", service.check, self.hub, command("set.load_limit", limit))
        refused(
            self, "NOT_AVAILABLE", "supply", service.check, Hub(self.board, supply_wired=False), command("x", LIMIT)
        )

    def test_a_home_without_a_switch_says_so(self):
        self.hub = Hub(self.board, supply_wired=False)
        for cmd in ("supply.arm", "read.supply_state", "read.load_limit", "reset.load_limit_counter"):
            refused(self, "NOT_AVAILABLE", "supply", self.do, cmd)
        refused(self, "NOT_AVAILABLE", "supply", self.do, "set.load_limit", LIMIT)

    def test_the_levels_of_the_display_are_set_and_kept(self):
        self.do("set.power_thresholds", {"low_w": 1000, "high_w": 2000})
        self.assertEqual((self.hub.model.medium_w, self.hub.model.high_w), (1000, 2000))
        self.assertEqual(self.hub.record("power_levels").load(), b"\x01\xe8\x03\x00\x00\xd0\x07\x00\x00")

    def test_the_page_says_the_state_why_and_what_b_would_do(self):
        hub = self.hub
        hub.live()
        self.assertEqual(hub.model.supply, ("OFF", ("never turned on yet", "You may turn it on"), True))
        self.do("supply.enable")
        hub.live()
        self.assertEqual(hub.model.supply, ("ON", ("by your supplier", ""), False))
        self.do("supply.disable", {"reason": "moved out"})
        hub.live()
        self.assertEqual(hub.model.supply, ("OFF", ("moved out", "Ask your supplier"), False))
        self.switch.on = self.switch.stuck = True
        hub.live(3)
        self.assertEqual(hub.model.supply[1][1], "The switch is stuck.")
        self.assertEqual(self.do("read.supply_state").data["fault"], "disconnect")

    def test_an_offset_is_this_boards_share_of_the_limit(self):
        found = [loads.offset_s(b"board %d" % i, 1799) for i in range(60)]
        self.assertTrue(min(found) < 60 and max(found) > 1740 and len(set(found)) > 50)
        self.assertEqual((loads.offset_s(b"board 1", 0), loads.offset_s(b"board 1", 1799)), (0, found[1]))


if __name__ == "__main__":
    unittest.main()
