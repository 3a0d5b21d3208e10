"""Orders: who may tell a hub the time, an outage, a tenancy; and what the hub makes of the last two."""

import asyncio
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from order_bench import GRID, NOW, ROOT, STRANGER, Case, MemoryRecord, outage, token, unsigned

from meterhub import outage_log
from meterhub.errors import HubError, StoreError
from meterhub.trust.tenancy import Tenancy


class WhoTest(Case):
    def test_the_recipient_that_the_setting_names_and_the_owners_root_may(self):
        self.assertEqual(self.take(outage()), "")
        self.assertEqual(self.take(outage(signer=ROOT, kid=ROOT.hub, ref="R1")), "")
        self.assertEqual([plan[0] for plan in outage_log.state(self.hub.outages.record)["planned"]], ["W-17", "R1"])

    def test_nobody_else_may(self):
        for order, name in (
            (unsigned(kid="coop"), "UNKNOWN_RECIPIENT kid"),  # a recipient without this right
            (outage(signer=STRANGER), "NOT_AUTHENTIC jws"),
            (outage(signer=STRANGER, kid=ROOT.hub), "NOT_AUTHENTIC jws"),
            (unsigned(kid="nobody"), "UNKNOWN_RECIPIENT kid"),
            (token("mh-tenancy", None, **{"from": NOW}), "UNKNOWN_RECIPIENT kid"),  # the root alone
            (unsigned(hub=GRID.hub), "WRONG_HUB hub"),
            ("x", "MALFORMED jws"),
            ("x" * 2049, "OVERSIZED jws"),
            (token("mh-settings", None), "MALFORMED typ"),
            (unsigned(v=2), "INVALID_VALUE v"),
            (unsigned(ref=None), "MALFORMED ref"),
            (unsigned(ref="a b"), "INVALID_VALUE ref"),
            (unsigned(ref="r" * 25), "MALFORMED ref"),
            (unsigned(at=None), "MALFORMED at"),
            (unsigned(to=NOW + 100), "INVALID_VALUE to"),
            (unsigned(to=NOW + 100 + 2678401), "INVALID_VALUE to"),
            (unsigned(text="t" * 61), "MALFORMED text"),
            (unsigned(text=5), "MALFORMED text"),
        ):
            self.assertEqual(self.take(order), name)
        self.assertEqual((outage_log.state(self.hub.outages.record)["planned"], self.hub.tenancy.since), ([], 0))

    def test_a_hub_that_does_not_know_its_owner_believes_the_recipient_still(self):
        def load():
            raise StoreError("owner")

        self.hub.owner.load = load
        self.assertEqual(self.take(outage()), "")
        self.assertEqual(self.take(unsigned(kid=ROOT.hub)), "UNKNOWN_RECIPIENT kid")

    def test_a_hub_without_owner_and_without_names_believes_nobody(self):
        self.hub.owner = MemoryRecord()
        self.hub.settings["may.outage"] = ""
        for kid in ("", "grid", ROOT.hub):
            self.assertTrue(self.take(unsigned(kid=kid)) in ("UNKNOWN_RECIPIENT kid", "MALFORMED kid"))

    def test_from_the_broker_refusals_are_journalled_and_many_are_not_looked_at(self):
        self.hub.start = lambda name, service: asyncio.run(service())
        for payload in (b"\xff\xfe", b"x", outage(signer=STRANGER).encode(), b"y", b"z"):
            self.hub.desk.post(payload)
        self.assertEqual(
            self.hub.journal.names("security"),
            ["MALFORMED", "MALFORMED", "NOT_AUTHENTIC", "MALFORMED", "RATE_LIMITED"],
        )


class OutageTest(Case):
    def test_an_announcement_is_replaced_by_a_newer_one_only(self):
        self.take(outage(at=NOW))
        self.assertEqual(self.take(outage(at=NOW, to=NOW + 9999)), "REPLAY at")
        self.assertEqual(self.take(outage(at=NOW + 1, to=NOW + 9999, text="works")), "")
        self.assertEqual(
            outage_log.state(self.hub.outages.record)["planned"], [["W-17", NOW + 100, NOW + 9999, "works", NOW + 1]]
        )

    def test_what_is_over_is_not_kept_and_more_than_eight_neither(self):
        self.hub.clock.discipline().set(NOW + 5000)
        self.assertEqual(self.take(outage()), "EXPIRED to")
        self.hub.clock.discipline().set(NOW, True)
        claims = {"from": NOW + 100, "to": NOW + 4000, "at": NOW}
        for n in range(8):
            outage_log.plan(self.hub.outage_record, dict(claims, ref="W%d" % n), NOW)
        self.assertEqual(self.take(outage(ref="W8")), "STORE_FULL outages")
        self.hub.clock.discipline().set(NOW + 5000, True)
        outage_log.plan(self.hub.outage_record, dict(claims, ref="W8", to=NOW + 6000), NOW + 5000)


class TenancyTest(Case):
    def tenancy(self, start):
        return token("mh-tenancy", signer=ROOT, kid=ROOT.hub, **{"from": start})

    def test_it_counts_from_its_day_on_and_never_goes_back(self):
        self.assertEqual(self.take(self.tenancy(NOW + 500)), "")
        known = self.hub.tenancy
        self.assertEqual((known.due(0), known.due(NOW + 499), known.since), (False, False, 0))
        self.assertEqual((known.due(NOW + 500), known.since, known.due(NOW + 501)), (True, NOW + 500, False))
        self.assertEqual(self.take(self.tenancy(NOW + 500)), "REPLAY from")
        for start, name in ((NOW + 499, "REPLAY"), (5, "INVALID_VALUE"), (4133980800, "INVALID_VALUE")):
            try:
                known.take(start)
                self.fail("taken")
            except HubError as err:
                self.assertEqual((err.name, err.field), (name, "from"))
        again = Tenancy(known._record, lambda: 0)
        self.assertEqual((again.since, again.damaged), (NOW + 500, False))

    def test_a_supplier_that_the_owner_named_may_too(self):
        self.hub.settings["may.tenancy"] = "grid"
        self.assertEqual(self.take(token("mh-tenancy", **{"from": NOW})), "")

    def test_a_damaged_record_hides_all_there_is_and_stays_so(self):
        record = MemoryRecord()

        def load():
            raise StoreError("tenancy")

        record.load = load
        found = Tenancy(record, lambda: NOW)
        self.assertEqual((found.since, found.damaged), (NOW + 1, True))
        record.load = lambda: record.raw
        self.assertEqual((Tenancy(record, None).since, Tenancy(record, None).damaged), (NOW + 1, False))


if __name__ == "__main__":
    unittest.main()
