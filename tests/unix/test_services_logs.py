"""Days, snapshots and the maximum demand, as a role gets them: from the profile, and never guessed."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from profile_bench import STEP, ProfileCase, T
from services_bench import DAY, NOW
from store_folder import flip, read

from meterhub.codec import profile_page
from meterhub.codec.calendar import seconds
from meterhub.codec.load_profile import MEASURED, PARTIAL, Entry
from meterhub.codec.timezone import Zone


class LogsTest(ProfileCase):
    def boot(self, **more):
        hub = super().boot(**more)
        hub.zone = Zone("CET-1CEST,M3.5.0,M10.5.0/3")
        return hub

    def test_days_are_told_as_growth_and_are_null_where_an_end_is_missing(self):
        start = seconds(2026, 2, 20)
        for n in range(6 * 48 + 1):
            if n != 3 * 48:
                self.hub.profile.append(Entry(start + n * STEP, MEASURED, (n, 0)))
        page = self.ask("read.daily_consumption", {"from": start, "to": start + 6 * DAY})
        self.assertEqual(page["values"], [[48, 48, None, None, 48, 48]])
        self.assertEqual((page["quality"], page["step_s"], page["next"]), ("110011", DAY, 0))
        self.assertFalse("base" in page)
        self.assertTrue(profile_page.is_whole(page))
        page = self.ask("read.daily_consumption")
        self.assertEqual((page["from"], page["to"]), (start, start + 6 * DAY))  # whole days, UTC

    def test_more_than_a_year_of_days_comes_in_pages(self):
        start = seconds(2025, 2, 1)
        for n in range(400):
            self.hub.profile.append(Entry(start + n * DAY, MEASURED, (123456789 + 1234 * n, 0)))
        at, told = start, []
        while at:
            page = self.ask("read.daily_consumption", {"from": at})
            told.append(page["values"][0].count(1234))
            at = page["next"]
        self.assertEqual(told, [192, 192, 15])

    def log(self, cmd, **more):
        data = self.ask(cmd, role="SUP", **more)
        self.assertEqual(data["registers"], [["1-0:1.8.0", 30, 0]])
        columns = (data["at"], [int(one) for one in data["quality"]], data["readings"][0])
        return [[column[i] for column in columns] for i in range(len(data["at"]))]

    def test_the_daily_log_is_what_stood_at_each_midnight(self):
        self.fill(T - 2 * DAY, T + STEP)
        rows = self.log("read.daily_log")
        self.assertEqual(len(rows), 31)
        self.assertEqual(rows[:3], [[T, 1, 1960], [T - DAY, 1, 1480], [T - 2 * DAY, 1, 1000]])
        self.assertEqual(rows[3], [T - 3 * DAY, 0, None])
        self.assertEqual(self.log("read.daily_log", since=T)[1], [T - DAY, 0, None])

    def test_the_billing_log_is_what_stood_when_each_month_began(self):
        self.fill(seconds(2026, 1, 31), seconds(2026, 3, 2))
        rows = self.log("read.billing_log")
        self.assertEqual(len(rows), 12)
        self.assertEqual(rows[0], [seconds(2026, 2, 28, 23), 1, 1000 + 10 * (28 * 48 + 46)])  # local midnight
        self.assertEqual(rows[1][:2], [seconds(2026, 1, 31, 23), 1])
        self.assertEqual(rows[2], [seconds(2025, 12, 31, 23), 0, None])

    def test_logs_of_a_profile_that_is_empty_or_damaged_are_refused(self):
        self.assertEqual(self.refused("read.daily_log", role="SUP"), "NOT_AVAILABLE profile")
        self.fill(T, T + 2 * DAY)
        path = self.folder + "/profile/202603a.lp"
        flip(path, len(read(path)) - 40)
        self.hub = self.boot()
        self.assertEqual(self.refused("read.daily_log", role="SUP"), "RETRIEVE_FAILED profile")
        self.assertEqual(self.refused("read.daily_consumption"), "RETRIEVE_FAILED profile")
        self.ask("read.daily_log", {"skip": 1}, role="SUP")


class MaxDemandTest(ProfileCase):
    def wh(self, *growths, start=T, quality=MEASURED):
        """Keep a reading at `start`, and one at the end of each half-hour that has used so much."""
        total = 5000
        self.hub.profile.append(Entry(start, MEASURED, (total, 0)))
        for n, growth in enumerate(growths):
            total += growth
            self.hub.profile.append(Entry(start + (n + 1) * STEP, quality, (total, 0)))

    def ask_max(self, **arg):
        if "start" in arg:
            arg["from"] = arg.pop("start")
        data = self.ask("read.max_demand", arg)
        columns = (data["start"], data["end"], data["w"], [int(one) for one in data["quality"]])
        data["rows"] = [[column[i] for column in columns] for i in range(len(data["w"]))]
        return data

    def test_it_is_the_highest_half_hour_in_watts(self):
        self.wh(100, 700, 650)
        data = self.ask_max()
        self.assertEqual(data["rows"], [[T - STEP, T + 2 * STEP, 1400, MEASURED]])
        self.assertEqual((data["unit"], data["since"], data["period"], data["half_hour_s"]), (27, 0, [0, DAY], STEP))

    def test_days_and_months_have_their_own(self):
        self.wh(*([10] * 40 + [500] + [10] * 40 + [300] + [10] * 10))
        rows = self.ask_max(res="day", start=T)["rows"]
        self.assertEqual(rows, [[T, T + 41 * STEP, 1000, 1], [T + DAY, T + 82 * STEP, 600, 1]])
        rows = self.ask_max(res="month", start=T)["rows"]
        self.assertEqual(rows, [[seconds(2026, 3, 1), T + 41 * STEP, 1000, 1]])

    def test_what_lies_beside_a_gap_or_a_restart_is_no_demand(self):
        self.wh(100)
        self.hub.profile.append(Entry(T + 4 * STEP, MEASURED, (9000, 0)))  # an hour and a half in one
        self.hub.profile.append(Entry(T + 5 * STEP, PARTIAL, (9100, 0)))
        self.hub.profile.append(Entry(T + 6 * STEP, MEASURED, (9900, 0)))
        self.hub.profile.append(Entry(T + 7 * STEP, MEASURED, (9850, 0)))  # another meter
        self.assertEqual(self.ask_max()["rows"], [[T - STEP, T + STEP, 200, MEASURED]])

    def test_quarters_are_put_together_to_half_hours(self):
        self.hub = self.boot(step=900)
        for n, total in enumerate((0, 500, 600, 700, 1400)):
            self.hub.profile.append(Entry(T + n * 900, MEASURED, (total, 0)))
        self.assertEqual(self.ask_max(start=T)["rows"], [[T, T + 3600, 1600, MEASURED]])

    def test_the_configured_time_of_day_is_what_counts(self):
        self.wh(*([10] * 20 + [500] + [10] * 10 + [400, 10]))
        self.assertEqual(
            self.ask("set.max_demand_period", {"from_s": 54000, "to_s": 57600}), {"period": [54000, 57600]}
        )
        self.assertTrue(("event", "max demand period", "0-86400 -> 54000-57600") in self.hub.journal.said)
        self.assertEqual(self.ask_max()["rows"], [[T - STEP, T + 32 * STEP, 800, MEASURED]])
        for arg, name in (
            ({"from_s": 100, "to_s": 3600}, "INVALID_VALUE arg.from_s"),
            ({"from_s": 0, "to_s": 100}, "INVALID_VALUE arg.to_s"),
            ({"from_s": 3600, "to_s": 3600}, "INVALID_VALUE arg.to_s"),
            ({"from_s": 0, "to_s": 90000}, "INVALID_VALUE arg.to_s"),
            ({"from_s": 0}, "MALFORMED arg.to_s"),
        ):
            self.assertEqual(self.refused("set.max_demand_period", arg), name)
        self.assertEqual(self.ask_max()["period"], [54000, 57600])

    def test_a_reset_forgets_what_was_before(self):
        self.wh(900, start=NOW // STEP * STEP - STEP)
        self.assertEqual(self.ask("reset.max_demand"), {"since": NOW})
        self.assertEqual(self.refused("read.max_demand"), "NOT_AVAILABLE profile")
        begin = NOW // STEP * STEP
        self.hub.profile.append(Entry(begin + STEP, MEASURED, (6000, 0)))
        self.hub.profile.append(Entry(begin + 2 * STEP, MEASURED, (6050, 0)))
        self.assertEqual(self.ask_max()["rows"], [[NOW, begin + 2 * STEP, 100, MEASURED]])  # none of a torn half-hour
        self.assertEqual(self.refused("read.max_demand", {"from": begin - STEP}), "OUT_OF_RANGE arg.from")
        self.assertTrue("max demand reset" in self.hub.journal.names())
        self.hub = self.boot(is_set=False)
        self.assertEqual(self.refused("reset.max_demand"), "CLOCK_INVALID unset")
        self.assertEqual(self.ask_max()["since"], NOW)

    def test_what_it_does_not_know_is_refused(self):
        self.assertEqual(self.refused("read.max_demand", {"res": "week"}), "INVALID_VALUE arg.res")
        self.assertEqual(self.refused("read.max_demand"), "NOT_AVAILABLE profile")
        self.assertEqual(self.refused("read.clock", role="SUP"), "UNSUPPORTED cmd")

    def test_two_months_of_days_come_in_pages(self):
        start = T - 70 * DAY
        self.fill(start, T)
        data = self.ask_max(res="day", start=start)
        self.assertEqual((len(data["rows"]), data["next"]), (62, start + 62 * DAY))
        more = self.ask_max(res="day", start=data["next"])
        self.assertEqual((len(more["rows"]), more["next"]), (8, 0))


if __name__ == "__main__":
    unittest.main()
