"""The hub's clock: who may set it, what it refuses, how it is corrected, and the epochs of the boards."""

import unittest

from meterhub.errors import HubError
from meterhub.hal.clock import Clock
from meterhub.hal.epoch import epoch_offset_s, utc_fields

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


class Running:
    """A board whose clock loses `ppm`, and the true time."""

    def __init__(self, ppm=0, is_set=False):
        self.true_s, self.ppm, self.ms, self.settings = AUTUMN, ppm, 0, 0
        self._set_at, self._set_to, self.is_set = AUTUMN, AUTUMN if is_set else 1609459200, is_set
        self.clock = Clock(self, lambda: self.ms & 0x3FFFFFFF)

    def time(self):
        run = self.true_s - self._set_at
        return self._set_to + run - run * self.ppm // 1000000

    def set_time(self, unix_s):
        self._set_at, self._set_to = self.true_s, unix_s
        self.settings += 1

    def clock_is_set(self):
        return self.is_set

    def go(self, seconds, step=1):
        """Let time pass, asking the clock as the housekeeping does; return what it said last."""
        said = []
        for _ in range(0, seconds, step):
            self.true_s += step
            self.ms += step * 1000
            said.append(self.clock.now())
            if len(said) > 60:
                del said[:30]
        return said

    def off(self):
        return self.clock.now() - self.true_s


def steps(said):
    return [said[i + 1] - said[i] for i in range(len(said) - 1)]


def refusal(setting, *args):
    try:
        setting(*args)
    except HubError as err:
        return err.name
    return ""


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
        clock.follow(AUTUMN + 61)
        self.assertEqual((board.settings, clock.now()), (2, AUTUMN + 61))

    def test_a_few_seconds_of_drift_are_slewed_and_now_never_goes_back(self):
        board = Running()
        board.clock.follow(board.true_s + 8)
        self.assertEqual(board.off(), 8)
        board.clock.follow(board.true_s)
        said = board.go(20)
        self.assertEqual((board.settings, board.off()), (1, 0))
        self.assertTrue(min(steps(said)) >= 0 and max(steps(said)) <= 1)

    def test_the_meter_does_not_move_a_synchronised_clock(self):
        clock = Clock(Board(True))
        clock.follow(AUTUMN + 5000)
        self.assertEqual((clock.now(), clock.state), (AUTUMN, "set"))
        clock = Clock(Board(False))
        clock.discipline().set(AUTUMN + 1)
        clock.follow(AUTUMN + 5000)
        self.assertEqual((clock.now(), clock.state), (AUTUMN + 1, "set"))
        self.assertEqual(refusal(clock.tell, AUTUMN), "WRONG_STATE")

    def test_a_meter_whose_clock_was_never_set_is_not_followed(self):
        for at in (0, 946684800, 1577836799, 4133980800, 7258118400, -1):
            clock = Clock(Board(False))
            clock.follow(at)
            self.assertEqual(clock.state, "unset")

    def test_setting_overrides_the_meter(self):
        clock = Clock(Board(False))
        clock.follow(AUTUMN + 5000)
        clock.discipline().set(AUTUMN)
        self.assertEqual((clock.now(), clock.state), (AUTUMN, "set"))

    def test_a_time_that_cannot_be_is_refused_by_name(self):
        board = Board(False)
        for at in (0, 1577836799, 4133980800, 7258118400, -1):
            clock = Clock(board)
            self.assertEqual(refusal(clock.discipline().set, at), "CLOCK_INVALID")
            self.assertEqual(refusal(clock.discipline().set, at, True), "CLOCK_INVALID")
            self.assertEqual(refusal(clock.tell, at), "CLOCK_INVALID")
            self.assertEqual(refusal(clock.discipline().check, at), "CLOCK_INVALID")
        self.assertEqual(board.settings, 0)

    def test_the_epoch_is_judged_by_the_boards_own_calendar(self):
        self.assertEqual(epoch_offset_s(lambda s: (1970, 1, 1, 0, 0, 0, 3, 1)), 0)
        self.assertEqual(epoch_offset_s(lambda s: (2000, 1, 1, 0, 0, 0, 5, 1)), 946684800)

    def test_dates_to_the_end_of_2100_without_the_ports_gmtime(self):
        for unix_s, fields in (
            (0, (1970, 1, 1, 3, 0, 0, 0)),
            (951782399, (2000, 2, 28, 0, 23, 59, 59)),
            (951782400, (2000, 2, 29, 1, 0, 0, 0)),
            (1709164800, (2024, 2, 29, 3, 0, 0, 0)),
            (1798761599, (2026, 12, 31, 3, 23, 59, 59)),
            (2147483647, (2038, 1, 19, 1, 3, 14, 7)),  # the last second of 31 bits
            (2147483648, (2038, 1, 19, 1, 3, 14, 8)),
            (3094168448, (2068, 1, 19, 3, 3, 14, 8)),  # 31 bits from 2000
            (4107542399, (2100, 2, 28, 6, 23, 59, 59)),
            (4107542400, (2100, 3, 1, 0, 0, 0, 0)),  # no leap year
            (4133980799, (2100, 12, 31, 4, 23, 59, 59)),
        ):
            self.assertEqual(utc_fields(unix_s), fields)


