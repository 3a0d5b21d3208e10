"""Buttons and pulse inputs: what bounces, what counts, what is long."""

import unittest

import micropython

from meterhub.hal import bench
from meterhub.hal.button import Press
from meterhub.hal.pulse import Pulse
from meterhub.hal.pulse_edges import EdgePulse
from meterhub.hal.ticks import age, since

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

    def test_what_is_old_is_never_taken_for_what_is_to_come(self):
        self.assertEqual((age(5, WRAP - 5), age(7, 7)), (10, 0))
        self.assertEqual(age(8 * 86400000, 0), 8 * 86400000)


def contact(edges, pulse=None):
    """Return an EdgePulse of 10 ms after the edges: moments at which the contact closes, opens, closes and so on."""
    pulse = pulse or EdgePulse(Flag())
    for i, at in enumerate(edges):
        pulse.edge(i % 2 == 0, at % WRAP)
    return pulse


class Interrupted(Pulse):
    """A pulse comes while at_ms is read: after what was read."""

    due = False

    @property
    def at_ms(self):
        at_ms = self.kept_ms
        if self.due:
            self.due = False
            self.add(1, 900)
        return at_ms

    @at_ms.setter
    def at_ms(self, at_ms):
        self.kept_ms = at_ms


class PulseTest(unittest.TestCase):
    def test_pulses_are_counted_and_wake_the_reader(self):
        flag = Flag()
        pulse = contact((1000, 1030, 1060, 1090, 1120, 1150), EdgePulse(flag))
        self.assertEqual((pulse.count, pulse.at_ms, flag.times), (3, 1120, 3))

    def test_bouncing_is_not_counted(self):
        bounces = (1000, 1001, 1003, 1004, 1009, 1040, 1041, 1043, 1044, 1049)
        pulse = contact(bounces + tuple([at + 100 for at in bounces]))
        self.assertEqual((pulse.count, pulse.at_ms), (2, 1109))

    def test_what_is_shorter_than_a_pulse_is_none(self):
        self.assertEqual(contact((1000, 1009, 1100, 1109)).count, 0)
        self.assertEqual(contact((1000, 1010, 1100, 1110)).count, 2)

    def test_a_pause_that_is_too_short_is_none(self):
        self.assertEqual(contact((1000, 1030, 1039, 1070)).count, 1)
        self.assertEqual(contact((1000, 1030, 1040, 1070)).count, 2)

    def test_forty_four_flashes_of_two_milliseconds_a_second(self):
        edges = []
        for n in range(2640):
            at = n * 1000 // 44
            edges += [at, at + 2]
        self.assertEqual(contact(edges, EdgePulse(Flag(), 2)).count, 2640)

    def test_a_contact_that_stays_closed_is_counted_when_looked_at_and_once(self):
        pulse = contact((1000,))
        pulse.look(1009)
        self.assertEqual(pulse.count, 0)
        pulse.look(1010)
        pulse.look(9000)
        self.assertEqual((pulse.count, pulse.at_ms), (1, 1000))
        pulse.edge(False, 500000)
        pulse.edge(True, 500100)
        pulse.edge(False, 500200)
        self.assertEqual((pulse.count, pulse.at_ms), (2, 500100))

    def test_an_edge_that_the_interrupt_missed_moves_nothing(self):
        pulse = contact((1000, 1030))
        pulse.edge(False, 1100)  # a spike: it is open again when the interrupt looks
        pulse.edge(False, 1200)
        self.assertEqual(pulse.count, 1)

    def test_the_first_pulse_counts_whenever_it_comes(self):
        self.assertEqual(contact((3, 20)).count, 1)

    def test_the_overflow_of_the_ticks_is_no_bounce(self):
        self.assertEqual(contact((WRAP - 5, WRAP + 25, WRAP + 60, WRAP + 90)).count, 2)

    def test_the_interrupt_allocates_nothing(self):
        pulse = EdgePulse(Flag())
        pulse.edge(False, 0)
        moments = (WRAP // 2 + 5, WRAP // 2 + 100, WRAP - 7, WRAP - 1)
        micropython.heap_lock()
        try:
            for at in moments:
                pulse.edge(True, at)
                pulse.edge(False, at)
        finally:
            micropython.heap_unlock()

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

    def test_the_newest_is_of_one_moment_whatever_comes_between(self):
        pulse = Interrupted(Flag())
        pulse.add(1, 100)
        pulse.due = True
        self.assertEqual((pulse.newest(), pulse.due), ((2, 900), False))


class BackoffTest(unittest.TestCase):
    def test_it_waits_after_a_failure_alone_whatever_the_ticks_are(self):
        kept = bench.now_ms
        try:
            for ticks in (0, 0x1FFFFFFF, 0x20000000, 0x3FFFFFFF):
                bench.now_ms = lambda ticks=ticks: ticks
                backoff = bench.Backoff()
                self.assertFalse(backoff.waiting())
                wait_ms = backoff.failed()
                self.assertTrue(backoff.waiting())
                bench.now_ms = lambda ticks=ticks + wait_ms: ticks & 0x3FFFFFFF
                self.assertFalse(backoff.waiting())
        finally:
            bench.now_ms = kept


if __name__ == "__main__":
    unittest.main()
