"""The tariff in force on the display: what today and this month cost, the price, the rate."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from tariff_bench import DAY, STEP, Case

from meterhub.codec.calendar import seconds
from meterhub.store import tariffs

HOUR = 3600


class CostTest(Case):
    def pounds(self, wh_night, wh_day, days):
        """Return the cost in e5, worked out here: 7.5 p, 28.5 p, 40 p a day, 5 % tax."""
        thousandths = wh_night * 7500 + wh_day * 28500 + days * 40000 * 1000
        return (thousandths * 105 + 50000) // 100000

    def test_today_and_this_month(self):
        self.begin(seconds(2026, 1, 1))
        self.assertEqual((self.hub.model.today_cost, self.hub.model.month_cost), ((42000, True), (42000, True)))
        self.tell(48)  # until midnight, and ten seconds more
        self.assertEqual(self.hub.model.today_cost, (42000, True))
        self.assertEqual(self.hub.model.month_cost, (self.pounds(1400, 3400, 2), True))
        self.tell(20)
        self.assertEqual(self.hub.model.today_cost, (self.pounds(1400, 600, 1), True))
        self.assertEqual(self.hub.model.month_cost, (self.pounds(2800, 4000, 2), True))

    def test_what_is_used_now_counts_at_once(self):
        self.begin(seconds(2026, 1, 1))
        self.tell(20)
        self.hub.look(self.hub.clock.at + 600, self.hub.model.import_wh + 33)
        self.assertEqual(self.hub.model.today_cost, (self.pounds(1400, 633, 1), True))
        self.tell(1, 100 - 33)
        self.assertEqual(self.hub.model.today_cost, (self.pounds(1400, 700, 1), True))

    def test_the_month_begins_anew(self):
        self.begin(seconds(2026, 1, 30))
        self.tell(2 * 48 + 10)
        self.assertEqual(self.hub.model.month_cost, (self.pounds(900, 100, 1), True))
        self.assertEqual(self.hub.model.today_cost, (self.pounds(900, 100, 1), True))

    def test_a_month_before_the_first_tariff_is_not_known(self):
        self.begin(DAY)
        self.tell(5)
        self.assertEqual(self.hub.model.today_cost, (self.pounds(400, 100, 1), True))
        self.assertEqual(self.hub.model.month_cost, (self.pounds(400, 100, 1), False))

    def test_what_has_no_price_is_told(self):
        self.begin(seconds(2026, 1, 1))
        self.tell(2)
        self.hub.tell(self.hub.profile.last + 20 * STEP, 1003000)
        self.assertEqual(self.hub.model.today_cost, (self.pounds(100, 100, 1), False))
        self.tell(48)
        self.assertEqual(self.hub.model.today_cost[1], True)
        self.assertEqual(self.hub.model.month_cost[1], False)

    def test_a_meter_that_is_silent_leaves_the_cost_unknown(self):
        self.begin(seconds(2026, 1, 1))
        self.tell(2)
        self.hub.look(self.hub.clock.at + 2000, self.hub.model.import_wh + 33)
        self.assertTrue(self.hub.model.today_cost[1])
        self.hub.look(self.hub.clock.at + 2000)
        self.assertFalse(self.hub.model.today_cost[1])

    def test_two_tariffs_in_a_day_and_a_month(self):
        self.begin(seconds(2026, 1, 1))
        self.tell(48 + 20)
        self.hub.put(
            id="x", bands=[{"name": "a", "price": 10000}], days=[[0, 0]], tax_bp=0, standing={"price": 1, "scale": 0}
        )
        self.tell(10)
        before = (self.pounds(1400, 600, 1), self.pounds(2800, 4000, 2))
        self.assertEqual(
            (self.hub.model.today_cost, self.hub.model.month_cost),
            ((before[0] + 10000, True), (before[1] + 10000, True)),
        )
        self.tell(18)  # the new day's standing charge is the new tariff's
        self.assertEqual(self.hub.model.month_cost, (before[1] + 28000 + 100000, True))
        self.assertEqual(self.hub.model.today_cost, (100000, True))

    def test_the_days_of_the_clock_change(self):
        self.begin(seconds(2026, 3, 28))
        self.tell(48 + 46)
        self.assertEqual(self.hub.clock.at, seconds(2026, 3, 29, 23) + 10)
        self.assertEqual(self.registers()[0], [1400 + 1200, 3400 + 3400])
        self.assertEqual(self.hub.model.month_cost[0], self.pounds(2600, 6800, 3))
        self.assertEqual(self.hub.model.today_cost, (42000, True))

    def test_a_new_tenant_sees_no_cost_of_before(self):
        self.begin(seconds(2026, 1, 1))
        self.tell(30)
        self.hub = self.hub.again()
        self.hub.profile.hide_before(seconds(2026, 1, 1, 12))
        self.hub.look(self.hub.clock.at, 1003000)
        self.assertEqual(self.hub.model.today_cost, (self.pounds(0, 600, 0), False))
        self.assertEqual(self.registers()[0], [1400, 1600])

    def test_a_clock_that_was_ahead(self):
        self.begin(seconds(2026, 1, 1))
        self.tell(20)
        self.hub.look(seconds(2026, 1, 4, 10))
        self.hub.look(seconds(2026, 1, 1, 10, 10))
        self.tell(4)
        self.assertEqual(self.registers(), ([1400, 1000], 0))
        self.assertFalse(self.hub.model.today_cost[1])  # where the day's cost was is gone
        self.tell(48)
        self.assertTrue(self.hub.model.today_cost[1])

    def test_flash_that_is_full_is_told_and_the_cost_goes_on(self):
        self.begin(seconds(2026, 1, 1))
        self.tell(47)

        def refuse():
            raise OSError(28)

        self.hub.tariffs.save = refuse
        self.tell(2)
        self.assertEqual(self.hub.told()[-1], ("RECORD_FAILED", "tariff (28,)"))
        self.assertEqual(self.registers()[0], [1400, 3500])


class BlocksTest(Case):
    FIELDS = {
        "kind": "block",
        "bands": [{"name": "a", "prices": [10000, 20000], "limits": [1000]}],
        "days": [[0, 0]],
        "tax_bp": 0,
        "standing": {"price": 0, "scale": 0},
        "blocks": ["daily"],
    }

    def test_the_price_rises_and_begins_anew(self):
        self.begin(**self.FIELDS)
        self.tell(10)
        self.assertEqual((self.hub.model.price_e5, self.hub.model.today_cost[0]), (20000, 10000))
        self.tell(1)
        self.assertEqual(self.hub.model.today_cost[0], 12000)
        reading = self.hub.model.import_wh
        self.hub = self.hub.again()
        self.hub.look(self.hub.clock.at, reading)
        self.assertEqual((self.hub.model.price_e5, self.hub.model.today_cost[0]), (20000, 12000))
        self.tell(37 + 1)
        self.assertEqual((self.hub.model.price_e5, self.hub.model.today_cost[0]), (10000, 1000))

    def test_saved_blocks_are_taken_up(self):
        self.begin(**self.FIELDS)
        self.tell(9)
        self.hub.tariffs.save()
        self.hub = self.hub.again()
        self.hub.model.import_wh = 1000900
        self.tell(2)
        self.assertEqual(self.hub.model.today_cost[0], 12000)


class DisplayTest(Case):
    def test_rate_price_and_until_when(self):
        self.begin(export=[5000])
        model = self.hub.model
        self.assertEqual(
            (model.rate, model.price_e5, model.export_price_e5, model.currency), ("day", 29925, 5000, "GBP")
        )
        self.assertEqual(model.tariff, ("eco-1", "until 00:30", 42000))
        self.hub.look(DAY + STEP)
        self.assertEqual((model.rate, model.price_e5, model.tariff[1]), ("night", 7875, "until 07:30"))

    def test_one_rate_has_no_name_to_show(self):
        self.begin(bands=[{"name": "any", "price": 20000}], days=[[0, 0]])
        self.assertEqual((self.hub.model.rate, self.hub.model.tariff), ("", ("eco-1", "", 42000)))

    def test_a_rate_that_lasts_days_says_so_when_its_end_is_near(self):
        self.begin(days=[[0, 0], [0, 1]], weeks=[[0, 0, 0, 0, 0, 1, 1]])  # a Saturday
        self.assertEqual((self.hub.model.rate, self.hub.model.tariff[1]), ("day", ""))
        self.hub.look(DAY + 86400 + HOUR)
        self.assertEqual(self.hub.model.tariff[1], "until 00:00")

    def test_without_a_tariff_nothing_is_loaded(self):
        self.assertEqual(self.hub.tariffs, None)
        self.assertEqual(tariffs.load(self.hub.record(tariffs.IN_FORCE)), None)


if __name__ == "__main__":
    unittest.main()
