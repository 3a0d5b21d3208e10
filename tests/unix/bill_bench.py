"""A hub that is asked for private billing, for the tests of that."""

import unittest

import board_heap  # noqa: F401 - first
from export_bench import NOW, Hub, MemoryRecord, Recipient, claims_of

from meterhub.codec.timezone import Zone

REGS = ["1-0:1.8.0", "1-0:2.8.0"]
TODAY = NOW // 86400


def wish(**changes):
    fields = {"res": None, "until": NOW + 1000000}
    fields.update(changes)
    return fields


class Case(unittest.TestCase):
    def setUp(self):
        self.hub = Hub(400)
        self.hub.zone = Zone("UTC0")
        self.hub.profile.value_at = self.hub.profile.entry
        self.chain = MemoryRecord()
        self.hub.record = lambda name: self.chain
        self.recipient = Recipient(self.hub, "server")

    def bill(self, **changes):
        """Go through a request for private billing; return the claims of its end."""
        offer = self.recipient.until_pin("bill", **wish(**changes))
        return claims_of(self.hub.turn(self.recipient.proof(offer, self.hub.ihd.pin))[-1])

    def refused(self, name, what="bill", **changes):
        end = claims_of(self.hub.turn(self.recipient.request(what, **changes))[0])
        self.assertEqual((end["result"], end["error"]), ("refused", name))
