"""A hub with load switches and events of demand response, for the tests of that."""

import unittest

from meterhub.services import demand as service  # isort: skip - the longest text to compile, while there is room
from meterhub import demand_desk  # isort: skip - the next

from supply_bench import NOW, OTHER, Board, Hub, end

START = NOW + 60
MOST = demand_desk.MOST


class Profile:
    """No history."""

    interval_s = 1800
    columns = ()
    last = None

    def read(self, start, stop):
        return []


def interval(start=START, duration=1200, kind="SIMPLE", value=1, **period):
    period.update({"start": start, "duration": duration})
    return {"intervalPeriod": period, "payloads": [{"type": kind, "values": [value]}]}


def event(*intervals, **more):
    more.setdefault("id", "ev1")
    more["intervals"] = list(intervals) or [interval()]
    return more


class Case(unittest.TestCase):
    wired, offset_s = 3, 0

    def setUp(self):
        self.board = Board()
        self.hub = None
        self.start()

    def start(self):
        """Start the hub; the household's notices are somebody else's to keep."""
        before = self.hub
        self.hub = Hub(self.board, self.wired, False, self.offset_s)
        self.hub.profile = Profile()
        if before is not None:
            self.hub.notices, self.hub.letters = before.notices, before.letters
            self.hub.demand_desk()

    def tearDown(self):
        end(self.board)

    def power_cut(self):
        for switch in self.board.switches.values():
            switch.power_cut()
        self.start()

    def send(self, arg, cmd="dr.event", kid=OTHER):
        return self.hub.do(service, cmd, arg, None, kid, "LC")

    def until(self, at):
        self.hub.live(at - self.hub.clock.now())

    def on(self):
        return [int(self.board.switches["load%d" % (i + 1)].on) for i in range(self.wired)]

    def say(self, decision, ref="ev1"):
        return service.decided(self.hub, {"kid": OTHER, "ref": ref}, decision)
