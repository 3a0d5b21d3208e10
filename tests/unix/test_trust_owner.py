"""Who owns the hub: every refusal leaves it as it was, and a power cut leaves the old settings or the new ones."""

import gc
import json
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from store_cuts import Cut, Flash
from store_folder import fresh, read, remove, write

from meterhub.codec import base64url
from meterhub.crypto import ecdsa, p256
from meterhub.crypto.drbg import Drbg
from meterhub.crypto.steps import run
from meterhub.errors import HubError, StoreError
from meterhub.store import files, transaction
from meterhub.store.record import Record
from meterhub.trust import owner
from meterhub.trust.identity import Identity

DRBG = Drbg(b"\x09" * 48)


def key():
    scalar = DRBG.scalar()
    return Identity(scalar, p256.encode_point(run(ecdsa.public_point(scalar))), DRBG)


HUB, ROOT, OTHER = key(), key(), key()
CA = b"\x30\x82" + b"c" * 40


def certificate(signer=ROOT, typ="mh-cert", **changes):
    claims = {"v": 1, "hub": HUB.hub, "key": base64url.encode(HUB.public), "seq": 1, "name": "home", "at": 1790000000}
    claims["root"] = base64url.encode(ROOT.public)
    return signed(signer, typ, claims, changes)


def settings(signer=ROOT, typ="mh-settings", **changes):
    return signed(signer, typ, {"v": 1, "hub": HUB.hub, "seq": 2, "settings": {"schema": 1}}, changes)


def signed(signer, typ, claims, changes):
    for name in changes:
        if changes[name] is None:
            claims.pop(name)
        else:
            claims[name] = changes[name]
    return run(signer.sign(typ, claims))


class Fresh(unittest.TestCase):
    def setUp(self):
        self.folder = fresh()
        self.record = Record(self.folder + "/owner")
        self.hub = self.again()

    def tearDown(self):
        remove(self.folder)

    def again(self):
        return owner.Owner(Record(self.folder + "/owner"), HUB.hub, HUB.public)

    def refused(self, steps):
        before = (self.hub.root, self.hub.seq)
        try:
            run(steps)
        except HubError as err:
            self.assertEqual((self.hub.root, self.hub.seq), before)
            self.assertEqual((self.again().root, self.again().seq), before)
            return err.name + " " + err.field
        self.fail("not refused")


