"""Who owns the hub: every refusal leaves it as it was."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from owner_samples import OTHER, ROOT, Fresh, certificate, settings
from store_folder import write

from meterhub.codec import base64url
from meterhub.crypto.steps import run
from meterhub.errors import StoreError


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
        self.assertEqual(self.refused(self.hub.open_settings("." * 8193)), "OVERSIZED jws")

    def test_settings_and_certificates_count_as_one_row(self):
        run(self.hub.adopt(certificate()))
        self.hub.put_settings(2, self.folder, b"{}", b"")
        self.assertEqual(self.refused(self.hub.adopt(certificate(seq=2))), "REPLAY seq")
        self.assertEqual(self.refused(self.hub.open_settings(settings(seq=2))), "REPLAY seq")


if __name__ == "__main__":
    unittest.main()
