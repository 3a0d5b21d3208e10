"""UC-06 and UC-07: demand response and distributed generation, in OpenADR 3's words.

Source   ETSI TR 102 691, 5.2.8 and 5.2.9; OpenADR 3.1.0 definitions (events, reports); GBCS ECS47 (auxiliary loads)
Units    Unix seconds and seconds in the place of ISO 8601; a number that may have decimals is a decimal text ("3.5")
         or an integer, of at most three places, and is kept in thousandths
Errors   HubError MALFORMED, INVALID_VALUE (the argument), EXPIRED (over), CLOCK_INVALID, NOT_AVAILABLE (no such
         switch, no such event), STORE_FULL, RECORD_FAILED, EXECUTE_FAILED; what notices.put() raises
Runs on  both

  dr.event, dg.event  {id: text 1..32, program: text <= 32 or absent, mandatory: bool or absent, target: "premises" or
                      "load1".."load4", or absent: premises, text: <= 160 or absent, intervals: [{id: int or absent,
                      intervalPeriod: {start, duration, randomizeStart or absent}, payloads: [{type, values: [..]}]}]}
                      1 to 4 intervals, each at most a day long, within 30 days; 1 to 4 payloads, of which the first
                      that a switch understands counts. No interval: the event of that id is called off
                      -> pending {event, unsupported: [types], equipment: [what is told of each switch]}, later the
                      household's answer {event, action: accept | override | none | read (of a mandatory one), acted,
                      fault, loads}, and in the end a report (demand_report.py)
  dr.report           {event: id} or {from, to}: at most 31 days -> the same report
  set.aux_level_limit {load: 1..4, percent: 0 or 100, duration_s: 1..86400} -> what is told of the switch
  set.aux_controller_state {load: 1..4, on: bool} -> the same
"""

from ..errors import HubError
from . import Result, asks
from .fields import flag, one_of, only, text, whole

_DAY_S = 86400
_AHEAD_S = 30 * _DAY_S
_RANGE_S = 31 * _DAY_S
_MOST_W = 1000000000
_MOST_INTERVALS = 4
_TARGETS = ("premises", "load1", "load2", "load3", "load4")
# payload type: lowest and highest value in thousandths, and whether only whole numbers are allowed
_SWITCHED = {
    "SIMPLE": (0, 3000, True),
    "CONTROL_LEVEL_OFFSET": (-10000, 10000, True),
    "CONTROL_LEVEL_OFFSET_PERCENT": (-1000, 1000, False),
    "IMPORT_CAPACITY_LIMIT": (0, _MOST_W, False),
    "EXPORT_CAPACITY_LIMIT": (0, _MOST_W, False),
    "DISPATCH_SETPOINT": (-_MOST_W, _MOST_W, False),
    "DISPATCH_SETPOINT_RELATIVE": (-_MOST_W, _MOST_W, False),
}
_SHOWN = ("PRICE", "EXPORT_PRICE", "GHG")
_WORDS = {
    "IMPORT_CAPACITY_LIMIT": "Use at most %s kW",
    "EXPORT_CAPACITY_LIMIT": "Feed in at most %s kW",
    "DISPATCH_SETPOINT": "Set-point %s kW",
    "DISPATCH_SETPOINT_RELATIVE": "Change by %s kW",
    "PRICE": "Price %s",
    "EXPORT_PRICE": "Price you get %s",
    "GHG": "Grid %s g CO2/kWh",
}


def handle(hub, command):
    """Carry out a command; a generator."""
    done = _COMMANDS.get(command.cmd)
    if done is None:
        raise HubError("UNSUPPORTED", "cmd")
    return (yield from done(hub, command))


def decided(hub, notice: dict, decision: str) -> "Result | None":
    """Take the household's decision on a notice: "accept", "override", "none", and "read" where none is wanted."""
    found = hub.extras.demand_desk().decided(notice["kid"], notice["ref"], decision)
    return None if found is None else Result("done", found)


# -- events --------------------------------------------------------------------------------------------------------


