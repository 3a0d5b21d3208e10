"""A hub, the root that owns it and a stranger, and what they sign."""

import unittest

from store_folder import fresh, remove

from meterhub.codec import base64url
from meterhub.crypto import ecdsa, p256
from meterhub.crypto.drbg import Drbg
from meterhub.crypto.steps import run
from meterhub.errors import HubError
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
