"""HMAC, HKDF, the random generator and the comparison of secrets, against their published vectors."""

import unittest

from crypto_vectors import blocks

from meterhub.crypto.blind import mask
from meterhub.crypto.drbg import Drbg
from meterhub.crypto.equal import equal
from meterhub.crypto.hkdf import hkdf
from meterhub.crypto.hmac import hmac_sha256
from meterhub.crypto.p256 import N

# NIST CAVP, HMAC_DRBG.rsp of drbgvectors_no_reseed, SHA-256, no personalization, no additional input, COUNT 0:
# entropy input, nonce; the returned bits are those of the second generate call
CAVP_ENTROPY = bytes.fromhex("ca851911349384bffe89de1cbdc46e6831e44d34a4fb935ee285dd14b71a7488")
CAVP_NONCE = bytes.fromhex("659ba96c601dc69fc902940805ec0ca8")
CAVP_RETURNED = bytes.fromhex(
    "e528e9abf2dece54d47c7e75e5fe302149f817ea9fb4bee6f4199697d04d5b89d54fbb978a15b5c443c9ec21036d2460b6f73ebad0dc2aba"
    "6e624abf07745bc107694bb7547bb0995f70de25d6b29e2d3011bb19d27676c07162c8b5ccde0668961df86803482cb37ed6d5c0bb8d50cf"
    "1f50d476aa0458bdaba806f48be9dcb8"
)


class HMACTest(unittest.TestCase):
    def test_rfc_4231(self):
        seen = 0
        for block in blocks("hmac_hkdf.txt"):
            if "mac" in block:
                expected = bytes.fromhex(block["mac"])
                found = hmac_sha256(bytes.fromhex(block["key"]), bytes.fromhex(block["data"]))
                self.assertEqual(found[: len(expected)], expected, block["name"])
                seen += 1
        self.assertEqual(seen, 7)

    def test_a_message_in_parts_is_the_same_message(self):
        whole = hmac_sha256(b"key", b"one two three")
        self.assertEqual(hmac_sha256(b"key", b"one ", bytearray(b"two"), memoryview(b" three")), whole)

    def test_rfc_5869(self):
        seen = 0
        for block in blocks("hmac_hkdf.txt"):
            if "okm" in block:
                ikm, salt, info, okm = [bytes.fromhex(block[name]) for name in ("ikm", "salt", "info", "okm")]
                self.assertEqual(hkdf(ikm, salt, info, len(okm)), okm, block["name"])
                seen += 1
        self.assertEqual(seen, 3)

    def test_hkdf_gives_at_most_255_blocks(self):
        self.assertEqual(len(hkdf(b"ikm", b"", b"", 8160)), 8160)
        with self.assertRaises(ValueError):
            hkdf(b"ikm", b"", b"", 8161)


class DrbgTest(unittest.TestCase):
    def test_cavp(self):
        drbg = Drbg(CAVP_ENTROPY + CAVP_NONCE)
        drbg.read(len(CAVP_RETURNED))
        self.assertEqual(drbg.read(len(CAVP_RETURNED)), CAVP_RETURNED)

    def test_the_output_never_repeats_and_the_state_moves_on_even_for_nothing(self):
        drbg = Drbg(bytes(48))
        other = Drbg(bytes(48))
        other.read(0)
        first = drbg.read(32)
        self.assertNotEqual(first, drbg.read(32))
        self.assertNotEqual(first, other.read(32))

    def test_reseed_changes_what_follows(self):
        one, other = Drbg(bytes(48)), Drbg(bytes(48))
        other.reseed(b"more")
        self.assertNotEqual(one.read(32), other.read(32))

    def test_a_short_seed_and_a_long_request_are_refused(self):
        with self.assertRaises(ValueError):
            Drbg(bytes(47))
        drbg = Drbg(bytes(48))
        self.assertEqual(len(drbg.read(8192)), 8192)
        for n in (8193, -1):
            with self.assertRaises(ValueError):
                drbg.read(n)

    def test_scalars_lie_between_1_and_the_order_and_fill_all_of_it(self):
        drbg = Drbg(b"a seed of 48 bytes or more, the same in each run.")
        found = [drbg.scalar() for _ in range(64)]
        self.assertTrue(all(0 < k < N for k in found))
        self.assertEqual(len(set(found)), 64)
        self.assertEqual(sorted({k >> 253 for k in found}), list(range(8)))

    def test_scalars_are_spread_from_1_on(self):
        class Fixed(Drbg):
            value = 0

            def read(self, n):
                return self.value.to_bytes(n, "big")

        drbg = Fixed(bytes(48))
        for drbg.value, scalar in ((0, 1), (N - 2, N - 1), (N - 1, 1), (N, 2), ((N - 1) << 64, 1)):
            self.assertEqual(drbg.scalar(), scalar)

    def test_nothing_of_the_state_is_printed(self):
        self.assertEqual(repr(Drbg(bytes(48))), "Drbg")


class EqualTest(unittest.TestCase):
    def test_equal_says_what_the_operator_says(self):
        for a, b in ((b"", b""), (b"abc", b"abc"), (b"abc", b"abd"), (b"abc", b"Abc"), (b"abc", b"ab"), (b"", b"a")):
            self.assertEqual(equal(a, b), a == b)
            self.assertEqual(equal(bytearray(a), memoryview(b)), a == b)

    def test_every_single_flipped_bit_is_seen(self):
        a = bytes(range(32))
        for i in range(256):
            b = bytearray(a)
            b[i >> 3] ^= 1 << (i & 7)
            self.assertFalse(equal(a, b))


class MaskTest(unittest.TestCase):
    def test_a_mask_follows_from_scalar_and_label_and_lies_below_the_modulus(self):
        masks = [mask(k, label, m) for k in (1, 2, N - 1) for label in (b"", b"a") for m in (7, N)]
        self.assertEqual(masks, [mask(k, label, m) for k in (1, 2, N - 1) for label in (b"", b"a") for m in (7, N)])
        self.assertEqual(len({m for m in masks if m > 7}), 6)
        self.assertTrue(all(0 < mask(k, b"", 3) < 3 for k in range(50)))


if __name__ == "__main__":
    unittest.main()
