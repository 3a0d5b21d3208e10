"""Install, configure, maintain: what the hub is and how it is set, what an administrator changes, how well it is.

Source   ETSI TR 102 691 5.2.4 (UC-02); GBCS ECS52, ECS26m/n (versions, identity), ECS50 (customer id)
Units    seconds, bytes; times are Unix seconds, UTC
Errors   HubError MALFORMED, INVALID_VALUE, NOT_AUTHORISED, WRONG_STATE, OVERSIZED, DISPLAY_FAILED with the field
Runs on  both

  read.firmware_version  {} -> {version, micropython, board}
  read.device_identity   {} -> {hub, key, board, name, state, meters [{name, protocol, serial}], replaced [[what, name,
                         before, now, at, by]]}
  read.capabilities      {} -> what is fitted (registration.capabilities)
  read.settings          {[names: [beginnings of names]]} -> {settings {name: value}, version, hash}   a secret that is
                         set is true; what does not fit into a letter is OVERSIZED "arg.names": ask for less
  set.settings           {[settings: {name: value}] [, state]} -> {changed {name: [old, new]}, version, hash, state,
                         restart}     all of it or nothing; read back from flash. It counts after the restart that
                         follows at once; the answer waits on flash by then.
                         state: the hub's state in its life (registration.STATES)
  read.health            {} -> health.figures
  read.charging          {} -> {used {kid: [letters, bytes, commands, bytes, refused]}}   of who asks; to ADM: all
  diag.run               {[parts: [names]], [loops: 3], [wait_s: 60]} -> pending; {failed [[part, says]], loop, of,
                         fault} when it is over (diagnosis.py)
  hardware.replaced      {what: "meter", name [, before] [, now]} or {what: "hub", before: id of the hub before} -> {}
                         what was recorded of a meter before stays that meter's; the hub introduces itself anew
  send.customer_id       {id: 1..20 characters} -> {}    shown on the display for ten minutes, kept nowhere

An administrator sets all but what decides who may do what and how the hub is reached, which is its owner's:
recipients, events.to, may.*, wan.*, wifi.*. No secret can be set: a command is signed, not sealed.
"""

import json
import sys

from micropython import const

from ..codec import base64url
from ..errors import ConfigError, HubError
from ..store import files, settings, settings_table
from ..store.transaction import Transaction
from ..version import VERSION
from . import Result, fields

_MOST_DATA = const(2900)  # of an answer, as JSON
_SHOWN_S = const(600)
_DETAIL = const(100)
_RECORD = "registration"


def handle(hub, command) -> Result:
    """Carry out one of the commands above."""
    outcome, data = _HANDLERS[command.cmd](hub, command)
    return Result(outcome, data)


# -- what it is ----------------------------------------------------------------------------------------------------


def _version(hub, command):
    fields.only(command.arg, ())
    return "done", {"version": VERSION, "micropython": sys.version.split("; ")[-1], "board": hub.board.name}


def _identity(hub, command):
    fields.only(command.arg, ())
    registration = hub.market.upkeep().registration()
    known = registration.load(hub.record(_RECORD))
    data = {"hub": hub.identity.hub, "key": base64url.encode(hub.identity.public), "board": hub.board.name}
    data.update({"name": hub.settings.get("name"), "state": known["state"], "replaced": known["replaced"]})
    data["meters"] = [{"name": m.name, "protocol": m.protocol, "serial": m.serial} for m in hub.meters]
    return "done", data


def _capabilities(hub, command):
    fields.only(command.arg, ())
    return "done", hub.market.upkeep().registration().capabilities(hub)


# -- settings ------------------------------------------------------------------------------------------------------


def _read_settings(hub, command):
    fields.only(command.arg, ("names",))
    names = command.arg.get("names", [""])
    if not isinstance(names, list) or not 0 < len(names) <= 16 or not all([isinstance(one, str) for one in names]):
        raise HubError("MALFORMED", "arg.names")
    shown = settings_table.masked(hub.settings.all())
    found = {name: value for name, value in shown.items() if any([name.startswith(one) for one in names])}
    registration = hub.market.upkeep().registration()
    version, digest = registration.settings_version(hub, registration.load(hub.record(_RECORD)))
    data = {"settings": found, "version": version, "hash": digest}
    if sum([len(name) + len(json.dumps(value)) + 6 for name, value in found.items()]) > _MOST_DATA:
        raise HubError("OVERSIZED", "arg.names")
    return "done", data


def _set_settings(hub, command):
    fields.only(
        command.arg,
        (
            "settings",
            "state",
        ),
    )
    given = command.arg.get("settings", {})
    if not isinstance(given, dict) or not command.arg:
        raise HubError("MALFORMED", "arg.settings")
    before = hub.settings.all()
    values = _checked(before, given)
    registration = hub.market.upkeep().registration()
    record = hub.record(_RECORD)
    known = registration.load(record)
    registration.settings_version(hub, known)  # of what was changed through the cable
    changed = sorted([name for name in values if values[name] != before[name]])
    state = _new_state(registration, known, command)
    version, digest = registration.settings_version(hub, known, values)
    known["state"] = state
    change = Transaction(hub.board.data_dir)
    if changed:
        change.put("settings.json", _document(values))
    change.save(record, json.dumps(known).encode())
    change.commit()
    if changed:
        values = _read_back(hub)
        hub.market.rest()
        hub.restart_soon()
    shown, old = settings_table.masked(values), settings_table.masked(before)
    differences = {name: [old[name], shown[name]] for name in changed}
    _note(hub, command, differences, version)
    if len(json.dumps(differences)) > _MOST_DATA:
        differences = {name: [] for name in changed}
    data = {"changed": differences, "version": version, "hash": digest, "state": state, "restart": bool(changed)}
    return "done", data


