"""The pages, made from plain values; and that everything on them fits."""

import unittest

from meterhub.ihd import asking, layout, pages, reading
from meterhub.ihd.canvas import Canvas, text_width
from meterhub.ihd.entries import Consent, Logged
from meterhub.ihd.model import Model

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
        for power, word in (
            (0, "○ low"),
            (2299, "○ low"),
            (2300, "◐ medium"),
            (4599, "◐ medium"),
            (4600, "● high"),
            (17000, "● high"),
        ):
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

    def test_with_a_tariff_the_rate_is_named_and_the_cost_is_the_tariffs(self):
        model = household()
        model.rate, model.tariff = "night", ("eco-1", "until 07:30", 42000)
        model.today_cost, model.month_cost = (211470, True), (4300000, False)
        self.assertEqual(pages.now(model).title, "NOW night")
        self.assertEqual(pages.today(model).lines, ("cost\t€2.11", "yesterday\t8.10 kWh"))
        self.assertEqual(pages.month(model).lines[0], "known cost\t€43.00")
        model.month_export_wh = 98400
        self.assertEqual(pages.month(model).lines[0], "€43.00 known\t↑ 98.40 kWh")

    def test_the_tariff_has_a_page_when_there_is_one(self):
        model = household()
        self.assertEqual(reading.following(model, ("month", 0)), ("consent", 0))
        model.rate, model.tariff = "night", ("eco-1", "until 07:30", 42000)
        self.assertEqual(reading.following(model, ("month", 0)), ("tariff", 0))
        self.assertEqual(reading.following(model, ("tariff", 0)), ("consent", 0))
        page = reading.shown(model, ("tariff", 0))
        self.assertEqual((page.title, page.value, page.unit), ("TARIFF", "28.50", "ct/kWh"))
        self.assertEqual(page.lines, ("night\tuntil 07:30", "standing\t€0.42/day"))
        model.rate, model.tariff, model.currency, model.price_e5 = "", ("eco-1", "", 42000), "CHF", 28500
        page = reading.shown(model, ("tariff", 0))
        self.assertEqual((page.value, page.unit, page.lines[1]), ("0.29", "CHF/kWh", "eco-1"))
        model.tariff = ()
        self.assertEqual(reading.shown(model, ("tariff", 0)), None)

    def judged(self, *phase):
        said = self.voltage(0, phase)
        return said[0], said[2]

    def voltage(self, index, *phases):
        model = household()
        model.voltage = lambda: (216000, 253000, list(phases))
        page = reading.shown(model, ("voltage", index))
        self.assertNotEqual(drawn(page), bytearray(1024))
        return (page.value + " " + page.unit, page.corner) + page.lines

    def test_the_voltage_has_pages_where_it_is_watched(self):
        model = household()
        self.assertEqual(reading.following(model, ("month", 0)), ("consent", 0))
        self.assertEqual(reading.shown(model, ("voltage", 0)), None)
        model.voltage = lambda: (216000, 253000, [])
        self.assertEqual(reading.following(model, ("month", 0)), ("voltage", 0))
        self.assertEqual(reading.second(model, ("voltage", 0)), ("voltage", 1))
        self.assertEqual(reading.second(model, ("voltage", 1)), ("voltage", 0))
        for index in (0, 1):
            self.assertEqual(reading.following(model, ("voltage", index)), ("consent", 0))
        self.assertEqual(self.voltage(0)[0], "no reading ")
        self.assertEqual(self.voltage(1)[0], "nothing yet ")

    def test_one_phase_is_a_number_and_a_word_that_judges_it(self):
        for mv, word in (
            (253000, "normal"),
            (253001, "too high"),
            (216000, "normal"),
            (215999, "too low"),
            (0, "no voltage"),
        ):
            said = self.voltage(0, ("L1", mv, 0, 0, 0, 0, -1))
            self.assertEqual(said[1:], ("", word, "fine\t216.0 - 253.0 V"))
        self.assertEqual(said[0], "0.0 V")
        self.assertEqual(self.judged("L1", 230149, 1, 0, 0, 0, -1), ("230.1 V", "high lately"))
        self.assertEqual(self.judged("L1", 230150, -1, 0, 0, 0, -1), ("230.2 V", "low lately"))
        self.assertEqual(self.judged("L1", None, 1, 0, 0, 0, -1), ("-- V", "no reading"))

    def test_of_three_phases_the_worst_is_the_headline(self):
        fine, low = ("L1", 230000, 0, 0, 0, 0, -1), ("L2", 212400, 0, 0, 0, 0, -1)
        said = self.voltage(0, fine, low, ("L3", 0, 0, 0, 0, 0, -1))
        self.assertEqual(said[0], "no voltage ")
        self.assertEqual(said[2:], ("L1 230.0 V\tnormal", "L2 212.4 V\ttoo low", "L3 0.0 V\tno voltage"))
        self.assertEqual(self.voltage(0, fine, low)[0], "too low ")
        self.assertEqual(self.voltage(0, fine, ("L2", None, 0, 0, 0, 0, -1))[0], "normal ")

    def test_the_week_says_how_much_of_it_was_seen_and_that_it_goes_on(self):
        one = ("L1", None, 0, 7199, 223100, 241960, 1)
        self.assertEqual(self.voltage(1, one), ("good so far ", "1 h seen", "lowest\t223.1 V", "highest\t242.0 V"))
        said = self.voltage(1, one, ("L2", 1, 0, 0, 0, 0, -1), ("L3", 1, 0, 600, 180000, 264000, 0))
        self.assertEqual(said[:2], ("not good so far ", "1 h seen"))
        self.assertEqual(said[2:], ("L1\t223.1 - 242.0 V", "L2\tnothing yet", "L3\t180.0 - 264.0 V"))
        self.assertEqual(self.voltage(1, ("L1", 1, 0, 600, 1, 1, 1))[1], "10 min")

    def test_the_pages_of_the_voltage_are_not_wider_than_the_display(self):
        for low, high in ((0, 500000), (216000, 253000)):
            phases = [("L%d" % i, high, 1, 604800, low, high, 0) for i in (1, 2, 3)]
            for index in (0, 1):
                model = household()
                for count in (3, 1):
                    shown = phases[:count]
                    model.voltage = lambda low=low, high=high, shown=shown: (low, high, shown)
                    page = reading.shown(model, ("voltage", index))
                    for line in page.lines:
                        left, _, right = line.partition("\t")
                        self.assertTrue(text_width(left + "  " + right) <= layout.WIDTH, line)
                    canvas = Canvas(128, 64, bytearray(1024))
                    self.assertTrue(canvas.bold(0, 1, page.title) + text_width(page.corner) < layout.WIDTH)

    def test_the_longest_rates_fit_beside_the_clock(self):
        model = household()
        model.meters = ("fresh", "silent")
        canvas = Canvas(128, 64, bytearray(1024))
        for rate in ("standard", "off-peak", "weekend2", "00:30"):
            model.rate = rate
            page = pages.now(model)
            self.assertTrue(canvas.bold(0, 1, page.title) < 128 - text_width(page.corner), rate)

    def test_b_leads_to_what_matters_most(self):
        model = household()
        self.assertEqual(pages.now(model).b, "access")
        model.messages = ((1, True), (2, False))
        self.assertEqual(pages.now(model).b, "1 new")
        model.messages = ((1, False), (2, False))
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


