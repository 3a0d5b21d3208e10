"""Private billing on the hub: each day's batch goes out until it is receipted, and until then no other one does."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from billing_bench import DAY, START, STEP, Case, Full, batch_of, opened

from meterhub.codec import billing

HOURS = range(25)


class DaysTest(Case):
    def test_a_day_is_committed_to_signed_and_sent(self):
        kept = self.read(range(-1, 25))
        (batch,) = self.work(24)
        self.assertTrue(opened(batch, [kept[i] for i in range(1, 25)], kept[0]))
        self.assertEqual((batch.day, batch.first, batch.count, batch.late), (DAY, START // STEP, 24, 0))
        self.assertEqual((batch.turn, batch.exports, batch.previous), (billing.NO_TURN, False, bytes(32)))
        self.assertEqual(batch.tariff, bytes(32))
        self.assertEqual(self.due, 0)  # a receipt is awaited

    def test_nothing_goes_out_of_the_day_on_which_it_was_agreed_to(self):
        self.read(range(-30, 24), wh=9000)
        self.assertEqual(self.work(-1), [])
        self.assertEqual(self.due, START)
        self.assertEqual(self.work(23), [])
        self.assertEqual(self.due, START + 24 * STEP)

    def test_a_day_is_not_made_before_its_last_reading_is_there_or_does_not_come(self):
        self.read(range(24))
        self.assertEqual(self.work(24), [])
        self.assertEqual(self.due, START + 24 * STEP + 60)
        (batch,) = self.work(25)
        self.assertEqual([batch.is_missing(i) for i in (22, 23)], [False, True])

    def test_it_comes_again_as_it_was_and_after_a_restart_too(self):
        self.read(HOURS)
        (first,) = self.work(24)
        (again,) = self.work(25)
        self.boot()
        (after,) = self.work(26)
        self.assertTrue(again.body == after.body == first.body)  # assertEqual would print them
        self.assertNotEqual(again.signature, first.signature)  # no two are made with one nonce

    def test_the_next_day_follows_when_the_receipt_is_there(self):
        self.read(range(49))
        (first,) = self.work(48)
        self.answer(first)
        (second,) = self.work(49)
        self.assertEqual((second.day, second.chain, second.previous), (DAY + 1, first.chain, first.digest()))
        self.assertEqual(second.first, first.first + first.count)
        self.boot()
        self.answer(first)  # of another copy
        self.answer(second)
        self.assertEqual(self.work(50), [])
        self.assertEqual(self.due, START + 72 * STEP)
        self.assertEqual(self.hub.refused(), [])
        self.assertEqual(self.hub.consents.bill()["used"], START + 50 * STEP)

    def test_many_days_go_out_one_after_the_other(self):
        self.read(range(73))
        far = []

        def answered(message):
            far.append(batch_of(message))
            self.answer(far[-1])

        self.hub.wan.far = answered
        self.hub.clock.at = START + 72 * STEP
        self.assertEqual(self.hub.work(), START + 96 * STEP)
        self.assertEqual([batch.day for batch in far], [DAY, DAY + 1, DAY + 2])

    def test_nothing_is_made_while_the_broker_cannot_be_reached_or_has_no_room(self):
        self.read(HOURS)
        self.hub.wan.is_up = False
        self.assertEqual((self.work(24), self.due), ([], START + 24 * STEP + 600))
        self.hub.wan.is_up, self.hub.wan.room = True, False
        self.assertEqual((self.work(24), self.due), ([], START + 24 * STEP + 600))
        self.assertEqual(self.hub.chain().made, None)

    def test_what_cannot_be_saved_is_not_sent(self):
        self.read(HOURS)
        self.work(1)  # there is a chain
        self.hub.record = lambda name, found=self.hub.record: Full(found(name))
        self.assertRaises(OSError, self.work, 24)
        self.assertEqual(self.hub.wan.posted, [])

    def test_without_a_time_nothing_happens(self):
        self.read(HOURS)
        self.hub.clock.at = 0
        self.hub.work()
        self.assertEqual((self.hub.wan.posted, self.hub.chain().state), ([], None))


if __name__ == "__main__":
    unittest.main()
