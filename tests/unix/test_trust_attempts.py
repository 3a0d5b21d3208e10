"""Attempts and consents: what is counted, what survives the power switch."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from meterhub.errors import HubError
from meterhub.trust.agreements import Agreements
from meterhub.trust.attempts import Attempts
from meterhub.trust.consents import Consents


class MemoryRecord:
    raw = None

    def load(self):
        return self.raw

    def save(self, raw):
        self.raw = raw


class Journal:
    """A journal that can be full: then nothing is added."""

    def __init__(self):
        self.entries = []
        self.full = False
        self.most = 99

    def end(self, kind):
        return len(self.entries)

    def add(self, kind, name, detail="", at=None):
        if self.full or len(self.entries) >= self.most:
            raise OSError(28)
        self.entries.append((kind, name, detail, at))

    def names(self):
        return [entry[1] for entry in self.entries]


def name_of(case, call, *args):
    try:
        call(*args)
    except HubError as err:
        return err.name
    case.fail("not refused")


class AttemptsTest(unittest.TestCase):
    def setUp(self):
        self.record = MemoryRecord()
        self.attempts = Attempts(self.record, 1000)

    def test_a_flash_that_is_full_keeps_no_hub_from_starting(self):
        self.attempts.open("cut")
        self.attempts.spend(1000)

        class Full(MemoryRecord):
            raw = self.record.raw

            def save(self, raw):
                raise OSError(28)

        attempts = Attempts(Full(), 2000)
        self.assertTrue(attempts.locked_s(2000) > 0)

    def die(self, now):
        self.attempts.open("r%d" % now)
        for _ in range(3):
            self.attempts.spend(now)
        self.attempts.close(True, now)

    def test_a_spent_attempt_is_stored_before_spend_returns(self):
        self.attempts.open("a")
        self.assertEqual(self.attempts.spend(1900), 2)
        self.assertIn(b'"spent": 1', self.record.raw)

    def test_a_power_cut_after_an_attempt_counts_as_a_request_that_died(self):
        self.attempts.open("a")
        self.attempts.spend(1900)
        self.assertEqual(Attempts(self.record, 2000).locked_s(2000), 60)

    def test_a_start_without_a_clock_does_not_end_the_lock_out(self):
        self.attempts.open("a")
        self.attempts.spend(100000)
        again = Attempts(self.record, 0)
        self.assertEqual(name_of(self, again.check_lock, 0), "LOCKED_OUT")
        self.assertEqual(name_of(self, again.check_lock, 100030), "LOCKED_OUT")
        again.check_lock(100060)

    def test_a_request_that_died_while_the_clock_was_ahead_locks_out_once(self):
        self.die(100000 + 30 * 86400)
        again = Attempts(self.record, 100000)
        self.assertEqual([again.locked_s(100000 + s) for s in (0, 30, 60, 86400, 30 * 86400)], [60, 30, 0, 0, 0])

    def test_a_power_cut_before_any_attempt_does_not(self):
        self.attempts.open("a")
        self.assertEqual(Attempts(self.record, 2000).locked_s(2000), 0)

    def test_the_lock_out_grows_with_each_request_that_died(self):
        locks = []
        now = 100000
        for _ in range(4):
            self.die(now)
            locks.append(self.attempts.locked_s(now))
            now += locks[-1]
        self.assertEqual(locks, [60, 240, 960, 3840])

    def test_the_lock_out_survives_a_restart_and_ends(self):
        self.die(100000)
        again = Attempts(self.record, 100010)
        self.assertEqual(name_of(self, again.check_lock, 100010), "LOCKED_OUT")
        again.check_lock(100060)

    def test_a_clock_put_back_does_not_lock_for_ever(self):
        self.die(100000)
        self.assertEqual(self.attempts.locked_s(5), 60)

    def test_an_id_is_good_once_also_after_a_restart(self):
        self.attempts.check_new("a")
        self.attempts.note("a")
        self.assertEqual(name_of(self, self.attempts.check_new, "a"), "REPLAY")
        self.assertEqual(name_of(self, Attempts(self.record, 0).check_new, "a"), "REPLAY")


class ConsentsTest(unittest.TestCase):
    def setUp(self):
        self.record = MemoryRecord()
        self.journal = Journal()
        self.consents, self.agreements = self.start()

    def start(self):
        consents = Consents(self.record)
        return consents, Agreements(consents, self.journal)

    def grant(self, sub, until=2000):
        claims = {"sub": sub, "regs": ["1-0:1.8.0"], "res": "day", "until": until}
        self.agreements.grant("coop", claims, 1000, "coop|" + sub)

    def revoke(self, sub):
        self.agreements.revoke(self.consents.find("coop", sub), 1100, "coop|" + sub)

    def test_a_consent_covers_what_it_says_and_no_more(self):
        self.grant("anna")
        check = self.consents.check
        self.assertEqual(check("coop", "anna", ["1-0:1.8.0"], "month", 1500)["sub"], "anna")
        self.assertEqual(name_of(self, check, "coop", "anna", ["1-0:1.8.0"], "half-hour", 1500), "NOT_CONSENTED")
        self.assertEqual(name_of(self, check, "coop", "anna", ["1-0:2.8.0"], "day", 1500), "NOT_CONSENTED")
        self.assertEqual(name_of(self, check, "coop", "anna", ["1-0:1.8.0"], "day", 2001), "EXPIRED")
        self.assertEqual(name_of(self, check, "coop", "berta", ["1-0:1.8.0"], "day", 1500), "NOT_LINKED")
        self.assertEqual(name_of(self, check, "other", "anna", ["1-0:1.8.0"], "day", 1500), "NOT_LINKED")

    def test_a_revoked_consent_stays_revoked_over_a_restart(self):
        self.grant("anna")
        self.revoke("anna")
        again = Consents(self.record)
        self.assertEqual(name_of(self, again.check, "coop", "anna", ["1-0:1.8.0"], "day", 1500), "REVOKED")
        self.assertEqual(again.live(1500), [])

    def test_linking_again_takes_the_place_of_the_old_consent(self):
        self.grant("anna")
        self.grant("anna", 3000)
        self.assertEqual([c["until"] for c in self.consents.all], [3000])

    def test_the_list_is_bounded_and_only_ended_ones_make_room(self):
        for n in range(8):
            self.grant("a%d" % n)
        self.assertEqual(name_of(self, self.grant, "one more"), "STORE_FULL")
        self.revoke("a3")
        self.grant("one more")
        self.assertIsNone(self.consents.find("coop", "a3"))

    def test_each_change_is_journalled_once_with_its_time_and_nothing_is_owed_then(self):
        self.grant("anna")
        self.agreements.mark_used(self.consents.find("coop", "anna"), 1050, "used")
        self.agreements.log("PIN_DEAD", "tried")
        self.revoke("anna")
        whole = [("linked", "coop|anna", 1000), ("done", "used", 1050), ("PIN_DEAD", "tried", None)]
        whole.append(("revoked", "coop|anna", 1100))
        self.assertEqual(self.journal.entries, [("consent",) + entry for entry in whole])
        self.assertFalse(b"owed" in self.record.raw)

    def test_a_link_that_cannot_be_journalled_is_none_until_it_is(self):
        self.journal.full = True
        self.assertRaises(OSError, self.grant, "anna")
        for consents, agreements in ((self.consents, self.agreements), self.start()):
            self.assertIsNone(consents.find("coop", "anna"))
            self.assertEqual(consents.live(1500), [])
            self.assertRaises(OSError, agreements.settle)
            self.assertRaises(OSError, agreements.log, "PIN_DEAD", "")
        self.assertRaises(OSError, self.grant, "berta")
        self.assertFalse(b"berta" in self.record.raw)
        self.journal.full = False
        self.agreements.log("PIN_DEAD", "")
        self.assertEqual(self.journal.names(), ["linked", "PIN_DEAD"])
        self.assertEqual([c["sub"] for c in self.consents.live(1500)], ["anna"])

    def test_what_cannot_be_journalled_is_revoked_all_the_same_and_journalled_later(self):
        for sub in ("anna", "berta"):
            self.grant(sub)
        self.journal.full = True
        for sub in ("anna", "berta"):
            self.assertRaises(OSError, self.revoke, sub)
        again, agreements = self.start()
        self.assertEqual((self.consents.live(1500), again.live(1500)), ([], []))
        self.journal.full = False
        agreements.settle()
        agreements.settle()
        told = [entry[1:3] for entry in self.journal.entries[2:]]
        self.assertEqual(told, [("revoked", "coop|anna"), ("revoked", "coop|berta")])

    def test_entries_keep_their_order_when_there_is_room_for_some_of_them(self):
        for sub in ("a", "b", "c"):
            self.grant(sub)
        for sub, most in (("a", 3), ("b", 4), ("c", 5)):
            self.journal.most = most
            self.assertRaises(OSError, self.revoke, sub)
        self.journal.most = 99
        self.agreements.log("PIN_DEAD", "")
        self.assertEqual([entry[2] for entry in self.journal.entries[3:]], ["coop|a", "coop|b", "coop|c", ""])

    def test_no_entry_says_revoked_before_the_record_does(self):
        self.grant("anna")
        save, self.record.save = self.record.save, self.refuse
        self.assertRaises(OSError, self.revoke, "anna")
        self.assertRaises(OSError, self.agreements.log, "PIN_DEAD", "")
        self.assertEqual(self.journal.names(), ["linked"])
        self.record.save = save
        self.agreements.settle()
        self.assertEqual(self.journal.names(), ["linked", "revoked"])
        self.assertEqual(Consents(self.record).live(1500), [])

    def refuse(self, raw):
        raise OSError(28)


if __name__ == "__main__":
    unittest.main()