class TextTest(unittest.TestCase):
    """What somebody else has written, on 128 x 64 pixels."""

    def draw(self, text, b="yes", strong="", leaf=0):
        canvas = Canvas(layout.WIDTH, layout.HEIGHT, bytearray(layout.WIDTH * layout.HEIGHT // 8))
        one = pages.page("VISIT", "Meter", ("Grid\t1.10.",), "no", b, text=text, strong=strong)
        return layout.draw(one, canvas, leaf), bytes(canvas.buffer)

    def test_the_longest_text_takes_three_leaves_and_b_turns_all_but_the_last(self):
        text = "wwwwwwww " * 17
        self.assertEqual(self.draw(text)[0], 3)
        row = 7 * layout.WIDTH  # the buttons'
        self.assertEqual(self.draw(text)[1][row:], self.draw(text, "more")[1][row:])
        self.assertEqual(self.draw(text, leaf=1)[1][row:], self.draw(text, "more", leaf=1)[1][row:])
        self.assertNotEqual(self.draw(text, leaf=2)[1][row:], self.draw(text, "more", leaf=2)[1][row:])
        self.assertEqual(self.draw(text, leaf=9), self.draw(text, leaf=2))

    def test_a_short_text_takes_one_and_what_is_strong_stands_at_the_end(self):
        self.assertEqual(self.draw("Short.")[0], 1)
        self.assertEqual(self.draw("Short.", strong="not all readable")[0], 1)
        self.assertEqual(self.draw("wwww " * 12, strong="not all readable")[0], 2)

    def test_nothing_that_is_written_is_drawn_as_a_number_or_a_pin(self):
        for value in ("482 913 764", "12.5"):
            canvas = Canvas(layout.WIDTH, layout.HEIGHT, bytearray(layout.WIDTH * layout.HEIGHT // 8))
            layout.draw(pages.page("X", value, (), text="-"), canvas)
            self.assertEqual(bytes(canvas.buffer[4 * layout.WIDTH : 7 * layout.WIDTH]), bytes(3 * layout.WIDTH))


if __name__ == "__main__":
    unittest.main()
