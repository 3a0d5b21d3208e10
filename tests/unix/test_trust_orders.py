"""Orders: who may tell a hub the time, and what the household has decided on a website; what comes of the latter."""

import asyncio
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from order_bench import GRID, NOW, ROOT, STRANGER, Case, MemoryRecord, token

from meterhub.errors import StoreError


class WhoTest(Case):
    def order(self, signer=GRID, kid="grid", **changes):
        """Return a time; signer None: nobody has signed it."""
        return self.time(signer=signer, kid=kid, **changes)

    def test_the_recipient_that_the_setting_names_and_the_owners_root_may(self):
        self.assertEqual(self.take(self.order()), "")
        self.assertEqual(self.take(self.order(ROOT, ROOT.hub)), "")

    def test_nobody_else_may(self):
        for order, name in (
            (self.order(None, "coop"), "UNKNOWN_RECIPIENT kid"),  # a recipient without this right
            (self.order(STRANGER), "NOT_AUTHENTIC jws"),
            (self.order(STRANGER, ROOT.hub), "NOT_AUTHENTIC jws"),
            (self.order(None, "nobody"), "UNKNOWN_RECIPIENT kid"),
            (self.order(None, hub=GRID.hub), "WRONG_HUB hub"),
            ("x", "MALFORMED jws"),
            ("x" * 2049, "OVERSIZED jws"),
            (token("mh-settings", None), "MALFORMED typ"),
            (token("mh-outage", None, ref="W", to=NOW + 9, at=NOW, **{"from": NOW}), "MALFORMED typ"),  # older hubs'
            (token("mh-tenancy", ROOT, ROOT.hub, **{"from": NOW}), "MALFORMED typ"),
            (self.order(None, v=2), "INVALID_VALUE v"),
            (self.order(None, nonce=None), "MALFORMED nonce"),
            (self.order(None, nonce="AAAA"), "MALFORMED nonce"),
            (self.order(None, at=None), "MALFORMED at"),
            (self.order(None, at="now"), "MALFORMED at"),
            (self.order(None, jump=1), "MALFORMED jump"),
        ):
            self.assertEqual(self.take(order), name)
        self.assertEqual((self.hub.clock.state, self.hub.journal.entries), ("unset", []))

    def test_a_hub_that_does_not_know_its_owner_believes_the_recipient_still(self):
        def load():
            raise StoreError("owner")

        self.hub.owner.load = load
        self.assertEqual(self.take(self.order()), "")
        self.assertEqual(self.take(self.order(None, ROOT.hub)), "UNKNOWN_RECIPIENT kid")

    def test_a_hub_without_owner_and_without_names_believes_nobody(self):
        self.hub.owner = MemoryRecord()
        self.hub.settings["may.time"] = ""
        for kid in ("", "grid", ROOT.hub):
            self.assertTrue(self.take(self.order(None, kid)) in ("UNKNOWN_RECIPIENT kid", "MALFORMED kid"))

    def test_from_the_broker_refusals_are_journalled_and_many_are_not_looked_at(self):
        self.hub.start = lambda name, service: asyncio.run(service())
        for payload in (b"\xff\xfe", b"x", self.order(STRANGER).encode(), b"y", b"z"):
            self.hub.desk.post(payload)
        self.assertEqual(
            self.hub.journal.names("security"),
            ["MALFORMED", "MALFORMED", "NOT_AUTHENTIC", "MALFORMED", "RATE_LIMITED"],
        )


class Notices:
    def __init__(self):
        self.taken = []

    def decide_there(self, number, decision):
        self.taken.append((number, decision))


class Consents:
    def __init__(self, **consent):
        self.consent = {"until": NOW + 1000, "ended": 0}
        self.consent.update(consent)

    def find(self, kid, sub):
        return self.consent if (kid, sub) == ("grid", "a-1") else None


def decision(**changes):
    claims = {"sub": "a-1", "notice": 7, "decision": "accept", "at": NOW}
    claims.update(changes)
    return token("mh-decision", **claims)


class DecisionTest(Case):
    def setUp(self):
        super().setUp()
        self.hub.settings["may.notices"] = "grid"
        self.hub.notices = Notices()
        self.hub.consents = Consents()

    def test_a_linked_customer_decides(self):
        self.hub.board.unix_s = NOW
        self.hub.clock.tell(NOW)
        self.assertEqual(self.take(decision()), "")
        self.assertEqual(self.hub.notices.taken, [(7, "accept")])

    def test_nobody_else_does(self):
        self.hub.clock.tell(NOW)
        for order, name in (
            (decision(signer=None, kid="coop"), "UNKNOWN_RECIPIENT kid"),
            (decision(signer=STRANGER), "NOT_AUTHENTIC jws"),
            (decision(sub="a-2"), "NOT_LINKED sub"),
            (decision(signer=ROOT, kid=ROOT.hub), "NOT_LINKED sub"),
            (decision(at=NOW - 3700), "EXPIRED at"),
            (decision(at=NOW + 400), "EXPIRED at"),
            (decision(decision="explode"), "INVALID_VALUE decision"),
            (decision(decision=None), "MALFORMED decision"),
            (decision(notice=0), "INVALID_VALUE notice"),
            (decision(sub=None), "MALFORMED sub"),
            (decision(at="now"), "MALFORMED at"),
        ):
            self.assertEqual(self.take(order), name)
        for consent, name in (({"ended": NOW}, "REVOKED sub"), ({"until": NOW - 1}, "EXPIRED at")):
            self.hub.consents = Consents(**consent)
            self.assertEqual(self.take(decision()), name)
        self.hub.settings["may.notices"] = ""
        self.assertEqual(self.take(decision()), "UNKNOWN_RECIPIENT kid")
        self.assertEqual(self.hub.notices.taken, [])


if __name__ == "__main__":
    unittest.main()
