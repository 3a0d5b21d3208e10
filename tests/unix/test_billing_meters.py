"""Private billing on the hub: days of several meters, and of what cannot be."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from billing_bench import DAY, Case

from meterhub.codec import billing


class MetersTest(Case):
    def test_over_an_exchange_neither_meter_is_lost(self):
        self.read(range(10), meters=("A",))
        self.work(9)
        self.read(range(11, 25), wh=5, meters=("B",))
        (batch,) = self.work(24)
        self.assertEqual((batch.turn, [i for i in range(24) if batch.is_missing(i)]), (10, [9, 10]))
        self.assertEqual(len(batch.energy()), 22)
        (again,) = self.work(25)
        self.assertTrue(again.body == batch.body)  # assertEqual would print both
        self.read([25], wh=900000, meters=("C",))
        (again,) = self.work(26)  # a third one's exchange changes nothing of that day
        self.assertEqual((again.body == batch.body, self.hub.named("BILL_CHAIN")), (True, []))
        self.answer(batch)
        second = self.work(49)[0]
        self.assertEqual(second.turn, 0)

    def test_a_register_that_falls_is_another_meters(self):
        self.read(range(10))
        self.read(range(10, 25), wh=0, step_wh=3)
        (batch,) = self.work(24)
        self.assertEqual(batch.turn, 9)

    def test_what_follows_a_second_turn_is_missing(self):
        self.read(range(10))
        self.read(range(10, 15), wh=500, step_wh=1)
        self.read(range(15, 25), wh=0, step_wh=2)
        (batch,) = self.work(24)
        self.assertEqual((batch.turn, batch.present), (9, list(range(9)) + [10, 11, 12, 13]))
        self.answer(batch)
        self.read(range(25, 49), wh=0, step_wh=2)
        self.assertEqual(self.work(48)[0].turn, 0)

    def test_what_no_interval_can_have_is_never_committed_to(self):
        self.read(range(10))
        self.read(range(10, 49), wh=5000000)
        self.read(range(49, 73), wh=5000000)
        (batch,) = self.work(72)
        self.assertEqual(self.hub.named("BILL_CHAIN"), ["ended before day %d: growth" % DAY])
        self.assertEqual((batch.day, batch.previous, batch.turn), (DAY + 1, bytes(32), billing.NO_TURN))


if __name__ == "__main__":
    unittest.main()
