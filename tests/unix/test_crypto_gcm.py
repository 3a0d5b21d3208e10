"""AES-128-GCM against its published vectors, and against whoever changes a bit."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from crypto_vectors import blocks, error_of

from meterhub.crypto.gcm import GCM

VECTORS = list(blocks("aes_gcm.txt"))


def parts(block):
    """Return (GCM, iv, aad, plaintext, ciphertext, tag) of a vector."""
    fields = [bytes.fromhex(block.get(name, "")) for name in ("key", "iv", "aad", "plain", "cipher", "tag")]
    return [GCM(fields[0])] + fields[1:]


def flipped(data, bit):
    changed = bytearray(data)
    changed[bit >> 3] ^= 1 << (bit & 7)
    return bytes(changed)


class VectorTest(unittest.TestCase):
    def test_every_vector_both_ways(self):
        self.assertEqual(len(VECTORS), 5)
        for block in VECTORS:
            gcm, iv, aad, plain, cipher, tag = parts(block)
            buf = bytearray(plain)
            self.assertEqual(gcm.seal(iv, aad, buf)[: len(tag)], tag)
            self.assertEqual(bytes(buf), cipher)
            gcm.unseal(iv, aad, buf, 0, len(buf), tag)
            self.assertEqual(bytes(buf), plain)

    def test_a_tag_of_twelve_bytes_is_the_front_of_the_whole_one(self):
        gcm, iv, aad, plain, cipher, tag = parts(VECTORS[3])
        buf = bytearray(cipher)
        gcm.unseal(iv, aad, buf, 0, len(buf), tag[:12])
        self.assertEqual(bytes(buf), plain)

    def test_what_lies_around_the_ciphertext_is_left_alone(self):
        gcm, iv, aad, plain, cipher, tag = parts(VECTORS[3])
        for function, more in ((gcm.unseal, (iv, aad)), (gcm.decrypt_unauthenticated, (iv,))):
            buf = bytearray(b"front" + cipher + b"back")
            last = (tag,) if len(more) == 2 else ()
            function(*(more + (buf, 5, 5 + len(cipher)) + last))
            self.assertEqual(bytes(buf), b"front" + plain + b"back")

    def test_every_length_comes_back(self):
        gcm, iv = parts(VECTORS[2])[:2]
        for length in range(140):
            plain = bytes(range(length))
            buf = bytearray(plain)
            tag = gcm.seal(iv, plain[: length // 2], buf)
            gcm.unseal(iv, plain[: length // 2], buf, 0, length, tag)
            self.assertEqual(bytes(buf), plain)


class RefusalTest(unittest.TestCase):
    def refused(self, gcm, iv, aad, cipher, tag):
        buf = bytearray(cipher)
        self.assertEqual(error_of(gcm.unseal, iv, aad, buf, 0, len(buf), tag), ("NOT_AUTHENTIC", "tag"))
        self.assertEqual(bytes(buf), bytes(cipher))

    def test_any_changed_bit_of_anything_is_refused_and_nothing_is_decrypted(self):
        gcm, iv, aad, _, cipher, tag = parts(VECTORS[3])
        for bit in range(0, 8 * len(cipher), 5):
            self.refused(gcm, iv, aad, flipped(cipher, bit), tag)
        for bit in range(128):
            self.refused(gcm, iv, aad, cipher, flipped(tag, bit))
        for bit in range(96):
            self.refused(gcm, flipped(iv, bit), aad, cipher, tag)
            self.refused(gcm, iv, aad, cipher, flipped(tag, bit)[:12])
        for bit in range(8 * len(aad)):
            self.refused(gcm, iv, flipped(aad, bit), cipher, tag)
        self.refused(GCM(bytes(16)), iv, aad, cipher, tag)

    def test_what_is_cut_moved_or_longer_is_refused(self):
        gcm, iv, aad, _, cipher, tag = parts(VECTORS[3])
        self.refused(gcm, iv, aad, cipher[:-1], tag)
        self.refused(gcm, iv, aad, cipher + b"\x00", tag)
        self.refused(gcm, iv, aad + b"\x00", cipher, tag)
        self.refused(gcm, iv, aad + cipher[:12], cipher[12:], tag)
        self.refused(gcm, iv, b"", cipher, tag)
        self.refused(gcm, iv, aad, b"", tag)

    def test_sizes_that_are_not_these_are_the_callers_mistake(self):
        gcm, iv, aad, _, cipher, tag = parts(VECTORS[3])
        buf = bytearray(cipher)
        for short in (b"", tag[:4], tag[:11], tag[:13], tag + b"\x00"):
            with self.assertRaises(ValueError):
                gcm.unseal(iv, aad, buf, 0, len(buf), short)
        with self.assertRaises(ValueError):
            gcm.unseal(iv[1:], aad, buf, 0, len(buf), tag)
        with self.assertRaises(ValueError):
            gcm.decrypt_unauthenticated(iv + b"\x00", buf, 0, len(buf))
        with self.assertRaises(ValueError):
            GCM(bytes(15))
        self.assertEqual(bytes(buf), cipher)


if __name__ == "__main__":
    unittest.main()
