"""The voltage log: 4,320 entries through power cuts, and what is damaged is named and passed over."""

import os
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from store_cuts import Cut, Flash
from store_folder import flip, fresh, read, remove, write

from meterhub.store import files, voltage_log
from meterhub.store.voltage_log import VoltageLog

NOW = 1790553600
FOREVER = 0xFFFFFFFF


def entry(n, phases=7):
    """Return what is kept of period `n`."""
    count = sum([phases >> i & 1 for i in range(3)])
    return NOW + n * 1800, 1800, phases, tuple([2300 + n % 50 + i for i in range(count)]), (100,) * count


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = fresh()
        self.said = []

    def tearDown(self):
        remove(self.folder)

    def opened(self, entries=40, per_file=10):
        return VoltageLog(self.folder + "/v", self.said.append, entries, per_file)

    def add(self, log, *numbers):
        for n in numbers:
            end, period_s, phases, means, covered = entry(n)
            log.append(end, period_s, phases, means, covered)

    def found(self, start=0, stop=FOREVER, log=None):
        return list((log or self.opened()).read(start, stop))

    def names(self):
        return [name for name in files.names(self.folder + "/v") if name.endswith(".vl")]


class LogTest(Case):
    def test_what_is_kept_is_read_in_order_after_any_restart(self):
        for n in range(25):
            self.add(self.opened(), n)
        self.assertEqual(self.found(), [entry(n) for n in range(25)])
        self.assertEqual(len(self.names()), 3)

    def test_both_times_belong_to_the_span(self):
        log = self.opened()
        self.add(log, *range(25))
        self.assertEqual(self.found(NOW + 1800 * 8, NOW + 1800 * 12), [entry(n) for n in range(8, 13)])
        self.assertEqual(self.found(NOW + 1800 * 8 + 1, NOW + 1800 * 12 - 1), [entry(n) for n in range(9, 12)])
        self.assertEqual(self.found(NOW + 1800 * 25), [])

    def test_old_ones_make_way_but_never_too_many(self):
        log = self.opened()
        for n in range(200):
            self.add(log, n)
            kept = self.found(log=log)
            self.assertEqual(kept[-1], entry(n))
            self.assertTrue(min(n + 1, 40) <= len(kept) <= 50, len(kept))

    def test_the_true_size(self):
        log = VoltageLog(self.folder + "/v")
        for n in range(4900):
            self.add(log, n)
        count = 0
        for _ in log.read(0, FOREVER):
            count += 1
        self.assertTrue(4320 <= count <= 4800, count)
        size = sum([os.stat(self.folder + "/v/" + name)[6] for name in self.names()])
        self.assertTrue(size <= 4800 * 13 + 10 * 16, size)

    def test_a_period_that_was_not_measured_has_no_entry(self):
        self.add(self.opened(), 0, 3, 4)
        self.assertEqual([end for end, _, _, _, _ in self.found()], [NOW, NOW + 5400, NOW + 7200])

    def test_another_period_or_other_phases_begin_a_file(self):
        log = self.opened()
        self.add(log, 0, 1)
        log.append(NOW + 3600 + 600, 600, 7, (2300, None, 7000), (100, 0, 250))
        log.append(NOW + 3600 + 1200, 600, 1, (99999,), (100,))
        self.assertEqual(len(self.names()), 3)
        self.assertEqual(
            self.found()[2:],
            [
                (NOW + 4200, 600, 7, (2300, None, 7000), (100, 0, 100)),
                (NOW + 4800, 600, 1, (65534,), (100,)),
            ],
        )

    def test_files_of_few_entries_do_not_fill_the_flash(self):
        log = self.opened(4320)
        for n in range(80):
            log.append(NOW + n * 60, 60 + n % 2, 1, (2300,), (100,))
        self.assertTrue(len(self.names()) <= 32)
        self.assertEqual(self.found()[-1][0], NOW + 79 * 60)

    def test_a_clock_that_goes_back_begins_a_file(self):
        log = self.opened()
        self.add(log, 10, 11, 2)
        self.assertEqual([one[0] for one in self.found()], [entry(10)[0], entry(11)[0], entry(2)[0]])


class DamageTest(Case):
    def test_every_flipped_bit_costs_one_entry_or_one_file_and_is_told(self):
        self.add(self.opened(), *range(12))
        path = self.folder + "/v/00000001.vl"
        whole = read(path)
        for offset in range(0, len(whole), 3):
            flip(path, offset)
            self.said = []
            log = self.opened()
            found = self.found(log=log)
            lost = 10 if offset < 16 else 1
            self.assertEqual((len(found), log.damaged, len(self.said)), (12 - lost, 1, 1), offset)
            where = "00000001.vl damaged at byte %d" % (0 if offset < 16 else 16 + (offset - 16) // 13 * 13)
            self.assertEqual((log.wrong, self.said), (where, ["voltage log " + where]))
            self.assertTrue(all([one in [entry(n) for n in range(12)] for one in found]))
            write(path, whole)

    def test_damage_outside_of_what_is_asked_for_is_none_of_its(self):
        self.add(self.opened(), *range(10))
        flip(self.folder + "/v/00000001.vl", 16 + 13 * 4 + 3)  # entry 4
        for first, last, damaged in ((0, 3, 0), (5, 9, 0), (3, 5, 1), (0, 9, 1)):
            log = self.opened()
            self.found(entry(first)[0], entry(last)[0], log)
            self.assertEqual(log.damaged, damaged, (first, last))

    def test_a_torn_end_is_left_and_a_new_file_begun(self):
        self.add(self.opened(), *range(3))
        path = self.folder + "/v/00000001.vl"
        for length in (1, 7, 12):
            write(path, read(path)[: 16 + 13 * 3] + b"\x05" * length)
            self.assertEqual(self.found(), [entry(n) for n in range(3)])
        self.add(self.opened(), 3)
        self.assertEqual(self.found(), [entry(n) for n in range(4)])

    def test_after_a_torn_write_the_next_entry_begins_a_file(self):
        log = self.opened()
        self.add(log, 0, 1)
        try:
            with Flash(0, True, voltage_log):
                self.add(log, 2)
        except Cut:
            pass  # the flash is full, say: the hub goes on
        self.add(log, 3)
        self.assertEqual(self.found(), [entry(0), entry(1), entry(3)])

    def test_a_folder_that_is_none_is_set_aside(self):
        write(self.folder + "/v", b"x")
        log = self.opened()
        self.add(log, 1)
        self.assertEqual(self.found(log=log), [entry(1)])
        self.assertEqual(len(self.said), 1)


class CutTest(Case):
    def test_a_cut_at_every_change_of_the_flash_loses_at_most_what_was_being_written(self):
        for torn in (False, True):
            for cut in range(60):
                self.tearDown()
                self.setUp()
                kept = 0
                log = self.opened(20, 5)
                try:
                    with Flash(cut, torn, voltage_log):
                        for n in range(40):
                            self.add(log, n)
                            kept = n + 1
                except Cut:
                    pass
                before = [end for end, _, _, _, _ in self.found(log=self.opened(20, 5))]
                self.add(self.opened(20, 5), kept)
                found = self.found(log=self.opened(20, 5))
                self.assertTrue(found[-1] == entry(kept) and len(found) >= min(kept + 1, 20), (torn, cut, len(found)))
                self.assertEqual(found, [entry(n) for n in range(kept + 1 - len(found), kept + 1)])
                self.assertTrue(before[-1:] == [entry(kept - 1)[0]] if kept else not before, (torn, cut))


if __name__ == "__main__":
    unittest.main()
