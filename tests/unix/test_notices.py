"""Notices: what becomes of them in time, and which gives way."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from notices_bench import NOW, NoticeCase, message, name_of, override


class NoticesTest(NoticeCase):
    def test_a_notice_is_shown_read_and_told_once(self):
        number = self.send()
        self.assertEqual(self.state(number), "waiting")
        self.assertEqual(self.hub.notices.rest(), None)
        self.assertEqual(self.hub.second(), (NOW + 30 * 86400, 0))
        self.assertEqual((self.state(number), self.hub.model.messages), ("shown", ((number, True),)))
        self.hub.notices.decide(number, "read")
        self.hub.notices.decide(number, "read")
        self.assertEqual((self.state(number), self.hub.model.messages), ("read", ((number, False),)))
        self.assertEqual(self.answers(), [(1, "done", "read")])

    def test_nobody_hears_of_what_the_hub_says_by_itself(self):
        said = {"kid": "", "role": "", "name": "", "h": "", "ctr": 0, "cmd": "", "service": "", "category": "outage"}
        said.update({"ref": "outage", "title": "Supply was off", "text": "x", "answer": "", "priority": 0, "at": 0})
        said.update({"start": 0, "expiry": NOW + 60})
        first = self.hub.notices.put(dict(said))
        self.hub.second()
        second = self.hub.notices.put(dict(said))  # in the place of one that nobody has read
        self.hub.second()
        self.assertEqual((self.state(first), self.state(second)), ("withdrawn", "shown"))
        self.hub.second(61)
        self.assertEqual((self.state(second), self.answers()), ("expired", []))

    def test_the_first_answer_counts(self):
        number = self.send(answer="accept")
        self.hub.second()
        self.hub.notices.decide(number, "accept")
        self.assertEqual(name_of(self.hub.notices.decide, number, "decline"), ("WRONG_STATE", "state"))
        self.assertEqual(name_of(self.hub.notices.decide, number, "accept"), ("WRONG_STATE", "state"))
        self.assertEqual(self.answers(), [(1, "done", "accept")])
        self.assertEqual(self.hub.log(), [("accepted", "Stadtwerke|general|1.1|SUP0000000000000|display")])

    def test_what_was_answered_is_saved_or_deleted_and_no_sooner(self):
        number = self.send(answer="accept")
        self.hub.second()
        self.hub.notices.decide(number, "read")
        self.assertEqual(name_of(self.hub.notices.decide, number, "delete"), ("WRONG_STATE", "state"))
        self.hub.notices.decide(number, "decline")
        self.hub.notices.decide(number, "save")
        self.hub.notices.decide(number, "delete")
        self.assertEqual([name for name, _ in self.hub.log()], ["deleted", "saved", "declined"])
        self.assertEqual((self.hub.model.messages, self.state(number)), ((), "deleted"))
        self.assertEqual([answer[2] for answer in self.answers()], ["decline", "save", "delete"])
        self.assertEqual(self.hub.second(), (0, 0))

    def test_an_override_is_the_last_word_until_it_expires(self):
        number = self.hub.notices.put(override(NOW + 600, NOW + 300))
        self.hub.second()
        self.hub.notices.decide(number, "accept")
        self.assertEqual(self.hub.notices.message(number).asks, "override")
        self.hub.notices.decide(number, "save")
        self.hub.notices.decide(number, "override")
        self.assertEqual(name_of(self.hub.notices.decide, number, "override"), ("WRONG_STATE", "state"))
        self.assertEqual(self.state(number), "overridden")

    def test_a_decision_that_is_none_changes_nothing(self):
        number = self.send()
        self.assertEqual(name_of(self.hub.notices.decide, number, "read"), None)  # nobody has seen it yet
        self.hub.second()
        for decision in ("accept", "decline", "override", "save", "delete", "explode"):
            self.assertEqual(name_of(self.hub.notices.decide, number, decision), ("WRONG_STATE", "state"))
        self.assertEqual(name_of(self.hub.notices.decide, 99, "read"), ("NOT_AVAILABLE", "notice"))
        self.assertEqual((self.state(number), self.answers()), ("shown", []))

    # -- time --------------------------------------------------------------------------------------------

    def test_it_begins_at_its_start(self):
        number = self.send(start=NOW + 100)
        self.assertEqual(self.hub.second(99), (NOW + 100, 0))
        self.assertEqual((self.state(number), self.hub.model.messages), ("waiting", ()))
        self.hub.second()
        self.assertEqual(self.state(number), "shown")

    def test_what_nobody_answers_is_told_when_it_expires(self):
        number = self.send(answer="accept", expiry=NOW + 100)
        self.hub.second()
        self.hub.notices.decide(number, "read")
        self.hub.second(99)
        self.assertEqual((self.state(number), self.answers()), ("expired", [(1, "refused", "CONSUMER_TIMEOUT")]))
        self.assertEqual(self.hub.log()[0][0], "CONSUMER_TIMEOUT")
        self.assertEqual(name_of(self.hub.notices.decide, number, "accept"), ("EXPIRED", "state"))

    def test_what_nobody_reads_is_told_and_what_was_read_just_goes(self):
        first, second = self.send(1, expiry=NOW + 100), self.send(2, id="m2", expiry=NOW + 100)
        self.hub.second()
        self.hub.notices.decide(second, "read")
        self.hub.second(100)
        self.assertEqual((self.state(first), self.state(second)), ("expired", "expired"))
        self.assertEqual(self.answers(), [(2, "done", "read"), (1, "refused", "CONSUMER_TIMEOUT")])

    def test_a_press_that_comes_with_the_expiry_is_too_late(self):
        number = self.send(answer="accept", expiry=NOW + 100)
        self.hub.second()
        self.hub.clock.at = NOW + 100
        self.assertEqual(name_of(self.hub.notices.decide, number, "accept"), ("EXPIRED", "expiry"))

    def test_what_was_saved_stays_after_its_expiry(self):
        number = self.send(expiry=NOW + 100)
        self.hub.second()
        self.hub.notices.decide(number, "read")
        self.hub.notices.decide(number, "save")
        self.hub.second(1000)
        self.assertEqual((self.state(number), self.hub.model.messages), ("saved", ((number, False),)))

    def test_without_a_clock_nothing_begins_or_ends_by_date(self):
        first, second = self.send(1, start=NOW + 100), self.send(2, id="m2")
        self.hub.clock.at = 0
        self.hub.notices.tick()
        self.assertEqual((self.state(first), self.state(second)), ("waiting", "shown"))

    def test_without_a_display_nothing_is_put_unless_it_may_wait(self):
        self.hub.ihd.works = False
        self.assertEqual(name_of(self.send), ("DISPLAY_FAILED", "ihd"))
        self.assertEqual(self.hub.notices.of("SUP0000000000000"), [])
        self.hub.ihd.works = True
        number = self.send()
        self.hub.ihd.works = False
        self.hub.second()
        self.assertEqual(self.state(number), "waiting")

    # -- which one ---------------------------------------------------------------------------------------

    def test_the_same_reference_takes_the_place_and_the_first_sender_hears_of_it(self):
        first, second = self.send(1, answer="accept"), self.send(2, text="Another date.")
        self.hub.second()
        self.assertEqual((self.state(first), self.hub.model.messages), ("withdrawn", ((second, True),)))
        self.assertEqual(self.answers(), [(1, "done", "replaced")])
        other = self.hub.command("ESP", "message.send", message(), 3).data["notice"]
        self.assertEqual((self.state(second), self.state(other)), ("shown", "waiting"))

    def test_one_that_is_withdrawn_is_gone_and_its_sender_hears_of_it(self):
        number = self.send(1)
        self.hub.second()
        self.hub.command("SUP", "message.withdraw", {"id": "m1"}, 2)
        self.assertEqual((self.hub.model.messages, self.answers()), ((), [(1, "done", "withdrawn")]))
        self.assertEqual(name_of(self.hub.notices.withdraw, number), ("WRONG_STATE", "state"))

    def test_newest_first_and_the_most_urgent_shows_itself(self):
        self.send(1, id="a", priority=2)
        self.send(2, id="b", priority=3)
        self.send(3, id="c", priority=3)
        self.send(4, id="d", priority=1)
        self.hub.second()
        self.assertEqual([number for number, _ in self.hub.model.messages], [4, 3, 2, 1])
        self.assertEqual(self.hub.model.alert, 2)
        self.hub.notices.pressed(2, "later")
        self.assertEqual((self.hub.model.alert, self.hub.notices.rest()[1]), (3, 301))
        self.hub.notices.decide(3, "read")
        self.assertEqual(self.hub.model.alert, 1)
        self.hub.notices.decide(1, "read")
        self.assertEqual(self.hub.model.alert, 0)
        self.hub.second(299)
        self.assertEqual(self.hub.model.alert, 0)
        self.hub.second()
        self.assertEqual(self.hub.model.alert, 2)

    def test_sixteen_and_then_the_oldest_goes_that_was_read_and_needs_no_answer(self):
        for i in range(16):
            self.send(i + 1, id="m%d" % i, answer="accept" if i < 2 else "")
        self.hub.second()
        self.assertEqual(name_of(self.send, 17), ("STORE_FULL", "notices"))
        self.assertEqual(len(self.hub.model.messages), 16)
        self.hub.notices.decide(1, "read")  # still wants an answer
        self.assertEqual(name_of(self.send, 17), ("STORE_FULL", "notices"))
        for number in (9, 4, 2):
            self.hub.notices.decide(number, "accept" if number == 2 else "read")
        self.send(17, id="n1")
        self.send(18, id="n2")
        self.assertEqual(name_of(self.hub.notices.status, 2), ("NOT_AVAILABLE", "notice"))
        self.assertEqual(name_of(self.hub.notices.status, 4), ("NOT_AVAILABLE", "notice"))
        self.assertEqual(self.state(9), "read")

    def test_one_adviser_takes_four_places_and_leaves_the_others_to_those_who_must(self):
        kid = "EFF0000000000000"
        for i in range(4):
            self.send(i + 1, "EFF", id="m%d" % i, answer="accept")
        self.assertEqual(name_of(lambda: self.send(5, "EFF", id="m4")), ("STORE_FULL", "notices"))
        self.assertEqual(len(self.hub.notices.of(kid)), 4)
        self.send(5, "EFF", id="m0")  # in the place of its own
        self.hub.command("EFF", "message.withdraw", {"id": "m1"}, 6)
        self.send(7, "EFF", id="m4")
        for i in range(12):
            self.send(8 + i, "SUP", id="m%d" % i)


if __name__ == "__main__":
    unittest.main()
