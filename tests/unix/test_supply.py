"""The supply's switch: every transition, what is written before it moves, a switch that sticks, power cuts."""

import json
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from store_cuts import Cut, Flash
from store_folder import flip
from supply_bench import SUP, Board, Full, Hub, end, refused

from meterhub import supply
from meterhub.errors import HubError
from meterhub.store import journal, record

STATES = ("enabled", "armed", "disabled", "locked")
# what is done: the state after it, in the order of STATES; "": refused
TABLE = {
    "enable": ("enabled", "enabled", "enabled", "enabled"),
    "arm": ("", "armed", "armed", "armed"),
    "disable": ("disabled", "disabled", "disabled", "locked"),
    "press": ("", "enabled", "", ""),
    "tamper": ("locked", "locked", "locked", "locked"),
}


class Case(unittest.TestCase):
    def setUp(self):
        self.board = Board()
        self.switch = self.board.switches["supply"]

    def tearDown(self):
        end(self.board)

    def hub(self, state="armed", tamper="locked", **more):
        """Return a hub whose record says so."""
        known = {"v": 1, "state": state, "reason": "supplier", "text": "", "by": SUP, "at": 5}
        known.update({"limit": [6900, 300, 30, "unchanged"], "trips": 0, "tamper": tamper, "fault": ""})
        known.update(more)
        record.Record(self.board.data_dir + "/supply").save(json.dumps(known).encode())
        record.Record(self.board.data_dir + "/supply").save(json.dumps(known).encode())
        return Hub(self.board)

    def do(self, hub, action):
        if action == "press":
            hub.supply.press()
            hub.live()
        elif action == "tamper":
            hub.supply.tampered()
            hub.live()
        else:
            hub.run(hub.supply.act(action, SUP, "because"))

    def again(self):
        """The power goes and comes back."""
        self.switch.power_cut()
        return Hub(self.board)


class TransitionTest(Case):
    def test_every_action_in_every_state(self):
        for action, after in TABLE.items():
            for i, before in enumerate(STATES):
                wanted = after[i]
                hub = self.hub(before)
                self.switch.ons = 0
                if wanted:
                    self.do(hub, action)
                else:
                    refused(self, "WRONG_STATE", before, self.do, hub, action)
                    self.assertEqual(self.switch.ons, 0)
                found = (hub.supply.state, self.switch.on, self.again().supply.state)
                state = wanted or before
                self.assertEqual(found, (state, state == "enabled", state), (action, before))

    def test_nothing_but_the_table_and_the_load_limit_turns_it_on(self):
        ways = [(a, b) for a, row in supply.NEXT.items() for b, after in row.items() if after == "enabled" != b]
        said = [("enable", s) for s in ("armed", "disabled", "locked")] + [("press", "armed"), ("restore", "armed")]
        self.assertEqual(sorted(ways), sorted(said))

    def test_a_new_hub_waits_for_its_household(self):
        hub = Hub(self.board)
        self.assertEqual((hub.supply.state, self.switch.on), ("armed", False))
        hub.live(400, 100)
        self.assertEqual(self.switch.ons, 0)
        hub.supply.press()
        self.assertTrue(self.switch.on)

    def test_who_and_why_and_when_is_told_and_kept(self):
        hub = self.hub("enabled")
        hub.run(hub.supply.act("disable", SUP, "unpaid since May"))
        for told in (hub.supply.report(), self.again().supply.report()):
            self.assertEqual(
                (told["state"], told["reason"], told["text"]), ("disabled", "supplier", "unpaid since May")
            )
            self.assertEqual((told["on"], told["fault"], told["at"]), (0, "", hub.clock.now()))
        self.assertEqual(hub.said(), [("supply disabled", "supply supplier")])
        self.assertEqual(hub.letters.alerts, [])  # the answer says it

    def test_what_the_supplier_did_not_ask_for_is_told_with_its_event(self):
        hub = self.hub("armed")
        hub.supply.press()
        self.assertEqual(hub.letters.alerts[0][:4], ("SUP", "supply enabled", 0, "household"))
        hub.supply.tampered()
        self.assertEqual(hub.letters.alerts[1][:4], ("SUP", "supply locked", 0x81BE, "tamper"))
        hub.supply.tampered()
        self.assertEqual(len(hub.letters.alerts), 2)
        hub = self.hub("enabled", "unchanged")
        hub.supply.tampered()
        self.assertEqual((hub.supply.state, hub.letters.alerts), ("enabled", []))
        hub = self.hub("disabled")
        self.do(hub, "arm")
        self.assertEqual(hub.said()[-1], ("supply armed", "supply 8F32 supplier"))


