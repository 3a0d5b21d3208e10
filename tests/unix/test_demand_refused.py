"""Demand response: what is refused, by name, and what nobody is told then."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from demand_bench import MOST, START, Case, event, interval, service
from supply_bench import NOW, OTHER, Full, refused

from meterhub.errors import HubError


class RefusedTest(Case):
    def test_what_cannot_be_is_refused_by_name_and_nobody_is_told(self):
        bad = event()
        bad["intervals"][0]["payloads"][0]["values"] = [1.5]
        for arg, name, field in (
            (bad, "MALFORMED", "arg.values"),
            (event(interval(value=4)), "INVALID_VALUE", "arg.values"),
            (event(interval(value="0.5")), "INVALID_VALUE", "arg.values"),
            (event(interval(value="1e0")), "INVALID_VALUE", "arg.values"),
            (event(interval(kind="PRICE", value="1.2345")), "INVALID_VALUE", "arg.values"),
            (event(interval(kind="PRICE", value="-")), "INVALID_VALUE", "arg.values"),
            (event(interval(kind="PRICE", value="1.")), "INVALID_VALUE", "arg.values"),
            (event(interval(kind="", value=1)), "INVALID_VALUE", "arg.type"),
            (event(interval(NOW - 1200, 1200)), "EXPIRED", "arg.intervals"),
            (event(interval(NOW + 31 * 86400)), "INVALID_VALUE", "arg.start"),
            (event(interval(duration=86401)), "INVALID_VALUE", "arg.duration"),
            (event(interval(duration=0)), "INVALID_VALUE", "arg.duration"),
            (event(*[interval()] * 5), "INVALID_VALUE", "arg.intervals"),
            (event(target="load4"), "NOT_AVAILABLE", "load"),
            (event(target="boiler"), "INVALID_VALUE", "arg.target"),
            (event(id=""), "INVALID_VALUE", "arg.id"),
            (event(id="x" * 33), "INVALID_VALUE", "arg.id"),
            (event(mandatory=1), "MALFORMED", "arg.mandatory"),
            (event(power=1), "MALFORMED", "arg.power"),
            ({"id": "ev1"}, "MALFORMED", "arg.intervals"),
            ({"id": "ev1", "intervals": [{}]}, "MALFORMED", "arg"),
            ({"id": "ev1", "intervals": [5]}, "MALFORMED", "arg"),
        ):
            refused(self, name, field, self.send, arg)
        self.assertEqual((self.hub.notices.shown, self.hub.desk), ([], None))
        self.assertEqual(self.hub.strict_record("demand").load(), None)

    def test_what_cannot_be_shown_does_not_take_place(self):
        self.hub.notices.full = True
        refused(self, "DISPLAY_FAILED", "notices", self.send, event())
        self.until(START + 10)
        self.assertEqual((self.on(), self.hub.desk.events), ([1, 1, 1], []))

    def test_one_too_many_is_refused_until_one_is_over(self):
        for i in range(MOST):
            self.send(event(id="ev%d" % i))
        refused(self, "STORE_FULL", "demand", self.send, event(id="ev%d" % MOST))
        self.assertEqual(len(self.hub.notices.shown), MOST)
        self.hub.desk.events[0]["done"] = 1
        self.send(event(id="ev%d" % MOST))
        self.assertEqual([one["id"] for one in self.hub.desk.events], ["ev%d" % i for i in range(1, MOST + 1)])

    def test_what_does_not_fit_is_never_shown(self):
        def long(i):
            one = interval()
            one["payloads"] = [{"type": "%d" % (10 * i + n) + "X" * 30, "values": [1]} for n in range(4)]
            return one

        n = 0
        while n < MOST:
            try:
                self.send(event(*[long(i) for i in range(4)], id="%d" % n + "y" * 31))
            except HubError as err:
                self.assertEqual((err.name, err.field), ("STORE_FULL", "demand"))
                break
            n += 1
        self.assertTrue(0 < n < MOST, n)
        self.assertEqual(len(self.hub.desk.events), n)
        self.assertEqual((len(self.hub.notices.shown), self.hub.notices.withdrawn), (n, []))

    def test_an_answer_that_cannot_be_written_is_none(self):
        self.send(event(interval(value=3)))
        self.hub.desk._record = Full()
        refused(self, "RECORD_FAILED", "demand", self.say, "override")
        self.until(START)
        self.assertEqual((self.on(), self.hub.desk.find(OTHER, "ev1")["action"]), ([0, 0, 0], "none"))

    def test_without_a_clock_or_a_switch_nothing_is_promised(self):
        self.hub.clock.state = "unset"
        refused(self, "CLOCK_INVALID", "clock", self.send, event())
        self.hub.clock.state = "set"
        self.hub.loads = None
        refused(self, "NOT_AVAILABLE", "arg.target", self.send, event(target="load1"))
        self.assertEqual(self.send(event()).data["equipment"], [])
        refused(
            self, "NOT_AVAILABLE", "loads", self.hub.do, service, "set.aux_controller_state", {"load": 1, "on": True}
        )


class EndedTest(Case):
    def revoked(self):
        return [entry.detail for entry in self.hub.journal.after("security", 0) if entry.name == "REVOKED"]

    def over(self):
        """Let the event end, and who serves the desk report it."""
        self.board.unix_s = START + 5000
        self.hub.live()
        for found in self.hub.desk.over(self.hub.clock.now()):
            self.hub.run(self.hub.desk.finish(found))
        self.assertEqual((self.hub.letters.reports, self.hub.desk.next_due(START)), ([], 0))

    def test_an_event_does_not_begin_when_its_senders_key_has_ended(self):
        self.send(event(interval(value=3)))
        self.hub.letters.key[5] = START
        self.until(START + 5)
        self.assertEqual((self.on(), self.hub.notices.withdrawn), ([1, 1, 1], [(OTHER, "ev1")]))
        self.assertEqual(self.revoked(), ["demand ev1"])
        self.over()

    def test_an_event_does_not_begin_when_the_household_has_taken_its_consent_back(self):
        asked = []

        def granted(*what):
            asked.append(what[:2])
            return len(asked) == 1

        self.hub.granted = granted
        self.hub.role_consents = lambda: self.hub
        self.hub.letters.key[1] = "ESP"
        self.send(event(interval(duration=60, value=3), interval(START + 100)))
        self.until(START + 5)
        self.assertEqual(self.on(), [0, 0, 0])
        self.until(START + 105)
        self.assertEqual((self.on(), self.hub.notices.withdrawn), ([1, 1, 1], [(OTHER, "ev1")]))
        self.assertEqual((asked, self.revoked()), ([(OTHER, "demand")] * 2, ["demand ev1"]))
        self.over()

    def test_nobody_is_told_how_an_event_went_when_the_key_has_ended_meanwhile(self):
        self.send(event(interval(value=3)))
        self.until(START + 5)
        self.assertEqual(self.on(), [0, 0, 0])
        self.hub.letters.key = None
        self.over()
        self.assertEqual((self.on(), self.revoked()), ([1, 1, 1], ["demand ev1"]))


if __name__ == "__main__":
    unittest.main()
