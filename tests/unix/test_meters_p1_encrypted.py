"""P1 telegrams in an encrypted envelope: what is opened, and what is refused."""

import gc
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from meters_samples import AT, feed, telegram
from p1_encrypted_samples import AUTH, GOOD, KEY, TITLE, TRUTH, envelope

from meterhub.crypto.gcm import GCM
from meterhub.meters.p1_encrypted import EncryptedP1Decoder


class EncryptedTest(unittest.TestCase):
    def setUp(self):
        self.p1 = None
        self.fresh()

    def fresh(self, key=KEY, auth=AUTH):
        """Return a new decoder; there is room for one in a small heap."""
        self.p1 = None
        gc.collect()
        self.p1 = EncryptedP1Decoder(key, auth)
        return self.p1

    def test_a_telegram_is_that_of_the_text_inside(self):
        (found,) = feed(self.p1, envelope())
        self.assertTrue(found == TRUTH and found.at == AT)
        self.assertEqual(self.p1.errors, {})

    def test_lengths_of_one_two_and_three_bytes(self):
        for fill in (0, 60, 200):
            text = telegram(("0-0:96.13.0(" + "4" * fill + ")",))
            (found,) = feed(self.fresh(), envelope(text))
            self.assertEqual(found.version, "")

    def test_a_wrong_key_tag_or_authentication_key_is_not_authentic(self):
        good = envelope()
        for key, auth, data in (
            (AUTH, AUTH, good),
            (KEY, KEY, good),
            (KEY, AUTH, good[:-1] + bytes((good[-1] ^ 1,))),
        ):
            self.assertEqual(feed(self.fresh(key, auth), data), [])
            self.assertEqual(self.p1.errors, {"not authentic": 1})

    def test_a_telegram_without_tag_is_refused_where_tags_are_checked(self):
        self.assertEqual(feed(self.p1, envelope(control=0x20)), [])
        self.assertEqual(self.p1.errors, {"not authentic": 1})

    def test_without_an_authentication_key_the_crc_inside_decides(self):
        p1 = self.fresh(KEY, None)
        self.assertTrue(feed(p1, envelope() + envelope(counter=2, control=0x20)) == [TRUTH, TRUTH])
        damaged = bytearray(envelope())
        damaged[60] ^= 1
        self.assertEqual(feed(p1, bytes(damaged)), [])
        self.assertEqual(p1.errors, {"crc": 1})

    def test_a_text_that_is_signed_and_not_encrypted(self):
        body = b"\x10" + b"\x00\x00\x00\x01" + GOOD
        tag = GCM(KEY).seal(TITLE + body[1:5], b"\x10" + AUTH + GOOD, bytearray())[:12]
        frame = b"\xdb\x08" + TITLE + b"\x82" + (len(body) + 12).to_bytes(2, "big") + body
        self.assertTrue(feed(self.p1, frame + tag) == [TRUTH])
        self.assertEqual(feed(self.fresh(), frame + bytes(12)), [])
        self.assertEqual(self.p1.errors, {"not authentic": 1})

    def test_a_counter_that_does_not_go_up_is_a_replay(self):
        feed(self.p1, envelope(counter=5))
        for counter in (5, 4, 0):
            self.assertEqual(feed(self.p1, envelope(counter=counter)), [])
        self.assertEqual(self.p1.errors, {"replay": 3})
        self.assertEqual(len(feed(self.p1, envelope(counter=6))), 1)

    def test_a_forged_counter_does_not_move_it(self):
        forged = bytearray(envelope(counter=1))
        forged[14] = 0xFF
        feed(self.p1, bytes(forged))
        self.assertEqual(len(feed(self.p1, envelope(counter=2))), 1)

    def test_another_meter_has_a_counter_of_its_own(self):
        feed(self.p1, envelope(counter=5))
        self.assertEqual(len(feed(self.p1, envelope(counter=1, title=b"OTHER..."))), 1)

    def test_without_a_key(self):
        p1 = self.fresh(None)
        self.assertEqual(feed(p1, envelope() + envelope()), [])
        self.assertEqual(p1.errors, {"key missing": 2})

    def test_what_is_not_supported(self):
        for control in (0x00, 0xB0, 0x3F):
            feed(self.fresh(), envelope(control=control))
            self.assertEqual(self.p1.errors, {"unsupported security": 1})


if __name__ == "__main__":
    unittest.main()
