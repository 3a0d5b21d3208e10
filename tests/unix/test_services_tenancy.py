"""set.change_of_tenancy: who may give it, what date counts, replays, and power that is cut."""

import asyncio
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from market_bench import ADM, AT, ROOT, SUP, Case, Party
from store_cuts import Cut, Flash

from meterhub.errors import HubError, StoreError
from meterhub.store import journal
from meterhub.trust.tenancy import Tenancy

STRANGER = Party("ROOT")


def believed(public, token):
    """Stands for the verification: the test of power cuts is about what comes after."""
    yield
    return True


class TenancyCase(Case):
    def boot(self):
        super().boot()
        self.hub.tenancy = Tenancy(self.hub.record("tenancy"), lambda: 0)
        return self.hub

    def token(self, party, start, **changes):
        return self.command(party, "set.change_of_tenancy", {"from": start}, **changes)

    def told(self, party, start):
        return self.says(party, "set.change_of_tenancy", {"from": start})

    def not_authentic(self, token):
        try:
            self.take(token)
        except HubError as err:
            return (err.name + " " + err.field).strip()
        self.fail("taken")


class TenancyTest(TenancyCase):
    def test_it_counts_from_its_day_on_and_never_goes_back(self):
        self.assertEqual(self.told(ROOT, AT + 500), "done")
        known = self.hub.tenancy
        self.assertEqual((known.due(0), known.due(AT + 499), known.since), (False, False, 0))
        self.assertEqual((known.due(AT + 500), known.since, known.due(AT + 501)), (True, AT + 500, False))
        for start, said in (
            (AT + 500, "REPLAY arg.from"),
            (AT + 499, "REPLAY arg.from"),
            (5, "INVALID_VALUE arg.from"),
            (4133980800, "INVALID_VALUE arg.from"),
            ("now", "MALFORMED arg.from"),
        ):
            self.assertEqual(self.told(ROOT, start), "refused " + said)
        again = Tenancy(known._record, lambda: 0)
        self.assertEqual((again.since, again.damaged, again.due(AT + 9999)), (AT + 500, False, False))
        said = [entry.detail for entry in self.hub.journal.after("security", 0) if entry.name == "tenancy announced"]
        self.assertEqual(said, ["from %d by %s" % (AT + 500, ROOT.kid)])

    def test_a_date_takes_the_place_of_one_that_has_not_come(self):
        for start in (AT + 500, AT + 900, AT + 300):
            self.assertEqual(self.told(ROOT, start), "done")
        known = self.hub.tenancy
        self.assertEqual((known.due(AT + 1000), known.since, known.due(AT + 1000)), (True, AT + 300, False))

    def test_the_owner_and_the_supplier_may_and_nobody_else(self):
        self.assertEqual(self.told(SUP, AT + 1), "done")
        self.assertEqual(self.told(ROOT, AT + 2), "done")
        self.assertEqual(self.told(ADM, AT + 3), "refused NOT_AUTHORISED cmd")
        self.assertEqual(self.not_authentic(self.token(STRANGER, AT + 3)), "UNKNOWN_RECIPIENT kid")
        good, bad = self.token(ROOT, AT + 3).split("."), self.token(STRANGER, AT + 4).split(".")
        self.assertEqual(self.not_authentic(".".join(good[:2] + bad[2:])), "NOT_AUTHENTIC jws")
        self.assertEqual(self.not_authentic(self.token(ROOT, AT + 3, hub=SUP.kid)), "WRONG_HUB hub")
        self.assertEqual((self.hub.tenancy.due(AT + 9), self.hub.tenancy.since), (True, AT + 2))

    def test_the_same_command_again_is_answered_and_moves_nothing(self):
        first, second = self.token(ROOT, AT + 500), self.token(ROOT, AT + 900)
        for token in (first, second):
            self.assertEqual(self.take(token)["outcome"], "done")
        answer = self.take(first)
        self.assertEqual((answer["outcome"], answer["ctr"]), ("done", 1))
        older = self.token(ROOT, AT + 700, ctr=1)
        answer = self.take(older)
        self.assertEqual((answer["outcome"], answer["error"], answer["field"]), ("refused", "REPLAY", "ctr"))
        self.assertEqual((self.hub.tenancy.due(AT + 901), self.hub.tenancy.since), (True, AT + 900))

    def test_a_hub_without_a_market_role_hears_its_owner_and_one_without_owner_nobody(self):
        self.hub.record("roles").save(b"[]")
        self.boot()
        self.assertEqual(self.told(ROOT, AT + 1), "done")
        self.hub.record("owner").save(b'{"root": "", "seq": 1, "cert": ""}')
        self.assertEqual(self.not_authentic(self.token(ROOT, AT + 2)), "UNKNOWN_RECIPIENT kid")

    def test_a_damaged_record_hides_all_there_is_and_stays_so(self):
        record = self.hub.record("tenancy")

        def load():
            raise StoreError("tenancy")

        record.load = load
        found = Tenancy(record, lambda: AT)
        self.assertEqual((found.since, found.damaged), (AT + 1, True))
        record = self.hub.record("tenancy")
        self.assertEqual((Tenancy(record, None).since, Tenancy(record, None).damaged), (AT + 1, False))


class CutTest(TenancyCase):
    def cut(self, changes):
        """Cut the power after so many changes of the flash; return whether that was before the end."""
        super().tearDown()
        super().setUp()
        self.desk._tables.verify = believed
        for start in (AT + 10, AT + 20):  # both slots of each record have been written
            self.assertEqual(self.told(ROOT, start), "done")
        token = self.token(ROOT, AT + 500)
        try:
            with Flash(changes, False, journal):
                asyncio.run(self.desk.take(token))
            return False
        except Cut:
            if hasattr(asyncio, "new_event_loop") and sys.implementation.name == "micropython":
                asyncio.new_event_loop()  # what ran has gone with the power
            return True

    def test_power_that_is_cut_leaves_the_old_date_or_the_new_one_and_an_answer(self):
        changes, dates = 0, []
        while self.cut(changes):
            self.boot()
            self.desk._tables.verify = believed
            dates.append(Tenancy(self.hub.record("tenancy"), None)._next)
            answers = [one for one in self.letters() if one["kind"] == "answer" and one["ctr"] == 3]
            begun = self.desk.counters.newest(ROOT.kid) == 3
            self.assertEqual(len(answers), int(begun), changes)
            if answers and answers[-1]["outcome"] == "done":
                self.assertEqual(dates[-1], AT + 500)
            self.assertEqual(self.told(ROOT, AT + 500), "done")
            self.assertEqual((self.hub.tenancy.due(AT + 500), self.hub.tenancy.since), (True, AT + 500))
            changes += 1
        self.assertEqual(dates, sorted(dates))
        self.assertEqual(sorted(set(dates)), [AT + 20, AT + 500])


if __name__ == "__main__":
    unittest.main()
