"""Commands about the tariff: all or nothing, told to the household and to the supplier."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from tariff_bench import DAY, STEP, document
from tariff_orders_bench import SUP, Case

from meterhub.codec import base64url, tariff
from meterhub.services import tariffs as service

WEEK = 7 * 86400


class SetTest(Case):
    def test_a_tariff_counts_from_the_present_interval_on(self):
        self.hub.clock.at = DAY + 700
        found = self.set(tariff=document())
        raw = tariff.packed(document())
        digest = base64url.encode(tariff.digest(raw))
        self.assertEqual(found.outcome, "pending")
        self.assertEqual(found.data, {"tariff": "eco-1", "digest": digest, "applied": DAY})
        self.assertEqual(self.hub.tariffs.kept, (DAY, SUP, 1, raw))
        self.assertEqual(self.hub.told(), [("tariff", "none -> eco-1 %s since %d by %s 1" % (digest[:8], DAY, SUP))])
        self.again()
        self.assertEqual(self.hub.tariffs.kept.raw, raw)

    def test_the_household_is_told(self):
        self.set(tariff=document(), text="Cheaper nights from now on.", expiry=DAY + 99)
        notice, quiet = self.hub.notices.notices[0]
        self.assertTrue(quiet)  # a broken display is no reason not to have the tariff
        self.assertEqual((notice["name"], notice["role"], notice["h"], notice["ctr"]), ("Green Co-op", "SUP", "H1", 1))
        self.assertEqual((notice["category"], notice["answer"], notice["service"]), ("tariff", "", "tariffs"))
        self.assertEqual((notice["text"], notice["expiry"]), ("Cheaper nights from now on.", DAY + 99))
        self.set(tariff=document(id="eco-2"))
        notice = self.hub.notices.notices[1][0]
        self.assertEqual(notice["text"], "eco-2 counts since 10.1. 00:00. Its prices are on the page TARIFF.")
        self.assertEqual((notice["expiry"], len(notice["title"]) <= 16), (DAY + WEEK, True))

    def test_the_audit_names_the_old_one_and_the_new(self):
        self.set(tariff=document())
        self.set(tariff=document(id="eco-2"))
        old, new = [base64url.encode(tariff.digest(tariff.packed(document(id=name)))) for name in ("eco-1", "eco-2")]
        said = "eco-1 %s -> eco-2 %s since %d by %s 2" % (old[:8], new[:8], DAY, SUP)
        self.assertEqual(self.hub.told()[-1], ("tariff", said))

    def test_what_the_household_does_is_confirmed(self):
        self.set(tariff=document())
        notice = self.hub.notices.notices[0][0]
        for decision, viewed, error in (
            ("read", True, ""),
            ("save", True, ""),
            ("delete", True, ""),
            ("none", False, "CONSUMER_TIMEOUT"),
        ):
            found = service.decided(self.hub, notice, decision)
            self.assertEqual((found.outcome, found.data["viewed"], found.data["error"]), ("done", viewed, error))
            self.assertEqual(
                (found.data["action"], found.data["tariff"], found.data["applied"]), (decision, "eco-1", DAY)
            )

    def test_another_one_may_be_in_force_by_then(self):
        self.set(tariff=document())
        self.set(tariff=document(id="eco-2"))
        found = service.decided(self.hub, self.hub.notices.notices[0][0], "replaced")
        self.assertEqual(found.data, {"viewed": False, "action": "replaced", "error": ""})

    def test_a_tariff_is_not_in_force_without_its_notice(self):
        self.set(tariff=document())
        self.hub.notices.full = True
        self.assertEqual(self.refused("set.tariff_price", {"tariff": document(id="b")}), ("STORE_FULL", "notices"))
        self.again()
        self.assertEqual(self.hub.tariffs.rates.id, "eco-1")

    def test_the_first_one_neither(self):
        self.hub.notices.full = True
        self.assertEqual(self.refused("set.tariff_price", {"tariff": document()}), ("STORE_FULL", "notices"))
        self.assertEqual((self.hub.tariffs, self.hub.again().tariffs), (None, None))

    def test_what_is_refused_leaves_the_old_one_in_force(self):
        self.set(tariff=document())
        bad = document()
        bad["bands"] = [{"name": "a", "price": "1"}]
        hour = document(interval_s=3600, days=[[0, 0]])
        steps = document(kind="steps", interval_s=3600, days=[[0, 0]])
        for arg, said in (
            ({}, ("MALFORMED", "arg")),
            ({"tariff": document(), "prices": [1, 2]}, ("MALFORMED", "arg")),
            ({"tariff": document(), "when": 1}, ("MALFORMED", "arg.when")),
            ({"tariff": 5}, ("MALFORMED", "arg.tariff")),
            ({"tariff": bad}, ("MALFORMED", "arg.tariff.bands[0].price")),
            ({"tariff": document(days=[[0, 7]])}, ("INVALID_VALUE", "arg.tariff.days[0][1]")),
            ({"tariff": document(**{"from": DAY + STEP})}, ("INVALID_VALUE", "arg.tariff.from")),
            ({"tariff": hour}, None),
            ({"tariff": steps}, ("INVALID_VALUE", "arg.tariff.interval_s")),
            ({"tariff": document(interval_s=900)}, ("INVALID_VALUE", "arg.tariff.interval_s")),
            ({"tariff": document(), "text": ""}, ("INVALID_VALUE", "arg.text")),
            ({"tariff": document(), "text": "x" * 161}, ("INVALID_VALUE", "arg.text")),
            ({"tariff": document(), "text": "a\nb"}, ("INVALID_VALUE", "arg.text")),
            ({"tariff": document(), "text": "\ue000"}, ("INVALID_VALUE", "arg.text")),
            ({"tariff": document(), "expiry": DAY - 1}, ("INVALID_VALUE", "arg.expiry")),
            ({"packed": "AQAC"}, ("MALFORMED", "arg.packed")),
            ({"packed": "!"}, ("MALFORMED", "arg.packed")),
            ({"packed": ""}, ("INVALID_VALUE", "arg.packed")),
        ):
            self.assertEqual(self.refused("set.tariff_price", arg), said)

    def test_without_a_clock_or_a_register_nothing_counts(self):
        self.hub.clock.at = 0
        self.assertEqual(self.refused("set.tariff_price", {"tariff": document()}), ("CLOCK_INVALID", "unset"))
        self.hub.clock.at = DAY
        self.hub.profile.columns = self.hub.profile.columns[:1]
        self.assertEqual(self.refused("set.tariff_price", {"tariff": document()}), ("NOT_AVAILABLE", "1-0:1.8.0"))

    def test_prices_alone(self):
        self.assertEqual(
            self.refused("set.tariff_price", {"prices": [1, 2], "id": "b"}), ("WRONG_STATE", "arg.prices")
        )
        self.set(tariff=document())
        found = self.set(prices=[8000, 30000], id="eco-2", standing={"price": 45, "scale": -2})
        expected = document(id="eco-2", standing={"price": 45, "scale": -2})
        expected["bands"] = [{"name": "night", "price": 8000}, {"name": "day", "price": 30000}]
        self.assertEqual(self.hub.tariffs.kept.raw, tariff.packed(expected))
        self.assertEqual(found.data["tariff"], "eco-2")
        for arg, said in (
            ({"prices": [1], "id": "b"}, ("INVALID_VALUE", "arg.prices")),
            ({"prices": {}, "id": "b"}, ("MALFORMED", "arg.prices")),
            ({"prices": [1, "2"], "id": "b"}, ("MALFORMED", "arg.tariff.bands[1].price")),
            (
                {"prices": [1, {"prices": [1, 2], "limits": [3]}], "id": "b"},
                ("MALFORMED", "arg.tariff.bands[1].prices"),
            ),
            ({"prices": [1, {"name": "x"}], "id": "b"}, ("MALFORMED", "arg.tariff.bands[1].price")),
            ({"prices": [1, 2]}, ("MALFORMED", "arg.tariff.id")),
        ):
            self.assertEqual(self.refused("set.tariff_price", arg), said)

    def test_prices_of_blocks_and_the_blocks_go_on(self):
        fields = {"kind": "block", "days": [[0, 0]], "tax_bp": 0, "standing": {"price": 0, "scale": 0}}
        fields["bands"] = [{"name": "a", "prices": [10000, 20000], "limits": [300]}]
        self.set(tariff=document(**fields))
        for i in range(5):
            self.hub.tell(DAY + i * STEP, 1000 + 100 * i)
        self.assertEqual(self.hub.model.today_cost, (5000, True))
        self.set(prices=[{"prices": [50000, 70000], "limits": [450]}], id="b")
        self.hub.tell(DAY + 5 * STEP, 1500)
        self.assertEqual(self.hub.model.today_cost, (5000 + 6000, True))  # 50 Wh at 50, 50 Wh at 70
        for slot in (0, 1):
            with open(self.hub.data_dir + "/tariff-use.%d" % slot, "wb"):
                pass
        self.again()
        self.hub.tell(DAY + 6 * STEP, 1600)
        self.assertEqual((self.hub.tariffs.registers, self.hub.model.price_e5), ([600], 70000))


if __name__ == "__main__":
    unittest.main()
