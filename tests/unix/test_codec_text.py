"""base64url, base32, check digits, varints and CRCs: published values, and one spelling only."""

import random
import unittest

from crypto_vectors import error_of

from meterhub.codec import base32, base64url, checkdigit, crc, varint

# RFC 4648 section 10
RFC_4648 = (("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE"),
            ("foobar", "Zm9vYmFy"))  # fmt: skip


class Base64urlTest(unittest.TestCase):
    def refused(self, text):
        return error_of(base64url.decode, text) == ("MALFORMED", "base64url")

    def test_rfc_4648(self):
        for plain, text in RFC_4648:
            self.assertEqual(base64url.encode(plain.encode()), text)
            self.assertEqual(base64url.decode(text), plain.encode())

    def test_rfc_7515_appendix_c(self):
        raw = bytes((3, 236, 255, 224, 193))
        self.assertEqual(base64url.encode(raw), "A-z_4ME")
        self.assertEqual(base64url.decode("A-z_4ME"), raw)

    def test_any_buffer_is_encoded(self):
        self.assertEqual(base64url.encode(bytearray(b"foo")), "Zm9v")
        self.assertEqual(base64url.encode(memoryview(b"xfoo")[1:]), "Zm9v")

    def test_writing_into_a_buffer_gives_the_same_text(self):
        for length in (0, 1, 2, 3, 47, 48, 49, 95, 96, 97, 200):
            raw = bytes([i * 7 & 255 for i in range(length)])
            text = base64url.encode(raw).encode()
            buf = bytearray(b"<" + bytes(len(text)) + b">")
            self.assertEqual(base64url.encode_into(buf, 1, raw), 1 + len(text))
            self.assertEqual(bytes(buf), b"<" + text + b">")

    def test_every_other_spelling_is_refused(self):
        for text in (
            "Zg==",
            "Zg=",
            "=",
            "Z",
            "Zm9vY",
            "Zm 9v",
            "Zm9v\n",
            "\nZm9v",
            "A+z/4ME",
            "Zm9*",
            "Zm.9v",
            "Zg\x00",
        ):
            self.assertTrue(self.refused(text))
        for text in ("Zh", "Zn", "Zm9", "Zm-", "Z_"):  # bits that no byte uses
            self.assertTrue(self.refused(text))
        self.assertTrue(self.refused("Zm9\u00e9"))
        self.assertTrue(self.refused("\u017dm9v"))

    def test_random_bytes_come_back_and_random_text_never_means_two_things(self):
        random.seed(1)
        for n in range(300):
            raw = bytes(random.getrandbits(8) for _ in range(n % 50))
            self.assertEqual(base64url.decode(base64url.encode(raw)), raw)
        letters = "ABYZabyz01289-_+/= .\n"
        for _ in range(1500):
            text = "".join(random.choice(letters) for _ in range(random.getrandbits(3)))
            if not self.refused(text):
                self.assertEqual(base64url.encode(base64url.decode(text)), text)


class Base32Test(unittest.TestCase):
    def test_the_symbols_in_their_order(self):
        raw = bytes.fromhex("00443214c74254b635cf84653a56d7c675be77df")
        self.assertEqual(base32.encode(raw), "0123456789ABCDEFGHJKMNPQRSTVWXYZ")

    def test_short_input_is_filled_up_with_zero_bits(self):
        for raw, text in ((b"", ""), (b"\x00", "00"), (b"\xff", "ZW"), (b"\xff\xff", "ZZZG"), (b"\xff" * 5, "Z" * 8)):
            self.assertEqual(base32.encode(raw), text)
        self.assertEqual(len(base32.encode(bytes(10))), 16)


