"""The self-test's own logic: known answers that notice a wrong result, and a source that is stuck."""

import os
import unittest

from meterhub import selftest
from meterhub.crypto import known_answers
from meterhub.crypto.steps import run


class KnownAnswersTest(unittest.TestCase):
    def test_each_primitive_gives_what_its_standard_says(self):
        for name, test in known_answers.ALL:
            self.assertEqual((name, run(test())), (name, True))
        self.assertTrue(run(selftest._crc()))

    def test_a_wrong_hash_is_noticed_by_all_that_rest_on_it(self):
        class Wrong:
            def __init__(self, data=b""):
                self._real = real(data)

            def update(self, data):
                self._real.update(data)

            def digest(self):
                return bytes([byte ^ 1 for byte in self._real.digest()])

        hashlib = known_answers.hashlib
        real, hashlib_was = hashlib.sha256, known_answers.hashlib
        known_answers.hashlib = type("Broken", (), {"sha256": Wrong})
        try:
            self.assertFalse(run(known_answers.sha256()))
            self.assertFalse(run(known_answers.ecdsa()))
        finally:
            known_answers.hashlib = hashlib_was

    def test_a_wrong_multiplication_is_noticed(self):
        from meterhub.crypto import p256

        right = p256.mul_jacobian
        p256.mul_jacobian = lambda k, point: right(k + 1, point)
        try:
            self.assertFalse(run(known_answers.ecdh()))
            self.assertFalse(run(known_answers.spake2()))
        finally:
            p256.mul_jacobian = right


class SourceTest(unittest.TestCase):
    def test_twenty_one_in_a_row_are_too_many(self):
        self.assertFalse(selftest.is_stuck(b"ab" * 500 + b"a" * 19))
        self.assertFalse(selftest.is_stuck(b"b" * 20 + b"a" * 20))
        self.assertTrue(selftest.is_stuck(b"xyz" + b"a" * 21))
        self.assertTrue(selftest.is_stuck(bytes(1024)))

    def test_the_system_s_source_passes(self):
        self.assertFalse(selftest.is_stuck(os.urandom(1024)))


if __name__ == "__main__":
    unittest.main()
