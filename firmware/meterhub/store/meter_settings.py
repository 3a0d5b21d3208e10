"""The setting `meters`: one entry for each meter, checked key by key. The first one is the household's main meter.

Source   this file: _KEYS. An entry has `protocol` and `input`; what else it may have depends on the protocol:
         name         what the hub calls it: 1 to 16 of a-z 0-9 -, each once                  (the protocol)
         baud         0: the protocol's own; of a mode C meter the most that the head can do  (0)
         format       "7E1"; "": the protocol's own                                           ("")
         inverted     the receiver's input is inverted                                        (true for P1's socket)
         base_offset_s  what the meter's winter time is ahead of UTC by                       (3600)
         key, auth_key  32 hex digits, of meters that encrypt                                 (none)
         address      iec62056: the device; mbus: 0 to 250, or a secondary address of 8 or 16 digits; modbus: the unit
         every_s      how often a polled meter is read; iec62056: 0 for one that sends unasked (60; modbus: 10)
         map          modbus: "sdm120", "sdm630", or the name of a file in the hub's folder
         registers    iec62056: read only these, one by one: "1.8.0 2.8.0"                    ("": the whole readout)
         password     iec62056: of the programming mode, where the meter wants one            (none)
         imp, unit, start, min_ms, register  pulse: impulses per unit (1000), "kWh", "m3" or "l" ("kWh"), the register
                      before the first pulse in Wh or litres (0), the shortest pulse in ms (10), the register's OBIS
                      code ("": imported energy, or cold water)
         save_s       how often what it has told last is saved against a power cut                    (10)
         save_pulses  pulse: and only once so many are not saved yet                                  (10)
         registers_kept  of a further meter: the totals whose history is kept, by their OBIS codes  (none)
         Meters on one bus have the same input: mbus or modbus, with different addresses.
Errors   ConfigError ("meters.NAME.KEY", what is wrong)
Runs on  both
"""

from micropython import const

from ..errors import ConfigError
from .columns import column_of
from .setting_checks import wrong

_MOST = const(6)
_MOST_KEPT = const(8)
_LETTERS = const("abcdefghijklmnopqrstuvwxyz0123456789-")
_HEX = const("0123456789abcdefABCDEF")
_SECRETS = const(("key", "auth_key", "password"))
_PUSHED = const("p1 sml dlms iec62056 auto")
_POLLED = const("iec62056 mbus modbus")
_BUSES = const(("mbus", "modbus"))
_PROTOCOLS = const(("p1", "iec62056", "sml", "dlms", "mbus", "modbus", "pulse", "auto"))
_BAUDS = const((0, 300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200))


def checked(entries: list) -> list:
    """Return the entries, each with its name; ConfigError names the first thing that cannot stand."""
    if not isinstance(entries, list):
        raise ConfigError("meters", "is no list")
    if len(entries) > _MOST:
        raise ConfigError("meters", "must have at most %d entries" % _MOST)
    found = []
    for number, entry in enumerate(entries):
        where = "meters.%s." % _label(entry, number)
        if not isinstance(entry, dict):
            raise ConfigError(where[:-1], "is no object")
        _check(where, entry)
        named = dict(entry)
        named.setdefault("name", entry["protocol"])
        for other in found:
            _check_beside(where, named, other)
        found.append(named)
    return found


def masked(entries):
    """Return the entries with true in the place of each secret."""
    if not isinstance(entries, list):
        return entries
    dicts = [entry if isinstance(entry, dict) else {} for entry in entries]
    return [_with_secrets(e, {key: True for key in _SECRETS if d.get(key)}) for e, d in zip(entries, dicts)]


def filled(entries, before: list):
    """Return the entries, in which a secret may be true: then it is that of the meter of this name before."""
    if not isinstance(entries, list):
        return entries
    found = []
    for entry in entries:
        if isinstance(entry, dict):
            name = entry.get("name", entry.get("protocol"))
            own = ([one for one in before if one["name"] == name] or [{}])[0]
            kept = [key for key in _SECRETS if entry.get(key) is True and key in own]
            entry = _with_secrets(entry, {key: own[key] for key in kept})  # noqa: PLW2901 - the same, complete
        found.append(entry)
    return found


def _with_secrets(entry, secrets):
    if not isinstance(entry, dict):
        return entry
    entry = dict(entry)
    entry.update(secrets)
    return entry


def _label(entry, number):
    """Return what an entry is called in an error: its name if that is one, else where it stands."""
    name = entry.get("name", entry.get("protocol")) if isinstance(entry, dict) else None
    return name if isinstance(name, str) and not _name(name) else str(number + 1)


