"""UC-04 by its commands: what is read, in pages, what is set as a whole, and what cannot be retrieved."""

import json
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

import voltage_bench
from quality_bench import NOW
from store_folder import flip, read, write

from meterhub import outage_log
from meterhub.meters.reading import Reading
from meterhub.meters.voltage import DEFAULTS
from meterhub.services import power_quality


class Case(voltage_bench.Case):
    def do(self, cmd, **arg):
        return self.hub.do(power_quality, cmd, **arg)

    def fill(self, count, phases=7):
        """Put so many entries into the log."""
        for n in range(count):
            values = tuple([2300 + n % 40 + i for i in range(3)])
            self.hub.voltage.log.append(NOW + 1800 * (n + 1), 1800, phases, values, (100,) * 3)


class LogTest(Case):
    def test_pages_join_without_a_hole_and_fit_in_a_letter(self):
        self.fill(250)
        self.hub.voltage.log.append(NOW + 1800 * 251, 600, 1, (2222,), (100,))
        start = pages = n = 0
        while True:
            answer = self.do("read.voltage_log", start=start)
            self.assertTrue(len(json.dumps(answer)) < 3072)
            for row in answer["rows"]:
                n += 1
                self.assertEqual(row[0], NOW + 1800 * n)
            pages += 1
            start = answer["next"]
            if not start:
                break
        self.assertEqual((n, answer["period_s"], answer["phases"], answer["rows"][0][1]), (251, 600, [1], 2222))
        self.assertTrue(5 < pages < 10, pages)

    def test_both_ends_belong_to_what_is_asked_for(self):
        self.fill(10)
        answer = self.do("read.voltage_log", start=NOW + 3600, to=NOW + 7200)
        self.assertEqual([row[0] - NOW for row in answer["rows"]], [3600, 5400, 7200])
        self.assertEqual(answer["rows"][0], [NOW + 3600, 2301, 100, 2302, 100, 2303, 100])
        self.assertEqual((answer["phases"], answer["period_s"], answer["next"]), ([1, 2, 3], 1800, 0))
        whole = self.do("read.voltage_log", start=0, to=0xFFFFFFFF)
        self.assertEqual(len(whole["rows"]), 10)

    def test_what_is_not_there_is_an_empty_page(self):
        self.assertEqual(self.do("read.voltage_log")["rows"], [])

    def test_damaged_flash_is_named_and_the_rest_is_told_to_who_wants_it(self):
        self.fill(10)
        flip(self.folder + "/voltage/00000001.vl", 16 + 13 * 4 + 3)
        said = "RETRIEVE_FAILED 00000001.vl damaged at byte 68"
        self.assertEqual(self.do("read.voltage_log"), said)
        self.assertEqual(self.do("read.voltage_log"), said)
        self.assertEqual(self.hub.names(), ["STORE_DAMAGED"])
        self.assertEqual(len(self.do("read.voltage_log", to=NOW + 7200)["rows"]), 4)
        answer = self.do("read.voltage_log", skip=1)
        self.assertEqual((len(answer["rows"]), answer["damaged"]), (9, 1))

    def test_bad_arguments_are_named(self):
        for arg, said in (
            ({"start": -1}, "INVALID_VALUE arg.from"),
            ({"start": "0"}, "MALFORMED arg.from"),
            ({"start": True}, "MALFORMED arg.from"),
            ({"to": 0x100000000}, "INVALID_VALUE arg.to"),
            ({"start": 5, "to": 4}, "INVALID_VALUE arg.to"),
            ({"skip": 2}, "INVALID_VALUE arg.skip"),
            ({"wat": 2}, "MALFORMED arg.wat"),
        ):
            self.assertEqual(self.do("read.voltage_log", **arg), said)

    def test_a_hub_that_does_not_watch_says_so(self):
        self.hub.voltage = None
        for cmd in ("read.voltage_log", "read.power_quality", "read.voltage_config", "set.voltage_config"):
            self.assertEqual(self.do(cmd), "NOT_AVAILABLE voltage.watch")


