"""The registers as a role gets them: integers with their time, and a named refusal for what cannot be told."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from services_bench import NOW, Case

from meterhub.codec.load_profile import CLOCK_UNSURE, MEASURED
from meterhub.meters.meter import Meter
from meterhub.meters.reading import Reading
from meterhub.services import readings


class RegistersTest(Case):
    service = readings

    def setUp(self):
        super().setUp()
        self.tell(NOW - 1, ("1-0:1.8.1", 400123, 0, "Wh"), ("1-0:1.8.2", 500456, 0, "Wh"), ("1-0:2.8.1", 7, 3, "Wh"))

    def boot(self, is_set=True):
        hub = super().boot(is_set)
        hub.meters = [Meter({"name": "main", "protocol": "p1"}, (115200, "8N1", False), 0, None, None)]
        return hub

    def tell(self, at, *readings):
        """Let the meter tell (obis, value, scale, unit) at `at`."""
        found = [Reading(obis, value, scale, unit, "E1", 0, at) for obis, value, scale, unit in readings]
        self.hub.meters[0].told()
        self.hub.meters[0].registers.update(found)

    def test_import_is_told_as_integers_with_unit_and_scale(self):
        data = self.ask("read.import_registers", role="SUP")
        self.assertEqual((data["at"], data["quality"], data["meter"]), (NOW - 1, MEASURED, "E1"))
        self.assertEqual(
            data["registers"],
            [["1-0:1.8.0", 900579, 30, 0], ["1-0:1.8.1", 400123, 30, 0], ["1-0:1.8.2", 500456, 30, 0]],
        )

    def test_export_is_told_apart_from_import(self):
        data = self.ask("read.export_registers")
        self.assertEqual(data["registers"], [["1-0:2.8.0", 7000, 30, 0], ["1-0:2.8.1", 7, 30, 3]])

    def test_what_a_meter_behind_it_counts_has_its_own_time(self):
        self.hub.meters[0].registers.update([Reading("0-1:24.2.1", 123456, -3, "m3", "G1", 1, NOW - 900)])
        self.assertEqual(self.ask("read.import_registers")["others"], [["0-1:24.2.1", 123456, 13, -3, NOW - 900]])

    def test_power_is_told_of_a_meter_that_speaks(self):
        self.tell(NOW, ("1-0:1.7.0", 345, 0, "W"), ("1-0:2.7.0", 0, 0, "W"), ("1-0:32.7.0", 2301, -1, "V"))
        data = self.ask("read.power_now", role="INST")
        self.assertEqual(data["registers"], [["1-0:1.7.0", 345, 27, 0], ["1-0:2.7.0", 0, 27, 0]])
        self.hub.meters[0].elapse(31000)
        self.assertEqual(self.refused("read.power_now"), "DEVICE_UNREACHABLE main")
        self.ask("read.import_registers")  # a total is what it is, with its time

    def test_a_meter_without_a_clock_is_stamped_by_the_hub(self):
        self.hub = self.boot()
        self.tell(None, ("1-0:1.8.0", 950000, 0, "Wh"))
        self.hub.meters[0].elapse(4000)
        data = self.ask("read.import_registers")
        self.assertEqual((data["at"], data["quality"]), (NOW - 4, MEASURED))

    def test_a_meter_that_is_hours_off_a_synchronised_clock_is_stamped_by_the_hub_and_called_unsure(self):
        self.tell(NOW - 90000, ("1-0:2.8.0", 7100, 0, "Wh"), ("1-0:2.8.1", 7100, 0, "Wh"))
        data = self.ask("read.export_registers")
        self.assertEqual((data["at"], data["quality"]), (NOW, CLOCK_UNSURE))

    def test_a_reading_that_nobody_can_say_the_time_of_is_refused(self):
        self.hub = self.boot(is_set=False)
        for at in (None, 86400):  # no clock, and one that was never set
            self.tell(at, ("1-0:1.8.0", 950000, 0, "Wh"))
            self.assertEqual(self.refused("read.import_registers"), "CLOCK_INVALID at")

    def test_nothing_is_told_while_it_cannot_be_kept(self):
        self.hub.meters[0].troubles.add("unsaved history")
        self.assertEqual(self.refused("read.import_registers"), "RECORD_FAILED history")

    def test_what_there_is_not_is_refused_by_name(self):
        self.assertEqual(self.refused("read.power_now"), "NOT_AVAILABLE registers")
        self.assertEqual(self.refused("read.import_registers", {"x": 1}), "MALFORMED arg.x")
        self.assertEqual(self.refused("read.import_registers", {"meter": "gas"}), "INVALID_VALUE arg.meter")
        self.assertEqual(self.refused("read.import_registers", {"meter": 1}), "MALFORMED arg.meter")
        self.assertEqual(self.refused("read.import_registers", since=NOW), "NOT_AVAILABLE at")
        self.hub.tenancy.since = NOW
        self.assertEqual(self.refused("read.import_registers"), "NOT_AVAILABLE at")
        self.hub.meters = []
        self.assertEqual(self.refused("read.import_registers"), "NOT_AVAILABLE meter")


if __name__ == "__main__":
    unittest.main()
