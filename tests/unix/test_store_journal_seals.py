"""The journal's seals: what was altered, removed, put in or re-ordered is seen; a power cut is not called so."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from store_cuts import Cut, Flash
from store_folder import flip, fresh, read, remove, write

from meterhub.codec.crc import crc16_arc
from meterhub.crypto.steps import run
from meterhub.errors import StoreError
from meterhub.store import files, journal, journal_check
from meterhub.store.journal import Journal
from meterhub.trust import identity

KEY = bytes(range(32))


class Clock:
    def now(self):
        return 1760000400


def crc(raw):
    return raw + crc16_arc(raw, len(raw), 0xFFFF).to_bytes(2, "little")


def old(seq, name="LINK_DOWN", detail="wan"):
    """Return an entry as the first version wrote it."""
    body = name.encode() + detail.encode()
    raw = bytes((0xE1, 1 + len(body))) + seq.to_bytes(4, "little") + (1760000400).to_bytes(8, "little")
    return crc(raw + bytes((len(name),)) + body)


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = fresh()
        self.journal = Journal(self.folder, Clock())
        self.journal.begin_sealing(KEY)

    def tearDown(self):
        remove(self.folder)

    def boot(self, key=KEY):
        self.journal = Journal(self.folder, Clock(), key)
        return self.journal

    def fill(self, n, kind="event"):
        for i in range(n):
            self.journal.add(kind, "LINK_DOWN", "wan %d" % i)

    def check(self, kind="event", key=KEY):
        return run(journal_check.check(self.boot(key), kind))

    def parts(self, name="event.0"):
        """Return the head and the records of a file."""
        found = []
        kind, which = name.split(".")
        for buf, at, length in self.journal.records(kind, int(which)):
            found.append(bytes(buf[at : at + length]))
        return found

    def put(self, parts, name="event.0"):
        with open(self.folder + "/" + name, "wb") as file:
            for part in parts:
                file.write(part)

    def assert_broken(self, first, why):
        verdict = self.check()
        self.assertEqual((verdict.first, verdict.why), (first, why))


class WholeTest(Case):
    def test_what_the_hub_wrote_is_whole_however_long(self):
        for n in (0, 1, 30, 70, 100, 250, 3):
            self.fill(n)
            verdict = self.check()
            self.assertEqual((verdict.breaks, verdict.keyed, verdict.why), (0, True, ""))
        self.assertTrue(100 <= verdict.entries <= 201)
        self.assertEqual(self.journal.last("event", 1)[0].sealed, 2)

    def test_entries_from_before_the_key_are_marked_and_covered_by_what_follows(self):
        remove(self.folder)
        self.journal = Journal(self.folder, Clock())
        files.ensure_dir(self.folder)
        self.fill(2)
        self.journal.begin_sealing(KEY)
        self.fill(2)
        self.assertEqual([e.sealed for e in self.boot().last("event", 9)], [2, 2, 1, 1])
        self.assertEqual(self.check().breaks, 0)
        parts = self.parts()
        parts[1] = self.another(parts[1], 0xE3, b"", journal.NO_SEAL)
        self.put(parts)
        self.assert_broken(2, "altered")

    def another(self, raw, mark, key, seal):
        """Return a record with another name, a right CRC, and the seal that `key` gives it."""
        raw = bytes((mark,)) + raw[1:15] + b"X" + raw[16:-10]
        return crc(raw + journal.seal_of(key, "event", seal, raw))

    def test_the_first_version_is_read_marked_and_continued(self):
        write(self.folder + "/event.0", old(1) + old(2))
        self.fill(0)
        self.boot()
        self.fill(2)
        self.assertEqual([(e.seq, e.sealed) for e in self.boot().last("event", 9)], [(4, 2), (3, 2), (2, 0), (1, 0)])
        self.assertEqual(self.check().breaks, 0)
        write(self.folder + "/event.0", old(1) + old(2, detail="wax") + b"".join(self.parts()[2:]))
        self.assert_broken(3, "altered")
        write(self.folder + "/event.0", old(1) + b"".join(self.parts()[2:]))
        self.assert_broken(3, "1 missing before it")

    def test_without_the_key_numbers_and_crcs_are_checked_and_that_is_said(self):
        self.fill(20)
        self.assertEqual(self.check(key=b"")[:3], (20, False, 0))
        parts = self.parts()
        self.put(parts[:7] + parts[8:])
        self.assertEqual(self.check(key=b"").why, "1 missing before it")

    def test_another_hubs_journal_is_not_ours(self):
        self.fill(5)
        remove(self.folder + "/anchor.0") if files.exists(self.folder + "/anchor.0") else None
        verdict = self.check(key=b"\1" * 32)
        self.assertEqual((verdict.first, verdict.why, verdict.breaks), (1, "altered", 5))


class BrokenTest(Case):
    def setUp(self):
        super().setUp()
        self.fill(30)
        self.whole = self.parts()

    def test_an_entry_altered_with_a_right_crc(self):
        for i in (1, 7, 16, 29):
            raw = self.whole[i]
            self.put(self.whole[:i] + [crc(raw[:16] + b"X" + raw[17:-2])] + self.whole[i + 1 :])
            self.assert_broken(i, "altered")

    def test_an_entry_removed_doubled_put_elsewhere_or_of_another_kind(self):
        self.put(self.whole[:9] + self.whole[10:])
        self.assert_broken(10, "1 missing before it")
        self.put(self.whole[:10] + self.whole[9:])
        self.assert_broken(9, "out of order")
        self.put(self.whole[:9] + [self.whole[10], self.whole[9]] + self.whole[11:])
        self.assert_broken(10, "1 missing before it")
        self.put(self.whole)
        self.fill(30, "security")
        self.put(self.parts("security.0")[:9] + self.whole[9:])
        self.assert_broken(1, "altered")

    def test_an_entry_without_a_seal_among_those_with_it(self):
        self.put(self.whole + [old(31)])
        self.assert_broken(31, "has no seal")
        raw = bytes((0xE3,)) + self.whole[30][1:2] + (31).to_bytes(4, "little") + self.whole[30][6:-10]
        sealed = journal.seal_of(b"", "event", self.whole[30][-10:-2], raw)
        self.put(self.whole + [crc(raw + sealed)])
        self.assert_broken(31, "is not sealed with the key")

    def test_a_flipped_bit_is_seen_wherever_it_is_but_at_the_unanchored_end(self):
        path = self.folder + "/event.0"
        last = len(read(path)) - len(self.whole[30])
        for offset in range(16, last, 11):
            flip(path, offset)
            self.assertTrue(self.check().breaks, offset)
            flip(path, offset)
        for offset in (1, 2, 6, 13, 15):  # the head
            flip(path, offset)
            self.assert_broken(1, "what it follows is not known")
            flip(path, offset)
        self.assertEqual(self.check().breaks, 0)

    def test_the_newest_removed_are_seen_as_far_as_the_anchor_knows(self):
        self.put(self.whole[:-3])
        self.assertEqual(self.check().breaks, 0)  # 28 .. 30: the anchor is at 16
        self.put(self.whole[:12])
        self.assert_broken(17, "5 missing before it")
        self.boot()
        self.fill(1)
        self.assertEqual(self.journal.end("event"), 17)  # a number is never given twice
        self.assert_broken(17, "5 missing before it")

    def test_a_start_anchors_all(self):
        run(journal_check.report(self.boot()))
        self.put(self.whole[:-1])
        self.assert_broken(31, "1 missing before it")
        remove(self.folder + "/event.0")
        self.assert_broken(31, "30 missing before it")

    def test_a_journal_that_goes_on_beside_the_true_one_is_seen(self):
        run(journal_check.report(self.boot()))
        anchor = [(name, read(self.folder + "/" + name)) for name in ("anchor.0", "anchor.1")]
        self.put(self.whole[:25])
        for name, _ in anchor:
            remove(self.folder + "/" + name)
        self.boot()
        self.fill(9)  # by the hub itself, while the anchor was away
        for name, raw in anchor:
            write(self.folder + "/" + name, raw)
        self.assert_broken(30, "is another than it was")


class RingTest(Case):
    def setUp(self):
        super().setUp()
        self.fill(330)  # 201 .. 300 in event.0, 301 .. 330 in event.1
        self.older, self.newer = self.parts("event.0"), self.parts("event.1")

    def test_the_oldest_removed_with_a_head_to_match(self):
        for n in (1, 50, 99):
            head = self.older[n]
            forged = crc(bytes((0xE0, 8)) + head[2:6] + head[-10:-2])
            self.put([forged] + self.older[n + 1 :])
            self.assert_broken(201 + n, "%d missing before it" % n)
            self.put(self.newer[1:], "event.1")  # nor without the head of the newer file
            self.assert_broken(201 + n, "%d missing before it" % n)
            self.put(self.newer, "event.1")

    def test_a_file_removed(self):
        remove(self.folder + "/event.0")
        self.assert_broken(301, "all missing before it")
        self.put(self.older)
        self.put([], "event.1")
        verdict = self.check()
        self.assertEqual((verdict.breaks, verdict.newest), (2, 321))  # the anchor is at 320

    def test_the_ring_that_turns_during_a_check_voids_it(self):
        self.boot()
        self.fill(69)
        steps = journal_check.check(self.journal, "event")
        next(steps)
        self.fill(2)
        self.assertTrue(run(steps) is None)


class AnchorTest(Case):
    def test_what_is_wrong_is_told_once_and_again_when_there_is_more(self):
        self.fill(30)
        parts = self.parts()
        self.put(parts[:9] + parts[10:])
        self.assertEqual(run(journal_check.report(self.boot())), ["journal event 10 1 missing before it"])
        self.assertEqual(run(journal_check.report(self.boot())), [])
        self.put(parts[:4] + parts[5:9] + parts[10:])
        self.assertEqual(run(journal_check.report(self.boot())), ["journal event 5 1 missing before it"])
        self.assertEqual(run(journal_check.report(self.boot())), [])
        self.fill(1)
        self.assertEqual(run(journal_check.report(self.boot())), [])

    def test_an_anchor_removed_damaged_or_altered_is_told_and_made_anew(self):
        self.fill(30)
        names = [self.folder + "/" + name for name in ("anchor.0", "anchor.1")]
        for name in names:
            remove(name)
        self.assertEqual(run(journal_check.report(self.boot())), ["journal anchor missing"])
        self.assertEqual(run(journal_check.report(self.boot())), [])
        for name in names:
            if files.exists(name):
                flip(name, 20)
        self.assertEqual(run(journal_check.report(self.boot())), ["journal anchor damaged"])
        for name in names:
            if files.exists(name):
                raw = read(name)[:-2]
                write(name, crc(raw[:12] + bytes((raw[12] ^ 1,)) + raw[13:]))
        self.assertEqual(run(journal_check.report(self.boot())), ["journal anchor altered"])
        self.assertEqual(run(journal_check.report(self.boot())), [])

    def test_the_key_comes_from_the_identity_and_from_nothing_else(self):
        class Kept:
            raw = None

            def load(self):
                if self.raw is False:
                    raise StoreError("identity")
                return self.raw

        kept = Kept()
        for raw in (None, False, b"", b"\x05" * 96):
            kept.raw = raw
            self.assertEqual(identity.journal_key(kept), b"")
        kept.raw = b"\x05" * 97
        key = identity.journal_key(kept)
        kept.raw = b"\x05" * 31 + b"\x06" + b"\x05" * 65
        self.assertEqual(len(key), 32)
        self.assertFalse(key == identity.journal_key(kept) or key == b"\x05" * 32)


class CutTest(Case):
    def test_a_cut_anywhere_breaks_no_chain_loses_nothing_and_the_journal_goes_on(self):
        cuts = 0
        for start in (14, 15, 98, 99, 100):  # the anchor, and the ring's turn
            for torn in (False, True):
                for changes in range(20):
                    self.tearDown()
                    self.setUp()
                    self.fill(start)
                    try:
                        with Flash(changes, torn, journal):
                            for n in range(4):
                                self.journal.add("event", "cut", "%d" % n)
                        break
                    except Cut:
                        cuts += 1
                    self.boot()
                    told = run(journal_check.report(self.journal))
                    self.assertEqual(told, [])
                    kept = [e.seq for e in self.journal.last("event", 300)]
                    self.assertTrue(start <= kept[0] <= start + 4 and kept == list(range(kept[0], 0, -1)))
                    self.fill(20)
                    self.assertEqual(run(journal_check.report(self.boot())), [])
        self.assertTrue(cuts > 40)


if __name__ == "__main__":
    unittest.main()
