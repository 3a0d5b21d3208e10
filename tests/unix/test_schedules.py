"""When reports are due, and how a role sets, changes and ends its schedules."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from services_bench import KID, NOW, Case

from meterhub.crypto.drbg import Drbg
from meterhub.services import schedules as service
from meterhub.store import schedules

DRAWS = 1000


class Identity:
    hub = "0123456789ABCDEF"


class Market:
    schedules_at = 0


def schedule(mode, window_s, index=0, of=1, period_s=3600, start=NOW):
    return [KID, "a", "read.power_now", {}, start, period_s, window_s, mode, index, of, 0, 0, 0, 0]


class DelayTest(unittest.TestCase):
    def setUp(self):
        self.drbg = Drbg(b"\x07" * 48)

    def delays(self, one, n):
        return [schedules.delay(one, self.drbg) for _ in range(n)]

    def test_fixed_is_at_once_and_round_robin_one_after_the_other(self):
        self.assertEqual(set(self.delays(schedule("fixed", 900), 5)), {0})
        slots = [schedules.delay(schedule("round", 900, i, 30), self.drbg) for i in range(30)]
        self.assertEqual(slots, [30 * i for i in range(30)])

    def test_random_is_spread_over_the_window_and_drawn_afresh(self):
        tenths = [0] * 10
        drawn = self.delays(schedule("random", 900), DRAWS)
        for one in drawn:
            self.assertTrue(0 <= one < 900)
            tenths[one // 90] += 1
        # chi-square of 9 degrees of freedom, 0.1 %: 27.9
        square = sum([(n - DRAWS // 10) ** 2 for n in tenths]) * 10 // DRAWS
        self.assertTrue(square < 28, tenths)
        self.assertTrue(len(set(drawn)) > 500)

    def test_groups_reply_in_their_order_and_anywhere_in_their_part(self):
        parts = [self.delays(schedule("group", 1000, i, 5), DRAWS // 5) for i in range(5)]
        for i in range(5):
            self.assertTrue(min(parts[i]) >= 200 * i and max(parts[i]) < 200 * (i + 1))
            self.assertTrue(min(parts[i]) < 200 * i + 20 and max(parts[i]) >= 200 * i + 180)

    def test_parts_of_a_window_that_does_not_divide_miss_and_share_no_second(self):
        ends = []
        for i in range(7):
            drawn = self.delays(schedule("group", 100, i, 7), 150)
            ends.append((min(drawn), max(drawn)))
        self.assertEqual([a for a, _ in ends[1:]], [b + 1 for _, b in ends[:-1]])

    def test_slots_go_on_from_start_whenever_that_was(self):
        one = schedule("fixed", 0, start=NOW - 10 * 3600 - 60)
        schedules.plan_from(one, NOW, self.drbg)
        self.assertEqual((one[schedules.SLOT], one[schedules.AT]), (11, NOW + 3540))
        one = schedule("fixed", 0, start=NOW - 3600)
        schedules.plan_from(one, NOW, self.drbg)
        self.assertEqual(one[schedules.AT], NOW)
        one = schedule("fixed", 0, start=NOW + 86400)
        schedules.plan_from(one, NOW, self.drbg)
        self.assertEqual((one[schedules.SLOT], one[schedules.AT]), (0, NOW + 86400))

    def test_a_late_report_is_not_missed_and_slots_that_are_over_are(self):
        one = schedule("fixed", 0)
        schedules.plan(one, 5, self.drbg)
        for late, missed in ((0, 0), (60, 0), (3599, 0), (3600, 1), (3 * 3600 + 1800, 3)):
            again = list(one)
            self.assertEqual(schedules.catch_up(again, NOW + 5 * 3600 + late, self.drbg), missed)
            self.assertEqual((again[schedules.SLOT], again[schedules.MISSED]), (5 + missed, missed))
        one = schedule("fixed", 0, period_s=60)
        schedules.plan(one, 5, self.drbg)
        self.assertEqual(schedules.catch_up(one, NOW + 360, self.drbg), 0)


class ServiceTest(Case):
    service = service

    def boot(self, is_set=True):
        hub = super().boot(is_set)
        hub.drbg = Drbg(b"\x08" * 48)
        hub.identity = Identity()
        hub.market = Market()
        return hub

    def set(self, role="SUP", kid=KID, **arg):
        full = {"id": "day", "cmd": "read.power_now", "period_s": 86400}
        full.update(arg)
        return self.ask("schedule.set", full, role=role, kid=kid)

    def no_set(self, role="SUP", **arg):
        full = {"id": "day", "cmd": "read.power_now", "period_s": 86400}
        full.update(arg)
        return self.refused("schedule.set", full, role=role)

    def test_what_is_set_is_kept_and_shown_to_whose_it_is(self):
        start = NOW - 3 * 86400 + 600
        said = self.set(cmd="read.profile_import", arg={"last_s": 86400}, start=start, mode="random", window_s=600)
        self.assertTrue(start + 3 * 86400 <= said["next"] < start + 3 * 86400 + 600)
        self.assertEqual((said["id"], said["seq"], self.hub.market.schedules_at), ("day", 0, said["next"]))
        self.hub = self.boot()
        shown = self.ask("schedule.read", role="SUP")["schedules"]
        self.assertEqual(len(shown), 1)
        self.assertEqual(
            (shown[0]["arg"], shown[0]["next"], shown[0]["mode"]), ({"last_s": 86400}, said["next"], "random")
        )
        self.assertEqual(self.ask("schedule.read", kid="L" * 16), {"schedules": []})
        self.assertEqual(self.refused("schedule.delete", {"id": "day"}, kid="L" * 16), "INVALID_VALUE arg.id")

    def test_a_period_is_changed_while_it_runs_and_seq_goes_on(self):
        self.set()
        known = schedules.load(self.hub.record("schedules"))
        known[0][schedules.SEQ] = 7
        schedules.save(self.hub.record("schedules"), known)
        said = self.set(period_s=900)
        self.assertEqual(said, {"id": "day", "seq": 7, "next": NOW})
        self.assertEqual(len(self.ask("schedule.read", role="SUP")["schedules"]), 1)
        self.assertEqual(self.ask("schedule.delete", {"id": "day"}, role="SUP"), {"seq": 7})
        self.assertEqual(self.hub.market.schedules_at, 0)

    def test_eight_are_enough(self):
        for i in range(8):
            self.set(id="s%d" % i, cmd="read.profile_import", arg={"from": NOW, "to": NOW, "x": "y" * 80})
        self.assertEqual(self.no_set(id="s8"), "STORE_FULL schedules")
        self.set(id="s3", period_s=60)
        self.assertEqual(len(self.ask("schedule.read", role="SUP")["schedules"]), 8)

    def test_a_hub_finds_its_place_by_its_id_or_is_given_one(self):
        self.set(mode="round", window_s=1000, group={"of": 500})
        mine = self.ask("schedule.read", role="SUP")["schedules"][0]
        self.assertTrue(0 <= mine["index"] < 500)
        self.assertEqual(self.set(mode="round", window_s=1000, group={"of": 500, "index": 3})["next"], NOW + 6)

    def test_what_cannot_be_is_refused_and_nothing_is_kept(self):
        for arg, name in (
            ({"id": ""}, "INVALID_VALUE arg.id"),
            ({"id": "x" * 17}, "INVALID_VALUE arg.id"),
            ({"cmd": "supply.disable"}, "INVALID_VALUE arg.cmd"),
            ({"cmd": "read.all"}, "INVALID_VALUE arg.cmd"),
            ({"cmd": "read.export_registers"}, "NOT_AUTHORISED arg.cmd"),
            ({"cmd": "read.balance"}, "UNSUPPORTED arg.cmd"),
            ({"arg": []}, "MALFORMED arg.arg"),
            ({"arg": {"x": [1]}}, "MALFORMED arg.arg"),
            ({"arg": {"x": 1.5}}, "MALFORMED arg.arg"),
            ({"arg": {"x": "y" * 130}}, "INVALID_VALUE arg.arg"),
            ({"period_s": 59}, "INVALID_VALUE arg.period_s"),
            ({"period_s": "60"}, "MALFORMED arg.period_s"),
            ({"start": 5}, "INVALID_VALUE arg.start"),
            ({"start": NOW + 31622401}, "INVALID_VALUE arg.start"),
            ({"mode": "often"}, "INVALID_VALUE arg.mode"),
            ({"mode": "random"}, "MALFORMED arg.window_s"),
            ({"mode": "random", "window_s": 86401}, "INVALID_VALUE arg.window_s"),
            ({"mode": "random", "window_s": 60, "group": {"of": 2}}, "INVALID_VALUE arg.group"),
            ({"mode": "round", "window_s": 60}, "MALFORMED arg.group"),
            ({"mode": "round", "window_s": 60, "group": {"of": 61}}, "INVALID_VALUE arg.group"),
            ({"mode": "group", "window_s": 60, "group": {"of": 2, "index": 2}}, "INVALID_VALUE arg.group"),
            ({"mode": "group", "window_s": 60, "group": {"of": True}}, "MALFORMED arg.group"),
            ({"mode": "group", "window_s": 60, "group": {"of": 2, "x": 1}}, "MALFORMED arg.group"),
            ({"often": 1}, "MALFORMED arg.often"),
        ):
            self.assertEqual(self.no_set(**arg), name)
        self.hub = self.boot(is_set=False)
        self.assertEqual(self.no_set(), "CLOCK_INVALID unset")
        self.assertEqual(self.ask("schedule.read", role="SUP"), {"schedules": []})
        self.assertEqual(self.hub.journal.said, [])


if __name__ == "__main__":
    unittest.main()
