"""The household's PIN: it cannot be read off, is counted before it is compared, and asked before what decides."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

import store_cuts
import store_folder

from meterhub.store.record import Record
from meterhub.trust.household_pin import HouseholdPin, hidden, is_hidden, is_pin


class KeptTest(unittest.TestCase):
    def test_what_a_pin_is(self):
        self.assertEqual(
            [is_pin(text) for text in ("0000", "1234", "", "123", "12345", "12a4", "１２３４")],
            [True] * 2 + [False] * 5,
        )

    def test_the_pin_is_not_in_what_is_kept_of_it(self):
        kept = hidden("4711", b"0123456789ab")
        self.assertEqual(kept, hidden("4711", b"0123456789ab"))
        self.assertTrue(is_hidden(kept) and "4711" not in kept)
        self.assertNotEqual(kept, hidden("4711", b"0123456789ac"))
        self.assertFalse(is_hidden("4711") or is_hidden("h1.short"))


class CountTest(unittest.TestCase):
    def setUp(self):
        self.folder = store_folder.fresh()
        self.up_s = 0
        self.restart()

    def tearDown(self):
        store_folder.remove(self.folder)

    def restart(self):
        self.up_s = 0
        self.pin = HouseholdPin(hidden("4711", bytes(12)), Record(self.folder + "/pin"), lambda: self.up_s)

    def wrong(self, times=1):
        return [self.pin.check("0000") for _ in range(times)]

    def cut(self, changes, pin):
        """Try a PIN, and cut the power after so many changes of the flash; return whether it was cut."""
        try:
            with store_cuts.Flash(changes):
                self.pin.check(pin)
        except store_cuts.Cut:
            return True
        return False

    def test_the_right_one_forgives_the_wrong_ones(self):
        self.assertEqual((self.wrong(4), self.pin.left), ([False] * 4, 1))
        self.assertTrue(self.pin.check("4711"))
        self.assertEqual((self.pin.left, self.pin.locked_s()), (5, 0))

    def test_five_wrong_ones_lock_even_the_right_one_out(self):
        self.wrong(5)
        self.assertEqual((self.pin.locked_s(), self.pin.check("4711"), self.pin.left), (600, False, 0))
        self.up_s = 599
        self.assertEqual((self.pin.locked_s(), self.pin.check("4711")), (1, False))
        self.up_s = 600
        self.assertTrue(self.pin.check("4711"))

    def test_the_lock_grows_up_to_a_day(self):
        locks = []
        for _ in range(6):
            self.wrong(5)
            locks.append(self.pin.locked_s())
            self.up_s += locks[-1]
            self.assertEqual(self.pin.left, 0)
            self.assertEqual((self.pin.locked_s(), self.pin.left), (0, 5))
        self.assertEqual(locks, [600, 2400, 9600, 38400, 86400, 86400])

    def test_a_restart_begins_the_lock_anew_and_does_not_make_it_longer(self):
        self.wrong(5)
        self.up_s = 599
        for _ in range(3):
            self.restart()
            self.assertEqual((self.pin.locked_s(), self.pin.check("4711")), (600, False))

    def test_a_try_is_stored_before_it_is_compared(self):
        self.wrong(2)
        for cut in range(2):
            self.assertEqual(self.cut(cut, "0000"), not cut)
            self.restart()
            self.assertEqual(self.pin.left, 3 - cut)

    def test_a_try_that_cannot_be_stored_is_not_made(self):
        self.assertTrue(self.cut(0, "4711"))
        self.assertEqual(self.pin.left, 5)

    def test_a_power_cut_before_the_fifth_ones_verdict_locks(self):
        self.wrong(4)
        self.assertEqual(self.cut(1, "0000"), True)
        self.restart()
        self.assertEqual(self.pin.locked_s(), 600)


if __name__ == "__main__":
    unittest.main()
