"""What a press means, and a consent that ends while something of it is under way."""

import asyncio
import json
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from export_bench import NOW, Hub, Recipient, claims_of

from meterhub.codec import base64url


class EndedTest(unittest.TestCase):
    def setUp(self):
        self.hub = Hub(200)
        self.one = Recipient(self.hub, "server")
        self.one.link()

    def drain(self):
        async def go():
            while True:
                item = await self.hub.export._inbox.take(0)
                if item is None:
                    return
                await self.hub.export.turn(item)

        asyncio.run(go())

    def post(self, message):
        self.hub.export.post(json.dumps(message).encode())

    def consent(self):
        return self.hub.consents.find("coop", "anna")

    def test_a_yes_is_for_the_request_that_was_on_the_display(self):
        self.hub.turn(self.one.request("data", res="day"))
        self.post({"t": "cancel", "rid": self.one.rid, "h": base64url.encode(self.one.h)})
        self.post(self.one.request("data", res="half-hour"))
        self.hub.export.post("accept")  # the page of the first is still on: the applet has not come to its end
        self.drain()
        request = self.hub.export._open
        self.assertEqual((request.claims["res"], request.state), ("half-hour", "asked"))
        self.hub.export.post("accept")
        self.drain()
        self.assertEqual(request.state, "offered")

    def test_what_the_household_ends_is_heard_however_much_has_come(self):
        for _ in range(9):
            self.hub.export.post(b'{"t":"want"}')
        self.hub.export.post(self.consent())
        self.drain()
        self.assertTrue(self.consent()["ended"])

    def test_nothing_more_is_sent_when_its_recipient_ends_the_link(self):
        offer = self.one.until_pin("data")
        token, rid, h = self.one.token, self.one.rid, self.one.h
        end = self.hub.turn(self.one.request("revoke", of="link"))
        self.assertEqual(claims_of(end[-1])["result"], "revoked")
        self.one.token, self.one.rid, self.one.h = token, rid, h
        self.hub.turn(self.one.proof(offer, self.hub.ihd.pin))
        self.assertFalse("chunk" in [message["t"] for message in self.hub.turn(self.one.want(0))])

    def test_nothing_more_is_sent_when_the_end_cannot_be_written(self):
        offer = self.one.until_pin("data")
        self.hub.turn(self.one.proof(offer, self.hub.ihd.pin))

        def full(raw):
            raise OSError(28)

        self.hub.records[1].save = full
        self.assertRaises(OSError, self.hub.turn, self.consent())
        self.assertFalse("chunk" in [message["t"] for message in self.hub.turn(self.one.want(0))])

    def test_what_was_sent_is_not_denied(self):
        offer = self.one.until_pin("data")
        ack = self.hub.turn(self.one.proof(offer, self.hub.ihd.pin))[0]
        for seq in range(ack["chunks"]):
            self.hub.turn(self.one.want(seq))
        self.hub.turn(self.consent())
        self.assertTrue("sending has ended" in str(self.hub.ihd.shown[-1]), self.hub.ihd.shown)

    def test_no_consent_lasts_until_a_year_that_the_display_cannot_say(self):
        before = len(self.hub.ihd.shown)
        self.hub.turn(self.one.request("link", until=NOW + 101 * 365 * 86400))
        self.assertEqual(len(self.hub.ihd.shown), before)


if __name__ == "__main__":
    unittest.main()