def _checked(before, given):
    """Return all settings with those of a partial document in their place; HubError names the first that cannot."""
    try:
        wanted = settings_table.flat(given)
    except ConfigError:
        raise HubError("MALFORMED", "arg.settings")
    for name, value in wanted.items():
        field = "arg.settings." + name[:32]
        if settings_table.is_protected(name) or name.startswith("wifi."):
            raise HubError("NOT_AUTHORISED", field)
        if settings_table.masked({name: value}) != {name: value}:
            raise HubError("INVALID_VALUE", field)  # a secret, which everybody at the broker would read
    values = dict(before)
    values.update(settings_table.filled(wanted, before))
    try:
        return settings_table.checked(values)
    except ConfigError as err:
        raise HubError("INVALID_VALUE", "arg.settings." + err.args[0][:40])


def _new_state(registration, known, command):
    if "state" not in command.arg:
        return known["state"]
    state = fields.one_of(command.arg, "state", registration.STATES)
    if not registration.may_follow(known["state"], state):
        raise HubError("WRONG_STATE", "arg.state")
    return state


def _document(values):
    raw = json.dumps(settings_table.nested(values)).encode()
    if len(raw) > settings.LIMIT:
        raise HubError("OVERSIZED", "arg.settings")
    return raw


def _read_back(hub):
    """Return the settings as flash has them now."""
    raw = files.read(hub.board.data_dir + "/settings.json", settings.LIMIT)
    try:
        return settings_table.checked(settings.parse(raw or b""))
    except ConfigError as err:
        raise HubError("RECORD_FAILED", err.args[0])


def _note(hub, command, differences, version):
    """Journal who has changed what: old and new, without a secret."""
    who = "%d by %s" % (version, command.kid)
    for name, (old, new) in differences.items():
        detail = "%s -> %s" % (json.dumps(old), json.dumps(new))
        hub.journal.add("security", "configured", "%s %s %s" % (who, name, detail if len(detail) < _DETAIL else ""))
    if "state" in command.arg:
        hub.journal.add("security", "configured", "%s state %s" % (who, command.arg["state"]))


# -- how it is -----------------------------------------------------------------------------------------------------


def _health(hub, command):
    fields.only(command.arg, ())
    health = hub.market.upkeep().health()
    return "done", health.figures(hub)


def _charging(hub, command):
    fields.only(command.arg, ())
    health = hub.market.upkeep().health()
    used = health.used(hub)
    if command.role != "ADM":
        used = {kid: sums for kid, sums in used.items() if kid == command.kid}
    return "done", {"used": used}


def _diagnose(hub, command):
    fields.only(
        command.arg,
        (
            "parts",
            "loops",
            "wait_s",
        ),
    )
    diagnosis = hub.market.upkeep().diagnosis()
    parts = command.arg.get("parts", list(diagnosis.PARTS))
    if not isinstance(parts, list) or not 0 < len(parts) <= len(diagnosis.PARTS):
        raise HubError("MALFORMED", "arg.parts")
    for part in parts:
        if part not in diagnosis.PARTS:
            raise HubError("INVALID_VALUE", "arg.parts")
    loops = fields.whole(command.arg, "loops", 1, 10, 3)
    wait_s = fields.whole(command.arg, "wait_s", 1, 86400, 60)
    known = diagnosis.state(hub)
    if known["job"] is not None:
        raise HubError("BUSY", "diagnosis")
    known["job"] = {"kid": command.kid, "ctr": command.ctr, "h": command.h, "parts": parts}
    known["job"].update({"loops": loops, "wait_s": wait_s, "loop": 0})
    diagnosis.save(hub, known)
    hub.market.diagnose()
    return "pending", {"parts": parts, "loops": loops}


# -- what was replaced, and what is shown ----------------------------------------------------------------------------


def _replaced(hub, command):
    fields.only(
        command.arg,
        (
            "what",
            "name",
            "before",
            "now",
        ),
    )
    what = fields.one_of(command.arg, "what", ("meter", "hub"))
    registration = hub.market.upkeep().registration()
    record = hub.record(_RECORD)
    known = registration.load(record)
    if what == "meter":
        name = fields.text(command.arg, "name", 32)
        found = [meter for meter in hub.meters if meter.name == name]
        if not found:
            raise HubError("INVALID_VALUE", "arg.name")
        before = command.arg.get("before", "")
        now = command.arg.get("now", found[0].serial)
        for field, text in (("before", before), ("now", now)):
            if not isinstance(text, str) or len(text) > 40:
                raise HubError("MALFORMED", "arg." + field)
    else:
        name, before, now = hub.settings.get("name"), fields.text(command.arg, "before", 16), hub.identity.hub
    registration.replaced(known, what, name, before, now, hub.clock.now(), command.kid)
    record.save(json.dumps(known).encode())
    hub.journal.add("security", "replaced", "%s %s %s -> %s by %s" % (what, name, before, now, command.kid))
    hub.market.look_again()
    return "done", {}


def _customer_id(hub, command):
    fields.only(command.arg, ("id",))
    text = fields.text(command.arg, "id", 20)
    if hub.settings.get("display.driver") == "none" or not hub.ihd.works:
        raise HubError("DISPLAY_FAILED", "display")
    hub.ihd.notice(("customer id", text), _SHOWN_S)
    return "done", {}


_HANDLERS = {
    "read.firmware_version": _version,
    "read.device_identity": _identity,
    "read.capabilities": _capabilities,
    "read.settings": _read_settings,
    "set.settings": _set_settings,
    "read.health": _health,
    "read.charging": _charging,
    "diag.run": _diagnose,
    "hardware.replaced": _replaced,
    "send.customer_id": _customer_id,
}
