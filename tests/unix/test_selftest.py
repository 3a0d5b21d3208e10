"""The self-test's own logic: known answers that notice a wrong result, and a source that is stuck."""

import asyncio
import os
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from store_folder import fresh, remove, write

from meterhub import lazy, selftest, wipe
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


class LazyTest(unittest.TestCase):
    def test_what_was_let_go_is_loaded_anew(self):
        lazy.let_go(("meterhub.codec.checkdigit",))
        before = lazy.loaded()
        from meterhub.codec import checkdigit

        names = lazy.loaded() - before
        self.assertIn("meterhub.codec.checkdigit", names)
        lazy.let_go(names)
        self.assertFalse("meterhub.codec.checkdigit" in sys.modules)
        self.assertFalse(hasattr(sys.modules["meterhub.codec"], "checkdigit"))
        from meterhub.codec import checkdigit as again

        self.assertFalse(again is checkdigit)
        self.assertTrue(again.append("1") == checkdigit.append("1"))

    def test_what_is_not_loaded_is_nothing_to_let_go(self):
        lazy.let_go(("meterhub.codec.never", "never"))


class WipeTest(unittest.TestCase):
    def test_everything_goes_but_the_mark(self):
        folder = fresh()
        os.mkdir(folder + "/profile")
        for name in ("identity.0", "wiping", "profile/2026-11.lp"):
            write(folder + "/" + name, b"x")
        wipe.empty(folder, "wiping")
        self.assertEqual(os.listdir(folder), ["wiping"])
        remove(folder)

    def test_what_the_chip_has_kept_goes_and_nothing_that_the_meters_told_is_saved_again(self):
        hub = WipedHub(fresh())
        write(hub.data_dir + "/wiping", b"")
        asyncio.run(wipe.run(hub))
        self.assertEqual((hub.did, hub.meters), (["erase", "restart"], []))
        self.assertEqual(os.listdir(hub.data_dir), ["journal"])
        remove(hub.data_dir)


class WipedHub:
    """A hub, its board, display, clock and what it keeps through a reset."""

    def __init__(self, folder):
        self.data_dir = folder
        self.board = self.ihd = self.clock = self.kept = self.journal = self
        self.listener = lambda kind, entry: None
        self.meters = ["p1"]
        self.did = []

    def notice(self, lines, seconds):
        pass

    def step(self):
        pass

    def now(self):
        return 0

    def held(self, name):
        return False

    def erase(self):
        self.did.append("erase")

    def restart(self):
        self.did.append("restart")


if __name__ == "__main__":
    unittest.main()
