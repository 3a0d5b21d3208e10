"""The load profile: what is appended comes back, in order, with its gaps, after boots, across months."""

import gc
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from store_folder import fresh, remove, write

from meterhub.codec.calendar import seconds
from meterhub.codec.load_profile import KEPT, MEASURED, MISSING, OPEN, Column, Entry
from meterhub.errors import HubError
from meterhub.store import files
from meterhub.store.profile import Profile

T = seconds(2025, 10, 9, 9)
STEP = 1800
IMPORT = Column("1-0:1.8.0", 0, 30)
EXPORT = Column("1-0:2.8.0", 0, 30)
GAS = Column("0-1:24.2.1", -3, 13)


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = fresh()
        self.told = []
        self.profile = self.boot()

    def tearDown(self):
        remove(self.folder)
        self.assertEqual(self.told, [])

    def boot(self, columns=(IMPORT, EXPORT), interval_s=STEP, months=13):
        return Profile(self.folder, list(columns), interval_s, months, self.told.append)

    def put(self, *steps):
        for n in steps:
            self.profile.append(Entry(T + n * STEP, MEASURED, (1000 + 7 * n, 5)))

    def steps(self, start, stop, profile=None):
        """Return the steps that are kept; every entry read must be in its place, and right."""
        found = []
        at = T + start * STEP
        for entry in (profile or self.profile).read(at, T + stop * STEP):
            self.assertEqual(entry.at, at)
            at += STEP
            if entry.quality != MISSING:
                n = (entry.at - T) // STEP
                self.assertEqual(entry.values, (1000 + 7 * n, 5))
                found.append(n)
            else:
                self.assertEqual(entry.values, (None, None))
        self.assertEqual(at, T + (stop + 1) * STEP)
        return found


