"""Reports again and again: schedule.set, schedule.read, schedule.delete.

Source   ETSI TR 102 691, 5.2.3; when a report is due: store/schedules.py; what makes it: schedule_runner.py
Units    Unix seconds, UTC
Errors   HubError INVALID_VALUE, MALFORMED (arg.NAME); NOT_AUTHORISED (arg.cmd) for a read that the role may not make;
         CLOCK_INVALID while nobody has told the time; STORE_FULL when there are 8
Runs on  both

  schedule.set     {id: 1..16 characters, cmd: a read.*, arg: what that takes, of whole numbers and texts (128 bytes),
                   start: now, period_s: 60 s .. a year, window_s: 0 .. period_s, mode: "fixed" | "random" | "round" |
                   "group", group: {of [, index]}} -> {id, seq, next}. With the id of one of its own it changes that
                   one: seq goes on. Without `index` a hub finds its place by its id.
  schedule.read    {} -> {schedules: [{id, cmd, arg, start, period_s, window_s, mode, index, of, seq, next, missed}]}
  schedule.delete  {id} -> {seq}

A key sees its own schedules and no others. A schedule ends when its key does, or the consent that it needs.
A report says {kind "report", schedule: id, seq, cmd, due: when its slot began, missed: slots without a report before
it, error and field, both "" when there is none, data: what an answer to cmd brings}.
"""

import hashlib
import json

from micropython import const

from ..errors import HubError
from ..hal.epoch import EARLIEST
from ..store import schedules
from ..trust import matrix
from . import Result, fields

_LEAST_PERIOD_S = const(60)
_YEAR_S = const(31622400)
_MOST_ARG = const(128)
_MOST_HUBS = const(1000000)
_NAMES = ("kid", "id", "cmd", "arg", "start", "period_s", "window_s", "mode", "index", "of")


def handle(hub, command) -> Result:
    """Carry out one of the commands above."""
    record = hub.record("schedules")
    known = schedules.load(record)
    if command.cmd == "schedule.read":
        fields.only(command.arg, ())
        return Result("done", {"schedules": [_shown(one) for one in known if one[schedules.KID] == command.kid]})
    if command.cmd == "schedule.set":
        one = _set(hub, command, known)
        found = {"id": one[schedules.ID], "seq": one[schedules.SEQ], "next": one[schedules.AT]}
    elif command.cmd == "schedule.delete":
        fields.only(command.arg, ("id",))
        one = schedules.find(known, command.kid, fields.text(command.arg, "id", 16))
        if one is None:
            raise HubError("INVALID_VALUE", "arg.id")
        known.remove(one)
        found = {"seq": one[schedules.SEQ]}
    else:
        raise HubError("UNSUPPORTED", "cmd")
    schedules.save(record, known)
    hub.market.schedules_at = schedules.next_at(known)
    hub.journal.add("event", command.cmd, "%s %s %s" % (one[schedules.ID], one[schedules.CMD], command.kid))
    return Result("done", found)


def _shown(one):
    shown = {name: one[i] for i, name in enumerate(_NAMES) if name != "kid"}
    shown.update({"seq": one[schedules.SEQ], "next": one[schedules.AT], "missed": one[schedules.MISSED]})
    return shown


def _set(hub, command, known):
    """Return the schedule of a command, in its place among those that are known."""
    now = hub.clock.now()
    if not now:
        raise HubError("CLOCK_INVALID", "unset")
    one = _schedule(hub, command, now)
    old = schedules.find(known, command.kid, one[schedules.ID])
    if old is not None:
        one[schedules.SEQ], one[schedules.MISSED] = old[schedules.SEQ], old[schedules.MISSED]
        known.remove(old)
    elif len(known) >= schedules.MOST:
        raise HubError("STORE_FULL", "schedules")
    schedules.plan_from(one, now, hub.drbg)
    known.append(one)
    return one


def _schedule(hub, command, now):
    fields.only(
        command.arg,
        (
            "id",
            "cmd",
            "arg",
            "start",
            "period_s",
            "window_s",
            "mode",
            "group",
        ),
    )
    name, cmd = fields.text(command.arg, "id", 16), _read_command(command)
    arg = command.arg.get("arg", {})
    if not isinstance(arg, dict) or any([not isinstance(value, (int, str)) for value in arg.values()]):
        raise HubError("MALFORMED", "arg.arg")
    if len(json.dumps(arg)) > _MOST_ARG:
        raise HubError("INVALID_VALUE", "arg.arg")
    start = fields.whole(command.arg, "start", EARLIEST, now + _YEAR_S, now)
    period_s = fields.whole(command.arg, "period_s", _LEAST_PERIOD_S, _YEAR_S)
    mode = fields.one_of(command.arg, "mode", schedules.MODES, "fixed")
    window_s = fields.whole(
        command.arg, "window_s", 0 if mode == "fixed" else 1, period_s, 0 if mode == "fixed" else None
    )
    index, of = _place(hub, command, mode, window_s)
    return [command.kid, name, cmd, arg, start, period_s, window_s, mode, index, of, 0, 0, 0, 0]


def _read_command(command):
    """Return the command that is to be carried out again and again: one that reads, and that the role may give."""
    cmd = fields.text(command.arg, "cmd", 32)
    row = matrix.row(cmd)
    if row is None or cmd[:5] != "read.":
        raise HubError("INVALID_VALUE", "arg.cmd")
    if matrix.permission(row[2], command.role) not in ("yes", "consent"):
        raise HubError("NOT_AUTHORISED", "arg.cmd")
    if not row[0]:
        raise HubError("UNSUPPORTED", "arg.cmd")
    return cmd


def _place(hub, command, mode, window_s):
    """Return (index, of): the place of this hub among those, or of its group among the groups."""
    group = command.arg.get("group", {})
    if mode not in ("round", "group"):
        if group:
            raise HubError("INVALID_VALUE", "arg.group")
        return 0, 1
    if not isinstance(group, dict) or sorted(group) not in (["index", "of"], ["of"]):
        raise HubError("MALFORMED", "arg.group")
    of, index = group["of"], group.get("index", 0)
    for value in (of, index):
        if not isinstance(value, int) or isinstance(value, bool):
            raise HubError("MALFORMED", "arg.group")
    if not 0 < of <= min(window_s, _MOST_HUBS) or not 0 <= index < of:
        raise HubError("INVALID_VALUE", "arg.group")
    if "index" not in group:
        index = int.from_bytes(hashlib.sha256(hub.identity.hub.encode()).digest()[:8], "big") % of
    return index, of
