"""Power that is cut at any change of the flash while a command is carried out: never twice, never without a word."""

import asyncio
import json
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from market_bench import AT, SUP, Case
from store_cuts import Cut, Flash

from meterhub.store import journal
from meterhub.store.record import Record
from meterhub.trust import identity

_MOST = 60


def believed(public, token):
    """Stands for identity.verify: these tests are about what comes after, hundreds of times."""
    yield
    return True


class CutTest(Case):
    def setUp(self):
        super().setUp()
        self.verify, identity.verify = identity.verify, believed
        self.token = self.command(SUP, "set.tariff_price", ctr=10)
        self.later = self.command(SUP, "set.tariff_price", at=AT + 100, ctr=10)

    def tearDown(self):
        identity.verify = self.verify
        super().tearDown()

    def power_on(self):
        self.boot()
        self.desk._tables.verify = believed
        return self.hub

    def cut(self, changes, torn, work):
        """Do `work` until the power is cut; return whether it was."""
        try:
            with Flash(changes, torn, journal):
                work()
            return False
        except Cut:
            if hasattr(asyncio, "new_event_loop") and sys.implementation.name == "micropython":
                asyncio.new_event_loop()  # what ran has gone with the power
            return True

    def again(self):
        """Begin anew with an empty folder."""
        super().tearDown()
        super().setUp()
        SUP.ctr = 0
        self.power_on()
        for at in (
            AT + 50,
            0,
        ):  # both slots of each record have been written: elsewhere than on littlefs they can tear
            asyncio.run(self.desk.take(self.command(SUP, "set.tariff_price", at=at)))
        store = self.hub.letters._letters()
        for number in store.waiting():
            store.remove(number)
        Record(self.folder + "/acted").save(b"0")
        Record(self.folder + "/acted").save(b"0")
        self.probe.look = lambda: Record(self.folder + "/acted").save(b"%d" % (self.acted() + 1))

    def acted(self):
        """Return how often the service has acted."""
        return int(Record(self.folder + "/acted").load() or 0)

    def outcomes(self):
        return [(one["outcome"], one["error"]) for one in self.letters() if one["kind"] == "answer"]

    def test_a_command_is_done_at_most_once_and_always_answered(self):
        seen = []
        for torn in (False, True):
            for changes in range(_MOST):
                self.again()
                if not self.cut(changes, torn, lambda: asyncio.run(self.desk.take(self.token))):
                    break
                acted = self.acted()
                self.power_on()
                before = self.outcomes()
                if not acted:  # it may be cut before anybody knew of it: then it is sent again
                    self.assertTrue(before in ([], [("refused", "EXECUTE_FAILED")]), before)
                else:
                    self.assertTrue(before in ([("done", "")], [("refused", "EXECUTE_FAILED")]), before)
                asyncio.run(self.desk.take(self.token))
                self.assertTrue(self.acted() <= 1)
                self.assertEqual(len(self.outcomes()), 1)
                self.assertEqual(self.desk.counters.doing, None)
                seen.append((acted, before))
            self.assertTrue(5 < changes < _MOST - 1)
        cut = [("refused", "EXECUTE_FAILED")]
        for one in ((0, []), (0, cut), (1, cut), (1, [("done", "")])):
            self.assertTrue(one in seen, one)

    def test_a_staged_command_is_kept_or_not_and_the_answer_says_which(self):
        seen = []
        for changes in range(_MOST):
            self.again()
            if not self.cut(changes, changes & 1, lambda: asyncio.run(self.desk.take(self.later))):
                break
            self.power_on()
            kept = len(json.loads(self.hub.record("staged").load() or b"[]"))
            answers = self.outcomes()
            self.assertTrue((kept, answers) in POSSIBLE, (kept, answers))
            seen.append((kept, answers))
        for one in POSSIBLE:
            self.assertTrue(one in seen, one)

    def test_on_its_date_it_is_done_at_most_once_and_always_told(self):
        seen = []
        for changes in range(_MOST):
            self.again()
            asyncio.run(self.desk.take(self.later))
            self.hub.pass_s(100)
            if not self.cut(changes, changes & 1, lambda: asyncio.run(self.desk.activate())):
                break
            self.power_on()
            self.hub.pass_s(100)
            asyncio.run(self.desk.activate())
            self.assertTrue(self.acted() <= 1)
            last = self.outcomes()[-1]
            self.assertTrue(last in (("done", ""), ("refused", "EXECUTE_FAILED")), self.outcomes())
            self.assertEqual([one[0] for one in self.outcomes()].count("pending"), len(self.outcomes()) - 1)
            seen.append(last)
        self.assertTrue(("done", "") in seen and ("refused", "EXECUTE_FAILED") in seen)


POSSIBLE = (
    (0, []),
    (0, [("refused", "EXECUTE_FAILED")]),
    (1, [("pending", "")]),
)


if __name__ == "__main__":
    unittest.main()
