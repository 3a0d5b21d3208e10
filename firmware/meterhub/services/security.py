"""UC-09, interference and malfunction: reading the logs, clearing the event log, which events are told and how.

Source   ETSI TR 102 691, 5.2.11; GB SMETS2: the event log can be cleared, the security log never; what detects
         interference: tamper_watch.py
Units    Unix seconds, UTC; an entry from before the time was known has 0, and is told where `from` is 0
Errors   HubError MALFORMED, INVALID_VALUE (arg.NAME); RETRIEVE_FAILED when bytes of the log are no entries any more,
         unless skip is 1; RECORD_FAILED
Runs on  both

read.*   from, to, first, skip -> {entries: [[n, at, name, detail]], seen: [first, last], next, damaged}
             n is the entry's number in the journal, which rises by one with each entry of its kind; `seen` are the
             numbers that this page has looked at. `next` is the `first` of the next page, 0 after the last: pages on
             end have looked at all numbers from the oldest on, and in the two hub logs no number is left out.
    event_log           what concerns the meters, since the log was cleared
    power_event_log     the supply and its voltage
    hub_event_log       all events, cleared or not
    security_log        interference, and who failed to be somebody
    tamper_log          interference
    hub_security_log    all of the security log
clear.event_log  -> {through: n}: read.event_log tells newer entries only. Nothing is deleted: the journal is sealed
                 from entry to entry, and the owner's hub_event_log goes on. The clearing is an entry of both logs.
set.event_behaviour  {events: {NAME: {alert: 0 or 1, log: 0 or 1}}} or {} -> {events} in the same form: all that
                 the sender's role may set, as it is in force now. alert: the role gets a letter; log: read.event_log
                 and read.power_event_log tell it to the role. For DNO these are the events of the voltage and
                 "supply restored", for SUP the latter; what is critical or of the security log is not in it.
                 The journal has all of it, and what the household sees does not change.
Format   record `log-cleared`: u32, big endian: the number of the newest event that is hidden
"""

import json

from micropython import const

from ..errors import HubError, StoreError
from ..store import behaviour
from . import Result, span

_CLEARED = const(0x8F52)
_POWER = ("supply ", "phase ", "average ", "extreme ", "swell", "sag", "EN 50160", "outage ")
_METER = ("METER_", "REGISTER_", "LINE_STUCK", "INTERVAL_LATE", "CLOCK_INVALID", "meter", "line is", "event log ")
_TAMPER = ("tamper ",)
_SECURITY = _TAMPER + ("NOT_AUTHENTIC", "NOT_AUTHORISED", "REPLAY", "INTEGRITY_FAILED", "clock set", "event log ")
_VOLTAGE = ("phase interrupted", "phase restored", "phase restored 3 min", "EN 50160 failed")
_ALL = const(3)  # behaviour.ALERT and LOG
_BOTH = ("supply restored",)  # the one after three minutes is a critical alert
_LOGS = {  # command: kind of the journal, what its entries' names begin with
    "read.event_log": ("event", _METER + _POWER),
    "read.power_event_log": ("event", _POWER),
    "read.hub_event_log": ("event", ("",)),
    "read.security_log": ("security", _SECURITY),
    "read.tamper_log": ("security", _TAMPER),
    "read.hub_security_log": ("security", ("",)),
}


def handle(hub, command) -> Result:
    """Carry out a command of this module."""
    if command.cmd == "clear.event_log":
        return _clear(hub, command)
    if command.cmd == "set.event_behaviour":
        return _set_behaviour(hub, command)
    return _read(hub, command, *span.chosen(_LOGS, command))


