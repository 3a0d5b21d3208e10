"""Pulses: the register to the Wh, the power that falls when no pulse comes."""

import unittest

from meterhub.meters.pulse import PulseMeter


class PulseTest(unittest.TestCase):
    def test_the_register_counts_whole_wh_and_loses_no_part(self):
        meter = PulseMeter(800, start=1000)  # 1.25 Wh a pulse
        shown = []
        for n in range(1, 5):
            meter.pulse(1, n * 100)
            shown.append(meter.value)
        self.assertEqual(shown, [1001, 1002, 1003, 1005])

    def test_ten_thousand_pulses_a_kwh_add_up(self):
        meter = PulseMeter(10000)
        for n in range(25000):
            meter.pulse(1, n)
        self.assertEqual(meter.value, 2500)

    def test_power_is_that_between_the_last_two_pulses(self):
        meter = PulseMeter(1000)
        self.assertEqual(meter.power(0), None)
        meter.pulse(1, 1000)
        self.assertEqual(meter.power(1000), None)
        meter.pulse(1, 4600)
        self.assertEqual(meter.power(4600), 1000)
        self.assertEqual(meter.power(8200), 1000)

    def test_no_pulses_change_nothing(self):
        meter = PulseMeter(1000)
        meter.pulse(1, 0)
        meter.pulse(1, 3600)
        meter.pulse(0, 99999)
        self.assertEqual((meter.value, meter.power(3600)), (2, 1000))

    def test_several_pulses_at_once_share_the_time(self):
        meter = PulseMeter(1000)
        meter.pulse(1, 0)
        meter.pulse(4, 3600)
        self.assertEqual((meter.power(3600), meter.value), (4000, 5))

    def test_power_falls_while_the_next_pulse_is_overdue(self):
        meter = PulseMeter(1000)
        meter.pulse(1, 0)
        meter.pulse(1, 3600)
        self.assertEqual([meter.power(3600 + s) for s in (7200, 36000, 360000, 3600000)], [500, 100, 10, 1])
        self.assertEqual(meter.power(3600 + 3600001), 0)

    def test_of_a_slow_meter_less_is_known(self):
        meter = PulseMeter(1)  # one pulse a kWh: an hour without says that it is less than 1 kW
        meter.pulse(1, 0)
        meter.pulse(1, 3600000)
        self.assertEqual([meter.power(3600000 + hours * 3600000) for hours in (1, 2, 10, 23)], [1000, 500, 100, 43])
        self.assertEqual(meter.power(3600000 + 86400000), 0)

    def test_after_days_of_silence_ticks_that_wrapped_are_not_believed(self):
        meter = PulseMeter(1000)
        meter.pulse(1, 0)
        meter.pulse(1, 3600)
        self.assertEqual(meter.power(3600 + 86400000), 0)
        self.assertEqual(meter.power(3700), 0)
        meter.pulse(1, 9000)
        self.assertEqual(meter.power(9000), 0)  # one pulse tells nothing yet
        meter.pulse(1, 12600)
        self.assertEqual(meter.power(12600), 1000)

    def test_a_pulse_after_more_days_than_half_the_ticks_tells_no_power(self):
        days = 7 * 86400000
        meter = PulseMeter(1000)
        meter.pulse(1, 0)
        meter.pulse(1, days)
        self.assertEqual(meter.power(days), 0)
        meter = PulseMeter(1000)
        meter.pulse(1, 0)
        self.assertEqual([meter.power(hour * 3600000) for hour in range(1, 169)], [None] * 168)
        meter.pulse(1, days)
        self.assertEqual(meter.power(days), None)
        meter.pulse(1, days + 3600)
        self.assertEqual(meter.power(days + 3600), 1000)

    def test_what_was_counted_before_a_restart_is_no_interval(self):
        meter = PulseMeter(1000)
        meter.pulses = 5000
        meter.pulse(1, 90)
        self.assertEqual((meter.value, meter.power(100)), (5001, None))

    def test_pulses_of_volume(self):
        meter = PulseMeter(100, "m3", 5000)  # ten litres each
        meter.pulse(1, 0)
        meter.pulse(1, 36000)
        found = [(r.obis, r.value, r.scale, r.unit) for r in meter.readings(None, 36000)]
        self.assertEqual(found, [("8-0:1.0.0", 5020, -3, "m3"), ("volume flow", 1000, 0, "l/h")])
        meter = PulseMeter(4, "l", register="7-0:3.0.0")
        for n in range(5):
            meter.pulse(1, n * 900)
        found = [(r.obis, r.value, r.scale, r.unit) for r in meter.readings(None, 3600)]
        self.assertEqual(found, [("7-0:3.0.0", 1, -3, "m3"), ("volume flow", 1000, 0, "l/h")])

    def test_energy_fed_in_has_its_own_power(self):
        meter = PulseMeter(1000, register="1-0:2.8.0")
        meter.pulse(2, 0)
        meter.pulse(1, 3600)
        found = [(r.obis, r.value, r.unit) for r in meter.readings(None, 3600)]
        self.assertEqual(found, [("1-0:2.8.0", 3, "Wh"), ("1-0:2.7.0", 1000, "W")])

    def test_two_pulses_in_one_millisecond_are_no_division_by_zero(self):
        meter = PulseMeter(1000)
        meter.pulse(1, 5)
        meter.pulse(1, 5)
        self.assertEqual(meter.power(5), 3600000)

    def test_readings_carry_both_and_the_time(self):
        meter = PulseMeter(1000, start=77)
        self.assertEqual([r.obis for r in meter.readings(1000, 0)], ["1-0:1.8.0"])
        meter.pulse(1, 0)
        meter.pulse(1, 3600)
        found = meter.readings(1000, 3600)
        self.assertEqual(
            [(r.obis, r.value, r.unit, r.at) for r in found],
            [("1-0:1.8.0", 79, "Wh", 1000), ("1-0:1.7.0", 1000, "W", 1000)],
        )

    def test_a_meter_constant_that_is_none_is_refused(self):
        self.assertRaises(ValueError, PulseMeter, 0)
        self.assertRaises(ValueError, PulseMeter, 1000, "kWh", -1)
        self.assertRaises(ValueError, PulseMeter, 1000, "gal")

    def test_the_register_never_falls_behind_what_it_has_shown(self):
        meter = PulseMeter(800, start=1000)
        meter.catch_up(1003)
        self.assertEqual(meter.value, 1003)
        meter.pulse(800, 0)
        meter.catch_up(1003)
        self.assertTrue(meter.value >= 2003)


if __name__ == "__main__":
    unittest.main()
