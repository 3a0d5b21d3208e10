"""The household's PIN, typed with two buttons before what decides something."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

import store_folder
from display_bench import fresh
from notices_bench import message

from meterhub.ihd.entries import Consent


class EntryTest(unittest.TestCase):
    def setUp(self):
        self.hub = fresh()
        self.hub.wait(8000)
        self.hub.set_pin("1203")

    def tearDown(self):
        store_folder.remove(self.hub.board.data_dir)

    def ask(self):
        number = self.hub.command("SUP", "message.send", message(answer="accept")).data["notice"]
        self.hub.second()
        self.hub.wait()
        return number

    def type(self, pin):
        for digit in pin:
            for _ in range(int(digit)):
                self.hub.press("A")
            self.hub.press("B")

    def state(self, number):
        return self.hub.notices.status(number)["state"]

    def test_the_answer_waits_for_the_pin(self):
        number = self.ask()
        self.hub.press("B")
        self.assertEqual((self.hub.shown(), self.state(number)), (("YOUR PIN", "0___", "+1", "next"), "shown"))
        self.type("12")
        self.hub.press("A")
        self.assertEqual((self.hub.display.page.value, self.state(number)), ("**1_", "shown"))
        self.hub.press("A", "long")
        self.assertEqual((self.hub.display.page.title, self.state(number)), ("MESSAGE", "shown"))
        self.hub.press("B")
        self.type("1203")
        self.assertEqual(self.state(number), "accepted")

    def test_a_wrong_pin_decides_nothing_and_five_lock(self):
        number = self.ask()
        self.hub.press("A")
        for left in ("4 tries left", "3 tries left", "2 tries left", "last try"):
            self.type("1204")
            self.assertEqual((self.hub.display.page.value, self.hub.display.page.lines), ("wrong PIN", (left,)))
            self.hub.press("A")
            self.assertEqual(self.hub.display.page.title, "YOUR PIN")
        self.type("1204")
        self.assertEqual((self.hub.display.page.value, self.hub.display.page.lines[1]), ("locked", "Try in 10 min."))
        self.hub.press("A")
        self.hub.press("A")
        self.assertEqual((self.hub.display.page.value, self.state(number)), ("locked", "shown"))
        self.hub.press("A")
        self.hub.clock.up_s += 600
        self.hub.press("A")
        self.type("1203")
        self.assertEqual(self.state(number), "declined")

    def test_an_entry_that_is_left_alone_is_not_gone_on_with_later(self):
        number = self.ask()
        self.hub.press("B")
        self.type("120")
        self.hub.wait(61000)
        self.assertEqual(self.hub.display.page.title, "NOW")
        self.type("3")
        self.assertEqual(self.hub.notices.status(number)["said"], "")

    def test_reading_and_keeping_need_none_and_deleting_does(self):
        number = self.hub.command("SUP", "message.send", message()).data["notice"]
        self.hub.second()
        self.hub.press("B")
        self.hub.press("B")
        self.assertEqual(self.state(number), "read")
        self.hub.press("A")
        self.assertEqual(self.state(number), "saved")
        self.hub.press("B")
        self.hub.press("B")
        self.assertEqual((self.hub.display.page.title, self.state(number)), ("YOUR PIN", "saved"))
        self.type("1203")
        self.assertEqual(self.state(number), "deleted")

    def test_requests_and_revocations_wait_for_it(self):
        calls = []
        self.hub.ihd.on_accept = lambda: calls.append("accept")
        self.hub.ihd.on_revoke = calls.append
        self.hub.ihd.ask("Green Co-op", ("half-hours", "October"), "they CAN read it")
        self.hub.wait(1000)
        self.hub.press("B")
        self.type("120")
        self.hub.ihd.ask("Evil Corp", ("half-hours", "October"), "they CAN read it")
        self.hub.wait(1000)
        self.assertEqual((self.hub.display.page.value, calls), ("Evil Corp", []))  # what was typed is for nobody else
        self.hub.press("B")
        self.type("1203")
        self.hub.ihd.idle()
        self.hub.model.consents = [Consent("Green Co-op", "half-hours", "31 Oct", "never", 7)]
        self.hub.press("B")
        self.hub.press("B")
        self.hub.press("B")
        self.assertEqual(calls, ["accept"])
        self.type("1203")
        self.assertEqual(calls, ["accept", 7])


if __name__ == "__main__":
    unittest.main()
