"""UC-09 by its commands: the logs in pages whose numbers join, and a clearing that deletes nothing."""

import json
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from quality_bench import NOW, Hub
from store_folder import flip, fresh, remove

from meterhub import alerts
from meterhub.services import security

READS = ("event_log", "power_event_log", "hub_event_log", "security_log", "tamper_log", "hub_security_log")

BOTH, LOG, ALERT = {"alert": 1, "log": 1}, {"alert": 0, "log": 1}, {"alert": 1, "log": 0}


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = fresh()
        self.hub = Hub(self.folder)

    def tearDown(self):
        remove(self.folder)

    def do(self, cmd, **arg):
        return self.hub.do(security, cmd, "ADM", **arg)

    def names(self, log, **arg):
        return [entry[2] for entry in self.do("read." + log, **arg)["entries"]]

    def add(self, *names):
        for name in names:
            self.hub.wait(10)
            kind = "security" if name.startswith(("tamper", "NOT_", "tenancy")) else "event"
            self.hub.journal.add(kind, name, "p1")


class ReadTest(Case):
    def test_each_log_holds_what_concerns_its_reader(self):
        self.add("start", "METER_SILENT", "sag", "display", "supply restored 3 min", "LINK_DOWN", "meter is back")
        self.add("tamper cover", "NOT_AUTHENTIC", "tenancy", "phase interrupted", "EN 50160 failed")
        power = ["sag", "supply restored 3 min", "phase interrupted", "EN 50160 failed"]
        self.assertEqual(self.names("power_event_log"), power)
        self.assertEqual(self.names("event_log"), ["METER_SILENT"] + power[:2] + ["meter is back"] + power[2:])
        self.assertEqual(len(self.names("hub_event_log")), 9)
        self.assertEqual(self.names("tamper_log"), ["tamper cover"])
        self.assertEqual(self.names("security_log"), ["tamper cover", "NOT_AUTHENTIC"])
        self.assertEqual(len(self.names("hub_security_log")), 3)

    def test_an_entry_has_its_number_time_and_detail(self):
        self.add("sag")
        expected = {"entries": [[1, NOW + 10, "sag", "p1"]], "seen": [1, 1], "next": 0, "damaged": 0}
        self.assertEqual(self.do("read.hub_event_log"), expected)

    def test_both_times_belong_to_the_span_and_the_wildcards_are_all_of_it(self):
        self.add("sag", "swell", "sag ended", "swell ended")
        self.assertEqual(self.names("event_log", start=NOW + 20, to=NOW + 30), ["swell", "sag ended"])
        self.assertEqual(len(self.names("event_log", start=0, to=0xFFFFFFFF)), 4)
        self.assertEqual(self.names("event_log", start=NOW + 41), [])

    def test_what_was_journalled_without_the_time_is_at_the_start_of_it(self):
        self.hub.clock.state = "unset"
        self.add("sag")
        self.assertEqual((self.names("event_log"), self.names("event_log", start=1)), (["sag"], []))

    def test_pages_join_without_a_hole(self):
        for _ in range(90):
            self.add("sag", "start")
        for log, share in (("hub_event_log", 1), ("power_event_log", 2)):
            first, expected, told, pages = 0, 0, 0, 0
            while True:
                answer = self.do("read." + log, first=first)
                self.assertTrue(len(json.dumps(answer)) < 3072)
                low, high = answer["seen"]
                expected = expected or low
                self.assertEqual(low, expected)
                numbers = [entry[0] for entry in answer["entries"]]
                self.assertEqual(numbers, [n for n in range(low, high + 1) if share == 1 or n % 2])
                told += len(numbers)
                pages += 1
                expected = first = answer["next"]
                if not first:
                    break
            self.assertTrue(pages > 1)
            self.assertEqual((high, told), (180, 180 // share))

    def test_a_log_without_entries_is_an_empty_page(self):
        for log in READS:
            self.assertEqual(self.do("read." + log), {"entries": [], "seen": [0, 0], "next": 0, "damaged": 0})

    def test_damage_is_an_error_and_the_rest_for_who_wants_it(self):
        self.add("sag", "swell", "sag ended")
        flip(self.folder + "/journal/event.0", 16 + 60)
        self.assertEqual(self.do("read.event_log"), "RETRIEVE_FAILED event log")
        answer = self.do("read.event_log", skip=1)
        self.assertEqual((len(answer["entries"]), answer["damaged"]), (2, 1))
        self.assertEqual(self.do("read.security_log")["damaged"], 0)

    def test_bad_arguments_are_named(self):
        for log in READS:
            for arg, said in (
                ({"start": 9, "to": 8}, "INVALID_VALUE arg.to"),
                ({"first": -1}, "INVALID_VALUE arg.first"),
                ({"skip": 5}, "INVALID_VALUE arg.skip"),
                ({"kind": "x"}, "MALFORMED arg.kind"),
            ):
                self.assertEqual(self.do("read." + log, **arg), said)


class ClearTest(Case):
    def test_the_event_log_is_cleared_and_that_is_an_entry_of_both(self):
        self.add("sag", "tamper cover", "swell")
        self.assertEqual(self.do("clear.event_log"), {"through": 2})
        self.assertEqual(self.names("event_log"), ["event log cleared"])
        self.assertEqual(self.names("security_log"), ["tamper cover", "event log cleared"])
        self.assertEqual(self.names("hub_event_log"), ["sag", "swell", "event log cleared"])
        self.assertEqual(self.names("power_event_log"), ["sag", "swell"])
        self.assertEqual(self.hub.letters.sent, [("ADM", "event log cleared", 0x8F52, {"through": 2})])

    def test_it_stays_cleared_and_goes_on(self):
        self.add("sag")
        self.do("clear.event_log")
        self.hub = Hub(self.folder, NOW + 100)
        self.add("swell")
        answer = self.do("read.event_log")
        self.assertEqual([entry[0] for entry in answer["entries"]], [2, 3])

    def test_the_security_log_has_no_such_command(self):
        self.assertEqual(self.do("clear.security_log"), "UNSUPPORTED cmd")

    def test_a_record_that_is_damaged_is_said(self):
        self.add("sag")
        self.do("clear.event_log")
        flip(self.folder + "/log-cleared.1", 11)
        self.assertEqual(self.do("read.event_log"), "RETRIEVE_FAILED log-cleared: no whole slot")

    def test_arguments_are_refused(self):
        self.add("sag")
        self.assertEqual(self.do("clear.event_log", to=5), "MALFORMED arg.to")
        self.assertEqual(self.names("event_log"), ["sag"])


class BehaviourTest(Case):
    def set(self, role="DNO", **events):
        arg = {"events": {name.replace("_", " "): how for name, how in events.items()}} if events else {}
        return self.hub.do(security, "set.event_behaviour", role, **arg)

    def tell(self, name):
        alerts.tell(self.hub, "event", ("DNO", "SUP"), name, 0)
        sent, self.hub.letters.sent = [one[0] for one in self.hub.letters.sent], []
        return sent

    def test_it_is_read_back_survives_and_is_each_roles_own(self):
        before = self.set()["events"]
        self.assertEqual((len(before), [one for one in before.values() if one != BOTH]), (17, []))
        answer = self.set(sag={"alert": 0}, supply_restored={"log": 0})
        self.assertEqual(answer["events"], dict(before, **{"sag": LOG, "supply restored": ALERT}))
        self.hub = Hub(self.folder)
        self.assertEqual(self.set(), answer)
        self.assertEqual(self.set("SUP"), {"events": {"supply restored": BOTH}})
        self.set("SUP", supply_restored={"alert": 0, "log": 1})
        self.assertEqual(self.set(), answer)
        self.assertEqual(self.set(sag={"alert": 1})["events"]["sag"], BOTH)
        self.assertTrue(len(json.dumps(answer)) < 3072)

    def test_who_wants_no_alert_gets_none_and_the_journal_has_it_all_the_same(self):
        self.assertEqual(self.tell("supply restored"), ["DNO", "SUP"])
        self.set("SUP", supply_restored={"alert": 0})
        self.assertEqual(self.tell("supply restored"), ["DNO"])
        self.assertEqual(self.tell("supply restored 3 min"), ["DNO", "SUP"])
        self.set(sag={"log": 0})
        self.assertEqual(self.tell("sag"), ["DNO", "SUP"])
        self.assertEqual(self.hub.names(), ["supply restored", "supply restored", "supply restored 3 min", "sag"])

    def test_what_is_not_logged_is_told_to_others_and_in_the_owners_log(self):
        self.set(sag={"log": 0})
        self.add("sag", "swell", "METER_SILENT")

        def read(log, role):
            answer = self.hub.do(security, "read." + log, role)
            self.assertEqual(answer["seen"], [1, 3])
            return [entry[2] for entry in answer["entries"]]

        self.assertEqual(read("event_log", "DNO"), ["swell", "METER_SILENT"])
        self.assertEqual(read("power_event_log", "DNO"), ["swell"])
        self.assertEqual(read("power_event_log", "SUP"), ["sag", "swell"])
        self.assertEqual(read("hub_event_log", "DNO"), ["sag", "swell", "METER_SILENT"])

    def test_nothing_counts_when_one_of_it_cannot(self):
        for role, events, said in (
            ("SUP", {"sag": {"alert": 0}}, "INVALID_VALUE arg.sag"),
            ("DNO", {"tamper case": {"alert": 0}}, "INVALID_VALUE arg.tamper case"),
            ("DNO", {"supply restored 3 min": {"alert": 0}}, "INVALID_VALUE arg.supply restored 3 min"),
            ("DNO", {"x" * 900: {"alert": 0}}, "INVALID_VALUE arg." + "x" * 32),
            ("DNO", {"sag": {"alert": 2}}, "INVALID_VALUE arg.alert"),
            ("DNO", {"sag": {"log": True}}, "MALFORMED arg.log"),
            ("DNO", {"sag": {"show": 1}}, "MALFORMED arg.show"),
            ("DNO", {"sag": 1}, "MALFORMED arg"),
            ("DNO", ["sag"], "MALFORMED arg.events"),
        ):
            if isinstance(events, dict):
                events["supply restored"] = {"log": 0}
            self.assertEqual(self.hub.do(security, "set.event_behaviour", role, events=events), said)
        self.assertEqual(self.hub.do(security, "set.event_behaviour", "DNO", wat=1), "MALFORMED arg.wat")
        self.assertEqual(self.set()["events"]["supply restored"], BOTH)

    def test_a_record_that_cannot_be_written_or_read_is_told(self):
        self.set(sag={"alert": 0})
        self.set(swell={"alert": 0})
        for place in "01":
            flip(self.folder + "/event-behaviour." + place, 12)
        said = "RETRIEVE_FAILED event-behaviour: no whole slot"
        self.assertEqual(self.set(), said)
        self.assertEqual(self.hub.do(security, "read.event_log", "DNO"), said)
        self.assertEqual(self.tell("sag"), ["DNO", "SUP"])  # rather told than not
        record, self.hub.record = self.hub.record, lambda name: self.hub.strict_record("no/where")
        self.assertTrue(self.set(sag={"alert": 0}).startswith("RECORD_FAILED"))
        self.hub.record = record
        self.assertEqual(self.set()["events"]["sag"], BOTH)


if __name__ == "__main__":
    unittest.main()
