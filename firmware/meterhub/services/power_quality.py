"""UC-04, monitor power quality: read.power_quality, read.voltage_log, read.voltage_config, and what changes these.

Source   ETSI TR 102 691, 5.2.6; what is judged: meters/voltage.py
Units    mV, dv: 0.1 V, s; Unix seconds
Errors   HubError NOT_AVAILABLE where the setting `voltage.watch` is false, INVALID_VALUE and MALFORMED (arg.NAME),
         RETRIEVE_FAILED with the file and the byte, RECORD_FAILED
Runs on  both

read.power_quality   what: list of _PARTS (all), from, to -> {phases, at} and of each part, a value for each phase:
                         now {mv, ma, pf_e3, mhz}: what the meter tells, null for what it does not; age_s
                         limits {name: [1 while it lasts]}, counters {name: [times]}
                         week [start, [numbers]...], weeks: of the newest eight, those that overlap from..to. The
                         numbers of a phase: means, within 10 %, within +10 % -15 %, in the British band, lowest and
                         highest mean (mV), verdict 1, 0, -1 (no means). A full week has 1008 means.
                         interruptions: from the outage log, [n, start, end, phases], those that overlap from..to
                         meter {sags, swells}: what the meter has counted itself
read.voltage_log     from, to, skip -> {period_s, phases, rows: [[end, dv, percent, dv, percent, ...]], next, damaged}.
                     dv is null where nothing was measured; a period without a row was not measured at all. A page ends
                     where the period or the phases change; `next` is the `from` of the next page, 0 after the last.
                     Damage in what was asked for is RETRIEVE_FAILED, unless skip is 1: then the rest is told.
read.voltage_config  -> {config}
set.voltage_config   any of the config -> {config}: all that is in force then
reset.voltage_counters  -> {counters}: as they were
"""

import json

from ..errors import HubError, StoreError
from ..meters import voltage
from . import Result, span

_PARTS = ("now", "limits", "counters", "week", "weeks", "interruptions", "meter")
_RANGES = {
    "average_period_s": (60, 86400),
    "average_over_mv": (1000, 500000),
    "average_under_mv": (1000, 500000),
    "extreme_over_mv": (1000, 500000),
    "extreme_over_s": (1, 3600),
    "extreme_under_mv": (1000, 500000),
    "extreme_under_s": (1, 3600),
    "swell_mv": (1000, 500000),
    "swell_s": (1, 3600),
    "sag_mv": (1000, 500000),
    "sag_s": (1, 3600),
    "nominal_mv": (50000, 400000),
    "gb_band": (0, 1),
}
_PAIRS = (("average_under_mv", "average_over_mv"), ("extreme_under_mv", "extreme_over_mv"), ("sag_mv", "swell_mv"))


def handle(hub, command) -> Result:
    """Carry out a command of this module."""
    if hub.voltage is None:
        raise HubError("NOT_AVAILABLE", "voltage.watch")
    return span.chosen(_COMMANDS, command)(hub, command)


# -- reading -----------------------------------------------------------------------------------------------------


def _read_quality(hub, command):
    arg = command.arg
    span.only(arg, ("what", "from", "to"))
    start, stop = span.asked(command)
    parts = arg.get("what", list(_PARTS))
    if not isinstance(parts, list) or not parts or any([part not in _PARTS for part in parts]):
        raise HubError("INVALID_VALUE", "arg.what")
    watch = hub.voltage
    answer = {"phases": _phases(watch.in_use), "at": hub.clock.now()}
    for part in parts:
        answer[part] = _READ[part](hub, watch, start, stop)
    return Result("done", answer)


def _phases(in_use):
    return [i + 1 for i in range(voltage.PHASES) if in_use & 1 << i]


def _used(watch):
    return [watch.phases[i - 1] for i in _phases(watch.in_use)]


def _now(_, watch, *__):
    meter = watch.meter
    if meter is None:
        return {}
    places = [20 * i for i in _phases(watch.in_use)]
    value = meter.registers.value
    said = {"mv": [value("1-0:%d.7.0" % (12 + place), -3) for place in places]}
    said["ma"] = [value("1-0:%d.7.0" % (11 + place), -3) for place in places]
    said["pf_e3"] = [value("1-0:%d.7.0" % (13 + place), -3) for place in places]
    said["mhz"] = value("1-0:14.7.0", -3)
    said["age_s"] = meter.age_ms // 1000
    return said


def _limits(_, watch, *__):
    names = [(i, row[0]) for i, row in enumerate(voltage.FUNCTIONS)] + [(voltage.INTERRUPTED, "interrupted")]
    return {name: [int(phase.is_active(i)) for phase in _used(watch)] for i, name in names}


def _counters(_, watch, *__):
    return {row[0]: [phase.counters[i] for phase in _used(watch)] for i, row in enumerate(voltage.FUNCTIONS)}


