"""Demand response: what is announced, begins, ends and is overridden."""

import json
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from demand_bench import START, Case, event, interval, service
from supply_bench import NOW, OTHER, refused


class EventTest(Case):
    def test_it_is_shown_before_anything_happens_then_acts_and_ends(self):
        result = self.send(event(interval(value=3), text="Evening peak"))
        self.assertEqual((result.outcome, result.data["event"], result.data["unsupported"]), ("pending", "ev1", []))
        self.assertEqual([one["on"] for one in result.data["equipment"]], [1, 1, 1])
        notice = self.hub.notices.shown[0]
        for name, value in (
            ("category", "demand"),
            ("answer", "override"),
            ("text", "Evening peak"),
            ("start", 0),
            ("at", START),
            ("name", "The LC"),
            ("expiry", START + 1200),
            ("ref", "ev1"),
            ("kid", OTHER),
            ("service", "demand"),
        ):
            self.assertEqual(notice[name], value)
        self.assertEqual(self.say("accept").data["action"], "accept")
        self.until(START - 1)
        self.assertEqual(self.on(), [1, 1, 1])
        self.until(START)
        self.assertEqual(self.on(), [0, 0, 0])
        self.until(START + 1199)
        self.assertEqual(self.on(), [0, 0, 0])
        self.until(START + 1200)
        self.assertEqual(self.on(), [1, 1, 1])
        told = self.say("none").data
        self.assertEqual((told["action"], told["acted"], told["fault"]), ("accept", 1, 0))

    def test_a_level_sheds_its_share_of_the_premises_and_one_target_alone_goes_at_the_first(self):
        for kind, value, wanted in (
            ("SIMPLE", 0, [1, 1, 1]),
            ("SIMPLE", 1, [0, 1, 1]),
            ("SIMPLE", 2, [0, 0, 1]),
            ("CONTROL_LEVEL_OFFSET", 10, [0, 0, 0]),
            ("CONTROL_LEVEL_OFFSET", 4, [0, 0, 1]),
            ("CONTROL_LEVEL_OFFSET", -10, [1, 1, 1]),
            ("CONTROL_LEVEL_OFFSET_PERCENT", "0.3", [0, 1, 1]),
            ("CONTROL_LEVEL_OFFSET_PERCENT", "-1", [1, 1, 1]),
            ("CONTROL_LEVEL_OFFSET_PERCENT", "1.0", [0, 0, 0]),
        ):
            at = self.hub.clock.now() + 100
            self.send(event(interval(at, 60, kind, value)))
            self.until(at + 1)
            self.assertEqual(self.on(), wanted, (kind, value))
            self.until(at + 70)
        at = self.hub.clock.now() + 100
        self.send(event(interval(at, 60), target="load2"))
        self.until(at)
        self.assertEqual(self.on(), [1, 0, 1])

    def test_who_overrides_keeps_the_switch_before_and_during_the_event(self):
        for when in (START - 30, START + 300):
            self.start()
            self.board.unix_s = NOW
            self.send(event(interval(value=3), id="ev%d" % when))
            self.until(when)
            self.assertEqual(self.say("override", "ev%d" % when).data["action"], "override")
            self.assertEqual(self.on(), [1, 1, 1])
            self.until(START + 1199)
            self.assertEqual(self.on(), [1, 1, 1])
            told = self.say("none", "ev%d" % when).data
            self.assertEqual((told["action"], told["acted"]), ("override", int(when > START)))

    def test_one_that_nobody_answers_takes_place_and_a_mandatory_one_cannot_be_overridden(self):
        self.send(event(interval(value=3), mandatory=True))
        self.assertEqual(self.hub.notices.shown[0]["answer"], "")
        refused(self, "WRONG_STATE", "event", self.say, "override")
        self.until(START)
        self.assertEqual(self.on(), [0, 0, 0])
        self.assertEqual(self.say("none").data["action"], "none")
        self.assertEqual(
            (self.say("read").data["action"], self.say("save"), self.say("accept", "ev9")), ("read", None, None)
        )

    def test_a_price_that_is_ignored_is_no_action(self):
        self.send(event(interval(kind="PRICE", value="0.425")))
        self.assertEqual(self.hub.notices.shown[0]["text"], "Price 0.425")
        self.until(START + 300)
        self.assertEqual(self.on(), [1, 1, 1])
        told = self.say("none").data
        self.assertEqual((told["action"], told["acted"]), ("none", 0))

    def test_what_is_not_understood_is_kept_and_said(self):
        arg = event(interval(kind="CHARGE_STATE_SETPOINT", value="80"), interval(value=2))
        arg["intervals"][1]["payloads"].insert(0, {"type": "ALERT_FLEX_ALERT", "values": ["Hot day"]})
        arg["intervals"][1]["payloads"].append({"type": "X_OURS", "values": [1]})
        self.assertEqual(self.send(arg).data["unsupported"], ["CHARGE_STATE_SETPOINT", "X_OURS"])
        self.assertEqual(self.hub.notices.shown[0]["text"], "Hot day; Please use less power")
        kept = json.loads(self.hub.strict_record("demand").load())["events"][0]
        self.assertEqual(kept["unknown"], ["CHARGE_STATE_SETPOINT", "X_OURS"])
        self.assertEqual([one[4:] for one in kept["intervals"]], [["MESSAGE", 0], ["SIMPLE", 2000]])

    def test_an_import_limit_sheds_one_after_the_other_while_there_is_too_much(self):
        self.send(event(interval(kind="IMPORT_CAPACITY_LIMIT", value="3.5")))
        self.until(START + 1)
        self.hub.live(20, 3500)
        self.assertEqual(self.on(), [1, 1, 1])
        self.hub.live(1, 3501)
        self.assertEqual(self.on(), [0, 1, 1])
        self.hub.live(29, 3501)
        self.assertEqual(self.on(), [0, 1, 1])
        self.hub.live(1, 3501)
        self.assertEqual(self.on(), [0, 0, 1])
        self.hub.live(60, -9000)
        self.assertEqual(self.on(), [0, 0, 1])
        self.until(START + 1200)
        self.assertEqual(self.on(), [1, 1, 1])

    def test_a_generator_goes_on_by_its_set_point_and_off_when_too_much_is_fed_in(self):
        self.hub.do(service, "set.aux_controller_state", {"load": 3, "on": False})
        given = self.send(event(interval(kind="DISPATCH_SETPOINT", value="2.0"), target="load3"), "dg.event")
        self.assertEqual(
            (given.data["equipment"][0]["load"], self.hub.notices.shown[0]["category"]), (3, "generation")
        )
        self.until(START)
        self.assertEqual(self.on(), [1, 1, 1])
        self.send(event(interval(START + 60, 600, "EXPORT_CAPACITY_LIMIT", 1), id="ev2", target="load3"), "dg.event")
        self.until(START + 61)
        self.hub.live(1, -1000)
        self.assertEqual(self.on(), [1, 1, 1])
        self.hub.live(1, -1001)
        self.assertEqual(self.on(), [1, 1, 0])
        self.until(START + 660)
        self.assertEqual(self.on(), [1, 1, 1])
        self.until(START + 1200)
        self.assertEqual(self.on(), [1, 1, 0])

    def test_a_new_one_with_the_same_id_takes_its_place_and_none_calls_it_off(self):
        self.send(event(interval(value=3)))
        self.until(START + 10)
        self.assertEqual(self.on(), [0, 0, 0])
        self.send(event(interval(START + 600, 60)))
        self.assertEqual(self.on(), [1, 1, 1])
        self.until(START + 600)
        self.assertEqual(self.on(), [0, 1, 1])
        called_off = event()
        called_off["intervals"] = []
        self.assertEqual(self.send(called_off).data["action"], "withdrawn")
        self.assertEqual((self.on(), self.hub.notices.withdrawn), ([1, 1, 1], [(OTHER, "ev1")]))
        refused(self, "NOT_AVAILABLE", "arg.id", self.send, called_off)

    def test_a_switch_that_sticks_is_told_once(self):
        self.board.switches["load1"].stuck = True
        self.send(event())
        self.until(START + 30)
        self.assertEqual([alert[:3] for alert in self.hub.letters.alerts], [(OTHER, "EXECUTE_FAILED", 0)])
        told = self.say("none").data
        self.assertEqual((told["fault"], told["loads"][0]["wanted"], told["loads"][0]["on"]), (1, 0, 1))


if __name__ == "__main__":
    unittest.main()
