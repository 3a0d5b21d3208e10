"""What the hub knows of its household: takes what the meter says to the registers, the profile and the display.

Units    as in the names
Memory   the last hour's power, twelve sums
Runs on  both
"""

import gc
import time

from micropython import const

from . import console
from .errors import HubError
from .ihd.model import Consent, Logged
from .meters.periods import Periods

_IMPORT, _EXPORT = "1-0:1.8.0", "1-0:2.8.0"
_SILENT_MS = const(30000)
_OLD_MS = const(15000)
_SLOT_S = const(300)
_SLOTS = const(12)
_NIGHT = const((23, 6))  # hours, local time, between which the idle page is dimmed
_WORDS = {"half-hour": "half-hours", "day": "days", "month": "months"}
_RESULTS = {
    "done": "sent",
    "linked": "linked",
    "revoked": "revoked",
    "CONSUMER_DECLINED": "you said no",
    "CONSUMER_TIMEOUT": "no answer",
    "CANCELLED": "cancelled",
    "WRONG_PIN": "wrong PIN",
    "PIN_DEAD": "3 wrong PINs",
    "PIN_EXPIRED": "PIN expired",
    "NOT_RECEIVED": "broken off",
}


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
        self._heard = None  # ticks of the newest telegram
        self._silent = False
        self._hour = []  # (slot, sum of W, readings), newest last
        self._known = None  # what consents and log were made from
        self.agreed = 0  # entries of the consent log made since the start
        self._counted = None  # what the periods were made from
        self._status = None
        self.telegrams = 0
        hub.model.waiting = "waiting for the meter"
        price = hub.settings.get("price.import_e5")
        hub.model.price_e5 = price or None
        hub.model.export_price_e5 = hub.settings.get("price.export_e5") or None
        hub.model.currency = hub.settings.get("currency")

    # -- the meter -----------------------------------------------------------------------------------

    def take(self, readings: list, at: "int | None") -> None:
        """Take the readings (meters.reading.Reading) of one moment to registers, profile and display.

        at: Unix seconds by the meter's own clock, None when it has none.
        """
        hub = self._hub
        self.telegrams += 1
        self._heard = time.ticks_ms()
        if at is not None:
            hub.clock.follow(at)
        try:
            if hub.registers.update(readings):
                hub.journal.add("event", "METER_CHANGED")
        except HubError as err:
            hub.journal.add("event", err.name, err.field)
        values = tuple([hub.registers.value(column.obis, column.scale) for column in hub.profile.columns])
        try:
            hub.intervals.reading(at, values)
        except HubError as err:
            hub.journal.add("event", err.name, err.field)
        self._show_power(hub.registers.power_w)

    def _show_power(self, power_w):
        model = self._hub.model
        model.power_w = power_w
        model.import_wh = self._hub.registers.value(_IMPORT)
        model.export_wh = self._hub.registers.value(_EXPORT)
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
        now = hub.clock.now()
        if now:
            hub.intervals.close_stale(now)
        self._show_clock(now)
        self._show_hour(now)
        self._show_meter(now)
        self._show_periods(now)
        self._show_agreed(now)
        hub.model.wan = "off" if hub.wan is None else "up" if hub.wan.is_up else "down"
        self._say_status(now)

    def _show_clock(self, now):
        local = self._hub.zone.local(now)
        self._hub.model.clock = "%02d:%02d" % local[3:5] if now else ""
        self._hub.model.night = bool(now) and (local[3] >= _NIGHT[0] or local[3] < _NIGHT[1])

    def _show_hour(self, now):
        by_slot = {slot: total // count for slot, total, count in self._hour if count}
        newest = now // _SLOT_S
        self._hub.model.last_hour_w = tuple([by_slot.get(newest - i) for i in range(_SLOTS - 1, -1, -1)])

    def _show_meter(self, now):
        """Tell how fresh the meter's data are, and once that it has gone silent."""
        hub = self._hub
        if self._heard is None:
            hub.model.meters = ("silent",) if hub.settings.get("meter.p1.uart") else ()
            return
        age = time.ticks_diff(time.ticks_ms(), self._heard)
        silent = age > _SILENT_MS
        hub.model.meters = ("silent" if silent else "old" if age > _OLD_MS else "fresh",)
        if silent and not self._silent:
            hub.journal.add("event", "METER_SILENT", "p1")
            local = hub.zone.local(now - age // 1000)
            since = "since %02d:%02d." % local[3:5] if now else ""
            hub.model.troubles = [("No meter data", since, "Is the cable in?")]
            hub.model.power_w = None
        elif not silent and self._silent:
            hub.journal.add("event", "meter is back", "p1")
            hub.model.troubles = []
        self._silent = silent

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
        key = (self.agreed, len(hub.consents.live(now)))
        if key == self._known:
            return
        self._known = key
        hub.model.consents = [self._consent(c) for c in hub.consents.live(now)]
        hub.model.log = [self._logged(entry) for entry in hub.journal.last("consent", 10)]

    def _consent(self, consent):
        used = self._day(consent["used"]) if consent["used"] else "never"
        what = _WORDS[consent["res"]]
        return Consent(self._name(consent["kid"]), what, self._day(consent["until"]), used, consent)

    def _logged(self, entry):
        local = self._hub.zone.local(entry.at)
        when = "%d.%d. %02d:%02d" % (local[2], local[1], local[3], local[4])
        result = _RESULTS.get(entry.name, "refused: " + entry.name.lower().replace("_", " "))
        return Logged(when, self._name(entry.detail.split("|")[0]), result)

    def _name(self, kid):
        return self._hub.recipients[kid][0] if kid in self._hub.recipients else kid

    def _day(self, at):
        local = self._hub.zone.local(at)
        return "%d.%d.%d" % (local[2], local[1], local[0])

    # -- the console ---------------------------------------------------------------------------------

    def _say_status(self, now):
        hub = self._hub
        status = {"telegrams": self.telegrams, "errors": hub.p1.errors, "intervals": hub.profile.count}
        status.update(
            {"have": hub.intervals.have(), "open": hub.intervals.open_entry() is not None, "wan": hub.model.wan}
        )
        status.update({"clock": hub.clock.state, "at": now})
        if self._status != (self.telegrams, hub.profile.count, hub.model.wan):
            self._status = (self.telegrams, hub.profile.count, hub.model.wan)
            status["heap"] = gc.mem_free()
            console.say("status", status)
