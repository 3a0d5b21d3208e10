"""The switching calendars of the loads: when the supplier's own state of a switch turns by itself.

Source   GB SMETS2, calendars of auxiliary controllers (GBCS ECS46d); what a calendar is made of: codec/tariff.py,
         seasons, weeks, days and special days
Units    Unix seconds, UTC
Memory   PARTS are loaded in a hub that has one; the packed calendars, 100 to 300 bytes each
Errors   HubError RECORD_FAILED
Runs on  both

Format   for each load the two-slot record "load1" .. "load4": u32 when it switches next, then the calendar, packed as
         a tariff with two bands at no price: 0 off, 1 on. Empty: there is none. A 0 for the time: at once.

At each switching time the load's own state becomes what the calendar says, and stays so until the next one, or until
the supplier sets it by hand. What is held (loads.py) goes before it. All switching times come the hub's randomised
offset later, so that a town's loads do not move together. A hub that was off at a switching time catches up; one
that does not know the time moves nothing. The calendar is one record, written at once: a power cut leaves the one
before or the new one, and the new one's first state is reached in any case.
"""

import struct

from micropython import const

from .codec.rates import Rates
from .errors import HubError, StoreError

PARTS = ("load_calendar", "codec.rates", "codec.billing_calendar")
_LOOK_S = const(691200)  # how far Rates.next_change() looks
_MOVED_S = const(2)
_AGAIN_S = const(60)


def record_of(hub, number: int):
    """Return the record of a load's calendar."""
    return hub.record("load%d" % number)


class Calendars:
    """hub: app.Hub; loads: loads.Loads."""

    def __init__(self, hub, loads) -> None:
        self._hub = hub
        self._loads = loads
        self._kept = [None] * loads.count  # Rates of each, None: no calendar
        self._due = [0] * loads.count  # when it switches next
        self._packed = [b""] * loads.count
        self._again = [0] * loads.count  # uptime until which a flash that took nothing is left alone
        self._seen = 1 << 33  # the time that tick() was told last
        self._moving = {}  # number -> since when its feedback may still be another
        for number in range(1, loads.count + 1):
            self._load(number)

    def _load(self, number):
        record = record_of(self._hub, number)
        try:
            raw = record.load()
            if raw:
                self._take(number, raw)
        except (StoreError, ValueError, IndexError) as err:  # the switch stays as it is
            self._hub.journal.add("event", "STORE_DAMAGED", "load%d calendar %s" % (number, type(err).__name__))
            record.set_aside()

    def _take(self, number, raw):
        self._kept[number - 1] = Rates(raw[4:]) if len(raw) > 4 else None
        self._packed[number - 1] = raw[4:]
        self._due[number - 1] = struct.unpack("<I", raw[:4])[0]

    def put(self, number: int, packed: bytes) -> None:
        """Let a load follow a calendar from now on, b"" for none; HubError RECORD_FAILED: the one before stays."""
        self._keep(number, packed, 0)
        self._take(number, bytes(4) + packed)
        self._again[number - 1] = 0
        self.tick(self._hub.clock.now())

    def _keep(self, number, packed, due):
        try:
            record_of(self._hub, number).save(struct.pack("<I", due) + packed if packed else b"")
        except OSError:
            raise HubError("RECORD_FAILED", "load%d" % number)

    def report(self, number: int) -> dict:
        """Return {calendar: the packed one, b"" for none, next: when it switches, 0: not within eight days}."""
        rates, due = self._kept[number - 1], self._due[number - 1]
        told = {"calendar": self._packed[number - 1], "next": 0}
        if rates is not None and self._turns(rates, due):
            told["next"] = due
        return told

    def tick(self, now: int) -> None:
        """Once a second: switch what is to be switched. now: Unix s, 0 while that is not known."""
        self._watch(now)
        if not now:
            return
        back, self._seen = now < self._seen, now
        for i, rates in enumerate(self._kept):
            if rates is None:
                continue
            if back and now < self._due[i]:  # a start, or the clock was ahead: what is planned may be too late
                change = rates.next_change(now - self._loads.offset_s)
                if change is not None:
                    self._due[i] = min(self._due[i], change + self._loads.offset_s)
            is_waiting = now < self._due[i] <= now + _LOOK_S + self._loads.offset_s
            if is_waiting or self._hub.clock.uptime_s() < self._again[i]:
                continue
            try:
                self._switch(i + 1, rates, now)
            except HubError as err:  # the flash takes nothing: what is not written is not done, and is tried again
                self._hub.journal.add("event", err.name, "load%d calendar" % (i + 1))
                self._again[i] = self._hub.clock.uptime_s() + _AGAIN_S

    def _turns(self, rates, due):
        """Return whether the calendar turns at `due`, or it was only to be looked at again."""
        at = due - self._loads.offset_s
        return due > 0 and rates.band_at(at) != rates.band_at(at - rates.interval_s)

    def _switch(self, number, rates, now):
        offset_s, due = self._loads.offset_s, self._due[number - 1]
        local = now - offset_s
        following = rates.next_change(local)
        if not due or (due <= now and (self._turns(rates, due) or self._has_turned(rates, due - offset_s, local))):
            on = rates.band_at(local)
            if self._loads.follow(number, on):
                self._hub.journal.add("event", "load calendar", "load%d %s" % (number, "on" if on else "off"))
            self._moving[number] = now
        due = (following or local + _LOOK_S) + offset_s
        self._keep(number, self._packed[number - 1], due)
        self._due[number - 1] = due

    @staticmethod
    def _has_turned(rates, since, until):
        change = rates.next_change(since)
        return (change is not None and change <= until) or rates.band_at(since) != rates.band_at(until)

    def _watch(self, now):
        """Tell once of a switch that has not moved."""
        for number in [one for one, since in self._moving.items() if now - since >= _MOVED_S]:
            del self._moving[number]
            if self._loads.sensed(number) not in (None, bool(self._loads.report(number)["wanted"])):
                self._hub.journal.add("event", "EXECUTE_FAILED", "load%d calendar" % number)
                letters = getattr(self._hub, "letters", None)
                if letters is not None:
                    letters.alert("SUP", "EXECUTE_FAILED", 0, "load%d" % number, self._loads.report(number))