class FeedbackTest(Case):
    def test_a_switch_that_takes_its_time_is_waited_for_a_second(self):
        for late_ms, moves in ((900, True), (1300, False)):
            hub = self.hub("disabled")
            self.switch.late_ms = late_ms
            if moves:
                self.do(hub, "enable")
            else:
                refused(self, "EXECUTE_FAILED", "81BD", self.do, hub, "enable")
            self.assertEqual(hub.supply.state, "enabled" if moves else "disabled")
            self.switch.late_ms = 0

    def test_one_that_does_not_connect_is_left_off_for_good(self):
        for before in ("armed", "disabled", "locked"):
            hub = self.hub(before)
            self.switch.stuck = True
            refused(self, "EXECUTE_FAILED", "81BD", self.do, hub, "enable")
            self.switch.stuck = False
            self.assertEqual((hub.supply.state, self.switch.driven), (before, False))
            hub.live(5)
            self.assertEqual((self.switch.on, self.again().supply.state, self.switch.on), (False, before, False))
            self.assertEqual(hub.said()[-1], ("EXECUTE_FAILED", "supply 81BD connect"))
            self.assertEqual(hub.letters.alerts[-1][2], supply.CONNECT)
            self.assertEqual(hub.supply.report()["fault"], "connect")

    def test_one_that_does_not_disconnect_is_said_to_be_on(self):
        hub = self.hub("enabled")
        self.switch.stuck = True
        refused(self, "EXECUTE_FAILED", "81C0", self.do, hub, "disable")
        told = hub.supply.report()
        self.assertEqual((told["state"], told["on"], told["fault"]), ("enabled", 1, "disconnect"))
        self.assertEqual(hub.letters.alerts[-1][2], supply.DISCONNECT)
        self.assertEqual(Hub(self.board).supply.report()["fault"], "disconnect")
        self.switch.stuck = False
        self.do(hub, "disable")
        self.assertEqual((hub.supply.state, hub.supply.report()["fault"], self.switch.on), ("disabled", "", False))

    def test_one_that_is_welded_shut_while_it_is_off_stays_disabled_and_is_told(self):
        hub = self.hub("armed")
        self.switch.on = self.switch.stuck = True
        refused(self, "EXECUTE_FAILED", "81C0", self.do, hub, "disable")
        self.assertEqual((hub.supply.state, hub.supply.report()["on"]), ("disabled", 1))
        refused(self, "EXECUTE_FAILED", "81C0", self.do, hub, "arm")
        self.assertEqual(hub.supply.state, "disabled")
        self.do(hub, "tamper")
        self.assertEqual(hub.supply.state, "locked")

    def test_feedback_that_is_wired_the_wrong_way_round_lets_nothing_through(self):
        hub = self.hub("disabled")
        self.switch.inverted = True
        refused(self, "EXECUTE_FAILED", "81BD", self.do, hub, "enable")
        self.assertEqual((hub.supply.state, self.switch.driven), ("disabled", False))

    def test_without_feedback_it_is_believed_and_that_is_told(self):
        hub = self.hub("disabled")
        self.switch.senses = False
        self.do(hub, "enable")
        self.assertEqual((hub.supply.state, hub.supply.report()["on"]), ("enabled", -1))
        hub.live(10)
        self.assertEqual(len(hub.said()), 1)

    def test_a_switch_that_is_moved_by_somebody_else_is_told_once_and_driven_off(self):
        hub = self.hub("disabled")
        hub.live(3)
        self.switch.on = self.switch.stuck = True
        hub.live(10)
        self.assertEqual(hub.said(), [("EXECUTE_FAILED", "supply 81C0 feedback disconnect")])
        told = hub.supply.report()
        self.assertEqual((told["state"], told["on"], told["fault"]), ("disabled", 1, "disconnect"))
        self.switch.stuck = False
        hub.live(3)
        self.assertEqual((self.switch.on, hub.supply.report()["fault"]), (False, ""))
        self.switch.on = self.switch.stuck = True
        hub.live(3)
        self.assertEqual(len(hub.said()), 2)

    def test_one_thing_at_a_time(self):
        hub = self.hub("disabled")
        self.switch.late_ms = 500
        steps = hub.supply.act("enable", SUP, "")
        next(steps)
        refused(self, "BUSY", "supply", lambda: list(hub.supply.act("disable", SUP, "")))
        self.assertEqual((hub.run(steps), hub.supply.state), (None, "enabled"))


