"""Numbers as the household reads them."""

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


if __name__ == "__main__":
    unittest.main()
