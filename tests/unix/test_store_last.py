"""What a meter has told last: how much of it a power cut and a reset can take, and which of two is believed."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from store_folder import fresh, remove

from meterhub.store.kept import Kept
from meterhub.store.last import LastValues
from meterhub.store.record import Record

AT = 1760000000
OBIS = "1-0:1.8.0"


class Board:
    """A chip that keeps `size` bytes through a reset."""

    def __init__(self, size=2048):
        self.size = size
        self.raw = b""

    def keep(self, raw):
        if not self.size:
            return False
        if len(raw) > self.size:
            raise ValueError("as the ESP32 does")
        self.raw = raw
        return True

    def kept(self):
        return self.raw


class Counting(Record):
    """A record that counts how often it is saved, and can be full."""

    saves = 0
    full = False

    def save(self, blob):
        if self.full:
            raise OSError(28)
        super().save(blob)
        Counting.saves += 1


class LastTest(unittest.TestCase):
    def setUp(self):
        self.folder = fresh()
        self.board = Board(0)
        self.ms = 0
        Counting.saves = 0
        self.boot()

    def tearDown(self):
        remove(self.folder)

    def boot(self, *words):
        self.record = Counting(self.folder + "/main")
        self.last = LastValues(self.record, Kept(self.board), "main", *words, ticks_ms=lambda: self.ms & 0x3FFFFFFF)
        return self.last

    def count(self, n, gap_ms):
        for _ in range(n):
            self.ms += gap_ms
            self.last.note(AT + self.ms // 1000, {OBIS: self.last.pulses + 1}, self.last.pulses + 1)

    def test_nothing_was_told_yet(self):
        self.assertEqual((self.last.pulses, self.last.at, self.last.values), (0, 0, {}))
        self.assertEqual(self.last.due_ms(), -1)

    def test_slow_pulses_are_saved_by_ten(self):
        self.count(95, 7000)
        self.assertEqual(Counting.saves, 9)
        self.boot()
        self.assertEqual((self.last.pulses, self.last.values), (90, {OBIS: 90}))

    def test_fast_pulses_are_saved_every_ten_seconds(self):
        self.count(1000, 50)
        self.assertEqual(Counting.saves, 5)
        self.count(10, 50)
        self.assertTrue(1010 - self.boot().pulses <= 200)

    def test_when_the_pulses_stop_it_is_known_how_long_the_rest_may_wait(self):
        self.count(10, 2000)
        self.assertEqual((Counting.saves, self.last.due_ms()), (1, -1))
        self.count(12, 100)
        self.assertEqual(self.last.due_ms(), 8800)
        self.ms += 8800
        self.last.note(AT, self.last.values, self.last.pulses)
        self.assertEqual((Counting.saves, self.boot().pulses), (2, 22))

    def test_after_weeks_without_a_pulse_they_are_saved_as_soon_as_ever(self):
        for days in (5, 7, 11, 15):
            self.count(10, 2000)
            saves = Counting.saves
            self.ms += days * 86400000
            self.count(10, 100)
            self.assertEqual((Counting.saves, self.last.due_ms()), (saves + 1, -1))

    def test_both_numbers_can_be_chosen(self):
        self.boot(60, 3)
        self.count(100, 25000)
        self.assertEqual(Counting.saves, 33)
        self.count(60, 1000)
        self.assertEqual(Counting.saves, 34)

    def test_totals_are_saved_every_ten_seconds_and_only_when_they_have_changed(self):
        for second in range(100):
            self.ms += 1000
            self.last.note(AT + second, {OBIS: 500 + second // 40})
        self.assertEqual(Counting.saves, 3)
        self.boot()
        self.assertEqual((self.last.at, self.last.values), (AT + 80, {OBIS: 502}))

    def test_nothing_is_lost_by_a_restart_that_was_asked_for(self):
        self.count(3, 1000)
        self.last.put_away()
        self.last.put_away()
        self.assertEqual((Counting.saves, self.boot().pulses), (1, 3))

    def test_nothing_is_lost_by_a_reset_of_a_chip_that_keeps_memory(self):
        self.board.size = 2048
        self.boot()
        self.count(3, 1000)
        self.boot()
        self.assertEqual((Counting.saves, self.last.pulses, self.last.values), (0, 3, {OBIS: 3}))
        self.assertEqual(self.last.due_ms(), -1)
        self.count(7, 2000)
        self.assertEqual(Counting.saves, 1)

    def test_the_power_takes_what_the_chip_kept_and_the_record_counts(self):
        self.board.size = 2048
        self.boot()
        self.count(13, 1000)
        self.board.raw = b""
        self.assertEqual(self.boot().pulses, 10)

    def test_of_two_the_one_that_counted_more_is_believed_and_of_equals_the_newer_one(self):
        self.board.size = 2048
        for at, pulses, found in ((AT - 9, 21, 21), (AT + 9, 19, 20), (AT - 9, 20, 20), (AT + 9, 20, 20)):
            self.boot().note(at, {OBIS: 1}, pulses)
            kept = self.board.raw
            self.board.raw = b""
            self.boot()
            self.ms += 10000
            self.last.note(AT, {OBIS: 2}, 20)
            self.board.raw = kept
            self.boot()
            believed = {OBIS: 1 if (pulses, at) > (20, AT) else 2}
            self.assertEqual((self.last.pulses, self.last.values), (found, believed))
            self.board.raw = b""
            Record(self.folder + "/main").erase()

    def test_a_count_never_falls(self):
        self.count(20, 1000)
        self.last.note(AT, {}, 3)
        self.assertEqual(self.last.pulses, 20)

    def test_a_full_flash_is_tried_again_and_not_at_once(self):
        self.count(9, 2000)
        self.record.full = True
        self.assertRaises(OSError, self.count, 1, 2000)
        self.count(4, 2000)
        self.assertRaises(OSError, self.count, 1, 2000)
        self.record.full = False
        self.count(5, 2000)
        self.assertEqual((Counting.saves, self.boot().pulses), (1, 20))

    def test_a_record_that_is_none_was_never_told(self):
        for blob in (b"", b"\2\5\5", b"\1", b"\1\x80", b"\1\0\0\1\0\1", b"\1\x80\x00\1"):
            Record(self.folder + "/main").save(blob)
            self.assertEqual((self.boot().pulses, self.last.values), (0, {}), blob)


class KeptTest(unittest.TestCase):
    def setUp(self):
        self.board = Board()
        self.kept = Kept(self.board)

    def test_pieces_come_back_by_their_names(self):
        self.assertTrue(self.kept.put("a", b"one"))
        self.kept.put("bb", bytearray(range(255)))
        self.kept.put("a", b"")
        self.kept.put("c", b"three")
        kept = Kept(self.board)
        found = [kept.get(name) for name in ("a", "bb", "c", "d")]
        self.assertEqual(found, [b"", bytes(range(255)), b"three", b""])

    def test_a_flipped_bit_leaves_nothing(self):
        self.kept.put("a", b"one")
        whole = self.board.raw
        for n in range(len(whole)):
            self.board.raw = whole[:n] + bytes((whole[n] ^ 1 << n % 8,)) + whole[n + 1 :]
            self.assertEqual(Kept(self.board).get("a"), b"")
        for n in range(len(whole)):
            self.board.raw = whole[:n]
            self.assertEqual(Kept(self.board).get("a"), b"")
        self.board.raw = whole
        self.assertEqual(Kept(self.board).get("a"), b"one")

    def test_what_does_not_fit_is_not_kept_and_that_is_said(self):
        for n in range(7):
            self.assertTrue(self.kept.put("%d" % n, b"x" * 255))
        self.assertTrue(not self.kept.put("8", b"x" * 255))
        self.assertEqual(Kept(self.board).get("6"), b"x" * 255)

    def test_a_board_that_keeps_nothing_says_so(self):
        self.board.size = 0
        self.assertTrue(not self.kept.put("a", b"one"))
        self.assertEqual(Kept(self.board).get("a"), b"")

    def test_erase_leaves_nothing(self):
        self.kept.put("a", b"one")
        self.kept.erase()
        self.assertEqual((self.kept.get("a"), Kept(self.board).get("a")), (b"", b""))


if __name__ == "__main__":
    unittest.main()
