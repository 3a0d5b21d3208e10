"""Outages: from the heartbeat to the next start, by both rules of three minutes; and what is no outage."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from store_cuts import Cut, Flash
from store_folder import flip, fresh, read, remove, write

from meterhub import outage_log, outages
from meterhub.codec.timezone import Zone
from meterhub.errors import HubError, StoreError
from meterhub.hal.clock import Clock
from meterhub.store import files, heartbeat
from meterhub.store.kept import Kept
from meterhub.store.record import Record

NOW = 1790000000


class Board:
    """A board without a battery: after a start its clock is wrong. rtc: it keeps bytes through a reset."""

    def __init__(self, folder, rtc=False):
        self.data_dir = folder
        self.rtc = rtc
        self.memory = b""
        self.unix_s = 1609459200
        self.beats = 0

    def time(self):
        return self.unix_s

    def set_time(self, unix_s):
        self.unix_s = unix_s

    def clock_is_set(self):
        return False

    def keep(self, raw):
        self.beats += 1
        if self.rtc:
            self.memory = raw
        return self.rtc

    def kept(self):
        return self.memory


class Journal:
    def __init__(self):
        self.entries = []

    def add(self, kind, name, detail=""):
        self.entries.append((name, detail))


class Intervals:
    mark = None

    def torn(self, start, stop):
        self.mark = (start, stop)


class Meter:
    def __init__(self, intervals):
        self.intervals = intervals


class Letters:
    def __init__(self):
        self.sent = []

    def alert(self, to, event, code, detail, data):
        self.sent.append((to, event, code, data))


class Notices:
    """What has room for one."""

    shown = None

    def put(self, notice, transaction=None, quiet=False):
        if self.shown:
            raise HubError("STORE_FULL")
        self.shown = notice


class Hub:
    """Starts at true time `at`, on a board."""

    def __init__(self, board, at, period_s=10):
        self.board = board
        self.at = at
        self.ms = 0
        board.unix_s = 1609459200
        self.clock = Clock(board, lambda: self.ms & 0x3FFFFFFF)
        self.settings = {"outage.heartbeat_s": period_s}
        self.journal = Journal()
        self.meters = [Meter(Intervals()), Meter(None)]
        self.kept = Kept(board)
        self.letters = Letters()
        self.notices = None
        self.zone = Zone("CET-1CEST,M3.5.0,M10.5.0/3")
        self.outages = outages.Outages(self)

    def record(self, name):
        return Record(self.board.data_dir + "/" + name)

    strict_record = record

    def live(self, seconds):
        for _ in range(seconds):
            self.at += 1
            self.ms += 1000
            self.board.unix_s += 1
            self.outages.look()
            self.outages.beat(True)
            self.outages.beat()

    def told(self):
        self.clock.discipline().set(self.at)
        self.outages.look()
        return self.journal.entries


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = fresh()
        self.board = Board(self.folder)

    def tearDown(self):
        remove(self.folder)

    def first(self, seconds=25, period_s=10, at=NOW):
        """A hub has been told the time, and lived for so long. Return the time of its last beat."""
        files.remove(self.folder + "/heartbeat")
        hub = Hub(self.board, at, period_s)
        self.assertEqual(hub.told(), [])
        hub.live(seconds)
        return heartbeat.read(self.folder + "/heartbeat").at

    def after(self, at):
        """Return the hub that starts at `at` and is told the time."""
        hub = Hub(self.board, at)
        hub.told()
        return hub


class OutageTest(Case):
    def test_three_minutes_by_both_rules(self):
        for lasted, name, word in (
            (5, "supply restored", "short"),
            (179, "supply restored", "short"),
            (180, "supply restored 3 min", "short"),
            (181, "supply restored 3 min", "long"),
            (86400 * 30, "supply restored 3 min", "long"),
        ):
            beat = self.first()
            hub = self.after(beat + lasted)
            said = "%d-%d %d s estimated %s clock set" % (beat, beat + lasted, lasted, word)
            self.assertEqual(hub.journal.entries, [(name, said)])
            self.assertEqual(hub.meters[0].intervals.mark, (beat, beat + lasted))

    def test_they_are_counted(self):
        seconds = 0
        for lasted in (179, 180, 181):
            beat = self.first(at=NOW + 20 * seconds)
            hub = self.after(beat + lasted)
            seconds += lasted
        state = outage_log.state(hub.outages.record)
        self.assertEqual([state[name] for name in ("count", "min3", "long", "seconds")], [3, 2, 1, seconds])
        self.assertEqual(state["last"], [beat, beat + 181])

    def test_the_end_is_the_start_of_the_hub_not_when_the_time_became_known(self):
        beat = self.first()
        hub = Hub(self.board, beat + 60)
        hub.live(500)
        self.assertEqual(hub.journal.entries, [])
        self.assertEqual(hub.told()[0][1], "%d-%d 60 s estimated short clock set" % (beat, beat + 60))

    def test_its_beginning_is_not_forgotten_while_nobody_tells_the_time(self):
        beat = self.first()
        for at in (beat + 60, beat + 300):
            Hub(self.board, at).live(30)
        self.assertEqual(self.after(beat + 600).journal.entries[0][1][:28], "%d-%d 600 s " % (beat, beat + 600))

    def test_a_clock_that_is_behind_the_heartbeat_is_waited_for_and_named_when_it_is_sure(self):
        beat = self.first()
        hub = Hub(self.board, beat + 100)
        hub.clock.follow(beat - 86400)  # the meter tells its past
        hub.outages.look()
        self.assertEqual(hub.journal.entries, [])
        hub.clock.follow(hub.at)
        hub.outages.look()
        self.assertEqual(hub.journal.entries[0][1], "%d-%d 100 s estimated short clock meter" % (beat, beat + 100))
        hub.live(20)
        hub = self.after(beat - 500)
        self.assertEqual([name for name, _ in hub.journal.entries], ["CLOCK_INVALID"])
        self.assertEqual(hub.meters[0].intervals.mark, None)

    def test_a_restart_that_was_meant_is_none(self):
        hub = Hub(self.board, NOW)
        hub.told()
        hub.live(12)
        hub.outages.restarting()
        self.assertEqual(self.after(NOW + 20).journal.entries, [])

    def test_a_reset_that_the_boards_memory_survived_is_none_and_a_power_cut_is(self):
        self.board.rtc = True
        beat = self.first()
        self.assertEqual(self.after(beat + 30).journal.entries, [])
        beat = self.first()
        self.board.memory = b""
        self.assertEqual(len(self.after(beat + 30).journal.entries), 1)

    def test_the_first_start_and_a_damaged_beat_are_none(self):
        self.assertEqual(self.after(NOW).journal.entries, [])
        for offset in range(12):
            self.first()
            flip(self.folder + "/heartbeat", offset)
            self.assertEqual(self.after(NOW + 600).journal.entries, [])
        self.first()
        for raw in (b"", b"\x01", read(self.folder + "/heartbeat") + b"x", b"\x02" + bytes(11)):
            write(self.folder + "/heartbeat", raw)
            self.assertEqual(self.after(NOW + 600).journal.entries, [])

    def test_a_planned_one_is_named(self):
        for start, stop, said in (
            (NOW - 500, NOW + 100, " planned W-1"),
            (NOW + 100, NOW + 900, " planned W-1"),
            (NOW + 400, NOW + 900, ""),
        ):
            hub = Hub(self.board, NOW)
            hub.clock.discipline().set(NOW - 600)
            claims = {"ref": "W-1", "from": start, "to": stop, "at": start}
            hub.outages.record.save(hub.outages.planned(claims))  # as services/outage_plan.py does
            hub.clock.discipline().set(NOW, True)
            hub.live(11)
            detail = self.after(NOW + 300).journal.entries[0][1]
            self.assertTrue(detail.endswith("clock set" + said), (start, detail))


class LogTest(Case):
    def test_the_operator_and_the_supplier_are_alerted_by_the_code_of_its_length(self):
        for lasted, code, name in ((179, 0x8F35, "supply restored"), (180, 0x8F36, "supply restored 3 min")):
            beat = self.first()
            sent = self.after(beat + lasted).letters.sent
            self.assertEqual([one[:3] for one in sent], [("DNO", name, code), ("SUP", name, code)])
            self.assertEqual((sent[0][3]["seconds"], sent[0][3]["end"]), (lasted, beat + lasted))

    def test_the_household_is_shown_when_the_supply_was_off(self):
        hub = Hub(self.board, NOW)
        hub.told()
        hub.notices = Notices()
        outage_log.settle(hub, NOW, NOW + 240)
        notice = hub.notices.shown
        self.assertEqual((notice["title"], notice["text"]), ("Supply was off", "21.9. 16:13 to 21.9. 16:17"))
        outage_log.settle(hub, NOW + 3600, NOW + 3700)  # no room: it is counted all the same
        self.assertEqual(len(outage_log.newest(hub)), 2)

    def test_the_newest_32_are_kept_by_number(self):
        at, starts = NOW, []
        hub = Hub(self.board, NOW)
        hub.told()
        for n in range(40):
            outage_log.settle(hub, at, at + 100 + n * 10)
            starts.append(at)
            at += 3600
        found = outage_log.newest(hub)
        self.assertEqual([one["n"] for one in found], list(range(9, 41)))
        self.assertEqual([one["start"] for one in found], starts[8:])
        self.assertEqual([one["seconds"] for one in found], [100 + n * 10 for n in range(8, 40)])
        self.assertEqual([one["class"] for one in found[:2]], ["short", "long"])  # 180 s and 190 s
        self.assertEqual([one["min3"] for one in found[:2]], [1, 1])
        self.assertEqual((found[0]["phases"], found[0]["estimated"], found[0]["clock"]), ([], 1, "set"))

    def test_phases_that_were_interrupted_are_kept_beside_them(self):
        hub = Hub(self.board, NOW)
        outage_log.settle(hub, NOW, NOW + 5)
        outage_log.note(hub, NOW + 100, NOW + 300, 6)
        found = outage_log.newest(hub)[-1]
        self.assertEqual((found["n"], found["phases"], found["seconds"], found["estimated"]), (2, [2, 3], 200, 0))
        self.assertEqual(outage_log.state(hub.outages.record)["count"], 1)

    def test_one_that_is_settled_again_after_a_power_cut_counts_once(self):
        for cut in range(12):
            self.tearDown()
            self.setUp()
            beat = self.first()
            hub = Hub(self.board, beat + 200)
            hub.clock.discipline().set(hub.at)
            try:
                with Flash(cut):
                    hub.outages.look()
            except Cut:
                hub = self.after(beat + 400)
                seconds = 400
            else:
                seconds = 200
            state = outage_log.state(hub.outages.record)
            found = outage_log.newest(hub)
            self.assertEqual([(one["n"], one["seconds"]) for one in found], [(1, seconds)], cut)
            self.assertEqual([state[name] for name in ("count", "min3", "long", "seconds")], [1, 1, 1, seconds])

    def test_one_that_cannot_be_saved_is_told_all_the_same(self):
        beat = self.first()
        hub = Hub(self.board, beat + 200)
        hub.outages.record._path = self.folder + "/no/where"
        hub.told()
        self.assertEqual([name for name, _ in hub.journal.entries], ["RECORD_FAILED", "supply restored 3 min"])
        self.assertEqual(len(hub.letters.sent), 2)
        hub.outages.look()
        self.assertEqual(len(hub.letters.sent), 2)

    def test_the_same_start_is_the_same_outage(self):
        hub = Hub(self.board, NOW)
        for end in (NOW + 200, NOW + 400, NOW + 170):
            outage_log.settle(hub, NOW, end)
        state = outage_log.state(hub.outages.record)
        self.assertEqual([state[name] for name in ("count", "min3", "long", "seconds")], [1, 0, 0, 170])
        self.assertEqual([one["seconds"] for one in outage_log.newest(hub)], [170])

    def test_a_damaged_log_is_said_to_be_damaged(self):
        hub = Hub(self.board, NOW)
        outage_log.settle(hub, NOW, NOW + 5)
        flip(self.folder + "/outage-log.1", 20)
        self.assertRaises(StoreError, outage_log.newest, hub)

    def test_one_that_waits_for_the_time_is_open(self):
        beat = self.first()
        hub = Hub(self.board, beat + 60)
        self.assertTrue(hub.outages.is_open)
        hub.told()
        self.assertFalse(hub.outages.is_open)


class BeatTest(Case):
    def test_it_beats_every_ten_seconds_or_as_the_setting_says_and_not_without_the_time(self):
        for period_s, count in ((10, 6), (60, 1)):
            hub = Hub(self.board, NOW, period_s)
            self.board.beats = 0
            hub.live(100)
            self.assertEqual(self.board.beats, 0)
            hub.told()
            hub.live(60)
            self.assertTrue(0 <= self.board.beats - count <= 1)
            hub.outages.restarting()

    def test_it_waits_three_seconds_for_a_telegram_to_end(self):
        hub = Hub(self.board, NOW)
        hub.told()
        hub.outages.beat()
        hub.ms += 12000
        hub.outages.beat(True)
        self.assertEqual(self.board.beats, 1)
        hub.ms += 1000
        hub.outages.beat(True)
        self.assertEqual(self.board.beats, 2)

    def test_a_full_flash_is_journalled_and_not_tried_every_second(self):
        hub = Hub(self.board, NOW)
        hub.told()
        hub.outages._path = self.folder + "/no/where"
        hub.live(60)
        self.assertEqual([name for name, _ in hub.journal.entries], ["RECORD_FAILED"])

    def test_a_beat_is_twelve_bytes_in_one_file(self):
        at = self.first()
        raw = read(self.folder + "/heartbeat")
        self.assertEqual((len(raw), raw[:2], int.from_bytes(raw[2:10], "little")), (12, b"\x01\x01", at))


if __name__ == "__main__":
    unittest.main()
