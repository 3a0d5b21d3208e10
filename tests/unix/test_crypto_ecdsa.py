"""ECDSA: published signatures, signatures that are none, and the sums in which points meet themselves.

Each signature is verified twice, without a table of its key and with one.
"""

import hashlib
import unittest

from crypto_vectors import blocks, integer

from meterhub.codec import base64url, jose
from meterhub.crypto import ecdsa, ecdsa_known, p256, p256_comb
from meterhub.crypto.drbg import Drbg
from meterhub.crypto.p256 import N
from meterhub.crypto.steps import run

D = 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721
DIGEST = hashlib.sha256(b"sample").digest()

# RFC 7515 A.3
JWS = (
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl"
    "fQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
)
JWS_X = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
JWS_Y = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
JWS_D = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"


def both(r, s):
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def number(text):
    return int.from_bytes(base64url.decode(text), "big")


def verify(point, digest, signature, tables={}):  # noqa: B006 - a table is made once
    """Return what both ways to verify say, which is the same."""
    if point not in tables:
        tables.clear()  # a board's memory
        tables[point] = run(p256_comb.table_of(point))
    good = run(ecdsa.verify(point, digest, signature))
    if run(ecdsa_known.verify(tables[point], digest, signature)) is not good:
        raise AssertionError("the table says something else")
    return good


class VectorTest(unittest.TestCase):
    def test_published_signatures_verify_or_do_not(self):
        seen = 0
        for block in blocks("ecdsa_p256_sha256.txt"):
            point = (integer(block["x"]), integer(block["y"]))
            signature = both(integer(block["r"]), integer(block["s"]))
            good = verify(point, bytes.fromhex(block["digest"]), signature)
            self.assertEqual(good, block["result"] == "good", block["name"])
            seen += 1
        self.assertEqual(seen, 4)

    def test_rfc_6979_nonces(self):
        for block in blocks("ecdsa_p256_sha256.txt"):
            if "d" in block:
                d = integer(block["d"])
                self.assertEqual(run(ecdsa.public_point(d)), (integer(block["x"]), integer(block["y"])))
                signature = run(ecdsa.sign(d, bytes.fromhex(block["digest"]), None))
                self.assertEqual(signature, both(integer(block["r"]), integer(block["s"])), block["name"])

    def test_rfc_7515_a_3(self):
        point = (number(JWS_X), number(JWS_Y))
        self.assertEqual(run(ecdsa.public_point(number(JWS_D))), point)
        header, claims = jose.jws_claims(JWS, 400)
        self.assertEqual(header, {"alg": "ES256"})
        self.assertEqual(claims["iss"], "joe")
        signing_input, signature = jose.jws_parts(JWS)
        self.assertTrue(verify(point, hashlib.sha256(signing_input).digest(), signature))
        self.assertFalse(verify(point, hashlib.sha256(signing_input + b"A").digest(), signature))


class SignTest(unittest.TestCase):
    def test_a_generator_makes_each_signature_another_good_one(self):
        point = run(ecdsa.public_point(D))
        drbg = Drbg(bytes(48))
        signatures = [run(ecdsa.sign(D, DIGEST, drbg)) for _ in range(3)] + [run(ecdsa.sign(D, DIGEST, None))]
        self.assertEqual(len({signature[:32] for signature in signatures}), 4)
        for signature in signatures:
            self.assertTrue(verify(point, DIGEST, signature))

    def test_private_keys_outside_the_group_are_refused(self):
        for d in (0, N, -1):
            with self.assertRaises(ValueError):
                run(ecdsa.sign(d, DIGEST, None))

    def test_the_smallest_and_the_largest_keys_and_digests(self):
        for d in (1, 2, N - 1):
            point = run(ecdsa.public_point(d))
            for digest in (bytes(32), b"\xff" * 32, N.to_bytes(32, "big")):  # e = 0, e > n, e = n
                signature = run(ecdsa.sign(d, digest, None))
                self.assertTrue(verify(point, digest, signature))
                self.assertFalse(verify(point, DIGEST, signature))


