"""The data export, asked for private billing: the consent to it, and how that is ended."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from bill_bench import NOW, REGS, TODAY, Case, Zone, claims_of, wish


class ConsentTest(Case):
    def test_it_needs_the_pin_and_says_what_it_is(self):
        end = self.bill()
        self.assertEqual(end["result"], "linked")
        shown = self.hub.ihd.shown
        self.assertEqual(shown[0], ("ask", "Green Co-op", ["private billing", "to 3.10.26"], "it sees no readings"))
        self.assertEqual(shown[-1], ("notice", "private billing", "from tomorrow on"))
        self.assertTrue(max([len(line) for line in shown[0][2] + [shown[0][3]]]) <= 21)
        consent = self.hub.consents.bill()
        self.assertEqual((consent["kid"], consent["sub"], consent["regs"]), ("coop", "anna", REGS))
        self.assertTrue(self.hub.consents.bills and len(consent["mark"]) == 16)
        self.assertEqual(self.hub.journal.names("consent"), ["linked"])

    def test_it_is_no_link_and_a_link_is_none_of_it(self):
        self.bill()
        self.refused("NOT_LINKED", "data")
        self.recipient.link()
        self.assertEqual(len(self.hub.consents.live(NOW)), 2)
        self.hub.turn(self.hub.consents.bill())
        self.assertEqual([c["res"] for c in self.hub.consents.live(NOW)], ["half-hour"])

    def test_a_request_that_is_not_right_is_not_answered(self):
        for changes in ({"res": "day"}, {"regs": REGS[1:]}, {"regs": REGS + ["1-0:3.8.0"]}, {"until": None}):
            self.hub.export._bucket._left = 10
            self.assertEqual(self.hub.turn(self.recipient.request("bill", **wish(**changes))), [], changes)
            self.assertIn(self.hub.journal.entries[-1][1], ("INVALID_VALUE", "MALFORMED"))

    def test_what_the_hub_cannot_bill_it_does_not_agree_to(self):
        self.hub.profile.value_at = lambda at: None
        self.refused("NOT_AVAILABLE", **wish())
        self.hub.profile.value_at = self.hub.profile.entry
        self.hub.zone = Zone("NPT-5:45")
        self.refused("NOT_AVAILABLE", **wish())
        self.hub.zone = Zone("UTC0")
        self.hub.profile.columns = self.hub.profile.columns[:1]
        self.refused("NOT_AVAILABLE", **wish())

    def test_one_account_at_a_time(self):
        self.bill(until=NOW + 10)
        mark = self.hub.consents.bill()["mark"]
        self.refused("STORE_FULL", **wish(sub="berta"))
        self.bill(until=NOW + 20)  # the same one goes on
        self.assertEqual((self.hub.consents.bill()["mark"], self.hub.consents.bill()["until"]), (mark, NOW + 20))
        self.hub.clock.now = lambda: NOW + 30
        self.bill(sub="berta")
        self.assertEqual([c["sub"] for c in self.hub.consents.all], ["berta"])

    def test_the_recipient_ends_it_and_not_the_link(self):
        self.recipient.link()
        self.refused("NOT_LINKED", "revoke", of="bill")
        self.bill()
        end = claims_of(self.hub.turn(self.recipient.request("revoke", of="bill"))[0])
        self.assertEqual(end["result"], "revoked")
        self.assertEqual((self.hub.consents.bills, len(self.hub.consents.live(NOW))), (False, 1))
        self.hub.export._bucket._left = 10
        self.assertEqual(self.hub.turn(self.recipient.request("revoke", of="all")), [])
        self.assertEqual(self.hub.journal.entries[-1][1], "INVALID_VALUE")

    def test_the_household_ends_it_and_the_recipient_hears_which(self):
        self.recipient.link()
        self.bill()
        told = claims_of(self.hub.turn(self.hub.consents.bill())[0])
        self.assertEqual((told["result"], told["of"]), ("revoked", "bill"))
        self.assertEqual(self.hub.journal.entries[-1], ("consent", "revoked", "coop|anna|display|bill"))
        told = claims_of(self.hub.turn(self.hub.consents.find("coop", "anna"))[0])
        self.assertFalse("of" in told)

    def test_revoked_under_way_it_ends_and_an_export_of_readings_alone_does_not(self):
        limits = {"from": (TODAY - 5) * 86400, "to": TODAY * 86400}
        self.recipient.link()
        self.bill()
        self.recipient.until_pin("data", **limits)
        messages = self.hub.turn(self.hub.consents.bill())
        self.assertEqual([m["t"] for m in messages], ["consent"])
        self.hub.turn("cancel")
        self.bill()
        self.recipient.until_pin("data", keys=True, **limits)
        messages = self.hub.turn(self.hub.consents.bill())
        self.assertEqual([m["t"] for m in messages], ["end", "consent"])
        self.assertEqual(claims_of(messages[0])["error"], "REVOKED")


if __name__ == "__main__":
    unittest.main()
