"""The M-Bus decoder on a bad line: every cut, every size of chunk, noise, and what it may not allocate."""

import random
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

import micropython
from mbus_samples import EXAMPLE, answer, feed, long_frame

from meterhub.meters.mbus import MBusDecoder

OTHER = answer("0C 13 78 56 34 12 04 6D 19 0F 8A 17 02 FC 03 48 52 25 74 D4 11 0F 01 02")
LONGEST = answer("0F" + "68" * 239)
TRUTH = feed(MBusDecoder(), EXAMPLE + OTHER)


class LineTest(unittest.TestCase):
    def setUp(self):
        self.mbus = MBusDecoder()

    def test_chunks_of_any_size_make_no_difference(self):
        for step in range(1, 65):
            self.assertTrue(feed(MBusDecoder(), EXAMPLE + OTHER, step) == TRUTH)

    def test_short_frames_and_acknowledgements_between_are_no_garbage(self):
        talk = b"\x10\x40\x05\x45\x16\xe5\x10\x7b\x05\x80\x16" + EXAMPLE + b"\x10\x5b\x05\x60\x16" + OTHER
        self.assertTrue(feed(self.mbus, talk) == TRUTH)
        self.assertEqual(self.mbus.errors, {})

    def test_a_frame_cut_at_any_byte_costs_itself_only(self):
        for cut in range(1, len(EXAMPLE)):
            mbus = MBusDecoder()
            found = feed(mbus, EXAMPLE[:cut] + OTHER + EXAMPLE)
            found.extend(mbus.silence())
            self.assertTrue(found == [TRUTH[1], TRUTH[0]])
            self.assertEqual(len(mbus.errors), 1)

    def test_silence_ends_a_frame_at_once(self):
        for cut in range(1, len(EXAMPLE)):
            feed(self.mbus, EXAMPLE[:cut])
            self.assertEqual(len(self.mbus.silence()), 0)
            self.assertTrue(feed(self.mbus, OTHER) == TRUTH[1:])

    def test_a_frame_whose_start_is_missing_costs_itself_only(self):
        for cut in range(1, len(EXAMPLE)):
            found = feed(MBusDecoder(), EXAMPLE[cut:] + OTHER)
            self.assertTrue(found == TRUTH[1:])

    def test_the_longest_frame(self):
        self.assertEqual(len(LONGEST), 261)
        (found,) = feed(self.mbus, LONGEST)
        self.assertEqual(found.texts["manufacturer data"], "68" * 239)

    def test_no_changed_byte_is_believed(self):
        for pos in range(len(EXAMPLE)):
            for change in (0x01, 0x80, 0xFF):
                damaged = bytearray(EXAMPLE)
                damaged[pos] ^= change
                mbus = MBusDecoder()
                found = feed(mbus, bytes(damaged))
                found.extend(mbus.silence())
                self.assertEqual(found, [])

    def test_damage_raises_nothing(self):
        chance = random.Random(11) if hasattr(random, "Random") else random
        if chance is random:
            random.seed(11)
        for _ in range(1500):
            damaged = bytearray(OTHER[4:-2])
            for _ in range(1 + chance.getrandbits(2)):
                damaged[3 + chance.getrandbits(10) % (len(damaged) - 3)] = chance.getrandbits(8)
            n = len(damaged) - (chance.getrandbits(4) if chance.getrandbits(1) else 0)
            mbus = MBusDecoder()
            found = feed(mbus, long_frame(bytes(damaged[:n])))  # with the right sum: the records are hostile
            self.assertEqual(len(found) + sum(mbus.errors.values()), 1)
        for _ in range(300):
            noise = bytes([chance.getrandbits(8) for _ in range(100)])
            feed(self.mbus, noise)
        self.mbus.silence()
        self.assertTrue(feed(self.mbus, OTHER) == TRUTH[1:])

    def test_a_good_frame_behind_noise_is_found(self):
        for noise in (b"\x68", b"\x68\x68", b"\x68\x1f\x1f\x68", b"\xff" * 300, b"\x10" * 9, b"\x68\xff\xff\x68" * 70):
            mbus = MBusDecoder()
            found = feed(mbus, noise + OTHER)
            found.extend(mbus.silence())
            self.assertTrue(found == TRUTH[1:])

    def test_part_of_a_frame_allocates_nothing(self):
        feed(self.mbus, OTHER)
        part = LONGEST[:-1]
        micropython.heap_lock()
        try:
            self.mbus.feed(part, 260)
        finally:
            micropython.heap_unlock()
        self.assertEqual(len(feed(self.mbus, LONGEST[-1:])), 1)

    def test_nor_do_the_reasons_of_a_line_of_nonsense(self):
        for ci in range(256):
            feed(self.mbus, long_frame(bytes((0x08, 5, ci))))
        self.assertEqual(len(self.mbus.errors), 25)
        self.assertEqual(sum(self.mbus.errors.values()), 255)  # CI 78 is an answer without records

    def test_nothing_grows_while_headers_keep_changing(self):
        for n in range(300):
            (found,) = feed(self.mbus, answer("84 8%X %02X 13 01 00 00 00" % (n % 16, n // 16)))
            self.assertEqual(len(found.readings), 1)
        self.assertTrue(0 < len(self.mbus._records._known) <= 64)


if __name__ == "__main__":
    unittest.main()