def _read(hub, command, kind, names):
    arg = command.arg
    span.only(arg, ("from", "to", "first", "skip"))
    start, stop = span.asked(command)
    first = span.whole(arg, "first", 0, span.END_OF_TIME, 0)
    skips = span.whole(arg, "skip", 0, 1, 0)
    if command.cmd == "read.event_log":
        first = max(first, _hidden(hub) + 1)
    silent = ()
    if command.cmd in ("read.event_log", "read.power_event_log"):
        changed = _behaviour(hub).get(command.role, {})
        silent = [name for name in changed if not changed[name] & behaviour.LOG]
    journal = hub.journal
    before = journal.damaged
    seen = [0, 0]
    rows, following = span.page(_rows(journal.after(kind, max(first, 1) - 1), names, silent, start, stop, seen))
    damaged = journal.damaged - before
    if damaged and not skips:
        raise HubError("RETRIEVE_FAILED", kind + " log")
    if following:
        seen[1] = following[0] - 1
    return Result(
        "done", {"entries": rows, "seen": seen, "next": following[0] if following else 0, "damaged": damaged}
    )


def _rows(entries, names, silent, start, stop, seen):
    """Generate the rows to be told of entries, and take note of the numbers that were looked at."""
    for entry in entries:
        seen[0] = seen[0] or entry.seq
        seen[1] = entry.seq
        if entry.name in silent:
            continue
        if start <= entry.at <= stop and any([entry.name.startswith(name) for name in names]):
            yield [entry.seq, entry.at, entry.name, entry.detail]


def _hidden(hub):
    try:
        return int.from_bytes(hub.strict_record("log-cleared").load() or b"", "big")
    except StoreError as err:
        raise HubError("RETRIEVE_FAILED", err.args[0].split("/")[-1])


def _clear(hub, command):
    span.only(command.arg, ())
    through = hub.journal.end("event")
    said = "through %d by %s" % (through, command.kid)
    hub.journal.add("security", "event log cleared", said)  # first: it must not be cleared in silence
    try:
        hub.record("log-cleared").save(through.to_bytes(4, "big"))
    except OSError as err:
        raise HubError("RECORD_FAILED", "log-cleared %s" % (err.args[:1],))
    hub.journal.add("event", "event log cleared", said)
    if hub.letters is not None:
        hub.letters.alert("ADM", "event log cleared", _CLEARED, said, {"through": through})
    return Result("done", {"through": through})


# -- how events are told -----------------------------------------------------------------------------------------


def _behaviour(hub):
    try:
        return behaviour.changed(hub.strict_record(behaviour.RECORD))
    except StoreError as err:
        raise HubError("RETRIEVE_FAILED", err.args[0].split("/")[-1])


def _own(role):
    """Return the events that a role may set."""
    names: "list[str]" = list(_BOTH)
    if role == "DNO":
        from ..meters import voltage  # noqa: PLC0415 - a hub may watch no voltage

        for row in voltage.FUNCTIONS:
            names.extend((row[0], row[0] + " ended"))
        names.extend(_VOLTAGE)
    return names


def _in_words(bits):
    return {"alert": bits & behaviour.ALERT, "log": bits >> 1}


def _set_behaviour(hub, command):
    span.only(command.arg, ("events",))
    wanted = command.arg.get("events", {})
    if not isinstance(wanted, dict):
        raise HubError("MALFORMED", "arg.events")
    own = _own(command.role)
    known = _behaviour(hub)
    bits = dict(known.get(command.role, {}))
    for name in wanted:
        if name not in own:
            raise HubError("INVALID_VALUE", "arg." + name[:32])
        span.only(wanted[name], ("alert", "log"))
        before = bits.get(name, _ALL)
        alert = span.whole(wanted[name], "alert", 0, 1, before & behaviour.ALERT)
        log = span.whole(wanted[name], "log", 0, 1, before >> 1)
        bits[name] = alert + behaviour.LOG * log
    if wanted:
        known["v"] = 1
        known[command.role] = bits
        try:
            hub.record(behaviour.RECORD).save(json.dumps(known).encode())
        except OSError as err:
            raise HubError("RECORD_FAILED", "%s %s" % (behaviour.RECORD, err.args[:1]))
    return Result("done", {"events": {name: _in_words(bits.get(name, _ALL)) for name in own}})
