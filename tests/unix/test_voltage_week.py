"""A week of the voltage, judged as a simple count of its seconds judges it; and power cuts in between."""

import sys
import unittest
from array import array

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from quality_bench import NOW, PLACES
from store_cuts import Cut, Flash
from voltage_bench import FINE, Case

from meterhub.meters.reading import Reading
from meterhub.services import power_quality
from meterhub.store import voltage_log

WEEK_S = 604800


def planted(seed, minute):
    """Return the voltage of a minute of the week on each phase, in tenths of a volt."""
    ten = minute // 10
    noise = (minute * 7919 + seed * 104729) % 61 - 30
    if seed == 1 and 300 <= ten < 352:  # 52 of 1008 means: more than 5 %
        return 2560 + noise // 10
    if seed == 2 and 500 <= ten < 530:  # 30 of them, and none below -15 %
        return 2030 + noise // 10
    if seed == 3 and ten == 700:
        return 1900
    return 2300 + noise


class WeekTest(Case):
    def test_a_week_with_planted_violations_is_judged_as_a_simple_count_has_it(self):
        hub = self.hub
        meter = hub.meters[0]
        meter.period_ms = 60000
        days = [
            [array("I", bytes(4 * 144)) for _ in range(7)] for _ in range(4)
        ]  # of sums, and of seconds; no large piece
        at, before, n = NOW, NOW, 0
        while at < NOW + WEEK_S + 700:
            n += 1
            at += 15 + n * 31 % 56  # 15 to 70 s
            if n % 2000 == 0:
                at += 7000  # nothing comes
            hub.wait(at - NOW - (hub.board.unix_s - NOW))
            volts = [planted(seed, (at - NOW) // 60) for seed in (1, 2, 3)]
            pairs = enumerate(PLACES)
            readings = [Reading(obis, volts[i], -1, "V", "E1", 0, None) for i, obis in pairs]
            hub.voltage.take(meter, readings)
            hub.voltage.tick()
            if n > 1 and at - before <= 75:
                for second in range(before - NOW, min(at - NOW, WEEK_S)):
                    day, ten = second // 86400, second // 600 % 144
                    days[3][day][ten] += 1
                    for i in range(3):
                        days[i][day][ten] += volts[i]
            before = at
        weeks = hub.do(power_quality, "read.power_quality", what=["weeks"])["weeks"]
        self.assertEqual(weeks[0][:2], [NOW, [1, 2, 3]])
        for i in range(3):
            expected, low, high = [0] * 4, 1000000, 0
            for ten in range(1008):
                seconds = days[3][ten // 144][ten % 144]
                if seconds >= 540:
                    mv = days[i][ten // 144][ten % 144] * 100 / seconds
                    bounds = ((0, 1000000), (207000, 253000), (195500, 253000), (216200, 253000))
                    expected = [n + (bounds[k][0] <= mv <= bounds[k][1]) for k, n in enumerate(expected)]
                    low, high = min(low, mv), max(high, mv)
            found = weeks[0][2 + i]
            self.assertEqual(found[:4], expected, i)
            self.assertTrue(abs(found[4] - low) < 1 and abs(found[5] - high) < 1, found)
            within = 100 * expected[1] >= 95 * expected[0] and expected[2] == expected[0]
            self.assertEqual(found[6], int(within))
        self.assertTrue(900 < weeks[0][2][0] < 1008)
        self.assertEqual([one[6] for one in weeks[0][2:]], [0, 1, 0])
        alert = [one for one in hub.letters.sent if one[1].startswith("EN")]
        self.assertEqual([one[3] for one in alert], [{"week": NOW, "phases": [1, 3]}])

    def test_eight_weeks_are_kept(self):
        hub = self.hub
        for _ in range(11):
            for _ in range(70):
                hub.tell(FINE, 10)
            hub.wait(WEEK_S - 700)
        weeks = hub.do(power_quality, "read.power_quality", what=["weeks"])["weeks"]
        self.assertEqual([week[0] for week in weeks], [NOW + n * WEEK_S for n in range(2, 10)])
        late = hub.do(power_quality, "read.power_quality", what=["weeks"], start=weeks[-1][0] + 100)["weeks"]
        self.assertEqual(late, weeks[-1:])


class CutTest(Case):
    def test_a_week_is_kept_once_when_the_power_goes_before_the_next_one_is_begun(self):
        for _ in range(70):
            self.hub.tell(FINE, 10)
        state = self.hub.voltage._record.load()
        self.hub.wait(WEEK_S)
        for _ in range(70):
            self.hub.tell(FINE, 10)
        self.hub.voltage._record.save(state)  # as the cut leaves it
        self.hub = self.started(self.hub.board.unix_s)
        for _ in range(70):
            self.hub.tell(FINE, 10)
        weeks = self.hub.do(power_quality, "read.power_quality", what=["weeks"])["weeks"]
        self.assertEqual([week[0] for week in weeks], [NOW])
        self.assertEqual(self.hub.voltage.week, NOW + WEEK_S)

    def test_log_counters_and_week_survive_a_cut_at_every_change_of_the_flash(self):
        for cut in range(0, 40, 3):
            self.tearDown()
            self.setUp()
            means = swells = 0
            try:
                with Flash(cut, False, voltage_log):
                    for _ in range(8):
                        for n in range(60):
                            self.hub.tell((2600, 2310, 2290) if n < 30 else FINE, 10)
                        swells += 1
                        means += 1
            except Cut:
                pass
            found = self.started(self.hub.board.unix_s + 30)
            phase = found.voltage.phases[0]
            self.assertTrue(means - 1 <= phase.week[0] <= means + 1, (cut, means, phase.week))
            self.assertTrue(swells - 1 <= phase.counters[4] <= swells + 1, (cut, swells, phase.counters))
            log = [one[0] for one in found.voltage.log.read(0, NOW * 2)]
            self.assertTrue(log == [NOW + 1800 * (k + 1) for k in range(len(log))], log)
            self.assertEqual(found.voltage.log.damaged, 0)


if __name__ == "__main__":
    unittest.main()
