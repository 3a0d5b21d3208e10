"""The data export, asked for the keys of private billing: of which days, and to whom."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from bill_bench import NOW, REGS, TODAY, Case

from meterhub.codec import billing
from meterhub.crypto.pedersen import day_key
from meterhub.trust import bill_chain


class KeysTest(Case):
    def setUp(self):
        super().setUp()
        self.recipient.link()
        self.bill()
        state = bill_chain.Chain(self.chain)
        state.begin(self.hub.consents.bill(), b"c" * 16, TODAY - 5, ("", ""))
        state.keep_made(bytes(32), bill_chain.Before((1, 2), NOW, ("", "")), 1)
        state.receipted()
        state.keep_made(bytes(32), bill_chain.Before((1, 2), NOW, ("", "")), 1)

    def fetch(self, start, stop, **changes):
        """Return the keys that come with the readings from day `start` to `stop`, and the types of all chunks."""
        limits = {"from": start * 86400, "to": stop * 86400, "keys": True}
        limits.update(changes)
        offer = self.recipient.until_pin("data", **limits)
        ack = self.hub.turn(self.recipient.proof(offer, self.hub.ihd.pin))[0]
        found, types = [], []
        for seq in range(ack["chunks"]):
            header, plain = self.recipient.open_chunk(self.hub.turn(self.recipient.want(seq))[0])
            types.append(header["typ"])
            if header["typ"] == "mhx-keys":
                found.append(billing.keys_of(plain))
        self.hub.turn(self.recipient.want(ack["chunks"]))
        self.hub.turn(self.recipient.done(ack["chunks"]))
        return found, types

    def test_the_keys_of_whole_days_with_batches_come_after_the_readings(self):
        found, types = self.fetch(TODAY - 7, TODAY)
        self.assertEqual(types, ["mhx-series"] * 3 + ["mhx-keys"])
        _, chain, keys = found[0]
        self.assertEqual((chain, sorted(keys)), (b"c" * 16, [TODAY - 5, TODAY - 4]))
        root = bill_chain.root(self.hub.identity)
        self.assertEqual(keys[TODAY - 5], day_key(root, chain, TODAY - 5))
        self.assertEqual(self.hub.journal.entries[-1][1:], ("done", self.detail(TODAY - 7, TODAY)))
        asked = [one[2][0] for one in self.hub.ihd.shown if one[0] == "ask"]
        self.assertEqual(asked, ["wants: to be linked", "private billing", "half-hours, bill keys"])
        found, types = self.fetch(TODAY - 5, TODAY, **{"from": (TODAY - 5) * 86400 + 1800})
        self.assertEqual(sorted(found[0][2]), [TODAY - 4])
        self.assertEqual(self.fetch(TODAY - 3, TODAY)[1], ["mhx-series"] * 2)

    def detail(self, start, stop):
        return "coop|anna|data keys|server|half-hour|%d|%d" % (start * 86400, stop * 86400)

    def test_keys_need_the_consent_to_billing_and_all_that_they_open(self):
        limits = {"from": (TODAY - 5) * 86400, "to": TODAY * 86400, "keys": True}
        self.refused("NOT_CONSENTED", "data", regs=REGS[:1], **limits)
        self.refused("NOT_CONSENTED", "data", res="day", **limits)
        self.hub.consents.bill()["until"] = NOW - 1
        self.refused("EXPIRED", "data", **limits)
        self.hub.turn(self.hub.consents.bill())
        self.refused("REVOKED", "data", **limits)
        self.hub.consents.all.pop()
        self.refused("NOT_LINKED", "data", **limits)
        self.hub.export._bucket._left = 10
        self.assertEqual(self.hub.turn(self.recipient.request("data", **dict(limits, keys="yes"))), [])
        self.assertEqual(self.hub.journal.entries[-1][1], "INVALID_VALUE")

    def test_keys_need_the_link_too_and_come_in_their_turn(self):
        limits = {"from": (TODAY - 5) * 86400, "to": TODAY * 86400, "keys": True}
        offer = self.recipient.until_pin("data", **limits)
        ack = self.hub.turn(self.recipient.proof(offer, self.hub.ihd.pin))[0]
        keys = ack["chunks"] - 1
        for seq in range(keys):
            self.assertEqual(self.hub.turn(self.recipient.want(keys)), [])
            self.assertEqual(self.hub.journal.entries[-1][1], "OUT_OF_ORDER")
            self.assertEqual(len(self.hub.turn(self.recipient.want(seq))), 1)
        self.assertEqual(self.recipient.open_chunk(self.hub.turn(self.recipient.want(keys))[0])[0]["typ"], "mhx-keys")
        self.hub.turn(self.hub.consents.find("coop", "anna"))
        self.refused("REVOKED", "data", **limits)
        self.hub.consents.all.remove(self.hub.consents.find("coop", "anna"))
        self.refused("NOT_LINKED", "data", **limits)

    def test_no_key_of_a_day_before_the_tenancy_leaves(self):
        self.hub.profile.since = (TODAY - 5) * 86400 + 1
        found, _ = self.fetch(TODAY - 4, TODAY)
        self.assertEqual(sorted(found[0][2]), [TODAY - 4])
        self.hub.settings["may.history"] = "coop"
        found, _ = self.fetch(TODAY - 7, TODAY)
        self.assertEqual(sorted(found[0][2]), [TODAY - 4])


if __name__ == "__main__":
    unittest.main()
