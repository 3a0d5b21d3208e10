"""Notices on the website that the household has linked: what it hears, and what it may decide."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

import store_cuts
import store_folder
from notices_bench import NOW, Hub, fresh, message, name_of


class NoticesWebsiteTest(unittest.TestCase):
    def setUp(self):
        self.hub = fresh()
        self.hub.linked = "SITE"

    def tearDown(self):
        store_folder.remove(self.hub.board.data_dir)

    def send(self, **fields):
        return self.hub.command("SUP", "message.send", message(**fields)).data["notice"]

    def heard(self):
        """What the website has heard: (state, said, asks) of each letter."""
        self.hub.second()
        letters = self.hub.letters.sent
        for to, event, code, detail, _ in letters:
            self.assertEqual((to, event, code, detail), ("SITE", "notice", 0, ""))
        return [(letter[4]["state"], letter[4]["said"], letter[4]["asks"]) for letter in letters]

    def test_it_hears_of_a_notice_and_of_each_change_once(self):
        number = self.send(answer="accept")
        self.assertEqual(self.heard(), [("shown", "", "accept")])
        data = self.hub.letters.sent[0][4]
        words = (data["title"], data["text"], data["name"], data["category"])
        self.assertEqual(words, ("Hello", "A text for the household.", "Stadtwerke", "general"))
        self.assertEqual((data["notice"], data["start"], data["expiry"]), (number, NOW, NOW + 30 * 86400))
        self.hub.notices.decide(number, "accept")
        self.hub.notices.decide(number, "delete")
        self.assertEqual(self.heard()[1:], [("deleted", "accept", "")])
        self.assertEqual("text" in self.hub.letters.sent[1][4], False)
        self.assertEqual(len(self.heard()), 2)

    def test_it_decides_as_the_display_does_and_the_first_one_counts(self):
        number = self.send(answer="accept")
        self.heard()
        self.hub.notices.decide_there(number, "decline")
        self.assertEqual(self.hub.commands.all()[0][4]["by"], "website")
        self.assertTrue(self.hub.log()[0][1].endswith("|website"))
        self.assertEqual(self.heard()[1:], [("declined", "decline", "")])
        self.assertEqual(name_of(self.hub.notices.decide_there, number, "accept"), ("WRONG_STATE", "state"))
        self.assertEqual(self.heard()[2:], [("declined", "decline", "")])  # how things are
        self.assertEqual(name_of(self.hub.notices.decide_there, 99, "accept"), ("NOT_AVAILABLE", "notice"))

    def test_it_takes_the_place_of_a_display_that_does_not_work(self):
        self.hub.ihd.works = False
        number = self.send()
        self.assertEqual(self.heard(), [("shown", "", "")])
        self.hub.notices.decide_there(number, "read")
        self.assertEqual(self.hub.commands.all()[0][4]["action"], "read")

    def test_one_that_is_not_linked_hears_nothing_and_what_is_there_later(self):
        self.hub.linked = ""
        self.send(id="a")
        self.send(id="b", expiry=NOW + 10)
        self.assertEqual(self.heard(), [])
        self.hub.second(10)
        self.hub.linked = "SITE"
        self.assertEqual(self.hub.notices.rest(), None)
        self.assertEqual(self.heard(), [("shown", "", "")])  # the other one is over

    def test_no_news_is_lost_in_a_power_cut(self):
        changes = 0
        while True:
            store_folder.remove(self.hub.board.data_dir)
            self.hub = fresh()
            self.send(answer="accept")
            self.hub.second()
            self.hub.linked = "SITE"
            ended = False
            try:
                with store_cuts.Flash(changes):
                    self.hub.second()
                    ended = True
            except store_cuts.Cut:
                pass
            before = self.hub.letters.sent
            self.hub = Hub(self.hub.board.data_dir)
            self.hub.linked = "SITE"
            self.hub.letters.sent += before
            self.assertTrue(1 <= len(self.heard()) <= 2)
            changes += 1
            if ended:
                break
        self.assertTrue(changes > 1)


if __name__ == "__main__":
    unittest.main()
