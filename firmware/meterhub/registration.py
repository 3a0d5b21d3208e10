"""A hub introduces itself to its administrator: once when there are keys, and again when something was replaced.

Source   ETSI TR 102 691 5.2.4 (self-registration, start-up data; hardware that is replaced is told)
Memory   3 KB while it looks; loaded at the start, and when keys, meters or settings have changed
Errors   OSError, StoreError as the record has them
Runs on  both

A letter "hello" is put into the letterbox for each administrator (without one: the owner) that was not yet told of
what this hub and its meters are now. Its data:
  event         "keys": the first contact with this administrator; "hardware": it is another hub, board or meter;
                "firmware": it runs another version
  key           the hub's point (65 bytes, base64url): its hash is the hub's id, and it verifies the letter itself
  version, board, name, micropython, state: see below, settings: [version, hash] (settings_version())
  meters        [{name, protocol, serial, registers: [OBIS]}]      replaced: [[what, name, before, now, at, by]] newest
  capabilities  what read.capabilities answers
  wants         "updates": who is told and has newer firmware or settings sends them

Format   JSON in the two-slot record "registration": {state, told: {kid: [hub, board, version, {meter: serial}]},
         config: [version, hash], replaced: [[what, name, before, now, at, by], ...] the newest 8}
"""

import hashlib
import json
import sys

from micropython import const

from .codec import base64url
from .letterbox import EVENT
from .store import settings_table
from .version import VERSION

STATES = (
    "pending",
    "whitelisted",
    "installed",
    "commissioned",
    "suspended",
    "decommissioned",
    "withdrawn",
    "recovery",
)
_AFTER = (  # what a state may be followed by, when an administrator says so
    ("pending", "whitelisted withdrawn"),
    ("whitelisted", "installed withdrawn"),
    ("installed", "commissioned suspended decommissioned withdrawn recovery"),
    ("commissioned", "suspended decommissioned withdrawn recovery"),
    ("suspended", "commissioned decommissioned withdrawn recovery"),
    ("decommissioned", "commissioned withdrawn recovery"),
    ("withdrawn", "pending"),
    ("recovery", "commissioned suspended decommissioned withdrawn"),
)
_RECORD = "registration"
_MOST_REPLACED = const(8)
_MOST_REGISTERS = const(12)


def look(hub) -> None:
    """Tell each administrator what he was not told yet."""
    record = hub.record(_RECORD)
    known = load(record)
    before = json.dumps(known)
    settings_version(hub, known)
    kids = hub.letters.addressees("ADM")
    if known["state"] == "pending" and kids:
        known["state"] = "whitelisted"
    known["told"] = {kid: told for kid, told in known["told"].items() if kid in kids}
    for kid in kids:
        told, now = known["told"].get(kid), _what(hub, known["told"].get(kid))
        if now != told:
            _tell(hub, known, kid, _event(told, now))
            known["told"][kid] = now
            known["state"] = "installed" if known["state"] == "whitelisted" else known["state"]
    if json.dumps(known) != before:
        record.save(json.dumps(known).encode())


def _event(told, now):
    if told is None:
        return "keys"
    return "firmware" if told[:2] + told[3:] == now[:2] + now[3:] else "hardware"


def _what(hub, told):
    """Return what a hello is due for when it changes; a meter that is silent is the one that it was."""
    serials = told[3] if told else {}
    meters = {meter.name: meter.serial or serials.get(meter.name, "") for meter in hub.meters}
    return [hub.identity.hub, base64url.encode(hub.board.unique_id()), VERSION, meters]


def _tell(hub, known, kid, event):
    """Put the hello into the letterbox, unless a power cut has come between that and the record."""
    data = startup(hub, known)
    data["event"] = event
    waiting = hub.letters.find(kid, "hello")
    if waiting is None or _short(waiting) != _short(data):
        hub.letters.post(kid, {"kind": "hello", "data": data}, EVENT)
        hub.journal.add("event", "registered", "%s to %s" % (event, kid))


def _short(data):
    told = [data["event"], data["version"], len(data["replaced"])]
    return told + [[one["name"], one["serial"]] for one in data["meters"]]


