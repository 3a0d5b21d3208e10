"""Numbers and dates as the household reads them."""

import unittest

from meterhub.ihd import words


class WordsTest(unittest.TestCase):
    def test_thousandths_are_rounded_half_up(self):
        for value, places, text in (
            (2310, 2, "2.31"),
            (2314, 2, "2.31"),
            (2315, 2, "2.32"),
            (0, 2, "0.00"),
            (12345678, 3, "12345.678"),
            (1499, 0, "1"),
            (1500, 0, "2"),
            (-2315, 2, "-2.32"),
            (-4, 2, "0.00"),
            (999999999999, 3, "999999999.999"),
            (None, 2, "--"),
        ):
            self.assertEqual(words.kilo(value, places), text)

    def test_energy_loses_decimals_as_it_grows(self):
        for wh, text in ((7420, "7.42"), (99990, "99.99"), (151200, "151.2"), (3456789, "3457"), (None, "--")):
            self.assertEqual(words.energy(wh), text)

    def test_money_has_its_sign_where_people_expect_it(self):
        self.assertEqual(words.money(211000, "GBP"), "£2.11")
        self.assertEqual(words.money(211500, "EUR"), "€2.12")
        self.assertEqual(words.money(211000, "SEK"), "2.11 SEK")
        self.assertEqual(words.money(-66000, "EUR"), "-€0.66")
        self.assertEqual(words.money(None, "EUR"), "")

    def test_cost_is_known_when_energy_and_price_are(self):
        self.assertEqual(words.cost(7420, 28500), 211470)
        self.assertIsNone(words.cost(None, 28500))
        self.assertIsNone(words.cost(7420, None))

    def test_dates_read_like_dates(self):
        october = (2026, 10, 1, 14, 5, 0, 3)
        self.assertEqual(words.day(october), "1 Oct")
        self.assertEqual(words.stamp(october), "1 Oct 14:05")
        self.assertEqual(words.period(october, (2026, 10, 31, 0, 0)), "1 Oct – 31 Oct 2026")
        self.assertEqual(words.period((2025, 12, 24, 0, 0), october), "24 Dec 2025 – 1 Oct 2026")
        self.assertEqual(words.period(october, october), "1 Oct 2026")

    def test_a_countdown_never_goes_below_zero(self):
        for seconds, text in ((291, "4:51"), (600, "10:00"), (9, "0:09"), (0, "0:00"), (-5, "0:00")):
            self.assertEqual(words.countdown(seconds), text)

    def test_counts_are_grouped(self):
        for count, text in ((0, "0"), (999, "999"), (1488, "1,488"), (1234567, "1,234,567")):
            self.assertEqual(words.grouped(count), text)


if __name__ == "__main__":
    unittest.main()
