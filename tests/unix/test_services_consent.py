"""What a role may ask the household to agree to, and what the household has agreed to."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from notices_bench import NOW, ServiceCase, name_of

from meterhub.trust.role_consents import RoleConsents


class ConsentTest(ServiceCase):
    def ask(self, **arg):
        return self.do("ESP", "consent.ask", **_with(arg))

    def granted(self, scope="readings", now=NOW + 5):
        return self.hub.role_consents().granted("ESP0000000000000", scope, now)

    def test_a_consent_is_granted_by_the_household_alone(self):
        number = self.ask().data["notice"]
        self.assertFalse(self.granted())
        told = self.hub.notices.message(number)
        self.assertEqual((told.title, told.asks, "until 21.10.2026" in told.text), ("Your readings?", "accept", True))
        answer = self.decide(number, "accept")
        self.assertEqual((answer[0], answer[1]["until"]), ("done", NOW + 30 * 86400))
        self.assertEqual((self.granted(), self.granted("demand")), (True, False))
        self.assertFalse(self.granted(now=NOW + 31 * 86400))
        self.assertFalse(self.granted(now=0))

    def test_a_consent_that_is_declined_or_not_answered_is_none(self):
        self.assertEqual(self.decide(self.ask().data["notice"], "decline")[1]["action"], "decline")
        self.ask(expiry=NOW + 100)
        self.hub.second(200)
        self.assertEqual(self.hub.commands.all()[-1][3:], ["refused", {"error": "CONSUMER_TIMEOUT"}])
        self.assertFalse(self.granted())

    def test_what_is_asked_for_is_bounded(self):
        for field, value, name in (
            ("scope", "everything", "INVALID_VALUE"),
            ("scope", 1, "MALFORMED"),
            ("until", NOW, "INVALID_VALUE"),
            ("until", NOW + 1200 * 86400, "INVALID_VALUE"),
            ("until", None, "MALFORMED"),
            ("text", "Say yes and win", "MALFORMED"),
        ):
            self.assertEqual(self.refused("ESP", "consent.ask", **_with({field: value})), (name, "arg." + field))

    def test_consents_end_and_are_told(self):
        self.decide(self.ask().data["notice"], "accept")
        consents = self.hub.role_consents()
        self.assertEqual([one["scope"] for one in consents.live(NOW)], ["readings"])
        self.assertTrue(consents.revoke("ESP0000000000000", "readings", NOW + 9))
        self.assertFalse(self.granted() or self.hub.role_consents().revoke("ESP0000000000000", "readings", NOW))
        self.assertEqual(self.hub.role_consents().untold(), [("ESP0000000000000", "ESP", "readings", NOW + 9)])
        consents.told("ESP0000000000000", "readings")
        self.assertEqual((self.hub.role_consents().untold(), consents.live(NOW)), ([], []))

    def test_a_tenant_has_agreed_to_nothing_that_the_one_before_agreed_to(self):
        self.decide(self.ask().data["notice"], "accept")
        later = RoleConsents(self.hub.record("role-consents"), NOW + 100)
        self.assertFalse(later.granted("ESP0000000000000", "readings", NOW + 200))
        self.assertEqual(later.live(NOW + 200), [])

    def test_twelve_consents_and_what_is_over_makes_room(self):
        consents = self.hub.role_consents()
        for i in range(12):
            consents.grant("K%d" % i, "x", "readings", NOW + 100 + i, NOW)
        self.assertEqual(name_of(consents.grant, "K99", "x", "readings", NOW, NOW), ("STORE_FULL", "consents"))
        consents.grant("K3", "x", "readings", NOW + 500, NOW)
        consents.grant("K99", "x", "readings", NOW + 500, NOW + 101)
        self.assertFalse(consents.granted("K0", "readings", NOW + 50))
        consents.used("K3", "readings", NOW + 7)
        self.assertEqual([one["used"] for one in consents.live(NOW) if one["kid"] == "K3"], [NOW + 7])


def _with(arg):
    whole = {"scope": "readings", "until": NOW + 30 * 86400}
    whole.update(arg)
    return whole


if __name__ == "__main__":
    unittest.main()
