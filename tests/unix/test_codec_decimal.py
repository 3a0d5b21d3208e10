"""IEEE 754 numbers as decimal integers."""

import random
import struct
import unittest

from meterhub.codec.decimal import decimal32, decimal64


def bits_of(number, form):
    return int.from_bytes(struct.pack(">" + form, number), "big")


class DecimalTest(unittest.TestCase):
    def test_numbers_as_they_are_written(self):
        for number, value in (
            (0.0, (0, 0)),
            (1.0, (1, 0)),
            (100.0, (100, 0)),
            (0.1, (1, -1)),
            (-230.5, (-2305, -1)),
            (12345.678, (12345678, -3)),
            (16777216.0, (16777216, 0)),
            (1e20, (1, 20)),
        ):
            self.assertEqual(decimal32(bits_of(number, "f")), value)
            self.assertEqual(decimal64(bits_of(number, "d")), value)

    def test_the_shortest_that_names_it(self):
        self.assertEqual(decimal32(0x43663334), (23020001, -5))  # what a manual calls 230.2, one place above it
        self.assertEqual(decimal32(0x43663333), (2302, -1))
        self.assertEqual(decimal32(1), (1, -45))
        self.assertEqual(decimal32(0x7F7FFFFF), (34028235, 31))
        self.assertEqual(decimal64(0x3FD3333333333334), (30000000000000004, -17))

    def test_what_is_no_number(self):
        for bits in (0x7F800000, 0xFF800000, 0x7FC00000, 0x7F800001):
            self.assertEqual(decimal32(bits), None)
        self.assertEqual(decimal64(0x7FF0000000000000), None)

    def test_zero_has_no_sign(self):
        self.assertEqual(decimal32(0x80000000), (0, 0))

    def test_it_never_falls_while_the_number_grows(self):
        random.seed(2)
        for _ in range(300):
            bits = random.getrandbits(30) % 0x7F000000
            (low, low_scale), (high, high_scale) = decimal32(bits), decimal32(bits + 1)
            scale = min(low_scale, high_scale)
            self.assertTrue(low * 10 ** (low_scale - scale) < high * 10 ** (high_scale - scale))

    def test_borders_of_powers_of_two(self):
        for exponent in range(1, 254):
            for bits in (exponent << 23, (exponent << 23) - 1, (exponent << 23) + 1):
                value, scale = decimal32(bits)
                self.assertTrue(0 < value < 1 << 30 or scale == 0)


if __name__ == "__main__":
    unittest.main()
