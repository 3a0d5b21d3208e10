"""The P1 decoder on a bad line: cuts, losses, merged telegrams, noise."""

import gc
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from meters_samples import bare, feed, telegram

from meterhub.meters.p1 import P1Decoder


class Random:
    """The same numbers on every run and runtime."""

    def __init__(self, seed):
        self._state = seed

    def below(self, n):
        self._state = (self._state * 1103515245 + 12345) & 0x7FFFFFFF
        return (self._state >> 12) % n


GOOD = telegram()
TRUTH = P1Decoder().feed(GOOD, len(GOOD))[0]


class LineTest(unittest.TestCase):
    def setUp(self):
        self.p1 = None
        gc.collect()  # a fresh buffer for each test, in a small heap
        self.p1 = P1Decoder()

    def good(self, raw, count, step=512):
        """Feed `raw`; it must give the good telegram so many times and nothing else."""
        found = feed(self.p1, raw, step)
        self.assertEqual(len(found), count)
        for one in found:
            self.assertTrue(one == TRUTH)

    def none_wrong(self, raw):
        """Feed `raw`, then a good telegram; no reading may come out that is not the good telegram's."""
        for part in (raw, GOOD):
            found = feed(self.p1, part, 512)
            for one in found:
                self.assertTrue(one.readings == TRUTH.readings)
        self.assertTrue(len(found) > 0)

    def test_chunks_of_any_size_make_no_difference(self):
        for step in range(1, 65):
            self.good(GOOD, 1, step)
        self.assertEqual(self.p1.errors, {})

    def test_a_buffer_that_is_only_partly_filled_is_read_so_far(self):
        buf = bytearray(64)
        found = []
        for pos in range(0, len(GOOD), 40):
            part = GOOD[pos : pos + 40]
            buf[: len(part)] = part
            found.extend(self.p1.feed(buf, len(part)))
        self.assertTrue(found == [TRUTH])

    def test_a_telegram_cut_at_any_byte_costs_itself_only(self):
        for cut in range(1, len(GOOD) - 2):
            self.p1.errors.clear()
            self.good(GOOD[:cut], 0)
            self.good(GOOD, 1)
            self.assertEqual(sum(self.p1.errors.values()), 1)

    def test_a_telegram_whose_start_is_missing_costs_itself_only(self):
        for cut in range(1, len(GOOD) - 2, 7):
            self.good(GOOD[cut:], 0)
            self.good(GOOD, 1)

    def test_two_telegrams_that_run_into_each_other_are_both_refused(self):
        self.good(GOOD, 1)
        for lost in range(10, 200, 7):
            self.good(GOOD[:-lost], 0)
            self.good(GOOD[lost:], 0)
            self.good(GOOD, 1)

    def test_two_without_crc_that_run_into_each_other_within_a_line_are_both_refused(self):
        raw = bare()
        line = raw.index(b"1-0:1.8.1")
        for cut in range(line + 27, len(raw) - 3):
            for start in range(1, line, 5):
                self.assertEqual(feed(self.p1, raw[:cut] + raw[start:], 512), [])

    def test_a_telegram_that_stopped_and_began_anew_is_told_as_truncated(self):
        self.good(GOOD[:100] + GOOD, 1)
        self.assertEqual(self.p1.errors, {"truncated": 1})

    def test_no_changed_byte_is_ever_believed(self):
        random = Random(1)
        self.good(GOOD, 1)
        for _ in range(2000):
            raw = bytearray(GOOD)
            for _ in range(1 + random.below(3)):
                raw[random.below(len(raw))] = random.below(256)
            self.none_wrong(raw)

    def test_lost_doubled_and_moved_bytes_are_never_believed(self):
        random = Random(2)
        self.good(GOOD, 1)
        for _ in range(700):
            a, b, c = sorted([random.below(len(GOOD)) for _ in range(3)])
            self.none_wrong(GOOD[:a] + GOOD[b:])
            self.none_wrong(GOOD[:b] + GOOD[a:])
            self.none_wrong(GOOD[:a] + GOOD[b:c] + GOOD[a:b] + GOOD[c:])

    def test_damage_without_crc_raises_nothing(self):
        raw = bare()
        random = Random(3)
        for _ in range(2000):
            mutated = bytearray(raw)
            mutated[random.below(len(raw))] = random.below(256)
            feed(self.p1, mutated, 512)
            feed(self.p1, raw[: random.below(len(raw))] + raw[random.below(len(raw)) :], 512)

    def test_64_kb_of_noise_then_a_good_telegram(self):
        random = Random(4)
        for _ in range(256):
            noise = bytes([random.below(256) for _ in range(256)])
            self.assertEqual(len(self.p1.feed(noise, 256)), 0)
        self.good(GOOD, 1)
        self.assertTrue(self.p1.errors["garbage"] > 0)

    def test_noise_made_of_a_telegram_s_own_letters(self):
        random = Random(5)
        letters = b"/!/ABC\r\n\r\n1-0:1.8.1(0)*kWh!0123\r\n"
        for _ in range(1024):
            noise = bytes([letters[random.below(len(letters))] for _ in range(64)])
            self.p1.feed(noise, 64)
        self.p1.feed(b"\r\n", 2)
        self.good(GOOD, 1)

    def test_nul_bytes_and_line_ends_between_telegrams_are_no_garbage(self):
        self.good(GOOD + b"\0" * 40 + b"\r\n" + GOOD, 2)
        self.assertEqual(self.p1.errors, {})

    def test_many_beginnings_of_one_telegram_do_not_make_it_one_without_crc(self):
        self.good(GOOD, 1)
        forged = b"/MTH5" * 12 + b"\r\n\r\n1-0:1.8.1(999999.999*kWh)\r\n!\r\n"
        for _ in range(9):
            self.assertEqual(feed(self.p1, forged), [])

    def test_a_name_with_a_number_of_any_length_is_no_name(self):
        for number in ("256", "1000", "4294967296", "9" * 300):
            raw = bare(("1-0:%s.8.1(000001.000*kWh)" % number,))
            self.assertEqual(feed(self.p1, raw), [])
        self.assertEqual(self.p1.errors, {"damaged": 4})

    def test_silence_ends_what_was_begun(self):
        raw = bare()
        self.assertEqual(feed(self.p1, raw[: raw.find(b"!") + 1]), [])
        self.assertEqual(len(self.p1.silence()), 1)
        self.assertEqual((len(self.p1.silence()), self.p1.errors), (0, {}))
        for cut in (1, 3, 40, len(GOOD) - 9):
            feed(self.p1, GOOD[:cut])
            self.assertEqual(len(self.p1.silence()), 0)
        self.assertEqual(self.p1.errors, {"truncated": 4})
        self.assertTrue(feed(self.p1, GOOD) == [TRUTH])

    def test_garbage_between_telegrams_is_counted_once(self):
        self.good(GOOD + b"hello" * 100 + GOOD, 2, 7)
        self.assertEqual(self.p1.errors, {"garbage": 1})


if __name__ == "__main__":
    unittest.main()
