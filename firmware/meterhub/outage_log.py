"""What is kept of outages: how many there were, the newest of them, and those that have been announced.

Source   GBCS 0x8F35, 0x8F36 (restored; restored after three minutes or more); EN 50160 (an interruption of more than
         three minutes is a long one). Both rules are applied to the seconds.
Units    Unix seconds, UTC
Memory   the records, while they are looked at; loaded when they are
Errors   OSError from note() and forget() when a record is not saved; StoreError from read() when the log is not whole
Runs on  both

Format   `outages`: JSON {count, min3, long, seconds, last: [start, end] or [], planned: [[ref, from, to, text, at],
         ...]} in one two-slot record: how many there were, how many of three minutes or more, of more than three, how
         long in all; at most 8 are planned.
         `outage-log`: the newest 32, in a record of its own: the journal has room for a hundred events of all kinds,
         and a meter that comes and goes would push the outages out. Little endian:
             u8 version 1, u32 number of the newest, then oldest first u32 start, u32 seconds, u8 phases (bit 0: L1;
             0: the whole supply), u8 clock (place in _STATES), u8 1 when it is estimated, u8 length, planned ref

An outage that starts when the one before it did is the same one, told again after a power cut.
"""

import json
import struct
from collections import namedtuple

from micropython import const

from . import alerts
from .errors import HubError

RESTORED, RESTORED_3MIN = "supply restored", "supply restored 3 min"
_ROLES = const(("DNO", "SUP"))
_CODES = const((0x8F35, 0x8F36))  # restored; restored after three minutes or more
_SHOWN_S = const(604800)
_3MIN_S = const(180)
_MOST_PLANNED = const(8)
_MOST = const(32)
_VERSION = const(1)
_ENTRY = "<IIBBBB"
_ENTRY_BYTES = const(12)
_STATES = ("unset", "net", "cable", "meter", "kept", "set")

# n: number, without a hole; start, end: Unix s; phases: bits, 0 for all; clock: its state then; estimated: 0 or 1
Outage = namedtuple("Outage", ("n", "start", "end", "phases", "clock", "estimated", "ref"))


def state(record) -> dict:
    """Return what the record `outages` (a store.record.Record) holds."""
    raw = record.load()
    return json.loads(raw) if raw else {"count": 0, "min3": 0, "long": 0, "seconds": 0, "last": [], "planned": []}


def settle(hub, start: int, end: int) -> None:
    """Count an outage of the whole supply, and tell of it. hub: app.Hub"""
    lasted = end - start
    record, clock_state = hub.outages.record, hub.clock.state
    known = state(record)
    if known["last"][:1] == [start]:
        _count(known, known["last"][1] - start, -1)
    _count(known, lasted, 1)
    known["last"] = [start, end]
    ref = ""
    try:
        ref = note(hub, start, end, 0, 1)
        record.save(json.dumps(known).encode())
    except OSError as err:  # a full flash must not stop what comes here every second
        hub.journal.add("event", "RECORD_FAILED", "outage %s" % (err.args[:1],))
    said = "%d-%d %d s estimated %s clock %s"
    said %= (start, end, lasted, "long" if lasted > _3MIN_S else "short", clock_state)
    if ref:
        said += " planned " + ref
    name = RESTORED_3MIN if lasted >= _3MIN_S else RESTORED
    data = described(Outage(0, start, end, 0, clock_state, 1, ref))
    alerts.tell(hub, "event", _ROLES, name, _CODES[data["min3"]], said, data)
    if hub.notices is not None:
        _show(hub, start, end)


def _show(hub, start, end):
    """Show the household that the supply was off."""
    first, last = hub.zone.local(start), hub.zone.local(end)
    said = (first[2], first[1], first[3], first[4], last[2], last[1], last[3], last[4])
    text = "%d.%d. %02d:%02d to %d.%d. %02d:%02d" % said
    notice = {"kid": "", "role": "", "name": "", "h": "", "ctr": 0, "cmd": "", "service": "", "category": "outage"}
    notice.update({"ref": "outage", "title": "Supply was off", "text": text, "answer": "", "priority": 0, "at": 0})
    notice.update({"start": 0, "expiry": end + _SHOWN_S})
    try:
        hub.notices.put(notice, None, True)
    except HubError:  # no room: it is in the log
        return


