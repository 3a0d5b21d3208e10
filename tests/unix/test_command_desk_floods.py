"""What is no command, or one too many: no answer, few entries, one alert. Keys that do not count. Decisions."""

import asyncio
import json
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from market_bench import ADM, AT, HUB, ROOT, SUP, Case

from meterhub.errors import HubError
from meterhub.services import Result


class FloodTest(Case):
    def post(self, payload):
        self.desk.post(payload)
        return [entry.name for entry in self.hub.journal.last("security", 1)]

    def test_what_is_no_command_of_a_known_key_is_not_even_queued(self):
        good = self.command(SUP, "read.tariff").encode()
        for payload, name in (
            (b"A" * 4097, "OVERSIZED"),
            (b"\xff\xfe", "MALFORMED"),
            (b"", "MALFORMED"),
            (good[:-9], "MALFORMED"),
            (self.command(HUB, "read.tariff").encode(), "UNKNOWN_RECIPIENT"),
            (self.command(SUP, "read.tariff", hub=SUP.kid).encode(), "WRONG_HUB"),
        ):
            self.assertEqual(self.post(payload), [name])
        self.assertEqual(self.desk._inbox._items, [])

    def test_four_at_once_for_each_key_and_the_others_are_not_hurt(self):
        payload = self.command(SUP, "read.tariff").encode()
        other = self.command(ADM, "read.tariff").encode()
        self.desk._cost_ms = 60000  # however long this takes here
        for _ in range(9):
            self.desk.post(payload)
        self.desk.post(other)
        self.assertEqual(len(self.desk._inbox._items), 5)
        self.assertEqual(self.names("security"), ["RATE_LIMITED"] * 5)
        self.assertEqual(self.letters(), [])

    def test_the_owner_is_told_of_a_kind_once_an_hour(self):
        for _ in range(3):
            self.desk.post(b"x")
            self.hub.market._desk = None  # nothing came for a while
        told = self.letters()
        self.assertEqual([(one["event"], one["code"]) for one in told], [("MALFORMED", 0x8F1E)])
        forged = self.command(SUP, "read.tariff")
        forged = forged[:-20] + "A" * 20
        self.desk.post(forged.encode())
        self.desk._inbox._items.append(None)
        asyncio.run(self.desk.run())
        self.assertEqual([one["event"] for one in self.letters()], ["MALFORMED", "NOT_AUTHENTIC"])
        self.hub.pass_s(3600)
        self.desk.post(b"x")
        self.assertEqual(len(self.letters()), 3)
        store = self.hub.letters._letters()
        self.assertEqual([store.read(number)[0] for number in store.waiting()], [ADM.kid] * 3)
        self.assertEqual(self.probe.asked, [])

    def test_without_an_administrator_the_owner_himself_is_told(self):
        self.hub.record("roles").save(json.dumps([SUP.entry()]).encode())
        self.boot()
        self.desk.post(b"x")
        store = self.hub.letters._letters()
        self.assertEqual([store.read(number)[0] for number in store.waiting()], [ROOT.kid])


class ClockTest(Case):
    def test_without_a_clock_what_is_critical_is_refused_and_a_key_that_has_an_end(self):
        entries = [SUP.entry(), ADM.entry(0, AT + 900)]
        self.hub.record("roles").save(json.dumps(entries).encode())
        self.boot()
        self.hub.clock.state = "unset"
        self.assertEqual(self.says(SUP, "set.tariff_price"), "refused CLOCK_INVALID unset")
        self.assertEqual(self.says(SUP, "read.tariff"), "done")
        self.assertEqual(self.says(ADM, "read.tariff"), "refused REVOKED kid")

    def test_a_key_counts_from_its_beginning_until_its_end(self):
        self.hub.record("roles").save(json.dumps([SUP.entry(AT + 100, AT + 200)]).encode())
        self.boot()
        self.assertEqual(self.says(SUP, "read.tariff"), "refused REVOKED kid")
        self.hub.pass_s(100)
        self.assertEqual(self.says(SUP, "read.tariff"), "done")
        self.assertEqual(self.probe.asked[-1][1].since, AT + 100)
        self.hub.pass_s(100)
        self.assertEqual(self.says(SUP, "read.tariff"), "refused REVOKED kid")


class DecidedTest(Case):
    def decide(self, decision):
        notice = {
            "kid": SUP.kid,
            "role": "SUP",
            "ctr": 5,
            "cmd": "set.tariff_price",
            "h": "hash",
            "service": "tariffs",
            "n": len(self.letters()),
        }
        self.desk.decided(notice, decision)
        return self.letters()[-1]

    def test_who_asked_is_told_what_the_household_has_decided(self):
        self.probe.decided = lambda hub, notice, decision: Result("done", {})
        answer = self.decide("accept")
        self.assertEqual((answer["re"], answer["ctr"], answer["outcome"]), ("hash", 5, "done"))
        self.assertEqual(answer["data"], {"action": "accept", "n": 0})

    def test_the_same_decision_once_more_is_told_once(self):
        self.probe.decided = lambda hub, notice, decision: Result("done", {})
        self.decide("accept")
        self.desk.decided({"kid": SUP.kid, "role": "SUP", "ctr": 5, "cmd": "x.y", "h": "hash", "n": 0}, "accept")
        self.assertEqual(len(self.letters()), 1)

    def test_nobody_is_told_of_what_the_hub_has_shown_by_itself(self):
        self.hub.market.decided({"kid": "", "service": "", "n": 1}, "replaced")
        self.assertEqual(self.letters(), [])

    def test_what_the_service_has_nothing_to_say_to_is_not_told(self):
        self.probe.decided = lambda hub, notice, decision: None
        self.assertRaises(IndexError, self.decide, "read")

    def test_the_service_has_a_word_in_it(self):
        def decided(hub, notice, decision):
            if decision == "decline":
                raise HubError("EXECUTE_FAILED", "relay")
            return Result("pending", {"more": notice["role"]})

        self.probe.decided = decided
        answer = self.decide("accept")
        self.assertEqual((answer["outcome"], answer["data"]), ("pending", {"action": "accept", "n": 0, "more": "SUP"}))
        answer = self.decide("decline")
        self.assertEqual((answer["outcome"], answer["error"]), ("refused", "EXECUTE_FAILED"))


if __name__ == "__main__":
    unittest.main()
