"""What an event has come to: energy in its half-hours, what is usual then, and how the report goes out."""

import json
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from demand_bench import Case, event, interval
from supply_bench import NOW, OTHER, SUP, refused

from meterhub.codec.load_profile import MEASURED, PARTIAL, Column, Entry
from meterhub.store.profile import Profile

DAY, STEP = 86400, 1800
FIRST = NOW // STEP * STEP + 2 * STEP  # the event lasts from here for two half-hours
COLUMNS = [Column("1-0:1.8.0", 0, 30), Column("1-0:2.8.0", 0, 30)]


class ReportTest(Case):
    wired = 1

    def days(self, per_slot, since=10, exported=0, missing=()):
        """Keep three readings around the event's half-hours on each of the days before; per_slot(day): Wh in each."""
        self.hub.profile = self.profile = Profile(self.board.data_dir + "/profile", COLUMNS, STEP)
        self.wh = 5000
        for day in range(since, 0, -1):
            for i in range(3):
                if day not in missing:
                    self.profile.append(Entry(FIRST - day * DAY + i * STEP, MEASURED, (self.wh, 700)))
                self.wh += per_slot(day) if i < 2 else 9000
        self.exported = 700

    def event_day(self, used, exported=(0, 0), quality=MEASURED):
        self.profile.append(Entry(FIRST, MEASURED, (self.wh, self.exported)))
        for i, wh in enumerate(used):
            self.wh += wh
            self.exported += exported[i]
            self.profile.append(Entry(FIRST + (i + 1) * STEP, quality, (self.wh, self.exported)))

    def act(self, cmd="dr.event", value=1, kind="SIMPLE"):
        self.send(event(interval(FIRST, 2 * STEP, kind, value), program="winter", target="load1"), cmd)
        self.until(FIRST + 1)
        self.over()

    def until(self, at):
        self.board.unix_s = at - 1
        self.hub.live()

    def over(self):
        self.until(FIRST + 2 * STEP)

    def ended(self):
        """Queue the report of what is over; return it."""
        for found in self.hub.desk.over(self.hub.clock.now()):
            self.hub.run(self.hub.desk.finish(found))
        return self.hub.letters.reports[-1] if self.hub.letters.reports else None

    def payloads(self, data):
        return [
            {one["type"]: one["values"][0] for one in part["payloads"]} for part in data["resources"][0]["intervals"]
        ]

    def test_energy_and_what_is_usual_are_told_for_each_half_hour_in_openadrs_words(self):
        self.days(lambda day: 100 * day)
        self.act()
        self.event_day((170, 230))
        to, schedule, data = self.ended()
        self.assertEqual((to, schedule), (OTHER, "dr ev1"))
        for name, value in (("eventID", "ev1"), ("programID", "winter"), ("action", "none"), ("acted", 1)):
            self.assertEqual(data[name], value)
        first = {"type": "USAGE", "values": ["0.170"]}
        resource = data["resources"][0]
        self.assertEqual((resource["resourceName"], resource["intervals"][0]["payloads"][0]), ("load1", first))
        self.assertEqual(resource["intervals"][1]["intervalPeriod"], {"start": FIRST + STEP, "duration": STEP})
        wanted = {"USAGE": "0.230", "DEMAND": "0.460", "BASELINE": "0.300", "DATA_QUALITY": "MEASURED"}
        wanted.update({"SIMPLE_LEVEL": 1, "OPERATING_STATE": "NORMAL"})
        self.assertEqual(self.payloads(data)[1], wanted)  # the mean of 1 to 5 days back
        self.assertEqual(
            data["payloadDescriptors"][0], {"payloadType": "USAGE", "readingType": "DIRECT_READ", "units": "KWH"}
        )
        self.assertTrue(len(json.dumps(data)) < 3072)
        self.assertEqual((self.hub.desk.over(FIRST + DAY), self.hub.desk.next_due(FIRST + DAY)), ([], 0))

    def test_the_five_newest_days_that_have_it_count(self):
        self.days(lambda day: 100 * day, missing=(1, 3))
        self.act()
        self.event_day((10, 10))
        found = self.payloads(self.ended()[2])
        self.assertEqual(found[0]["BASELINE"], "0.480")  # 2 4 5 6 7
        self.assertEqual(found[0]["USAGE"], "0.010")

    def test_what_is_not_known_is_missing_and_is_not_waited_for_for_ever(self):
        self.days(lambda day: 100, since=0)
        self.act()
        self.assertEqual(self.ended(), None)
        self.hub.live(899)
        self.assertEqual(self.ended(), None)
        self.hub.live(1)
        found = self.payloads(self.ended()[2])
        wanted = {"DATA_QUALITY": "MISSING", "SIMPLE_LEVEL": 1, "OPERATING_STATE": "NORMAL"}
        self.assertEqual(found, [wanted, wanted])

    def test_partial_readings_a_fault_and_an_override_are_said(self):
        self.days(lambda day: 100, since=1)
        self.board.switches["load1"].stuck = True
        self.send(event(interval(FIRST, 2 * STEP), target="load1"))
        self.until(FIRST + 5)
        self.hub.live(3)
        self.say("override")
        self.until(FIRST + 2 * STEP)
        self.event_day((100, 100), quality=PARTIAL)
        data = self.ended()[2]
        found = self.payloads(data)[0]
        self.assertEqual(
            (found["DATA_QUALITY"], found["OPERATING_STATE"], data["action"]), ("PARTIAL", "ERROR", "override")
        )

    def test_generation_is_told_in_both_directions_and_net(self):
        self.days(lambda day: 0)
        self.act("dg.event", "2.5", "DISPATCH_SETPOINT")
        self.event_day((20, 0), (500, 600))
        data = self.ended()[2]
        found = self.payloads(data)
        self.assertEqual((found[0]["USAGE"], found[0]["EXPORT"], found[0]["NET"]), ("0.020", "0.500", "-0.480"))
        self.assertEqual((found[1]["NET"], found[1]["SETPOINT"]), ("-0.600", "2.500"))
        self.assertEqual(self.hub.letters.reports[-1][1], "dg ev1")

    def test_the_same_is_told_on_demand_and_to_nobody_else(self):
        self.days(lambda day: 100)
        self.act()
        self.event_day((10, 10))
        sent = self.ended()[2]
        self.assertEqual(self.send({"event": "ev1"}, "dr.report").data, sent)
        refused(self, "NOT_AVAILABLE", "arg.event", self.send, {"event": "ev1"}, "dr.report", SUP)

    def test_continuous_generation_is_told_for_any_time_without_an_event(self):
        self.days(lambda day: 0, since=0)
        self.event_day((20, 0), (500, 600))
        data = self.send({"from": FIRST, "to": FIRST + 2 * STEP}, "dr.report").data
        self.assertEqual([found["NET"] for found in self.payloads(data)], ["-0.480", "-0.600"])
        self.assertEqual(
            self.send({"from": FIRST, "to": FIRST + 30 * DAY}, "dr.report").data["resources"][0]["intervals"][0][
                "payloads"
            ][-1]["values"],
            ["MISSING"],
        )
        refused(self, "INVALID_VALUE", "arg.to", self.send, {"from": FIRST, "to": FIRST + 32 * DAY}, "dr.report")
        refused(self, "MALFORMED", "arg.from", self.send, {}, "dr.report")

    def test_a_new_key_is_told_nothing_of_the_time_before_it(self):
        self.days(lambda day: 0, since=0)
        self.event_day((20, 30))
        self.hub.since = FIRST + 1
        data = self.send({"from": FIRST, "to": FIRST + 2 * STEP}, "dr.report").data
        self.assertEqual([found["USAGE"] for found in self.payloads(data)], ["0.030"])
        arg = {"from": FIRST, "to": FIRST + STEP}
        refused(self, "NOT_AVAILABLE", "arg.from", self.send, arg, "dr.report")

    def test_a_whole_day_is_told_in_six_parts_and_fits_a_letter(self):
        self.days(lambda day: 100)
        self.send(event(interval(FIRST, DAY), id="x" * 32, program="p" * 32, target="load1"))
        found = self.hub.desk.find(OTHER, "x" * 32)
        data = self.hub.run(self.hub.desk.report(found))
        self.assertEqual(
            [part["intervalPeriod"]["duration"] for part in data["resources"][0]["intervals"]], [DAY // 6] * 6
        )
        self.assertTrue(len(json.dumps(data)) < 3072, len(json.dumps(data)))

    def test_a_cut_before_the_report_is_noted_sends_it_once_more_and_never_none(self):
        self.days(lambda day: 100)
        self.act()
        self.event_day((10, 10))
        self.power_cut()
        self.hub.profile = self.profile
        self.hub.live(1)
        self.ended()
        self.assertEqual(len(self.hub.letters.reports), 1)


if __name__ == "__main__":
    unittest.main()