class PowerCutTest(Case):
    def test_at_every_write_the_record_and_the_switch_agree_after_the_start(self):
        cuts = 0
        for action, before, wanted in (("disable", "enabled", "disabled"), ("enable", "disabled", "enabled")):
            for torn in (False, True):
                for changes in range(20):
                    hub = self.hub(before)
                    was_on = self.switch.on
                    try:
                        with Flash(changes, torn, journal):
                            self.do(hub, action)
                        break
                    except Cut:
                        cuts += 1
                    if self.switch.on != was_on:  # it has moved: then that was written before
                        self.assertEqual(Hub(self.board).supply.state, wanted)
                    again = self.again()
                    self.assertTrue(again.supply.state in (before, wanted), (action, changes, again.supply.state))
                    self.assertEqual(self.switch.on, again.supply.state == "enabled")
                else:
                    self.fail("never done")
        self.assertTrue(cuts >= 8, cuts)

    def test_it_is_never_on_by_itself_over_any_restart(self):
        for state in STATES[1:]:
            self.hub(state)
            self.switch.ons = 0
            for _ in range(3):
                self.again().live(400, 9000)
            self.assertEqual((self.switch.on, self.switch.ons), (False, 0))
        self.hub("enabled")
        self.again().live(10)
        self.assertTrue(self.switch.on)

    def test_a_latch_that_a_reset_leaves_alone_is_not_moved_by_a_start(self):
        for state in ("enabled", "disabled"):
            self.hub(state)
            ons = self.switch.ons
            self.assertEqual(Hub(self.board).supply.state, state)
            self.assertEqual((self.switch.on, self.switch.ons), (state == "enabled", ons))

    def test_a_latch_that_somebody_has_moved_is_moved_back(self):
        for state in ("enabled", "disabled"):
            self.switch.latch = True
            hub = self.hub(state)
            hub.live(2)
            self.assertEqual(self.switch.on, state == "enabled")
            self.switch.on = state != "enabled"
            Hub(self.board)  # at a start both ways: what is written is what somebody was entitled to
            self.assertEqual(self.switch.on, state == "enabled")
        hub.live(1)
        self.switch.on = True
        hub.live(3)  # at rest only off
        self.assertEqual((self.switch.on, hub.said()[-1][0]), (False, "EXECUTE_FAILED"))

    def test_what_is_set_while_it_moves_stays_set_when_the_move_fails(self):
        hub = self.hub("disabled", "unchanged")
        self.switch.stuck = True
        steps = hub.supply.act("enable", SUP, "")
        next(steps)
        hub.supply.set(tamper="locked")
        refused(self, "EXECUTE_FAILED", "81BD", hub.run, steps)
        self.assertEqual((hub.supply.report()["tamper"], self.again().supply.report()["tamper"]), ("locked", "locked"))

    def test_a_slot_that_rots_never_brings_an_older_state_back(self):
        for slot in (0, 1):
            hub = self.hub("enabled")
            self.do(hub, "disable")
            flip(self.board.data_dir + "/supply.%d" % slot, 30)
            self.assertEqual(self.again().supply.state, "disabled")

    def test_a_record_that_is_gone_bad_is_taken_for_disabled(self):
        for state, version in (("enabled", 1), ("enabled", 2), ("on", 1)):
            hub = self.hub(state, v=version)
            if (state, version) == ("enabled", 1):
                for slot in (0, 1):
                    flip(self.board.data_dir + "/supply.%d" % slot, 30)
                hub = self.again()
            self.assertEqual((hub.supply.state, hub.supply.report()["reason"]), ("disabled", "record"))
            self.assertFalse(self.switch.on)
            self.assertEqual([entry.name for entry in hub.journal.last("security", 1)], ["STORE_DAMAGED"])
            self.assertEqual(self.again().supply.state, "disabled")

    def test_what_cannot_be_written_does_not_move(self):
        hub = self.hub("enabled")

        hub.supply._record = Full()
        for action in ("disable", "tamper"):
            refused(self, "RECORD_FAILED", "supply", self.do, hub, action)
            self.assertEqual((hub.supply.state, self.switch.on), ("enabled", True))
        record_of = record.Record(self.board.data_dir + "/supply")

        class FullAtTheSecond:
            times = 0

            def save(self, raw):
                self.times += 1
                if self.times == 2:
                    raise OSError(28)
                record_of.save(raw)

        hub = self.again()
        hub.supply._record = FullAtTheSecond()
        self.do(hub, "disable")  # it would be disabled after a restart: so it is now
        self.assertEqual(
            (hub.supply.state, self.switch.on, self.again().supply.state), ("disabled", False, "disabled")
        )
        self.assertEqual(hub.said()[-2:-1], [("RECORD_FAILED", "supply, second slot")])
        hub = self.hub("enabled")
        hub.supply._record = Full()
        try:
            hub.supply.set(trips=3)
            self.fail("written")
        except HubError:
            self.assertEqual(hub.supply.limit()["count"], 0)


if __name__ == "__main__":
    unittest.main()
