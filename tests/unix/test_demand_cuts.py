"""Demand response through power cuts, its randomised offset, and single load switches."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from demand_bench import START, Case, event, interval, service
from store_cuts import Cut, Flash
from supply_bench import NOW, OTHER, SUP, Full, refused

from meterhub import demand_desk
from meterhub.store import transaction


class Notices:
    """Keeps on flash what is shown, as the hub's own do."""

    def __init__(self, hub):
        self.hub = hub
        self.record = hub.strict_record("notices")

    def put(self, notice, both=None):
        raw = notice["ref"].encode()
        if both is None:
            self.record.save(raw)
        else:
            both.save(self.record, raw)
            both.commit()

    def put_with(self, record, blob, notice):
        both = transaction.Transaction(self.hub.board.data_dir)
        both.save(record, blob)
        self.put(notice, both)


class PowerCutTest(Case):
    def test_a_cut_in_the_middle_keeps_it_off_and_the_end_comes_though_it_was_slept_through(self):
        self.send(event(interval(value=3)))
        self.until(START + 100)
        self.power_cut()
        self.assertEqual(self.on(), [0, 0, 0])
        self.hub.live(3)
        self.assertEqual(self.on(), [0, 0, 0])
        self.board.unix_s = START + 5000
        self.power_cut()
        self.hub.live(1)
        self.assertEqual(self.on(), [1, 1, 1])
        self.assertEqual(self.hub.desk.next_due(self.hub.clock.now()), self.hub.clock.now())  # its report

    def test_one_that_begins_while_the_power_is_off_begins_late_and_one_that_was_missed_not_at_all(self):
        self.send(event(interval(value=3)))
        self.board.unix_s = START + 60
        self.power_cut()
        self.hub.live(1)
        self.assertEqual(self.on(), [0, 0, 0])
        self.send(event(interval(START + 2000, 100), id="ev2"))
        self.board.unix_s = START + 2200
        self.power_cut()
        self.hub.live(1)
        self.assertEqual((self.on(), self.hub.desk.find(OTHER, "ev2")["acted"]), ([1, 1, 1], 0))

    def test_at_every_write_of_beginning_and_override_the_end_is_the_same(self):
        cuts = 0
        for torn in (False, True):
            for changes in range(20):
                self.board.unix_s = NOW
                self.start()
                self.send(event(interval(value=3), id="ev%d" % changes))
                self.until(START - 1)
                try:
                    with Flash(changes, torn):
                        self.hub.live(2)
                        self.say("override", "ev%d" % changes)
                    done = True
                except Cut:
                    cuts += 1
                    done = False
                self.power_cut()
                self.hub.live(3)
                event_now = self.hub.desk.find(OTHER, "ev%d" % changes)
                self.assertEqual(self.on(), [1, 1, 1] if event_now["action"] == "override" else [0, 0, 0])
                self.board.unix_s = START + 1200
                self.hub.live(1)
                self.assertEqual(self.on(), [1, 1, 1])
                for one in self.hub.desk.events:
                    one["done"] = 1
                self.hub.desk._note()
                if done:
                    break
            self.assertTrue(done)
        self.assertTrue(cuts >= 6, cuts)

    def test_an_event_is_shown_and_takes_place_or_neither_wherever_the_power_is_cut(self):
        cuts, done = 0, False
        while not done:
            self.hub = None
            self.start()
            self.hub.notices = Notices(self.hub)
            wanted = "ev%d" % cuts
            try:
                with Flash(cuts):
                    self.send(event(interval(START + cuts, 1), id=wanted))
                done = True
            except Cut:
                cuts += 1
            transaction.finish(self.board.data_dir)
            is_shown = self.hub.strict_record("notices").load() == wanted.encode()
            self.start()
            self.assertEqual(self.hub.demand_desk().find(OTHER, wanted) is not None, is_shown, cuts)
            for one in self.hub.desk.events:
                one["done"] = 1
            self.hub.desk._note()
        self.assertTrue(is_shown and cuts >= 6, cuts)

    def test_a_record_that_is_gone_bad_lets_go_of_every_switch(self):
        self.send(event(interval(value=3)))
        self.until(START + 1)
        self.hub.strict_record("demand").save(b"{}")
        self.power_cut()
        self.assertEqual((self.on(), self.hub.desk.events), ([1, 1, 1], []))
        self.assertEqual(self.hub.said()[-1], ("STORE_DAMAGED", "demand KeyError"))


