"""Watches for interference and malfunction: contacts, failed authentications, meters that are silent or turned round.

Source   GBCS event codes: 0x8F3F unauthorised physical access, 0x8F74..0x8F78 its kinds, 0x8F3D authentication failed,
         0x8F84 a device does not answer
Events   of the security log, "tamper WHAT" when it begins and "tamper WHAT ended"; each is an alert to ADM and SUP:
         case, cover, terminal, terminal2, battery   a contact has opened, if only for a tenth of a second
         magnet           a contact has closed
         authentication   so many failed within an hour as the setting `tamper.failed` says; ended: an hour without one
         meter silent     detail: which; as METER_SILENT (meter_watch.py)
         meter backward   a total has gone down (REGISTER_BACKWARD); ended: a day without
         export           for a minute power was fed in where the setting `tamper.no_export` says that there is none
Memory   2 KB (4 KB where the code is files); only where the setting `tamper.watch` is true
Runs on  both
Format   record `tamper`: JSON, a list of what lasts, as "WHAT" or "WHAT DETAIL". It is saved after the alert: when the
         power goes in between, it comes twice.

Contacts are pins of the board, by name (pins.json: "tamper"); what they show in the first seconds is not judged yet.
"""

import json

from micropython import const

from . import alerts

# a contact's name: event code
CODES = {"case": 0x8F3F, "battery": 0x8F74, "cover": 0x8F75, "magnet": 0x8F76, "terminal": 0x8F77, "terminal2": 0x8F78}
_CLOSES = "magnet"
_FAILED, _SILENT, _BACKWARD = const(0x8F3D), const(0x8F84), const(0x8F3F)
_ROLES = const(("ADM", "SUP"))
_SETTLING = const(3)  # ticks
_MINUTES = const(60)
_DAY_S = const(86400)
_EXPORT_S = const(60)
_REST_S = const(60)  # a contact that shakes is one opening
_MOST_HEARD = const(16)
_METERS = ("METER_SILENT", "meter is back", "REGISTER_BACKWARD")


class TamperWatch:
    """hub: app.Hub. active: {what lasts: uptime at which it was seen last}."""

    def __init__(self, hub) -> None:
        self._hub = hub
        self._record = hub.record("tamper")
        self.active = {what: 0 for what in json.loads(self._record.load() or b"[]")}
        self._contacts = []  # [name, hal.contact.Contact, how often it has told]
        self._ticks = 0
        self._heard = []  # (name, detail) of the journal's entries that are to be looked at
        self._failed = bytearray(_MINUTES)  # authentications in each minute of the hour
        self._minute = -1
        self._export_s = 0
        for name in hub.settings.get("tamper.inputs"):
            try:
                self._contacts.append([name, hub.board.contact(name), 0])
            except KeyError:
                hub.journal.add("event", "SETTING_REFUSED", "tamper.inputs the board has no %s" % name)

    def heard(self, entry) -> None:
        """Hear of an entry of the journal (store.journal.Entry); what it means is told by the next tick()."""
        if entry.name == "NOT_AUTHENTIC":
            minute = self._turn_to_now()
            self._failed[minute] = min(255, self._failed[minute] + 1)
        elif entry.name in _METERS and len(self._heard) < _MOST_HEARD:
            self._heard.append((entry.name, entry.detail))

    def tick(self) -> None:
        """Look at everything; to be called once a second."""
        self._ticks += 1
        for one in self._contacts:
            self._look_at(one)
        heard, self._heard = self._heard, []
        for name, detail in heard:
            self._take(name, detail)
        self._look_at_failures()
        if self._hub.settings.get("tamper.no_export"):
            self._look_for_export()
        self._end_old()

    # -- contacts ------------------------------------------------------------------------------------

    def _look_at(self, one):
        name, contact, seen = one
        contact.look()
        told = contact.closed if name == _CLOSES else contact.opened
        if self._ticks > _SETTLING:
            lasts = contact.is_closed is not None and contact.is_closed == (name == _CLOSES)
            if told != seen or lasts:
                self._set(name, True, CODES[name])
            if not lasts and self._hub.clock.uptime_s() - self.active.get(name, -_REST_S) >= _REST_S:
                self._set(name, False, CODES[name])
        one[2] = told

    # -- the others ----------------------------------------------------------------------------------

    def _take(self, name, detail):
        if name == "REGISTER_BACKWARD":
            meter, _, obis = detail.partition(" ")
            if obis.startswith("1-"):  # electricity
                self._set("meter backward", True, _BACKWARD, meter)
        else:
            self._set("meter silent", name == "METER_SILENT", _SILENT, detail)

    def _turn_to_now(self):
        """Return the index of this minute; forget those that an hour has gone by since."""
        minute = self._hub.clock.uptime_s() // 60
        if self._minute < 0:
            self._minute = minute
        for _ in range(min(minute - self._minute, _MINUTES)):
            self._minute += 1
            self._failed[self._minute % _MINUTES] = 0
        if minute != self._minute:
            self._minute = minute
        return minute % _MINUTES

    def _look_at_failures(self):
        self._turn_to_now()
        count = sum(self._failed)
        if count >= self._hub.settings.get("tamper.failed"):
            self._set("authentication", True, _FAILED)
        elif not count:
            self._set("authentication", False, _FAILED)

    def _look_for_export(self):
        meter = self._hub.meters[0] if self._hub.meters else None
        if meter is None or meter.is_old or meter.registers.power_w is None:
            self._export_s = 0
            return
        if (meter.registers.power_w < 0) == ("export" in self.active):
            self._export_s = 0
            return
        self._export_s += 1
        if self._export_s >= _EXPORT_S:
            self._set("export", meter.registers.power_w < 0, _BACKWARD)

    def _end_old(self):
        now_s = self._hub.clock.uptime_s()
        for what in [what for what in self.active if what.startswith("meter backward ")]:
            if now_s - self.active[what] >= _DAY_S:
                self._set("meter backward", False, _BACKWARD, what[15:])

    def _set(self, what, lasts, code, detail=""):
        """Tell, once each, that something begins and that it has ended."""
        key = (what + " " + detail).strip()
        was = key in self.active
        if lasts:
            self.active[key] = self._hub.clock.uptime_s()
        if lasts == was:
            return
        if was:
            del self.active[key]
        hub = self._hub
        data = {"what": what, "at": hub.clock.now(), "lasts": int(lasts)}
        alerts.tell(
            hub, "security", _ROLES, "tamper " + what + ("" if lasts else " ended"), code if lasts else 0, detail, data
        )
        try:
            self._record.save(json.dumps(list(self.active)).encode())
        except OSError as err:
            hub.journal.add("event", "RECORD_FAILED", "tamper %s" % (err.args[:1],))