def _event(hub, command):
    arg = command.arg
    only(arg, ("id", "program", "mandatory", "target", "text", "intervals"))
    event = {"kind": command.cmd[:2], "id": _named(arg, "id"), "kid": command.kid}
    event["program"] = text(arg, "program", 32, "")
    event["must"] = int(flag(arg, "mandatory", False))
    target = one_of(arg, "target", _TARGETS, "premises")
    event["named"] = int(target != "premises")
    event["loads"] = _loads(hub, target)
    said = text(arg, "text", 160, "")
    now = hub.clock.now()
    if not now:
        raise HubError("CLOCK_INVALID", "clock")
    unknown, shown = [], []
    event["intervals"] = _intervals(hub, arg, now, unknown, shown)
    event["unknown"] = unknown
    yield
    desk = hub.extras.demand_desk()
    if not event["intervals"]:
        if desk.find(command.kid, event["id"]) is None:
            raise HubError("NOT_AVAILABLE", "arg.id")
        desk.add(event)
        _withdraw(hub, command)
        return Result("done", {"event": event["id"], "action": "withdrawn"})
    desk.room(command.kid, event["id"])  # before anybody is told
    notice = asks.of(hub, command, _notice(event, said or "; ".join(shown) or "Please help the grid."))
    desk.add(event, lambda record, raw: hub.notices.put_with(record, raw, notice))  # both, or neither
    equipment = [hub.loads.report(number) for number in event["loads"]]
    return Result("pending", {"event": event["id"], "unsupported": unknown, "equipment": equipment})


def _withdraw(hub, command):
    """Take the event's notice back, unless it is over."""
    try:
        hub.notices.withdraw(hub.notices.find(command.kid, command.arg["id"]))
    except HubError:  # nothing that anybody could see
        pass


def _named(arg, name):
    value = text(arg, name, 32)
    if not value:
        raise HubError("INVALID_VALUE", "arg." + name)
    return value


def _loads(hub, target):
    """Return the numbers of the switches that are meant."""
    if target == "premises":
        return [] if hub.loads is None else list(range(1, hub.loads.count + 1))
    if hub.loads is None:
        raise HubError("NOT_AVAILABLE", "arg.target")
    return [hub.loads.check(int(target[-1]))]


def _intervals(hub, arg, now, unknown, shown):
    """Return the intervals as the desk keeps them; fill the lists of types it does not know, and of words."""
    given = arg.get("intervals")
    if not isinstance(given, list):
        raise HubError("MALFORMED", "arg.intervals")
    if len(given) > _MOST_INTERVALS:
        raise HubError("INVALID_VALUE", "arg.intervals")
    found = [_interval(hub, one, i, unknown, shown) for i, one in enumerate(given)]
    if found and max([one[1] + one[2] + one[3] for one in found]) <= now:
        raise HubError("EXPIRED", "arg.intervals")
    if found and max([one[1] for one in found]) > now + _AHEAD_S:
        raise HubError("INVALID_VALUE", "arg.start")
    return found


def _interval(hub, one, i, unknown, shown):
    only(one, ("id", "intervalPeriod", "payloads"))
    period = one.get("intervalPeriod")
    only(period, ("start", "duration", "randomizeStart"))
    start = whole(period, "start", 1, 1 << 33)
    duration = whole(period, "duration", 1, _DAY_S)
    spread = whole(period, "randomizeStart", 0, _DAY_S, 0)
    if spread:
        shift = int.from_bytes(hub.drbg.read(3), "big") % (spread + 1)
    else:
        shift = 0 if hub.loads is None else hub.loads.offset_s
    payloads = one.get("payloads")
    if not isinstance(payloads, list) or not 0 < len(payloads) <= _MOST_INTERVALS:
        raise HubError("MALFORMED", "arg.payloads")
    kind, value = "", 0
    for payload in payloads:
        only(payload, ("type", "values"))
        name = _named(payload, "type")
        values = payload.get("values")
        if not isinstance(values, list) or len(values) != 1:
            raise HubError("MALFORMED", "arg.values")
        if name in _SWITCHED:
            number = _value(values[0], *_SWITCHED[name])
            if not kind:
                kind, value = name, number
            shown.append(_WORDS.get(name, "Please use less power") % ((values[0],) if name in _WORDS else ()))
        elif name in _SHOWN or name.startswith("ALERT_"):
            shown.append(_words(name, values[0]))
        elif name not in unknown:
            unknown.append(name)
    if not kind:
        shift = 0  # nothing is switched
    return [whole(one, "id", 0, 1 << 30, i), start, duration, shift, kind or "MESSAGE", value]


