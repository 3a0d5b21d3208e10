"""Meter readings: registers as they stand, the profile, days, snapshots, the maximum demand.

Source   ETSI TR 102 691, 5.2.3 (reading data), 5.2.9 (both directions), 5.2.10 (network data); GBCS ECS17, ECS18b,
         ECS20 to 22, ECS37, ECS57, ECS66
Units    Unix seconds, UTC; a value is an integer x 10^scale in `unit` (codes of IEC 62056-6-2 table 4: 30 Wh, 27 W)
Errors   HubError INVALID_VALUE, MALFORMED (arg.NAME); OUT_OF_RANGE for a time that is not kept; NOT_AVAILABLE for what
         is not kept at all; CLOCK_INVALID for a reading that nobody can say the time of; RECORD_FAILED for a register
         while its readings cannot be kept: who is billed by it could never check it; DEVICE_UNREACHABLE for the power
         of a silent meter; RETRIEVE_FAILED when flash has lost something of what was asked for
Runs on  both

Every one of them takes `meter`, a meter's name; without it, it is the household's main meter. Nothing is told from
before the tenancy, or from before the key that asks was in force; nor of a meter that was exchanged.

  read.import_registers, read.export_registers, read.power_now   {} -> {meter: its id, at, quality, registers: [[OBIS,
                         value, unit, scale], ...]}; import: others: [[OBIS, value, unit, scale, at], ...] of the
                         meters behind it (gas, water)
  read.profile_import, read.profile_export, read.profile_reactive, read.daily_consumption
                         {from, to | last_s [, skip]} -> a page (codec/profile_page.py). from, to: 0 for all there is
                         on that side; last_s: the newest so many seconds. A page ends where the answer is full: `next`
                         is the `from` of the one after it. skip 1: damage is no RETRIEVE_FAILED, it is missing.
  read.daily_log         {[skip]} -> {registers: [[OBIS, unit, scale], ...], at: [the newest 31 midnights, UTC, the
                         newest first], quality: a digit for each, readings: [[...] of each register, null where there
                         is none]}
  read.billing_log       {[skip]} -> the same, of the beginnings of the newest 12 billing periods
  read.max_demand        {res: "all" (default), "day", "month", from, to [, skip]} -> {register, unit, scale, since,
                         period: [from_s, to_s], half_hour_s, from, to, start: [when each day or month began], end:
                         [that of its highest half-hour], w: [its average power], quality: a digit for each, next}
  set.max_demand_period  {from_s, to_s}: seconds of the day, UTC, in whole half-hours -> {period}: what
                         read.max_demand looks at from now on
  reset.max_demand       {} -> {since}: what was before does not count any more

Format   record "max-demand": JSON {v 1, since: Unix s or 0, period: [from_s, to_s]}
"""

import json

from micropython import const

from ..codec.load_profile import CLOCK_UNSURE, MEASURED
from ..errors import HubError
from ..hal.epoch import EARLIEST, LATEST
from ..meters.registers import is_total
from . import Result, fields

_END_OF_TIME = 0xFFFFFFFF
_DAY_S = const(86400)
_HALF_HOUR_S = const(1800)
_MOST_REGISTERS = const(20)
_MOST_OTHERS = const(8)
_OFF_S = const(3600)  # a meter's clock that differs by more from a synchronised one is wrong
_DAYS = const(31)
_PERIODS = const(12)
_UNITS = {"Wh": 30, "varh": 32, "W": 27, "var": 29, "m3": 13, "J": 25}
# groups C and D of electricity
_IMPORT = (".1.8.", ".3.8.")
_EXPORT = (".2.8.", ".4.8.")
_REACTIVE = (".3.8.", ".4.8.")
_TOTAL = "1-0:1.8.0"


def handle(hub, command):
    """Carry out one of the commands above; return its Result, or a generator that returns it."""
    if command.cmd not in _COMMANDS:
        raise HubError("UNSUPPORTED", "cmd")
    serve, what = _COMMANDS[command.cmd]
    return serve(hub, command, what)


def _meter(hub, command):
    """Return the meter that was asked for."""
    name = fields.text(command.arg, "meter", 32, "")
    for meter in hub.meters:
        if name in ("", meter.name):
            return meter
    raise HubError("INVALID_VALUE" if name else "NOT_AVAILABLE", "arg.meter" if name else "meter")


def _since(hub, command):
    return max(hub.tenancy.since, command.since)


# -- registers as they stand -------------------------------------------------------------------------------------


