"""Notices in front of the display: what shows itself, what is asked, and who can agree to it."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

import store_folder
from display_bench import fresh
from notices_bench import NOW, message, override


class NoticesDisplayTest(unittest.TestCase):
    def setUp(self):
        self.hub = fresh()
        self.hub.wait(8000)

    def tearDown(self):
        store_folder.remove(self.hub.board.data_dir)

    def send(self, **fields):
        number = self.hub.command("SUP", "message.send", message(**fields)).data["notice"]
        self.hub.second()
        self.hub.wait()
        return number

    def state(self, number):
        return self.hub.notices.status(number)["state"]

    def open(self):
        """Walk to the first message and open it."""
        while self.hub.display.page.b not in ("read", "open"):
            self.hub.press("A")
        self.hub.press("B")

    def test_what_wants_an_answer_shows_itself_and_is_answered_with_two_buttons(self):
        for button, state in (("A", "declined"), ("B", "accepted")):
            number = self.send(answer="accept")
            self.assertEqual(self.hub.shown(), ("MESSAGE", "Hello", "no", "yes"))
            self.assertTrue(self.hub.display.page.alert)
            self.assertEqual(self.hub.display.page.lines, ("Stadtwerke\t21.9.",))
            self.hub.press(button)
            self.assertEqual(self.state(number), state)
            self.assertTrue(self.hub.display.page.value.startswith("you said"))
            self.hub.press("A")
            self.assertEqual(self.hub.display.page.title, "NOW")

    def test_a_plain_message_waits_until_it_is_looked_for(self):
        number = self.send()
        self.assertEqual((self.hub.display.page.title, self.hub.display.page.b), ("NOW", "1 new"))
        self.hub.press("B")
        page = self.hub.display.page
        self.assertEqual((page.corner, page.value, page.b, page.alert), ("● ", "Hello", "read", False))
        self.assertEqual(self.state(number), "shown")
        self.hub.press("B")
        self.assertEqual(self.hub.shown(), ("MESSAGE", "Hello", "keep", "delete"))
        self.assertEqual((self.hub.display.page.text, self.state(number)), ("A text for the household.", "read"))
        self.hub.press("A")
        self.assertEqual((self.state(number), self.hub.display.page.lines[1]), ("saved", "read"))
        self.hub.press("B")
        self.hub.press("B")
        self.assertEqual((self.state(number), self.hub.display.page.title), ("deleted", "NOW"))

    def test_what_wants_an_answer_shows_itself_however_long_nobody_has_touched_a_button(self):
        for days in (5, 7, 11):
            self.hub.ticks += days * 86400000
            number = self.send(answer="accept")
            self.assertEqual(self.hub.shown(), ("MESSAGE", "Hello", "no", "yes"))
            self.hub.press("B")
            self.assertEqual(self.state(number), "accepted")
            self.hub.press("A")

    def test_an_urgent_one_shows_itself_without_asking_and_is_put_off_or_read(self):
        number = self.send(priority=2)
        self.assertEqual(self.hub.shown(), ("MESSAGE", "Hello", "later", "ok"))
        self.assertFalse(self.hub.display.page.alert)
        self.hub.press("A")
        self.hub.wait(8000)
        self.assertEqual((self.state(number), self.hub.display.page.title), ("shown", "NOW"))
        self.hub.second(3600)
        self.hub.wait()
        self.assertEqual(self.hub.display.page.title, "MESSAGE")
        self.hub.press("B")
        self.assertEqual((self.state(number), self.hub.display.page.title), ("read", "NOW"))

    def test_one_that_nobody_answers_gives_way_for_an_hour(self):
        number = self.send(answer="accept")
        self.hub.wait(61000)
        self.assertEqual((self.hub.display.page.title, self.state(number)), ("NOW", "shown"))
        self.hub.second(3600)
        self.hub.wait()
        self.assertEqual(self.hub.display.page.title, "MESSAGE")
        self.hub.press("A", "long")
        self.assertEqual((self.hub.display.page.title, self.state(number)), ("NOW", "shown"))

    def test_who_has_not_been_shown_all_of_it_cannot_agree(self):
        self.hub.display.leaves = 3
        number = self.send(answer="accept")
        for leaf in (1, 2):
            self.hub.press("B")
            self.assertEqual((self.hub.display.leaf, self.state(number)), (leaf, "shown"))
        self.hub.press("B")
        self.assertEqual(self.state(number), "accepted")

    def test_a_press_that_was_meant_for_the_page_before_decides_nothing(self):
        number = self.hub.command("SUP", "message.send", message(answer="accept")).data["notice"]
        self.hub.second()
        self.hub.ihd.step()
        for button in "AB":
            self.hub.ihd.button(button, "short")
        self.assertEqual(self.state(number), "shown")

    def test_what_the_display_cannot_show_can_only_be_declined(self):
        number = self.send(answer="accept", text="漢 costs 5 kWh")
        page = self.hub.display.page
        self.assertEqual((page.a, page.b, page.strong), ("no", "", "not all readable"))
        self.hub.press("B")
        self.assertEqual(self.state(number), "shown")
        self.hub.press("A")
        self.assertEqual(self.state(number), "declined")

    def test_a_demand_response_counts_down_and_may_be_overridden(self):
        number = self.hub.notices.put(override(NOW + 9000, NOW + 4000))
        self.hub.second()
        self.hub.wait()
        self.assertEqual(
            (self.hub.shown(), self.hub.display.page.corner), (("DEMAND", "Less", "ok", "override"), "in 1 h")
        )
        self.hub.press("A")
        self.assertEqual(self.state(number), "accepted")
        self.hub.press("A")
        for at, said in ((NOW + 3755, "in 4:05"), (NOW + 4000, "now")):
            self.hub.clock.at = at - 1
            self.hub.second()
            self.open()
            self.assertEqual((self.hub.display.page.corner, self.hub.display.page.b), (said, "override"))
            self.hub.press("A", "long")
        self.open()
        self.hub.press("B")
        self.assertEqual(self.state(number), "overridden")

    def test_one_that_is_withdrawn_while_it_is_on_leads_home(self):
        self.send(answer="accept")
        self.hub.command("SUP", "message.withdraw", {"id": "m1"})
        self.hub.wait(1000)
        self.assertEqual(self.hub.display.page.title, "NOW")

    def test_a_request_for_data_comes_first(self):
        number = self.send(answer="accept")
        self.hub.ihd.ask("Green Co-op", ("half-hours", "October"), "they CAN read it")
        self.hub.wait(1000)
        self.hub.press("A")
        self.assertEqual((self.hub.display.page.title, self.state(number)), ("WHO ASKS", "shown"))

    def test_a_page_that_looks_like_a_pin_is_none(self):
        from meterhub.ihd import digits, hd44780

        self.send(title="482 913 764", answer="accept")
        page = self.hub.display.page
        self.assertEqual(page.value, "482 913 764")
        self.assertFalse(hd44780.leaves(page)[0][0].startswith("482"))
        self.assertEqual(digits.leaves(page, 8)[0].strip(), "message")


if __name__ == "__main__":
    unittest.main()
