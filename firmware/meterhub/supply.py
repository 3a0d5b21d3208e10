"""The supply's switch: on or off, why, who may turn it on again, and the load limit that may turn it off.

Source   GB SMETS2 / GBCS, supply state and load limiting. States: enabled (on), armed (off; the household may turn it
         on), disabled (off; only the supplier), locked (disabled after a tamper; only the supplier's arm or enable
         ends it). GBCS events: 0x8F32 armed, 0x8F01 over the limit, 0x8F33 off by the limit and armed, 0x8F34 on
         again after the restoration period, 0x81BE locked, 0x81BD did not connect, 0x81C0 did not disconnect.
Units    W, s; Unix seconds, UTC
Memory   a dictionary of ten values
Errors   HubError WRONG_STATE, BUSY, RECORD_FAILED (nothing has moved), EXECUTE_FAILED (it did not move)
Runs on  both

Format   JSON {v: 1, state, reason, text, by: kid or "", at, limit: [W, s, restoration s, "disable" or "unchanged"],
         trips, tamper: "locked" or "unchanged", fault: "", "connect" or "disconnect"} in the two-slot record `supply`.
         Each save goes into both slots: one that rots never brings an older state back.

What is to be is written before the switch moves; its feedback must agree within a second. If it does not, the drive
and the record go back to what is true, and that is told. A start drives what is written: the supply never goes on by
itself, and what the load limit has turned off waits for the household after a restart. A record that cannot be read
is taken for disabled. The record outlives a wipe: to take the hub over is no way to the supply.
"""

import json

from micropython import const

from .errors import HubError, StoreError
from .hal.ticks import now_ms, since

LIMIT = const((6900, 300, 30, "unchanged"))  # GB's reference values; it acts once a supplier says so
CONNECT, DISCONNECT = const(0x81BD), const(0x81C0)
OVER = const(0x8F01)
_MOVED_MS = const(1000)
_ASTRAY = const(2)  # seconds that feedback may disagree at rest

# what is done -> state before: state after; what is not there is WRONG_STATE
NEXT = {
    "enable": {"enabled": "enabled", "armed": "enabled", "disabled": "enabled", "locked": "enabled"},
    "arm": {"armed": "armed", "disabled": "armed", "locked": "armed"},
    "disable": {"enabled": "disabled", "armed": "disabled", "disabled": "disabled", "locked": "locked"},
    "press": {"armed": "enabled"},  # the household's button
    "limit": {"enabled": "armed"},
    "restore": {"armed": "enabled"},  # only by tick(), after what `limit` did
    "tamper": {"enabled": "locked", "armed": "locked", "disabled": "locked", "locked": "locked"},
}
# what is done -> (entry of the journal, event, told to the supplier though it has not asked)
_TOLD = {
    "enable": ("supply enabled", 0, False),
    "arm": ("supply armed", 0x8F32, False),
    "disable": ("supply disabled", 0, False),
    "press": ("supply enabled", 0, True),
    "limit": ("supply armed", 0x8F33, True),
    "restore": ("supply enabled", 0x8F34, True),
    "tamper": ("supply locked", 0x81BE, True),
}
_STRICT = ("disable", "tamper")  # stand even though a switch that ought to be off is found on
_VALUES = {"enabled": "ON", "armed": "OFF", "disabled": "OFF", "locked": "OFF"}
_REASONS = {
    "supplier": "by your supplier",
    "household": "turned on here",
    "limit": "too much power",
    "tamper": "meter was opened",
    "new": "never turned on yet",
    "record": "record was damaged",
}