def _registers(hub, command, groups):
    fields.only(command.arg, ("meter",))
    meter = _meter(hub, command)
    if "unsaved history" in meter.troubles:
        raise HubError("RECORD_FAILED", "history")
    registers = meter.registers
    codes = [obis for obis in registers.codes() if _is_of(obis, groups) and is_total(registers.reading(obis))]
    data = _told(hub, command, meter, codes)
    if groups is _IMPORT:
        data["others"] = _others(hub, command, meter)
    return Result("done", data)


def _power(hub, command, _):
    fields.only(command.arg, ("meter",))
    meter = _meter(hub, command)
    if meter.is_silent:
        raise HubError("DEVICE_UNREACHABLE", meter.name)
    registers = meter.registers
    codes = [obis for obis in registers.codes() if obis[:4] == "1-0:" and obis.find(".7.") > 0]
    codes = [obis for obis in codes if registers.reading(obis).unit in ("W", "var")]
    return Result("done", _told(hub, command, meter, codes))


def _is_of(obis, groups):
    """Return whether a register is one of electricity in the groups C.D, and of now."""
    return obis[:4] == "1-0:" and "." + obis[4:8] in groups and obis.find(".", 8) < 0


def _told(hub, command, meter, codes):
    """Return what the registers `codes` of a meter say."""
    readings = [meter.registers.reading(obis) for obis in codes[:_MOST_REGISTERS]]
    if not readings:
        raise HubError("NOT_AVAILABLE", "registers")
    at, quality = min([_stamp(hub, meter, reading) for reading in readings])
    if at < _since(hub, command):
        raise HubError("NOT_AVAILABLE", "at")
    rows = [[one.obis, one.value, _UNITS[one.unit], one.scale] for one in readings]
    return {"meter": meter.registers.meter_of(codes[0]), "at": at, "quality": quality, "registers": rows}


def _others(hub, command, meter):
    found = []
    for obis in meter.registers.codes():
        one = meter.registers.reading(obis)
        if obis[:2] != "1-" and is_total(one) and len(found) < _MOST_OTHERS:
            at = _stamp(hub, meter, one)[0]
            if at >= _since(hub, command):
                found.append([obis, one.value, _UNITS[one.unit], one.scale, at])
    return found


def _stamp(hub, meter, reading):
    """Return (at, quality) of a reading; HubError CLOCK_INVALID when neither the meter nor the hub can tell."""
    clock = hub.clock
    now = clock.now()
    heard = now - meter.age_ms // 1000
    at = reading.at
    if at is None or not EARLIEST <= at < LATEST:
        if not now:
            raise HubError("CLOCK_INVALID", "at")
        return heard, MEASURED if clock.state in ("set", "meter") else CLOCK_UNSURE
    if clock.state == "set" and reading.channel == 0 and abs(at - heard) > _OFF_S:
        return heard, CLOCK_UNSURE
    return at, MEASURED


# -- the profile -------------------------------------------------------------------------------------------------


def _look(hub, command, groups):
    """Return (Look, the places of the registers in these groups) at the profile of the meter that was asked for."""
    from ..meters.profile_pages import Look  # noqa: PLC0415 - who asks for a register needs none

    profile = _meter(hub, command).profile
    columns = profile.columns if profile is not None else ()
    places = [i for i, column in enumerate(columns) if _is_of(column.obis, groups)]
    if not places:
        raise HubError("NOT_AVAILABLE", "profile.registers")
    return Look(profile, _since(hub, command), _skip(command)), places


def _skip(command):
    return bool(fields.whole(command.arg, "skip", 0, 1, 0))


def _span(command, look, step_s):
    start, stop = fields.whole(command.arg, "from", 0, LATEST, 0), fields.whole(command.arg, "to", 0, _END_OF_TIME, 0)
    last_s = fields.whole(command.arg, "last_s", 1, LATEST, 0) if "last_s" in command.arg else 0
    if last_s and (start or stop):
        raise HubError("INVALID_VALUE", "arg.last_s")
    return look.span(start, 0 if stop == _END_OF_TIME else stop, last_s, step_s)


def _profile(hub, command, groups):
    fields.only(command.arg, ("meter", "from", "to", "last_s", "skip"))
    look, places = _look(hub, command, groups)
    start, stop = _span(command, look, look.profile.interval_s)
    return _page(look, places, start, stop, False)


def _daily(hub, command, groups):
    fields.only(command.arg, ("meter", "from", "to", "last_s", "skip"))
    look, places = _look(hub, command, groups)
    start, stop = _span(command, look, _DAY_S)
    return _page(look, places, start, stop, True)


def _page(look, places, start, stop, by_day):
    from ..meters import profile_pages  # noqa: PLC0415

    page = profile_pages.days if by_day else profile_pages.intervals
    return Result("done", (yield from page(look, places, start, stop)))


