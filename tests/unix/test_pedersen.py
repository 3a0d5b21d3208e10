"""Commitments: the right point for every kind of value, and no commitment to what is no reading."""

import unittest

from crypto_vectors import error_of

from meterhub.crypto import p256, pedersen
from meterhub.crypto.steps import run

ORDER = p256.N


def straight(m, r):
    """The same by additions that never fail, and without any table."""
    x, y, z = run(p256.complete(((m, p256.G), (r, pedersen.H))))
    return pedersen.compressed(p256.affine((x, y, z)))


def commit(m, r):
    return run(pedersen.commit(m, r))


def register(m, r):
    return run(pedersen.commit_register(m, r))


class CommitmentTest(unittest.TestCase):
    def test_h_is_a_point(self):
        self.assertTrue(p256.on_curve(*pedersen.H))

    def test_it_is_the_sum_that_it_should_be(self):
        for m, r in ((0, 1), (1, 2), (2, ORDER - 1), (999, 3 << 250), (0xFFFFF, 12345678901)):
            self.assertEqual(commit(m, r), straight(m, r))
        for m, r in ((0, ORDER - 2), (7, 1), (0xFFFFF, 1 << 255), (0xFFFFFFFFFF, 99)):
            self.assertEqual(register(m, r), straight(m, r))
        self.assertEqual(commit(12345, 678), register(12345, 678))

    def test_a_sum_of_commitments_is_one_of_sums(self):
        points = []
        for m, r in ((100, 11), (20, 5)):
            raw = commit(m, r)
            x = int.from_bytes(raw[1:], "big")
            y = pow(x * x * x - 3 * x + p256.B, (p256.P + 1) // 4, p256.P)
            points.append((x, y if y & 1 == raw[0] & 1 else p256.P - y))
        self.assertEqual(pedersen.compressed(p256.add(points[0], points[1])), commit(120, 16))

    def test_what_is_no_reading_is_never_committed_to(self):
        for wh in (-1, -1000, pedersen.MOST_WH + 1, 1 << 256):
            self.assertEqual(error_of(commit, wh, 5), ("INVALID_VALUE", "wh"))
        for wh in (-1, pedersen.MOST_REGISTER_WH + 1):
            self.assertEqual(error_of(register, wh, 5), ("INVALID_VALUE", "wh"))
        for r in (0, ORDER):
            self.assertRaises(ValueError, commit, 5, r)

    def test_every_value_costs_as_many_slices(self):
        counts = set()
        for m, r in ((0, 1), (1, ORDER - 1), (0xFFFFF, 1 << 128)):
            counts.add(len(list(pedersen.commit(m, r))))
        self.assertEqual(len(counts), 1)


class KeyTest(unittest.TestCase):
    KEY = bytes(range(32))

    def test_known_answers(self):
        """Worked out with Python's hmac from the docstring of pedersen.py."""
        key = pedersen.day_key(self.KEY, b"c" * 16, 20454)
        self.assertEqual(
            "".join(["%02x" % byte for byte in key]),
            "a60008444d206f3e664f01d6539dcecb026fee34ed5bbd8c4f04d5c2cac49ed4",
        )
        self.assertEqual(
            "%064x" % pedersen.blinding(key, 1, 981792),
            "33399b3577dee242094ad22468b2b846248a02a8a16729236e7f8afc2c8ca5b5",
        )

    def test_nothing_shares_a_blinding(self):
        keys = [pedersen.day_key(self.KEY, bytes((i,)) * 16, day) for i in (1, 2) for day in (1, 2, 256)]
        found = [pedersen.blinding(key, kind, index) for key in keys for kind in (0, 1) for index in (0, 1, 256)]
        self.assertEqual(len(set(found)), 6 * 6)
        self.assertTrue(all([0 < r < ORDER for r in found]))


if __name__ == "__main__":
    unittest.main()
