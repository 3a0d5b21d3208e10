"""Commands about the tariff that have a date, and those that read."""

import json
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from tariff_bench import DAY, STEP, document
from tariff_orders_bench import SUP, Case

from meterhub.codec import base64url, tariff
from meterhub.codec.calendar import seconds
from meterhub.services import tariffs as service


class DateTest(Case):
    def test_the_old_one_stays_in_force_until_the_date(self):
        self.set(tariff=document())
        self.hub.tell(DAY, 1000)
        self.hub.tell(DAY + STEP, 1100)
        change = DAY + 4 * STEP
        command = self.command(
            "set.tariff_price", {"tariff": document(id="eco-2", days=[[0, 1]], **{"from": change})}, change
        )
        service.check(self.hub, command)
        self.assertEqual(self.hub.tariffs.rates.id, "eco-1")
        for i in (2, 3, 4):
            self.hub.tell(DAY + i * STEP, 1000 + 100 * i)
        self.hub.look(change + 20)
        found = service.handle(self.hub, command)
        self.assertEqual(found.data["applied"], change)
        self.hub.tell(change + STEP, 1500)
        self.assertEqual(self.hub.tariffs.registers, [300, 200])

    def test_all_times_of_a_command_must_be_the_same(self):
        wrong = {"tariff": document(**{"from": DAY + 2 * STEP})}
        self.assertEqual(self.refused("set.tariff_price", wrong, DAY + 4 * STEP), ("INVALID_VALUE", "arg.tariff.from"))
        self.assertEqual(self.refused("set.tariff_price", {"tariff": document()}, DAY + 700), ("INVALID_VALUE", "at"))
        self.set(DAY + 4 * STEP, tariff=document(**{"from": DAY + 4 * STEP}))
        self.assertEqual(self.hub.tariffs.kept.since, DAY + 4 * STEP)

    def test_what_could_not_be_carried_out_is_refused_at_once(self):
        bad = {"tariff": document(days=[[0, 7]])}
        self.assertEqual(
            self.refused("set.tariff_price", bad, DAY + 4 * STEP), ("INVALID_VALUE", "arg.tariff.days[0][1]")
        )
        late = {"tariff": document(), "expiry": DAY + STEP}
        self.assertEqual(self.refused("set.tariff_price", late, DAY + 4 * STEP), ("INVALID_VALUE", "arg.expiry"))

    def test_a_change_that_comes_too_soon_after_another_is_refused(self):
        self.set(tariff=document())
        self.hub.tell(DAY, 1000)
        self.hub.tell(DAY + STEP, 1100)
        self.hub.clock.at = DAY + 2 * STEP + 5
        self.set(tariff=document(id="b"))
        self.hub.clock.at = DAY + 3 * STEP + 5
        self.assertEqual(self.refused("set.tariff_price", {"tariff": document(id="c")}), ("BUSY", "tariff"))


class ReadTest(Case):
    def test_there_is_none(self):
        self.assertEqual(self.refused("read.tariff", {}), ("NOT_AVAILABLE", "tariff"))
        self.assertEqual(self.refused("read.tariff", {"next": True}), ("NOT_AVAILABLE", "arg.next"))
        self.assertEqual(self.refused("read.tou_registers", {}), ("NOT_AVAILABLE", "tariff"))
        self.assertEqual(self.refused("read.tariff", {"next": 5}), ("MALFORMED", "arg.next"))
        self.assertEqual(self.refused("read.tariff", {"all": 1}), ("MALFORMED", "arg.all"))

    def test_the_tariff_in_force(self):
        self.set(tariff=document(billing=["weekly", 1]))
        found = self.send("read.tariff", {}).data
        raw = tariff.packed(document(billing=["weekly", 1]))
        self.assertEqual(base64url.decode(found["packed"]), raw)
        self.assertEqual((found["tariff"], found["since"], found["size"]), ("eco-1", DAY, len(raw)))
        self.assertEqual((found["band"], found["name"], found["price_e5"]), (1, "day", 29925))
        self.assertEqual((found["billing"], found["period"]), (["weekly", 1], [DAY - 5 * 86400, DAY + 2 * 86400]))
        rest = self.send("read.tariff", {"offset": 100}).data
        self.assertEqual(base64url.decode(rest["packed"]), raw[100:])
        self.assertEqual(self.refused("read.tariff", {"offset": len(raw) + 1}), ("INVALID_VALUE", "arg.offset"))

    def test_the_next_tariff(self):
        self.set(tariff=document())
        command = self.command("set.tariff_price", {"prices": [1, 2], "id": "eco-2"}, DAY + STEP)
        other = [SUP, "SUP", 0, 1, 0, "set.load_limit", {}, DAY, "H", "supply"]
        self.hub.record("staged").save(json.dumps([other, list(command[:10])]).encode())
        found = self.send("read.tariff", {"next": True}).data
        self.assertEqual((found["tariff"], found["since"]), ("eco-2", DAY + STEP))
        self.assertFalse("period" in found)

    def test_the_registers(self):
        self.set(tariff=document())
        self.hub.tell(DAY, 1000)
        self.hub.tell(DAY + STEP, 1100)
        found = self.send("read.tou_registers", {}).data
        expected = {
            "tariff": "eco-1",
            "since": DAY,
            "at": DAY + STEP,
            "registers": [0, 100],
            "names": ["night", "day"],
        }
        expected["unassigned"] = 0
        self.assertEqual(found, expected)

    def test_the_billing_calendar(self):
        self.assertEqual(
            self.send("set.billing_calendar", {"billing": ["quarterly", 5, 2]}).data, {"billing": ["quarterly", 5, 2]}
        )
        said = "['monthly', 1] -> ['quarterly', 5, 2] by %s 1" % SUP
        self.assertEqual(self.hub.told(), [("billing calendar", said)])
        self.set(tariff=document())
        self.again()
        found = self.send("read.tariff", {}).data
        self.assertEqual(
            (found["billing"], found["period"]), (["quarterly", 5, 2], [seconds(2025, 11, 5), seconds(2026, 2, 5)])
        )
        for wrong, said in (
            ({}, ("MALFORMED", "arg.billing")),
            ({"billing": ["monthly", 29]}, ("INVALID_VALUE", "arg.billing[1]")),
            ({"billing": ["monthly", 1], "at": 1}, ("MALFORMED", "arg.at")),
        ):
            self.assertEqual(self.refused("set.billing_calendar", wrong), said)


if __name__ == "__main__":
    unittest.main()
