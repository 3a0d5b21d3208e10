"""The tariff in force: its registers from the load profile, over gaps, cuts of the power, and changes."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from store_cuts import Cut, Flash
from store_folder import write
from tariff_bench import DAY, STEP, Case, document

from meterhub.codec import tariff
from meterhub.codec.load_profile import CLOCK_UNSURE, EXCHANGED, PARTIAL
from meterhub.errors import HubError
from meterhub.store.tariffs import Kept


class RegistersTest(Case):
    def test_each_interval_is_booked_to_its_band(self):
        self.begin()
        self.tell(1)  # 00:00 day
        self.assertEqual(self.registers(), ([0, 100], 0))
        self.tell(14)
        self.assertEqual(self.registers(), ([1400, 100], 0))
        self.tell(33)
        self.assertEqual(self.registers(), ([1400, 3400], 0))
        self.assertEqual(self.hub.tariffs.good, DAY + 48 * STEP)

    def test_nothing_of_before_the_tariff_is_booked(self):
        self.hub.tell(DAY - STEP, 999000)
        self.begin()
        self.tell(1)
        self.assertEqual(self.registers(), ([0, 100], 0))

    def test_a_gap_within_a_band_is_known_and_one_over_two_is_not(self):
        self.begin()
        self.tell(2)
        self.hub.tell(DAY + 6 * STEP, 1000700)  # night
        self.assertEqual(self.registers(), ([600, 100], 0))
        self.hub.tell(DAY + 16 * STEP, 1001700)  # until 08:00
        self.assertEqual(self.registers(), ([600, 100], 1000))
        self.tell(1)
        self.assertEqual(self.registers(), ([600, 200], 1000))

    def test_what_is_not_measured_at_its_end_is_a_gap(self):
        self.begin()
        for quality in (PARTIAL, CLOCK_UNSURE):
            at, reading = self.hub.profile.last, self.hub.model.import_wh
            self.hub.tell(at + STEP, reading + 100, quality)
            self.hub.tell(at + 2 * STEP, reading + 300)
        self.assertEqual(self.registers(), ([300, 0], 300))  # the first was over 00:00 to 01:00

    def test_a_meter_that_was_exchanged_takes_its_last_interval_along(self):
        self.begin()
        self.tell(2)
        at = self.hub.profile.last
        self.hub.tell(at + STEP, 50, EXCHANGED)
        self.hub.tell(at + 2 * STEP, 70)
        self.hub.tell(at + 3 * STEP, 100)
        self.assertEqual(self.registers(), ([130, 100], 0))
        self.assertFalse(self.hub.model.today_cost[1])

    def test_another_meter_that_stands_higher_is_not_what_was_used(self):
        self.begin()
        self.tell(2)
        at = self.hub.profile.last
        self.hub.tell(at + STEP, 5000000, EXCHANGED)
        self.hub.tell(at + 2 * STEP, 5000070)
        self.hub.tell(at + 3 * STEP, 5000100)
        self.assertEqual(self.registers(), ([130, 100], 0))

    def test_a_register_that_goes_back_is_not_booked(self):
        self.begin()
        self.tell(2)
        at = self.hub.profile.last
        self.hub.tell(at + STEP, 900000)
        self.hub.tell(at + 2 * STEP, 900100)
        self.assertEqual(self.registers(), ([200, 100], 0))
        self.assertFalse(self.hub.model.today_cost[1])

    def test_forty_eight_registers(self):
        bands = [{"name": "%02d" % i, "price": 100 * i} for i in range(48)]
        days = [[(30 * (i // 2), i // 2)[i % 2] for i in range(96)]]
        self.begin(bands=bands, days=days)
        for i in range(96):
            self.tell(1, 10 + i)
        self.assertEqual(self.hub.tariffs.registers, [2 * (10 + i) + 48 for i in range(48)])


class CutTest(Case):
    def test_what_a_cut_takes_is_booked_again(self):
        self.begin()
        for i in range(60):
            self.tell(1, 10 + i)
            if i in (5, 20, 47, 48, 55):
                before, costs = self.registers(), (self.hub.model.today_cost, self.hub.model.month_cost)
                reading = self.hub.model.import_wh
                self.hub = self.hub.again()
                self.hub.look(self.hub.clock.at, reading)
                self.assertEqual(self.registers(), before)
                self.assertEqual((self.hub.model.today_cost, self.hub.model.month_cost), costs)

    def test_registers_that_are_lost_are_made_of_the_profile(self):
        self.begin()
        self.tell(60)
        before = self.registers()
        for slot in (0, 1):
            write(self.hub.data_dir + "/tariff-use.%d" % slot, b"")
        self.hub = self.hub.again()
        self.hub.look(self.hub.clock.at, self.hub.profile.last)
        self.assertEqual(self.registers(), before)

    def test_those_of_an_earlier_tariff_too(self):
        self.begin()
        self.tell(20)
        self.hub.put(id="eco-2", days=[[0, 0]])
        self.tell(10)
        before = self.registers()
        self.assertEqual(before, ([1400 + 1000, 600], 0))
        for slot in (0, 1):
            write(self.hub.data_dir + "/tariff-use.%d" % slot, b"")
        self.hub = self.hub.again()
        self.hub.look(self.hub.clock.at, self.hub.profile.last)
        self.assertEqual(self.registers(), before)

    def test_registers_are_saved_once_a_day(self):
        self.begin()
        record = self.hub.record("tariff-use")
        saved = []
        for _ in range(100):
            self.tell(1)
            if not saved or record.load() != saved[-1]:
                saved.append(record.load())
        self.assertEqual(len(saved), 3)  # at the first interval, and on two days

    def test_a_long_backlog_is_booked_in_slices(self):
        self.begin()
        desk, self.hub.tariffs = self.hub.tariffs, None
        self.tell(400)
        self.hub.tariffs = desk
        desk.tick(self.hub.clock.at)
        first = desk.good
        self.assertEqual(first, DAY + 96 * STEP)
        self.hub.look(self.hub.clock.at)
        self.assertEqual(desk.good, DAY + 400 * STEP)
        self.assertEqual(sum(desk.registers), 40000)


class ChangeTest(Case):
    def test_intervals_count_by_the_tariff_that_they_began_under(self):
        self.begin()
        self.tell(20)
        self.hub.clock.at += 700  # within an interval
        self.hub.put(id="eco-2", days=[[0, 0]])
        self.assertEqual(self.hub.tariffs.kept.since, DAY + 20 * STEP)
        self.tell(2)
        self.assertEqual(self.registers(), ([1400 + 200, 600], 0))

    def test_the_last_interval_of_the_old_one_may_come_after_the_change(self):
        for cut in (False, True):
            self.tearDown()
            self.setUp()
            self.begin()
            self.tell(19)
            self.hub.clock.at = DAY + 20 * STEP + 3
            self.hub.put(id="eco-2", days=[[0, 0]])
            if cut:
                self.hub = self.hub.again()
                self.hub.model.import_wh = 1000000 + 1900
            self.tell(1)
            self.assertEqual(self.registers(), ([1400, 600], 0))
            self.tell(1)
            self.assertEqual(self.registers(), ([1500, 600], 0))

    def test_a_gap_over_the_change_belongs_to_neither(self):
        self.begin(days=[[0, 0]])
        self.tell(4)
        self.hub.clock.at = DAY + 10 * STEP
        self.hub.put(id="eco-2", days=[[0, 0]])
        self.hub.tell(DAY + 12 * STEP, 1001200)
        self.tell(1)
        self.assertEqual(self.registers(), ([500, 0], 800))
        self.assertFalse(self.hub.model.today_cost[1])

    def test_a_correction_at_once_takes_the_place_of_the_change(self):
        self.begin()
        self.tell(19)
        self.hub.clock.at = DAY + 20 * STEP + 3
        self.hub.put(id="eco-2", days=[[0, 0]])
        self.hub.put(id="eco-3", days=[[0, 1]])
        self.tell(2)
        self.assertEqual(self.registers(), ([1400, 700], 0))

    def test_the_next_change_waits_for_the_intervals_of_the_last(self):
        self.begin()
        self.tell(19)
        self.hub.clock.at = DAY + 20 * STEP + 3
        self.hub.put(id="eco-2")
        self.hub.clock.at = DAY + 21 * STEP + 3
        self.assertRaises(HubError, self.hub.put, id="eco-3")
        self.assertEqual(self.hub.tariffs.rates.id, "eco-2")
        self.hub.look(DAY + 21 * STEP + 700)  # no interval will come any more
        self.hub.put(id="eco-3")
        self.assertEqual(self.hub.tariffs.rates.id, "eco-3")

    def test_a_cut_anywhere_in_a_change_leaves_the_old_one_or_the_new(self):
        seen = set()
        for torn in (False, True):
            for changes in range(40):
                self.tearDown()
                self.setUp()
                self.begin()
                self.tell(20)
                kept = Kept(DAY + 20 * STEP, "KID", 2, tariff.packed(document(id="eco-2", days=[[0, 0]])))
                ended = False
                with Flash(changes, torn):
                    try:
                        self.hub.tariffs.put_in_force(kept)
                        ended = True
                    except Cut:
                        pass
                self.hub = self.hub.again()
                name = self.hub.tariffs.rates.id
                seen.add((name, ended))
                self.hub.model.import_wh = 1002000
                self.tell(1)
                self.assertEqual(self.registers(), ([1500, 600], 0) if name == "eco-2" else ([1400, 700], 0))
                if ended:
                    break
        self.assertEqual(seen, {("eco-1", False), ("eco-2", False), ("eco-2", True)})

    def test_a_cut_anywhere_in_going_on_with_the_new_one(self):
        for torn in (False, True):
            for changes in range(40):
                self.tearDown()
                self.setUp()
                self.begin()
                self.tell(20)
                self.hub.put(id="eco-2", days=[[0, 0]])
                ended = False
                with Flash(changes, torn):
                    try:
                        self.hub.look(DAY + 20 * STEP + 70)
                        ended = True
                    except Cut:
                        pass
                self.hub = self.hub.again()
                self.hub.model.import_wh = 1002000
                self.tell(1)
                self.assertEqual(self.registers(), ([1500, 600], 0))
                if ended:
                    break


if __name__ == "__main__":
    unittest.main()
