"""The load switches: up to four appliances that can be switched, by the supplier's word and for a time by others'.

Source   GB SMETS2 auxiliary controllers (state, limit), randomised offset; boards/README.md
Units    Unix seconds, UTC
Memory   a few numbers for each switch
Errors   HubError NOT_AVAILABLE for a switch that there is not, STORE_FULL, RECORD_FAILED (nothing has moved),
         EXECUTE_FAILED (it did not move)
Runs on  both

Format   JSON {v: 1, own: [1 or 0 for each], held: [[number, until, by, 1 or 0], ...]} in the two-slot record `loads`.
         own: what the supplier has set; held: what somebody else wants until then. Off wins over on, and both over
         the own state. At most 12 are held.

A start drives what is written, so that a power cut in the middle of a demand-response event ends nothing early; what
is held ends by the clock, whether or not anybody remembers why.
"""

import hashlib
import json

from micropython import const

from . import lazy
from .errors import HubError, StoreError
from .hal.ticks import now_ms, since

_MOST_HELD = const(12)
_MOVED_MS = const(1000)


def offset_s(unique_id: bytes, limit_s: int) -> int:
    """Return the randomised offset: this board's number, 1 to 10000, times limit / 10000, in whole seconds."""
    number = 1 + int.from_bytes(hashlib.sha256(b"meterhub offset" + unique_id).digest()[:3], "big") % 10000
    return (number * limit_s + 5000) // 10000


class Loads:
    """hub: app.Hub; record: of its folder, strict; count: how many are wired."""

    def __init__(self, hub, record, count: int) -> None:
        self._hub = hub
        self._record = record
        self.count = count
        self._own, self._held = self._load()
        self._switches = [hub.board.switch("load%d" % (i + 1), self._wants(i + 1)) for i in range(count)]
        self.offset_s = offset_s(hub.board.unique_id(), hub.settings.get("supply.offset_s"))
        for number in range(1, count + 1):
            if self.sensed(number) not in (None, self._wants(number)):
                self._switches[number - 1].drive(self._wants(number))
        self._calendars = None  # load_calendar.Calendars, where a load has one
        if any([hub.record("load%d" % (i + 1)).is_there() for i in range(count)]):
            self._with_calendars()

    def _with_calendars(self):
        if self._calendars is None:
            from . import load_calendar  # noqa: PLC0415 - few loads have one

            lazy.keep(lazy.parts(load_calendar.PARTS))
            self._calendars = load_calendar.Calendars(self._hub, self)
        return self._calendars

    def _load(self):
        try:
            raw = self._record.load()
            if raw is not None:
                found = json.loads(raw)
                own = [1 if on else 0 for on in found["own"]][: self.count]
                return own + [1] * (self.count - len(own)), [tuple(one) for one in found["held"]]
        except (StoreError, ValueError, KeyError) as err:
            self._hub.journal.add("event", "STORE_DAMAGED", "loads " + type(err).__name__)
            self._record.set_aside()
        return [1] * self.count, []

    def _wants(self, number):
        wanted = [on for one, _, _, on in self._held if one == number]
        return bool(min(wanted) if wanted else self._own[number - 1])

    def _change(self, own, held):
        """Write, then drive what is another now."""
        if len(held) > _MOST_HELD:
            raise HubError("STORE_FULL", "loads")
        try:
            self._record.save(json.dumps({"v": 1, "own": own, "held": held}).encode())
        except OSError:
            raise HubError("RECORD_FAILED", "loads")
        self._drive(own, held)

    def _drive(self, own, held):
        before = [self._wants(i + 1) for i in range(self.count)]
        self._own, self._held = own, held
        for i in range(self.count):
            if self._wants(i + 1) != before[i]:
                self._switches[i].drive(self._wants(i + 1))

    # -- what is asked -------------------------------------------------------------------------------

    def check(self, number: int) -> int:
        """Return `number`; HubError NOT_AVAILABLE when there is no such switch."""
        if not 1 <= number <= self.count:
            raise HubError("NOT_AVAILABLE", "load")
        return number

    def sensed(self, number: int) -> "bool | None":
        """Return whether a load is really on; None without feedback."""
        return self._switches[number - 1].sensed()

    def report(self, number: int) -> dict:
        """Return what is told of a switch; on: what the feedback says, -1 without one."""
        sensed = self.sensed(number)
        held = [[until, on] for one, until, _, on in self._held if one == number]
        told = {"load": number, "own": self._own[number - 1], "wanted": int(self._wants(number)), "held": held}
        told["on"] = -1 if sensed is None else int(sensed)
        return told

    def set_own(self, number: int, on: bool):
        """Set what the supplier wants; yields until the feedback agrees, else all is as before: EXECUTE_FAILED."""
        before = self._own[self.check(number) - 1]
        own = list(self._own)
        own[number - 1] = int(on)
        self._change(own, self._held)
        if (yield from self.settled(number)) is False:
            own = list(self._own)
            own[number - 1] = before
            self._change(own, self._held)
            raise HubError("EXECUTE_FAILED", "load%d" % number)

    def set_calendar(self, number: int, packed: bytes) -> None:
        """Let a load follow a calendar (load_calendar.py), b"" for none; HubError RECORD_FAILED: all is as before."""
        self._with_calendars().put(self.check(number), packed)

    def calendar(self, number: int) -> dict:
        """Return {calendar: a load's packed one, b"" for none, next: when it switches, 0: not soon}."""
        if self._calendars is None:
            return {"calendar": b"", "next": 0}
        return self._calendars.report(number)

    def follow(self, number: int, on: int) -> bool:
        """Set the own state that the calendar says; return whether it is another. HubError RECORD_FAILED."""
        if self._own[number - 1] == on:
            return False
        own = list(self._own)
        own[number - 1] = on
        self._change(own, self._held)
        return True

    def hold(self, number: int, until: int, by: str, on: bool) -> None:
        """Let a switch be on or off until then; `by` says whose wish it is, and a new one of theirs replaces it."""
        held = [one for one in self._held if one[0] != self.check(number) or one[2] != by]
        self._change(self._own, held + [(number, until, by, int(on))])

    def release(self, by: str) -> None:
        """End what `by` has held."""
        held = [one for one in self._held if one[2] != by]
        if len(held) != len(self._held):
            self._change(self._own, held)

    def release_all_but(self, kept: list, prefix: str) -> None:
        """End what is held by anybody whose name begins so, except by those in `kept`."""
        held = [one for one in self._held if not one[2].startswith(prefix) or one[2] in kept]
        if len(held) != len(self._held):
            self._change(self._own, held)

    def settled(self, number: int):
        """Yield until a switch is where it ought to be; return whether it is, None without feedback."""
        began = now_ms()
        while True:
            sensed = self.sensed(number)
            if sensed is None or sensed == self._wants(number):
                return None if sensed is None else True
            if since(now_ms(), began) >= _MOVED_MS:
                return False
            yield

    def tick(self, now: int) -> None:
        """Once a second: switch by the calendars, end what has been held long enough. now: Unix s, 0: not known."""
        if self._calendars is not None:
            self._calendars.tick(now)
        if not now or all([until > now for _, until, _, _ in self._held]):
            return
        held = [one for one in self._held if one[1] > now]
        try:
            self._change(self._own, held)
        except HubError as err:  # the flash takes nothing: the switch must go back all the same
            self._hub.journal.add("event", err.name, "loads")
            self._drive(self._own, held)
