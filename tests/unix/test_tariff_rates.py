"""A tariff at work: which band counts when, what energy costs, and what has no price."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from tariff_samples import blocks, largest, simple

from meterhub.codec import tariff
from meterhub.codec.calendar import seconds
from meterhub.codec.rates import Rates
from meterhub.codec.tariff_use import Use, bill
from meterhub.errors import HubError

DAY = 86400


def rates(make=simple, **fields):
    document = make()
    document.update(fields)
    return Rates(tariff.packed(document))


def names(found, start, stop, step_s=1800):
    """Return the runs of bands from start to stop: [(name, intervals), ...]."""
    runs = []
    for i in range((stop - start) // step_s):
        name = found.name(found.band_at(start + i * step_s))
        if runs and runs[-1][0] == name:
            runs[-1][1] += 1
        else:
            runs.append([name, 1])
    return [tuple(run) for run in runs]


class BandTest(unittest.TestCase):
    def test_a_day_in_winter_and_in_summer(self):
        found = rates()
        day = [("day", 1), ("night", 14), ("day", 33)]
        self.assertEqual(names(found, seconds(2026, 1, 10), seconds(2026, 1, 11)), day)
        self.assertEqual(names(found, seconds(2026, 7, 9, 23), seconds(2026, 7, 10, 23)), day)
        self.assertEqual(
            (found.band_at(seconds(2026, 1, 10, 0, 29, 59)), found.band_at(seconds(2026, 1, 10, 0, 30))), (1, 0)
        )

    def test_the_night_of_the_clock_change_is_shorter_or_longer(self):
        found = rates()
        spring = names(found, seconds(2026, 3, 29), seconds(2026, 3, 29, 23))
        self.assertEqual(spring, [("day", 1), ("night", 12), ("day", 33)])
        autumn = names(found, seconds(2026, 10, 24, 23), seconds(2026, 10, 26))
        self.assertEqual(autumn, [("day", 1), ("night", 16), ("day", 33)])

    def test_a_switch_in_the_hour_that_is_left_out_or_comes_twice(self):
        found = rates(days=[[0, 1, 90, 0, 150, 1]])  # 01:30 to 02:30
        self.assertEqual(
            names(found, seconds(2026, 3, 29), seconds(2026, 3, 29, 3)), [("day", 2), ("night", 1), ("day", 3)]
        )
        self.assertEqual(
            names(found, seconds(2026, 10, 25), seconds(2026, 10, 25, 3)),
            [("day", 1), ("night", 1), ("day", 1), ("night", 2), ("day", 1)],
        )

    def test_seasons_weeks_and_the_leap_day(self):
        weeks = [[0, 0, 0, 0, 0, 1, 1], [1] * 7]
        found = rates(days=[[0, 0], [0, 1]], weeks=weeks, seasons=[[2, 29, 1], [11, 1, 0]])
        noon = [
            (seconds(2026, 1, 2, 12), 0),  # a Friday in what began in November
            (seconds(2026, 1, 3, 12), 1),
            (seconds(2026, 2, 27, 12), 0),  # Friday
            (seconds(2024, 2, 28, 12), 0),
            (seconds(2024, 2, 29, 12), 1),
            (seconds(2026, 3, 2, 12), 1),
            (seconds(2026, 10, 30, 12), 1),
            (seconds(2026, 11, 2, 12), 0),  # Monday
        ]
        for at, band in noon:
            self.assertEqual(found.band_at(at), band)

    def test_special_days(self):
        special = [[12, 25, 1], [2026, 12, 25, 0], [2, 29, 1]]
        found = rates(days=[[0, 0], [0, 1]], special=special)
        for at, band in (
            (seconds(2025, 12, 25, 12), 1),
            (seconds(2026, 12, 25, 12), 0),
            (seconds(2027, 12, 25), 1),
            (seconds(2027, 12, 24, 23, 59, 59), 0),
            (seconds(2024, 2, 29, 12), 1),
            (seconds(2026, 3, 1, 12), 0),
        ):
            self.assertEqual(found.band_at(at), band)

    def test_the_next_change(self):
        found = rates()
        self.assertEqual(found.next_change(seconds(2026, 1, 10, 3, 7)), seconds(2026, 1, 10, 7, 30))
        self.assertEqual(found.next_change(seconds(2026, 3, 29, 0, 30)), seconds(2026, 3, 29, 6, 30))
        self.assertEqual(rates(days=[[0, 0]]).next_change(seconds(2026, 1, 10)), None)

    def test_all_that_there_can_be(self):
        found = rates(largest)
        self.assertEqual((found.bands, found.id, found.name(47)), (48, "x" * 32, "band 047"))
        at = seconds(2026, 2, 14, 10, 44)  # a special day without a year: number 13; 12:14 on the wall
        self.assertEqual(found.band_at(at), 24 + 13)
        self.assertEqual((found.price_at(at), found.export_price(37)), (1999999937, -1999999963))


class PriceTest(unittest.TestCase):
    def test_a_price_for_people_has_the_tax(self):
        self.assertEqual(rates().price_e5(28500), 28500)
        self.assertEqual(rates(tax_bp=500).price_e5(28500), 29925)
        self.assertEqual(rates(scale=-4, tax_bp=2100).price_e5(2712), 32815)  # 0.328152
        self.assertEqual(rates(scale=-7).price_e5(50), 1)  # 0.5 of a unit: away from zero
        self.assertEqual(rates(scale=-7).price_e5(-50), -1)
        self.assertEqual(rates(scale=-7).price_e5(49), 0)
        self.assertEqual(rates(scale=0).price_e5(2), 200000)

    def test_what_goes_over_a_limit_is_split(self):
        found = rates(blocks, bands=[{"name": "a", "prices": [10, 30, 20], "limits": [100, 250]}], days=[[0, 0]])
        for used, wh, cost in (
            (0, 0, 0),
            (0, 100, 1000),
            (0, 101, 1030),
            (99, 2, 40),
            (100, 1, 30),
            (0, 1000, 1000 + 4500 + 15000),
            (240, 20, 300 + 200),
            (250, 5, 100),
            (100000, 3, 60),
        ):
            self.assertEqual(found.charge(0, wh, used), cost)
        self.assertEqual([found.price(0, used) for used in (0, 99, 100, 249, 250)], [10, 10, 30, 30, 20])

    def test_amounts_beyond_32_bits_are_exact(self):
        found = rates(bands=[{"name": "a", "price": 2000000000}], days=[[0, 0]], scale=-8, tax_bp=1)
        net = found.charge(0, 2000000001)
        self.assertEqual(net, 4000000002000000000)
        self.assertEqual(found.amount(net), 4000400002)  # 40 004 000.020002
        self.assertEqual(found.amount(-net), -4000400002)

    def test_rounding_is_half_away_from_zero_and_once(self):
        found = rates(bands=[{"name": "a", "price": 1000}], days=[[0, 0]], standing={"price": 5, "scale": -3})
        self.assertEqual([found.amount(found.charge(0, wh)) for wh in (499, 500, 1499, 1500)], [0, 1, 1, 2])
        self.assertEqual(found.amount(-found.charge(0, 500)), -1)
        self.assertEqual(found.amount(found.standing_net), 1)  # 0.005
        self.assertEqual(found.amount(3 * found.standing_net), 2)  # 0.015: the sum is rounded, not its parts
        self.assertEqual(found.amount(found.standing_net, 5), 500)

    def test_a_standing_charge_with_finer_digits_than_the_prices(self):
        found = rates(scale=-2, standing={"price": 1, "scale": -8}, bands=[{"name": "a", "price": 1}], days=[[0, 0]])
        self.assertEqual((found.digits, found.standing_net, found.charge(0, 1)), (8, 1, 1000))
        self.assertEqual(rates(scale=-8, standing={"price": 1, "scale": 0}).standing_net, 10**11)


class UseTest(unittest.TestCase):
    START = seconds(2026, 1, 31, 23, 30)

    def test_blocks_begin_anew(self):
        bands = [{"name": "a", "prices": [10, 20], "limits": [100]}, {"name": "b", "prices": [1, 2], "limits": [50]}]
        use = Use(rates(blocks, bands=bands, days=[[0, 0]], blocks=["monthly", 1]), 1800)
        self.assertEqual(use.book(self.START - 1800, 90), 900)
        self.assertEqual(use.cost_of(self.START, 20), 300)
        self.assertEqual(use.book(self.START, 20), 300)
        self.assertEqual(use.cost_of(self.START + 1800, 20), 200)  # February
        self.assertEqual(use.book(self.START + 1800, 20), 200)
        self.assertEqual((use.used, use.wh, use.until), ([20, 0], [130, 0], seconds(2026, 3, 1)))

    def test_steps_begin_anew_in_each_interval(self):
        bands = [{"name": "a", "prices": [10, 5], "limits": [100]}]
        use = Use(rates(kind="steps", bands=bands, days=[[0, 0]]), 1800)
        self.assertEqual(
            [use.book(self.START + i * 1800, wh) for i, wh in enumerate((150, 150, 30))], [1250, 1250, 300]
        )

    def test_a_gap_has_a_price_only_if_no_other_can_have_counted(self):
        use = Use(rates(), 1800)
        night = seconds(2026, 1, 10, 1)
        self.assertEqual(use.book_gap(night, night + 3 * 1800, 10), 75000)
        self.assertEqual(use.book_gap(night, seconds(2026, 1, 10, 7, 30), 10), 75000)
        self.assertEqual(use.book_gap(night, seconds(2026, 1, 10, 8), 7), None)
        self.assertEqual(use.book_gap(night, night + DAY, 5), None)
        self.assertEqual((use.wh, use.unassigned_wh), ([20, 0], 12))
        flat = Use(rates(bands=[{"name": "a", "price": 3}], days=[[0, 0]]), 1800)
        self.assertEqual(flat.book_gap(night, night + 400 * DAY, 10), 30)

    def test_a_gap_over_the_end_of_the_blocks_has_no_price(self):
        bands = [{"name": "a", "prices": [10, 20], "limits": [100]}]
        use = Use(rates(blocks, bands=bands, days=[[0, 0]], blocks=["monthly", 1]), 1800)
        self.assertEqual(use.book_gap(self.START - 3600, self.START + 1800, 150), 2000)  # until the month ends
        self.assertEqual(use.book_gap(self.START, self.START + 3600, 30), None)
        self.assertEqual((use.used, use.unassigned_wh), ([150], 30))

    def test_intervals_that_a_tariff_cannot_be_told_from(self):
        linear = rates()
        Use(linear, 900)
        self.assertRaises(HubError, Use, linear, 3600)
        steps = rates(kind="steps")
        Use(steps, 1800)
        self.assertRaises(HubError, Use, steps, 900)


class BillTest(unittest.TestCase):
    def test_gaps_are_told_and_have_no_price(self):
        start = seconds(2026, 1, 10)
        series = [
            (start, start + 1800, 100, None),  # day
            (start + 1800, start + 3600, 200, 40),  # night
            (start + 3600, start + 5400, None, None),
            (start + 9000, start + 10800, 50, None),  # one left out before
            (start + 10800, start + 18000, 60, 8),  # four together, all night
            (start + 18000, start + 36000, 500, None),  # night and day
        ]
        found = bill(rates(export=[1000, 2000], standing={"price": 50, "scale": -2}, tax_bp=1000), series, 1800)
        self.assertEqual((found.start, found.stop, found.gaps), (start, start + 36000, 3))
        self.assertEqual((found.wh, found.unpriced_wh, found.days), ([310, 100], 500, 1))
        self.assertEqual(found.net, [310 * 7500, 100 * 28500])
        self.assertEqual((found.energy, found.standing, found.total), (6, 55, 61))  # 0.057, 0.55, 0.607
        self.assertEqual((found.export_wh, found.income, found.unpaid_wh), (48, 0, 8))

    def test_days_are_counted_where_they_begin(self):
        found = rates()
        for start, stop, count in (
            (seconds(2026, 1, 10), seconds(2026, 1, 10), 1),
            (seconds(2026, 1, 10, 0, 30), seconds(2026, 1, 10, 23, 59), 0),
            (seconds(2026, 3, 28), seconds(2026, 3, 29, 22, 59), 2),
            (seconds(2026, 3, 28), seconds(2026, 3, 29, 23), 3),
            (seconds(2024, 2, 1), seconds(2024, 2, 29, 23), 29),
            (seconds(2026, 1, 10), seconds(2026, 1, 9), 0),
        ):
            self.assertEqual(found.midnights(start, stop), count)

    def test_times_that_are_no_interval_s_or_go_back_are_refused(self):
        at = seconds(2026, 1, 10)
        for series in (
            [(at + 1, at + 1800, 1, None)],
            [(at, at + 1801, 1, None)],
            [(at, at, 1, None)],
            [(at, at + 1800, 1, None), (at, at + 1800, 1, None)],
        ):
            self.assertRaises(HubError, bill, rates(), series, 1800)

    def test_nothing_costs_nothing(self):
        found = bill(rates(), [], 1800)
        self.assertEqual((found.start, found.stop, found.total, found.gaps), (0, 0, 0, 0))


if __name__ == "__main__":
    unittest.main()
