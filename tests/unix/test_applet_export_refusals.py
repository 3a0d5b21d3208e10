"""The data export: every request that must be refused, each by its own name, nothing changed."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from export_bench import NOW, STRANGER, Hub, Recipient, claims_of


class RefusalTest(unittest.TestCase):
    def setUp(self):
        self.hub = Hub(100)
        self.recipient = Recipient(self.hub, "server")
        self.recipient.link()

    def unanswered(self, message, name):
        """The message is journalled under `name`, not answered, and nobody is asked anything."""
        shown = len(self.hub.ihd.shown)
        self.assertEqual(self.hub.turn(message), [])
        self.assertEqual(self.hub.journal.entries[-1][:2], ("security", name))
        self.assertEqual(len(self.hub.ihd.shown), shown)

    def refused(self, name, what="data", **changes):
        """The request is authentic, and refused with a signed end and a line in the consent log."""
        before = self.hub.records[1].raw
        messages = self.hub.turn(self.recipient.request(what, **changes))
        self.assertEqual([m["t"] for m in messages], ["end"])
        end = claims_of(messages[0])
        self.assertEqual((end["result"], end["error"]), ("refused", name))
        self.assertEqual(self.hub.journal.entries[-1][:2], ("consent", name))
        self.assertEqual(self.hub.records[1].raw, before)
        return end

    def test_a_signature_by_another_key(self):
        self.recipient.scalar = STRANGER
        self.unanswered(self.recipient.request("data"), "NOT_AUTHENTIC")

    def test_a_changed_claim(self):
        message = self.recipient.request("data")
        head, body, signature = message["jws"].split(".")
        message["jws"] = ".".join((head, body[:-4] + ("AAAA" if body[-4:] != "AAAA" else "BBBB"), signature))
        self.assertEqual(self.hub.turn(message), [])
        self.assertIn(self.hub.journal.entries[-1][1], ("NOT_AUTHENTIC", "MALFORMED", "INVALID_VALUE"))

    def test_a_recipient_the_hub_does_not_know(self):
        self.recipient.kid = "nobody"
        self.unanswered(self.recipient.request("data"), "UNKNOWN_RECIPIENT")

    def test_a_request_for_another_hub(self):
        self.unanswered(self.recipient.request("data", hub="0" * 16), "WRONG_HUB")

    def test_a_request_seen_before(self):
        message = self.recipient.request("data", res="day", regs=["1-0:9.9.9"])
        self.hub.turn(message)
        self.unanswered(message, "REPLAY")

    def test_a_request_too_late_and_one_from_the_future(self):
        self.refused("EXPIRED", iat=NOW - 700, exp=NOW - 100)
        self.refused("CLOCK_INVALID", iat=NOW + 4000, exp=NOW + 4100)

    def test_a_request_that_would_live_too_long(self):
        self.unanswered(self.recipient.request("data", exp=NOW + 3600), "INVALID_VALUE")

    def test_a_claim_left_out_or_of_another_kind(self):
        for name in ("v", "rid", "hub", "sub", "what", "mode", "iat", "exp", "regs", "res", "from", "to", "ek"):
            for value in (None, [], {}, True, 5.5, -1, "", "x" * 70):
                self.hub.export._bucket._left = 10
                self.assertEqual(self.hub.turn(self.recipient.request("data", **{name: value})), [], (name, value))
                self.assertIn(self.hub.journal.entries[-1][1], ("MALFORMED", "INVALID_VALUE", "WRONG_HUB"))

    def test_claims_of_the_right_kind_that_cannot_be(self):
        for name, value in (("rid", "AAAA"), ("sub", "an na"), ("regs", ["1-0:1.8.0", "1-0:1.8.0"])):
            self.hub.export._bucket._left = 10
            message = self.recipient.request("data", **{name: value})
            self.unanswered(message, "MALFORMED" if name == "rid" else "INVALID_VALUE")

    def test_a_signed_thing_that_is_no_request(self):
        self.recipient.typ = "mhx-end"
        self.unanswered(self.recipient.request("data"), "MALFORMED")

    def test_a_hub_that_has_read_nothing_yet(self):
        self.hub.intervals.have = lambda since: None
        self.refused("OUT_OF_RANGE")

    def test_an_account_that_is_not_linked(self):
        self.refused("NOT_LINKED", sub="berta")

    def test_more_than_the_consent_covers(self):
        self.hub.consents.all[0]["res"] = "day"
        self.refused("NOT_CONSENTED")
        self.hub.consents.all[0]["regs"] = ["1-0:1.8.0"]
        self.refused("NOT_CONSENTED", res="day")

    def test_a_consent_past_its_day(self):
        self.hub.consents.all[0]["until"] = NOW - 1
        self.refused("EXPIRED")

    def test_a_revoked_recipient(self):
        end = claims_of(self.hub.turn(self.recipient.request("revoke"))[-1])
        self.assertEqual(end["result"], "revoked")
        self.refused("REVOKED")

    def test_a_consent_revoked_on_the_display_also_ends_the_open_request(self):
        self.hub.turn(self.recipient.request("data"))
        messages = self.hub.turn(self.hub.consents.all[0])
        self.assertEqual([m["t"] for m in messages], ["end", "consent"])
        self.assertEqual(claims_of(messages[0])["error"], "REVOKED")
        self.refused("REVOKED")

    def test_a_range_outside_the_store(self):
        end = self.refused("OUT_OF_RANGE", **{"from": NOW - 86400 * 400})
        self.assertEqual(end["have"], [self.hub.profile.first - 1800, NOW])
        self.refused("OUT_OF_RANGE", to=NOW + 1800)

    def test_a_range_off_the_grid_and_an_empty_one(self):
        self.refused("INVALID_VALUE", to=NOW - 60)
        self.refused("INVALID_VALUE", res="month", to=NOW)

    def test_a_register_the_hub_does_not_keep(self):
        self.hub.consents.all[0]["regs"] = ["7-0:3.0.0"]
        self.refused("NOT_AVAILABLE", regs=["7-0:3.0.0"])

    def test_a_one_time_key_off_the_curve(self):
        self.refused("BAD_POINT", ek="BA" + "A" * 85)

    def test_a_second_request_while_one_is_open(self):
        self.hub.turn(self.recipient.request("data"))
        self.refused("BUSY")
        self.assertEqual(self.hub.export._open.state, "asked")

    def test_a_hub_without_display(self):
        self.hub.ihd.works = False
        self.refused("DISPLAY_FAILED")

    def test_a_flood_is_dropped_before_any_signature_is_verified(self):
        for _ in range(9):
            self.hub.turn(self.recipient.request("revoke", sub="berta"))
        self.unanswered(self.recipient.request("revoke", sub="berta"), "RATE_LIMITED")


if __name__ == "__main__":
    unittest.main()
