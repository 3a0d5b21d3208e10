"""The supplier removes a PIN that the household has forgotten: the PIN goes and a message comes, or neither."""

import json
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

import store_cuts
import store_folder
from notices_bench import Hub, fresh, name_of

from meterhub.store import files, transaction


class PrivacyTest(unittest.TestCase):
    def setUp(self):
        self.begin()

    def begin(self):
        self.hub = fresh()
        self.hub.settings._values["household.pin"] = "h1.x"
        self.hub.ihd.guard = "1234"
        for name in ("settings.json", "settings.json.good"):
            files.replace(self.hub.board.data_dir + "/" + name, b'{"schema": 1, "household": {"pin": "h1.x"}}')

    def tearDown(self):
        store_folder.remove(self.hub.board.data_dir)

    def pins(self):
        """The PIN in both documents."""
        path = self.hub.board.data_dir + "/settings.json"
        return [json.loads(store_folder.read(path + more))["household"]["pin"] for more in ("", ".good")]

    def remove(self, arg=None):
        return self.hub.command("SUP", "disable.privacy_pin", arg or {})

    def test_it_is_removed_and_the_household_hears_of_it(self):
        self.assertEqual(name_of(self.remove, {"all": 1}), ("MALFORMED", "arg.all"))
        self.hub.ihd.works = False  # it may wait for a display
        self.assertEqual(self.remove(), ("done", {}))
        self.assertEqual((self.hub.ihd.guard, self.hub.settings.get("household.pin")), (None, ""))
        self.assertEqual(self.pins(), ["", ""])
        self.hub.ihd.works = True
        self.hub.second()
        self.assertEqual((self.hub.notices.message(1).title, self.hub.model.alert), ("PIN removed", 1))
        self.assertEqual(name_of(self.remove), ("WRONG_STATE", "household.pin"))

    def test_a_power_cut_removes_it_and_says_so_or_neither(self):
        seen = []
        while True:
            store_folder.remove(self.hub.board.data_dir)
            self.begin()
            ended = False
            try:
                with store_cuts.Flash(len(seen), False, transaction, sys.modules["meterhub.store.journal"]):
                    self.remove()
                    ended = True
            except store_cuts.Cut:
                pass
            self.hub = Hub(self.hub.board.data_dir)
            self.hub.second()
            removed = self.pins() == ["", ""]
            self.assertTrue(removed or self.pins() == ["h1.x", "h1.x"])
            self.assertEqual(self.hub.notices.message(1) is not None, removed)
            seen.append(removed)
            if ended:
                break
        self.assertEqual((seen[0], seen[-1]), (False, True))


if __name__ == "__main__":
    unittest.main()