class CertificateTest(Fresh):
    def test_a_new_hub_has_no_owner(self):
        self.assertEqual((self.hub.root, self.hub.kid, self.hub.seq), (b"", "", 0))

    def test_a_new_hub_believes_the_root_that_signs_for_itself(self):
        run(self.hub.adopt(certificate()))
        for known in (self.hub, self.again()):
            self.assertEqual((known.root, known.kid, known.seq), (ROOT.public, ROOT.hub, 1))

    def test_every_certificate_that_does_not_fit_is_refused_by_name(self):
        for token, name in (
            ("x", "MALFORMED jws"),
            (certificate() + "A" * 2048, "OVERSIZED jws"),
            (certificate(typ="mh-settings"), "MALFORMED typ"),
            (certificate(v=2), "INVALID_VALUE v"),
            (certificate(seq=0), "INVALID_VALUE seq"),
            (certificate(seq=1 << 30), "INVALID_VALUE seq"),
            (certificate(seq=True), "MALFORMED seq"),
            (certificate(seq=None), "MALFORMED seq"),
            (certificate(name=None), "MALFORMED name"),
            (certificate(name="n" * 65), "MALFORMED name"),
            (certificate(at="now"), "MALFORMED at"),
            (certificate(key=None), "MALFORMED key"),
            (certificate(root="AAAA"), "MALFORMED root"),
            (certificate(root=base64url.encode(b"\x04" + b"\x01" * 64)), "BAD_POINT "),
            (certificate(signer=OTHER), "NOT_AUTHENTIC root"),
            (certificate()[:-4] + "AAAA", "NOT_AUTHENTIC root"),
            (certificate(hub=OTHER.hub), "WRONG_HUB hub"),
            (certificate(key=base64url.encode(OTHER.public)), "WRONG_HUB key"),
        ):
            self.assertEqual(self.refused(self.hub.adopt(token)).strip(), name.strip())

    def test_a_signature_under_a_stolen_kid_is_refused(self):
        head, claims, _ = certificate().split(".")
        _, _, signature = certificate(signer=OTHER).split(".")
        self.assertEqual(self.refused(self.hub.adopt(".".join((head, claims, signature)))), "NOT_AUTHENTIC root")

    def test_an_owned_hub_takes_a_newer_certificate_of_its_root_only(self):
        run(self.hub.adopt(certificate(seq=5)))
        mine = base64url.encode(OTHER.public)
        self.assertEqual(self.refused(self.hub.adopt(certificate(OTHER, root=mine, seq=6))), "NOT_AUTHENTIC root")
        self.assertEqual(self.refused(self.hub.adopt(certificate(seq=5))), "REPLAY seq")
        self.assertEqual(self.refused(self.hub.adopt(certificate(seq=4))), "REPLAY seq")
        run(self.hub.adopt(certificate(seq=6)))
        self.assertEqual(self.again().seq, 6)

    def test_the_old_root_hands_the_hub_over_and_has_nothing_more_to_say(self):
        run(self.hub.adopt(certificate()))
        run(self.hub.adopt(certificate(root=base64url.encode(OTHER.public), seq=2)))
        self.assertEqual(self.again().kid, OTHER.hub)
        self.assertEqual(self.refused(self.hub.adopt(certificate(seq=3))), "NOT_AUTHENTIC root")
        self.assertEqual(self.refused(self.hub.open_settings(settings(seq=3))), "NOT_AUTHENTIC root")

    def test_a_damaged_record_is_no_hub_without_owner(self):
        run(self.hub.adopt(certificate()))
        for slot in (".0", ".1"):
            write(self.folder + "/owner" + slot, b"MHR1 damaged")
        self.assertRaises(StoreError, self.again)


class SettingsTest(Fresh):
    def test_nobody_configures_a_hub_without_owner_by_signature(self):
        self.assertEqual(self.refused(self.hub.open_settings(settings())), "NOT_AUTHENTIC root")

    def test_signed_settings_are_opened_and_nothing_is_changed_by_that(self):
        run(self.hub.adopt(certificate()))
        ca = "MIJj" + "Y2Nj" * 13
        seq, document, der = run(self.hub.open_settings(settings(ca=ca)))
        self.assertEqual((seq, document, der[:2]), (2, {"schema": 1}, b"\x30\x82"))
        self.assertEqual(self.again().seq, 1)

    def test_every_document_that_does_not_fit_is_refused_by_name(self):
        run(self.hub.adopt(certificate()))
        for token, name in (
            (settings(typ="mh-cert"), "MALFORMED typ"),
            (settings(settings=[]), "MALFORMED settings"),
            (settings(settings=None), "MALFORMED settings"),
            (settings(ca=5), "MALFORMED ca"),
            (settings(ca="A"), "MALFORMED ca"),
            (settings(ca="LS0tLQ=="), "MALFORMED ca"),  # PEM
            (settings(signer=OTHER), "NOT_AUTHENTIC root"),
            (settings(hub=OTHER.hub), "WRONG_HUB hub"),
            (settings(seq=1), "REPLAY seq"),
        ):
            self.assertEqual(self.refused(self.hub.open_settings(token)), name)

    def test_what_is_longer_than_the_tray_is_not_looked_at(self):
        gc.collect()  # 8 KB in one piece
        self.assertEqual(self.refused(self.hub.open_settings("." * 8193)), "OVERSIZED jws")

    def test_settings_and_certificates_count_as_one_row(self):
        run(self.hub.adopt(certificate()))
        self.hub.put_settings(2, self.folder, b"{}", b"")
        self.assertEqual(self.refused(self.hub.adopt(certificate(seq=2))), "REPLAY seq")
        self.assertEqual(self.refused(self.hub.open_settings(settings(seq=2))), "REPLAY seq")


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