def described(outage: Outage) -> dict:
    """Return an outage as letters tell it: its seconds, and what both rules call it."""
    n, start, end, phases, clock, estimated, ref = outage
    lasted = end - start
    said = {"start": start, "end": end, "seconds": lasted, "class": "long" if lasted > _3MIN_S else "short"}
    said.update({"min3": int(lasted >= _3MIN_S), "phases": [i + 1 for i in range(3) if phases & 1 << i]})
    said.update({"planned": ref, "clock": clock, "estimated": estimated})
    if n:
        said["n"] = n
    return said


def _count(known, lasted, sign):
    known["count"] += sign
    known["min3"] += sign * (lasted >= _3MIN_S)
    known["long"] += sign * (lasted > _3MIN_S)
    known["seconds"] += sign * lasted


def note(hub, start: int, end: int, phases: int, estimated: int = 0) -> str:
    """Keep an outage in the log; return the ref of what was planned for that time, "" for nothing."""
    ref = ""
    for plan in state(hub.outages.record)["planned"]:
        if plan[1] <= end and start <= plan[2]:
            ref = plan[0]
            break
    log = hub.record("outage-log")
    newest, entries = _unpacked(log.load())
    entry = (
        struct.pack(_ENTRY, start, end - start, phases, _STATES.index(hub.clock.state), estimated, len(ref))
        + ref.encode()
    )
    if entries and entries[-1][:4] == entry[:4] and entries[-1][8] == phases:
        entries[-1] = entry
    else:
        newest += 1
        entries = entries[1 - _MOST :] + [entry]
    log.save(struct.pack("<BI", _VERSION, newest) + b"".join(entries))
    return ref


def read(log) -> list:
    """Return the Outages in the record `outage-log`, oldest first."""
    newest, entries = _unpacked(log.load())
    found = []
    for i, raw in enumerate(entries):
        start, seconds, phases, clock, estimated, _ = struct.unpack_from(_ENTRY, raw)
        n = newest - len(entries) + 1 + i
        ref = str(raw[_ENTRY_BYTES:], "utf-8")
        found.append(Outage(n, start, start + seconds, phases, _STATES[clock], estimated, ref))
    return found


def newest(hub) -> list:
    """Return the newest outages, oldest first, as described() has them."""
    return [described(one) for one in read(hub.strict_record("outage-log"))]


def _unpacked(raw):
    """Return (number of the newest, packed entries); nothing for what is of no version that we know."""
    if not raw or raw[0] != _VERSION:
        return 0, []
    entries = []
    pos = 5
    while pos < len(raw):
        stop = pos + _ENTRY_BYTES + raw[pos + _ENTRY_BYTES - 1]
        entries.append(raw[pos:stop])
        pos = stop
    return struct.unpack_from("<I", raw, 1)[0], entries


def planned(record, claims: dict, now: int) -> bytes:
    """Return what the record holds with an announced outage (outage.planned); one of the same ref goes.

    HubError STORE_FULL when 8 are not over.
    """
    known = state(record)
    kept = [one for one in known["planned"] if one[0] != claims["ref"]]
    if len(kept) >= _MOST_PLANNED:
        # one that is over stays as long as there is room: the supply may have come back after its end
        over = [one for one in kept if one[2] < now]
        if not over:
            raise HubError("STORE_FULL", "outages")
        kept.remove(over[0])
    kept.append([claims["ref"], claims["from"], claims["to"], claims.get("text", ""), claims["at"]])
    known["planned"] = kept
    return json.dumps(known).encode()


def forget(record, ref: str) -> None:
    """Take an announcement back."""
    known = state(record)
    known["planned"] = [one for one in known["planned"] if one[0] != ref]
    record.save(json.dumps(known).encode())
