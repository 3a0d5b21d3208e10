"""An outage that is planned: announced to the household, accepted or not, known to the log."""

import json
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from notices_bench import NOW, ServiceCase, name_of

from meterhub import outage_log


class OutagePlanTest(ServiceCase):
    def plan(self, role="DNO", **arg):
        whole = {"ref": "o1", "from": NOW + 3600, "to": NOW + 7200}
        whole.update(arg)
        return self.do(role, "outage.planned", **whole)

    def rows(self):
        raw = self.hub.outages.record.load()
        return json.loads(raw)["planned"] if raw else []

    def planned(self):
        return [row[0] for row in self.rows()]

    def test_an_outage_is_announced_accepted_and_known_to_the_log(self):
        number = self.plan(text="Mill Lane.").data["notice"]
        self.assertEqual(self.hub.notices.message(number).text, "21.9. 15:13 to 16:13. Mill Lane.")
        self.assertEqual(self.planned(), ["o1"])
        self.assertEqual(self.decide(number, "accept")[1]["action"], "accept")

    def test_one_that_is_not_accepted_is_an_error(self):
        answer = self.decide(self.plan().data["notice"], "decline")
        self.assertEqual(answer, ["refused", {"error": "CONSUMER_DECLINED"}])
        self.plan(ref="o2")
        self.hub.second(8000)
        self.assertEqual(self.hub.commands.all()[-1][3:], ["refused", {"error": "CONSUMER_TIMEOUT"}])
        self.hub.second()
        shown = self.hub.notices.message(self.hub.model.messages[0][0])
        self.assertEqual((shown.title, shown.text), ("Outage", "Planned outage: consumer timeout"))

    def test_one_without_a_display_is_refused_and_shown_when_there_is_one(self):
        self.hub.ihd.works = False
        self.assertEqual(name_of(self.plan), ("DISPLAY_FAILED", "ihd"))
        self.assertEqual(self.planned(), ["o1"])
        self.hub.ihd.works = True
        self.hub.second()
        self.assertEqual(self.hub.notices.message(1).title, "No power")
        self.hub.second(9000)
        self.assertEqual([letter[3] for letter in self.hub.commands.all()], [])

    def test_one_that_is_wrong_is_refused_and_shown_as_an_event_once(self):
        for arg, name in (
            ({"to": NOW + 3600}, ("INVALID_VALUE", "arg.to")),
            ({"from": "now"}, ("MALFORMED", "arg.from")),
            ({"ref": None}, ("MALFORMED", "arg.ref")),
            ({"ref": "a b"}, ("INVALID_VALUE", "arg.ref")),
            ({"ref": "r" * 33}, ("INVALID_VALUE", "arg.ref")),
            ({"text": "t" * 101}, ("INVALID_VALUE", "arg.text")),
            ({"text": 5}, ("MALFORMED", "arg.text")),
            ({"from": NOW - 9, "to": NOW - 1}, ("EXPIRED", "arg.to")),
            ({"to": NOW + 3600 + 8 * 86400}, ("INVALID_VALUE", "arg.to")),
        ):
            self.assertEqual(name_of(lambda arg=arg: self.plan(**arg)), name)
            self.hub.second()
        self.assertEqual((len(self.hub.model.messages), self.planned()), (1, []))
        self.assertEqual(self.hub.notices.message(self.hub.model.messages[0][0]).text, "Planned outage: invalid value")

    def test_the_same_ref_again_takes_its_place(self):
        self.plan()
        self.hub.second(60)
        self.plan(to=NOW + 9999, text="works")
        self.assertEqual(self.rows(), [["o1", NOW + 3600, NOW + 9999, "works", NOW + 61]])
        self.assertEqual(len(self.hub.model.messages), 1)
        self.assertEqual([letter[4]["action"] for letter in self.hub.commands.all()], ["replaced"])

    def test_more_than_eight_are_not_kept_before_one_is_over(self):
        for n in range(8):
            self.plan(ref="o%d" % n)
        self.assertEqual(name_of(lambda: self.plan(ref="o8")), ("STORE_FULL", "outages"))
        self.assertEqual(self.planned(), ["o%d" % n for n in range(8)])
        self.hub.second(8000)
        self.plan(**{"ref": "o8", "from": NOW + 9000, "to": NOW + 9900})
        self.assertEqual(self.planned(), ["o%d" % n for n in range(1, 9)])

    def test_the_outage_that_comes_is_known_by_it(self):
        self.plan()
        self.assertEqual(outage_log.note(self.hub, NOW + 3700, NOW + 9000, 0), "o1")
        self.assertEqual(outage_log.note(self.hub, NOW + 7201, NOW + 9000, 0), "")

    def test_the_owner_may_announce_one_too(self):
        number = self.plan("ROOT").data["notice"]
        self.assertEqual(self.planned(), ["o1"])
        self.assertEqual(self.decide(number, "accept")[1]["action"], "accept")
        self.plan("ROOT", ref="o2")
        self.assertEqual(self.do("ROOT", "outage.planned", **{"ref": "o2", "from": 0, "to": 0}).outcome, "done")
        self.assertEqual(self.planned(), ["o1"])

    def test_one_is_taken_back(self):
        self.plan()
        self.assertEqual(self.do("DNO", "outage.planned", **{"ref": "o1", "from": 0, "to": 0}).outcome, "done")
        self.assertEqual((self.planned(), self.hub.model.messages), ([], ()))
        self.assertEqual(self.hub.commands.all()[-1][4]["action"], "withdrawn")


if __name__ == "__main__":
    unittest.main()
