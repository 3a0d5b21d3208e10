"""The calendar and local time: leap years, the hours that clocks skip and repeat, and rules that are none."""

import unittest

from meterhub.codec import calendar
from meterhub.codec.timezone import Zone
from meterhub.errors import ConfigError

AMSTERDAM = "CET-1CEST,M3.5.0,M10.5.0/3"
UTC = calendar.seconds


class CalendarTest(unittest.TestCase):
    def test_known_days(self):
        for day, date in (
            (0, (1970, 1, 1)),
            (58, (1970, 2, 28)),
            (59, (1970, 3, 1)),
            (10957, (2000, 1, 1)),
            (11016, (2000, 2, 29)),
            (11017, (2000, 3, 1)),
            (19782, (2024, 2, 29)),
            (47540, (2100, 2, 28)),
            (47541, (2100, 3, 1)),
            (84005, (2199, 12, 31)),
        ):
            self.assertEqual(calendar.date(day), date)
            self.assertEqual(calendar.days(*date), day)

    def test_days_are_without_gap_and_go_back(self):
        for day in range(0, 84006, 61):
            self.assertEqual(calendar.days(*calendar.date(day)), day)

    def test_weekdays(self):
        self.assertEqual(calendar.weekday(0), 3)  # a Thursday
        self.assertEqual(calendar.weekday(calendar.days(2025, 11, 21)), 4)

    def test_fields_and_seconds(self):
        self.assertEqual(calendar.fields(1700000000), (2023, 11, 14, 22, 13, 20, 1))
        self.assertEqual(calendar.seconds(2023, 11, 14, 22, 13, 20), 1700000000)
        self.assertEqual(calendar.fields(0), (1970, 1, 1, 0, 0, 0, 3))

    def test_what_does_not_exist_is_refused(self):
        for date in ((2023, 2, 29), (2100, 2, 29), (2024, 0, 1), (2024, 13, 1), (2024, 4, 31), (2024, 1, 0)):
            with self.assertRaises(ValueError):
                calendar.days(*date)
        for year in (1969, 2200):
            with self.assertRaises(ValueError):
                calendar.days(year, 6, 1)
        for time in ((24, 0, 0), (0, 60, 0), (0, 0, 60), (-1, 0, 0)):
            with self.assertRaises(ValueError):
                calendar.seconds(2024, 1, 1, *time)
        for at in (-1, 84006 * 86400):
            with self.assertRaises(ValueError):
                calendar.fields(at)