class OffsetTest(Case):
    offset_s = 1799

    def test_the_boards_offset_moves_both_ends_and_a_spread_of_the_event_takes_its_place(self):
        shift = self.hub.loads.offset_s
        self.assertTrue(0 < shift < 1799)
        self.send(event(interval(value=3)))
        self.assertEqual(self.hub.notices.shown[0]["at"], START + shift)
        self.until(START + shift - 1)
        self.assertEqual(self.on(), [1, 1, 1])
        self.until(START + shift)
        self.assertEqual(self.on(), [0, 0, 0])
        self.until(START + shift + 1199)
        self.assertEqual(self.on(), [0, 0, 0])
        self.until(START + shift + 1200)
        self.assertEqual(self.on(), [1, 1, 1])
        now = self.hub.clock.now()
        drawn = set()
        for i in range(5):
            self.send(event(interval(now + 60, 60, randomizeStart=40), id="r%d" % i))
            drawn.add(self.hub.desk.find(OTHER, "r%d" % i)["intervals"][0][3])
            self.hub.desk.events[-1]["done"] = 1
        self.assertTrue(len(drawn) > 1 and min(drawn) >= 0 and max(drawn) <= 40)


class SwitchTest(Case):
    def test_a_supplier_sets_a_switch_for_good(self):
        result = self.hub.do(service, "set.aux_controller_state", {"load": 2, "on": False})
        self.assertEqual((result.data["own"], result.data["on"], self.on()), (0, 0, [1, 0, 1]))
        self.power_cut()
        self.assertEqual(self.on(), [1, 0, 1])
        self.board.switches["load2"].stuck = True
        refused(
            self, "EXECUTE_FAILED", "load2", self.hub.do, service, "set.aux_controller_state", {"load": 2, "on": True}
        )
        self.board.switches["load2"].stuck = False
        self.hub.live(3)
        self.assertEqual((self.hub.loads.report(2)["own"], self.on()), (0, [1, 0, 1]))

    def test_a_limit_ends_by_itself_or_when_it_is_taken_back(self):
        arg = {"load": 1, "percent": 0, "duration_s": 100}
        self.assertEqual(self.send(arg, "set.aux_level_limit").data["on"], 0)
        self.power_cut()
        self.hub.live(98)
        self.assertEqual(self.on(), [0, 1, 1])
        self.hub.live(3)
        self.assertEqual(self.on(), [1, 1, 1])
        self.send(arg, "set.aux_level_limit")
        arg["percent"] = 100
        self.assertEqual(self.send(arg, "set.aux_level_limit").data["on"], 1)
        arg["percent"] = 50
        refused(self, "INVALID_VALUE", "arg.percent", self.send, arg, "set.aux_level_limit")
        self.board.switches["load1"].stuck = True
        arg["percent"] = 0
        refused(self, "EXECUTE_FAILED", "load1", self.send, arg, "set.aux_level_limit")
        self.assertEqual(self.hub.loads.report(1)["held"], [])

    def test_no_more_is_held_than_there_is_room_for_and_off_wins(self):
        for i in range(12):
            self.hub.loads.hold(1, NOW + 1000, "by%d" % i, i > 0)
        self.assertEqual(self.on(), [0, 1, 1])
        refused(self, "STORE_FULL", "loads", self.hub.loads.hold, 2, NOW + 1000, "by12", False)
        self.assertEqual(self.on(), [0, 1, 1])
        self.hub.loads.release("by0")
        self.assertEqual(self.on(), [1, 1, 1])

    def test_a_flash_that_takes_nothing_does_not_keep_a_switch_off(self):
        self.hub.loads.hold(1, NOW + 10, "by", False)
        self.hub.loads._record = Full()
        refused(self, "RECORD_FAILED", "loads", self.hub.loads.hold, 2, NOW + 10, "by", False)
        self.assertEqual(self.on(), [0, 1, 1])
        self.hub.live(11)
        self.assertEqual((self.on(), self.hub.said()), ([1, 1, 1], [("RECORD_FAILED", "loads")]))

    def test_a_latch_is_where_it_ought_to_be_after_a_start(self):
        for switch in self.board.switches.values():
            switch.latch = True
        self.hub.loads.hold(1, NOW + 1000, "by", False)
        self.board.switches["load1"].on, self.board.switches["load2"].on = True, False
        self.power_cut()
        self.assertEqual(self.on(), [0, 1, 1])

    def test_the_desk_is_wanted_again_shortly_before_the_next_begins(self):
        self.assertEqual(self.hub.demand_desk().next_due(NOW), 0)
        self.send(event(interval(START), interval(START + 9000)))
        desk = self.hub.desk
        self.assertEqual((desk.next_due(NOW), desk.next_due(START + 5)), (START, START + 5))
        self.assertEqual(desk.next_due(START + 3000), START + 9000)
        self.assertEqual(demand_desk.ends(desk.events[0]), START + 10200)
        self.assertEqual((SUP, desk.find(SUP, "ev1")), (SUP, None))


if __name__ == "__main__":
    unittest.main()
