"""Buttons and pulse inputs: what bounces, what counts, what is long."""

import unittest

from meterhub.hal.button import Press
from meterhub.hal.pulse import Pulse
from meterhub.hal.ticks import since

WRAP = 1 << 30


class Flag:
    def __init__(self):
        self.times = 0

    def set(self):
        self.times += 1


def presses(edges, until, step=10):
    """Feed (at, down) edges; return [(at, kind)] as a task that looks every `step` ms sees them."""
    press, found, edges = Press(), [], list(edges)
    down = False
    for now in range(0, until, step):
        while edges and edges[0][0] <= now:
            at, down = edges.pop(0)
            press.edge(down, at % WRAP)
        kind = press.poll(down, now % WRAP)
        if kind:
            found.append((now, kind))
    return found


class PressTest(unittest.TestCase):
    def test_a_short_press_is_told_once_after_it_ended(self):
        self.assertEqual(presses([(100, True), (200, False)], 3000), [(230, "short")])

    def test_bouncing_contacts_make_one_press(self):
        edges = [(100, True), (102, False), (103, True), (109, False), (112, True)]
        edges += [(200, False), (204, True), (206, False), (215, True), (219, False)]
        self.assertEqual([kind for _, kind in presses(edges, 3000)], ["short"])

    def test_a_spike_is_no_press(self):
        self.assertEqual(presses([(100, True), (110, False), (400, True), (424, False)], 3000), [])

    def test_a_long_press_is_told_while_it_lasts_and_only_then(self):
        self.assertEqual(presses([(100, True), (2500, False)], 4000), [(1600, "long")])

    def test_a_glitch_in_a_long_press_does_not_cut_it(self):
        edges = [(100, True), (900, False), (905, True), (2500, False)]
        self.assertEqual(presses(edges, 4000), [(1600, "long")])

    def test_two_presses_between_two_looks_are_both_told(self):
        edges = [(100, True), (180, False), (260, True), (340, False)]
        self.assertEqual([kind for _, kind in presses(edges, 3000, 500)], ["short", "short"])

    def test_an_edge_that_the_interrupt_missed_is_read_from_the_level(self):
        press = Press()
        press.edge(True, 100)
        self.assertIsNone(press.poll(True, 150))
        self.assertIsNone(press.poll(False, 300))
        self.assertEqual(press.poll(False, 330), "short")

    def test_it_is_idle_only_when_nothing_is_due(self):
        press = Press()
        self.assertTrue(press.idle)
        press.edge(True, 0)
        self.assertFalse(press.idle)
        press.edge(False, 100)
        self.assertFalse(press.idle)
        self.assertEqual(press.poll(False, 200), "short")
        self.assertTrue(press.idle)

    def test_the_counters_overflow_is_no_long_press(self):
        edges = [(WRAP - 50, True), (WRAP + 60, False)]
        press = Press()
        for at, down in edges:
            press.edge(down, at % WRAP)
        self.assertEqual(press.poll(False, 100), "short")
        self.assertEqual(since(5, WRAP - 5), 10)
        self.assertEqual(since(WRAP - 5, 5), -10)


class PulseTest(unittest.TestCase):
    def test_pulses_are_counted_and_wake_the_reader(self):
        flag = Flag()
        pulse = Pulse(flag)
        for at in (1000, 1060, 1120):
            pulse.edge(at)
        self.assertEqual((pulse.count, pulse.at_ms, flag.times), (3, 1120, 3))

    def test_bouncing_is_not_counted(self):
        pulse = Pulse(Flag())
        for at in (1000, 1001, 1014, 1030, 1044):
            pulse.edge(at)
        self.assertEqual(pulse.count, 2)

    def test_the_first_pulse_counts_whenever_it_comes(self):
        pulse = Pulse(Flag())
        pulse.edge(3)
        self.assertEqual(pulse.count, 1)

    def test_pulses_counted_elsewhere_are_added(self):
        pulse = Pulse(Flag())
        pulse.add(40, 7)
        pulse.add(2, 8)
        self.assertEqual((pulse.count, pulse.at_ms), (42, 8))

    def test_the_count_stays_a_small_number(self):
        pulse = Pulse(Flag())
        pulse.add(WRAP - 1, 0)
        pulse.add(3, 1)
        self.assertEqual(pulse.count, 2)


if __name__ == "__main__":
    unittest.main()