class FarTest(unittest.TestCase):
    """Every month's end, leap day and change of the clocks from 2020 to 2100, on small ints of 31 bits too."""

    def test_month_ends_and_leap_days_to_2100(self):
        for year in range(2020, 2101):
            for month in range(1, 13):
                last = calendar.month_days(year, month)
                at = UTC(year, month, last, 23, 59, 59)
                self.assertEqual(calendar.fields(at)[:6], (year, month, last, 23, 59, 59))
                following = (year + month // 12, month % 12 + 1, 1, 0, 0, 0)
                self.assertEqual(calendar.fields(at + 1)[:6], following)
        self.assertEqual([calendar.month_days(year, 2) for year in (2024, 2096, 2100)], [29, 29, 28])

    def test_local_days_and_months_to_2100(self):
        zone = Zone(AMSTERDAM)
        for year in (2026, 2037, 2038, 2039, 2068, 2099, 2100):
            at, hours = UTC(year, 1, 1) - 3600, []
            self.assertEqual(zone.local(at), (year, 1, 1, 0, 0, 0, zone.local(at)[6]))
            for _ in range(366 if calendar.is_leap(year) else 365):
                following = zone.next_day_start(at)
                hours.append((following - at) // 3600)
                self.assertEqual(zone.day_start(following - 1), at)
                at = following
            self.assertEqual((at, sorted(hours)[:2], sorted(hours)[-2:]), (UTC(year, 12, 31, 23), [23, 24], [24, 25]))
            self.assertEqual(zone.next_month_start(UTC(year, 2, 15)), UTC(year, 2, calendar.month_days(year, 2), 23))
        self.assertEqual(zone.local(2147483648)[:5], (2038, 1, 19, 4, 14))


class ZoneTest(unittest.TestCase):
    def test_clocks_go_forward(self):
        zone = Zone(AMSTERDAM)
        at = UTC(2024, 3, 31, 1)
        self.assertEqual(zone.local(at - 1), (2024, 3, 31, 1, 59, 59, 6))
        self.assertEqual(zone.local(at), (2024, 3, 31, 3, 0, 0, 6))
        self.assertEqual((zone.offset_s(at - 1), zone.offset_s(at)), (3600, 7200))

    def test_clocks_go_back(self):
        zone = Zone(AMSTERDAM)
        at = UTC(2024, 10, 27, 1)
        self.assertEqual(zone.local(at - 1), (2024, 10, 27, 2, 59, 59, 6))
        self.assertEqual(zone.local(at), (2024, 10, 27, 2, 0, 0, 6))

    def test_one_zone_serves_every_year(self):
        zone = Zone(AMSTERDAM)
        for year, march, october in ((2024, 31, 27), (2030, 31, 27), (2001, 25, 28), (2024, 31, 27), (2199, 31, 27)):
            for at, offset in ((UTC(year, 3, march, 1), 7200), (UTC(year, 10, october, 1), 3600)):
                self.assertEqual((zone.offset_s(at - 1), zone.offset_s(at)), (10800 - offset, offset))

    def test_days_of_23_24_and_25_hours(self):
        zone = Zone(AMSTERDAM)
        for day, hours in (((2024, 3, 31), 23), ((2024, 4, 1), 24), ((2024, 10, 27), 25)):
            noon = UTC(*(day + (12,)))
            start, end = zone.day_start(noon), zone.next_day_start(noon)
            self.assertEqual(end - start, hours * 3600)
            self.assertEqual(zone.local(start)[2:6], (day[2], 0, 0, 0))
            self.assertEqual((zone.day_start(start), zone.day_start(end - 1)), (start, start))
            self.assertEqual(zone.day_start(end), end)

    def test_months(self):
        zone = Zone(AMSTERDAM)
        at = UTC(2024, 12, 31, 23, 30)  # the new year has begun there
        self.assertEqual(zone.month_start(at), UTC(2024, 12, 31, 23))
        self.assertEqual(zone.next_month_start(at), UTC(2025, 1, 31, 23))
        self.assertEqual(zone.next_month_start(UTC(2024, 12, 5)), UTC(2024, 12, 31, 23))
        self.assertEqual(zone.month_start(UTC(2024, 7, 31, 22)), UTC(2024, 7, 31, 22))
        self.assertEqual(zone.month_start(UTC(2024, 7, 31, 21, 59, 59)), UTC(2024, 6, 30, 22))

    def test_the_southern_half(self):
        zone = Zone("AEST-10AEDT,M10.1.0,M4.1.0/3")
        self.assertEqual(zone.offset_s(UTC(2024, 1, 1)), 11 * 3600)
        self.assertEqual(zone.offset_s(UTC(2024, 7, 1)), 10 * 3600)
        self.assertEqual(zone.offset_s(UTC(2024, 12, 31, 23)), 11 * 3600)

    def test_a_winter_time_that_is_called_daylight_saving(self):
        zone = Zone("IST-1GMT0,M10.5.0,M3.5.0/1")  # Ireland, as the tz database has it
        self.assertEqual((zone.offset_s(UTC(2024, 1, 1)), zone.offset_s(UTC(2024, 7, 1))), (0, 3600))
        self.assertEqual((zone.offset_s(UTC(2024, 3, 31, 1) - 1), zone.offset_s(UTC(2024, 3, 31, 1))), (0, 3600))

    def test_days_without_a_midnight_and_with_two(self):
        cuba = Zone("CST5CDT,M3.2.0/0,M11.1.0/1")
        start = cuba.day_start(UTC(2024, 3, 10, 12))
        self.assertEqual(cuba.local(start), (2024, 3, 10, 1, 0, 0, 6))  # 00:00 does not exist
        self.assertEqual(cuba.local(start - 1)[:6], (2024, 3, 9, 23, 59, 59))
        start = cuba.day_start(UTC(2024, 11, 3, 12))
        self.assertEqual(cuba.next_day_start(start) - start, 25 * 3600)
        self.assertEqual(cuba.local(start + 3600), (2024, 11, 3, 0, 0, 0, 6))  # once more
        early = Zone("AAA0BBB,M3.2.0/-0:30,M11.1.0")  # 23:30 on Saturday becomes 00:30 on Sunday
        start = early.day_start(UTC(2024, 3, 10, 12))
        self.assertEqual(start, UTC(2024, 3, 9, 23, 30))
        self.assertEqual(early.local(start), (2024, 3, 10, 0, 30, 0, 6))
        egypt = Zone("EET-2EEST,M4.5.5/0,M10.5.4/24")
        noon = UTC(2024, 10, 31, 12)
        self.assertEqual(egypt.next_day_start(noon) - egypt.day_start(noon), 25 * 3600)

    def test_rules_in_all_their_forms(self):
        for rule, winter, summer in (
            ("UTC0", 0, 0),
            ("<+0530>-5:30", 19800, 19800),
            ("<-03>3", -10800, -10800),
            ("NZST-12NZDT,M9.5.0,M4.1.0/3", 43200, 46800),
            ("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", 37800, 39600),
            ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", -7200, -3600),
            ("AAA+1:02:03", -3723, -3723),
            ("EET-2EEST,M3.4.4/50,M10.4.4/50", 7200, 10800),
        ):
            zone = Zone(rule)
            offsets = sorted((zone.offset_s(UTC(2024, 1, 1)), zone.offset_s(UTC(2024, 7, 1))))
            self.assertEqual(offsets, sorted((winter, summer)), rule)

    def test_rules_that_are_none_are_refused_by_name(self):
        for rule in (
            "", ",", "CET", "-1", "CE-1", "CET-", "CET-1CEST", "CET-1CEST,", "CET-1CEST,M3.5.0", "CET-25",
            "CET-1:60", "CET-1:0:60", "CET-1:0:0:0", "CET-1,M3.5.0,M10.5.0", "CET-1CEST,M3.5.0,M10.5.0,M1.1.1",
            "CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,M0.5.0,M10.5.0", "CET-1CEST,M3.6.0,M10.5.0",
            "CET-1CEST,M3.0.0,M10.5.0", "CET-1CEST,M3.5.7,M10.5.0", "CET-1CEST,M3.5,M10.5.0",
            "CET-1CEST,M3.5.0/,M10.5.0", "CET-1CEST,M3.5.0/168,M10.5.0", "CET-1CEST,M3.5.0/2:61,M10.5.0",
            "CET-1CEST,J60,J300", "CET-1CEST,60,300", "CET-1CEST,M3.5.0 ,M10.5.0", "CET-1CEST,M-3.5.0,M10.5.0",
            "<CET-1", "<>-1", "<CE>-1", "<C!T>-1", "CET-1CEST,J3.5.0,J10.5.0", "CET-1CEST-2x,M3.5.0,M10.5.0",
            "Europe/Amsterdam", "CET--1", "CET-+1", "CET1-",
        ):  # fmt: skip
            with self.assertRaises(ConfigError):
                Zone(rule)


if __name__ == "__main__":
    unittest.main()
