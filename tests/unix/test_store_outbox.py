"""The outbox: in order, nothing twice, nothing lost but what had to go, and that is told."""

import gc
import os
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from store_cuts import Cut, Flash
from store_folder import flip, fresh, remove, write

from meterhub.store import files, outbox
from meterhub.store.outbox import Outbox

KID = "K7QX2M9D4T1B8RWE"
AT = 1760000400


class Case(unittest.TestCase):
    began = 10000

    def setUp(self):
        self.folder = fresh()
        self.told = []
        self.boxes = 0
        self.boot(source=self.began)

    def tearDown(self):
        remove(self.folder)

    def new_box(self):
        self.boxes += 1
        return bytes((self.boxes, 7, 7, 7))

    def boot(self, kid=KID, source=10000, limit=outbox.LIMIT):
        self.box = Outbox(self.folder, kid, source, self.new_box, lambda lane, n: self.told.append((lane, n)), limit)
        return self.box

    def fill(self, n, lane=0, detail="main"):
        for _ in range(n):
            self.box.add("METER_SILENT", detail, AT, self.box.last + 1, lane)

    def ids(self, most=9999):
        return [item.id for item in self.box.oldest(most, 1 << 20)]

    def assert_waiting(self, wanted):
        """The ids of what waits are those that `wanted` generates; a board's memory does not hold many at once."""
        for item in self.box.waiting():
            self.assertEqual(item.id, next(wanted))
        self.assertEqual(next(wanted, None), None)

    def names(self):
        return [name for name in files.names(self.folder) if name.endswith(".ob")]


