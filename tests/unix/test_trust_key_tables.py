"""Tables of keys: made behind a good signature, few of them, kept in files that only their hub has made."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from store_folder import flip, fresh, read, remove, write

from meterhub.crypto import ecdsa, ecdsa_known, p256, p256_comb
from meterhub.crypto.drbg import Drbg
from meterhub.crypto.steps import run
from meterhub.store import files
from meterhub.trust import identity, key_tables
from meterhub.trust.key_tables import KeyTables

DRBG = Drbg(bytes(48))
SECRET = bytes(range(32))


def role(d):
    return identity.Identity(d, p256.encode_point(run(ecdsa.public_point(d))), DRBG)


ROLES = [role(d) for d in (11, 22, 33, 44)]
TOKENS = [run(each.sign("t", {"a": 1})) for each in ROLES]
WRONG = TOKENS[0][:-4] + ("AAAA" if TOKENS[0][-4:] != "AAAA" else "BBBB")


class Watched:
    """Counts which way signatures are verified and how often tables are made."""

    def __enter__(self):
        self.saved = (ecdsa.verify, ecdsa_known.verify, p256_comb.table_of)
        self.calls = []
        ecdsa.verify = self.seen("whole", ecdsa.verify)
        ecdsa_known.verify = self.seen("known", ecdsa_known.verify)
        p256_comb.table_of = self.seen("made", p256_comb.table_of)
        return self

    def __exit__(self, *_):
        ecdsa.verify, ecdsa_known.verify, p256_comb.table_of = self.saved

    def seen(self, name, function):
        def call(*arguments):
            self.calls.append(name)
            return (yield from function(*arguments))

        return call

    def during(self, *steps):
        """Go through `steps`; return what they returned, and what was called."""
        self.calls = []
        return [run(each) for each in steps], self.calls


class RAMTest(unittest.TestCase):
    def test_the_second_signature_is_verified_with_a_table(self):
        tables = KeyTables()
        with Watched() as watched:
            self.assertEqual(watched.during(tables.verify(ROLES[0].public, TOKENS[0])), ([True], ["whole"]))
            self.assertTrue(tables.is_due())
            self.assertEqual(watched.during(tables.build()), ([True], ["made"]))
            self.assertFalse(tables.is_due())
            for token, good in ((TOKENS[0], True), (WRONG, False), (TOKENS[1], False)):
                self.assertEqual(watched.during(tables.verify(ROLES[0].public, token)), ([good], ["known"]))
            self.assertEqual(watched.during(tables.build()), ([False], []))

    def test_a_bad_signature_gets_no_table(self):
        tables = KeyTables()
        self.assertFalse(run(tables.verify(ROLES[0].public, WRONG)))
        self.assertFalse(tables.is_due())

    def test_a_key_that_comes_again_while_its_table_is_made_gets_one(self):
        tables = KeyTables()
        run(tables.verify(ROLES[0].public, TOKENS[0]))
        making = tables.build()
        next(making)
        self.assertTrue(run(tables.verify(ROLES[0].public, TOKENS[0])))
        self.assertTrue(run(making))
        with Watched() as watched:
            self.assertEqual(watched.during(tables.build()), ([False], []))

    def test_it_says_what_identity_says(self):
        tables = KeyTables()
        for _ in range(2):
            for public in (ROLES[0].public, ROLES[1].public):
                for token in (TOKENS[0], WRONG, TOKENS[1]):
                    self.assertEqual(run(tables.verify(public, token)), run(identity.verify(public, token)))
                    run(tables.build())

    def test_the_key_used_longest_ago_gives_way(self):
        tables = KeyTables()

        def use(i):
            run(tables.verify(ROLES[i].public, TOKENS[i]))
            run(tables.build())

        with Watched() as watched:
            for i in (0, 1, 2, 0, 3):
                use(i)
            found = [watched.during(tables.verify(ROLES[i].public, TOKENS[i]))[1] for i in (0, 1, 2, 3)]
        self.assertEqual(found, [["known"], ["whole"], ["known"], ["known"]])

    def test_what_is_let_go_is_made_again(self):
        tables = KeyTables()
        run(tables.verify(ROLES[0].public, TOKENS[0]))
        run(tables.build())
        tables.let_go()
        with Watched() as watched:
            steps = (tables.verify(ROLES[0].public, TOKENS[0]), tables.build())
            self.assertEqual(watched.during(*steps), ([True, True], ["whole", "made"]))

    def test_memory_that_is_short_costs_the_tables_only(self):
        tables = KeyTables()
        for i in (0, 1):
            run(tables.verify(ROLES[i].public, TOKENS[i]))
            if not i:
                run(tables.build())

        def none(point):
            yield
            raise MemoryError

        real, p256_comb.table_of = p256_comb.table_of, none
        try:
            self.assertFalse(run(tables.build()))
        finally:
            p256_comb.table_of = real
        with Watched() as watched:
            self.assertEqual(watched.during(tables.verify(ROLES[0].public, TOKENS[0])), ([True], ["whole"]))

    def test_only_some_keys_are_known_any_more(self):
        tables = KeyTables()
        for i in (0, 1):
            run(tables.verify(ROLES[i].public, TOKENS[i]))
            run(tables.build())
        run(tables.verify(ROLES[2].public, TOKENS[2]))
        tables.only([ROLES[1].public])
        self.assertFalse(tables.is_due())
        with Watched() as watched:
            self.assertEqual(watched.during(tables.verify(ROLES[0].public, TOKENS[0]))[1], ["whole"])
            self.assertEqual(watched.during(tables.verify(ROLES[1].public, TOKENS[1]))[1], ["known"])


class FileTest(unittest.TestCase):
    def setUp(self):
        self.top = fresh()
        self.folder = self.top + "/keys"
        self.said = []

    def tearDown(self):
        remove(self.top)

    def tables(self, key=SECRET):
        return KeyTables(self.folder, key, self.said.append)

    def path(self, i=0):
        return self.folder + "/" + identity.hub_id(ROLES[i].public) + ".tab"

    def keep(self, i=0):
        tables = self.tables()
        run(tables.verify(ROLES[i].public, TOKENS[i]))
        self.assertTrue(run(tables.build()))
        return tables

    def way(self, tables, i=0):
        with Watched() as watched:
            good, calls = watched.during(tables.verify(ROLES[i].public, TOKENS[i]))
        self.assertEqual(good, [True])
        return calls

    def test_a_table_is_there_after_a_restart(self):
        self.keep().let_go()
        self.assertEqual(len(read(self.path())), 2133)
        restarted = self.tables()
        self.assertEqual(self.way(restarted), ["known"])
        self.assertFalse(restarted.is_due())
        restarted.let_go()
        self.assertEqual(self.way(restarted), ["known"])
        self.assertEqual(self.said, [])

    def test_without_a_key_nothing_is_kept_or_believed(self):
        for tables in (KeyTables(self.folder), KeyTables("", SECRET)):
            run(tables.verify(ROLES[0].public, TOKENS[0]))
            self.assertTrue(run(tables.build()))
        self.assertFalse(files.exists(self.folder))
        self.keep()
        self.assertEqual(self.way(KeyTables(self.folder)), ["whole"])
        self.assertTrue(files.exists(self.path()))

    def test_a_damaged_file_is_told_once_and_made_again(self):
        self.keep()
        whole = read(self.path())
        for offset in (0, 10, 69, 1000, 2116, 2117, 2132):
            flip(self.path(), offset)
            tables = self.tables()
            self.said.clear()
            self.assertEqual(self.way(tables), ["whole"])
            self.assertEqual(self.said, [self.path() + ": damaged"])
            self.assertEqual(self.way(tables), ["whole"])
            self.assertEqual(len(self.said), 1)
            self.assertTrue(run(tables.build()))
            self.assertTrue(read(self.path()) == whole)

    def test_a_file_of_another_length(self):
        self.keep()
        whole = read(self.path())
        for raw in (b"", whole[:100], whole[:-1], whole + b"\x00"):
            write(self.path(), raw)
            self.assertEqual(self.way(self.tables()), ["whole"])
            self.assertFalse(files.exists(self.path()))
        self.assertEqual(len(self.said), 4)

    def test_a_file_of_another_version_is_not_believed(self):
        tables = self.keep()
        raw = bytearray(read(self.path()))
        raw[3] += 1
        write(self.path(), raw[:2117] + tables._tag(raw))
        self.assertEqual(self.way(self.tables()), ["whole"])
        self.assertFalse(files.exists(self.path()))

    def test_another_hubs_file_is_not_believed(self):
        self.keep()
        self.assertEqual(self.way(self.tables(bytes(32))), ["whole"])
        self.assertEqual(len(self.said), 1)

    def test_another_keys_table_under_this_ones_name_is_not_believed(self):
        self.keep(1)
        raw = read(self.path(1))
        write(self.path(0), raw)
        tables = self.tables()
        self.assertEqual(self.way(tables), ["whole"])
        self.assertEqual(self.said, [])  # it is whole; two keys with one kid would do this
        self.assertTrue(run(tables.build()))
        self.assertFalse(read(self.path(0)) == raw)
        write(self.path(0), raw[:4] + ROLES[0].public + raw[69:])
        self.assertEqual(self.way(self.tables()), ["whole"])
        self.assertEqual(len(self.said), 1)

    def test_flash_that_is_full_or_broken_keeps_nothing_from_working(self):
        def broken(*_):
            raise OSError(28)

        def narrow(*_):
            raise MemoryError

        for failing in (broken, narrow):
            real, files.write = files.write, failing
            try:
                tables = self.keep()
            finally:
                files.write = real
            self.assertFalse(files.exists(self.path()))
            self.assertEqual(self.way(tables), ["known"])
        self.keep()
        tables = self.tables()
        real, files.read = files.read, broken
        try:
            self.assertEqual(self.way(tables), ["whole"])
        finally:
            files.read = real
        self.assertEqual(len(self.said), 1)

    def test_memory_that_is_short_while_a_file_is_read(self):
        def none(*_):
            raise MemoryError

        self.keep()
        tables = self.tables()
        real, files.read = files.read, none
        try:
            self.assertEqual(self.way(tables), ["whole"])
        finally:
            files.read = real
        self.assertEqual(self.way(tables), ["known"])
        self.assertEqual(self.said, [])

    def test_there_are_no_more_files_than_some(self):
        self.keep()
        for i in range(key_tables.MOST_FILES - 1):
            write(self.folder + "/%d.tab" % i, b"")
        self.keep(1)
        self.assertFalse(files.exists(self.path(1)))
        flip(self.path(), 100)
        self.keep()  # its own place it has
        self.assertEqual(self.way(self.tables()), ["known"])

    def test_files_of_other_keys_go(self):
        for i in (0, 1):
            tables = self.keep(i)
        write(self.folder + "/half.tab.new", b"half")
        tables.only([ROLES[1].public])
        self.assertEqual(files.names(self.folder), [self.path(1).rsplit("/", 1)[1]])
        self.tables().only([])
        self.assertEqual(files.names(self.folder), [])

    def test_the_key_is_this_hubs(self):
        keys = {each.derived_key(label) for each in ROLES[:2] for label in (key_tables.LABEL, b"other")}
        self.assertEqual(len(keys), 4)
        self.assertEqual({len(key) for key in keys}, {32})


if __name__ == "__main__":
    unittest.main()
