"""A128CBC-HS256 and the AES-CBC below it, against their published vectors and against whoever changes a bit."""

import unittest

import cryptolib
from crypto_vectors import error_of

from meterhub.crypto import aead
from meterhub.crypto.hmac import hmac_sha256

# RFC 7518 appendix B.1
CEK = bytes(range(32))
IV = bytes.fromhex("1af38c2dc2b96ffdd86694092341bc04")
AAD = b"The second principle of Auguste Kerckhoffs"
PLAINTEXT = (
    b"A cipher system must not be required to be secret, and it must be able to fall into the hands of the enemy "
    b"without inconvenience"
)
CIPHERTEXT = bytes.fromhex(
    "c80edfa32ddf39d5ef00c0b468834279a2e46a1b8049f792f76bfe54b903a9c9a94ac9b47ad2655c5f10f9aef71427e2fc6f9b3f399a221489"
    "f16362c703233609d45ac69864e3321cf82935ac4096c86e133314c54019e8ca7980dfa4b9cf1b384c486f3a54c51078158ee5d79de59fbd34"
    "d848b3d69550a67646344427ade54b8851ffb598f7f80074b9473c82e2db"
)
TAG = bytes.fromhex("652c3fa36b0a7c5b3219fab3a30bc1c4")

# NIST SP 800-38A F.2.1 and F.2.2, CBC-AES128
NIST_KEY = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
NIST_IV = bytes(range(16))
NIST_PLAIN = bytes.fromhex(
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
)
NIST_CIPHER = bytes.fromhex(
    "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2"
    "73bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7"
)


def flipped(data, bit):
    changed = bytearray(data)
    changed[bit >> 3] ^= 1 << (bit & 7)
    return bytes(changed)


class CBCTest(unittest.TestCase):
    def test_nist_sp_800_38a(self):
        self.assertEqual(bytes(cryptolib.aes(NIST_KEY, 2, NIST_IV).encrypt(NIST_PLAIN)), NIST_CIPHER)
        self.assertEqual(bytes(cryptolib.aes(NIST_KEY, 2, NIST_IV).decrypt(NIST_CIPHER)), NIST_PLAIN)

    def test_a_cipher_works_in_place(self):
        buf = bytearray(NIST_PLAIN)
        cryptolib.aes(NIST_KEY, 2, NIST_IV).encrypt(buf, buf)
        self.assertEqual(bytes(buf), NIST_CIPHER)

    def test_what_stock_firmware_refuses_is_refused(self):
        with self.assertRaises(ValueError):
            cryptolib.aes(NIST_KEY, 6, NIST_IV)  # CTR
        with self.assertRaises(ValueError):
            cryptolib.aes(NIST_KEY, 2, NIST_IV).encrypt(bytes(15))
        cipher = cryptolib.aes(NIST_KEY, 2, NIST_IV)
        cipher.encrypt(bytes(16))
        with self.assertRaises(ValueError):
            cipher.decrypt(bytes(16))


class AEADTest(unittest.TestCase):
    def assert_refused(self, *arguments):
        self.assertEqual(error_of(aead.unseal, *arguments), ("NOT_AUTHENTIC", "tag"))

    def test_rfc_7518_b_1(self):
        ciphertext, tag = aead.seal(CEK, IV, AAD, PLAINTEXT)
        self.assertEqual(bytes(ciphertext), CIPHERTEXT)
        self.assertEqual(tag, TAG)
        self.assertEqual(aead.unseal(CEK, IV, AAD, CIPHERTEXT, TAG), PLAINTEXT)

    def test_every_length_comes_back(self):
        for length in range(50):
            plaintext = bytes(range(length))
            ciphertext, tag = aead.seal(CEK, IV, b"", plaintext)
            self.assertEqual(len(ciphertext), length // 16 * 16 + 16)
            self.assertEqual(aead.unseal(CEK, IV, b"", ciphertext, tag), plaintext)

    def test_any_changed_bit_of_anything_is_refused(self):
        for bit in range(0, len(CIPHERTEXT) * 8, 7):
            self.assert_refused(CEK, IV, AAD, flipped(CIPHERTEXT, bit), TAG)
        for bit in range(128):
            self.assert_refused(CEK, IV, AAD, CIPHERTEXT, flipped(TAG, bit))
            self.assert_refused(CEK, flipped(IV, bit), AAD, CIPHERTEXT, TAG)
            self.assert_refused(flipped(CEK, bit), IV, AAD, CIPHERTEXT, TAG)
            self.assert_refused(CEK, IV, flipped(AAD, bit), CIPHERTEXT, TAG)

    def test_what_is_cut_moved_or_missing_is_refused(self):
        self.assert_refused(CEK, IV, AAD, CIPHERTEXT[:-16], TAG)
        self.assert_refused(CEK, IV, AAD, CIPHERTEXT[:-1], TAG)
        self.assert_refused(CEK, IV, AAD, b"", TAG)
        self.assert_refused(CEK, IV, AAD, CIPHERTEXT, TAG[:-1])
        self.assert_refused(CEK, IV, AAD, CIPHERTEXT, b"")
        # AAD and ciphertext run into each other only through the length that is hashed too
        self.assert_refused(CEK, IV, AAD + IV[:1], CIPHERTEXT, TAG)

    def test_wrong_padding_under_a_right_tag_is_refused_in_the_same_words(self):
        for last in (bytes(16), b"\x11" * 16, b"\x11" * 32, bytes(14) + b"\x01\x02", b"\x00" + b"\x0f" * 14 + b"\x10"):
            ciphertext = bytes(cryptolib.aes(CEK[16:], 2, IV).encrypt(last))
            tag = hmac_sha256(CEK[:16], AAD, IV, ciphertext, (8 * len(AAD)).to_bytes(8, "big"))[:16]
            self.assert_refused(CEK, IV, AAD, ciphertext, tag)

    def test_an_empty_or_uneven_ciphertext_under_a_right_tag_is_refused(self):
        for ciphertext in (b"", bytes(15)):
            tag = hmac_sha256(CEK[:16], AAD, IV, ciphertext, (8 * len(AAD)).to_bytes(8, "big"))[:16]
            self.assert_refused(CEK, IV, AAD, ciphertext, tag)

    def test_keys_of_another_length_are_the_callers_mistake(self):
        for cek, iv in ((CEK[1:], IV), (CEK, IV[1:])):
            with self.assertRaises(ValueError):
                aead.seal(cek, iv, AAD, PLAINTEXT)
            with self.assertRaises(ValueError):
                aead.unseal(cek, iv, AAD, CIPHERTEXT, TAG)


if __name__ == "__main__":
    unittest.main()
