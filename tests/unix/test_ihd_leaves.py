"""What becomes of a page on two rows of characters and on digits: nothing lost, nothing too wide."""

import unittest

from meterhub.ihd import asking, digits, hd44780, messages, pages, reading
from meterhub.ihd.entries import Consent, Message
from meterhub.ihd.model import Model
from meterhub.ihd.plain import plain
from meterhub.ihd.rows import rows


def message(number, asks="", title="Power cut", said="", status=""):
    told = ("Stadtwerke", "1.10. 14:05", "On Tuesday from 9:00 to 11:30 there will be no power: planned work.")
    return Message(*(number, "POWER CUT", title) + told + (True, asks, said, status, 0))


WISH = ("wants: half-hours", "1.10.26-31.10.26")
ASKED = asking.who_asks("Stadtwerke München", WISH, "they CAN read it", "no", "show PIN")
PIN = asking.pin("482913764", "K7QX", 2, 291)


def household():
    model = Model("7Q2KX9M4RT0ABCDE", "Kitchen", "0.1.0")
    model.clock, model.wan, model.meters = "14:05", "up", ("fresh",)
    model.power_w, model.import_wh, model.price_e5 = 2310, 12345678, 28500
    model.month_wh, model.last_month_wh = 151200, 203400
    model.consents = [Consent("Green Co-op", "half-hours", "31 Oct 2027", "1 Oct 14:05", 1)]
    model.messages = ((1, True), (2, True))
    model.message = message
    return model


def every_page():
    model = household()
    found = [ASKED, PIN, pages.now(model), pages.today(model), pages.month(model), reading.start(model)]
    found += [reading.consent(model, 0), reading.message(model, 0), reading.log(model, 0), reading.no_access()]
    found += [asking.revoke(model.consents[0]), asking.notice(("wrong PIN", "2 left"))]
    found.append(asking.notice(("PIN expired", "Nothing was sent.", "Ask again on the website.")))
    for asks in ("", "accept", "override"):
        one = message(1, asks)
        found.append(messages.opened(one, messages.choices(one, True, True, True), 0, asks != "accept"))
    found.append(asking.who_asks("W" * 32, ("x" * 30, "y " * 15), "z " * 40, "no", "show PIN"))
    model.troubles = [("No meter data", "since 14:05.", "Is the cable in?")]
    return found + [pages.now(model), reading.trouble(model, 0)]


class RowsTest(unittest.TestCase):
    def test_text_is_broken_between_words(self):
        self.assertEqual(rows("No longer let them ask?", 16), ["No longer let", "them ask?"])
        self.assertEqual(rows("", 16), [])

    def test_a_word_that_is_too_long_is_cut_after_a_hyphen_if_it_has_one(self):
        self.assertEqual(rows("half-hours", 8), ["half-", "hours"])
        self.assertEqual(rows("Stadtwerke", 8), ["Stadtwer", "ke"])
        self.assertEqual(rows("ab", 0), ["a", "b"])  # no room at all: it ends all the same

    def test_letters_lose_their_accents(self):
        self.assertEqual([plain(c) for c in "äÁ–漢a"], ["a", "A", "-", "", ""])


class CharactersTest(unittest.TestCase):
    def text(self, page):
        return ["".join(leaf) for leaf in hd44780.leaves(page)]

    def test_no_row_is_wider_than_the_display_and_no_word_is_lost(self):
        for page in every_page():
            found = hd44780.leaves(page)
            for leaf in found:
                self.assertEqual((len(leaf), max(map(len, leaf)) <= 16), (2, True), leaf)
            letters = "".join(["".join(leaf) for leaf in found]).replace(" ", "").replace("→", "")
            for text in (page.value, page.strong, page.text) + page.lines:
                wanted = (text[2:] if text[:1] in "○◐●" else text).replace("\t", "").replace(" ", "")
                self.assertTrue(wanted in letters or wanted in letters.replace("-", ""), (text, found))

    def test_an_arrow_says_that_there_is_more_and_the_last_leaf_what_the_buttons_do(self):
        for page in every_page():
            found = self.text(page)
            self.assertEqual(["→" in text for text in found], [True] * (len(found) - 1) + [False])
            if page.b and page is not PIN:
                self.assertTrue(found[-1].endswith("B " + page.b))

    def test_the_pin_and_its_code_stand_in_one_row(self):
        self.assertEqual(hd44780.leaves(PIN), [["482 913 764 K7QX", "2 left      4:51"]])
        self.assertEqual(hd44780.leaves(asking.pin("482913764", "K7QX", 1, 600))[0][1], "last try   10:00")

    def test_now_is_read_at_a_glance(self):
        self.assertEqual(hd44780.leaves(pages.now(household()))[0], ["NOW      2.31 kW", "medium  €0.66/h→"])

    def test_the_voltage_of_one_phase_and_of_three(self):
        model = Model()
        phases = [("L%d" % i, 228500 + 500 * i, 0, 7200, 223104, 241960, 1) for i in (1, 2, 3)]
        model.voltage = lambda: (216000, 253000, phases)
        one = hd44780.leaves(reading.shown(model, ("voltage", 0)))
        self.assertEqual(one[0], ["VOLTAGE", "normal         →"])
        self.assertEqual(one[2], ["L2 229.5 V", "         normal→"])
        self.assertEqual(one[-1], ["normal", "A next B week"])
        week = hd44780.leaves(reading.shown(model, ("voltage", 1)))
        self.assertEqual(week[0], ["THIS WEEK", "       2 h seen→"])
        self.assertEqual(week[2], ["L1", "223.1 - 242.0 V→"])
        del phases[1:]
        self.assertEqual(
            hd44780.leaves(reading.shown(model, ("voltage", 0)))[0], ["VOLTAGE  229.0 V", "normal         →"]
        )
        self.assertEqual(hd44780.leaves(reading.shown(model, ("voltage", 1)))[1][1], "lowest  223.1 V→")

    def test_a_trouble_comes_before_the_rest(self):
        model = household()
        model.troubles = [("No meter data", "since 14:05.")]
        self.assertEqual(hd44780.leaves(pages.now(model))[0][1], "▲ No meter data→")

    def test_what_the_controller_cannot_show_is_not_readable(self):
        lcd = hd44780.Lcd(None)
        self.assertTrue(lcd.readable("Stadtwerke München é (NL) & Co. €£→"))
        self.assertFalse(lcd.readable("漢字"))


