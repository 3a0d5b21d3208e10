"""The messages of the outbox: bounded, and every field checked."""

import unittest

from meterhub.crypto import ecdsa, p256
from meterhub.crypto.drbg import Drbg
from meterhub.crypto.steps import run
from meterhub.errors import HubError
from meterhub.trust import items
from meterhub.trust.identity import Identity

DRBG = Drbg(b"\x0b" * 48)
AT = 1760000400
SCALAR = DRBG.scalar()
HUB = Identity(SCALAR, p256.encode_point(run(ecdsa.public_point(SCALAR))), DRBG)


class MessageTest(unittest.TestCase):
    def items(self, typ="mh-items", **changes):
        claims = {"v": 1, "hub": HUB.hub, "to": HUB.hub, "box": "01020304", "at": AT, "dropped": [0, 2]}
        claims["items"] = [[3, AT, "METER_SILENT", "main"], [9, 0, "outage", ""]]
        claims.update(changes)
        return run(HUB.sign(typ, claims))

    def test_items_are_bounded_and_checked(self):
        self.assertEqual(items.items_claims(self.items())["items"][1], [9, 0, "outage", ""])
        one = [1, AT, "X", ""]
        for token, name in (
            (self.items(typ="mh-stored"), "MALFORMED: typ"),
            (self.items(v=2), "INVALID_VALUE: v"),
            (self.items(box=""), "MALFORMED: box"),
            (self.items(dropped=[1]), "MALFORMED: dropped"),
            (self.items(dropped=[1, -1]), "INVALID_VALUE: dropped"),
            (self.items(items=[]), "MALFORMED: items"),
            (self.items(items=[one] * 17), "MALFORMED: items"),
            (self.items(items=["x"]), "MALFORMED: items"),
            (self.items(items=[one[:3]]), "MALFORMED: items"),
            (self.items(items=[one, one]), "INVALID_VALUE: id"),
            (self.items(items=[[0, AT, "X", ""]]), "INVALID_VALUE: id"),
            (self.items(items=[[1, AT, "", ""]]), "MALFORMED: name"),
            (self.items(items=[[1, -1, "X", ""]]), "INVALID_VALUE: at"),
            (self.items(items=[[1, AT, "X", "d" * 161]]), "MALFORMED: detail"),
        ):
            try:
                items.items_claims(token)
            except HubError as err:
                self.assertEqual(str(err), name)
                continue
            self.fail(name)


if __name__ == "__main__":
    unittest.main()