class SynchronisedTest(unittest.TestCase):
    def synchronised(self, ppm=0):
        board = Running(ppm)
        board.clock.discipline().set(board.true_s)
        return board

    def test_what_is_off_by_ten_seconds_is_right_twenty_later_without_a_step(self):
        for off in (10, -10, 3):
            board = self.synchronised()
            self.assertEqual(board.clock.discipline().set(board.true_s + off), off)
            board.true_s += off  # the truth has been there all the time
            board._set_at += off
            said = board.go(20)
            self.assertEqual((board.off(), board.settings), (0, 1), off)
            self.assertTrue(min(steps(said)) >= 0 and max(steps(said)) <= 2)

    def test_a_jump_is_refused_and_changes_nothing(self):
        for off in (11, -11, 3600, -86400 * 365):
            board = self.synchronised()
            self.assertEqual(refusal(board.clock.discipline().set, board.true_s + off), "CLOCK_JUMP")
            board.go(30)
            self.assertEqual((board.off(), board.clock.state, board.settings), (0, "set", 1))

    def test_a_jump_that_is_signed_for_is_made_at_once(self):
        for off in (11, -11, 3600):
            board = self.synchronised()
            self.assertEqual(board.clock.discipline().set(board.true_s + off, True), off)
            self.assertEqual((board.off(), board.clock.state, board.settings), (off, "set", 2))

    def test_the_first_synchronisation_may_be_any_jump(self):
        board = Running()
        board.clock.follow(board.true_s - 7200)
        self.assertEqual(board.clock.discipline().set(board.true_s), 7200)
        self.assertEqual((board.off(), board.clock.state), (0, "set"))

    def test_the_drift_is_measured_over_a_day_and_compensated(self):
        for ppm in (50, -50, 100):
            board = self.synchronised(ppm)
            for _ in range(4):
                board.go(86400, 600)
                self.assertTrue(abs(board.off()) <= 10)
                board.clock.discipline().set(board.true_s)
            self.assertTrue(abs(board.clock.drift_ppm - ppm) <= 12, (board.clock.drift_ppm, ppm))
            board.go(86400 * 4, 600)
            self.assertTrue(abs(board.off()) <= 4, (ppm, board.off()))  # it would be 17 s for 50 ppm

    def test_within_a_day_or_by_a_wild_clock_no_drift_is_learned(self):
        board = self.synchronised(50)
        board.go(86000, 600)
        board.clock.discipline().set(board.true_s)
        self.assertEqual(board.clock.drift_ppm, 0)

    def test_days_without_synchronisation_make_it_unsure(self):
        board = self.synchronised(40)
        board.go(345600, 600)
        self.assertEqual(board.clock.state, "set")
        self.assertTrue(abs(board.off()) <= 20)
        board.go(1200, 600)
        self.assertEqual(board.clock.state, "kept")
        self.assertEqual(refusal(board.clock.tell, board.true_s), "WRONG_STATE")

    def test_after_months_what_the_drift_explains_is_no_jump(self):
        board = self.synchronised(40)
        board.go(86400 * 60, 3600)
        self.assertEqual((board.clock.state, board.off()), ("kept", -207))
        self.assertEqual(refusal(board.clock.discipline().set, board.true_s + 800), "CLOCK_JUMP")
        board.clock.discipline().set(board.true_s)
        self.assertEqual((board.clock.state, board.settings), ("set", 1))
        said = board.go(450)
        self.assertTrue(abs(board.off()) <= 1)
        self.assertTrue(min(steps(said)) >= 0 and max(steps(said)) <= 2)

    def test_in_months_without_a_wan_the_meter_keeps_it_right_but_cannot_make_it_jump(self):
        board = self.synchronised(40)
        for _ in range(60 * 24):
            board.go(3600, 600)
            board.clock.follow(board.true_s)
        self.assertEqual(board.clock.state, "kept")
        self.assertTrue(abs(board.off()) <= 20, board.off())
        board.clock.follow(board.true_s + 3600)
        board.go(60)
        self.assertTrue(abs(board.off()) <= 20)

    def test_a_pc_keeps_its_own_clock_for_ever(self):
        board = Running(0, True)
        board.go(86400 * 30, 3600)
        self.assertEqual((board.clock.state, board.off()), ("set", 0))

    def test_uptime_goes_on_whatever_becomes_of_the_time_and_the_ticks(self):
        board = Running()
        board.ms = 0x3FFFFFFF - 5000
        board.clock = Clock(board, lambda: board.ms & 0x3FFFFFFF)
        board.go(86400 * 20, 3600)
        board.clock.discipline().set(board.true_s + 99999)
        self.assertEqual(board.clock.uptime_s(), 86400 * 20)

    def test_past_2038_and_2100_it_runs_on(self):
        for at in (2147483640, 4107542390, 4102444790):
            board = Running()
            board.clock.discipline().set(at)
            self.assertEqual(board.go(20)[-1], at + 20)


