"""The pages, made from plain values; and that everything on them fits."""

import unittest

from meterhub.ihd import asking, layout, pages, reading
from meterhub.ihd.canvas import Canvas, text_width
from meterhub.ihd.model import Consent, Logged, Message, Model

WISH = ("half-hours", "1 Oct – 31 Oct 2026")


def household():
    model = Model("7Q2KX9M4RT0ABCDE", "Kitchen", "0.1.0")
    model.clock, model.wan, model.meters = "14:05", "up", ("fresh",)
    model.power_w, model.import_wh, model.export_wh = 2310, 12345678, 4200123
    model.price_e5, model.export_price_e5 = 28500, 8000
    model.today_wh, model.yesterday_wh, model.month_wh, model.last_month_wh = 7420, 8100, 151200, 203400
    model.last_hour_w = (300, 500, None, 1200, 2310)
    return model


def drawn(page):
    canvas = Canvas(128, 64, bytearray(1024))
    layout.draw(page, canvas)
    return canvas.buffer


class PagesTest(unittest.TestCase):
    def test_now_shows_power_cost_and_register(self):
        page = pages.now(household())
        self.assertEqual((page.title, page.value, page.unit), ("NOW", "2.31", "kW"))
        self.assertEqual(page.lines, ("◐ medium\t€0.66/h", "import\t12345.678 kWh"))
        self.assertEqual((page.a, page.b), ("next", "access"))

    def test_low_medium_and_high_are_words_and_shapes(self):
        model = household()
        for power, word in ((0, "○ low"), (499, "○ low"), (500, "◐ medium"), (2500, "● high"), (17000, "● high")):
            model.power_w = power
            self.assertTrue(pages.now(model).lines[0].startswith(word))

    def test_export_has_an_arrow_its_own_price_and_its_own_register(self):
        model = household()
        model.power_w = -1250
        page = pages.now(model)
        self.assertEqual(page.value, "↑1.25")
        self.assertEqual(page.lines, ("↑ earning\t€0.10/h", "export\t4200.123 kWh"))

    def test_nothing_known_is_said_as_such(self):
        model = Model()
        self.assertEqual((pages.now(model).value, pages.now(model).corner), ("--", "--:--"))
        self.assertEqual(pages.now(model).lines, ("no reading yet", "import\t-- kWh"))
        self.assertEqual((pages.today(model).value, pages.month(model).lines[0]), ("--", "no price set"))

    def test_today_shows_energy_money_and_the_day_before(self):
        page = pages.today(household())
        self.assertEqual((page.title, page.value, page.unit), ("TODAY", "7.42", "kWh"))
        self.assertEqual(page.lines, ("cost\t€2.11", "yesterday\t8.10 kWh"))

    def test_a_month_with_export_shows_it(self):
        model = household()
        model.month_export_wh = 98400
        self.assertEqual(pages.month(model).lines, ("€43.09\t↑ 98.40 kWh", "last month\t203.4 kWh"))

    def test_b_leads_to_what_matters_most(self):
        model = household()
        self.assertEqual(pages.now(model).b, "access")
        model.messages = [Message("Power cut", ("Planned",), True)]
        self.assertEqual(pages.now(model).b, "msgs")
        model.troubles = [("No data from meter since 14:05.", "Is the cable in?")]
        self.assertEqual(pages.now(model).b, "why")
        self.assertTrue(pages.now(model).lines[1].startswith("▲ No data"))

    def test_who_asks_says_who_will_be_able_to_read_it(self):
        page = asking.who_asks("Green Co-op", WISH, "they CAN read it", "no", "show PIN")
        self.assertEqual((page.value, page.lines, page.strong), ("Green Co-op", WISH, "they CAN read it"))
        self.assertTrue(page.alert)

    def test_the_pin_is_in_threes_with_code_tries_and_time(self):
        page = asking.pin("482913764", "K7QX", 2, 291)
        self.assertEqual((page.value, page.lines), ("482 913 764", ("K7QX",)))
        self.assertEqual((page.corner, page.a), ("2 tries left  4:51", "cancel"))
        self.assertEqual(asking.pin("482913764", "K7QX", 1, 9).corner, "last try  0:09")
        self.assertEqual(asking.pin("482913764", "K7QX", 3, -5).corner, "3 tries left  0:00")

    def test_no_page_has_a_title_of_more_than_sixteen_characters(self):
        self.assertEqual(pages.page("a title that is too long", "", ()).title, "a title that is ")

    def test_consents_and_log(self):
        model = household()
        model.consents = [Consent("Green Co-op", "half-hours", "31 Oct 2027", "1 Oct 14:05", 1)] * 2
        self.assertEqual(reading.consent(model, 1).corner, "2/2")
        self.assertEqual(reading.log(model, 0).value, "empty")
        model.log = [Logged("1 Oct 14:05", "Green Co-op", "sent: 1,488 half-hours")]
        self.assertEqual((reading.log(model, 0).value, reading.log(model, 0).b), ("Green Co-op", ""))


class FitTest(unittest.TestCase):
    def test_the_plain_sentences_fit_in_one_line(self):
        for text in ("they CAN read it", "only your browser can read it", "24 Dec 2025 – 31 Oct 2026"):
            self.assertTrue(text_width(text) <= 126, text)

    def test_the_largest_values_keep_their_distance_from_the_labels(self):
        model = household()
        for power in (99999, -99999, 0):
            model.power_w = power
            model.last_hour_w = (99999,) * 12
            buffer = drawn(pages.now(model))
            self.assertEqual([x for x in range(128) if buffer[54 // 8 * 128 + x] >> 54 % 8 & 1], [])

    def test_long_names_and_sentences_stay_inside(self):
        for name in ("", "X", "A" * 200, "word " * 60, "Stadtwerke München Netz GmbH & Co. KGaA"):
            for who in ("they CAN read it", "word " * 40):
                drawn(asking.who_asks(name, WISH, who, "no", "show PIN"))
            drawn(asking.notice((name, name, name, name)))

    def test_a_recipients_name_changes_the_picture(self):
        one = drawn(asking.who_asks("Green Co-op", WISH, "they CAN read it", "no", "show PIN"))
        two = drawn(asking.who_asks("Green Co-0p", WISH, "they CAN read it", "no", "show PIN"))
        self.assertNotEqual(one, two)

    def test_the_pin_page_shows_nine_big_digits(self):
        one = drawn(asking.pin("111111111", "K7QX", 3, 600))
        for i in range(9):
            other = drawn(asking.pin("1" * i + "8" + "1" * (8 - i), "K7QX", 3, 600))
            self.assertNotEqual(one, other)


if __name__ == "__main__":
    unittest.main()
