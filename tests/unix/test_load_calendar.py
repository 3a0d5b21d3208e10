"""A load's calendar: when it switches, what goes before it, and what power cuts and wrong clocks do to it."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from meterhub.codec import tariff  # isort: skip - the longest text to compile, while there is room
from supply_bench import NOW, Board, Full, Hub, command, end, refused

from meterhub import load_calendar
from meterhub.services import load_calendar as service

DAY = 86400
MIDNIGHT = NOW // DAY * DAY  # a Monday in UTC; it is 14:13:20
NIGHT = [0, 0, 90, 1, 420, 0]  # on from 1:30 to 7:00


def calendar(*days, **more):
    found = {"load": 2, "zone": "UTC0", "days": list(days) or [NIGHT]}
    found.update(more)
    return found


class Case(unittest.TestCase):
    wired, offset_s = 2, 0

    def setUp(self):
        self.board = Board()
        self.start()

    def start(self):
        self.hub = Hub(self.board, self.wired, False, self.offset_s)

    def tearDown(self):
        end(self.board)

    def set(self, arg):
        return self.hub.do(service, "set.aux_calendar", arg).data

    def to(self, at):
        """Let the time come to `at`, all at once but for the last seconds."""
        skipped = at - 4 - self.hub.clock.now()
        if skipped > 0:
            self.board.ms += 1000 * skipped
            self.board.unix_s += skipped
        self.hub.live(at - self.hub.clock.now())

    def on(self):
        return [int(self.board.switches["load%d" % (i + 1)].on) for i in range(self.wired)]

    def by_hand(self, on):
        self.hub.run(self.hub.loads.set_own(2, on))


class FollowTest(Case):
    def test_it_switches_when_its_calendar_says_so(self):
        told = self.set(calendar())
        self.assertEqual((told["own"], told["on"], told["next"], self.on()), (0, 0, MIDNIGHT + DAY + 5400, [1, 0]))
        self.assertEqual(len(told["calendar"]), 64)
        self.to(MIDNIGHT + DAY + 5399)
        self.assertEqual(self.on(), [1, 0])
        self.to(MIDNIGHT + DAY + 5400)
        self.assertEqual(self.on(), [1, 1])
        self.to(MIDNIGHT + DAY + 7 * 3600)
        self.assertEqual(self.on(), [1, 0])
        said = [detail for name, detail in self.hub.said() if name == "load calendar"]
        self.assertEqual(said, ["load2 off", "load2 on", "load2 off"])

    def test_weeks_special_days_and_the_zone_count_as_in_a_tariff(self):
        days = ([0, 0], [0, 1], [0, 0, 720, 1])
        self.set(calendar(*days, weeks=[[0, 0, 1, 0, 0, 0, 0]], special=[[9, 24, 2]], zone="CET-1"))
        self.to(MIDNIGHT + 2 * DAY - 3601)  # Wednesday, in its zone, has not begun
        self.assertEqual(self.on(), [1, 0])
        self.to(MIDNIGHT + 2 * DAY - 3600)
        self.assertEqual(self.on(), [1, 1])
        self.to(MIDNIGHT + 3 * DAY - 3600)
        self.assertEqual(self.on(), [1, 0])
        self.to(MIDNIGHT + 3 * DAY + 11 * 3600)  # noon of the 24th
        self.assertEqual(self.on(), [1, 1])

    def test_what_is_set_by_hand_stays_until_the_next_switching_time(self):
        self.set(calendar())
        self.by_hand(True)
        self.start()
        self.to(MIDNIGHT + DAY + 5399)
        self.assertEqual(self.on(), [1, 1])
        self.to(MIDNIGHT + DAY + 7 * 3600)
        self.assertEqual(self.on(), [1, 0])

    def test_what_is_held_goes_before_it(self):
        self.set(calendar())
        self.hub.loads.hold(2, MIDNIGHT + DAY + 6000, "e1", False)
        self.to(MIDNIGHT + DAY + 5999)
        self.assertEqual((self.hub.loads.report(2)["own"], self.on()), (1, [1, 0]))
        self.to(MIDNIGHT + DAY + 6000)
        self.assertEqual(self.on(), [1, 1])

    def test_one_that_never_turns_leaves_what_is_set_by_hand(self):
        told = self.set(calendar([0, 0]))
        self.assertEqual((told["next"], self.on()), (0, [1, 0]))
        self.by_hand(True)
        for days in (5, 9, 20):
            self.to(NOW + days * DAY)
        self.assertEqual(self.on(), [1, 1])

    def test_a_switch_far_ahead_is_not_missed(self):
        self.set(calendar([0, 0], [0, 1], special=[[10, 20, 1]]))
        self.by_hand(True)
        self.to(MIDNIGHT + 29 * DAY)  # the 20th of October
        self.to(MIDNIGHT + 30 * DAY)
        self.assertEqual(self.on(), [1, 0])

    def test_without_one_the_switch_stays(self):
        self.set(calendar())
        told = self.set({"load": 2})
        self.assertEqual((told["calendar"], told["next"]), ("", 0))
        for _ in range(2):
            self.to(self.hub.clock.now() + DAY)
            self.assertEqual(self.on(), [1, 0])
            self.start()


class OffsetTest(Case):
    offset_s = 1799

    def test_switching_times_come_the_hub_s_offset_later(self):
        offset_s = self.hub.loads.offset_s
        self.assertTrue(0 < offset_s <= 1799)
        self.assertEqual(self.set(calendar())["next"], MIDNIGHT + DAY + 5400 + offset_s)
        self.to(MIDNIGHT + DAY + 5399 + offset_s)
        self.assertEqual(self.on(), [1, 0])
        self.to(MIDNIGHT + DAY + 5400 + offset_s)
        self.assertEqual(self.on(), [1, 1])


class TroubleTest(Case):
    def test_a_power_cut_before_its_first_state_is_made_good_at_the_start(self):
        packed = tariff.packed(
            {
                "v": 1,
                "id": "load2",
                "currency": "XXX",
                "zone": "UTC0",
                "kind": "linear",
                "interval_s": 900,
                "scale": 0,
                "round": 0,
                "bands": [{"name": "off", "price": 0}, {"name": "on", "price": 0}],
            },
            "arg",
        )
        load_calendar.record_of(self.hub, 2).save(bytes(4) + packed)
        self.start()
        self.assertEqual(self.on(), [1, 1])
        self.hub.live()
        self.assertEqual(self.on(), [1, 0])

    def test_a_hub_that_was_off_catches_up(self):
        self.set(calendar())
        self.board.unix_s = MIDNIGHT + DAY + 6000
        self.start()
        self.hub.live()
        self.assertEqual(self.on(), [1, 1])
        self.board.unix_s += DAY + 6 * 3600  # a night was missed, and it is day again
        self.start()
        self.hub.live()
        self.assertEqual(self.on(), [1, 0])

    def test_without_the_time_nothing_moves(self):
        self.set(calendar())
        self.to(MIDNIGHT + DAY + 5398)
        for _ in range(10):
            self.hub.loads.tick(0)
        self.assertEqual(self.on(), [1, 0])

    def test_a_clock_that_was_years_ahead_delays_nothing(self):
        now = self.board.unix_s
        self.board.unix_s += 3000 * DAY
        self.start()
        self.set(calendar())
        self.board.unix_s = now
        self.start()
        self.hub.live()
        self.to(MIDNIGHT + DAY + 5400)
        self.assertEqual(self.on(), [1, 1])

    def test_a_clock_that_was_days_ahead_misses_no_switching_time(self):
        for starts in (True, False):
            self.board.unix_s = NOW
            self.start()
            self.set(calendar())
            self.board.unix_s += 2 * DAY + 6 * 3600
            self.hub.live()
            self.board.unix_s = NOW
            if starts:
                self.start()
            self.hub.live()
            self.to(MIDNIGHT + DAY + 5400)
            self.assertEqual(self.on(), [1, 1])

    def test_a_season_that_began_while_the_hub_was_off_for_weeks_is_made_good(self):
        self.set(calendar([0, 0], [0, 1], seasons=[[1, 1, 0], [10, 15, 1]], weeks=[[0] * 7, [1] * 7]))
        self.hub.live()
        self.assertEqual(self.on(), [1, 0])
        self.board.unix_s = MIDNIGHT + 30 * DAY  # the 21st of October
        self.start()
        self.hub.live()
        self.assertEqual(self.on(), [1, 1])

    def test_what_cannot_be_written_is_not_done(self):
        self.set(calendar())
        kept = load_calendar.record_of
        load_calendar.record_of = lambda hub, number: Full()
        try:
            refused(self, "RECORD_FAILED", "load2", self.set, calendar([0, 1]))
        finally:
            load_calendar.record_of = kept
        self.to(MIDNIGHT + DAY + 5399)
        self.assertEqual(self.on(), [1, 0])

    def test_a_switching_time_that_cannot_be_written_is_told_and_tried_again(self):
        self.set(calendar())
        record, self.hub.loads._record = self.hub.loads._record, Full()
        self.to(MIDNIGHT + DAY + 5402)
        said = [detail for name, detail in self.hub.said() if name == "RECORD_FAILED"]
        self.assertEqual((said, self.on()), (["load2 calendar"], [1, 0]))
        self.hub.loads._record = record
        self.hub.live(60)
        self.assertEqual(self.on(), [1, 1])

    def test_a_flash_that_takes_nothing_for_long_puts_no_switching_time_off(self):
        record, self.hub.loads._record = self.hub.loads._record, Full()
        self.set(calendar())  # by day it is off
        self.hub.loads._record = record
        self.hub.live(60)
        self.assertEqual(self.on(), [1, 0])
        self.hub.loads._record = Full()
        self.to(MIDNIGHT + DAY + 5400 + 300)
        self.hub.loads._record = record
        self.hub.live(60)
        self.assertEqual(self.on(), [1, 1])

    def test_a_switch_that_does_not_move_is_told_once(self):
        self.set(calendar())
        self.board.switches["load2"].stuck = True
        self.to(MIDNIGHT + DAY + 5410)
        said = [detail for name, detail in self.hub.said() if name == "EXECUTE_FAILED"]
        self.assertEqual(said, ["load2 calendar"])
        self.assertEqual([alert[:4] for alert in self.hub.letters.alerts], [("SUP", "EXECUTE_FAILED", 0, "load2")])

    def test_one_that_is_damaged_is_told_and_the_switch_stays(self):
        self.set(calendar([0, 1]))
        for slot in "01":
            with open(self.board.data_dir + "/load2." + slot, "wb") as file:
                file.write(b"MHR1 and nothing more")
        self.start()
        self.hub.live(3)
        self.assertEqual((self.on(), self.hub.loads.calendar(2)), ([1, 1], {"calendar": b"", "next": 0}))
        self.assertTrue("STORE_DAMAGED" in [name for name, _ in self.hub.said()])


class RefusedTest(Case):
    def test_what_is_no_calendar_is_refused_by_name(self):
        for changed, name, field in (
            ({"load": 5}, "INVALID_VALUE", "arg.load"),
            ({"load": 3}, "NOT_AVAILABLE", "load"),
            ({"days": None}, "MALFORMED", "arg.days"),
            ({"days": [[0, 2]]}, "INVALID_VALUE", "arg.days[0][1]"),
            ({"days": [[0, 0, 7, 1]]}, "INVALID_VALUE", "arg.days[0][2]"),
            ({"zone": "here"}, "INVALID_VALUE", "arg.zone"),
            ({"weeks": [[0, 0, 0, 0, 0, 0, 1]]}, "INVALID_VALUE", "arg.weeks[0][6]"),
            ({"bands": []}, "MALFORMED", "arg.bands"),
        ):
            arg = calendar()
            arg.update(changed)
            refused(self, name, field, self.set, arg)
            refused(self, name, field, service.check, self.hub, command("set.aux_calendar", arg))
        arg = calendar()
        del arg["zone"]
        refused(self, "MALFORMED", "arg.zone", self.set, arg)
        self.hub.clock.now = lambda: 0
        refused(self, "CLOCK_INVALID", "clock", self.set, calendar())
        self.hub.loads = None
        refused(self, "NOT_AVAILABLE", "loads", self.set, calendar())


if __name__ == "__main__":
    unittest.main()
