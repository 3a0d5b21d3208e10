"""The journal: in order, without holes, bounded, and none the worse for damage."""

import gc
import os
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from store_folder import flip, fresh, read, remove, write

from meterhub.codec.crc import crc16_arc
from meterhub.store import journal as store_journal
from meterhub.store import journal_end
from meterhub.store.journal import Journal

HEAD_BYTES = 16


class Clock:
    at = 1760000400

    def now(self):
        return self.at


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = fresh()
        self.journal = self.boot()

    def tearDown(self):
        remove(self.folder)

    def boot(self):
        return Journal(self.folder, Clock())

    def fill(self, n, kind="event"):
        for i in range(n):
            self.journal.add(kind, "LINK_DOWN", "wan %d" % i)

    def seqs(self, journal, kind, n):
        return [entry.seq for entry in journal.last(kind, n)]

    def all_seqs(self, kind):
        return [entry.seq for entry in self.journal.after(kind, 0)]


class JournalTest(Case):
    def test_an_entry_comes_back_as_it_was(self):
        self.journal.add("security", "NOT_AUTHENTIC", "export jws £")
        entry = self.boot().last("security", 1)[0]
        self.assertEqual(tuple(entry), (1, 1760000400, "NOT_AUTHENTIC", "export jws £", 1))

    def test_the_newest_come_first_and_the_kinds_count_each_for_itself(self):
        self.fill(3)
        self.fill(2, "consent")
        self.assertEqual(self.seqs(self.journal, "event", 2), [3, 2])
        self.assertEqual(self.seqs(self.journal, "consent", 10), [2, 1])
        self.assertEqual(self.seqs(self.journal, "security", 10), [])

    def test_the_count_goes_on_after_a_boot(self):
        self.fill(3)
        self.journal = self.boot()
        self.fill(2)
        self.assertEqual(self.seqs(self.boot(), "event", 9), [5, 4, 3, 2, 1])

    def test_at_least_100_are_kept_and_200_consents(self):
        for n in range(350):
            self.journal.add("event", "LINK_DOWN")
            self.journal.add("consent", "linked")
            if n % 49 == 0:
                self.assertEqual(self.seqs(self.journal, "event", 100), list(range(n + 1, max(0, n - 99), -1)))
                self.assertEqual(self.all_seqs("consent")[-200:], list(range(max(1, n - 198), n + 2)))

    def test_what_the_older_file_holds_is_read_only_by_who_asks_for_it(self):
        self.fill(150)
        opened = []
        real = self.journal.records

        def records(kind, which):
            opened.append(which)
            return real(kind, which)

        self.journal.records = records
        for seq, files in (149, [1]), (100, [1]), (99, [0, 1]), (0, [0, 1]):
            opened.clear()
            found = [entry.seq for entry in self.journal.after("event", seq)]
            self.assertEqual((found, opened[1:]), (list(range(seq + 1, 151)), files))

    def test_files_and_heap_do_not_grow_with_the_history(self):
        self.fill(450)
        gc.collect()
        sizes = sum([os.stat(self.folder + "/event.%d" % n)[6] for n in (0, 1)])
        free = getattr(gc, "mem_free", int)()
        self.fill(1000)
        gc.collect()
        self.assertTrue(free - getattr(gc, "mem_free", int)() < 1000)
        self.assertTrue(sum([os.stat(self.folder + "/event.%d" % n)[6] for n in (0, 1)]) < sizes + 1000)
        self.assertTrue(sizes < 200 * 40)

    def test_what_anybody_outside_can_cause_cannot_push_true_entries_out(self):
        self.journal.add("security", "REPLAY", "a true one")
        for _ in range(1000):
            self.journal.foreign("MALFORMED", "junk")
        kept = self.journal.last("security", 100)
        self.assertEqual(len(kept), 11)
        self.assertEqual(kept[-1].detail, "a true one")
        self.assertEqual(self.journal.suppressed, 990)

    def test_after_weeks_of_peace_there_is_room_for_it_again(self):
        ticks = [0]
        kept, store_journal.now_ms = store_journal.now_ms, lambda: ticks[0] & 0x3FFFFFFF
        try:
            self.journal = self.boot()
            for days in (0, 5, 7, 11, 15):
                ticks[0] += days * 86400000
                for _ in range(11):
                    self.journal.foreign("MALFORMED", str(days))
        finally:
            store_journal.now_ms = kept
        self.assertEqual((len(self.journal.last("security", 100)), self.journal.suppressed), (50, 5))

    def test_the_listener_hears_every_entry(self):
        heard = []
        self.journal.listener = lambda kind, entry: heard.append((kind, entry.seq, entry.name))
        self.fill(2, "security")
        self.assertEqual(heard, [("security", 1, "LINK_DOWN"), ("security", 2, "LINK_DOWN")])

    def test_a_long_detail_is_cut_at_a_character(self):
        self.journal.add("event", "X", "£" * 100)
        self.assertEqual(self.journal.last("event", 1)[0].detail, "£" * 80)

    def test_an_unknown_kind_and_a_name_too_long_are_refused(self):
        self.assertRaises(ValueError, self.journal.add, "gossip", "X")
        self.assertRaises(ValueError, self.journal.add, "event", "X" * 33)
        self.assertRaises(ValueError, self.journal.add, "event", "")
        self.journal.add("event", "X")
        self.assertEqual(self.seqs(self.boot(), "event", 9), [1])

    def test_the_longest_entry_is_kept_and_times_beyond_32_bits(self):
        Clock.at = 7258118399
        try:
            self.journal.add("event", "N" * 32, "d" * 160)
        finally:
            Clock.at = 1760000400
        self.assertEqual(tuple(self.boot().last("event", 1)[0]), (1, 7258118399, "N" * 32, "d" * 160, 1))