class DigitsTest(unittest.TestCase):
    def test_no_two_characters_look_the_same(self):
        self.assertEqual(len(digits.CHARACTERS), len(digits.SEGMENTS))
        self.assertEqual(len(set(digits.SEGMENTS)), len(digits.SEGMENTS))
        self.assertTrue(all([shape < 128 for shape in digits.SEGMENTS]))

    def test_nothing_is_wider_than_the_digits(self):
        for cells in (8, 6):
            for page in every_page():
                for text in digits.leaves(page, cells):
                    wider = bytes(digits.segments(text, cells + 4))
                    self.assertEqual(wider[cells:], bytes(4), text)

    def test_who_asks_is_shown_to_the_last_letter_before_b_means_yes(self):
        found = digits.leaves(ASKED, 8)
        wanted = ["who asks", "stadtwer", "ke", "munchen", "wants:", "half-", "hours", "1.10.26-", "31.10.26"]
        self.assertEqual(found, wanted + ["they can", "read it", "show pin"])
        letters = "".join(digits.leaves(ASKED, 6))
        self.assertTrue("stadtwerke" in letters and letters.endswith("showpin?"))

    def test_the_pins_groups_are_numbered(self):
        self.assertEqual(digits.leaves(PIN, 8)[:4], ["1-   482", "2-   913", "3-   764", "C-  K7QX"])
        self.assertEqual(digits.leaves(PIN, 6)[:4], ["1- 482", "2- 913", "3- 764", "C-K7QX"])
        self.assertEqual("".join(digits.leaves(PIN, 8)[4:]), "2 triesleft 4:51")

    def test_a_number_has_the_letter_of_its_page_and_e_in_a_trouble(self):
        model = household()
        self.assertEqual(digits.leaves(pages.now(model), 8)[0], "N    2.31")
        self.assertEqual(digits.leaves(pages.month(model), 6)[0], "M 151.2")
        model.power_w = -1250
        self.assertEqual(bytes(digits.segments(digits.leaves(pages.now(model), 6)[0], 6))[2], 0x40)
        model.troubles = [("No meter data", "since 14:05.")]
        self.assertEqual(digits.leaves(pages.now(model), 8)[0][0], "E")

    def test_a_number_that_is_too_long_loses_its_decimals_and_a_date_does_not(self):
        self.assertTrue("12345" in digits.leaves(pages.now(household()), 6))
        self.assertTrue("12345.678" in digits.leaves(pages.now(household()), 8))
        self.assertTrue("31.10.26" in digits.leaves(ASKED, 6))

    def test_points_stand_beside_the_digit_before_them(self):
        self.assertEqual(bytes(digits.segments("1.2", 3)), b"\x86\x5b\x00")
        self.assertEqual(bytes(digits.segments("..", 3)), b"\x80\x80\x00")

    def test_the_point_at_the_right_says_that_there_is_more(self):
        count, shown = digits.leaf(ASKED, 0, 8)
        self.assertEqual((count, shown[7] >> 7), (12, 1))
        self.assertEqual(digits.leaf(ASKED, 11, 8)[1][7] >> 7, 0)
        self.assertEqual(digits.leaf(ASKED, 99, 8)[1], digits.leaf(ASKED, 11, 8)[1])

    def test_what_digits_cannot_show_is_not_readable(self):
        self.assertTrue(digits.readable("Stadtwerke München & Co. 24/7 (NL)"))
        for name in ("漢字", "#1", "a@b"):
            self.assertFalse(digits.readable(name))


if __name__ == "__main__":
    unittest.main()