class Supply:
    """hub: app.Hub; record: of its folder, strict: its load() raises StoreError when it is damaged."""

    def __init__(self, hub, record) -> None:
        self._hub = hub
        self._record = record
        self._known = self._load()
        self._switch = hub.board.switch("supply", self._is_on())
        self._doing = ""  # what moves the switch now
        self._before = self._known
        self._moved_ms = 0
        self._above = None  # uptime since which the power is over the limit
        self._over = False  # the period is over, too, and that was told
        self._restore = None  # uptime when what the limit has turned off goes on again
        self._odd = 0  # seconds since which the feedback disagrees
        if self._switch.sensed() not in (None, self._is_on()):  # a latch that was moved, or a power cut in between
            self._switch.drive(self._is_on())
        self._shown = None

    def _load(self):
        known = {"v": 1, "state": "armed", "reason": "new", "text": "", "by": "", "at": 0}
        known.update({"limit": list(LIMIT), "trips": 0, "tamper": "unchanged", "fault": ""})
        try:
            raw = self._record.load()
            if raw is not None:
                found = json.loads(raw)
                if found.get("v") != 1 or found.get("state") not in _VALUES:
                    raise StoreError("supply: of another version")
                known.update(found)
        except (StoreError, ValueError) as err:
            self._hub.journal.add("security", "STORE_DAMAGED", str(err.args[0] if err.args else "supply")[:80])
            self._record.set_aside()
            known["state"], known["reason"] = "disabled", "record"
            self._keep(known)
        return known

    def _keep(self, known):
        """Write what is known; HubError RECORD_FAILED when it is not."""
        raw = json.dumps(known).encode()
        try:
            self._record.save(raw)
        except OSError:
            raise HubError("RECORD_FAILED", "supply")
        try:
            self._record.save(raw)
        except OSError:  # it is written, and counts after a restart: to refuse it now would be a lie
            self._hub.journal.add("event", "RECORD_FAILED", "supply, second slot")

    def _is_on(self):
        return self._known["state"] == "enabled"

    # -- what is asked -------------------------------------------------------------------------------

    @property
    def state(self) -> str:
        """Return enabled, armed, disabled or locked."""
        return self._known["state"]

    def report(self) -> dict:
        """Return what is told of the supply; on: what the feedback says, -1 without one."""
        told = {name: self._known[name] for name in ("state", "reason", "text", "at", "tamper", "fault")}
        sensed = self._switch.sensed()
        told["on"] = -1 if sensed is None else int(sensed)
        if not told["fault"] and self._odd >= _ASTRAY:
            told["fault"] = "connect" if self._is_on() else "disconnect"
        return told

    def limit(self) -> dict:
        """Return the load limit and how often it has tripped."""
        threshold_w, period_s, restoration_s, action = self._known["limit"]
        told = {"threshold_w": threshold_w, "period_s": period_s, "restoration_s": restoration_s, "action": action}
        told["count"] = self._known["trips"]
        return told

    def set(self, **values) -> None:
        """Set `limit` (a list), `trips`, `tamper`: written, or HubError RECORD_FAILED and nothing has changed."""
        known = dict(self._known)
        known.update(values)
        self._keep(known)
        self._known = known
        if "limit" in values:
            self._above, self._over = None, False
        if self._doing:
            self._before = dict(self._before)
            self._before.update(values)

    def tampered(self) -> None:
        """A tamper was seen: lock the supply, if that is what is set; HubError when it cannot be written."""
        if self._known["tamper"] == "locked" and self._known["state"] != "locked":
            self._doing = ""  # whatever else is under way
            self._begin("tamper", "tamper", "", "")

    def press(self) -> None:
        """The household wants the supply on; HubError WRONG_STATE unless it is armed."""
        self._begin("press", "household", "", "")

    def act(self, action: str, by: str, text: str):
        """Carry out "enable", "arm" or "disable" of the supplier `by`; yields until the feedback has agreed."""
        self._begin(action, "supplier", by, text)
        while self._doing:
            yield
            self.look()
        if self._known["fault"]:
            raise HubError("EXECUTE_FAILED", "%04X" % (CONNECT if self._known["fault"] == "connect" else DISCONNECT))

    # -- how it moves --------------------------------------------------------------------------------

    def _begin(self, action, reason, by, text, trips=0):
        if self._doing:
            raise HubError("BUSY", "supply")
        state = NEXT[action].get(self._known["state"])
        if state is None:
            raise HubError("WRONG_STATE", self._known["state"])
        known = dict(self._known)
        known.update({"state": state, "reason": reason, "by": by, "text": text, "fault": ""})
        known["at"] = self._hub.clock.now()
        known["trips"] += trips
        self._keep(known)
        self._before, self._known = self._known, known
        self._doing, self._moved_ms = action, now_ms()
        self._restore = self._above = None
        self._over = False
        self._switch.drive(self._is_on())
        self.look()

    def look(self) -> None:
        """See whether the switch has arrived; a second after it was driven is too late."""
        if not self._doing:
            return
        sensed = self._switch.sensed()
        if sensed is None or sensed == self._is_on():
            self._arrived()
        elif since(now_ms(), self._moved_ms) >= _MOVED_MS:
            self._failed()

    def _arrived(self):
        action, self._doing, self._odd = self._doing, "", 0
        name, code, unasked = _TOLD[action]
        self._say(name, code, self._known["reason"], unasked)
        if action == "limit":
            self._restore = self._hub.clock.uptime_s() + self._known["limit"][2]

    def _failed(self):
        """The switch did not move: let drive and record say what is true."""
        action, self._doing, self._odd = self._doing, "", 0
        was_on = self._before["state"] == "enabled"
        code = CONNECT if self._is_on() else DISCONNECT
        fault = "connect" if self._is_on() else "disconnect"
        known = dict(self._known if action in _STRICT and not was_on else self._before)
        known["fault"], known["trips"] = fault, self._known["trips"]
        self._known = known
        self._switch.drive(self._is_on())
        try:
            self._keep(known)
        except HubError as err:
            self._hub.journal.add("event", err.name, "supply")
        self._say("EXECUTE_FAILED", code, fault, True)

    def _say(self, name, code, why, unasked):
        """Journal an event, and tell the supplier when it has not asked for it."""
        self._hub.journal.add("event", name, ("supply %04X %s" % (code, why)) if code else "supply " + why)
        letters = getattr(self._hub, "letters", None)
        if unasked and letters is not None:
            letters.alert("SUP", name, code, why, self.report())

    # -- once a second -------------------------------------------------------------------------------

    def tick(self) -> None:
        """Do what time brings: feedback, load limit, restoration, the page."""
        if self._doing:
            self.look()
        else:
            self._watch_feedback()
        up_s = self._hub.clock.uptime_s()
        try:
            self._watch_power(up_s)
            if self._restore is not None and up_s >= self._restore and not self._doing:
                self._restore = None
                self._begin("restore", "limit", "", "")
        except HubError as err:  # the flash takes nothing: what is not written is not done
            self._hub.journal.add("event", err.name, "supply load limit")
        self._show()

    def _watch_feedback(self):
        """Tell once that the switch is not where it ought to be; one that is on and ought not to is driven off."""
        sensed = self._switch.sensed()
        if sensed is None or sensed == self._is_on():
            self._odd = 0
            return
        self._odd += 1
        if self._odd == _ASTRAY and not self._known["fault"]:
            if sensed:
                self._switch.drive(False)
            code, fault = (DISCONNECT, "disconnect") if sensed else (CONNECT, "connect")
            self._say("EXECUTE_FAILED", code, "feedback " + fault, True)

    def _watch_power(self, up_s):
        power_w = self._hub.model.power_w
        threshold_w, period_s, _, action = self._known["limit"]
        if self._doing or not self._is_on() or power_w is None or power_w <= threshold_w:
            self._above, self._over = None, False
            return
        if self._above is None:
            self._above = up_s
        if self._over or up_s - self._above < period_s:
            return
        self._over = True  # should it not be written, the next time is after the power was below
        if action == "disable":
            self._say("load limit", OVER, "over", True)
            self._begin("limit", "limit", "", "", 1)
            return
        self.set(trips=self._known["trips"] + 1)
        self._say("load limit", OVER, "over", True)

    # -- the page ------------------------------------------------------------------------------------

    def _show(self):
        """Let the page "supply" say the state, why, and what B would do."""
        known = self._known
        key = (known["state"], known["reason"], known["text"], known["fault"], self._odd >= _ASTRAY, self._restore)
        if key == self._shown:
            return
        self._shown = key
        why = known["text"] or _REASONS.get(known["reason"], known["reason"])
        if known["fault"] or self._odd >= _ASTRAY:
            todo = "The switch is stuck."
        elif self._restore is not None:
            todo = "Goes on again soon"
        else:
            todo = {"enabled": "", "armed": "You may turn it on", "disabled": "Ask your supplier"}.get(
                known["state"], "Locked: call supplier"
            )
        self._hub.model.supply = (_VALUES[known["state"]], (why, todo), known["state"] == "armed")
