"""Intervals: which reading is the value at an interval's end, and what becomes of silence and wrong clocks."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from meterhub.codec.load_profile import CLOCK_UNSURE, MEASURED, OPEN, PARTIAL, Entry
from meterhub.errors import HubError
from meterhub.meters.intervals import IntervalRecorder

T = 1760000400  # an interval's end
STEP = 1800


class MemoryProfile:
    interval_s = STEP
    since = 0

    def __init__(self):
        self.kept = []

    @property
    def last(self):
        return self.kept[-1].at if self.kept else None

    @property
    def first(self):
        return self.kept[0].at if self.kept else None

    def value_at(self, at, since):
        return next(entry for entry in self.kept if entry.at == at)

    def append(self, entry):
        if self.kept and entry.at <= self.kept[-1].at:
            raise HubError("INTERVAL_LATE", "at")
        self.kept.append(entry)


class Clock:
    def __init__(self, state="meter", at=0):
        self.state = state
        self.at = at
        self.up_s = 0

    def now(self):
        return 0 if self.state == "unset" else self.at

    def uptime_s(self):
        return self.up_s


class Case(unittest.TestCase):
    def setUp(self):
        self.profile = MemoryProfile()
        self.clock = Clock()
        self.ticks = 1000
        self.recorder = self.boot()

    def boot(self):
        return IntervalRecorder(self.profile, self.clock, lambda: self.ticks)

    def read(self, *times):
        for at in times:
            self.recorder.reading(at, (at - T + 100000, None))

    def kept(self):
        return [(e.at - T, e.quality, e.values[0] - 100000) for e in self.profile.kept]

    def refused(self, at):
        try:
            self.read(at)
        except HubError as err:
            return err.name
        return ""


class NearestTest(Case):
    def test_a_reading_on_the_boundary_is_the_value(self):
        self.read(T - 10, T, T + 10)
        self.assertEqual(self.kept(), [(0, MEASURED, 0)])

    def test_a_reading_on_the_boundary_closes_at_once(self):
        self.assertEqual(self.recorder.reading(T, (1, 2)), 1)
        self.assertEqual(self.recorder.reading(T, (1, 2)), 0)

    def test_the_nearest_reading_counts_on_either_side(self):
        self.read(T - 20, T + 30)
        self.read(T + STEP - 30, T + STEP + 20)
        self.read(T + 2 * STEP - 30, T + 2 * STEP + 30)  # as near: the one before
        self.assertEqual(self.kept(), [(0, MEASURED, -20), (STEP, MEASURED, STEP + 20), (2 * STEP, MEASURED, 3570)])

    def test_a_reading_a_minute_away_still_counts_and_one_more_second_does_not(self):
        self.read(T - 60, T + 61)
        self.read(T + STEP - 61, T + STEP + 60)
        self.read(T + 2 * STEP - 61, T + 2 * STEP + 61)
        self.assertEqual(self.kept(), [(0, MEASURED, -60), (STEP, MEASURED, 1860), (2 * STEP, PARTIAL, 3539)])

    def test_the_first_reading_after_the_start_can_be_an_end(self):
        self.read(T + 40)
        self.assertEqual(self.kept(), [(0, MEASURED, 40)])

    def test_a_register_that_is_told_once_an_hour_is_not_known_at_the_half_hour(self):
        self.recorder.reading(T + 10, (100, 7))
        for at in range(T + 20, T + 2 * STEP, 10):  # in between its power, and one register at times
            self.recorder.reading(at, (None, None))
            if at % 600 == 100:
                self.recorder.reading(at, (None, 8))
        self.recorder.reading(T + 2 * STEP + 10, (200, 9))
        found = [(entry.at - T, entry.quality, entry.values) for entry in self.profile.kept]
        self.assertEqual(found, [(0, MEASURED, (100, 7)), (STEP, PARTIAL, (None, 8)), (2 * STEP, MEASURED, (200, 9))])

    def test_what_another_telegram_has_told_within_a_minute_counts_too(self):
        self.recorder.reading(T - 50, (100, None))
        self.recorder.reading(T + 10, (None, 7))
        self.recorder.reading(T + STEP - 71, (200, None))
        self.recorder.reading(T + STEP - 10, (None, 8))
        self.recorder.reading(T + STEP + 11, (201, None))
        self.assertEqual([entry.values for entry in self.profile.kept], [(100, 7), (None, 8)])

    def test_a_gap_stays_a_gap(self):
        self.read(T - 300, T + 4 * STEP + 300)
        self.assertEqual(self.kept(), [(0, PARTIAL, -300)])
        self.read(T + 5 * STEP)
        self.assertEqual(self.kept()[1:], [(5 * STEP, MEASURED, 5 * STEP)])

    def test_a_reading_after_a_gap_can_be_the_end_of_the_last_interval_of_it(self):
        self.read(T, T + 4 * STEP + 5)
        self.assertEqual(self.kept(), [(0, MEASURED, 0), (4 * STEP, MEASURED, 4 * STEP + 5)])

    def test_every_second_for_a_day_gives_every_interval(self):
        for at in range(T - 86400, T + 1, 10):
            self.read(at)
        self.assertEqual([(e.at - T) // STEP for e in self.profile.kept], list(range(-48, 1)))

    def test_a_reading_with_nothing_in_it_is_none(self):
        self.assertEqual(self.recorder.reading(T, (None, None)), 0)
        self.assertEqual(self.kept(), [])


class OpenTest(Case):
    def test_the_open_interval_has_the_newest_values(self):
        self.assertEqual(self.recorder.open_entry(), None)
        self.read(T, T + 7)
        self.assertEqual(self.recorder.open_entry(), Entry(T + STEP, OPEN, (100007, None)))
        self.read(T + STEP)
        self.assertEqual(self.recorder.open_entry(), None)

    def test_a_silent_meter_s_interval_is_closed_two_minutes_after_its_end(self):
        self.read(T - 300)
        self.ticks += 5000
        self.assertEqual(self.recorder.close_stale(T + 120), 0)
        self.assertEqual(self.recorder.close_stale(T + 121), 1)
        self.assertEqual(self.kept(), [(0, PARTIAL, -300)])
        self.assertEqual(self.recorder.close_stale(T + 9999), 0)
        self.assertEqual(self.recorder.open_entry(), None)

    def test_while_telegrams_come_it_stays_open(self):
        self.read(T - 300)
        self.ticks += 4999
        self.assertEqual(self.recorder.close_stale(T + 121), 0)

    def test_a_last_reading_near_the_end_is_measured_even_in_silence(self):
        self.read(T - 59)
        self.ticks += 5000
        self.recorder.close_stale(T + 121)
        self.assertEqual(self.kept(), [(0, MEASURED, -59)])

    def test_of_a_meter_whose_clock_is_behind_it_is_closed_as_much_later(self):
        self.clock.state, self.clock.at = "set", T + 125
        self.read(T - 55)
        self.ticks += 5000
        self.assertEqual(self.recorder.close_stale(T + 130), 0)
        self.read(T - 5, T + 20)
        self.assertEqual(self.kept(), [(0, MEASURED, -5)])
        self.ticks += 5000  # 105 s behind now
        self.assertEqual(self.recorder.close_stale(T + STEP + 225), 0)
        self.assertEqual(self.recorder.close_stale(T + STEP + 226), 1)

    def test_nothing_is_closed_before_the_first_reading(self):
        self.assertEqual(self.recorder.close_stale(T), 0)


class ClockTest(Case):
    def test_readings_from_before_the_kept_intervals_are_late_and_told_once(self):
        self.read(T, T + 10)
        self.assertEqual(self.refused(T - 100), "INTERVAL_LATE")
        self.assertEqual(self.refused(T - 99), "")
        self.assertEqual(self.recorder.open_entry().values, (100010, None))
        self.read(T + 20)
        self.assertEqual(self.refused(T - 98), "INTERVAL_LATE")
        self.assertEqual(len(self.profile.kept), 1)

    def test_readings_out_of_order_are_told_once_and_the_newest_stays(self):
        self.read(T, T + 100)
        self.assertEqual([self.refused(T + 50), self.refused(T + 60), self.refused(T)], ["INTERVAL_LATE", "", ""])
        self.assertEqual(self.recorder.open_entry().values, (100100, None))
        self.read(T + 100)
        self.assertEqual(self.refused(T), "INTERVAL_LATE")
        self.read(T + STEP)
        self.assertEqual(self.kept(), [(0, MEASURED, 0), (STEP, MEASURED, STEP)])

    def test_after_a_boot_what_is_kept_is_known(self):
        self.read(T)
        self.recorder = self.boot()
        self.assertEqual(self.refused(T - 1), "INTERVAL_LATE")
        self.read(T + STEP)
        self.assertEqual(len(self.profile.kept), 2)

    def test_a_meter_without_a_clock_is_stamped_by_the_hub(self):
        self.clock.at = T
        self.recorder.reading(None, (1, 2))
        self.assertEqual(self.profile.kept, [Entry(T, CLOCK_UNSURE, (1, 2))])
        self.clock.state, self.clock.at = "set", T + STEP
        self.recorder.reading(None, (3, 4))
        self.assertEqual(self.profile.kept[1], Entry(T + STEP, MEASURED, (3, 4)))

    def test_an_interval_that_comes_again_after_a_boot_is_told_if_it_differs_and_never_overwrites(self):
        self.read(T)
        self.recorder = self.boot()
        self.read(T)
        try:
            self.recorder.reading(T, (5, None))
            self.fail("taken")
        except HubError as err:
            self.assertEqual(err.name, "INTERVAL_LATE")
        self.assertEqual(self.kept(), [(0, MEASURED, 0)])

    def test_without_any_clock_nothing_is_kept_yet(self):
        self.clock.state = "unset"
        self.assertEqual(self.recorder.reading(None, (1, 2)), 0)
        self.assertEqual((self.kept(), self.recorder.open_entry()), ([], None))

    def unclocked(self, until_s, every_s=10):
        """Read a meter without a clock from uptime 0 to until_s, one unit a second, before the time is known."""
        self.clock.state = "unset"
        for self.clock.up_s in range(0, until_s + 1, every_s):
            self.recorder.reading(None, (100000 + self.clock.up_s, None))

    def told_the_time(self, at, state="set"):
        self.clock.state, self.clock.at = state, at
        self.recorder.reading(None, (100000 + self.clock.up_s, None))

    def test_what_was_read_before_the_time_was_known_is_stamped_later_and_flagged(self):
        self.unclocked(2 * STEP + 300)
        self.told_the_time(T + 2 * STEP + 200)  # so the hub has run since T - 100
        wanted = [(n * STEP, CLOCK_UNSURE) for n in range(3)]
        self.assertEqual([(at, quality) for at, quality, _ in self.kept()], wanted)
        for at, _, value in self.kept():
            self.assertTrue(abs(value - at - 100) <= 60, (at, value))
        self.assertEqual(self.recorder.open_entry().values, (100000 + 2 * STEP + 300, None))

    def test_for_42_hours_every_interval_has_a_reading(self):
        for hours, every_s in ((42, 10), (21, 60), (21, 300)):
            self.setUp()
            self.unclocked(hours * 3600, every_s)
            self.told_the_time(T + hours * 3600)
            self.assertEqual([e.quality for e in self.profile.kept[:-1]], [CLOCK_UNSURE] * 2 * hours)

    def test_after_that_gaps_grow_and_nothing_is_lost_of_the_total(self):
        self.unclocked(5 * 86400, 300)
        self.told_the_time(T + 5 * 86400)
        kept = self.kept()
        self.assertTrue(60 <= len(kept) <= 97)
        self.assertEqual((kept[0][0] <= STEP, kept[-1][2]), (True, 5 * 86400))

    def test_the_memory_of_it_is_bounded(self):
        self.unclocked(20 * 86400, 60)
        self.assertTrue(len(self.recorder._undated.samples) <= 96)

    def test_what_would_be_stamped_into_kept_intervals_is_not(self):
        self.read(T, T + STEP)
        before = list(self.profile.kept)
        self.recorder = self.boot()
        self.unclocked(STEP)
        self.told_the_time(T + STEP + 100)
        self.assertEqual(self.profile.kept, before)

    def test_an_interval_in_which_the_hub_was_off_is_partial(self):
        self.recorder.torn(T + 300, T + 600)
        self.read(T, T + 601, T + STEP, T + 2 * STEP)
        self.assertEqual([e.quality for e in self.profile.kept], [MEASURED, PARTIAL, MEASURED])

    def test_both_intervals_that_an_outage_touches_are_partial_and_those_within_are_gaps(self):
        self.recorder.torn(T - 10, T + 2 * STEP + 10)
        self.read(T + 2 * STEP + 10, T + 3 * STEP, T + 4 * STEP)
        self.assertEqual(
            [(at // STEP, quality) for at, quality, _ in self.kept()], [(2, PARTIAL), (3, PARTIAL), (4, MEASURED)]
        )

    def test_what_is_older_than_the_tenancy_is_not_in_the_range(self):
        self.read(T, T + STEP, T + 2 * STEP)
        self.assertEqual(self.recorder.have(), [T - STEP, T + 2 * STEP])
        self.profile.since = T + 1
        self.assertEqual(self.recorder.have(), [T + STEP, T + 2 * STEP])
        self.assertEqual(self.recorder.have(0), [T - STEP, T + 2 * STEP])
        self.profile.since = T + 2 * STEP
        self.assertEqual(self.recorder.have(), None)

    def test_a_meter_s_clock_more_than_an_hour_off_is_unsure(self):
        self.clock.state, self.clock.at = "set", T + 3601
        self.read(T - 1, T)
        self.assertEqual(self.kept(), [(0, CLOCK_UNSURE, 0)])
        self.clock.at = T + STEP + 3600
        self.read(T + STEP)
        self.assertEqual(self.kept()[1][1], MEASURED)

    def test_a_meter_from_the_far_future_is_not_kept_beside_a_synchronised_clock(self):
        self.clock.state, self.clock.at = "set", T
        self.read(T + 86401, T + 99999999)
        self.assertEqual(self.kept(), [])
        self.read(T)
        self.assertEqual(len(self.profile.kept), 1)

    def test_a_leap_of_more_than_a_day_must_be_told_three_times(self):
        self.read(T, T + 99999999)
        self.read(T + STEP)
        self.assertEqual(self.kept(), [(0, MEASURED, 0), (STEP, MEASURED, STEP)])
        away = 30 * STEP * 48
        self.read(T + away - 20, T + away - 10, T + away)
        self.assertEqual(self.kept()[2:], [(away, MEASURED, away)])


if __name__ == "__main__":
    unittest.main()