class QualityTest(Case):
    def test_all_of_it_in_one_answer(self):
        hub = self.hub
        more = [("31", 12, -1, "A"), ("51", 3, 0, "A"), ("33", 97, -2, ""), ("14", 4998, -2, "Hz")]
        hub.meters[0].registers.update(
            [Reading("1-0:%s.7.0" % code, v, s, u, "E1", 0, None) for code, v, s, u in more]
        )
        hub.meters[0].registers.update([Reading("1-0:52.32.0", 3, 0, "", "E1", 0, None)])
        for _ in range(100):
            hub.tell((2300, 2100, 2290), 10)
        answer = self.do("read.power_quality")
        self.assertTrue(len(json.dumps(answer)) < 3072)
        self.assertEqual((answer["phases"], answer["at"]), ([1, 2, 3], NOW + 1000))
        now = {"mv": [230000, 210000, 229000], "ma": [1200, 3000, None], "pf_e3": [970, None, None]}
        now.update({"mhz": 49980, "age_s": 0})
        self.assertEqual(answer["now"], now)
        self.assertEqual((answer["limits"]["sag"], answer["limits"]["swell"]), ([0, 1, 0], [0, 0, 0]))
        self.assertEqual(answer["counters"]["sag"], [0, 1, 0])
        self.assertEqual(answer["week"][:3], [NOW, [1, 1, 1, 1, 230000, 230000, 1], [1, 1, 1, 0, 210000, 210000, 1]])
        self.assertEqual((answer["weeks"], answer["interruptions"]), ([], []))
        self.assertEqual(answer["meter"], {"sags": [None, 3, None], "swells": [None] * 3})

    def test_parts_may_be_chosen(self):
        self.assertEqual(sorted(self.do("read.power_quality", what=["week"])), ["at", "phases", "week"])
        for bad in ([], ["x"], "week", [["week"]]):
            self.assertEqual(self.do("read.power_quality", what=bad), "INVALID_VALUE arg.what")

    def test_the_week_of_great_britain(self):
        self.hub.tell((2100, 2300, 2300), 1)
        for _ in range(70):
            self.hub.tell((2100, 2300, 2300), 10)
        verdicts = [one[6] for one in self.do("read.power_quality", what=["week"])["week"][1:]]
        self.assertEqual(verdicts, [1, 1, 1])
        self.do("set.voltage_config", gb_band=1)
        verdicts = [one[6] for one in self.do("read.power_quality", what=["week"])["week"][1:]]
        self.assertEqual(verdicts, [0, 1, 1])

    def test_interruptions_are_of_the_span(self):
        for start, end, phases in ((NOW, NOW + 100, 2), (NOW + 1000, NOW + 1200, 1)):
            outage_log.note(self.hub, start, end, phases)
        found = self.do("read.power_quality", what=["interruptions"], start=NOW + 101)["interruptions"]
        self.assertEqual(found, [[2, NOW + 1000, NOW + 1200, [1]]])

    def test_a_record_that_is_damaged_cannot_be_retrieved(self):
        outage_log.note(self.hub, NOW, NOW + 1, 1)
        path = self.folder + "/outage-log.1"
        write(path, read(path)[:-3])
        said = self.do("read.power_quality", what=["interruptions"])
        self.assertEqual(said, "RETRIEVE_FAILED outage-log: no whole slot")


class ConfigTest(Case):
    def test_it_is_read_back_and_survives(self):
        self.assertEqual(self.do("read.voltage_config")["config"], DEFAULTS)
        answer = self.do("set.voltage_config", swell_mv=254000, swell_s=60, average_period_s=600)
        self.assertEqual(answer["config"], dict(DEFAULTS, swell_mv=254000, swell_s=60, average_period_s=600))
        self.hub = self.started(NOW + 60)
        self.assertEqual(self.do("read.voltage_config"), answer)

    def test_it_is_in_force_at_once(self):
        self.do("set.voltage_config", swell_mv=240000, swell_s=5, average_period_s=600)
        for _ in range(605):
            self.hub.tell((2450, 2300, 2300), 1)
        self.assertEqual(self.hub.letters.sent[0][1], "swell")
        found = list(self.hub.voltage.log.read(0, NOW * 2))
        self.assertEqual([one[:2] for one in found], [(NOW + 600, 600)])

    def test_nothing_of_it_counts_when_one_value_cannot(self):
        for arg, field in (
            ({"swell_mv": 999}, "swell_mv"),
            ({"swell_mv": 500001}, "swell_mv"),
            ({"swell_s": 0}, "swell_s"),
            ({"sag_s": 3601}, "sag_s"),
            ({"average_period_s": 59}, "average_period_s"),
            ({"average_period_s": 1801}, "average_period_s"),
            ({"sag_mv": 253000}, "sag_mv"),
            ({"swell_mv": 216000}, "swell_mv"),
            ({"average_under_mv": 264000}, "average_under_mv"),
            ({"extreme_under_mv": 11500}, "extreme_under_mv"),
            ({"gb_band": 2}, "gb_band"),
        ):
            arg["extreme_over_s"] = 7
            self.assertEqual(self.do("set.voltage_config", **arg), "INVALID_VALUE arg." + field)
        self.assertEqual(self.do("set.voltage_config", no_such=1), "MALFORMED arg.no_such")
        self.assertEqual(self.do("set.voltage_config"), "MALFORMED arg")
        self.assertEqual(self.do("set.voltage_config", sag_s=1.5), "MALFORMED arg.sag_s")
        self.assertEqual(self.do("read.voltage_config")["config"], DEFAULTS)

    def test_a_full_flash_changes_nothing(self):
        self.hub.voltage.config_record._path = self.folder + "/no/where"
        self.assertTrue(self.do("set.voltage_config", swell_s=9).startswith("RECORD_FAILED"))
        self.assertEqual(self.do("read.voltage_config")["config"], DEFAULTS)

    def test_counters_begin_anew_and_say_what_they_were(self):
        for _ in range(31):
            self.hub.tell((2600, 2300, 2300), 1)
        self.assertEqual(self.do("reset.voltage_counters")["counters"]["swell"], [1, 0, 0])
        self.assertEqual(self.do("reset.voltage_counters")["counters"]["swell"], [0, 0, 0])
        self.assertEqual(self.started(NOW + 60).voltage.phases[0].counters, [0] * 6)
        self.hub.voltage.phases[0].counters[4] = 9
        self.hub.voltage._record._path = self.folder + "/no/where"
        self.assertTrue(self.do("reset.voltage_counters").startswith("RECORD_FAILED"))
        self.assertEqual(self.hub.voltage.phases[0].counters[4], 9)


if __name__ == "__main__":
    unittest.main()
