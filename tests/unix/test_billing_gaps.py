"""Private billing on the hub: a day with readings that are missing, of several meters, or that cannot be."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from billing_bench import START, STEP, Case, opened

from meterhub.applets import billed_day
from meterhub.codec import billing
from meterhub.codec.calendar import seconds
from meterhub.codec.load_profile import PARTIAL, Entry
from meterhub.codec.timezone import Zone


class GapsTest(Case):
    def test_days_of_23_and_25_hours_are_whole(self):
        zone = Zone("CET-1CEST,M3.5.0,M10.5.0/3")
        for month, day, hours in ((3, 29, 23), (10, 25, 25), (7, 1, 24)):
            start, stop, first, count = billed_day.place(zone, 900, seconds(2026, month, day) // 86400)
            self.assertEqual((stop - start, count, first * 900), (hours * 3600, hours * 4, start))

    def test_missing_readings_are_missing_and_their_energy_is_in_the_next(self):
        hours = [0, 1, 2, 6, 7, 23]
        kept = self.read(hours + [25])
        (batch,) = self.work(26)
        self.assertTrue(opened(batch, [kept.get(i) for i in range(1, 25)], kept[0]))
        self.answer(batch)
        self.read(range(26, 49))
        (second,) = self.work(49)
        self.assertEqual(second.late, 1)
        self.assertTrue(opened(second, [kept.get(25)] + [1000 + 100 * i for i in range(26, 49)], kept[23]))

    def test_a_chain_that_begins_without_a_reading_begins_with_a_turn(self):
        self.read([30, 31])
        first = self.work(25)[0]
        self.assertEqual((first.present, first.turn, first.late), ([], billing.NO_TURN, 65535))
        self.assertTrue(opened(first, [None] * 24, 0))
        self.answer(first)
        second = self.work(50)[0]
        self.assertEqual((second.turn, second.present, second.late), (5, [6], 65535))

    def test_readings_that_are_not_of_the_end_do_not_count(self):
        kept = self.read(range(5))
        self.hub.profile.append(Entry(START + 5 * STEP, PARTIAL, (1490,)))
        kept.update(self.read(range(6, 25)))
        (batch,) = self.work(24)
        self.assertTrue(opened(batch, [None if i == 5 else kept[i] for i in range(1, 25)], kept[0]))


if __name__ == "__main__":
    unittest.main()