class RefusalTest(unittest.TestCase):
    def setUp(self):
        self.point = run(ecdsa.public_point(D))
        self.good = run(ecdsa.sign(D, DIGEST, None))
        self.r, self.s = int.from_bytes(self.good[:32], "big"), int.from_bytes(self.good[32:], "big")

    def refused(self, signature, point=None, digest=DIGEST):
        return verify(point or self.point, digest, signature) is False

    def test_numbers_outside_1_to_n_minus_1(self):
        r, s = self.r, self.s
        for bad in (0, N, N + 1, p256.P, (1 << 256) - 1):
            self.assertTrue(self.refused(both(bad, s)))
            self.assertTrue(self.refused(both(r, bad)))
            self.assertTrue(self.refused(both(bad, bad)))
        self.assertTrue(self.refused(both(r, (s + 1) % N)))
        self.assertTrue(self.refused(both(N - r, s)))
        self.assertTrue(self.refused(both(s, r)))

    def test_signatures_of_another_length_or_form(self):
        der = b"\x30\x46\x02\x21\x00" + self.good[:32] + b"\x02\x21\x00" + self.good[32:]
        padded = b"\x00" + self.good[:32] + b"\x00" + self.good[32:]
        longer = self.good[:32] + b"\x00" + self.good[32:]
        for signature in (b"", self.good[:-1], self.good + b"\x00", der, der[:64], padded, longer, self.good[:32]):
            self.assertTrue(self.refused(signature))

    def test_any_flipped_bit_of_signature_digest_or_key(self):
        for bit in range(0, 512, 37):
            changed = bytearray(self.good)
            changed[bit >> 3] ^= 1 << (bit & 7)
            self.assertTrue(self.refused(bytes(changed)))
        for bit in range(0, 256, 53):
            digest = bytearray(DIGEST)
            digest[bit >> 3] ^= 1 << (bit & 7)
            self.assertTrue(self.refused(self.good, None, bytes(digest)))
        self.assertTrue(self.refused(self.good, p256.negate(self.point)))
        self.assertTrue(self.refused(self.good, p256.G))

    def test_the_other_root_is_a_good_signature_too(self):
        # known and harmless: no signature is used as a name for its message
        self.assertTrue(verify(self.point, DIGEST, both(self.r, N - self.s)))


class ExceptionalSumTest(unittest.TestCase):
    """With Q = t G, r = x(R), s = r / u2 and e = u1 s the verifier computes u1 G + u2 Q: any u1 and u2 can be had."""

    def verified(self, t, u1, u2, r=None):
        if r is None:
            r = run(p256.mul_base((u1 + u2 * t) % N))[0] % N
        s = r * p256.inverse(u2, N) % N
        point = run(p256.mul_base(t))
        return verify(point, (u1 * s % N).to_bytes(32, "big"), both(r, s))

    def test_sums_that_meet_equal_points_on_the_way(self):
        for t in (1, 2, N - 1, N - 2, 3 << 200, p256.inverse(2, N)):
            for u1, u2 in ((1, 1), (1, 2), (2, 1), (3, 5), (1, 7), (5, 1), (16, 31), (1 << 128, 3)):
                if (u1 + u2 * t) % N:
                    self.assertTrue(self.verified(t, u1, u2))

    def test_a_sum_that_meets_the_combs_own_point_and_its_opposite(self):
        # the top column of u1's comb adds c G; with u2 = 2^36 the sum is Q = t G there: equal for t = c, gone for -c
        u1 = (1 << 250) + 12345
        bits = (u1 + (1 << 259) - 1) >> 1
        c = sum((1 if bits >> 37 * row + 36 & 1 else -1) << 37 * row for row in range(7)) % N
        for t in (c, N - c):
            self.assertTrue(self.verified(t, u1, 1 << 36))

    def test_a_sum_of_the_keys_comb_that_meets_the_base_points_and_its_opposite(self):
        # with a table of Q = t G the sum is A Q before G's comb comes in with its column 36, which adds c G
        u1, u2 = (1 << 250) + 12345, (1 << 249) + 99999 * (1 << 60) + 1
        bits = (u1 + (1 << 259) - 1) >> 1
        c = sum([(1 if bits >> 37 * row + 36 & 1 else -1) << 37 * row for row in range(7)])
        bits = (u2 + (1 << 258) - 1) >> 1
        a = 0
        for i in range(42, 35, -1):
            a = 2 * a + sum([(1 if bits >> 43 * row + i & 1 else -1) << 43 * row for row in range(6)])
        t = c * p256.inverse(a, N) % N
        self.assertTrue(self.verified(t, u1, u2))
        self.assertTrue(self.verified(N - t, u1, u2))

    def test_a_digest_of_zero_leaves_one_product(self):
        self.assertTrue(self.verified(12345, 0, 1))
        self.assertTrue(self.verified(12345, 0, 1 << 200))

    def test_r_plus_n_above_p_means_another_x(self):
        # R has x = 5; r = 5 + P - N would be taken for it if r + N were not held against P
        y = pow(125 - 15 + p256.B, (p256.P + 1) // 4, p256.P)
        r = 5 + p256.P - N
        point = p256.add((5, y), p256.negate(p256.G))  # u1 = u2 = 1: e = s = r
        self.assertFalse(verify(point, r.to_bytes(32, "big"), both(r, r)))
        self.assertTrue(verify(point, bytes(31) + b"\x05", both(5, 5)))

    def test_a_sum_at_infinity_is_no_signature(self):
        for t, u2 in ((1, 5), (2, 5), (N - 1, 7), (12345, 1 << 77)):
            for r in (1, 12345, N - 1):
                self.assertFalse(self.verified(t, -u2 * t % N, u2, r))


if __name__ == "__main__":
    unittest.main()
