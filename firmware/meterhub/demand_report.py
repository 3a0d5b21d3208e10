"""What an event of demand response has come to: energy in each part of it, and what is usual then.

Source   OpenADR 3.1.0 definitions, reports. Own payload types: EXPORT and NET (energy, kWh).
Units    kWh and kW as decimal texts with three places, from integers; Unix seconds instead of ISO 8601
Memory   the readings of at most 7 moments, and of as many on ten days; loaded for one report
Runs on  both

  {eventID, programID, action: "accept" | "override" | "none", acted: 1 or 0, unsupported: [types],
   payloadDescriptors: [{payloadType, readingType, units}],
   resources: [{resourceName, intervals: [{id, intervalPeriod: {start, duration}, payloads: [{type, values}]}]}]}

At most six parts, each of whole intervals of the profile. An event's BASELINE is the mean of the same part on the five
newest of the ten days before that have it. DATA_QUALITY: MEASURED, PARTIAL or MISSING; what is not known has no USAGE.
"""

from micropython import const

from .codec.load_profile import MEASURED, MISSING
from .demand_desk import ends

_PARTS = const(6)
_DAY_S = const(86400)
_DAYS_BACK = const(10)
_DAYS = const(5)
_IMPORT, _EXPORT = "1-0:1.8.0", "1-0:2.8.0"


def of_event(hub, event):
    """Return the report of an event (demand_desk.py); yields in between."""
    start = min([one[1] + one[3] for one in event["intervals"]])
    both = event["kind"] == "dg"
    parts = yield from _parts(hub, start, ends(event), both, _DAYS_BACK)
    for part in parts:
        inside = [one for one in event["intervals"] if one[1] + one[3] < part["end"]]
        said = inside[-1] if inside else event["intervals"][0]
        if said[4] == "SIMPLE":
            part["payloads"].append({"type": "SIMPLE_LEVEL", "values": [said[5] // 1000]})
        elif said[4][-8:] in ("SETPOINT", "RELATIVE"):
            part["payloads"].append({"type": "SETPOINT", "values": [_kilo(said[5])]})
        state = "ERROR" if event["fault"] else "NORMAL"
        part["payloads"].append({"type": "OPERATING_STATE", "values": [state]})
    data = {"eventID": event["id"], "programID": event["program"], "action": event["action"]}
    data["acted"], data["unsupported"] = event["acted"], event["unknown"]
    names = ["load%d" % number for number in event["loads"]] if event["named"] else []
    return _document(data, ",".join(names) or "premises", parts, both)


def of_range(hub, start: int, stop: int):
    """Return the report of any time, generation included; yields in between."""
    parts = yield from _parts(hub, start, stop, True, 0)
    return _document({}, "premises", parts, True)


def _document(data, name, parts, both):
    descriptors = [("USAGE", "DIRECT_READ", "KWH"), ("BASELINE", "MEAN", "KWH"), ("DEMAND", "AVERAGE", "KW")]
    if both:
        descriptors += [("EXPORT", "DIRECT_READ", "KWH"), ("NET", "SUMMED", "KWH")]
    data["payloadDescriptors"] = [
        {"payloadType": kind, "readingType": reading, "units": units} for kind, reading, units in descriptors
    ]
    intervals = []
    for i, part in enumerate(parts):
        period = {"start": part["start"], "duration": part["end"] - part["start"]}
        intervals.append({"id": i, "intervalPeriod": period, "payloads": part["payloads"]})
    data["resources"] = [{"resourceName": name, "intervals": intervals}]
    return data


def _parts(hub, start, stop, both, days):
    profile = hub.profile
    step = profile.interval_s
    start, stop = start // step * step, -(-stop // step) * step
    width = -(-(stop - start) // step // _PARTS) * step
    marks = []
    at = start
    while at < stop:
        marks.append(at)
        at += width
    marks.append(stop)
    imported, exported = _column(profile, _IMPORT), _column(profile, _EXPORT)
    now = _readings(profile, marks)
    yield
    usual = [[] for _ in marks]
    for day in range(1, days + 1):
        then = _readings(profile, [mark - day * _DAY_S for mark in marks])
        for i in range(len(marks) - 1):
            used = _growth(then[i][0], then[i + 1][0], imported)
            if used is not None and len(usual[i]) < _DAYS:
                usual[i].append(used)
        yield
    parts = []
    for i in range(len(marks) - 1):
        part = {"start": marks[i], "end": marks[i + 1]}
        part["payloads"] = _payloads(now[i], now[i + 1], (imported, exported if both else None), usual[i], part)
        parts.append(part)
    return parts


def _payloads(first, last, columns, usual, part):
    used = _growth(first[0], last[0], columns[0])
    found = []
    if used is not None:
        seconds = part["end"] - part["start"]
        found.append({"type": "USAGE", "values": [_kilo(used)]})
        found.append({"type": "DEMAND", "values": [_kilo((used * 3600 + seconds // 2) // seconds)]})
    if usual:
        found.append({"type": "BASELINE", "values": [_kilo((sum(usual) + len(usual) // 2) // len(usual))]})
    given = _growth(first[0], last[0], columns[1])
    if given is not None:
        found.append({"type": "EXPORT", "values": [_kilo(given)]})
        if used is not None:
            found.append({"type": "NET", "values": [_kilo(used - given)]})
    good = first[1] == MEASURED and last[1] == MEASURED
    quality = "MISSING" if used is None else "MEASURED" if good else "PARTIAL"
    found.append({"type": "DATA_QUALITY", "values": [quality]})
    return found


def _readings(profile, marks):
    """Return [(values or None, quality)] at each of the moments."""
    found = {}
    for entry in profile.read(marks[0], marks[-1]):
        if entry.at in marks and entry.quality != MISSING:
            found[entry.at] = (entry.values, entry.quality)
    return [found.get(mark, (None, MISSING)) for mark in marks]


def _column(profile, obis):
    for i, column in enumerate(profile.columns):
        if column.obis == obis:
            return i
    return None


def _growth(before, after, column):
    """Return what a register has grown by; None when that is not known, or it is another meter's."""
    if column is None or before is None or after is None:
        return None
    if before[column] is None or after[column] is None or after[column] < before[column]:
        return None
    return after[column] - before[column]


def _kilo(value):
    """Return thousandths as a decimal text."""
    return "%s%d.%03d" % ("-" if value < 0 else "", abs(value) // 1000, abs(value) % 1000)