def _check(where, entry):
    protocol = entry.get("protocol")
    if protocol not in _PROTOCOLS:
        raise ConfigError(where + "protocol", "must be one of " + ", ".join(_PROTOCOLS))
    for key in ("input",) + (("map",) if protocol == "modbus" else ()):
        if key not in entry:
            raise ConfigError(where + key, "is missing")
    for key, value in entry.items():
        rule = _KEYS.get(key)
        if rule is None:
            raise ConfigError(where + str(key)[:32], "is not a setting")
        protocols, kind, check = rule
        if protocols and protocol not in protocols.split():
            raise ConfigError(where + key, "does not go with " + protocol)
        said = wrong(kind, check, value)
        if not said and key == "address":
            said = _address(protocol, value)
        if not said and key == "every_s" and not value and protocol != "iec62056":
            said = "must be at least 1"
        if said:
            raise ConfigError(where + key, said)


def _check_beside(where, entry, other):
    if entry["name"] == other["name"]:
        raise ConfigError(where + "name", "is that of another meter")
    if entry["input"] != other["input"] or (entry["protocol"] == "pulse") != (other["protocol"] == "pulse"):
        return
    if entry["protocol"] != other["protocol"] or entry["protocol"] not in _BUSES:
        raise ConfigError(where + "input", "is that of another meter")
    if entry.get("address", "") == other.get("address", ""):
        raise ConfigError(where + "address", "is that of another meter on the bus")


# -- checks of single keys: what is wrong, or "" -------------------------------------------------------------------


def _name(value):
    good = 0 < len(value) <= 16 and all([letter in _LETTERS for letter in value])
    return "" if good else "must be 1 to 16 of a-z, 0-9 and -"


def _input(value):
    return "" if 0 < len(value) <= 16 else "must be the name of an input in pins.json"


def _key(value):
    good = len(value) == 32 and all([digit in _HEX for digit in value])
    return "" if good else "must be 32 hex digits"


def _address(protocol, value):
    number = int(value) if value.isdigit() and len(value) < 4 else -1
    if protocol == "modbus":
        return "" if 0 < number < 248 else "must be 1 to 247"
    if protocol == "mbus":
        digits = len(value) in (8, 16) and all([digit in _HEX for digit in value])
        return "" if digits or 0 <= number <= 250 else "must be 0 to 250, or a secondary address of 8 or 16 digits"
    good = len(value) <= 32 and all([letter.lower() in _LETTERS[:-1] + " " for letter in value])
    return "" if good else "must be at most 32 letters and digits"


def _codes(value):
    good = len(value) <= 200 and all([letter in "0123456789.:*-CFLPcflp " for letter in value])
    return "" if good else "must be codes such as 1.8.0 with blanks between them"


def _password(value):
    good = len(value) <= 32 and all([32 < ord(letter) < 127 and letter not in "()/!" for letter in value])
    return "" if good else "must be at most 32 letters, digits and signs without brackets"


def _file_name(value):
    return "must be sdm120, sdm630 or a file in the hub's folder" if "/" in value or not 0 < len(value) <= 64 else ""


def _totals(value):
    if len(value) > _MOST_KEPT or len(set([str(obis) for obis in value])) < len(value):
        return "must have at most %d entries, each once" % _MOST_KEPT
    try:
        for obis in value:
            column_of(obis)
    except (ValueError, AttributeError, TypeError):
        return "has an entry that is no OBIS code of a register that totals"
    return ""


def _register(value):
    return "is no OBIS code of a register that totals" if value and _totals([value]) else ""


_KEYS = {  # key: the protocols that it goes with ("": all), type, check
    "name": ("", str, _name),
    "protocol": ("", str, _PROTOCOLS),
    "input": ("", str, _input),
    "baud": ("p1 sml dlms iec62056 mbus modbus", int, _BAUDS),
    "format": ("p1 sml dlms iec62056 modbus", str, ("", "8N1", "7E1", "8E1", "8O1", "8N2")),
    "inverted": (_PUSHED + " " + _POLLED, bool, None),
    "base_offset_s": (_PUSHED + " mbus", int, (-43200, 50400)),
    "key": ("p1 dlms auto", str, _key),
    "auth_key": ("p1 dlms auto", str, _key),
    "address": (_POLLED, str, None),
    "every_s": (_POLLED, int, (0, 86400)),
    "map": ("modbus", str, _file_name),
    "registers": ("iec62056", str, _codes),
    "password": ("iec62056", str, _password),
    "imp": ("pulse", int, (1, 100000)),
    "unit": ("pulse", str, ("kWh", "m3", "l")),
    "start": ("pulse", int, (0, 1 << 40)),
    "min_ms": ("pulse", int, (1, 1000)),
    "register": ("pulse", str, _register),
    "save_s": ("", int, (10, 3600)),
    "save_pulses": ("pulse", int, (1, 1000)),
    "registers_kept": ("", list, _totals),
}
