"""UC-06: the calendar by which a load switches by itself, as its supplier has agreed with the household.

Source   ETSI TR 102 691, 5.2.8; GBCS ECS46d (calendar of an auxiliary controller)
Units    minutes of the local day
Errors   HubError MALFORMED, INVALID_VALUE ("arg.days[0]": as codec/tariff.py names them), NOT_AVAILABLE (no such
         switch), CLOCK_INVALID, RECORD_FAILED
Runs on  both

  set.aux_calendar {load: 1..4, zone, days, seasons, weeks, special}: these as in a tariff (codec/tariff.py), all but
                   zone and days with the same defaults; a day is [minute, 0 or 1, minute, 0 or 1, ...]: from this
                   minute on off or on; minutes are multiples of 15. {load} alone: no calendar any more, the switch
                   stays as it is. May carry a date
                   -> what is told of the switch, calendar: SHA-256 of it as it is packed, "" for none, next: when it
                   switches, 0 when not within eight days
"""

import hashlib

from ..errors import HubError
from . import Result
from .fields import only, whole

_FIELDS = ("zone", "days", "seasons", "weeks", "special")
_INTERVAL_S = 900


def handle(hub, command):
    """Carry out a command; a generator."""
    number, packed = _checked(hub, command)
    yield
    loads = hub.loads
    loads.set_calendar(number, packed)
    yield from loads.settled(number)
    told = loads.report(number)
    told.update(loads.calendar(number))
    told["calendar"] = hashlib.sha256(told["calendar"]).digest().hex() if told["calendar"] else ""
    return Result("done", told)


def check(hub, command) -> None:
    """Raise what handle() would."""
    _checked(hub, command)


def _checked(hub, command):
    """Return the load's number and its calendar, packed."""
    arg = command.arg
    only(arg, ("load",) + _FIELDS)
    number = whole(arg, "load", 1, 4)
    if hub.loads is None:
        raise HubError("NOT_AVAILABLE", "loads")
    hub.loads.check(number)
    if not hub.clock.now():
        raise HubError("CLOCK_INVALID", "clock")
    if len(arg) == 1:
        return number, b""
    document = {"v": 1, "id": "load%d" % number, "currency": "XXX", "kind": "linear", "scale": 0, "round": 0}
    document.update({"interval_s": _INTERVAL_S, "bands": [{"name": name, "price": 0} for name in ("off", "on")]})
    for name in _FIELDS:
        if name in arg:
            document[name] = arg[name]
        elif name in ("zone", "days"):
            raise HubError("MALFORMED", "arg." + name)
    from ..codec import tariff  # noqa: PLC0415 - large, and not wanted to take a calendar away

    return number, tariff.packed(document, "arg")
