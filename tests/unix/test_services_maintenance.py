"""UC-02 below the wire: settings change all or not at all, and no secret goes out or comes in."""
# ruff: noqa: E402 - what is left of a text that was compiled is collected before the next one

from meterhub.services import maintenance  # isort: skip - the longest text to compile, while there is room

import gc
import json
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

gc.collect()
from upkeep_bench import ADM, Case  # isort: skip
from store_cuts import Cut, Flash

from meterhub import registration
from meterhub.errors import HubError
from meterhub.store import journal, settings


class Command:
    kid, role, ctr, h = ADM, "ADM", 1, "h"

    def __init__(self, cmd, arg):
        self.cmd, self.arg = cmd, arg


class SettingsTest(Case):
    def ask(self, cmd, arg=None):
        return maintenance.handle(self.hub, Command(cmd, arg or {})).data

    def test_wherever_the_power_is_cut_settings_and_version_have_changed_together_or_not_at_all(self):
        seen = []
        for changes in range(40):
            self.tearDown()
            self.setUp()
            before = self.ask("read.settings", {"names": ["name"]})
            try:
                with Flash(changes, False, journal):
                    self.ask("set.settings", {"settings": {"name": "kitchen"}})
                break
            except Cut:
                self.boot()
            found = self.ask("read.settings", {"names": ["name"]})
            kept = json.loads(self.hub.record("registration").load() or b'{"config": [0, ""]}')["config"]
            changed = found["settings"]["name"] == "kitchen"
            self.assertEqual(changed, found["hash"] != before["hash"])
            self.assertEqual(kept, [2, found["hash"]] if changed else [0, ""])
            seen.append(changed)
        self.assertTrue(True in seen and False in seen and changes > 6, (changes, seen))

    def test_what_does_not_fit_into_a_letter_is_asked_for_in_parts(self):
        # real documents are shorter; eight recipients are as long as it gets
        values = self.hub.settings.all()
        values["recipients"] = [{"kid": "k" * 60 + str(n), "name": "n" * 32, "key": "A" * 87} for n in range(8)]
        values["meters"] = [{"name": "n" * 30, "input": "i" * 30}] * 14
        self.hub.settings = settings.Settings(values)
        self.assertRaises(HubError, self.ask, "read.settings")
        self.assertEqual(list(self.ask("read.settings", {"names": ["zone"]})["settings"]), ["zone"])

    def test_a_secret_is_never_shown_and_never_taken(self):
        values = self.hub.settings.all()
        values["wifi.password"] = "correct horse"
        self.hub.settings = settings.Settings(values)
        shown = self.ask("read.settings", {"names": ["wifi."]})["settings"]
        self.assertEqual(shown["wifi.password"], True)
        for name in ("wifi.password", "wan.password"):
            self.assertRaises(HubError, self.ask, "set.settings", {"settings": {name: "new"}})

    def test_the_hash_is_of_the_values_whatever_their_order(self):
        one = {"b": [{"x": 1, "y": 2}], "a": "t"}
        other = {"a": "t", "b": [{"y": 2, "x": 1}]}
        self.assertEqual(registration.settings_hash(one), registration.settings_hash(other))
        self.assertEqual(registration.settings_hash({"a": "t"}), "pQ5FJMPusIsR")  # SHA-256 of a="t" and a line feed


if __name__ == "__main__":
    unittest.main()
