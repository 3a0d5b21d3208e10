"""The hub's clock: who may set it, and the epochs of the boards."""

import unittest

from meterhub.errors import HubError
from meterhub.hal.clock import Clock, epoch_offset_s

AUTUMN = 1790000000


class Board:
    def __init__(self, is_set):
        self.is_set, self.unix_s, self.settings = is_set, AUTUMN, 0

    def time(self):
        return self.unix_s

    def set_time(self, unix_s):
        self.unix_s = unix_s
        self.settings += 1

    def clock_is_set(self):
        return self.is_set


class ClockTest(unittest.TestCase):
    def test_an_unset_clock_says_zero(self):
        clock = Clock(Board(False))
        self.assertEqual((clock.now(), clock.state), (0, "unset"))

    def test_a_synchronised_board_is_believed(self):
        clock = Clock(Board(True))
        self.assertEqual((clock.now(), clock.state), (AUTUMN, "set"))

    def test_the_meter_sets_an_unset_clock(self):
        board = Board(False)
        clock = Clock(board)
        clock.follow(AUTUMN + 5000)
        self.assertEqual((clock.now(), clock.state), (AUTUMN + 5000, "meter"))

    def test_the_meter_sets_an_unset_clock_that_happens_to_agree(self):
        board = Board(False)
        Clock(board).follow(AUTUMN)
        self.assertEqual(board.settings, 1)

    def test_a_second_of_drift_is_left_alone_and_two_are_not(self):
        board = Board(False)
        clock = Clock(board)
        clock.follow(AUTUMN + 50)
        clock.follow(AUTUMN + 51)
        self.assertEqual(board.settings, 1)
        clock.follow(AUTUMN + 48)
        self.assertEqual((board.settings, clock.now()), (2, AUTUMN + 48))

    def test_the_meter_does_not_move_a_synchronised_clock(self):
        clock = Clock(Board(True))
        clock.follow(AUTUMN + 5000)
        self.assertEqual((clock.now(), clock.state), (AUTUMN, "set"))
        clock = Clock(Board(False))
        clock.set(AUTUMN + 1)
        clock.follow(AUTUMN + 5000)
        self.assertEqual((clock.now(), clock.state), (AUTUMN + 1, "set"))

    def test_a_meter_whose_clock_was_never_set_is_not_followed(self):
        for at in (0, 946684800, 1577836799, 7258118400, -1):
            clock = Clock(Board(False))
            clock.follow(at)
            self.assertEqual(clock.state, "unset")

    def test_setting_overrides_the_meter(self):
        clock = Clock(Board(False))
        clock.follow(AUTUMN + 5000)
        clock.set(AUTUMN)
        self.assertEqual((clock.now(), clock.state), (AUTUMN, "set"))

    def test_a_time_that_cannot_be_is_refused_by_name(self):
        board = Board(False)
        for at in (0, 1577836799, 7258118400):
            try:
                Clock(board).set(at)
                self.fail("was set")
            except HubError as err:
                self.assertEqual(err.name, "CLOCK_INVALID")
        self.assertEqual(board.settings, 0)

    def test_the_epoch_is_judged_by_the_boards_own_calendar(self):
        self.assertEqual(epoch_offset_s(lambda s: (1970, 1, 1, 0, 0, 0, 3, 1)), 0)
        self.assertEqual(epoch_offset_s(lambda s: (2000, 1, 1, 0, 0, 0, 5, 1)), 946684800)


if __name__ == "__main__":
    unittest.main()
