"""P1 telegrams in an encrypted envelope on a bad line: cuts, noise, memory."""

import gc
import random
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

import micropython
from meters_samples import LINES, feed, telegram
from p1_encrypted_samples import AUTH, KEY, TRUTH, envelope

from meterhub.meters.p1_encrypted import EncryptedP1Decoder

LONG = envelope(telegram(LINES + ("0-0:96.13.1(" + "4" * 2000 + ")",)))  # made while the heap is in one piece


class LineTest(unittest.TestCase):
    def setUp(self):
        self.p1 = None
        self.fresh()

    def fresh(self, key=KEY, auth=AUTH):
        """Return a new decoder; there is room for one in a small heap."""
        self.p1 = None
        gc.collect()
        self.p1 = EncryptedP1Decoder(key, auth)
        return self.p1

    def forget(self):
        """Make the decoder as good as new, without another pair of buffers."""
        self.p1.silence()
        self.p1.envelope.counters = {}

    def test_chunks_of_any_size(self):
        for step in range(1, 65):
            self.assertEqual(len(feed(self.fresh(), envelope(), step)), 1)

    def test_a_telegram_cut_anywhere_costs_itself_only(self):
        first, second, third = [envelope(counter=counter) for counter in (1, 2, 3)]
        for cut in range(1, len(first), 7):
            self.forget()
            found = feed(self.p1, first[:cut]) + feed(self.p1, second) + feed(self.p1, third)
            self.forget()
            found += feed(self.p1, first[cut:]) + feed(self.p1, second)
            self.assertTrue(len(found) in (2, 3) and found[-1] == TRUTH)

    def test_no_changed_byte_is_believed(self):
        good = envelope(telegram(LINES[:4]))
        for pos in range(0, len(good), 3):
            damaged = bytearray(good)
            damaged[pos] ^= 1 << pos % 8
            self.assertEqual(feed(self.fresh(), bytes(damaged)), [])

    def test_noise_raises_nothing(self):
        random.seed(8)
        for _ in range(60):
            noise = bytes([(0xDB, 8, 0x82, random.getrandbits(8))[random.getrandbits(2)] for _ in range(200)])
            feed(self.p1, noise)
        found = []
        for counter in range(1, 9):
            found.extend(feed(self.p1, envelope(counter=counter)))
        self.assertTrue(len(found) > 0 and found[-1] == TRUTH)

    def test_silence_ends_what_was_begun(self):
        for cut in (1, 30, 500):
            feed(self.p1, envelope()[:cut])
            self.assertEqual(len(self.p1.silence()), 0)
        self.assertEqual(self.p1.errors, {"truncated": 3})
        self.assertTrue(feed(self.p1, envelope()) == [TRUTH])

    def test_a_telegram_of_3_kb(self):
        self.assertEqual(len(feed(self.p1, LONG)), 1)

    def test_part_of_a_telegram_allocates_nothing(self):
        part = envelope()[:500]
        micropython.heap_lock()
        try:
            self.p1.feed(part, 500)
        finally:
            micropython.heap_unlock()


if __name__ == "__main__":
    unittest.main()
