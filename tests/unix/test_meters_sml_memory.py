"""The SML decoder's memory and time: its one buffer, what it may not allocate, and what hostile bytes cost."""

import gc
import random
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

import micropython
from sml_samples import ESCAPE, PLAIN, STATUS, entry, feed, framed, obis, octets, opening, sml, unsigned, values

from meterhub.meters.sml import SMLDecoder

GOOD = sml(*PLAIN)
TRUTH = feed(SMLDecoder(), GOOD)


class MemoryTest(unittest.TestCase):
    def setUp(self):
        self.sml = None
        gc.collect()
        self.sml = SMLDecoder()

    def test_part_of_a_file_allocates_nothing(self):
        feed(self.sml, GOOD)
        pieces = []
        for pos in range(0, len(GOOD) - 40, 32):
            pieces.append(GOOD[pos : pos + 32])
        nothing = bytearray(32)
        micropython.heap_lock()
        try:
            for piece in pieces:
                self.sml.feed(piece, 32)
            self.sml.feed(nothing, 3)
        finally:
            micropython.heap_unlock()

    def test_a_file_that_just_fits_is_read_and_four_bytes_more_are_too_long(self):
        def long(filling):
            text = bytes(filling)
            return framed(values(*(PLAIN + (entry(obis(96, 9), octets(text)),))))

        room = 2048 - len(long(1500)) + 1500
        while len(long(room)) > 2048:
            room -= 1
        self.assertEqual(len(feed(self.sml, long(room), 100)), 1)
        self.assertEqual(len(feed(self.sml, long(room + 4), 100)), 0)
        self.assertTrue(feed(self.sml, GOOD) == TRUTH)
        self.assertEqual(self.sml.errors, {"too long": 1})

    def test_a_good_file_behind_an_endless_one_is_not_lost(self):
        feed(self.sml, GOOD[:60])
        for _ in range(100):
            feed(self.sml, b"\x02" * 50)
        self.assertTrue(feed(self.sml, GOOD + GOOD) == TRUTH + TRUTH)
        self.assertEqual(self.sml.errors, {"too long": 1})

    def test_nothing_grows_while_names_keep_changing(self):
        for n in range(150):
            if not n % 10:
                gc.collect()
            feed(self.sml, sml(entry(obis(n, 8), unsigned(5), 30, 0, STATUS)))
        self.assertTrue(len(self.sml._messages._names._known) <= 48)
        self.assertEqual(self.sml.errors, {})

    def test_lists_in_lists_without_end_and_lengths_without_bound(self):
        for raw in (
            b"\x76" + b"\x7f" * 1500,
            b"\x76" + b"\x72" * 1500,
            b"\x76\x02\x00\x62\x00\x62\x00" + b"\xff\x8f\x8f\x0f" * 300,
            opening() + b"\x76\x02\x00\x62\x00\x62\x00\x72\x63\x07\x01\xf7\x8f\x8f\x0f" + bytes(100),
            b"\x76" + b"\x8f\x8f\x8f\x8f" * 10,
            b"\x76\x00",
        ):
            before = sum(self.sml.errors.values())
            self.assertEqual(len(feed(self.sml, framed(raw))), 0)
            self.assertEqual(sum(self.sml.errors.values()), before + 1)

    def test_mutated_frames_never_raise_and_never_give_another_value(self):
        chance = random
        chance.seed(4)
        for n in range(2000):
            raw = bytearray(GOOD)
            for _ in range(1 + chance.getrandbits(2)):
                at = chance.getrandbits(12) % len(raw)
                what = chance.getrandbits(3)
                if what == 0:
                    raw = raw[:at] + raw[at + 1 + chance.getrandbits(3) :]
                elif what == 1:
                    raw = raw[:at] + ESCAPE + raw[at:]
                elif what == 2:
                    raw = raw[:at] + raw[: chance.getrandbits(6)] + raw[at:]
                else:
                    raw[at] = chance.getrandbits(8)
                raw = raw or bytearray(1)
            for telegram in feed(self.sml, bytes(raw), 40):
                self.assertTrue([telegram] == TRUTH, n)
        feed(self.sml, GOOD)
        self.assertTrue(feed(self.sml, GOOD) == TRUTH)

    def test_mutated_files_under_a_good_crc_never_raise(self):
        chance = random
        chance.seed(5)
        file = opening() + values(*PLAIN)
        for _ in range(1500):
            raw = bytearray(file)
            for _ in range(1 + chance.getrandbits(2)):
                raw[chance.getrandbits(12) % len(raw)] = chance.getrandbits(8)
            feed(self.sml, framed(bytes(raw)))
            self.sml.read_file(bytes(raw))
            at = chance.getrandbits(12) % len(raw)
            body = bytes(raw[at:])
            self.sml._messages._is_good = lambda *_: True  # as if the CRC of a message were right too
            self.sml.read_file(body)
            self.sml.read_file(bytes(raw))
            del self.sml._messages._is_good


if __name__ == "__main__":
    unittest.main()
