"""How well the hub is, and what will fail unless somebody sees to it; who has used how much of it.

Source   ETSI TR 102 691 5.2.4 (end of life, malfunction: the system tells before it fails); its requirement to charge
Units    bytes; seconds; dBm
Memory   2 KB while it is loaded: once an hour, and when somebody asks
Runs on  both

Warnings, each told to the administrator when it begins: "flash" less than a tenth is free, "heap" less than 12 KB,
"link" below -85 dBm, "letters" more than 30 wait, "journal" it could not be written, "clock" nobody tells the time,
"meter NAME" silent, "fault" a diagnosis has failed for good.

Format   the record "charging": JSON {kid: [letters, bytes of them, commands, bytes of them, refused]}, added to once
         an hour: what a power cut takes with it is less than an hour's
"""

import gc
import json

from micropython import const

_LEAST_HEAP = const(12288)
_LEAST_DBM = const(-85)
_MOST_LETTERS = const(30)
_KINDS = ("event", "security", "consent")


def figures(hub) -> dict:
    """Return what read.health answers."""
    gc.collect()
    board = hub.board
    flash_free, flash_size = board.flash()
    told = {"link": board.link() or {}, "wan": hub.model.wan, "trouble": hub.wan.trouble if hub.wan else ""}
    told.update({"flash": [flash_free, flash_size], "heap": gc.mem_free(), "uptime_s": hub.clock.uptime_s()})
    told.update({"reset": board.reset_reason(), "errors": hub.errors, "clock": hub.clock.state})
    told.update({"drift_ppm": hub.clock.drift_ppm, "letters": hub.letters.count()})
    told["journal"] = [hub.journal.end(kind) for kind in _KINDS] + [hub.journal.unwritten, hub.journal.suppressed]
    told["meters"] = [
        {"name": one.name, "age_s": one.age_ms // 1000 if one.telegrams else None, "telegrams": one.telegrams}
        for one in hub.meters
    ]
    raw = hub.record("diagnosis").load()
    told["fault"] = json.loads(raw)["fault"] if raw else []
    told["warnings"] = _warnings(hub, told)
    return told


def _warnings(hub, told):
    free, size = told["flash"]
    found = [
        ("flash", 10 * free < size),
        ("heap", told["heap"] < _LEAST_HEAP),
        ("link", told["link"].get("rssi", 0) < _LEAST_DBM),
        ("letters", told["letters"] > _MOST_LETTERS),
        ("journal", hub.journal.unwritten > 0),
        ("clock", hub.clock.state in ("unset", "kept")),
        ("fault", told["fault"] != []),
    ]
    found += [("meter " + one.name, one.is_silent) for one in hub.meters]
    return [name for name, is_so in found if is_so]


def look(hub, warned: list) -> list:
    """Tell the administrator of each warning that is not among `warned`; return those that last."""
    told = figures(hub)
    for name in told["warnings"]:
        if name not in warned:
            hub.journal.add("event", "warning", name)
            hub.letters.alert("ADM", "HEALTH", 0, name, {"flash": told["flash"], "heap": told["heap"]})
    save(hub)
    return told["warnings"]


# -- what each role has used ---------------------------------------------------------------------------------------


def used(hub) -> dict:
    """Return {kid: [letters, bytes, commands, bytes, refused]}, all that was counted."""
    raw = hub.record("charging").load()
    sums = json.loads(raw) if raw else {}
    for kid, more in hub.letters.used.items():
        sums[kid] = [before + n for before, n in zip(sums.get(kid, (0, 0, 0, 0, 0)), more)]
    return sums


def save(hub) -> None:
    """Keep what was counted since the last time."""
    if not hub.letters.used:
        return
    known = hub.letters.roles()
    kept = {kid: sums for kid, sums in used(hub).items() if hub.letters.entry(kid) is not None or known is None}
    hub.record("charging").save(json.dumps(kept).encode())
    hub.letters.used.clear()
