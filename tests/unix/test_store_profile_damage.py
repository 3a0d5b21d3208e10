"""The load profile on flash that lies: what is damaged is missing and told, and nothing else changes."""

import os
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from store_folder import flip, fresh, read, remove, write

from meterhub.codec.calendar import seconds
from meterhub.codec.load_profile import MEASURED, Column, Entry
from meterhub.errors import HubError
from meterhub.store import files
from meterhub.store.profile import Profile

T = seconds(2025, 10, 2)  # 48 entries a day from here
STEP = 1800
COLUMNS = [Column("1-0:1.8.0", 0, 30), Column("1-0:2.8.0", 0, 30)]
DAYS = 4
N = 48 * DAYS


def truth(n):
    return (10000 + 131 * n + n % 7, 77 if n % 2 else None)


class DamageTest(unittest.TestCase):
    def setUp(self):
        self.folder = fresh()
        self.told = []
        self.profile = self.boot()
        for n in range(N):
            self.put(n)
        self.file = self.folder + "/202510a.lp"
        self.whole = read(self.file)

    def tearDown(self):
        remove(self.folder)

    def boot(self):
        return Profile(self.folder, COLUMNS, STEP, 13, self.told.append)

    def put(self, n):
        self.profile.append(Entry(T + n * STEP, MEASURED, truth(n)))

    def kept(self, profile, stop=N - 1):
        """Return the steps that are kept. Whatever the damage, what is read is right."""
        found = []
        for i, entry in enumerate(profile.read(T, T + stop * STEP)):
            self.assertEqual(entry.at, T + i * STEP)
            if entry.quality:
                self.assertEqual(entry.values, truth(i))
                found.append(i)
        return found

    def test_a_flipped_bit_costs_at_most_the_day_and_is_told(self):
        for offset in range(0, len(self.whole), 11):
            flip(self.file, offset, 1 << offset % 8)
            self.told.clear()
            profile = self.boot()
            kept = set(self.kept(profile))
            lost = [n for n in range(N) if n not in kept]
            self.assertTrue(len(lost) <= 48, (offset, lost))
            if lost:
                self.assertEqual(lost, list(range(lost[0], lost[-1] + 1)))
                self.assertEqual((lost[-1] + 1) % 48, 0)
            self.assertEqual(len(self.told), 1)
            self.assertEqual(profile.damaged, 1)
            write(self.file, self.whole)

    def test_a_damaged_header_costs_nothing_and_the_month_goes_on_in_a_new_file(self):
        for offset in range(28):
            write(self.file, self.whole)
            flip(self.file, offset, 0x10)
            self.assertEqual(self.kept(self.boot()), list(range(N)))
        self.profile = self.boot()
        self.put(N)
        self.put(N + 1)
        self.assertEqual(files.names(self.folder), ["202510a.lp", "202510b.lp"])
        self.assertEqual(self.kept(self.boot(), N + 1), list(range(N + 2)))
        self.assertEqual(self.boot().last, T + (N + 1) * STEP)

    def test_a_tail_torn_at_any_byte_costs_one_entry_and_it_goes_on(self):
        for cut in range(len(self.whole) - 40, len(self.whole)):
            write(self.file, self.whole[:cut])
            self.profile = self.boot()
            last = (self.profile.last - T) // STEP
            self.assertTrue(N - 12 <= last < N - 1)
            self.put(last + 1)
            self.put(last + 2)
            self.assertEqual(self.kept(self.boot(), last + 2), list(range(last + 3)))

    def test_bytes_put_in_or_taken_out_cost_the_days_they_touch(self):
        for offset in range(30, len(self.whole), 23):
            n = offset % 9 + 1
            for raw, days in (
                (self.whole[:offset] + b"\xff" * n + self.whole[offset:], 1),
                (self.whole[:offset] + self.whole[offset + n :], 2),  # an anchor among them
                (self.whole[:offset] + b"\0" * 300 + self.whole[offset + 300 :], 3),
            ):
                write(self.file, raw)
                self.assertTrue(len(self.kept(self.boot())) >= N - 48 * days)

    def test_records_in_another_order_are_not_believed(self):
        step = self.whole.index(bytes((0x51,)), 60)
        for size in range(5, 9):
            for at in range(step, step + 60, 7):
                a, b = self.whole[at : at + size], self.whole[at + size : at + 2 * size]
                write(self.file, self.whole[:at] + b + a + self.whole[at + 2 * size :])
                self.kept(self.boot())

    def test_a_foreign_file_is_told_and_left_alone(self):
        for raw in (
            b"",
            b"hello",
            b"\xa1" * 3000,
            bytes(range(256)) * 20,
            b"MHLP\1\0\0\0",
            b"MHLP\1\x08" + b"\xff" * 90,
        ):
            write(self.file, raw)
            self.told.clear()
            self.profile = self.boot()
            self.assertEqual((self.profile.last, self.profile.first, self.profile.count), (None, None, 0))
            self.assertTrue(self.kept(self.profile) == [])
            self.assertEqual(len(self.told), 1)
            self.put(0)
            self.assertEqual(self.kept(self.boot()), [0])
            self.assertTrue(read(self.file) == raw)
            remove(self.folder + "/202510b.lp")

    def test_a_foreign_name_is_no_file_of_the_profile(self):
        for name in ("readme.txt", "202510a.lp.new", "2025101.lp", "abcdefa.lp", "202510A.lp", "202513a.lq"):
            write(self.folder + "/" + name, b"x")
        self.assertEqual((self.kept(self.boot()), self.told), (list(range(N)), []))

    def test_a_file_of_other_columns_under_our_header_is_not_believed(self):
        other = Profile(fresh(), [COLUMNS[1], COLUMNS[0]], STEP)
        other.append(Entry(T, MEASURED, (1, 2)))
        raw = read(other._path + "/202510a.lp")
        remove(other._path)
        write(self.file, self.whole[:28] + raw[28:])
        self.assertEqual(self.kept(self.boot()), [])

    def test_a_month_lost_leaves_the_others(self):
        for n in range(N, N + 48 * 40, 16):
            self.put(n)
        remove(self.file)
        profile = self.boot()
        self.assertEqual(profile.first, seconds(2025, 11, 1))
        self.assertEqual(self.kept(profile, N + 48 * 40)[0], 48 * 30)

    def test_what_is_listed_and_cannot_be_opened_is_told_and_the_others_are_read(self):
        real = files.names
        files.names = lambda path: real(path) + ["202510z.lp"]
        try:
            profile = self.boot()
            self.assertEqual((self.kept(profile), profile.count), (list(range(N)), N))
        finally:
            files.names = real
        self.assertEqual(self.told, ["202510z.lp: cannot be read"])

    def test_an_old_month_that_cannot_be_removed_is_told_and_does_not_stop_a_new_one(self):
        os.mkdir(self.folder + "/202401a.lp")
        self.profile = self.boot()
        self.told.clear()
        self.profile._told.clear()
        self.put(N + 48 * 40)
        self.assertEqual(self.told[0], "202401a.lp: cannot be removed")
        self.assertEqual(self.kept(self.boot(), N + 48 * 40)[-1], N + 48 * 40)

    def test_a_write_that_fails_half_way_is_followed_by_an_anchor(self):
        write(self.file, self.whole + b"\x51\x05")  # what a full flash kept of it
        self.profile._anchor = True  # as append() leaves it when the write raises
        self.put(N)
        self.put(N + 1)
        self.assertEqual(self.kept(self.boot(), N + 1), list(range(N + 2)))

    def test_an_entry_that_could_not_be_written_is_not_kept(self):
        remove(self.file)
        self.profile._path = self.folder + "/gone"
        self.assertRaises(HubError, self.put, N)
        self.assertEqual(self.profile.last, T + (N - 1) * STEP)
        self.assertTrue(self.profile._anchor)


if __name__ == "__main__":
    unittest.main()