def _words(name, value):
    if name in _SHOWN:
        return _WORDS[name] % _text_of(_value(value, -_MOST_W, _MOST_W, False))
    return text({"values": value}, "values", 160)


def _value(value, low, high, is_whole):
    """Return thousandths of an integer or a decimal text; a float has lost what it was."""
    if isinstance(value, int) and not isinstance(value, bool):
        thousandths = value * 1000
    elif isinstance(value, str):
        thousandths = _thousandths(value)
    else:
        raise HubError("MALFORMED", "arg.values")
    if not low <= thousandths <= high or (is_whole and thousandths % 1000):
        raise HubError("INVALID_VALUE", "arg.values")
    return thousandths


def _thousandths(value):
    digits = value[1:] if value[:1] == "-" else value
    before, point, after = digits.partition(".")
    if not 0 < len(before) <= 9 or len(after) > 3 or (point and not after):
        raise HubError("INVALID_VALUE", "arg.values")
    if any([c not in "0123456789" for c in before + after]):
        raise HubError("INVALID_VALUE", "arg.values")
    number = int(before) * 1000 + int((after + "000")[:3])
    return -number if digits is not value else number


def _text_of(thousandths):
    text = "%s%d.%03d" % ("-" if thousandths < 0 else "", abs(thousandths) // 1000, abs(thousandths) % 1000)
    return text.rstrip("0").rstrip(".")


def _notice(event, said):
    """Return what the household is shown before anything happens, with a countdown to the event's beginning."""
    intervals = event["intervals"]
    dg = event["kind"] == "dg"
    notice: dict = {"service": "demand", "ref": event["id"], "category": "generation" if dg else "demand"}
    notice.update({"title": "GENERATION" if dg else "SAVE POWER", "text": said[:160]})
    notice["priority"] = 3 if event["must"] else 2
    notice["start"], notice["at"] = 0, min([one[1] + one[3] for one in intervals])
    notice["expiry"] = max([one[1] + one[2] + one[3] for one in intervals])
    notice["answer"] = "" if event["must"] else "override"
    return notice


# -- reports -------------------------------------------------------------------------------------------------------


def _report(hub, command):
    arg = command.arg
    only(arg, ("event", "from", "to"))
    if "event" in arg:
        desk = hub.extras.demand_desk()
        event = desk.find(command.kid, _named(arg, "event"))
        if event is None:
            raise HubError("NOT_AVAILABLE", "arg.event")
        return Result("done", (yield from desk.report(event)))
    start = whole(arg, "from", 1, 1 << 33)
    stop = whole(arg, "to", start + 1, start + _RANGE_S)
    step_s = hub.profile.interval_s
    start = max(start, -(-command.since // step_s) * step_s)  # of its own time alone
    if start >= stop:
        raise HubError("NOT_AVAILABLE", "arg.from")
    return Result("done", (yield from hub.extras.demand_desk().report_range(start, stop)))


# -- single switches -----------------------------------------------------------------------------------------------


def _limit(hub, command):
    arg = command.arg
    only(arg, ("load", "percent", "duration_s"))
    number, percent = whole(arg, "load", 1, 4), whole(arg, "percent", 0, 100)
    duration_s = whole(arg, "duration_s", 1, _DAY_S)
    if percent not in (0, 100):  # a switch is off or on
        raise HubError("INVALID_VALUE", "arg.percent")
    now = hub.clock.now()
    if not now:
        raise HubError("CLOCK_INVALID", "clock")
    loads = _switches(hub)
    loads.check(number)
    if percent:
        loads.release("limit%d" % number)
    else:
        loads.hold(number, now + duration_s, "limit%d" % number, False)
    if (yield from loads.settled(number)) is False:
        loads.release("limit%d" % number)
        raise HubError("EXECUTE_FAILED", "load%d" % number)
    return Result("done", loads.report(number))


def _state(hub, command):
    only(command.arg, ("load", "on"))
    number, on = whole(command.arg, "load", 1, 4), flag(command.arg, "on")
    loads = _switches(hub)
    yield from loads.set_own(number, on)
    return Result("done", loads.report(number))


def _switches(hub):
    if hub.loads is None:
        raise HubError("NOT_AVAILABLE", "loads")
    return hub.loads


_COMMANDS = {
    "dr.event": _event,
    "dg.event": _event,
    "dr.report": _report,
    "set.aux_level_limit": _limit,
    "set.aux_controller_state": _state,
}
