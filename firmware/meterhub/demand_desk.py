"""Demand response and distributed generation: events that are announced, begin, end, and are accounted for.

Source   ETSI TR 102 691, 5.2.8 and 5.2.9; OpenADR 3.1.0 definitions (event payload types)
Units    Unix seconds, UTC; values in thousandths of what OpenADR names (kW: W), as integers
Memory   the events, at most 4 and 2 KB of them; loaded while one of them is near, and when somebody asks
Errors   HubError INVALID_VALUE, EXPIRED, NOT_AVAILABLE, STORE_FULL, RECORD_FAILED: nothing has changed
Runs on  both (run() needs asyncio)

Format   JSON {v: 1, next, events: [{n, kind: "dr" or "dg", id, kid, program, must: 1 or 0, named: 1 or 0, loads:
         [numbers], intervals: [[id, start, duration, shift, type, value], ...], unknown: [types], action, done: 1 or
         0, begun: bits, acted: 1 or 0, fault: 1 or 0}]} in the two-slot record `demand`.
         action: of the household: "none", "accept", "override"; done: its report has been queued.
         named: the switches were meant by number; begun: a bit for each interval; acted: a switch was held.
         shift: by how much it begins and ends later: drawn from randomizeStart, else the board's randomised offset.

What a type does to a switch:
  SIMPLE 0..3, CONTROL_LEVEL_OFFSET -10..10, .._PERCENT -1..1   a level from 0 to 3. A switch that is meant by number
                  is off from level 1 on; of the premises' a third is off for each level, the first ones first
  IMPORT_CAPACITY_LIMIT kW   one more switch goes off every 30 s while the power is above; EXPORT_CAPACITY_LIMIT: while
                  more than that is exported (a switch of a generator)
  DISPATCH_SETPOINT, .._RELATIVE kW   on above 0, off below; absolute: off at 0
  PRICE, EXPORT_PRICE, GHG, ALERT_..   a notice and nothing else
Everything else is kept and reported as unsupported. An event that nobody has answered takes place: the household may
override it until its end, unless it is mandatory. A switch is held by loads.py, which ends that by the clock.
"""

import gc
import json

from micropython import const

from . import lazy
from .errors import HubError, StoreError

MOST = const(4)
_BYTES = const(2048)
_NEAR_S = const(120)
_PROFILE_S = const(900)  # so long the last half-hour of an event may be under way
_SHED_S = const(30)
_PREFIX = "e"  # of who holds a switch, in loads.py
LEVELS = ("SIMPLE", "CONTROL_LEVEL_OFFSET", "CONTROL_LEVEL_OFFSET_PERCENT")
CAPS = ("IMPORT_CAPACITY_LIMIT", "EXPORT_CAPACITY_LIMIT")
SETPOINTS = ("DISPATCH_SETPOINT", "DISPATCH_SETPOINT_RELATIVE")


