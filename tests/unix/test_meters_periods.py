"""Periods: today, yesterday and the months, by local midnights, and None where it is not known."""

import unittest

from meterhub.codec.calendar import seconds
from meterhub.codec.load_profile import MEASURED, Entry
from meterhub.codec.timezone import Zone
from meterhub.meters.periods import Periods, Sums, cost_e5

ZONE = Zone("CET-1CEST,M3.5.0,M10.5.0/3")


class MemoryProfile:
    """Holds 10 Wh for each half-hour since the start of 2025, but for what is missing."""

    since = 0
    interval_s = 1800
    meters = ("", "A1")

    def __init__(self):
        self.missing = set()
        self.asked = 0

    def value_at(self, at):
        self.asked += 1
        if at in self.missing or at < seconds(2025, 1, 1):
            return None
        return Entry(at, MEASURED, (None, self.register(at)))

    def register(self, at):
        return (at - seconds(2025, 1, 1)) // 1800 * 10


def hours(n):
    return n * 20


class PeriodsTest(unittest.TestCase):
    def setUp(self):
        self.profile = MemoryProfile()
        self.periods = Periods(self.profile, ZONE, 1)

    def sums(self, at):
        return self.periods.sums(at, self.profile.register(at))

    def test_periods_begin_at_local_midnight(self):
        now = seconds(2025, 5, 14, 10)  # noon in summer
        self.assertEqual(self.sums(now), Sums(hours(12), hours(24), hours(13 * 24 + 12), hours(30 * 24)))

    def test_the_days_of_the_clock_change_have_23_and_25_hours(self):
        self.assertEqual(self.sums(seconds(2025, 3, 31, 12)).yesterday, hours(23))
        self.assertEqual(self.sums(seconds(2025, 10, 27, 12)).yesterday, hours(25))

    def test_a_tenants_first_day_and_month_begin_with_the_tenancy(self):
        self.profile.since = seconds(2025, 5, 14, 3) - 5
        found = self.sums(seconds(2025, 5, 14, 10))
        self.assertEqual(found, Sums(hours(7), None, hours(7), None))
        found = self.sums(seconds(2025, 5, 20, 10))
        self.assertEqual(found, Sums(hours(12), hours(24), hours(6 * 24 + 7), None))
        found = self.sums(seconds(2025, 6, 2, 10))
        self.assertEqual(found, Sums(hours(36 - 24), hours(24), hours(36), hours(17 * 24 + 19)))

    def test_the_first_day_of_a_month_is_both(self):
        found = self.sums(seconds(2025, 6, 1, 10))
        self.assertEqual((found.today, found.month), (hours(12), hours(12)))

    def test_what_is_missing_is_not_known_and_the_rest_is(self):
        self.profile.missing.add(seconds(2025, 5, 13, 22))
        found = self.sums(seconds(2025, 5, 14, 10))
        self.assertEqual((found.today, found.yesterday, found.month), (None, None, hours(13 * 24 + 12)))

    def test_an_end_that_is_still_to_come_is_asked_for_again(self):
        midnight = seconds(2025, 5, 13, 22)
        self.profile.missing.add(midnight)
        self.assertEqual(self.sums(midnight + 60).today, None)
        self.profile.missing.clear()
        self.assertEqual(self.sums(midnight + 1800).today, hours(1) // 2)

    def test_what_is_known_is_not_looked_up_again(self):
        self.sums(seconds(2025, 5, 14, 10))
        asked = self.profile.asked
        self.sums(seconds(2025, 5, 14, 11))
        self.assertEqual(self.profile.asked, asked)

    def test_before_the_history_nothing_is_known(self):
        found = self.sums(seconds(2025, 1, 1, 12))
        self.assertEqual((found.today, found.yesterday, found.month, found.last_month), (None, None, None, None))

    def test_without_a_clock_or_a_reading_nothing_is_known(self):
        nothing = Sums(None, None, None, None)
        self.assertEqual(self.periods.sums(0, 5), nothing)
        found = self.periods.sums(seconds(2025, 5, 14, 10), None)
        self.assertEqual((found.today, found.month, found.yesterday), (None, None, hours(24)))

    def test_a_meter_exchanged_within_a_period_makes_it_unknown(self):
        self.assertEqual(self.periods.sums(seconds(2025, 5, 14, 10), 3).today, None)

    def test_another_meter_s_midnight_is_forgotten_even_if_it_had_read_less(self):
        now = seconds(2025, 5, 14, 10)
        self.sums(now)
        self.profile.meters = ("", "B1")
        self.profile.missing.update([seconds(2025, m, d, h) for m, d, h in ((5, 13, 22), (5, 12, 22), (4, 30, 22))])
        found = self.periods.sums(now + 60, 10**9)
        self.assertEqual((found.today, found.yesterday, found.month, found.last_month), (None, None, None, None))

    def test_a_zone_whose_midnight_falls_into_an_interval_knows_nothing(self):
        odd = Periods(self.profile, Zone("XXX-05:45"), 1)
        self.assertEqual(odd.sums(seconds(2025, 5, 14, 10), 9999999).today, None)

    def test_costs_are_rounded_to_the_nearest(self):
        self.assertEqual(cost_e5(7420, 28500), 211470)
        self.assertEqual(cost_e5(1, 28500), 29)
        self.assertEqual(cost_e5(None, 28500), None)


if __name__ == "__main__":
    unittest.main()
