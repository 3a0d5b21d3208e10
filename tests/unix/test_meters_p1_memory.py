"""The P1 decoder's memory: its one buffer, telegrams that are too long for it, and what it may not allocate."""

import gc
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

import micropython
from meters_samples import LINES, body, feed, telegram

from meterhub.codec.crc import crc16_arc
from meterhub.meters.p1 import P1Decoder

GOOD = telegram()
TRUTH = P1Decoder().feed(GOOD, len(GOOD))[0]
FOURS = b"4" * 100


class MemoryTest(unittest.TestCase):
    def setUp(self):
        self.p1 = None
        gc.collect()  # a fresh buffer for each test, in a small heap
        self.p1 = P1Decoder()

    def feed_long(self, fours):
        """Feed a telegram with a text of `fours` digits, piece by piece; return the Telegrams."""
        head, tail = body(LINES + ("0-0:96.13.1(|)",)).split(b"|")
        crc = 0
        found = []
        for piece in [head] + [FOURS] * (fours // 100) + [FOURS[: fours % 100], tail]:
            crc = crc16_arc(piece, len(piece), crc)
            found.extend(self.p1.feed(piece, len(piece)))
        found.extend(feed(self.p1, b"%04X\r\n" % crc))
        return found

    def test_a_telegram_longer_than_the_buffer_is_dropped_and_the_next_one_read(self):
        self.assertEqual(self.feed_long(4000), [])
        self.assertTrue(feed(self.p1, GOOD) == [TRUTH])
        self.assertEqual(self.p1.errors, {"too long": 1})

    def test_a_good_telegram_behind_an_endless_one_is_not_lost(self):
        feed(self.p1, b"/XYZ\r\n")
        for _ in range(35):
            feed(self.p1, FOURS)
        self.assertTrue(feed(self.p1, GOOD + GOOD) == [TRUTH, TRUTH])
        self.assertEqual(self.p1.errors, {"truncated": 1})

    def test_an_end_that_never_comes_is_told_as_too_long(self):
        feed(self.p1, b"/XYZ\r\n")
        for _ in range(100):
            feed(self.p1, FOURS)
        self.assertTrue(feed(self.p1, GOOD) == [TRUTH])
        self.assertEqual(self.p1.errors, {"too long": 1})

    def test_a_telegram_that_just_fits_is_read_and_one_byte_more_is_too_long(self):
        room = 4096 - len(telegram(LINES + ("0-0:96.13.1()",))) + 2  # CR and LF need no room
        self.assertEqual(len(self.feed_long(room)), 1)
        self.assertEqual(len(self.feed_long(room + 1)), 0)
        self.assertEqual(self.p1.errors, {"too long": 1})

    def test_part_of_a_telegram_allocates_nothing(self):
        feed(self.p1, GOOD)
        pieces = []
        for pos in range(0, len(GOOD) - 64, 64):
            pieces.append(GOOD[pos : pos + 64])
        nothing = bytearray(64)
        micropython.heap_lock()
        try:
            for piece in pieces:
                self.p1.feed(piece, 64)
            self.p1.feed(nothing, 3)
        finally:
            micropython.heap_unlock()

    def test_nothing_grows_while_names_and_ids_keep_changing(self):
        self.feed_long(200)
        for n in range(300):
            if n % 10 == 0:
                gc.collect()  # a heap full of holes would fail for another reason than growth
            feed(self.p1, telegram(("1-%d:%d.7.0(1*kW)" % (n % 256, n % 200), "0-0:96.1.1(3132%04d)" % n)))
        self.assertTrue(max([len(text) for text in self.p1._lines._plain]) <= 96)
        self.assertTrue(len(self.p1._lines._codes) <= 96 and len(self.p1._lines._plain) <= 96)

    def test_a_hostile_telegram_of_starts_only_ends(self):
        for _ in range(68):
            feed(self.p1, b"/ABC\r\n" * 10)
        feed(self.p1, b"!0000\r\n")
        self.assertTrue(feed(self.p1, GOOD) == [TRUTH])


if __name__ == "__main__":
    unittest.main()
