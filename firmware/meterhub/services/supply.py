"""UC-11: the supply enabled, armed and disabled; its load limit, tamper state and the levels of the display.

Source   ETSI TR 102 691, 5.2.13; GBCS ECS42 to ECS45, ECS27, ECS28, ECS34, ECS81
Units    W, s
Errors   HubError NOT_AVAILABLE where no switch is wired, WRONG_STATE, EXECUTE_FAILED (field: the GBCS event, 81BD or
         81C0), RECORD_FAILED, BUSY; MALFORMED, INVALID_VALUE with the argument's name
Runs on  both

  supply.arm              {reason: text <= 40, or absent} -> state
  supply.enable           {}                              -> state
  supply.disable          {reason}                        -> state
  set.tamper_state        {tamper: "locked" | "unchanged"} -> state
  read.supply_state       {} -> {state, reason, text, at, tamper, fault: "" | "connect" | "disconnect",
                          on: what the feedback says, -1 without one}
  set.load_limit          {threshold_w: 1..100000, period_s: 1..86400, restoration_s: 0..86400, action: "disable" |
                          "unchanged"}, may be future-dated -> limit
  reset.load_limit_counter {} -> limit
  read.load_limit         {} -> {threshold_w, period_s, restoration_s, action, count}
  set.power_thresholds    {low_w: 1..100000, high_w: more than that} -> {low_w, high_w}

Format of the record `power_levels`: u8 1, u32 low W, u32 high W, little endian.
"""

import struct

from ..errors import HubError
from . import Result
from .fields import one_of, only, text, whole

_MOST_W = 100000
_DAY_S = 86400
_REASON = 40


def handle(hub, command):
    """Carry out a command; a generator, because a switch takes a moment."""
    done = _COMMANDS.get(command.cmd)
    if done is None:
        raise HubError("UNSUPPORTED", "cmd")
    return (yield from done(hub, command))


def check(hub, command):
    """Refuse a load limit that could not be set when its date comes."""
    _limit_of(command.arg)
    _supply(hub)


def _supply(hub):
    supply = hub.supply
    if supply is None:
        raise HubError("NOT_AVAILABLE", "supply")
    return supply


def _arm(hub, command):
    return (yield from _act(hub, command, "arm"))


def _enable(hub, command):
    return (yield from _act(hub, command, "enable"))


def _disable(hub, command):
    return (yield from _act(hub, command, "disable"))


def _act(hub, command, action):
    only(command.arg, ("reason",))
    reason = text(command.arg, "reason", _REASON, "")
    supply = _supply(hub)
    yield from supply.act(action, command.kid, reason)
    return Result("done", supply.report())


def _read_state(hub, command):
    only(command.arg, ())
    yield
    return Result("done", _supply(hub).report())


def _set_tamper(hub, command):
    only(command.arg, ("tamper",))
    tamper = one_of(command.arg, "tamper", ("locked", "unchanged"))
    supply = _supply(hub)
    yield
    supply.set(tamper=tamper)
    return Result("done", supply.report())


# -- the load limit ----------------------------------------------------------------------------------------------


def _limit_of(arg):
    only(arg, ("threshold_w", "period_s", "restoration_s", "action"))
    return [
        whole(arg, "threshold_w", 1, _MOST_W),
        whole(arg, "period_s", 1, _DAY_S),
        whole(arg, "restoration_s", 0, _DAY_S),
        one_of(arg, "action", ("disable", "unchanged")),
    ]


def _load_limit(hub, command):
    limit = _limit_of(command.arg)
    supply = _supply(hub)
    yield
    supply.set(limit=limit)
    hub.journal.add("event", "load limit set", limit[3])
    return Result("done", supply.limit())


def _reset_counter(hub, command):
    only(command.arg, ())
    supply = _supply(hub)
    yield
    supply.set(trips=0)
    return Result("done", supply.limit())


def _read_limit(hub, command):
    only(command.arg, ())
    yield
    return Result("done", _supply(hub).limit())


# -- the levels of the page NOW ----------------------------------------------------------------------------------


def _thresholds(hub, command):
    only(command.arg, ("low_w", "high_w"))
    low_w = whole(command.arg, "low_w", 1, _MOST_W)
    high_w = whole(command.arg, "high_w", low_w + 1, _MOST_W)
    yield
    try:
        hub.record("power_levels").save(struct.pack("<BII", 1, low_w, high_w))
    except OSError:
        raise HubError("RECORD_FAILED", "power_levels")
    hub.model.medium_w, hub.model.high_w = low_w, high_w
    return Result("done", {"low_w": low_w, "high_w": high_w})


_COMMANDS = {
    "supply.arm": _arm,
    "supply.enable": _enable,
    "supply.disable": _disable,
    "set.tamper_state": _set_tamper,
    "read.supply_state": _read_state,
    "set.load_limit": _load_limit,
    "reset.load_limit_counter": _reset_counter,
    "read.load_limit": _read_limit,
    "set.power_thresholds": _thresholds,
}
