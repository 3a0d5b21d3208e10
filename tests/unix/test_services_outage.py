"""UC-05: the list of outages, and an event on the display for every failure."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from quality_bench import NOW, Hub
from store_folder import flip, fresh, remove

from meterhub import outage_log
from meterhub.errors import HubError
from meterhub.services import outage
from meterhub.store import heartbeat


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = fresh()
        self.hub = Hub(self.folder)

    def tearDown(self):
        remove(self.folder)

    def do(self, cmd, **arg):
        return self.hub.do(outage, cmd, **arg)

    def planned(self):
        return [one[0] for one in outage_log.state(self.hub.outages.record)["planned"]]

    def shown(self):
        return [notice["text"] for notice in self.hub.notices.shown]


class ReadTest(Case):
    def fill(self, count):
        for n in range(count):
            start = NOW + 10000 * n
            if n % 3:
                outage_log.note(self.hub, start, start + 170 + n, 1 << n % 3)
            else:
                outage_log.settle(self.hub, start, start + 170 + n)

    def test_all_that_is_kept_in_pages(self):
        self.fill(40)
        found, first, pages = [], 0, 0
        while True:
            answer = self.do("read.outage_log", first=first)
            found += [(one["n"], one["start"], one["seconds"]) for one in answer["outages"]]
            first = answer["next"]
            pages += 1
            if not first:
                break
        self.assertEqual(found, [(n + 1, NOW + 10000 * n, 170 + n) for n in range(8, 40)])
        self.assertTrue(pages > 1)

    def test_both_rules_and_the_phases(self):
        self.fill(12)
        found = self.do("read.outage_log")["outages"]
        expected = [(n + 1, 170 + n, int(170 + n >= 180), "long" if 170 + n > 180 else "short") for n in range(12)]
        self.assertEqual([(one["n"], one["seconds"], one["min3"], one["class"]) for one in found], expected)
        self.assertEqual([one["phases"] for one in found[:3]], [[], [2], [3]])
        self.assertEqual([one["estimated"] for one in found[:3]], [1, 0, 0])
        self.assertEqual(found[0]["clock"], "set")

    def test_those_that_overlap_the_span(self):
        self.fill(5)
        for start, stop, numbers in (
            (NOW + 10171, NOW + 20000, [2, 3]),
            (NOW + 10172, NOW + 19999, []),
            (0, NOW, [1]),
            (0, 0xFFFFFFFF, [1, 2, 3, 4, 5]),
        ):
            found = self.do("read.outage_log", start=start, to=stop)["outages"]
            self.assertEqual([one["n"] for one in found], numbers)

    def test_what_was_planned_is_named(self):
        claims = {"ref": "W-17", "from": NOW + 3600, "to": NOW + 7200, "text": "", "at": NOW}
        self.hub.outages.record.save(self.hub.outages.planned(claims))
        outage_log.settle(self.hub, NOW + 4000, NOW + 5000)
        self.assertEqual(self.do("read.outage_log")["outages"][0]["planned"], "W-17")

    def test_a_damaged_log_is_an_error_on_the_display_too(self):
        self.fill(1)
        flip(self.folder + "/outage-log.1", 12)
        self.assertEqual(self.do("read.outage_log"), "RETRIEVE_FAILED outage-log: no whole slot")
        self.assertEqual(self.shown()[1:], ["Outage data: retrieve failed"])  # after that the supply was off

    def test_an_outage_whose_end_is_not_known_yet_is_an_error(self):
        heartbeat.write(self.folder + "/heartbeat", heartbeat.pack(heartbeat.BEAT, NOW - 500))
        self.hub = Hub(self.folder)
        self.hub.clock.state = "unset"
        self.assertEqual(self.do("read.outage_log"), "CLOCK_INVALID clock")
        self.hub.clock.state = "set"
        self.hub.outages.look()
        self.assertEqual(len(self.do("read.outage_log")["outages"]), 1)

    def test_bad_arguments_are_shown_and_named(self):
        for arg, said in (
            ({"start": 5, "to": 4}, "INVALID_VALUE arg.to"),
            ({"first": "a"}, "MALFORMED arg.first"),
            ({"phase": 1}, "MALFORMED arg.phase"),
        ):
            self.assertEqual(self.do("read.outage_log", **arg), said)
        self.assertEqual(self.shown()[:2], ["Outage data: invalid value", "Outage data: malformed"])
        event = self.hub.notices.shown[0]
        self.assertEqual((event["ref"], event["answer"], event["category"]), ("outage-event", "", "outage"))

    def test_what_was_before_its_time_is_not_for_the_sender(self):
        self.fill(5)
        self.hub.since = NOW + 15000
        self.assertEqual([one["n"] for one in self.do("read.outage_log")["outages"]], [3, 4, 5])

    def test_another_command_is_none_of_its(self):
        self.assertRaises(HubError, outage.handle, self.hub, self.hub.command("read.everything"))


if __name__ == "__main__":
    unittest.main()
