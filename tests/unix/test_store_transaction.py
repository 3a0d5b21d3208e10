"""A transaction: several files and records, all of it or nothing, wherever the power is cut."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from store_cuts import Cut, Flash
from store_folder import flip, fresh, read, remove, write

from meterhub.errors import StoreError
from meterhub.store import files, transaction
from meterhub.store.record import Record
from meterhub.store.transaction import Transaction

OLD = (b"old settings", b"old consents", b"old attempts")
NEW = (b"new settings", b"new consents", b"new attempts")


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = fresh()
        self.at = self.folder + "/"
        write(self.at + "settings.json", OLD[0])
        Record(self.at + "consents").save(OLD[1])
        Record(self.at + "attempts").save(OLD[2])
        write(self.at + "other", b"untouched")

    def tearDown(self):
        remove(self.folder)

    def begin(self):
        change = Transaction(self.folder)
        change.put("settings.json", NEW[0])
        change.save(Record(self.at + "consents"), NEW[1])
        change.save(Record(self.at + "attempts"), NEW[2])
        change.put("ca-1.der", b"0123" * 200)
        return change

    def start(self):
        if transaction.is_pending(self.folder):
            transaction.finish(self.folder)
        self.assertFalse(transaction.is_pending(self.folder))
        return self.found()

    def found(self):
        self.assertEqual(read(self.at + "other"), b"untouched")
        records = [Record(self.at + name).load() for name in ("consents", "attempts")]
        return (read(self.at + "settings.json"), records[0], records[1])


class CutTest(Case):
    def test_wherever_the_power_is_cut_all_of_it_counts_or_nothing(self):
        seen = []
        for torn in (False, True):
            for changes in range(40):
                self.tearDown()
                self.setUp()
                try:
                    with Flash(changes, torn):
                        self.begin().commit()
                    break
                except Cut:
                    found = self.start()
                self.assertTrue(found in (OLD, NEW), found)
                self.assertEqual(files.exists(self.at + "ca-1.der"), found == NEW)
                seen.append(found)
                self.begin().commit()
                self.assertEqual(self.start(), NEW)
        self.assertEqual(self.found(), NEW)
        self.assertTrue(seen.count(OLD) >= 8 and seen.count(NEW) >= 8)

    def test_a_cut_while_a_start_ends_it_is_no_different(self):
        for begun in range(40):
            for changes in range(20):
                self.tearDown()
                self.setUp()
                try:
                    with Flash(begun):
                        self.begin().commit()
                    return
                except Cut:
                    pass
                try:
                    with Flash(changes):
                        transaction.finish(self.folder)
                    break
                except Cut:
                    self.assertTrue(self.start() in (OLD, NEW))


class UseTest(Case):
    def test_nothing_counts_before_the_commit(self):
        self.begin()
        self.assertEqual(self.found(), OLD)
        self.assertEqual(self.start(), OLD)
        self.assertFalse(files.exists(self.at + "settings.json.next"))

    def test_a_record_is_used_on_after_it(self):
        record = Record(self.at + "consents")
        record.load()
        for blob in (b"1", b"2", b"3"):
            change = Transaction(self.folder)
            change.save(record, blob)
            change.commit()
            self.assertEqual(Record(self.at + "consents").load(), blob)
            record.save(blob + b"!")
            self.assertEqual(Record(self.at + "consents").load(), blob + b"!")

    def test_what_is_no_file_of_the_folder_or_named_twice_is_refused(self):
        change = Transaction(self.folder)
        change.put("a", b"")
        for name in ("a", "", "x/y", "n" * 41):
            self.assertRaises(ValueError, change.put, name, b"")
        self.assertRaises(ValueError, change.save, Record("/elsewhere/x"), b"")
        for n in range(7):
            change.put("b%d" % n, b"")
        self.assertRaises(ValueError, change.put, "ninth", b"")


class DamageTest(Case):
    def setUp(self):
        super().setUp()
        try:
            with Flash(6):  # four files, and the transaction in two steps
                self.begin().commit()
        except Cut:
            pass
        self.assertTrue(files.exists(self.at + "transaction"))

    def test_what_is_not_what_was_written_is_named_and_nothing_is_moved_or_thrown_away(self):
        names = files.names(self.folder)
        for name, place in (("transaction", 20), ("settings.json.next", 3), ("consents.0.next", 12)):
            if name in names:
                flip(self.at + name, place)
                self.assertRaises(StoreError, transaction.finish, self.folder)
                self.assertEqual(files.names(self.folder), names)
                self.assertEqual(self.found(), OLD)
                flip(self.at + name, place)
        self.assertEqual(self.start(), NEW)

    def test_foreign_transactions_are_none(self):
        whole = read(self.at + "transaction")
        for raw in (b"", b"MHT1", whole[:-3], whole[:4] + b"\xff" + whole[5:], b"x" * 600):
            write(self.at + "transaction", raw)
            self.assertRaises(StoreError, transaction.finish, self.folder)
        self.assertEqual(self.found(), OLD)

    def test_a_damaged_one_gives_way_to_the_next_and_is_kept(self):
        flip(self.at + "transaction", 9)
        self.begin().commit()
        self.assertEqual(self.start(), NEW)
        self.assertTrue(files.exists(self.at + "transaction.damaged"))


if __name__ == "__main__":
    unittest.main()
