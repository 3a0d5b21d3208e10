"""Private billing on the hub: what is no receipt of a batch changes nothing."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from billing_bench import DAY, OTHER, Case, Full, receipt

HOURS = range(25)


class ReceiptsTest(Case):
    def setUp(self):
        super().setUp()
        self.read(HOURS)
        (self.batch,) = self.work(24)

    def refused(self, raw, name):
        self.boot()  # a journal takes a few such entries a minute
        self.hub.inbox.put(raw)
        self.hub.wan.is_up = False
        self.work(24)
        self.assertEqual(self.hub.refused()[-1:], [name] if name else [])
        self.assertEqual(self.hub.chain().day, DAY)

    def test_what_is_no_receipt_changes_nothing(self):
        day, digest = DAY, self.batch.digest()
        self.refused(b"", "MALFORMED batch jws")
        self.refused(b"\xff\xfe", "MALFORMED batch jws")
        self.refused(receipt(day, digest, typ="mh-stored"), "MALFORMED batch typ")
        self.refused(receipt(day, digest, v=2), "INVALID_VALUE batch v")
        self.refused(receipt(day, digest, day="1"), "MALFORMED batch day")
        self.refused(receipt(day, digest[:31]), "MALFORMED batch digest")
        self.refused(receipt(day, digest, at=-1), "INVALID_VALUE batch at")
        self.refused(receipt(day, digest, hub=OTHER.hub), "WRONG_HUB batch hub")
        self.refused(receipt(day, digest, kid="nobody"), "UNKNOWN_RECIPIENT batch kid")
        self.refused(receipt(day, digest, OTHER, kid="other"), "UNKNOWN_RECIPIENT batch kid")
        self.refused(receipt(day + 1, digest), "WRONG_REQUEST batch digest")
        self.refused(receipt(day, bytes(32)), "WRONG_REQUEST batch digest")
        self.refused(receipt(day, digest, OTHER), "NOT_AUTHENTIC batch jws")

    def test_nobody_outside_orders_many_verifications(self):
        bad = receipt(DAY, self.batch.digest(), OTHER)
        for _ in range(4):
            self.hub.inbox.put(bad)
        self.work(24)
        self.hub.inbox.put(bad)
        self.work(24)
        self.assertEqual(self.hub.refused(), 4 * ["NOT_AUTHENTIC batch jws"] + ["RATE_LIMITED batch jws"])

    def test_a_receipt_that_cannot_be_saved_is_none(self):
        self.answer(self.batch)
        self.hub.record = lambda name, found=self.hub.record: Full(found(name))
        self.assertRaises(OSError, self.hub.work)
        self.assertEqual(self.hub.chain().day, DAY)


if __name__ == "__main__":
    unittest.main()
