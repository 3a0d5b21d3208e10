"""The watch over the voltage: alerts that come once each, at their limits, and the log."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

import voltage_bench
from quality_bench import NOW, Meter
from voltage_bench import FINE

from meterhub import outage_log


class Case(voltage_bench.Case):
    def tell(self, volts, seconds, step=1):
        for _ in range(seconds // step):
            self.hub.tell(volts, step)

    def sent(self):
        return [(event, code, data.get("phase")) for _, event, code, data in self.hub.letters.sent]


class AlertTest(Case):
    def test_a_sag_is_told_once_when_it_has_lasted_and_once_when_it_has_ended(self):
        self.tell(FINE, 10)
        self.tell((2300, 2159, 2290), 29)
        self.assertEqual(self.sent(), [])
        self.tell((2300, 2159, 2290), 200)
        self.assertEqual(self.sent(), [("sag", 0x802C, 2)])
        self.tell((2300, 2160, 2290), 29)
        self.assertEqual(len(self.sent()), 1)
        self.tell((2300, 2160, 2290), 60)
        self.assertEqual(self.sent(), [("sag", 0x802C, 2), ("sag ended", 0x8099, 2)])
        self.assertEqual(self.hub.names(), ["sag", "sag ended"])
        self.assertEqual({one[0] for one in self.hub.letters.sent}, {"DNO"})

    def test_exactly_253_volts_is_none_and_a_tenth_more_is_one(self):
        self.tell((2530, 2530, 2530), 100)
        self.assertEqual(self.sent(), [])
        self.tell((2530, 2530, 2531), 30)
        self.assertEqual(self.sent(), [("swell", 0x8024, 3)])

    def test_readings_every_ten_seconds_do_as_well(self):
        self.tell(FINE, 20, 10)
        self.tell((2531, 2310, 2290), 20, 10)
        self.assertEqual(self.sent(), [])
        self.tell((2531, 2310, 2290), 10, 10)
        self.assertEqual(self.sent(), [("swell", 0x8024, 1)])

    def test_a_gap_is_no_time_in_which_something_lasts(self):
        self.tell((2531, 2310, 2290), 29)
        self.hub.tell((2531, 2310, 2290), 16)
        self.tell((2531, 2310, 2290), 29)
        self.assertEqual(self.sent(), [])
        self.tell((2531, 2310, 2290), 1)
        self.assertEqual(len(self.sent()), 1)

    def test_all_six_have_their_codes(self):
        self.tell(FINE, 5)
        self.tell((2900, 1700, 2300), 30)
        rises = sorted(self.sent())
        expected = [("extreme over-voltage", 0x8020, 1), ("extreme under-voltage", 0x8028, 2)]
        self.assertEqual(rises, expected + [("sag", 0x802C, 2), ("swell", 0x8024, 1)])
        self.tell((2900, 1700, 2300), 3600, 10)
        self.assertEqual(self.sent()[4:], [("average over-voltage", 0x8002, 1), ("average under-voltage", 0x8006, 2)])
        self.tell(FINE, 3600, 10)
        codes = sorted([code for _, code, _ in self.sent()[6:]])
        self.assertEqual(codes, [0x8085, 0x8089, 0x808D, 0x8091, 0x8095, 0x8099])

    def test_a_mean_of_half_a_period_is_kept_and_not_judged(self):
        self.hub.wait(900)
        self.tell((2900, 2310, 2290), 920, 10)
        found = list(self.hub.voltage.log.read(0, NOW * 2))
        self.assertEqual([(one[0], one[3], one[4][0]) for one in found], [(NOW + 1800, (2900, 2310, 2290), 49)])
        self.assertTrue("average over-voltage" not in self.hub.names())

    def test_a_phase_that_fails_and_comes_back(self):
        for lasts, name, code in ((179, "phase restored", 0x8F39), (180, "phase restored 3 min", 0x8F3A)):
            self.tell(FINE, 5)
            self.tell((2300, 0, 2290), lasts)
            self.tell(FINE, 5)
            told = [one for one in self.hub.letters.sent if one[1].startswith("phase")][-2:]
            self.assertEqual([one[1:3] for one in told], [("phase interrupted", 0x8F59), (name, code)])
            self.assertEqual(told[1][3]["seconds"], lasts)
        kept = outage_log.newest(self.hub)
        self.assertEqual(
            [(one["phases"], one["seconds"], one["min3"]) for one in kept], [([2], 179, 0), ([2], 180, 1)]
        )

    def test_a_phase_that_is_not_wired_is_none(self):
        self.tell((2300, 0, None), 100)
        self.assertEqual((self.sent(), self.hub.voltage.in_use), ([], 1))

    def test_one_meter_is_listened_to(self):
        self.hub.meters.append(Meter("pv", 10000))
        self.hub.tell(FINE, 1, self.hub.meters[1])
        self.assertEqual(self.hub.voltage.meter, self.hub.meters[1])
        self.hub.tell(FINE, 1)
        for _ in range(50):
            self.hub.tell((2600, 2600, 2600), 1, self.hub.meters[1])
        self.assertEqual(self.sent(), [])
        self.assertEqual(self.hub.voltage.meter, self.hub.meters[0])

    def test_a_hub_without_letters_journals_all_the_same(self):
        self.hub.letters = None
        self.tell((2600, 2300, 2300), 31)
        self.assertEqual(self.hub.names(), ["swell"])

    def test_it_is_not_told_again_after_a_power_cut(self):
        self.tell((2600, 2300, 2300), 31)
        self.hub = self.started(NOW + 100)
        self.tell((2600, 2300, 2300), 60)
        self.assertEqual(self.sent(), [])
        self.tell(FINE, 31)
        self.assertEqual(self.sent(), [("swell ended", 0x8091, 1)])
        self.assertEqual(self.hub.voltage.phases[0].counters[4], 1)

    def test_no_time_no_log_but_alerts(self):
        self.hub.clock.state = "unset"
        self.tell((2600, 2300, 2300), 31)
        self.assertEqual(self.sent(), [("swell", 0x8024, 1)])
        self.tell(FINE, 3700, 10)
        self.assertEqual(list(self.hub.voltage.log.read(0, NOW * 2)), [])

    def test_a_full_flash_is_said_once(self):
        self.hub.voltage._record._path = self.folder + "/no/where"
        self.tell((2600, 2300, 2300), 31)
        self.tell((2100, 2300, 2300), 61)
        self.assertEqual([name for name in self.hub.names() if name.isupper()], ["RECORD_FAILED"])


class ShownTest(Case):
    def test_the_household_sees_the_newest_reading_of_each_phase_in_use(self):
        self.assertEqual(self.hub.voltage.shown(), (216000, 253000, []))
        self.hub.tell((2300, 2310, None))
        low, high, phases = self.hub.voltage.shown()
        self.assertEqual((low, high), (216000, 253000))
        self.assertEqual(phases, [("L1", 230000, 0, 0, 0, 0, -1), ("L2", 231000, 0, 0, 0, 0, -1)])
        self.hub.tell((2300, 114, None))  # interrupted is below 5 %
        self.assertEqual([phase[1] for phase in self.hub.voltage.shown()[2]], [230000, 0])

    def test_a_reading_that_is_old_is_none(self):
        self.hub.tell(FINE)
        self.hub.meters[0].is_old = True
        self.assertEqual([phase[1] for phase in self.hub.voltage.shown()[2]], [None] * 3)

    def test_means_that_are_out_of_their_limits_and_the_week_are_told(self):
        self.tell((2650, 1990, 2300), 1800, 10)
        self.hub.tell(FINE, 10)
        phases = self.hub.voltage.shown()[2]
        self.assertEqual([phase[1] for phase in phases], [230000, 231000, 229000])
        self.assertEqual([phase[2] for phase in phases], [1, -1, 0])
        self.assertEqual(phases[0][3:], (1800, 265000, 265000, 0))
        self.assertEqual(phases[2][3:], (1800, 230000, 230000, 1))

    def test_what_is_fine_is_what_the_operator_has_set(self):
        self.hub.voltage.config["sag_mv"], self.hub.voltage.config["swell_mv"] = 210000, 250000
        self.assertEqual(self.hub.voltage.shown()[:2], (210000, 250000))


if __name__ == "__main__":
    unittest.main()
