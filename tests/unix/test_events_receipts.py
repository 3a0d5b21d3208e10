"""Receipts: what does not fit is refused by name and changes nothing."""

import asyncio
import json
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from events_bench import HUB, OTHER, Case, impatient

from meterhub.codec import base64url
from meterhub.errors import HubError
from meterhub.store import files
from meterhub.trust import identity


class ReceiptTest(Case):
    def setUp(self):
        super().setUp()
        self.hub.journal.add("event", "METER_SILENT", "1")
        self.hub.wan.far = lambda token: None
        self.hub.events.deliver()
        self.sender = self.hub.events._sender
        impatient(self.sender)
        asyncio.run(self.sender._send(self.hub.events.outbox.oldest(9, 999)))
        self.hub.journal.add("event", "METER_SILENT", "2")

    def refusal(self, payload):
        self.sender._bucket._left = 4
        before = [(name, files.read(self.folder + "/outbox/" + name, 5000)) for name in self.names()]
        try:
            asyncio.run(self.sender._carry_out(payload))
        except HubError as err:
            after = [(name, files.read(self.folder + "/outbox/" + name, 5000)) for name in self.names()]
            self.assertEqual(before, after)
            self.assertEqual(self.hub.events.outbox.acknowledged, 0)
            return str(err)
        self.fail("not refused")

    def names(self):
        return files.names(self.folder + "/outbox")

    def test_every_receipt_that_does_not_fit_is_refused_by_name_and_changes_nothing(self):
        good = self.receipt(1)
        head, claims, signature = good.decode().split(".")
        forged = base64url.encode(
            json.dumps({"v": 1, "hub": HUB.hub, "box": self.hub.events.box, "id": 1, "at": 9}).encode()
        )
        for payload, name in (
            (b"", "MALFORMED: jws"),
            (b"\xff\xfe", "MALFORMED: jws"),
            (b"{}", "MALFORMED: jws"),
            (good + b"A" * 1024, "OVERSIZED: jws"),
            (self.receipt(1, typ="mhx-request"), "MALFORMED: typ"),
            (self.receipt(1, v=2), "INVALID_VALUE: v"),
            (self.receipt(True), "MALFORMED: id"),
            (self.receipt("1"), "MALFORMED: id"),
            (self.receipt(0), "INVALID_VALUE: id"),
            (self.receipt(1, box=7), "MALFORMED: box"),
            (self.receipt(1, signer=OTHER), "UNKNOWN_RECIPIENT: kid"),
            (self.receipt(1, hub=OTHER.hub), "WRONG_HUB: hub"),
            (self.receipt(1, box="00000000"), "WRONG_REQUEST: box"),
            (self.receipt(2), "OUT_OF_RANGE: id"),  # it has not been sent
            (".".join((head, forged, signature)).encode(), "NOT_AUTHENTIC: jws"),
            ((head + "." + claims + "." + "A" * 86).encode(), "NOT_AUTHENTIC: jws"),
        ):
            self.assertEqual(self.refusal(payload), name)
        asyncio.run(self.sender._carry_out(good))
        self.assertEqual(self.hub.events.outbox.acknowledged, 1)

    def test_a_receipt_that_comes_again_is_journalled_and_changes_nothing(self):
        good = self.receipt(1)
        self.sender.post(good)
        self.assertTrue(asyncio.run(self.sender._receipt(1)))
        self.sender.post(good)
        self.assertFalse(asyncio.run(self.sender._receipt(1)))
        self.hub.events._sender = None
        self.hub.events.receipt(good)
        self.assertEqual(self.hub.refused(), ["REPLAY receipt id", "REPLAY receipt"])
        self.assertEqual(self.hub.events.outbox.acknowledged, 1)

    def test_nobody_orders_many_verifications(self):
        forged = self.receipt(1)[:-4] + b"AAAA"
        for _ in range(4):
            self.assertRaises(HubError, asyncio.run, self.sender._carry_out(forged))
        try:
            asyncio.run(self.sender._carry_out(forged))
        except HubError as err:
            self.assertEqual(err.name, "RATE_LIMITED")
        for _ in range(9):
            self.sender.post(forged)
        self.assertEqual(self.hub.refused()[-1], "RATE_LIMITED receipt")

    def test_what_is_too_long_is_not_even_kept(self):
        self.sender.post(b"A" * 1025)
        self.assertEqual(self.hub.refused(), ["OVERSIZED receipt"])
        self.assertEqual(self.sender._inbox._items, [])

    def test_what_comes_when_all_is_acknowledged_is_journalled(self):
        self.hub.journal.add("event", "METER_SILENT", "3")
        self.hub.wan.is_up = False
        self.sender.post(self.receipt(1, signer=OTHER))
        asyncio.run(self.sender.run())
        self.assertEqual(self.hub.refused(), ["REPLAY receipt"])

    def test_a_receipt_for_an_outbox_emptied_meanwhile_lets_nothing_go(self):
        steps = self.sender._carry_out(self.receipt(1))
        box = self.hub.events.outbox
        verify = identity.verify

        def slow(public, token):
            box.empty(self.hub.journal.end("event"))
            self.hub.journal.add("event", "METER_SILENT", "of another life")
            return (yield from verify(public, token))

        identity.verify = slow
        try:
            self.assertRaises(HubError, asyncio.run, steps)
        finally:
            identity.verify = verify
        self.assertEqual(box.acknowledged, 0)
        self.assertTrue(box.pending)


if __name__ == "__main__":
    unittest.main()