class EndTest(Case):
    """A start goes along the newer file; wherever that shows less than all records do, it reads all."""

    def ends(self, journal=None):
        """Return the end as it is found by going along, and as all records show it."""
        journal = journal or self.boot()
        return journal_end._walked(journal, "event"), journal_end._read(journal, "event")

    def test_going_along_the_newer_file_finds_what_all_records_show(self):
        self.assertEqual(self.ends(), (None, (0, 0, 0, b"")))
        for seq in (1, 2, 100, 101, 102, 200, 201, 202, 350):
            self.fill(seq - self.journal.end("event"))
            walked, all_read = self.ends()
            self.assertEqual(walked, all_read)
            self.assertEqual(walked[:3], (seq, (seq - 1) // 100 % 2, (seq - 1) % 100 + 1))

    def test_a_flipped_bit_anywhere_leads_to_no_other_end(self):
        self.fill(103)
        journal, thorough = self.boot(), 0
        for name, start in ("event.1", 0), ("event.0", 0), ("event.0", -40):
            size = os.stat(self.folder + "/" + name)[6]
            for offset in range(start % size, size if start < 0 or name == "event.1" else HEAD_BYTES):
                flip(self.folder + "/" + name, offset, 1 << offset % 8)
                walked, all_read = self.ends(journal)
                found = journal_end.find(journal, "event")
                self.assertEqual((found[:2], found[3]), (all_read[:2], all_read[3]), (name, offset))
                self.assertTrue(found[2] - all_read[2] in (0, 1), (name, offset))  # one within it may be damaged
                thorough += walked is None
                flip(self.folder + "/" + name, offset, 1 << offset % 8)
        self.assertTrue(thorough > 2 * HEAD_BYTES)

    def test_a_record_taken_out_shows_by_the_numbers(self):
        self.fill(9)
        raw = read(self.folder + "/event.0")
        size = (len(raw) - HEAD_BYTES) // 9
        write(self.folder + "/event.0", raw[: HEAD_BYTES + size] + raw[HEAD_BYTES + 2 * size :])
        walked, all_read = self.ends()
        self.assertEqual((walked, all_read[:3]), (None, (9, 0, 8)))

    def test_a_file_that_ends_within_a_record_is_read_whole(self):
        self.fill(3)
        whole = read(self.folder + "/event.0")
        for cut in range(len(whole)):
            write(self.folder + "/event.0", whole[:cut])
            walked, all_read = self.ends()
            found = journal_end.find(self.boot(), "event")
            self.assertEqual(found, all_read)
            self.assertTrue(walked is None or walked == all_read, cut)

    def test_two_files_that_begin_alike_are_both_read(self):
        self.fill(150)
        write(self.folder + "/event.0", read(self.folder + "/event.1"))
        self.assertEqual(self.ends()[0], None)
        self.assertEqual(self.boot().end("event"), 150)


class DamageTest(Case):
    def test_a_flipped_bit_costs_its_entry_and_is_counted(self):
        self.fill(20)
        size = os.stat(self.folder + "/event.0")[6]
        for offset in range(HEAD_BYTES, size, 3):
            flip(self.folder + "/event.0", offset, 1 << offset % 8)
            journal = self.boot()
            self.assertEqual(len(journal.last("event", 20)), 19)
            self.assertTrue(journal.damaged > 0)
            flip(self.folder + "/event.0", offset, 1 << offset % 8)

    def test_a_tail_torn_at_any_byte_costs_one_entry_and_the_count_goes_on(self):
        self.fill(3)
        whole = read(self.folder + "/event.0")
        for cut in range(HEAD_BYTES + (len(whole) - HEAD_BYTES) * 2 // 3 + 1, len(whole)):
            write(self.folder + "/event.0", whole[:cut])
            self.journal = self.boot()
            self.fill(1)
            self.assertEqual(self.seqs(self.boot(), "event", 9), [3, 2, 1])

    def test_a_record_of_another_kind_or_shape_is_none_even_with_a_right_crc(self):
        self.fill(1)
        raw = read(self.folder + "/event.0")[HEAD_BYTES:-2]
        for offset, value in ((0, 0xE4), (0, 0xE0), (14, 0), (14, raw[1]), (14, 255)):
            other = raw[:offset] + bytes((value,)) + raw[offset + 1 :]
            write(self.folder + "/event.0", other + crc16_arc(other, len(other), 0xFFFF).to_bytes(2, "little"))
            self.assertEqual(self.boot().last("event", 9), [])

    def test_foreign_files_are_skipped(self):
        for raw in (b"", b"\xe1" * 5000, bytes(range(256)) * 40, b"\0" * 3000):
            write(self.folder + "/event.0", raw)
            self.journal = self.boot()
            self.fill(2)
            self.assertEqual(len(self.boot().last("event", 9)), 2)

    def test_one_file_lost_leaves_the_other(self):
        self.fill(150)
        os.remove(self.folder + "/event.0")
        self.journal = self.boot()
        self.fill(1)
        self.assertEqual(self.seqs(self.boot(), "event", 999), list(range(151, 100, -1)))

    def test_a_newer_record_of_an_older_run_is_no_entry_of_now(self):
        self.fill(150)
        write(self.folder + "/event.1", b"")  # 101 .. 150 are lost
        self.journal = self.boot()
        self.fill(1)
        self.assertEqual(self.seqs(self.boot(), "event", 3), [101, 100, 99])


if __name__ == "__main__":
    unittest.main()
