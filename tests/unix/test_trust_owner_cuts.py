"""A power cut leaves the owner's old settings or the new ones, whole."""

import json
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from owner_samples import CA, Fresh, certificate
from store_cuts import Cut, Flash
from store_folder import read, write

from meterhub.crypto.steps import run
from meterhub.store import files, transaction
from meterhub.trust import owner


class PowerCutTest(Fresh):
    def setUp(self):
        super().setUp()
        run(self.hub.adopt(certificate()))
        self.hub.put_settings(2, self.folder, b'{"old": 1}', b"")
        self.new = json.dumps({"ca": owner.ca_name(CA)}).encode()

    def start(self):
        """What a start does; return (settings, seq)."""
        transaction.finish(self.folder)
        self.assertFalse(transaction.is_pending(self.folder))
        self.assertFalse(files.exists(self.folder + "/settings.json.next"))
        return read(self.folder + "/settings.json"), self.again().seq

    def test_wherever_the_power_is_cut_all_of_it_counts_or_nothing(self):
        seen = []
        for torn in (False, True):
            for changes in range(30):
                self.tearDown()
                self.setUp()
                try:
                    with Flash(changes, torn):
                        self.again().put_settings(3, self.folder, self.new, CA)
                    break
                except Cut:
                    found = self.start()
                seen.append(found)
                self.assertIn(found, ((b'{"old": 1}', 2), (self.new, 3)))
                if found[1] == 3:
                    self.assertEqual(read(self.folder + "/" + owner.ca_name(CA)), CA)
                else:  # the same document is good for a second try
                    self.again().put_settings(3, self.folder, self.new, CA)
                    self.assertEqual(self.start(), (self.new, 3))
            self.assertEqual(self.start(), (self.new, 3))
        self.assertTrue(len(seen) >= 12)
        self.assertEqual(len(set(seen)), 2)

    def test_a_cut_while_a_start_ends_it_is_no_different(self):
        for changes in range(2):
            self.tearDown()
            self.setUp()
            write(self.folder + "/settings.json.next", b'{"never": 1}')
            try:
                with Flash(changes, False):
                    transaction.finish(self.folder)
            except Cut:
                pass
            self.assertEqual(self.start(), (b'{"old": 1}', 2))

    def test_the_same_document_sent_again_does_not_count_before_its_number_does(self):
        self.hub.put_settings(3, self.folder, self.new, CA)
        write(self.folder + "/settings.json", b'{"changed": 1}')
        for changes in range(30):
            try:
                with Flash(changes, False):
                    self.again().put_settings(4, self.folder, self.new, CA)
                break
            except Cut:
                settings, seq = self.start()
                self.assertEqual(settings == self.new, seq == 4)
                if seq == 4:
                    break

    def test_the_cas_of_before_are_removed(self):
        for name in ("ca-00000000.der", "ca.der", owner.ca_name(CA)):
            write(self.folder + "/" + name, b"")
        owner.remove_old_cas(self.folder, owner.ca_name(CA))
        self.assertFalse(files.exists(self.folder + "/ca-00000000.der"))
        self.assertTrue(files.exists(self.folder + "/ca.der"))
        self.assertTrue(files.exists(self.folder + "/" + owner.ca_name(CA)))


if __name__ == "__main__":
    unittest.main()