def startup(hub, known: dict) -> dict:
    """Return the start-up data."""
    data = {"key": base64url.encode(hub.identity.public), "version": VERSION, "board": hub.board.name}
    data.update({"name": hub.settings.get("name"), "micropython": sys.version.split("; ")[-1]})
    data.update({"state": known["state"], "settings": known["config"], "replaced": known["replaced"][-2:]})
    data["meters"] = [
        {"name": one.name, "protocol": one.protocol, "serial": one.serial, "registers": _registers(one)}
        for one in hub.meters
    ]
    data.update({"capabilities": capabilities(hub), "wants": "updates"})
    return data


def _registers(meter):
    return meter.registers.codes()[:_MOST_REGISTERS]


def capabilities(hub) -> dict:
    """Return what this hub is made of: it does not change while nobody changes the hardware or the settings."""
    board, driver = hub.board, hub.settings.get("display.driver")
    media = ("electricity", "electricity", "", "", "heat cost", "cooling", "heat", "gas", "water", "hot water")
    codes = set([code[:1] for meter in hub.meters for code in meter.registers.codes()])
    fuels = sorted(set([media[int(code)] for code in codes if code.isdigit()]) - {""})
    return {
        "switch": board.has("relay"),
        "display": driver,
        "inputs": [meter.setting.get("input", "") for meter in hub.meters],
        "protocols": sorted(set([meter.protocol for meter in hub.meters])),
        "fuels": fuels,
        "buttons": 2,
        "radio": board.has("radio"),
        "flash": board.flash()[1],
        "profiles": len([meter for meter in hub.meters if meter.profile is not None]),
        "interval_s": hub.settings.get("profile.interval_s"),
        "months": hub.settings.get("profile.months"),
        "roles": "MHC 1",
    }


# -- the record --------------------------------------------------------------------------------------------------


def load(record) -> dict:
    """Return what the record holds."""
    raw = record.load()
    return json.loads(raw) if raw else {"state": "pending", "told": {}, "config": [0, ""], "replaced": []}


def may_follow(state: str, new: str) -> bool:
    """Return whether an administrator may bring a hub from one state into another."""
    return new == state or new in dict(_AFTER)[state].split(" ")


def replaced(known: dict, what: str, name: str, before: str, now: str, at: int, by: str) -> None:
    """Note in `known` that hardware was replaced; the next look() tells."""
    known["replaced"] = known["replaced"][1 - _MOST_REPLACED :] + [[what, name, before, now, at, by]]
    for kid in known["told"]:
        known["told"][kid][1] = ""  # as if it had been another board


def settings_version(hub, known: dict, values: "dict | None" = None) -> list:
    """Return [version, hash] of the settings in force, or of `values`; in `known` the version rises with a change."""
    found = settings_hash(hub.settings.all() if values is None else values)
    if known["config"][1] != found:
        known["config"] = [known["config"][0] + 1, found]
    return known["config"]


def settings_hash(values: dict) -> str:
    """Return the first 9 bytes, base64url, of the SHA-256 over "NAME=VALUE" and a line feed for each setting, sorted.

    VALUE is as JSON writes it without blanks, members sorted; a secret that is set is true.
    """
    shown = settings_table.masked(values)
    digest = hashlib.sha256()
    for name in sorted(shown):
        digest.update((name + "=").encode())
        _feed(digest, shown[name])
        digest.update(b"\n")
    return base64url.encode(digest.digest()[:9])


def _feed(digest, value):
    """Hash a value as JSON writes it without blanks, members sorted, piece by piece."""
    if isinstance(value, dict):
        for i, key in enumerate(sorted(value)):
            digest.update((("," if i else "{") + json.dumps(key) + ":").encode())
            _feed(digest, value[key])
        digest.update(b"}" if value else b"{}")
    elif isinstance(value, list):
        for i, one in enumerate(value):
            digest.update(b"," if i else b"[")
            _feed(digest, one)
        digest.update(b"]" if value else b"[]")
    else:
        digest.update(json.dumps(value).encode())