class NtpTest(unittest.TestCase):
    def test_alone_it_is_better_than_nothing_and_no_synchronisation(self):
        board = Running()
        board.clock.discipline().check(board.true_s)
        self.assertEqual((board.off(), board.clock.state), (0, "net"))
        self.assertEqual(refusal(board.clock.discipline().check, board.true_s + 11), "CLOCK_JUMP")
        board.clock.discipline().check(board.true_s + 1)
        self.assertEqual(board.clock.state, "net")

    def test_with_the_meter_it_synchronises(self):
        board = Running()
        board.clock.follow(board.true_s + 4)
        board.clock.discipline().check(board.true_s)
        board.go(20)
        self.assertEqual((board.off(), board.clock.state), (0, "set"))

    def test_against_the_meter_it_is_refused(self):
        board = Running()
        board.clock.follow(board.true_s)
        self.assertEqual(refusal(board.clock.discipline().check, board.true_s + 11), "CLOCK_JUMP")
        self.assertEqual((board.off(), board.clock.state), (0, "meter"))
        told = Running()
        told.clock.tell(told.true_s)
        told.clock.meter = (told.true_s + 300, 0)
        self.assertEqual(refusal(told.clock.discipline().check, told.true_s), "CLOCK_JUMP")

    def test_step_by_step_it_goes_no_further_than_ten_seconds_from_what_was_signed(self):
        board = Running()
        board.clock.discipline().set(board.true_s)
        moved = 0
        for _ in range(10):
            refused = refusal(board.clock.discipline().check, board.clock.now() + 4)
            board.go(20)
            moved += not refused
        self.assertEqual((moved, board.off()), (2, 8))
        board.clock.discipline().set(board.true_s)  # a signature gives it another ten
        board.go(20)
        self.assertEqual(refusal(board.clock.discipline().check, board.clock.now() + 4), "")

    def test_a_clock_kept_for_months_is_brought_back_by_ntp_and_meter_together_only(self):
        board = Running(40)
        board.clock.discipline().set(board.true_s)
        board.go(86400 * 60, 3600)
        self.assertEqual(refusal(board.clock.discipline().check, board.true_s), "CLOCK_JUMP")
        board.clock.follow(board.true_s)
        board.clock.discipline().check(board.true_s)
        board.go(450)
        self.assertTrue(abs(board.off()) <= 1)
        self.assertEqual(board.clock.state, "set")


if __name__ == "__main__":
    unittest.main()