def _week(_, watch, *__):
    return [watch.week] + [_judged(phase.week, watch) for phase in _used(watch)]


def _judged(week, watch):
    return list(week) + [voltage.verdict(week, watch.config["gb_band"])]


def _weeks(hub, watch, start, stop):
    try:
        weeks = voltage.unpack_weeks(hub.strict_record("voltage-weeks").load() or b"")
    except StoreError as err:
        raise HubError("RETRIEVE_FAILED", err.args[0].split("/")[-1])
    weeks = [week for week in weeks if start < week[0] + voltage.WEEK_S and week[0] <= stop]
    return [[week[0], _phases(week[1])] + [_judged(one, watch) for one in week[2]] for week in weeks]


def _interruptions(hub, _, start, stop):
    try:
        found = hub.outages.in_log(lambda log: log.newest(hub))
    except StoreError as err:
        raise HubError("RETRIEVE_FAILED", err.args[0].split("/")[-1])
    found = [one for one in found if one["start"] <= stop and start <= one["end"]]
    return [[one["n"], one["start"], one["end"], one["phases"]] for one in found]


def _of_meter(_, watch, *__):
    if watch.meter is None:
        return {}
    value = watch.meter.registers.value
    places = [12 + 20 * i for i in _phases(watch.in_use)]
    return {
        name: [value("1-0:%d.%d.0" % (place, code)) for place in places]
        for name, code in (("sags", 32), ("swells", 36))
    }


_READ = {
    "now": _now,
    "limits": _limits,
    "counters": _counters,
    "week": _week,
    "weeks": _weeks,
    "interruptions": _interruptions,
    "meter": _of_meter,
}


def _read_log(hub, command):
    arg = command.arg
    span.only(arg, ("from", "to", "skip"))
    start, stop = span.asked(command)
    skips = span.whole(arg, "skip", 0, 1, 0)
    log = hub.voltage.log
    before = log.damaged
    kind = [0, 0, 0]
    try:
        rows, following = span.page(_rows(log.read(start, stop), kind))
    except OSError as err:
        raise HubError("RETRIEVE_FAILED", "voltage log %s" % (err.args[:1],))
    damaged = log.damaged - before
    if damaged and not skips:
        raise HubError("RETRIEVE_FAILED", log.wrong)
    answer = {"period_s": kind[0], "phases": _phases(kind[1]), "rows": rows, "damaged": damaged}
    answer["next"] = following[0] if following else kind[2]
    return Result("done", answer)


def _rows(entries, kind):
    """Generate rows of one period and phases, which go into `kind`; then the end of the first that is of others."""
    for end, period_s, phases, means, covered in entries:
        row = [end]
        for mean, percent in zip(means, covered):
            row.extend((mean, percent))
        if not kind[0]:
            kind[0], kind[1] = period_s, phases
        elif kind[0] != period_s or kind[1] != phases:
            kind[2] = end
            return
        yield row


def _read_config(hub, command):
    span.only(command.arg, ())
    return Result("done", {"config": hub.voltage.config})


# -- changing ----------------------------------------------------------------------------------------------------


def _set_config(hub, command):
    arg = command.arg
    if not arg:
        raise HubError("MALFORMED", "arg")
    span.only(arg, tuple(_RANGES))
    config = dict(hub.voltage.config)
    for name in arg:
        config[name] = span.whole(arg, name, *_RANGES[name])
    if 86400 % config["average_period_s"]:
        raise HubError("INVALID_VALUE", "arg.average_period_s")
    for low, high in _PAIRS:
        if config[low] >= config[high]:
            raise HubError("INVALID_VALUE", "arg." + (low if low in arg else high))
    if config["extreme_under_mv"] <= voltage.interrupted_mv(config):
        raise HubError("INVALID_VALUE", "arg.extreme_under_mv" if "extreme_under_mv" in arg else "arg.nominal_mv")
    try:
        hub.voltage.config_record.save(json.dumps(config).encode())
    except OSError as err:
        raise HubError("RECORD_FAILED", "voltage %s" % (err.args[:1],))
    hub.voltage.configure()
    return Result("done", {"config": hub.voltage.config})


def _reset_counters(hub, command):
    span.only(command.arg, ())
    watch = hub.voltage
    before = _counters(hub, watch)
    kept = [phase.counters for phase in watch.phases]
    for phase in watch.phases:
        phase.counters = [0] * len(voltage.FUNCTIONS)
    try:
        watch.save()
    except OSError as err:
        for phase, counters in zip(watch.phases, kept):
            phase.counters = counters
        raise HubError("RECORD_FAILED", "voltage %s" % (err.args[:1],))
    return Result("done", {"counters": before})


_COMMANDS = {
    "read.power_quality": _read_quality,
    "read.voltage_log": _read_log,
    "read.voltage_config": _read_config,
    "set.voltage_config": _set_config,
    "reset.voltage_counters": _reset_counters,
}
