"""History: days, weeks and months by local midnights and Mondays, over changes of the clock, a tenant and gaps."""

import unittest

from meterhub.codec.calendar import seconds
from meterhub.codec.load_profile import MEASURED, Entry
from meterhub.codec.timezone import Zone
from meterhub.meters.history import history

ZONE = Zone("CET-1CEST,M3.5.0,M10.5.0/3")
NOW = seconds(2026, 4, 1, 10)  # a Wednesday, noon in Berlin; summer time began on Sunday
HOUR = 20  # Wh


class Profile:
    """10 Wh for each half-hour since the start of 2025."""

    since = 0
    interval_s = 1800

    def __init__(self):
        self.missing = ()

    def value_at(self, at):
        if at in self.missing or at < seconds(2025, 1, 1) or at < self.since:
            return None
        return Entry(at, MEASURED, (None, self.register(at)))

    def register(self, at):
        return (at - seconds(2025, 1, 1)) // 1800 * 10


class HistoryTest(unittest.TestCase):
    def setUp(self):
        self.profile = Profile()

    def read(self, newest=0):
        return history(self.profile, ZONE, 1, NOW, self.profile.register(NOW) if newest == 0 else newest)

    def test_this_and_the_previous_eight_days(self):
        days = self.read()[0]
        self.assertEqual([energy // HOUR for _, energy in days], [12, 24, 24, 23, 24, 24, 24, 24, 24])
        self.assertEqual(days[0][0], seconds(2026, 3, 31, 22))
        self.assertEqual(days[3][0], seconds(2026, 3, 28, 23))  # the short day began in winter time

    def test_this_and_the_previous_five_weeks_begin_on_monday(self):
        weeks = self.read()[1]
        self.assertEqual([energy // HOUR for _, energy in weeks], [60, 167, 168, 168, 168, 168])
        self.assertEqual(weeks[0][0], seconds(2026, 3, 29, 22))
        self.assertTrue(all([ZONE.local(start)[6] == 0 for start, _ in weeks]))

    def test_this_and_the_previous_thirteen_months(self):
        months = self.read()[2]
        self.assertEqual(len(months), 14)
        self.assertEqual([energy // HOUR for _, energy in months[:4]], [12, 31 * 24 - 1, 28 * 24, 31 * 24])
        self.assertEqual(ZONE.local(months[13][0])[:3], (2025, 3, 1))

    def test_a_reading_that_is_missing_costs_the_periods_it_ends(self):
        self.profile.missing = (seconds(2026, 3, 30, 22),)
        days, weeks, months = self.read()
        self.assertEqual([energy is None for _, energy in days], [False, True, True] + [False] * 6)
        self.assertTrue(all([energy is not None for _, energy in weeks + months]))

    def test_another_meter_s_readings_are_never_subtracted(self):
        self.assertEqual(self.read(5)[0][0], (seconds(2026, 3, 31, 22), None))
        self.assertEqual(self.read(None)[0][0], (seconds(2026, 3, 31, 22), None))

    def test_nothing_from_before_a_tenant_moved_in(self):
        self.profile.since = seconds(2026, 3, 30, 8)
        days, weeks, months = self.read()
        self.assertEqual([energy // HOUR for _, energy in days], [12, 24, 14])
        self.assertEqual([start for start, _ in weeks], [self.profile.since])
        self.assertEqual([energy // HOUR for _, energy in months], [12, 38])


if __name__ == "__main__":
    unittest.main()
