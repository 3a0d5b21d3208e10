"""Commands with a date: kept, cancelled, carried out once, and refused when their key has gone meanwhile."""

import asyncio
import json
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from market_bench import ADM, AT, SUP, Case

from meterhub.errors import HubError


class StagedTest(Case):
    def stage(self, at, arg=None, party=SUP):
        return self.says(party, "set.tariff_price", arg, at=at)

    def tick(self):
        """A second of the hub's life."""
        self.hub.market.tick(self.hub.clock.now())
        tasks, self.hub.tasks = self.hub.tasks, []
        for name, service in tasks:
            if name == "staged":
                asyncio.run(service())

    def done(self):
        return [taken.ctr for what, taken in self.probe.asked if what == "handle"]

    def test_it_is_checked_at_once_and_carried_out_when_its_date_has_come(self):
        answer = self.ask(SUP, "set.tariff_price", {"price": 7}, at=AT + 100)
        self.assertEqual((answer["outcome"], answer["data"]), ("pending", {"staged": AT + 100}))
        self.assertEqual([what for what, _ in self.probe.asked], ["check"])
        self.tick()
        self.hub.pass_s(99)
        self.tick()
        self.assertEqual(self.done(), [])
        self.hub.pass_s(1)
        self.tick()
        self.tick()
        self.assertEqual(self.done(), [1])
        taken = self.probe.asked[-1][1]
        self.assertEqual((taken.arg, taken.role, taken.kid), ({"price": 7}, "SUP", SUP.kid))
        _, last = self.letters()
        self.assertEqual(
            (last["re"], last["outcome"], last["data"]), (answer["re"], "done", {"of": 1, "code": 0x8F66})
        )
        self.assertEqual(self.hub.market.staged_at, 0)

    def test_several_are_carried_out_in_the_order_of_their_dates_also_after_a_power_cut(self):
        for at in (300, 100, 200):
            self.assertEqual(self.stage(AT + at), "pending")
        self.boot()
        self.assertEqual(self.hub.market.staged_at, AT + 100)
        self.hub.pass_s(150)
        self.hub.market.start()
        for _ in range(3):
            self.tick()
            self.hub.pass_s(100)
        self.assertEqual(self.done(), [2, 3, 1])

    def test_what_the_service_refuses_or_is_over_is_not_kept(self):
        self.probe.trouble = HubError("INVALID_VALUE", "arg.price")
        self.assertEqual(self.stage(AT + 100), "refused INVALID_VALUE arg.price")
        self.probe.trouble = None
        self.assertEqual(self.stage(AT), "refused INVALID_VALUE at")
        self.assertEqual(self.stage(AT - 1), "refused INVALID_VALUE at")
        self.assertEqual(self.hub.record("staged").load(), None)

    def test_at_0_cancels_what_is_kept_of_this_command(self):
        self.stage(AT + 100)
        self.stage(AT + 200)
        answer = self.ask(SUP, "set.tariff_price", at=0)
        self.assertEqual((answer["outcome"], answer["data"]), ("done", {"cancelled": 2}))
        self.hub.pass_s(300)
        self.tick()
        self.assertEqual(self.done(), [])
        self.assertEqual(self.hub.market.staged_at, 0)

    def test_a_date_for_what_cannot_have_one_is_refused(self):
        self.assertEqual(self.says(SUP, "read.tariff", at=AT + 100), "refused INVALID_VALUE at")
        self.assertEqual(self.says(ADM, "set.tariff_price", at=AT + 100), "refused NOT_AUTHORISED cmd")

    def test_a_key_that_has_gone_meanwhile_is_refused_and_told_so(self):
        self.stage(AT + 100)
        self.hub.record("roles").save(json.dumps([SUP.entry(0, AT + 50), ADM.entry()]).encode())
        self.hub.letters.forget_roles()
        self.hub.pass_s(100)
        self.tick()
        self.assertEqual(self.done(), [])
        last = self.letters()[-1]
        self.assertEqual((last["outcome"], last["error"], last["data"]), ("refused", "REVOKED", {"code": 0x8F67}))

    def test_what_fails_on_its_date_is_told(self):
        self.stage(AT + 100)
        self.probe.trouble = HubError("EXECUTE_FAILED", "relay")
        self.hub.pass_s(100)
        self.tick()
        last = self.letters()[-1]
        self.assertEqual((last["error"], last["field"], last["data"]), ("EXECUTE_FAILED", "relay", {"code": 0x8F67}))

    def test_the_same_again_is_answered_with_what_is_known_by_then(self):
        token = self.command(SUP, "set.tariff_price", at=AT + 100)
        self.assertEqual(self.take(token)["outcome"], "pending")
        self.assertEqual(self.take(token)["outcome"], "pending")
        self.hub.pass_s(100)
        self.tick()
        self.assertEqual(self.take(token)["outcome"], "done")
        store = self.hub.letters._letters()
        for number in store.waiting():
            store.remove(number)
        self.assertEqual(self.take(token)["outcome"], "done")
        self.assertEqual(self.done(), [1])

    def test_one_that_fails_is_tried_by_one_task_and_not_by_a_new_one_each_second(self):
        self.stage(AT + 10)
        self.hub.pass_s(20)

        def full(*_):
            raise OSError(28)

        self.desk.counters._save = full
        market, started = self.hub.market, []
        for _ in range(10):
            market.tick(self.hub.clock.now())
            started += [service for name, service in self.hub.tasks if name == "staged"]
            self.hub.tasks.clear()
            self.assertRaises(OSError, asyncio.run, started[0]())
            self.hub.pass_s(1)
        self.assertEqual(len(started), 1)

    def test_reports_are_looked_at_again_when_the_clock_was_ahead(self):
        market = self.hub.market
        market.schedules_at = AT + 5000
        for now, wanted in ((AT + 4000, []), (AT + 3996, []), (0, []), (AT, ["schedules"])):
            market.tick(now)
            self.assertEqual([name for name, _ in self.hub.tasks if name == "schedules"], wanted)


if __name__ == "__main__":
    unittest.main()