class CheckDigitTest(unittest.TestCase):
    def test_the_examples_of_iso_7064(self):
        self.assertEqual(checkdigit.append("0794"), "07945")
        self.assertTrue(checkdigit.valid("07945"))

    def test_a_pin_and_its_check_digit(self):
        for pin in ("00000000", "12345678", "99999999", "48291376"):
            whole = checkdigit.append(pin)
            self.assertEqual(len(whole), 9)
            self.assertTrue(checkdigit.valid(whole))

    def test_every_single_wrong_digit_is_seen(self):
        for pin in ("482913764", "000000002"):
            whole = checkdigit.append(pin[:8])
            for i in range(9):
                wrong = [whole[:i] + d + whole[i + 1 :] for d in "0123456789" if d != whole[i]]
                self.assertFalse(any(checkdigit.valid(w) for w in wrong))

    def test_nearly_every_swap_of_neighbours_is_seen(self):
        missed = swaps = 0
        for n in range(0, 100000000, 999983):
            whole = checkdigit.append("%08d" % n)
            for i in range(8):
                if whole[i] != whole[i + 1]:
                    swaps += 1
                    missed += checkdigit.valid(whole[:i] + whole[i + 1] + whole[i] + whole[i + 2 :])
        self.assertTrue(swaps > 500 and missed * 20 < swaps)

    def test_what_is_no_digits_is_no_pin(self):
        for text in ("", "1", "5", "0794x", " 07945", "07945 ", "0794\u0665", "-7945"):
            self.assertFalse(checkdigit.valid(text))
        with self.assertRaises(ValueError):
            checkdigit.append("12a")


class VarintTest(unittest.TestCase):
    def packed(self, value):
        out = bytearray()
        varint.append(out, value)
        return bytes(out)

    def test_known_values(self):
        for value, raw in ((0, b"\x00"), (1, b"\x01"), (127, b"\x7f"), (128, b"\x80\x01"), (300, b"\xac\x02")):
            self.assertEqual(self.packed(value), raw)
            self.assertEqual(varint.read(raw, 0), (value, len(raw)))

    def test_all_63_bits(self):
        for bits in range(64):
            value = (1 << bits) - 1
            raw = b"\xaa" + self.packed(value) + b"\x55"
            self.assertEqual(varint.read(raw, 1), (value, len(raw) - 1))

    def test_what_does_not_fit_is_refused(self):
        for value in (-1, 1 << 63):
            with self.assertRaises(ValueError):
                self.packed(value)
        with self.assertRaises(ValueError):
            varint.read(b"\xff" * 9 + b"\x01", 0)

    def test_a_second_spelling_is_refused(self):
        for raw in (b"\x80\x00", b"\x81\x00", b"\xff\x80\x00", b"\x80" * 8 + b"\x00", b"\x80" * 12):
            with self.assertRaises(ValueError):
                varint.read(raw, 0)

    def test_the_end_of_the_bytes_is_an_index_error(self):
        for raw in (b"", b"\x80", b"\xff\xff"):
            with self.assertRaises(IndexError):
                varint.read(raw, 0)


class CRCTest(unittest.TestCase):
    def test_the_check_values_of_both(self):
        self.assertEqual(crc.crc16_arc(b"123456789", 9), 0xBB3D)
        self.assertEqual(crc.crc16_x25(b"123456789", 9), 0x906E)
        self.assertEqual((crc.crc16_arc(b"", 0), crc.crc16_x25(b"", 0)), (0, 0))

    def test_only_n_bytes_count_and_the_rest_can_follow(self):
        for function in (crc.crc16_arc, crc.crc16_x25):
            whole = function(b"123456789", 9)
            self.assertEqual(function(bytearray(b"123456789xyz"), 9), whole)
            self.assertEqual(function(b"56789", 5, function(b"1234", 4)), whole)

    def test_the_fast_twin_agrees_with_the_specification(self):
        random.seed(2)
        for n in range(200):
            buf = bytearray(random.getrandbits(8) for _ in range(n % 40))
            for poly in (0xA001, 0x8408):
                start = random.getrandbits(16)
                expected = crc._reflected_py(buf, len(buf), start, poly)
                self.assertEqual(crc._reflected(memoryview(buf), len(buf), start, poly), expected)


if __name__ == "__main__":
    unittest.main()
