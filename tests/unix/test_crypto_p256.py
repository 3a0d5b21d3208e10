"""The curve: points that are known, points that are none, and the scalars where additions meet themselves."""

import unittest

from crypto_vectors import blocks, error_of, integer

from meterhub.crypto import p256
from meterhub.crypto.steps import run

K = 0xA6E3C57DD01ABE90086538398355DD4C3B17AA873382B0F24D6129493D8AAD60
EDGES = (1, 2, 3, 4, 15, 16, 17, 31, 32, 33, p256.N - 1, p256.N - 2, p256.N - 3, p256.N - 16, (p256.N + 1) // 2)


def refused(raw):
    return error_of(p256.decode_point, raw) == ("BAD_POINT", "")


def by_additions(k):
    """k * G for a small k by nothing but p256.add()."""
    point = p256.G
    for _ in range(k - 1):
        point = p256.add(point, p256.G)
    return point


class PointTest(unittest.TestCase):
    def test_known_multiples(self):
        for block in blocks("p256_points.txt"):
            expected = (integer(block["x"]), integer(block["y"]))
            k = int(block["k"])
            self.assertEqual(run(p256.mul_base(k)), expected)
            self.assertEqual(run(p256.mul_point(k, p256.G)), expected)

    def test_encoding_and_back(self):
        for k in (1, 2, K):
            point = run(p256.mul_base(k))
            raw = p256.encode_point(point)
            self.assertEqual(len(raw), 65)
            self.assertEqual(p256.decode_point(raw), point)

    def test_what_is_no_point_is_refused(self):
        good = p256.encode_point(p256.G)
        for raw in (b"", b"\x00", good[:-1], good + b"\x00", bytes(65), b"\x04" + bytes(64)):
            self.assertTrue(refused(raw))
        for form in (0, 2, 3, 5, 6, 7):  # compressed and hybrid forms are not taken
            self.assertTrue(refused(bytes((form,)) + good[1:]))
        self.assertTrue(refused(b"\x02" + good[1:33]))
        self.assertTrue(refused(good[:33] + b"\x00" + good[33:]))

    def test_every_point_beside_the_curve_is_refused(self):
        good = p256.encode_point(p256.G)
        for i in range(1, 65):
            raw = bytearray(good)
            raw[i] ^= 1
            self.assertTrue(refused(raw))

    def test_coordinates_of_p_and_above_are_refused(self):
        # x = 0 and x = 5 are on the curve; x + P fits into 32 bytes and means the same modulo P
        root = 0x66485C780E2F83D72433BD5D84A06BB6541C2AF31DAE871728BF856A174F93F4
        self.assertEqual(p256.decode_point(b"\x04" + bytes(32) + root.to_bytes(32, "big")), (0, root))
        self.assertTrue(refused(b"\x04" + p256.P.to_bytes(32, "big") + root.to_bytes(32, "big")))
        self.assertTrue(refused(b"\x04" + bytes(32) + b"\xff" * 32))
        for x, y in ((p256.P, root), (0, root + p256.P), (0, root - p256.P), (-p256.P, root)):
            self.assertFalse(p256.on_curve(x, y))

    def test_additions_with_themselves_and_with_the_opposite(self):
        two = p256.add(p256.G, p256.G)
        self.assertEqual(two, run(p256.mul_base(2)))
        self.assertEqual(p256.add(two, p256.negate(p256.G)), p256.G)
        self.assertIsNone(p256.add(two, p256.negate(two)))


class ScalarTest(unittest.TestCase):
    def test_edge_scalars(self):
        for k in EDGES:
            expected = by_additions(min(k, p256.N - k)) if min(k, p256.N - k) < 40 else run(p256.mul_base(k))
            if k > p256.N // 2 and min(k, p256.N - k) < 40:
                expected = p256.negate(expected)
            self.assertEqual(run(p256.mul_base(k)), expected)
            self.assertEqual(run(p256.mul_base(k, K)), expected)
            self.assertEqual(run(p256.mul_point(k, p256.G)), expected)
            self.assertEqual(run(p256.mul_point(k, p256.G, K)), expected)

    def test_multiples_of_another_point_agree_with_those_of_g(self):
        point = run(p256.mul_base(K))
        for k in (1, 2, 3, 7, K, p256.N - 1):
            self.assertEqual(run(p256.mul_point(k, point, 12345)), run(p256.mul_base(k * K % p256.N)))

    def test_scalars_outside_the_group_are_refused(self):
        for k in (0, p256.N, p256.N + 1, -1):
            with self.assertRaises(ValueError):
                run(p256.mul_base(k))
            with self.assertRaises(ValueError):
                run(p256.mul_point(k, p256.G))

    def test_the_sum_of_two_products_is_their_sum(self):
        table = p256.p256_tables.G
        products = ((K, p256.G, table), (5, p256.G, table))
        self.assertEqual(run(p256.known(products)), run(p256.mul_base(K + 5)))
        # the same scalar twice: the second column is the first one again, an exceptional addition at once
        self.assertEqual(run(p256.known(((7, p256.G, table), (7, p256.G, table)))), run(p256.mul_base(14)))

    def test_the_complete_formulas_know_infinity(self):
        for products in (((0, p256.G),), ((K, p256.G), (p256.N - K, p256.G)), ((p256.N, p256.G),)):
            self.assertEqual(run(p256.complete(products))[2], 0)
        self.assertEqual(p256.affine(run(p256.complete(((K, p256.G),)))), run(p256.mul_base(K)))

    def test_inverses(self):
        for m in (p256.P, p256.N):
            for a in (1, 2, K, m - 1, m + 2, -1):
                self.assertEqual(p256.inverse(a, m) * a % m, 1)
            for a in (0, m, 2 * m):
                with self.assertRaises(ValueError):
                    p256.inverse(a, m)


class SliceTest(unittest.TestCase):
    def test_short_and_long_scalars_take_the_same_slices(self):
        point = by_additions(3)
        for slow in (p256.mul_base, lambda k: p256.mul_point(k, point)):
            counts = {len(list(slow(k))) for k in (K, K | 1, 0xFFFF1, p256.N - K, 1 << 128, 9999)}
            self.assertEqual(len(counts), 1)
            self.assertTrue(min(counts) >= 9)


if __name__ == "__main__":
    unittest.main()
