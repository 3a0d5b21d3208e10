"""Commands of the market roles: counted on flash before they are acted on, once, and answered whatever happens."""

import asyncio
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from market_bench import ADM, SUP, Case

from meterhub.errors import HubError
from meterhub.services import Result
from meterhub.store import journal
from meterhub.trust.roles import Counters


class OnceTest(Case):
    def flash(self):
        return Counters(self.hub.record("commands"))

    def test_the_counter_is_on_flash_before_the_command_is_acted_on_and_its_answer_after_it(self):
        seen = []
        self.probe.look = lambda: seen.append((self.flash().newest(SUP.kid), self.flash().doing[1], self.letters()))
        answer = self.ask(SUP, "set.tariff_price")
        self.assertEqual(seen, [(1, 1, [])])
        self.assertEqual((answer["outcome"], answer["ctr"], answer["data"]), ("done", 1, {"of": 1}))
        self.assertEqual(self.flash().doing, None)
        self.assertEqual(self.names("event"), ["SEND_FAILED", "command done"][::-1])

    def test_the_same_command_again_is_answered_as_then_and_not_done_again(self):
        token = self.command(SUP, "set.tariff_price")
        first = self.take(token)
        self.assertEqual(self.take(token), first)  # it waits still: no second letter
        self.assertEqual(len(self.letters()), 1)
        store = self.hub.letters._letters()
        store.remove(store.waiting()[0])  # the receipt has come
        again = self.take(token)
        self.assertEqual((again["outcome"], again["re"], again["data"]), ("done", first["re"], {}))
        self.boot()
        self.assertEqual(self.take(token)["outcome"], "done")
        self.assertEqual(len(self.probe.asked), 1)

    def test_a_lower_counter_is_refused_and_nothing_is_done(self):
        self.ask(SUP, "set.tariff_price", ctr=7)
        for ctr in (7, 3, 1):
            self.assertEqual(self.says(SUP, "set.tariff_price", {"n": ctr}, ctr=ctr), "refused REPLAY ctr")
        self.boot()
        self.assertEqual(self.says(SUP, "set.tariff_price", {"n": 9}, ctr=7), "refused REPLAY ctr")
        self.assertEqual([what for what, _ in self.probe.asked].count("handle"), 1)

    def test_replays_do_not_push_the_true_entries_out_of_the_security_log(self):
        usual, journal.now_ms = journal.now_ms, lambda: 0  # however long this takes here
        self.boot()
        self.ask(SUP, "set.tariff_price", ctr=50)
        old = self.command(SUP, "set.tariff_price", ctr=49)
        for _ in range(12):
            self.take(old)
        journal.now_ms = usual
        self.assertEqual(self.names("security"), ["REPLAY"] * 10)
        self.assertEqual(self.hub.journal.suppressed, 2)

    def test_a_service_that_cannot_is_refused_by_name_and_told(self):
        self.probe.trouble = HubError("INVALID_VALUE", "arg.price")
        self.assertEqual(self.says(SUP, "set.tariff_price"), "refused INVALID_VALUE arg.price")
        self.assertEqual(self.probe.asked[-1], ("refused", "INVALID_VALUE"))
        for trouble, name in ((OSError(5), "RECORD_FAILED tariffs"), (MemoryError(), "BUSY memory")):
            self.probe.trouble = trouble
            self.assertEqual(self.says(SUP, "set.tariff_price"), "refused " + name)

    def test_a_failure_that_nobody_foresaw_is_answered_with_the_next_command(self):
        self.probe.trouble = RuntimeError("a bug")
        self.assertRaises(RuntimeError, self.ask, SUP, "set.tariff_price")
        self.probe.trouble = None
        self.assertEqual(self.says(ADM, "read.tariff"), "done")
        cut, _ = self.letters()
        self.assertEqual((cut["ctr"], cut["error"], cut["field"]), (1, "EXECUTE_FAILED", "interrupted"))

    def test_one_after_another_whichever_link_they_came_through(self):
        order = []

        def slow(hub, taken):
            order.append(("begin", taken.role))
            for _ in range(5):
                yield
            order.append(("end", taken.role))
            return Result("done", {})

        self.probe.handle = slow
        tokens = [self.command(SUP, "read.tariff"), self.command(ADM, "read.tariff")]

        async def both():
            await asyncio.gather(self.desk.take(tokens[0]), self.desk.take(tokens[1]))

        asyncio.run(both())
        self.assertEqual([what for what, _ in order], ["begin", "end"] * 2)
        self.assertEqual([one["outcome"] for one in self.letters()], ["done", "done"])


if __name__ == "__main__":
    unittest.main()
