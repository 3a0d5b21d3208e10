"""The data export, message by message: what goes through, and what does not (THREAT_MODEL.md, EX-01 .. EX-08)."""

import sys
import time
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from export_bench import NOW, Hub, Recipient, claims_of

from meterhub.codec import base64url
from meterhub.codec.load_profile import OPEN, Entry


def linked(count=200, mode="private"):
    hub = Hub(count)
    recipient = Recipient(hub, mode)
    recipient.mode = "server"
    recipient.link()
    recipient.mode = mode
    return hub, recipient


def full(kind, name, detail="", at=None):
    raise OSError(28)


class WholeFlowTest(unittest.TestCase):
    def whole(self, mode):
        hub, recipient = linked(200, mode)
        offer = recipient.until_pin("data")
        ack = hub.turn(recipient.proof(offer, hub.ihd.pin))[0]
        self.assertEqual(ack["cb"], base64url.encode(recipient.keys.confirm_theirs))
        self.expected = hub.profile.first

        def each(entry):
            self.assertTrue(entry == hub.profile.entry(self.expected))
            self.expected += 1800

        receipt = recipient.fetch(ack["chunks"], each)
        self.assertEqual(self.expected, NOW + 1800)
        self.assertEqual(receipt["entries"], 200)
        end = claims_of(hub.turn(recipient.done(ack["chunks"]))[-1])
        self.assertEqual(end["result"], "done")
        self.assertEqual(hub.journal.names("consent"), ["linked", "done"])

    def test_private_mode_carries_every_reading_and_a_receipt(self):
        self.whole("private")

    def test_server_mode_carries_every_reading_and_a_receipt(self):
        self.whole("server")

    def test_a_chunk_that_took_long_to_make_does_not_end_the_request(self):
        hub, recipient = linked()
        offer = recipient.until_pin("data")
        hub.turn(recipient.proof(offer, hub.ihd.pin))
        request = hub.export._open
        pack = request.stream.pack

        async def slowly(seq):
            chunk = await pack(seq)
            request.deadline = time.ticks_add(time.ticks_ms(), -1)
            return chunk

        request.stream.pack = slowly
        self.assertEqual([one["t"] for one in hub.turn(recipient.want(0))], ["chunk"])
        self.assertTrue(hub.export._open is request)

    def test_a_link_needs_the_pin_and_makes_a_consent(self):
        hub = Hub()
        recipient = Recipient(hub, "server")
        self.assertEqual(recipient.link()["result"], "linked")
        self.assertEqual([c["sub"] for c in hub.consents.live(NOW)], ["anna"])

    def test_a_link_that_cannot_be_logged_is_not_told_and_counts_as_soon_as_it_can(self):
        hub = Hub()
        recipient = Recipient(hub, "server")
        proof = recipient.proof(recipient.until_pin("link"), hub.ihd.pin)
        add, hub.journal.add = hub.journal.add, full
        self.assertRaises(OSError, hub.turn, proof)
        self.assertEqual((hub.sent, hub.consents.live(NOW), hub.ihd.pin), ([], [], ""))
        hub.journal.add = add
        end = claims_of(hub.turn(recipient.request("data", sub="berta"))[-1])
        self.assertEqual(end["error"], "NOT_LINKED")
        self.assertEqual(hub.journal.names("consent"), ["linked", "NOT_LINKED"])
        self.assertEqual([c["sub"] for c in hub.consents.live(NOW)], ["anna"])

    def test_days_carry_only_the_readings_at_the_days_ends(self):
        hub, recipient = linked(300)
        start = NOW - NOW % 86400 - 5 * 86400
        offer = recipient.until_pin("data", res="day", **{"from": start, "to": start + 4 * 86400})
        ack = hub.turn(recipient.proof(offer, hub.ihd.pin))[0]
        entries = []
        recipient.fetch(ack["chunks"], entries.append)
        self.assertEqual([e.at for e in entries], [start + n * 86400 for n in (1, 2, 3, 4)])

    def test_the_open_interval_comes_along_and_says_so(self):

        hub, recipient = linked(10)
        hub.intervals.open = Entry(NOW + 1800, OPEN, (5000000, None))
        offer = recipient.until_pin("data", to=NOW + 1800)
        ack = hub.turn(recipient.proof(offer, hub.ihd.pin))[0]
        entries = []
        recipient.fetch(ack["chunks"], entries.append)
        self.assertEqual(entries[-1], hub.intervals.open)

    def test_only_the_registers_asked_for_leave(self):
        hub, recipient = linked(10)
        offer = recipient.until_pin("data", regs=["1-0:2.8.0"])
        ack = hub.turn(recipient.proof(offer, hub.ihd.pin))[0]
        entries = []
        recipient.fetch(ack["chunks"], entries.append)
        self.assertEqual(entries[3].values, (hub.profile.entry(entries[3].at).values[1],))


if __name__ == "__main__":
    unittest.main()
