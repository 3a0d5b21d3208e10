"""What goes wrong with a meter or its line: journalled once, however long it lasts, and once more when it is over.

Events   (what counts as silent: meters/meter.py)
         METER_SILENT       nothing good has come for half a minute, or for three periods of a meter that is asked
         LINE_STUCK         for a minute bytes come and nothing good is in them ("noise"), or a zero has come and then
                            nothing more ("break"); the contact that counts energy is closed for a minute ("closed")
         METER_CLOCK        the meter's time is more than a minute off, beside a synchronised clock
         METER_CHANGED      another meter stands behind the line, or behind one of its channels
         METER_TWICE        it tells the id of another one of the hub's meters, or two of its channels tell the same
         CLOCK_INVALID      the meter's time lies before 2020 or after 2100; its readings are stamped by the hub
         REGISTER_BACKWARD, REGISTER_JUMP, REGISTER_ROLLED   of a total: meters/registers.py
         STORE_FULL, STORE_DAMAGED  what the meter told could not be saved: its history, or its last values
Runs on  both
"""

from micropython import const

from .hal.epoch import EARLIEST, LATEST

_STUCK_MS = const(60000)
_LATELY_MS = const(30000)
_MANY = const(16)  # bytes; fewer are what a plug makes that is pulled
_DRIFT_S = const(60)
OF_THE_STORE = ("STORE_FULL", "STORE_DAMAGED")
_OVER = {
    "METER_SILENT": "meter is back",
    "LINE_STUCK": "line is back",
    "METER_CLOCK": "meter's clock is right",
    "CLOCK_INVALID": "meter's clock was set",
    "METER_TWICE": "meters differ",
}
_NO_ID = const(("", "pulse"))


def look(journal, meter) -> None:
    """Say that a meter has gone silent or its line is stuck, and that it is back. meter: meters.meter.Meter"""
    _say(journal, meter, "METER_SILENT", meter.is_silent)
    why = _stuck(meter)
    if why or not meter.age_ms > _STUCK_MS:
        _say(journal, meter, "LINE_STUCK", bool(why), why)


def _stuck(meter):
    """Return why a line must be called stuck, "" when it need not."""
    if meter.closed_ms > _STUCK_MS:
        return "closed"
    if meter.busy or not meter.noise or meter.age_ms <= max(_STUCK_MS, 3 * meter.period_ms):
        return ""
    if meter.period_ms or meter.quiet_ms < _LATELY_MS:
        return "noise" if meter.noise >= _MANY else ""
    return "" if meter.last_byte else "break"


def look_at_clock(journal, meter, at: "int | None", clock) -> None:
    """Say that a meter's time `at` (Unix s or None) has drifted from the hub's. clock: hal.clock.Clock"""
    if at is None or clock.state != "set":
        return
    ahead = at - clock.now()
    off = not -_DRIFT_S - meter.took_ms // 1000 <= ahead <= _DRIFT_S
    _say(journal, meter, "METER_CLOCK", off, "%d s ahead" % ahead)


def judged_time(journal, meter, at: "int | None") -> "int | None":
    """Return a meter's time, None for one that cannot be true; say that it tells such times."""
    if at is None:
        return None
    good = EARLIEST <= at < LATEST
    _say(journal, meter, "CLOCK_INVALID", not good)
    return at if good else None


def look_for_twins(journal, meter, meters: list) -> None:
    """Say that a meter tells an id twice, or one that another of `meters` tells; their histories are kept apart."""
    mine = [told for told in meter.registers.meters.values() if told not in _NO_ID]
    twice = len(set(mine)) < len(mine)
    for other in meters:
        if other is not meter:
            twice = twice or any([told in mine for told in other.registers.meters.values()])
    _say(journal, meter, "METER_TWICE", twice)


def _say(journal, meter, name, lasts, detail=""):
    if lasts and name not in meter.troubles:
        meter.troubles.add(name)
        journal.add("event", name, (meter.name + " " + detail).strip())
    elif not lasts and name in meter.troubles:
        meter.troubles.remove(name)
        journal.add("event", _OVER[name], meter.name)


def say_store(journal, meter, what: str, name: str) -> None:
    """Say that `what` of a meter's can not be saved any more, name: of OF_THE_STORE; or that it can again, ""."""
    key = "unsaved " + what
    if name in OF_THE_STORE and key not in meter.troubles:
        meter.troubles.add(key)
        journal.add("event", name, meter.name + " " + what)
    elif not name and key in meter.troubles:
        meter.troubles.remove(key)
        journal.add("event", "saved again", meter.name + " " + what)


def in_words(meter, since: str, only: bool) -> tuple:
    """Return the lines that the household is shown of a silent meter. since: "14:05" or ""; only: it has no other."""
    is_stuck = "LINE_STUCK" in meter.troubles
    what, hint = ("Meter unreadable", "Wires, speed, key?") if is_stuck else ("No meter data", "Is the cable in?")
    if only:
        return (what, "since " + since + "." if since else "", hint)
    return (what, (meter.name + " " + since).strip(), hint)
