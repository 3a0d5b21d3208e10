"""The packed profile: what goes in comes out, nothing else does, and it is as small as was promised."""

import random
import unittest

from crypto_vectors import error_of

from meterhub.codec import series
from meterhub.codec.load_profile import CLOCK_UNSURE, MEASURED, MISSING, OPEN, PARTIAL, Column, Entry
from meterhub.codec.obis import pack_obis, unpack_obis
from meterhub.codec.series import Packer

TWO = [Column("1-0:1.8.0", 0, 30), Column("1-0:2.8.0", -3, 30)]
HALF_HOUR = 1800
START = 1700000000 // HALF_HOUR * HALF_HOUR


def pack(columns, step_s, start, base, entries):
    packer = Packer(columns, step_s, start, base)
    for entry in entries:
        packer.add(entry)
    return bytes(packer.close())


def household(n, missing=()):
    entries, bought, sold = [], 12345678, 0
    for i in range(1, n + 1):
        bought += random.randrange(900)
        sold += random.randrange(200) if i % 48 > 20 else 0
        values = (None, None) if i in missing else (bought, sold)
        entries.append(Entry(START + i * HALF_HOUR, MISSING if i in missing else MEASURED, values))
    return entries


class RoundTripTest(unittest.TestCase):
    def assert_comes_back(self, columns, step_s, base, entries):
        raw = pack(columns, step_s, START, base, entries)
        self.assertTrue(series.unpack(raw) == (columns, step_s, START, base, entries))  # assertEqual writes both out
        return raw

    def test_half_hours(self):
        random.seed(5)
        self.assert_comes_back(TWO, HALF_HOUR, (12345000, 0), household(100, (7, 8, 9, 60)))

    def test_at_most_five_bytes_per_interval(self):
        random.seed(6)
        entries = household(300)
        raw = self.assert_comes_back(TWO, HALF_HOUR, (12345000, 0), entries)
        self.assertTrue(len(raw) < 5 * len(entries))

    def test_every_quality_and_registers_that_were_not_read(self):
        entries = [
            Entry(START + HALF_HOUR, MEASURED, (100, None)),
            Entry(START + 2 * HALF_HOUR, PARTIAL, (None, 0)),
            Entry(START + 3 * HALF_HOUR, CLOCK_UNSURE, (None, None)),
            Entry(START + 4 * HALF_HOUR, MISSING, (None, None)),
            Entry(START + 5 * HALF_HOUR, MEASURED, (100, 0)),
            Entry(START + 6 * HALF_HOUR, OPEN, (107, 1)),
        ]
        self.assert_comes_back(TWO, HALF_HOUR, (None, None), entries)
        self.assert_comes_back(TWO, HALF_HOUR, (99, None), entries)

    def test_days_carry_their_own_time(self):
        entries = [Entry(START + at, MEASURED, (at,)) for at in (82800, 169200, 259200)]
        self.assert_comes_back([Column("0-1:24.2.1", -3, 13)], 0, (0,), entries)

    def test_an_exchanged_meter_starts_anew(self):
        values = (1000, 1010, 3, 9, 2)
        entries = [Entry(START + (i + 1) * HALF_HOUR, MEASURED, (v, 5)) for i, v in enumerate(values)]
        self.assert_comes_back(TWO, HALF_HOUR, (990, 5), entries)

    def test_nothing_and_no_base(self):
        self.assert_comes_back(TWO, HALF_HOUR, (None, None), [])

    def test_the_largest_values(self):
        self.assert_comes_back(
            [TWO[0]], HALF_HOUR, ((1 << 62),), [Entry(START + HALF_HOUR, MEASURED, ((1 << 62) + 5,))]
        )

    def test_the_bytes_of_a_small_chunk(self):
        raw = pack([TWO[0]], HALF_HOUR, 1800, (5,), [Entry(3600, MEASURED, (7,)), Entry(5400, MISSING, (None,))])
        expected = "01880e010100010800ff001e880e060101030001"
        self.assertEqual(raw.hex(), expected)


class RefusalTest(unittest.TestCase):
    def test_an_entry_out_of_step_is_the_callers_mistake(self):
        for at in (START, START + 900, START + 2 * HALF_HOUR, START - HALF_HOUR):
            with self.assertRaises(ValueError):
                pack(TWO, HALF_HOUR, START, (0, 0), [Entry(at, MEASURED, (1, 1))])
        with self.assertRaises(ValueError):
            pack(TWO, 0, START, (0, 0), [Entry(START - 1, MEASURED, (1, 1))])

    def test_obis_codes_and_what_is_none(self):
        for obis, raw in (
            ("1-0:1.8.0", "0100010800ff"),
            ("0-1:24.2.1", "0001180201ff"),
            ("1-0:99.1.0.7", "010063010007"),
        ):
            self.assertEqual(pack_obis(obis).hex(), raw)
            self.assertEqual(unpack_obis(bytes.fromhex(raw)), obis)
        self.assertEqual(unpack_obis(pack_obis("1-0:1.8.0.255")), "1-0:1.8.0")
        for obis in ("", "1.8.0", "1-0:1.8", "1-0:1.8.0.1.2", "1-0:1.8.256", "1-0:1.8.-1", "a-b:c.d.e", "1-0:1..0",
                     "1-0:1.8. 0", "1-0:1.8.+0", "1_0-0:1.8.0", "1-0:1.8.\u0661"):  # fmt: skip
            with self.assertRaises(ValueError):
                pack_obis(obis)

    def test_bytes_that_are_no_series(self):
        good = pack(TWO, HALF_HOUR, START, (1, 1), [Entry(START + HALF_HOUR, MEASURED, (2, 3))])
        for n in range(len(good)):
            if n != len(good) - 4:  # there the base ends: a whole series without entries
                self.assertEqual(error_of(series.unpack, good[:n]), ("MALFORMED", "series"))
        for at, byte in ((0, 0), (0, 2), (3, 0), (3, 9), (len(good) - 4, 6), (len(good) - 4, 127), (len(good) - 3, 0)):
            raw = good[:at] + bytes((byte,)) + good[at + 1 :]
            self.assertEqual(error_of(series.unpack, raw), ("MALFORMED", "series"))
        self.assertEqual(error_of(series.unpack, good + b"\x01\x00"), ("MALFORMED", "series"))  # a run of none
        none = bytes.fromhex("01880e00880e")  # whole, but for the registers
        nine = pack([TWO[0]] * 9, HALF_HOUR, START, (1,) * 9, [])
        for raw in (none, nine):
            self.assertEqual(error_of(series.unpack, raw), ("MALFORMED", "series"))
        self.assertEqual(error_of(series.unpack, good + b"\x00\xff\xff\xff\x7f"), ("MALFORMED", "series"))

    def test_nothing_but_malformed_comes_out_of_damaged_bytes(self):
        random.seed(7)
        good = pack(TWO, HALF_HOUR, START, (12345000, 0), household(8, (3,)))
        for i in range(2000):
            raw = bytearray(good)
            for _ in range(1 + i % 3):
                raw[random.randrange(len(raw))] = random.choice((0, 1, 2, 8, 127, 128, random.getrandbits(8)))
            error = error_of(series.unpack, bytes(raw[: random.randrange(len(raw))]) if i % 4 == 0 else bytes(raw))
            self.assertTrue(error in (None, ("MALFORMED", "series")))


if __name__ == "__main__":
    unittest.main()
