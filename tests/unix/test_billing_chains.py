"""Private billing on the hub: when a chain of batches ends, and another one begins with other keys."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from billing_bench import DAY, START, STEP, Case
from store_folder import remove

from meterhub.codec.timezone import Zone

HOURS = range(25)


class ChainsTest(Case):
    def test_a_profile_that_is_another_one_ends_the_chain_and_no_value_is_committed_to_twice(self):
        self.read(HOURS)
        (first,) = self.work(24)
        remove(self.folder + "/profile")
        self.boot()
        self.read(range(3, 25), wh=77)
        (second,) = self.work(25)
        self.assertEqual(self.hub.named("BILL_CHAIN"), ["ended before day %d: the profile is another one" % DAY])
        self.assertEqual((second.day, second.previous), (DAY, bytes(32)))
        self.assertNotEqual(second.chain, first.chain)
        self.answer(first)
        self.work(26)
        self.assertEqual(self.hub.refused(), ["WRONG_REQUEST batch digest"])

    def test_revoked_is_silent_and_another_consent_another_chain(self):
        self.read(range(49))
        (first,) = self.work(24)
        self.hub.revoke()
        self.assertEqual((self.work(25), self.hub.consents.bills), ([], False))
        self.answer(first)
        self.work(25)
        self.assertEqual(self.hub.chain().day, DAY)
        self.boot()
        self.assertEqual(self.work(26), [])
        self.hub.agree(mark="0022")
        self.assertEqual(self.work(48), [])  # from the next day on
        self.assertEqual(self.hub.chain().day, DAY + 2)
        self.assertEqual(len(self.hub.chain().state["old"]), 1)

    def test_revoked_while_a_batch_is_made_it_does_not_go_out(self):
        self.read(HOURS)
        self.hub.clock.at = START + 24 * STEP
        sign = self.hub.identity.sign_bytes
        try:
            self.hub.identity.sign_bytes = lambda body: self.hub.revoke() or sign(body)
            self.hub.work()
        finally:
            self.hub.identity.sign_bytes = sign
        self.assertEqual(self.hub.wan.posted, [])

    def test_renewed_it_goes_on_and_past_its_day_it_does_not(self):
        self.read(range(73))
        (first,) = self.work(24)
        self.hub.agree(until=START + 48 * STEP, mark="0033")
        self.answer(first)
        (second,) = self.work(49)
        self.assertEqual((second.chain, second.day), (first.chain, DAY + 1))
        self.answer(second)
        self.assertEqual(self.work(73), [])
        self.hub.agree(mark="0044")  # too late to go on
        self.assertEqual(self.work(73), [])
        self.assertNotEqual(self.hub.chain().id, first.chain)

    def test_another_tenant_has_none(self):
        self.read(HOURS)
        self.hub.consents.since = START + STEP
        self.assertEqual(self.work(24), [])

    def test_a_lost_record_is_another_chain(self):
        self.read(HOURS)
        (first,) = self.work(24)
        self.hub.record("bill-chain").erase()
        (second,) = self.work(25)
        self.assertNotEqual(second.chain, first.chain)

    def test_a_zone_with_other_days_ends_the_chain(self):
        self.read(range(-2, 49))
        (first,) = self.work(24)
        self.answer(first)
        self.hub.zone = Zone("CET-1")
        (second,) = self.work(48)
        self.assertEqual(self.hub.named("BILL_CHAIN"), ["ended before day %d: the day has moved" % (DAY + 1)])
        self.assertEqual((second.day, second.first), (DAY + 1, first.first + 23))
        self.hub.zone = Zone("NPT-5:45")
        self.assertEqual(self.work(49), [])
        self.assertEqual(self.hub.named("BILL_CHAIN")[1:], ["NOT_AVAILABLE zone"])


if __name__ == "__main__":
    unittest.main()
