"""Voltage quality: means over irregular readings, six functions at their limits, and the week's verdict."""

import unittest

from meterhub.meters import voltage
from meterhub.meters.voltage import DEFAULTS, FUNCTIONS, INTERRUPTED, Means, Phase

MONDAY = 1790553600
NAMES = [row[0] for row in FUNCTIONS]


def fed(mv, seconds, step=1, phase=None, config=DEFAULTS):
    """Return (phase, [what has changed]) after a voltage that lasts, read every `step` seconds."""
    phase = phase or Phase()
    changed = []
    for _ in range(seconds // step):
        changed += phase.take(mv, step, config)
    return phase, changed


class MeansTest(unittest.TestCase):
    def test_a_mean_is_of_time_not_of_readings(self):
        means = Means(1800)
        done = []
        at = MONDAY
        for step, mv in ((10, 230000), (1, 240000), (7, 220000)) * 100:
            done += means.take(at, at + step, [mv, None, None])
            at += step
        self.assertEqual((done[0][0], done[0][2]), (MONDAY + 1800, (1800, 0, 0)))
        expected = (10 * 230000 + 240000 + 7 * 220000) // 18
        self.assertTrue(abs(done[0][1][0] - expected) <= 1, done)
        self.assertEqual(done[0][1][1:], (None, None))

    def test_a_reading_across_the_end_counts_on_both_sides(self):
        means = Means(600)
        self.assertEqual(means.take(MONDAY, MONDAY + 595, [200000] * 3), ())
        done = means.take(MONDAY + 595, MONDAY + 605, [320000] * 3)
        self.assertEqual(done, [(MONDAY + 600, (201000,) * 3, (600,) * 3)])
        self.assertEqual(means.close(MONDAY + 1200), [(MONDAY + 1200, (320000,) * 3, (5,) * 3)])

    def test_a_gap_is_not_filled(self):
        means = Means(600)
        means.take(MONDAY, MONDAY + 100, [230000, 230000, None])
        self.assertEqual(means.close(MONDAY + 599), ())
        done = means.take(MONDAY + 5000, MONDAY + 5001, [240000] * 3)
        self.assertEqual(done, [(MONDAY + 600, (230000, 230000, None), (100, 100, 0))])
        self.assertEqual(means.close(MONDAY + 5400), [(MONDAY + 5400, (240000,) * 3, (1,) * 3)])

    def test_one_reading_for_several_periods(self):
        done = Means(60).take(MONDAY + 30, MONDAY + 210, [1, 2, 3])
        self.assertEqual([(end - MONDAY, covered[0]) for end, _, covered in done], [(60, 30), (120, 60), (180, 60)])

    def test_a_period_is_told_once_even_when_the_clock_goes_back_a_little(self):
        means = Means(600)
        means.take(MONDAY, MONDAY + 600, [230000] * 3)
        self.assertEqual(means.take(MONDAY + 590, MONDAY + 599, [1000] * 3), ())
        done = means.take(MONDAY + 599, MONDAY + 1200, [231000] * 3)
        self.assertEqual(done, [(MONDAY + 1200, (231000,) * 3, (600,) * 3)])

    def test_a_clock_that_was_far_ahead_is_believed_once_it_is_right(self):
        means = Means(600)
        means.take(MONDAY + 864000, MONDAY + 864600, [230000] * 3)
        self.assertEqual(len(means.take(MONDAY, MONDAY + 600, [230000] * 3)), 1)


class FunctionTest(unittest.TestCase):
    def test_the_limit_itself_is_good(self):
        for mv, name in ((253000, ""), (253001, "swell"), (216000, ""), (215999, "sag"), (287000, "swell")):
            _, changed = fed(mv, 60)
            self.assertEqual([NAMES[i] for i in changed], [name] if name else [], mv)
        _, changed = fed(287001, 60)
        self.assertEqual(sorted([NAMES[i] for i in changed]), ["extreme over-voltage", "swell"])
        _, changed = fed(179999, 60)
        self.assertEqual(sorted([NAMES[i] for i in changed]), ["extreme under-voltage", "sag"])
        _, changed = fed(180000, 60)
        self.assertEqual([NAMES[i] for i in changed], ["sag"])

    def test_thirty_seconds_to_rise_and_thirty_to_clear(self):
        for step in (1, 2, 10):
            phase, changed = fed(260000, 30 - step, step)
            self.assertEqual(changed, [])
            _, changed = fed(260000, step, step, phase)
            self.assertEqual((changed, phase.is_active(4), phase.counters[4]), ([4], True, 1))
            _, changed = fed(253000, 30 - step, step, phase)
            self.assertEqual(changed, [])
            _, changed = fed(253000, step, step, phase)
            self.assertEqual((changed, phase.is_active(4), phase.counters[4]), ([4], False, 1))

    def test_one_good_reading_begins_anew(self):
        phase, _ = fed(260000, 29)
        fed(250000, 1, 1, phase)
        self.assertEqual(fed(260000, 29, 1, phase)[1], [])
        self.assertEqual(fed(260000, 1, 1, phase)[1], [4])

    def test_nothing_lasts_across_a_gap(self):
        phase, _ = fed(260000, 29)
        phase.gap()
        self.assertEqual(phase.take(260000, 0, DEFAULTS), ())
        self.assertEqual(fed(260000, 29, 1, phase)[1], [])
        self.assertEqual(fed(260000, 1, 1, phase)[1], [4])

    def test_it_is_told_once_however_long_it_lasts(self):
        self.assertEqual(fed(260000, 5000)[1], [4])

    def test_means_have_no_period_of_their_own(self):
        phase = Phase()
        told = [phase.judge_mean(mv, DEFAULTS) for mv in (264000, 264001, 264500, 264000, 200000, 199999, 200000)]
        self.assertEqual([list(one) for one in told], [[], [0], [], [0], [], [1], [1]])
        self.assertEqual(phase.counters[:2], [1, 1])

    def test_an_interruption_is_at_once_and_below_five_percent(self):
        phase = Phase()
        self.assertEqual(list(phase.take(11500, 1, DEFAULTS)), [])
        self.assertEqual(phase.take(11499, 1, DEFAULTS), [INTERRUPTED])
        self.assertEqual(list(phase.take(0, 1, DEFAULTS)), [])
        self.assertEqual(phase.take(11500, 1, DEFAULTS), [INTERRUPTED])

    def test_another_threshold_counts_from_then_on(self):
        config = dict(DEFAULTS, swell_mv=262000, swell_s=5)
        self.assertEqual(fed(260000, 100, 1, None, config)[1], [])
        self.assertEqual(fed(263000, 5, 1, None, config)[1], [4])


class WeekTest(unittest.TestCase):
    def week(self, *means):
        phase = Phase()
        for mv, count in means:
            for _ in range(count):
                phase.count_mean(mv, DEFAULTS)
        return phase.week

    def test_the_limits_belong_to_the_band(self):
        for mv, inside in (
            (253000, [1, 1, 1]),
            (253001, [0, 0, 0]),
            (207000, [1, 1, 0]),
            (206999, [0, 1, 0]),
            (195500, [0, 1, 0]),
            (195499, [0, 0, 0]),
            (216200, [1, 1, 1]),
            (216199, [1, 1, 0]),
        ):
            self.assertEqual(self.week((mv, 1))[1:4], inside, mv)

    def test_ninety_five_percent(self):
        self.assertEqual(voltage.verdict(self.week((230000, 95), (206000, 5)), 0), 1)
        self.assertEqual(voltage.verdict(self.week((230000, 94), (206000, 6)), 0), 0)
        self.assertEqual(voltage.verdict(self.week((230000, 999), (195000, 1)), 0), 0)
        self.assertEqual(voltage.verdict(self.week((230000, 99), (210000, 1)), 0), 1)
        self.assertEqual(voltage.verdict(self.week((230000, 99), (210000, 1)), 1), 0)
        self.assertEqual(voltage.verdict(self.week(), 0), -1)

    def test_lowest_and_highest(self):
        self.assertEqual(self.week((231000, 2), (229000, 1), (235000, 1))[4:], [229000, 235000])

    def test_a_week_begins_on_monday(self):
        self.assertEqual([voltage.week_of(MONDAY + s) - MONDAY for s in (0, 600, 604800)], [-604800, 0, 0])

    def test_enough_of_a_period(self):
        self.assertEqual([voltage.is_sure(s, 600) for s in (539, 540, 600)], [False, True, True])


class PackTest(unittest.TestCase):
    def test_the_state_survives(self):
        phases = [Phase() for _ in range(3)]
        phases[1].take(0, 1, DEFAULTS)
        phases[1].since = MONDAY
        phases[2].counters[5] = 700
        phases[2].week = [1008, 1000, 1008, 3, 0, 300000]
        in_use, week, found = voltage.unpack(voltage.pack(5, MONDAY, phases))
        self.assertEqual((in_use, week), (5, MONDAY))
        for a, b in zip(phases, found):  # noqa: B905 - MicroPython has no strict=
            self.assertEqual((a.active, a.since, a.counters, a.week), (b.active, b.since, b.counters, b.week))

    def test_what_is_no_state_is_refused(self):
        raw = voltage.pack(1, 2, [Phase() for _ in range(3)])
        for bad in (b"", raw[:-1], raw + b"x", b"\x02" + raw[1:]):
            self.assertRaises(ValueError, voltage.unpack, bad)

    def test_weeks(self):
        phases = [Phase() for _ in range(3)]
        phases[2].week = [1, 2, 3, 4, 5, 6]
        raw = voltage.pack_week(MONDAY, 5, phases) + voltage.pack_week(MONDAY + 604800, 4, phases)
        expected = [(MONDAY, 5, [(0,) * 6, (1, 2, 3, 4, 5, 6)]), (MONDAY + 604800, 4, [(1, 2, 3, 4, 5, 6)])]
        self.assertEqual(voltage.unpack_weeks(raw), expected)


if __name__ == "__main__":
    unittest.main()
