"""What the hub knows of its household: takes what the meter says to the registers, the profile and the display.

Units    as in the names
Memory   the last hour's power, twelve sums; what each meter has told is with the meter
Runs on  both
"""

import gc
import struct

from micropython import const

from . import console, lazy, meter_watch
from .errors import HubError
from .hal.ticks import now_ms, since
from .meters.periods import Periods
from .meters.units import unit
from .store import files

_IMPORT, _EXPORT = "1-0:1.8.0", "1-0:2.8.0"
_SLOT_S = const(300)
_SLOTS = const(12)
_NIGHT = const((23, 6))  # hours, local time, between which the idle page is dimmed


class Household:
    """Keeps `hub.model` up to date. hub: app.Hub."""

    def __init__(self, hub) -> None:
        self._hub = hub
        self._imported = self._exported = None  # Periods of the two registers, where the profile keeps them
        for i, column in enumerate(hub.profile.columns):
            if column.obis == _IMPORT:
                self._imported = Periods(hub.profile, hub.zone, i)
            elif column.obis == _EXPORT:
                self._exported = Periods(hub.profile, hub.zone, i)
        self._main = hub.meters[0] if hub.meters else None
        if self._main and self._main.last:  # until the meter tells
            hub.model.import_wh = self._main.last.values.get(_IMPORT)
            hub.model.export_wh = self._main.last.values.get(_EXPORT)
        self._ticked = now_ms()
        self._timekeeper = len(hub.meters)  # the place among the meters of the one whose clock is followed
        self._hour = []  # (slot, sum of W, readings), newest last
        self._known = None  # what consents and log were made from
        self.agreed = 0  # entries of the consent log made since the start
        self._counted = None  # what the periods were made from
        self._status = None
        hub.model.waiting = "waiting for the meter"
        price = hub.settings.get("price.import_e5")
        hub.model.price_e5 = price or None
        hub.model.export_price_e5 = hub.settings.get("price.export_e5") or None
        hub.model.currency = hub.settings.get("currency")
        hub.model.medium_w, hub.model.high_w = self._power_levels()

    def _power_levels(self):
        """Return from where on power is medium and high: the supplier's word (services/supply.py), or settings."""
        raw = self._hub.record("power_levels").load()
        if raw is not None and len(raw) == 9 and raw[0] == 1:
            return struct.unpack("<II", raw[1:])
        return self._hub.settings.get("display.medium_w"), self._hub.settings.get("display.high_w")

    # -- the meters ----------------------------------------------------------------------------------

    def take(self, meter, telegram) -> None:
        """Take what a meter (meters.meter.Meter) has told (meters.reading.Telegram) to registers, profile, display."""
        meter.told()
        at = meter_watch.judged_time(self._hub.journal, meter, telegram.at)
        self._follow(meter, at)
        self._hub.outages.look()
        self._update(meter, telegram.readings)
        if self._hub.voltage is not None:
            self._hub.voltage.take(meter, telegram.readings)
        if meter.intervals is not None:
            self._keep(meter, at)
        if meter.last is not None:
            self._note_last(meter, at)
        if meter is self._main:
            self._show_power(meter.registers)
        self._hub.outages.beat()

    def _follow(self, meter, at):
        """Take the time from the first of the meters that tells it, while nothing better does."""
        hub = self._hub
        if at is None:
            return
        place = hub.meters.index(meter)
        if place <= self._timekeeper:
            self._timekeeper = place
            hub.clock.follow(at)
        meter_watch.look_at_clock(hub.journal, meter, at, hub.clock)

    def _update(self, meter, readings):
        try:
            meter.registers.update(readings)
        except HubError as err:
            self._hub.journal.add("event", err.name, meter.name + " " + err.field)
        meter_watch.look_for_twins(self._hub.journal, meter, self._hub.meters)
        for channel in meter.registers.changed:
            self._hub.journal.add("event", "METER_CHANGED", "%s %d" % (meter.name, channel))
        meter.serial = meter.registers.meters.get(0, meter.serial)

    def _keep(self, meter, at):
        registers, profile = meter.registers, meter.profile
        try:
            self._name_meters(meter, at)
            told = [registers.told(c.obis, c.scale, unit(c.unit), at) for c in profile.columns]
            kept = meter.intervals.reading(at, tuple(told))
        except HubError as err:
            if err.name not in meter_watch.OF_THE_STORE:
                self._hub.journal.add("event", err.name, err.field)
            meter_watch.say_store(self._hub.journal, meter, "history", err.name)
        else:
            if kept:
                meter_watch.say_store(self._hub.journal, meter, "history", "")

    def _note_last(self, meter, at):
        columns = meter.profile.columns if meter.profile is not None else ()
        values = {c.obis: meter.registers.value(c.obis, c.scale, unit(c.unit)) for c in columns}
        values = {obis: value for obis, value in values.items() if value is not None and value >= 0}
        trouble = ""
        try:
            meter.last.note(at or self._hub.clock.now(), values, meter.last.pulses)
        except OSError as err:
            trouble = files.trouble(err)
        meter_watch.say_store(self._hub.journal, meter, "last values", trouble)

    def _name_meters(self, meter, at):
        """Tell the profile whose totals it keeps, as soon as that is known or another."""
        ids = tuple([meter.registers.meter_of(column.obis) for column in meter.profile.columns])
        if meter.intervals.set_meters(ids, at) and not meter.registers.changed:  # while the hub was off
            self._hub.journal.add("event", "METER_CHANGED", meter.name)

    def _show_power(self, registers):
        model = self._hub.model
        power_w = model.power_w = registers.power_w
        model.import_wh = registers.value(_IMPORT, 0, "Wh")
        model.export_wh = registers.value(_EXPORT, 0, "Wh")
        model.waiting = ""
        if power_w is None:
            return
        slot = self._hub.clock.now() // _SLOT_S
        if not self._hour or self._hour[-1][0] != slot:
            self._hour = self._hour[1 - _SLOTS :] + [(slot, 0, 0)]
        _, total, count = self._hour[-1]
        self._hour[-1] = (slot, total + power_w, count + 1)

    # -- once a second -------------------------------------------------------------------------------

    def tick(self) -> None:
        """Do what time brings: close intervals of a silent meter, refresh the display's texts, say the status."""
        hub = self._hub
        self._elapse()
        now = hub.clock.now()
        hub.outages.look()
        if now:
            if hub.tenancy.due(now):
                hub.journal.add("security", "tenancy", "since %d" % hub.tenancy.since)
                if hub.events is not None:
                    hub.events.outbox.empty(hub.journal.end("event"))
                hub.restart_soon()  # what is shown and sent is made anew, without what is hidden now
            for meter in hub.meters:
                if meter.intervals is not None:
                    self._close_stale(meter, now)
        hub.look_after_market(now)
        self._show_clock(now)
        self._show_hour(now)
        self._show_meters(now)
        self._show_periods(now)
        if hub.tariffs is not None:
            hub.tariffs.tick(now)
        self._show_agreed(now)
        hub.model.wan = "off" if hub.wan is None else "up" if hub.wan.is_up else "down"
        self._say_status(now)

    def _close_stale(self, meter, now):
        try:
            meter.intervals.close_stale(now)
        except HubError as err:
            meter_watch.say_store(self._hub.journal, meter, "history", err.name)

    def _elapse(self):
        ticks = now_ms()
        for meter in self._hub.meters:
            for telegram in meter.elapse(since(ticks, self._ticked)):
                self.take(meter, telegram)
        self._ticked = ticks

    def _show_clock(self, now):
        self._hub.model.now = now
        local = self._hub.zone.local(now)
        self._hub.model.clock = "%02d:%02d" % local[3:5] if now else ""
        self._hub.model.night = bool(now) and (local[3] >= _NIGHT[0] or local[3] < _NIGHT[1])

    def _show_hour(self, now):
        by_slot = {slot: total // count for slot, total, count in self._hour if count}
        newest = now // _SLOT_S
        self._hub.model.last_hour_w = tuple([by_slot.get(newest - i) for i in range(_SLOTS - 1, -1, -1)])

    def _show_meters(self, now):
        """Tell how fresh each meter's data are, and once that one has gone silent."""
        hub = self._hub
        troubles, states = [], []
        for meter in hub.meters:
            meter_watch.look(hub.journal, meter)
            states.append("silent" if meter.is_silent or not meter.telegrams else "old" if meter.is_old else "fresh")
            if "METER_SILENT" in meter.troubles:
                troubles.append(meter_watch.in_words(meter, self._since(meter, now), len(hub.meters) == 1))
                if meter is self._main:
                    hub.model.power_w = None
        hub.model.troubles = troubles
        others = [state for state in ("silent", "old", "fresh") if state in states[1:]]
        hub.model.meters = tuple(states[:1] + others[:1])  # there is no room for six: the worst of the others

    def _since(self, meter, now):
        local = self._hub.zone.local(now - meter.age_ms // 1000)
        return "%02d:%02d" % local[3:5] if now and meter.telegrams else ""

    def _show_periods(self, now):
        """Work out the energy of day and month when an interval has been closed or a minute has passed."""
        hub, model = self._hub, self._hub.model
        key = (hub.profile.last, now // 60)
        if not now or key == self._counted:
            return
        self._counted = key
        if self._imported is not None:
            sums = self._imported.sums(now, model.import_wh)
            model.today_wh, model.yesterday_wh, model.month_wh, model.last_month_wh = sums
        if self._exported is not None:
            sums = self._exported.sums(now, model.export_wh)
            model.today_export_wh, model.month_export_wh = sums.today, sums.month

    # -- what was agreed to --------------------------------------------------------------------------

    def _show_agreed(self, now):
        """Make the consents and the consent log for people, when one of them has changed."""
        hub = self._hub
        key = (self.agreed, len(hub.consents.live(now)), now // 3600)
        if key == self._known:
            return
        self._known = key
        before = lazy.loaded()
        from . import agreed  # noqa: PLC0415 - once an hour, and when the household has decided something

        hub.model.consents, hub.model.log = agreed.shown(hub, now)
        agreed = None
        lazy.let_go(lazy.loaded() - before)

    # -- the console ---------------------------------------------------------------------------------

    def _say_status(self, now):
        hub = self._hub
        told = {meter.name: meter.telegrams for meter in hub.meters}
        state = (tuple(told.values()), hub.profile.count, hub.model.wan)
        if self._status == state:
            return
        self._status = state
        main = self._main
        status = {"telegrams": main.telegrams if main else 0, "errors": main.errors if main else {}, "meters": told}
        status.update({"intervals": hub.profile.count, "have": hub.intervals.have(), "wan": hub.model.wan})
        status.update({"open": hub.intervals.open_entry() is not None, "clock": hub.clock.state, "at": now})
        status["heap"] = gc.mem_free()
        console.say("status", status)