class ProfileTest(Case):
    def test_an_empty_profile_has_only_missing_entries(self):
        self.assertEqual((self.profile.first, self.profile.last, self.profile.count), (None, None, 0))
        self.assertEqual(self.steps(0, 3), [])
        self.assertEqual(self.profile.value_at(T), None)

    def test_what_was_appended_comes_back_with_its_gaps(self):
        self.put(0, 1, 2, 5, 6, 100)
        self.assertEqual(self.steps(-3, 103), [0, 1, 2, 5, 6, 100])
        self.assertEqual((self.profile.first, self.profile.last, self.profile.count), (T, T + 100 * STEP, 6))
        self.assertEqual(self.profile.value_at(T + 5 * STEP), Entry(T + 5 * STEP, MEASURED, (1035, 5)))
        self.assertEqual(self.profile.value_at(T + 4 * STEP), None)

    def test_what_is_older_than_the_tenancy_is_missing_not_counted_and_still_there(self):
        self.put(0, 1, 2, 5, 6)
        self.put(40 * 48)  # another month
        self.assertEqual(self.profile.count, 6)
        self.profile.hide_before(T + 2 * STEP)
        self.assertEqual(self.steps(0, 7), [2, 5, 6])
        self.assertEqual((self.profile.count, self.profile.first), (4, T))
        self.assertEqual((self.profile.value_at(T + STEP), self.profile.value_at(T + STEP, 0).at), (None, T + STEP))
        self.put(40 * 48 + 1)
        self.assertEqual(self.profile.count, 5)
        self.profile.hide_before(T + 40 * 48 * STEP + 1)
        self.assertEqual((self.profile.count, self.steps(0, 7)), (1, []))
        self.assertEqual([e.at for e in self.profile.read(T, T + STEP, None, 0)], [T, T + STEP])

    def test_bounds_that_are_no_interval_ends_are_narrowed(self):
        self.put(0, 1, 2)
        self.assertEqual([e.at for e in self.profile.read(T + 1, T + 2 * STEP + 1)], [T + STEP, T + 2 * STEP])
        self.assertEqual([e.at for e in self.profile.read(T + 1, T + 2)], [])

    def test_qualities_come_back(self):
        for n, quality in enumerate(KEPT):
            self.profile.append(Entry(T + n * STEP, quality, (n, n)))
        self.assertEqual([e.quality for e in self.profile.read(T, T + 3 * STEP)], list(KEPT))

    def test_what_is_no_entry_of_a_profile_is_refused(self):
        for at, quality, values in (
            (T + 1, MEASURED, (1, 2)),
            (T, MISSING, (None, None)),
            (T, OPEN, (1, 2)),
            (T, MEASURED, (1,)),
            (T, MEASURED, (-1, 2)),
        ):
            self.assertRaises(ValueError, self.profile.append, Entry(at, quality, values))
        self.assertEqual(self.steps(0, 1), [])

    def test_an_entry_that_is_not_newer_is_late(self):
        self.put(0, 5)
        for n in (5, 4, -1):
            try:
                self.put(n)
                self.fail("not refused")
            except HubError as err:
                self.assertEqual(err.name, "INTERVAL_LATE")
        self.assertEqual(self.steps(-2, 6), [0, 5])

    def test_it_goes_on_after_a_boot(self):
        for n in range(0, 120, 2):
            self.put(n, n + 1)
            self.profile = self.boot()
            self.assertEqual(self.profile.last, T + (n + 1) * STEP)
        self.assertEqual((self.steps(0, 119), self.profile.count), (list(range(120)), 120))

    def test_a_register_that_is_never_read_stays_none(self):
        for n in range(100):
            self.profile.append(Entry(T + n * STEP, MEASURED, (None, n * 300)))
        got = [e.values for e in self.boot().read(T, T + 99 * STEP)]
        self.assertEqual(got, [(None, n * 300) for n in range(100)])

    def test_a_register_that_is_read_now_and_then_comes_back(self):
        values = [(n, None if n % 3 else 100000 + n) for n in range(100)]
        for n, pair in enumerate(values):
            self.profile.append(Entry(T + n * STEP, MEASURED, pair))
        self.assertEqual([e.values for e in self.profile.read(T, T + 99 * STEP)], values)

    def test_an_exchanged_meter_starts_lower(self):
        values = [(900000, 50), (900001, 51), (3, 51), (4, 52), (5, 1), (5, None), (6, 0)]
        for n, pair in enumerate(values):
            self.profile.append(Entry(T + n * STEP, MEASURED, pair))
        self.assertEqual([e.values for e in self.boot().read(T, T + 6 * STEP)], values)

    def test_large_registers_come_back(self):
        values = [(1 << 40, 0), ((1 << 40) + 70000, 1 << 30), ((1 << 62) - 1, 1 << 31)]
        for n, pair in enumerate(values):
            self.profile.append(Entry(T + n * STEP, MEASURED, pair))
        self.assertEqual([e.values for e in self.profile.read(T, T + 2 * STEP)], values)

    def test_every_interval_can_be_looked_up_alone(self):
        self.put(*range(700))
        for n in range(0, 700, 3):
            self.assertEqual(self.profile.value_at(T + n * STEP).values[0], 1000 + 7 * n)

    def test_a_read_that_is_left_half_way_leaves_nothing_behind(self):
        self.put(*range(300))
        for n in range(50):
            next(self.profile.read(T + n * STEP, T + 299 * STEP))
        self.put(300)
        self.assertEqual(self.steps(298, 301), [298, 299, 300])

    def test_entries_appended_while_it_is_read_do_no_harm(self):
        self.put(*range(100))
        seen = []
        for entry in self.profile.read(T, T + 120 * STEP):
            seen.append(entry.quality)
            if len(seen) % 10 == 0 and self.profile.last < T + 105 * STEP:
                self.put((self.profile.last - T) // STEP + 1)
        self.assertEqual(seen[:100], [MEASURED] * 100)


class MonthsTest(Case):
    def fill_month(self, year, month, day=1):
        at = seconds(year, month, day)
        self.profile.append(Entry(at, MEASURED, (at // 1000, None)))
        return at

    def test_a_look_counts_what_is_there_unless_an_entry_comes_meanwhile(self):
        self.put(0, 1, 2)
        for meanwhile, count in (
            (lambda profile: None, 3),
            (lambda profile: profile.hide_before(T + STEP), 2),
            (lambda profile: profile.set_meters(("A", "")), 3),
            (lambda profile: profile.append(Entry(T + 9 * STEP, MEASURED, (1063, 5))), 4),
        ):
            profile = self.boot()
            for n, _ in enumerate(profile.look()):
                if n == 0:
                    meanwhile(profile)
            self.assertEqual(profile.count, count)
            self.assertEqual(self.boot().count, 4 if count == 4 else 3)  # nothing is hidden after a boot

    def test_each_month_has_its_file(self):
        self.fill_month(2025, 11)
        self.fill_month(2025, 12, 31)
        self.fill_month(2026, 1)
        self.assertEqual(files.names(self.folder), ["202511a.lp", "202512a.lp", "202601a.lp"])
        found = [e.at for e in self.profile.read(seconds(2025, 10, 1), seconds(2026, 2, 1)) if e.quality]
        self.assertEqual(found, [seconds(2025, 11, 1), seconds(2025, 12, 31), seconds(2026, 1, 1)])

    def test_whole_months_are_dropped_after_13(self):
        oldest = [self.fill_month(2024 + n // 12, n % 12 + 1) for n in range(15)]
        self.assertEqual(files.names(self.folder)[0], "202402a.lp")
        self.assertEqual((self.profile.first, self.profile.count), (oldest[1], 14))
        self.assertEqual(self.profile.value_at(oldest[0]), None)
        self.assertEqual((self.boot().first, self.boot().count), (oldest[1], 14))

    def test_other_columns_begin_a_new_file_and_the_old_one_is_still_read(self):
        self.put(0, 1)
        self.profile = self.boot((EXPORT, GAS, IMPORT))
        self.assertEqual(self.profile.last, T + STEP)
        self.profile.append(Entry(T + 2 * STEP, MEASURED, (6, 70, 1014)))
        found = [e.values for e in self.profile.read(T, T + 2 * STEP)]
        self.assertEqual(found, [(5, None, 1000), (5, None, 1007), (6, 70, 1014)])
        self.assertEqual(files.names(self.folder), ["202510a.lp", "202510b.lp"])

    def test_another_interval_begins_a_new_file_and_what_fits_is_still_read(self):
        self.put(0, 1, 2)
        self.profile = self.boot(interval_s=900)
        self.profile.append(Entry(T + 2 * STEP + 900, MEASURED, (2000, 5)))
        kept = [(e.at - T) // 900 for e in self.profile.read(T, T + 3 * STEP) if e.quality]
        self.assertEqual(kept, [0, 2, 4, 5])
        self.profile = self.boot(interval_s=3600)
        kept = [(e.at - T) // 900 for e in self.profile.read(T, T + 3 * STEP) if e.quality]
        self.assertEqual(kept, [0, 4])

    def test_when_no_letter_is_left_it_says_so(self):
        write(self.folder + "/202510z.lp", b"")
        self.told.clear()
        self.profile = self.boot()
        try:
            self.put(0)
            self.fail("not refused")
        except HubError as err:
            self.assertEqual(err.name, "STORE_FULL")
        self.told.clear()

    def test_the_heap_does_not_grow_with_the_history(self):
        self.put(*range(200))
        gc.collect()
        free = getattr(gc, "mem_free", int)()
        for n in range(200, 3000):
            self.put(n)
        gc.collect()
        self.assertTrue(free - getattr(gc, "mem_free", int)() < 1500)
        kept = 0
        for entry in self.profile.read(T, T + 2999 * STEP):
            kept += entry.quality == MEASURED
        self.assertEqual(kept, 3000)


if __name__ == "__main__":
    unittest.main()