class UseTest(Case):
    def test_an_item_comes_back_as_it_was_after_a_boot(self):
        self.assertEqual(self.box.add("METER_CHANGED", "main 1 £", AT + (1 << 32), 10077, 1), 1)
        for _ in range(2):
            items = [tuple(item) for item in self.box.oldest(9, 999)]
            self.assertEqual(items, [(1, AT + (1 << 32), 10077, "METER_CHANGED", "main 1 £")])
            self.assertEqual((self.box.pending, self.box.source), (True, 10077))
            self.boot(source=20000)

    def test_lanes_are_merged_in_the_order_of_adding_over_many_segments(self):
        for n in range(250):
            self.fill(1, lane=(n // 7) % 2)
        self.assert_waiting(iter(range(1, 251)))
        self.assertTrue(len(self.names()) >= 4)
        self.assertEqual(self.boot().last, 250)
        self.assertEqual(self.ids(5), [1, 2, 3, 4, 5])

    def test_a_batch_is_bounded_in_items_and_bytes_but_never_empty(self):
        self.fill(9, detail="d" * 160)
        self.assertEqual(len(self.box.oldest(16, 768)), 3)
        self.assertEqual(len(self.box.oldest(2, 768)), 2)
        self.assertEqual(len(self.box.oldest(16, 1)), 1)

    def test_what_is_acknowledged_goes_and_its_ids_are_not_given_again(self):
        self.fill(120)
        self.box.acknowledge(115)
        self.assertEqual(self.ids(3), [116, 117, 118])
        self.assertEqual(len(self.names()), 1)
        self.boot().acknowledge(120)
        self.assertEqual((self.box.pending, self.names(), self.ids()), (False, [], []))
        self.boot()
        self.fill(1)
        self.assertEqual(self.ids(), [121])

    def test_what_was_never_given_or_is_acknowledged_already_is_refused(self):
        self.fill(3)
        self.box.acknowledge(2)
        for number in (0, 1, 2, 4):
            self.assertRaises(ValueError, self.box.acknowledge, number)
        self.assertEqual(self.boot().acknowledged, 2)

    def test_too_long_a_name_or_detail_is_refused(self):
        for name, detail in (("", ""), ("N" * 33, ""), ("N", "d" * 161)):
            self.assertRaises(ValueError, self.box.add, name, detail, AT, 1, 0)
        self.assertEqual(self.box.last, 0)

    def test_the_heap_does_not_grow_with_what_it_holds(self):
        free = getattr(gc, "mem_free", int)
        self.fill(20)
        gc.collect()
        before = free()
        self.fill(1000)
        gc.collect()
        self.assertTrue(before - free() < 600)


class AddresseeTest(Case):
    def test_nothing_of_one_addressee_reaches_another(self):
        self.fill(5)
        box = self.box.box
        self.boot("OTHER", source=44)
        self.assertEqual((self.box.abandoned, self.ids(), self.box.source, self.box.last), (5, [], 44, 0))
        self.assertNotEqual(self.box.box, box)
        self.fill(1)
        self.assertEqual(self.boot("OTHER").abandoned, 0)
        self.assertEqual(self.ids(), [1])

    def test_a_cut_while_it_is_emptied_leaves_nothing_for_the_other(self):
        for changes in range(6):
            self.tearDown()
            self.setUp()
            self.fill(120)
            try:
                with Flash(changes, False, outbox):
                    self.boot("OTHER")
            except Cut:
                pass
            for name in self.names():
                flip(self.folder + "/" + name, 6)  # even if its head cannot be read
            self.boot("OTHER")
            self.assertEqual(self.ids(), [])


class FullTest(Case):
    def test_the_oldest_of_the_lower_lane_go_first_and_are_told(self):
        self.boot(limit=16384)
        for n in range(600):
            self.fill(1, lane=1 if n % 10 == 0 else 0)
        dropped = self.box.dropped[0]
        self.assertEqual(sum([n for _, n in self.told]), dropped)
        first = dropped + dropped // 9 + 2  # of the 540 in lane 0; what is left is 0 to 1 item of lane 1 too low
        while first % 10 == 1 or first - 1 - (first + 8) // 10 > dropped:
            first -= 1
        # all of lane 1, and the newest of lane 0
        self.assert_waiting(iter([n for n in range(1, first) if n % 10 == 1] + list(range(first, 601))))
        self.assertTrue(300 < 600 - dropped < 450)
        self.assertTrue(sum([os.stat(self.folder + "/" + n)[6] for n in self.names()]) <= 16384)
        self.assertEqual(self.boot(limit=16384).dropped, [dropped, 0])

    def test_lane_1_goes_when_lane_0_is_empty_oldest_first(self):
        self.boot(limit=8192)
        self.fill(30)
        self.fill(400, lane=1)
        first = self.ids(1)[0]
        self.assert_waiting(iter(range(first, 431)))
        self.assertEqual(self.box.dropped, [30, first - 31])

    def test_what_was_acknowledged_is_not_counted_as_dropped(self):
        self.boot(limit=8192)
        self.fill(150)
        self.box.acknowledge(60)
        self.fill(100)
        self.assertEqual(self.box.dropped[0], self.ids(1)[0] - 61)

    def test_50_a_day_for_30_days_fit(self):
        self.fill(1500, detail="a meter")
        self.assertEqual((self.told, self.box.dropped), ([], [0, 0]))
        self.assert_waiting(iter(range(1, 1501)))


class DamageTest(Case):
    def test_a_flipped_bit_costs_its_item_at_most(self):
        self.fill(20)
        name = self.folder + "/" + self.names()[0]
        for offset in range(0, os.stat(name)[6], 5):
            flip(name, offset, 1 << offset % 8)
            self.boot()
            self.assertTrue(len(self.ids()) >= 19)
            self.assertTrue(self.box.last >= 20)  # an id that may have been sent is not given again
            flip(name, offset, 1 << offset % 8)

    def test_a_lost_state_costs_nothing_and_all_goes_again(self):
        self.fill(120)
        self.box.acknowledge(100)
        box, first = self.box.box, int(self.names()[0][1:9], 16)
        for damage in (b"", b"MHR1 damaged", None):
            for slot in ("/state.0", "/state.1"):
                if damage is None:
                    files.remove(self.folder + slot)
                else:
                    write(self.folder + slot, damage)
            self.boot()
            self.assertEqual((self.box.box, self.ids(), self.box.source), (box, list(range(first, 121)), 120))
        for slot in ("/state.0", "/state.1"):
            files.remove(self.folder + slot)
        self.boot("OTHER")
        self.assertEqual((self.box.abandoned > 0, self.ids()), (True, []))

    def test_foreign_files_are_left_alone(self):
        for name in ("readme", "0zzzzzzzz.ob", "200000001.ob", "1.ob"):
            write(self.folder + "/" + name, b"junk")
        self.boot()
        self.fill(2)
        self.boot().acknowledge(2)
        self.assertTrue(files.exists(self.folder + "/readme"))

    def test_a_source_beyond_the_journal_is_brought_back(self):
        self.fill(20)
        self.assertEqual(self.boot(source=5).source, 5)


class CutTest(Case):
    """A host that takes batches and acknowledges, a journal that makes entries, and power that goes anywhere."""

    began = 0

    def work(self, kept):
        """Make items of the entries up to 130, then deliver and acknowledge all; kept: what the host has, by id."""
        for source in range(self.box.source + 1, 131):
            self.box.add("METER_SILENT", "m%d" % source, AT + source, source, source % 3 == 0)
        while self.box.pending:
            batch = self.box.oldest(16, 300)
            if not batch:
                break
            for item in batch:
                self.assertEqual(kept.setdefault(item.id, item.source), item.source)  # the same id, the same item
            self.box.acknowledge(batch[-1].id)

    def test_cut_anywhere_each_entry_arrives_once_and_in_order(self):
        cuts = 0
        for torn in (False, True):
            for changes in range(0, 84, 7):
                self.tearDown()
                self.setUp()
                self.fill(90)
                self.boot()
                kept = {}
                for again in (changes, 2, 5, 9):
                    try:
                        with Flash(again, torn, outbox):
                            self.work(kept)
                    except Cut:
                        cuts += 1
                    self.boot()
                self.work(kept)
                self.assertEqual(len(kept), 130)
                for source, number in enumerate(sorted(kept), 1):
                    self.assertEqual(kept[number], source)
        self.assertTrue(cuts > 60, cuts)

    def test_cut_while_room_is_made_nothing_goes_untold(self):
        for torn in (False, True):
            for changes in range(14):
                self.tearDown()
                self.setUp()
                self.boot(limit=8192)
                self.fill(190)
                try:
                    with Flash(changes, torn, outbox):
                        self.fill(30)
                except Cut:
                    pass
                self.boot(limit=8192)
                first = self.ids(1)[0]
                self.assertTrue(self.box.dropped[0] >= first - 1)
                if not torn:  # else an id was given up
                    self.assert_waiting(iter(range(first, self.box.last + 1)))
                self.fill(120)
                for item in self.box.waiting():
                    newest = item.id
                self.assertEqual(newest, self.box.last)


if __name__ == "__main__":
    unittest.main()