def level(kind: str, value: int) -> int:
    """Return the level from 0 to 3 that a value (in thousandths) of one of LEVELS means."""
    if value <= 0:
        return 0
    if kind == "SIMPLE":
        return value // 1000
    most = 10000 if kind == "CONTROL_LEVEL_OFFSET" else 1000
    return min(3, -(-value * 3 // most))


def ends(event: dict) -> int:
    """Return when an event is over."""
    return max([one[1] + one[2] + one[3] for one in event["intervals"]])


class DemandDesk:
    """hub: app.Hub."""

    def __init__(self, hub) -> None:
        self._hub = hub
        self._record = hub.strict_record("demand")
        self._next, self.events = self._load()
        self._shed = {}  # n -> uptime when a switch last went off because of a capacity limit
        self._checked = {}  # n -> ticks for which a switch of it has not been where it ought to be
        if hub.loads is not None:  # a power cut may have come between a record and the switch
            live = [_by(event) for event in self.events if event["action"] != "override" and not event["done"]]
            try:
                hub.loads.release_all_but(live, _PREFIX)
            except HubError as err:
                hub.journal.add("event", err.name, "demand")

    def _load(self):
        try:
            raw = self._record.load()
            if raw is not None:
                found = json.loads(raw)
                return found["next"], found["events"]
        except (StoreError, ValueError, KeyError) as err:  # what was held ends by the clock
            self._hub.journal.add("event", "STORE_DAMAGED", "demand " + type(err).__name__)
            self._record.set_aside()
        return 1, []

    def _save(self, events, after=None, commit=None):
        gc.collect()  # the record is one piece of memory
        raw = json.dumps({"v": 1, "next": after or self._next, "events": events}).encode()
        if len(raw) > _BYTES:
            raise HubError("STORE_FULL", "demand")
        try:
            if commit is None:
                self._record.save(raw)
            else:
                commit(self._record, raw)
        except OSError:
            raise HubError("RECORD_FAILED", "demand")
        self.events, self._next = events, after or self._next

    def _note(self):
        """Write what has become of the events; a flash that takes nothing is told of, and changes no plan."""
        try:
            self._save(self.events)
        except HubError as err:
            self._hub.journal.add("event", err.name, "demand")

    # -- what is asked -------------------------------------------------------------------------------

    def find(self, kid: str, id: str) -> "dict | None":
        """Return an event by who sent it and by its id, None when there is none."""
        for event in self.events:
            if event["kid"] == kid and event["id"] == id:
                return event
        return None

    def room(self, kid: str, id: str) -> list:
        """Return the events that stay beside a new one; HubError STORE_FULL."""
        rest = [event for event in self.events if event["kid"] != kid or event["id"] != id]
        while len(rest) >= MOST:
            done = [event for event in rest if event["done"]]
            if not done:
                raise HubError("STORE_FULL", "demand")
            rest.remove(done[0])
        return rest

    def add(self, event: dict, commit=None) -> None:
        """Take an event in, in the place of the one with the same id; without intervals it only ends that one."""
        before = self.find(event["kid"], event["id"])
        rest = self.room(event["kid"], event["id"])
        event.update({"n": self._next, "action": "none", "done": 0, "begun": 0, "acted": 0, "fault": 0})
        self._save(rest + ([event] if event["intervals"] else []), self._next + 1, commit)
        if before is not None:
            self._let_go(before)

    def decided(self, kid: str, id: str, decision: str) -> "dict | None":
        """Take what the household has said: "accept", "override"; "read" or "none", which changes nothing.

        Return what is confirmed, None for nothing. HubError WRONG_STATE: a mandatory event cannot be overridden, nor
        one that is over.
        """
        event = self.find(kid, id)
        if event is None or decision not in ("accept", "override", "read", "none"):
            return None
        if decision in ("read", "none"):
            told = self._confirmed(event)
            if decision == "read":
                told["action"] = "read"
            return told
        if event["done"] or (decision == "override" and event["must"]):
            raise HubError("WRONG_STATE", "event")
        before = event["action"]
        event["action"] = decision
        try:
            self._save(self.events)
        except HubError:
            event["action"] = before
            raise
        if event["action"] == "override":
            self._let_go(event)
        return self._confirmed(event)

    def _confirmed(self, event):
        told = {"event": event["id"], "action": event["action"], "acted": event["acted"], "fault": event["fault"]}
        told["loads"] = self._positions(event)
        return told

    def _positions(self, event):
        loads = self._hub.loads
        return [] if loads is None else [loads.report(number) for number in event["loads"]]

    def _let_go(self, event):
        if self._hub.loads is not None:
            self._hub.loads.release(_by(event))

    # -- what time brings ----------------------------------------------------------------------------

    def tick(self, now: int) -> None:
        """Begin what is due. now: Unix s, not 0."""
        for event in self.events:
            if event["done"] or event["action"] == "override":
                continue
            for i, interval in enumerate(event["intervals"]):
                start = interval[1] + interval[3]
                if start <= now < start + interval[2]:
                    if not event["begun"] >> i & 1:
                        if not self._may(event, now):
                            self._drop(event)
                            break
                        self._begin(event, i)
                    elif interval[4] in CAPS:
                        self._watch(event, interval)
                    self._look(event)

    def _may(self, event, now):
        """Return whether who sent an event may still steer and read: its key counts, and so does the consent."""
        kid = event["kid"]
        entry = self._hub.letters.entry(kid)  # who writes letters stays loaded
        before = lazy.loaded()
        from .trust import matrix, roles  # noqa: PLC0415 - at the beginning and at the end of an event

        may = ""
        if entry is not None and roles.in_force(entry, now):
            row = matrix.row(event["kind"] + ".event") or ("", "", [])
            may = matrix.permission(row[2], entry[roles.ROLE])
        matrix = roles = None
        lazy.let_go(lazy.loaded() - before)
        return may == "yes" or (may == "consent" and self._hub.role_consents().granted(kid, "demand", now))

    def _drop(self, event):
        """End an event that nobody may steer any more; it is not reported."""
        event["done"] = 1
        self._let_go(event)
        notices = self._hub.notices
        try:
            notices.withdraw(notices.find(event["kid"], event["id"]))
        except HubError:  # nothing that anybody could see
            pass
        self._hub.journal.add("security", "REVOKED", "demand " + event["id"])
        self._note()

    def _begin(self, event, i):
        interval = event["intervals"][i]
        wanted = self._wanted(event, interval)
        event["begun"] |= 1 << i
        try:
            for number, on in wanted:  # first the switch, whose record is its own: a power cut in between repeats it
                self._hub.loads.hold(number, interval[1] + interval[2] + interval[3], _by(event), on)
        except HubError as err:
            self._fault(event, err.name)
        event["acted"] |= int(bool(wanted))
        self._hub.journal.add("event", "demand begins", "%s %s" % (event["id"], interval[4]))
        self._note()

    def _wanted(self, event, interval):
        """Return [(switch, on)] of an interval."""
        kind, value = interval[4], interval[5]
        loads = event["loads"]
        if kind in LEVELS:
            by = level(kind, value)
            if event["named"]:
                return [(number, False) for number in loads] if by else []
            return [(number, False) for number in loads[: -(-len(loads) * by // 3)]]
        if kind == "DISPATCH_SETPOINT" or (kind in SETPOINTS and value):
            return [(number, value > 0) for number in loads]
        return []

    def _watch(self, event, interval):
        """Shed one switch after the other while there is more power than the capacity limit."""
        power_w = self._hub.model.power_w
        if power_w is None:
            return
        over = (power_w if interval[4] == CAPS[0] else -power_w) > interval[5]
        up_s = self._hub.clock.uptime_s()
        if not over or up_s - self._shed.get(event["n"], -_SHED_S) < _SHED_S:
            return
        for number in event["loads"]:
            if self._hub.loads.report(number)["wanted"]:
                self._shed[event["n"]] = up_s
                try:
                    self._hub.loads.hold(number, interval[1] + interval[2] + interval[3], _by(event), False)
                except HubError as err:
                    self._fault(event, err.name)
                if not event["acted"]:
                    event["acted"] = 1
                    self._note()
                return

    def _look(self, event):
        """Tell once that a switch of the event does not move."""
        reports = self._positions(event)
        odd = [one["load"] for one in reports if one["on"] not in (-1, one["wanted"])]
        times = self._checked.get(event["n"], 0) + 1 if odd else 0
        self._checked[event["n"]] = times
        if times == 2:
            self._fault(event, "EXECUTE_FAILED")

    def _fault(self, event, name):
        if event["fault"]:
            return
        event["fault"] = 1
        self._hub.journal.add("event", name, "demand " + event["id"])
        letters = getattr(self._hub, "letters", None)
        if letters is not None:
            letters.alert(event["kid"], name, 0, "demand", self._confirmed(event))
        self._note()

    def over(self, now: int) -> list:
        """Return the events whose report is due: the profile has the last of their half-hours, or will not get it."""
        step = self._hub.profile.interval_s
        found = []
        for event in self.events:
            last = -(-ends(event) // step) * step
            known = (self._hub.profile.last or 0) >= last or now >= last + _PROFILE_S
            if not event["done"] and now >= ends(event) and known:
                found.append(event)
        return found

    def finish(self, event):
        """Queue the report of an event that is over; yields in between."""
        self._let_go(event)
        if not self._may(event, self._hub.clock.now()):
            self._drop(event)
            return
        data = yield from self.report(event)
        letters = getattr(self._hub, "letters", None)
        if letters is not None:
            letters.report(event["kid"], event["kind"] + " " + event["id"], 1, data)
        event["done"] = 1
        self._note()

    def report(self, event):
        """Return the report of an event; yields in between."""
        return (yield from self._reported("of_event", event))

    def report_range(self, start: int, stop: int):
        """Return the report of any time; yields in between."""
        return (yield from self._reported("of_range", start, stop))

    def _reported(self, name, *what):
        before = lazy.loaded()
        gc.collect()
        from . import demand_report  # noqa: PLC0415 - once for each event

        modules = lazy.loaded() - before
        data = yield from getattr(demand_report, name)(self._hub, *what)
        demand_report = None
        lazy.let_go(modules)
        return data

    def next_due(self, now: int) -> int:
        """Return when the desk is wanted again, 0 for never."""
        found = [0]
        for event in self.events:
            if not event["done"]:
                spans = [(one[1] + one[3], one[1] + one[2] + one[3]) for one in event["intervals"]]
                ahead = [start for start, _ in spans if start > now]
                under_way = any([start <= now < stop for start, stop in spans])
                found.append(min(ahead) if ahead and not under_way else now)
        found = [at for at in found if at]
        return min(found) if found else 0

    async def run(self) -> None:
        """Serve until nothing is near; tell the hub when it will be."""
        import asyncio  # noqa: PLC0415 - tests go through tick() by themselves

        from .crypto.steps import slowly  # noqa: PLC0415

        while True:
            now = self._hub.clock.now()
            if not now:
                self._hub.demand_due = 1  # as soon as there is a time
                return
            self.tick(now)
            for event in self.over(now):
                await slowly(self.finish(event))
            due = self.next_due(now)
            if not due or due - now > _NEAR_S:
                self._hub.demand_due = due - _NEAR_S // 2 if due else 0
                return
            await asyncio.sleep(1)


def _by(event):
    return _PREFIX + str(event["n"])
