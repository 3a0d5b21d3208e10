"""Records: the newer whole slot counts, whatever a power cut leaves of the other."""

import os
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from store_folder import flip, fresh, read, remove, write

from meterhub.codec.crc import crc16_arc
from meterhub.errors import StoreError
from meterhub.store import files
from meterhub.store.record import Record


class RecordTest(unittest.TestCase):
    def setUp(self):
        self.folder = fresh()
        self.path = self.folder + "/r"
        self.record = Record(self.path, 100)

    def tearDown(self):
        remove(self.folder)

    def load(self):
        return Record(self.path, 100).load()

    def test_nothing_was_saved_yet(self):
        self.assertEqual(self.load(), None)

    def test_what_was_saved_last_is_loaded(self):
        for n in range(5):
            self.record.save(b"blob %d" % n)
            self.assertEqual(self.load(), b"blob %d" % n)
            self.assertEqual(self.record.load(), b"blob %d" % n)

    def test_an_empty_blob_is_a_blob(self):
        self.record.save(b"")
        self.assertEqual(self.load(), b"")

    def test_a_new_object_goes_on_where_the_old_one_stopped(self):
        for n in range(5):
            Record(self.path, 100).save(b"%d" % n)
        self.assertEqual(self.load(), b"4")

    def test_a_slot_torn_at_any_byte_leaves_the_one_before(self):
        self.record.save(b"old")
        self.record.save(b"new and longer")
        whole = read(self.path + ".0")
        for cut in range(len(whole)):
            write(self.path + ".0", whole[:cut])
            self.assertEqual(self.load(), b"old")

    def test_a_flipped_bit_leaves_the_one_before(self):
        self.record.save(b"old")
        self.record.save(b"new")
        whole = read(self.path + ".0")
        for offset in range(len(whole)):
            for bit in range(8):
                flip(self.path + ".0", offset, 1 << bit)
                self.assertEqual(self.load(), b"old")
                remove(self.path + ".0.bad")
                write(self.path + ".0", whole)
        self.assertEqual(self.load(), b"new")

    def test_a_damaged_slot_is_told_and_set_aside_once_the_other_one_is_whole(self):
        told = []
        for blob in (b"a", b"b", b"c"):
            self.record.save(blob)
        for turn, name in enumerate(("r.0.bad", "r.0.bad1", "r.0.bad2", "r.0.bad3", "r.0")):
            write(self.path + ".0", b"MHR1" + bytes((turn,)))
            record = Record(self.path, 100, told.append)
            self.assertEqual((record.load(), told.pop(), told), (b"c", self.path + ".0: damaged", []))
            self.assertEqual(read(self.folder + "/" + name), b"MHR1" + bytes((turn,)))  # the last one has no name left
        record.save(b"d")
        self.assertEqual(Record(self.path, 100, told.append).load(), b"d")
        self.assertEqual(told, [])

    def test_when_no_slot_is_whole_both_stay_until_the_record_is_given_up(self):
        self.record.save(b"a")
        flip(self.path + ".1", 12)
        for _ in range(2):
            self.assertRaises(StoreError, self.load)
        self.record.set_aside()
        self.assertEqual((self.load(), files.names(self.folder)), (None, ["r.1.bad"]))

    def test_a_slot_that_cannot_be_read_is_damaged(self):
        self.record.save(b"a")
        os.mkdir(self.path + ".0")
        self.assertEqual(self.load(), b"a")
        self.assertEqual(files.names(self.folder), ["r.0.bad", "r.1"])

    def test_a_slot_that_was_only_begun_is_none(self):
        write(self.path + ".1", b"")
        self.assertEqual(self.load(), None)
        self.record.save(b"a")
        self.assertEqual((self.load(), files.names(self.folder)), (b"a", ["r.1"]))

    def test_two_damaged_slots_are_told_and_saving_goes_on(self):
        self.record.save(b"old")
        self.record.save(b"new")
        flip(self.path + ".0", 12)
        flip(self.path + ".1", 12)
        self.assertRaises(StoreError, self.load)
        Record(self.path, 100).save(b"again")
        self.assertEqual(self.load(), b"again")

    def test_what_stands_behind_the_blob_is_damage(self):
        self.record.save(b"old")
        write(self.path + ".1", read(self.path + ".1") + b"x")
        self.assertRaises(StoreError, self.load)

    def test_a_slot_of_another_kind_or_length_is_none_even_with_a_right_crc(self):
        self.record.save(b"old")
        for head in (b"MHR2\2\0\0\0\3\0", b"MHR1\2\0\0\0\4\0"):
            raw = head + b"new"
            write(self.path + ".0", raw + crc16_arc(raw, len(raw), 0xFFFF).to_bytes(2, "little"))
            self.assertEqual(self.load(), b"old")

    def test_a_file_of_any_length_is_not_read_whole(self):
        self.record.save(b"old")
        write(self.path + ".0", b"x" * 20000)
        self.assertEqual(len(files.read(self.path + ".0", 112)), 113)
        self.assertEqual(self.load(), b"old")

    def test_a_blob_that_is_too_long_is_refused_and_the_old_one_stays(self):
        self.record.save(b"x" * 100)
        self.assertRaises(ValueError, self.record.save, b"x" * 101)
        self.assertEqual(self.load(), b"x" * 100)

    def test_erase_leaves_nothing(self):
        self.record.save(b"a")
        self.record.save(b"b")
        self.record.erase()
        self.assertEqual((self.load(), files.names(self.folder)), (None, []))


class FilesTest(unittest.TestCase):
    def setUp(self):
        self.folder = fresh()

    def tearDown(self):
        remove(self.folder)

    def test_replace_leaves_the_old_file_until_the_new_one_is_whole(self):
        path = self.folder + "/f"
        files.replace(path, b"one")
        write(path + ".new", b"tw")  # the power went while it was written
        self.assertEqual(files.read(path, 10), b"one")
        files.replace(path, b"two")
        self.assertEqual((files.read(path, 10), files.names(self.folder)), (b"two", ["f"]))

    def test_read_gives_one_byte_more_than_the_limit_and_no_more(self):
        write(self.folder + "/f", b"x" * 50)
        self.assertEqual(len(files.read(self.folder + "/f", 9)), 10)

    def test_what_is_not_there_is_none_and_removed_without_a_word(self):
        self.assertEqual(files.read(self.folder + "/f", 9), None)
        files.remove(self.folder + "/f")

    def test_other_errors_are_not_swallowed(self):
        self.assertRaises(OSError, files.read, self.folder, 9)
        self.assertRaises(OSError, files.remove, self.folder)

    def test_ensure_dir_makes_a_folder_once(self):
        files.ensure_dir(self.folder + "/d")
        files.ensure_dir(self.folder + "/d")
        self.assertEqual(files.names(self.folder), ["d"])


if __name__ == "__main__":
    unittest.main()
