"""ECDH-ES: the published key, both sides' keys, and points that are none."""

import unittest

from crypto_vectors import error_of

from meterhub.codec import base64url
from meterhub.crypto import ecdh, ecdh_es, ecdsa, p256
from meterhub.crypto.drbg import Drbg
from meterhub.crypto.steps import run

# RFC 7518 appendix C
ALICE_X = "gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0"
ALICE_Y = "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps"
ALICE_D = "0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo"
BOB_X = "weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ"
BOB_Y = "e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck"
BOB_D = "VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw"
DERIVED = "VqqN6vgjbSBcIijNcacQGg"

D = 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721


def number(text):
    return int.from_bytes(base64url.decode(text), "big")


class ConcatKDFTest(unittest.TestCase):
    def test_rfc_7518_c(self):
        alice, bob = (number(ALICE_X), number(ALICE_Y)), (number(BOB_X), number(BOB_Y))
        z = run(ecdh.shared_x(number(ALICE_D), bob))
        self.assertEqual(run(ecdh.shared_x(number(BOB_D), alice)), z)
        self.assertEqual(z[:4], b"\x9e\x56\xd9\x1d")
        key = ecdh_es.concat_kdf(z, b"A128GCM", 16, b"Alice", b"Bob")
        self.assertEqual(base64url.encode(key), DERIVED)

    def test_all_of_it_changes_the_key(self):
        z = bytes(32)
        keys = {
            ecdh_es.concat_kdf(z, b"A128CBC-HS256", 32),
            ecdh_es.concat_kdf(z, b"A128CBC-HS25", 32, b"6"),
            ecdh_es.concat_kdf(z, b"A128CBC-HS256", 32, b"a"),
            ecdh_es.concat_kdf(z, b"A128CBC-HS256", 32, b"", b"a"),
            ecdh_es.concat_kdf(b"\x01" + z[1:], b"A128CBC-HS256", 32),
        }
        self.assertEqual(len(keys), 5)
        shorter = ecdh_es.concat_kdf(z, b"A128CBC-HS256", 31)
        self.assertEqual(len(shorter), 31)
        self.assertFalse(shorter in {key[:31] for key in keys})

    def test_one_round_has_32_bytes(self):
        for length in (0, 33):
            with self.assertRaises(ValueError):
                ecdh_es.concat_kdf(bytes(32), b"", length)


class AgreementTest(unittest.TestCase):
    def setUp(self):
        self.public = p256.encode_point(run(ecdsa.public_point(D)))

    def test_both_sides_have_the_same_key_and_a_new_one_each_time(self):
        drbg = Drbg(bytes(48))
        seen = set()
        for _ in range(2):
            epk, cek = run(ecdh_es.cek_to(self.public, drbg))
            self.assertEqual(len(cek), 32)
            self.assertEqual(run(ecdh_es.cek_from(D, epk)), cek)
            self.assertNotEqual(run(ecdh_es.cek_from(D + 1, epk)), cek)
            seen.update((epk, cek))
        self.assertEqual(len(seen), 4)

    def test_what_is_no_point_is_refused_on_both_sides(self):
        beside = self.public[:64] + bytes((self.public[64] ^ 1,))
        for raw in (beside, self.public[:64], bytes(65), b"\x04" + bytes(64), b"\x02" + self.public[1:33]):
            self.assertEqual(error_of(lambda raw=raw: run(ecdh_es.cek_from(D, raw))), ("BAD_POINT", ""))
            self.assertEqual(error_of(lambda raw=raw: run(ecdh_es.cek_to(raw, Drbg(bytes(48))))), ("BAD_POINT", ""))


if __name__ == "__main__":
    unittest.main()
