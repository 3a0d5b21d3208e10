"""A wipe leaves nothing of the owner; what is let go is loaded anew."""

import asyncio
import os
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from store_folder import fresh, remove, write

from meterhub import lazy, wipe


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
        wipe.empty(folder, ("wiping",))
        self.assertEqual(os.listdir(folder), ["wiping"])
        remove(folder)

    def test_whether_the_supply_may_be_on_outlives_it(self):
        hub = WipedHub(fresh())
        for name in ("wiping", "supply.0", "supply.1", "owner.0"):
            write(hub.data_dir + "/" + name, b"x")
        asyncio.run(wipe.run(hub))
        self.assertEqual(sorted(os.listdir(hub.data_dir)), ["journal", "supply.0", "supply.1"])
        remove(hub.data_dir)

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
