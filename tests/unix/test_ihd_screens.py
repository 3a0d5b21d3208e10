"""Which page is on, and what the buttons do: above all, what may be agreed to and when."""

import sys
import unittest

from meterhub.ihd.entries import Consent, Logged, Message
from meterhub.ihd.model import Model
from meterhub.ihd.screens import Ihd

WISH = ("half-hours", "1 Oct – 31 Oct 2026")
CAN = "they CAN read it"


def message(number, asks="", said=""):
    return Message(
        number, "OFFER", "Sun %d" % number, "Green Co-op", "1.10. 14:05", "Buy sun.", True, asks, said, "", 0
    )


class Display:
    seldom = ()

    def __init__(self, leaves=1):
        self.works, self.page, self.dim, self.draws = True, None, None, 0
        self.leaves, self.leaf = leaves, 0

    def show(self, page, dim, leaf):
        if not self.works:
            return False
        self.draws += page != self.page
        self.page, self.dim, self.leaf = page, dim, leaf
        return True

    def readable(self, text):
        return "?" not in text


class IhdTest(unittest.TestCase):
    def setUp(self):
        self.now = 1000
        self.display = Display()
        self.model = Model("7Q2KX9M4RT0ABCDE", "Kitchen", "0.1.0")
        self.ihd = Ihd(self.display, self.model, lambda: self.now & 0x3FFFFFFF)
        self.calls = []
        for name in ("accept", "decline", "cancel", "revoke", "display"):
            setattr(self.ihd, "on_" + name, lambda *args, name=name: self.calls.append((name,) + args))
        self.wait(4000)
        self.calls.clear()

    def wait(self, ms):
        for _ in range(ms // 250):
            self.now += 250
            self.ihd.step()

    def press(self, name, kind="short"):
        self.ihd.button(name, kind)
        self.ihd.step()

    def title(self):
        return self.display.page.title

    # -- the ordinary pages ----------------------------------------------------------------------------------

    def test_it_starts_with_name_and_id_and_goes_on_when_nothing_is_waited_for(self):
        self.model.waiting = "waiting for the meter"
        ihd = Ihd(self.display, self.model, lambda: self.now)
        ihd.step()
        self.assertEqual(self.display.page.lines, ("hub 7Q2KX9M4RT0ABCDE", "waiting for the meter"))
        self.now += 100000
        self.assertEqual(ihd.page().title, "METERHUB")
        self.model.waiting = ""
        self.assertEqual(ihd.page().title, "NOW")

    def test_a_walks_through_all_pages_and_comes_home(self):
        self.model.consents = [Consent("Green Co-op", "half-hours", "31 Oct", "never", 7)] * 2
        self.model.troubles = [("No data", "Is the cable in?")]
        self.model.messages = ((1, True), (2, False))
        self.model.message = message
        seen = []
        for _ in range(10):
            seen.append(self.title())
            self.press("A")
        wanted = [
            "NOW",
            "TODAY",
            "THIS MONTH",
            "TROUBLE",
            "OFFER",
            "OFFER",
            "WHO MAY ASK",
            "WHO MAY ASK",
            "LOG",
            "NOW",
        ]
        self.assertEqual(seen, wanted)

    def on_supply_page(self, supply):
        self.model.supply = supply
        while self.title() != "SUPPLY":
            self.press("A")

    def test_b_turns_an_armed_supply_on_after_asking_again(self):
        self.ihd.on_supply = lambda: self.calls.append("supply")
        self.on_supply_page(("OFF", ("too much power", "You may turn it on"), True))
        self.assertEqual((self.display.page.value, self.display.page.b), ("OFF", "turn on"))
        self.press("B")
        self.assertEqual((self.title(), self.display.page.a, self.calls), ("TURN ON?", "no", []))
        self.press("A")
        self.assertEqual((self.title(), self.calls), ("SUPPLY", []))
        self.press("B")
        self.press("B")
        self.assertEqual((self.title(), self.calls), ("SUPPLY", ["supply"]))

    def test_a_supply_that_is_not_armed_cannot_be_turned_on_nor_one_that_was_armed_a_moment_ago(self):
        self.ihd.on_supply = lambda: self.calls.append("supply")
        for value in ("ON", "OFF"):
            self.on_supply_page((value, ("by your supplier", "Ask your supplier"), False))
            self.press("B")
            self.press("B")
            self.assertEqual((self.title(), self.display.page.b, self.calls), ("SUPPLY", "", []))
        self.on_supply_page(("OFF", ("too much power", ""), True))
        self.press("B")
        self.model.supply = ("OFF", ("by your supplier", "Ask your supplier"), False)
        self.wait(250)
        self.press("B")
        self.assertEqual((self.title(), self.calls), ("SUPPLY", []))
        self.model.supply = None
        self.wait(250)
        self.assertEqual(self.title(), "NOW")

    def test_a_held_leads_home(self):
        self.press("A")
        self.press("A")
        self.press("A", "long")
        self.assertEqual(self.title(), "NOW")

    def test_a_page_that_is_left_alone_gives_way_to_now(self):
        self.press("A")
        self.wait(59000)
        self.assertEqual(self.title(), "TODAY")
        self.wait(2000)
        self.assertEqual(self.title(), "NOW")

    def test_b_goes_through_the_log(self):
        self.model.log = [Logged("1 Oct", "one", "sent"), Logged("2 Oct", "two", "sent")]
        while self.title() != "LOG":
            self.press("A")
        self.press("B")
        self.assertEqual(self.display.page.value, "two")
        self.press("B")
        self.assertEqual(self.display.page.value, "two")
        self.press("A")
        self.assertEqual(self.title(), "NOW")

    def test_a_trouble_that_has_gone_while_it_was_looked_at_leads_home(self):
        self.model.troubles = [("No data", "Is the cable in?")]
        self.press("B")
        self.assertEqual(self.title(), "TROUBLE")
        self.model.troubles = []
        self.wait(250)
        self.assertEqual(self.title(), "NOW")

    def test_only_the_idle_page_is_dimmed_at_night(self):
        self.model.night = True
        self.wait(250)
        self.assertTrue(self.display.dim)
        self.press("A")
        self.assertFalse(self.display.dim)
        self.press("A", "long")
        self.ihd.ask("Green Co-op", WISH, CAN)
        self.wait(250)
        self.assertFalse(self.display.dim)

    # -- revoking ----------------------------------------------------------------------------------------------

    def test_a_consent_is_revoked_only_when_asked_twice(self):
        self.model.consents = [Consent("Green Co-op", "half-hours", "31 Oct", "never", 7)]
        self.press("B")
        self.press("B")
        self.assertEqual((self.title(), self.calls), ("REVOKE", []))
        self.press("A")
        self.assertEqual((self.title(), self.calls), ("WHO MAY ASK", []))
        self.press("B")
        self.press("B")
        self.assertEqual(self.calls, [("revoke", 7)])

    def test_a_question_that_was_left_alone_is_not_answered_later(self):
        self.model.consents = [Consent("Green Co-op", "half-hours", "31 Oct", "never", 7)]
        self.press("B")
        self.press("B")
        self.wait(61000)
        self.press("B")
        self.assertEqual(self.calls, [])

    # -- a request -----------------------------------------------------------------------------------------------

    def test_b_on_the_request_accepts_and_a_declines(self):
        self.ihd.ask("Green Co-op", WISH, CAN)
        self.wait(1000)
        self.assertEqual((self.title(), self.display.page.b), ("WHO ASKS", "show PIN"))
        self.press("B")
        self.press("A")
        self.assertEqual(self.calls, [("accept",), ("decline",)])

    def test_a_press_that_was_meant_for_the_page_before_answers_nothing(self):
        self.ihd.ask("Green Co-op", WISH, CAN)
        self.press("B")
        self.wait(500)
        self.press("B")
        self.press("A")
        self.assertEqual(self.calls, [])
        self.assertEqual((self.display.page.a, self.display.page.b), ("", ""))

    def test_nothing_can_be_agreed_to_without_a_display(self):
        self.display.works = False
        self.ihd.ask("Green Co-op", WISH, CAN)
        self.wait(2000)
        self.press("B")
        self.assertEqual(self.calls, [("display", False)])

    def test_a_display_that_comes_back_must_have_shown_the_request(self):
        self.ihd.ask("Green Co-op", WISH, CAN)
        self.wait(1000)
        self.display.works = False
        self.wait(250)
        self.display.works = True
        self.wait(250)
        self.calls.clear()
        self.press("B")
        self.assertEqual(self.calls, [])
        self.wait(1000)
        self.press("B")
        self.assertEqual(self.calls, [("accept",)])

    def test_a_hub_without_a_display_says_that_it_does_not_work(self):
        ihd = Ihd(None, self.model, lambda: self.now)
        told = []
        ihd.on_display = told.append
        ihd.step()
        ihd.step()
        self.assertEqual((told, ihd.works), ([False], False))

    def test_a_name_that_the_display_cannot_show_can_only_be_declined(self):
        self.ihd.ask("??", WISH, CAN)
        self.wait(1000)
        self.assertEqual((self.display.page.a, self.display.page.b), ("no", ""))
        self.assertEqual(self.display.page.strong, "name not readable")
        self.press("B")
        self.assertEqual(self.calls, [])
        self.press("A")
        self.assertEqual(self.calls, [("decline",)])

    def test_a_new_request_starts_anew(self):
        self.ihd.ask("Green Co-op", WISH, CAN)
        self.wait(1000)
        self.ihd.ask("Evil Corp", WISH, CAN)
        self.press("B")
        self.assertEqual(self.calls, [])

    # -- a display that shows a page in several leaves ---------------------------------------------------------------

    def asked_on_leaves(self, leaves):
        self.display.leaves = leaves
        self.ihd.ask("Green Co-op", WISH, CAN)
        self.wait(1000)

    def test_b_turns_the_leaves_and_accepts_on_the_last_one_only(self):
        self.asked_on_leaves(3)
        for leaf in (1, 2):
            self.press("B")
            self.wait(1000)
            self.assertEqual((self.display.leaf, self.calls), (leaf, []))
        self.press("B")
        self.assertEqual(self.calls, [("accept",)])

    def test_who_presses_too_fast_has_not_seen_the_last_leaf(self):
        self.asked_on_leaves(3)
        for _ in range(2):
            self.press("B")
        for _ in range(2):
            self.press("B")
            self.wait(250)
        self.assertEqual((self.display.leaf, self.calls), (2, []))
        self.wait(500)
        self.press("B")
        self.assertEqual(self.calls, [("accept",)])

    def test_a_leaf_that_was_never_on_the_display_is_not_turned(self):
        self.asked_on_leaves(4)
        for _ in range(3):
            self.ihd.button("B", "short")
        self.ihd.step()
        self.assertEqual(self.display.leaf, 1)

    def test_a_declines_on_every_leaf(self):
        self.asked_on_leaves(3)
        self.press("B")
        self.press("A")
        self.assertEqual(self.calls, [("decline",)])

    def test_a_display_that_failed_begins_with_the_first_leaf(self):
        self.asked_on_leaves(3)
        self.press("B")
        self.display.works = False
        self.wait(250)
        self.display.works = True
        self.wait(1000)
        self.assertEqual(self.display.leaf, 0)

    def test_another_request_begins_with_the_first_leaf(self):
        self.asked_on_leaves(2)
        self.press("B")
        self.wait(1000)
        self.ihd.ask("Evil Corp", WISH, CAN)
        self.press("B")
        self.assertEqual((self.display.leaf, self.calls), (0, []))

    def test_the_leaves_of_a_pin_go_round(self):
        self.display.leaves = 3
        self.pin()
        seen = []
        for _ in range(4):
            self.press("B")
            self.wait(250)
            seen.append((self.title(), self.display.leaf))
        self.assertEqual(seen, [("PIN", 1), ("PIN", 2), ("PIN", 0), ("PIN", 1)])

    def test_a_page_that_becomes_shorter_stays_on_its_last_leaf(self):
        self.display.leaves = 3
        self.press("B")
        self.press("B")
        self.assertEqual((self.title(), self.display.leaf), ("NOW", 2))
        self.display.leaves = 2
        self.wait(500)
        self.assertEqual(self.display.leaf, 1)

    def test_a_consent_is_not_revoked_before_all_leaves_were_seen(self):
        self.model.consents = [Consent("Green Co-op", "half-hours", "31 Oct", "never", 7)]
        self.press("B")
        self.press("B")
        self.display.leaves = 2
        self.wait(250)
        self.press("B")
        self.assertEqual((self.title(), self.calls), ("REVOKE", []))
        self.press("B")
        self.assertEqual(self.calls, [("revoke", 7)])

    def test_what_only_other_pages_need_is_let_go_at_home(self):
        self.press("A")
        self.assertTrue("meterhub.ihd.reading" in sys.modules)
        self.press("A", "long")
        self.assertFalse("meterhub.ihd.reading" in sys.modules)
        self.ihd.notice(("one",), 1)
        self.wait(250)
        self.assertTrue("meterhub.ihd.asking" in sys.modules)
        self.wait(1000)
        self.assertEqual((self.title(), "meterhub.ihd.asking" in sys.modules), ("NOW", False))

    # -- the PIN ---------------------------------------------------------------------------------------------------

    def pin(self, left=3, life_ms=600000):
        self.ihd.ask("Green Co-op", WISH, CAN)
        self.wait(1000)
        self.ihd.show_pin("482913764", "K7QX", (self.now + life_ms) & 0x3FFFFFFF, left)
        self.ihd.step()

    def test_the_pin_counts_down_and_stays_while_nobody_presses(self):
        self.pin()
        self.assertEqual(self.display.page.value, "482 913 764")
        self.wait(309000)
        self.assertEqual(self.display.page.corner, "3 tries left  4:51")

    def test_the_pin_is_gone_at_its_deadline(self):
        self.pin(life_ms=5000)
        self.wait(4750)
        self.assertEqual(self.title(), "PIN")
        self.wait(250)
        self.assertEqual(self.display.page.value, "PIN expired")
        self.wait(11000)
        self.assertEqual(self.title(), "NOW")

    def test_the_counters_overflow_does_not_end_the_pin(self):
        self.now = (1 << 30) - 2000
        self.wait(250)
        self.pin()
        self.wait(5000)
        self.assertEqual(self.title(), "PIN")

    def test_a_cancels_and_b_shows_again_who_asked(self):
        self.pin()
        self.press("B")
        self.assertEqual((self.title(), self.display.page.b), ("WHO ASKS", "back"))
        self.press("A")
        self.assertEqual(self.calls, [])
        self.press("B")
        self.assertEqual(self.title(), "PIN")
        self.press("A")
        self.assertEqual(self.calls, [("cancel",)])

    def test_a_notice_stands_above_the_pin_and_goes_by_itself_or_with_a_button(self):
        self.pin()
        self.ihd.show_pin("482913764", "K7QX", self.now + 600000, 2)
        self.ihd.notice(("wrong PIN", "2 tries left"), 4)
        self.wait(3750)
        self.assertEqual(self.display.page.value, "wrong PIN")
        self.wait(500)
        self.assertEqual(self.title(), "PIN")
        self.ihd.notice(("wrong PIN", "1 try left"), 4)
        self.press("A")
        self.assertEqual((self.title(), self.calls), ("PIN", []))

    def test_idle_ends_it(self):
        self.pin()
        self.ihd.idle()
        self.ihd.step()
        self.assertEqual(self.title(), "NOW")

    def test_nothing_is_drawn_that_has_not_changed(self):
        draws = self.display.draws
        self.wait(10000)
        self.assertEqual(self.display.draws, draws)


if __name__ == "__main__":
    unittest.main()