def _snapshots(hub, command, moments_of):
    fields.only(command.arg, ("meter", "skip"))
    look, places = _look(hub, command, (_IMPORT[0]))
    if look.profile.last is None:
        raise HubError("NOT_AVAILABLE", "profile")
    return _read_snapshots(look, places, moments_of(hub, look.profile))


def _read_snapshots(look, places, moments):
    from ..meters import profile_pages  # noqa: PLC0415

    columns = [look.profile.columns[i] for i in places]
    registers = [[column.obis, column.unit, column.scale] for column in columns]
    data = yield from profile_pages.readings(look, places, moments)
    data["registers"] = registers
    return Result("done", data)


def _midnights(_, profile):
    newest = profile.last // _DAY_S * _DAY_S
    return [newest - i * _DAY_S for i in range(_DAYS)]


def _billing_starts(hub, profile):
    """Return when the newest billing periods began: on the first of each month, at local midnight."""
    moments = []
    at = profile.last
    for _ in range(_PERIODS):
        moments.append(hub.zone.month_start(at))
        at = moments[-1] - 1
    return moments


# -- the maximum demand ------------------------------------------------------------------------------------------


def _max_demand(hub, command, groups):
    from ..meters import max_demand  # noqa: PLC0415

    fields.only(command.arg, ("meter", "from", "to", "res", "skip"))
    res = fields.one_of(command.arg, "res", max_demand.RESOLUTIONS, "all")
    kept = _demand_kept(hub)
    look, places = _look(hub, command, groups)
    start, stop = _span(command, look, look.profile.interval_s)
    if start < kept["since"]:
        if command.arg.get("from"):
            raise HubError("OUT_OF_RANGE", "arg.from")
        start = kept["since"]
    if start >= stop:
        raise HubError("NOT_AVAILABLE", "profile")
    place = [i for i in places if look.profile.columns[i].obis == _TOTAL][:1] or places[:1]
    return _peaks(max_demand, look, place[0], start, stop, kept, res)


def _peaks(max_demand, look, place, start, stop, kept, res):
    rows, following = yield from max_demand.rows(look, place, start, stop, kept["period"], res)
    data = {"register": look.profile.columns[place].obis, "unit": _UNITS["W"], "scale": 0, "since": kept["since"]}
    data.update({"period": kept["period"], "half_hour_s": max(_HALF_HOUR_S, look.profile.interval_s)})
    data.update({"from": start, "to": stop, "next": following, "quality": "".join([str(row[3]) for row in rows])})
    for i, name in enumerate(("start", "end", "w")):
        data[name] = [row[i] for row in rows]
    return Result("done", data)


def _demand_kept(hub):
    raw = hub.record("max-demand").load()
    return json.loads(raw) if raw else {"v": 1, "since": 0, "period": [0, _DAY_S]}


def _keep_demand(hub, kept):
    hub.record("max-demand").save(json.dumps(kept).encode())


def _set_period(hub, command, _):
    fields.only(command.arg, ("from_s", "to_s"))
    start = fields.whole(command.arg, "from_s", 0, _DAY_S - _HALF_HOUR_S)
    stop = fields.whole(command.arg, "to_s", _HALF_HOUR_S, _DAY_S)
    if start % _HALF_HOUR_S:
        raise HubError("INVALID_VALUE", "arg.from_s")
    if stop % _HALF_HOUR_S or stop <= start:
        raise HubError("INVALID_VALUE", "arg.to_s")
    kept = _demand_kept(hub)
    before, kept["period"] = kept["period"], [start, stop]
    _keep_demand(hub, kept)
    hub.journal.add("event", "max demand period", "%d-%d -> %d-%d" % (before[0], before[1], start, stop))
    return Result("done", {"period": kept["period"]})


def _reset(hub, command, _):
    fields.only(command.arg, ())
    kept = _demand_kept(hub)
    kept["since"] = hub.clock.now()
    if not kept["since"]:
        raise HubError("CLOCK_INVALID", "unset")
    _keep_demand(hub, kept)
    hub.journal.add("event", "max demand reset", command.kid)
    return Result("done", {"since": kept["since"]})


_COMMANDS = {
    "read.import_registers": (_registers, _IMPORT),
    "read.export_registers": (_registers, _EXPORT),
    "read.power_now": (_power, None),
    "read.profile_import": (_profile, _IMPORT[:1]),
    "read.profile_export": (_profile, _EXPORT[:1]),
    "read.profile_reactive": (_profile, _REACTIVE),
    "read.daily_consumption": (_daily, _IMPORT[:1]),
    "read.daily_log": (_snapshots, _midnights),
    "read.billing_log": (_snapshots, _billing_starts),
    "read.max_demand": (_max_demand, _IMPORT[:1]),
    "set.max_demand_period": (_set_period, None),
    "reset.max_demand": (_reset, None),
}
