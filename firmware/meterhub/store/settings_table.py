"""All settings there are: type, default, what a value may be, which are secret and which are the owner's alone.

Source   this file: _TABLE, and _FORMER for what older firmware knew.
Units    price.*: 1/100000 of the currency's unit for a kWh; *_s: seconds
Errors   ConfigError (dotted name, what is wrong) for an unknown name or a bad value.
Runs on  both
"""

from micropython import const

from ..codec import base64url
from ..codec.timezone import Zone
from ..errors import ConfigError, HubError
from . import meter_settings
from .columns import column_of
from .setting_checks import wrong

_MOST_REGISTERS = const(8)
_MOST_RECIPIENTS = const(8)
_POINT_BYTES = const(65)


def checked(document: dict) -> dict:
    """Return {dotted name: value} of all settings; ConfigError names the first one that cannot stand."""
    given = flat(document)
    schema = given.get("schema")
    if schema != 1:
        newer = isinstance(schema, int) and schema > 1
        raise ConfigError("schema", "is %d, of a newer firmware" % schema if newer else "is not 1")
    values = {}
    for name, kind, default, check in _TABLE:
        value = given.pop(name, default)
        said = wrong(kind, check, value)
        if said:
            raise ConfigError(name, said)
        values[name] = value
    for name in given:
        if name not in _FORMER:
            raise ConfigError(name, "is not a setting")
    values["meters"] = meter_settings.checked(values["meters"])
    if values["events.to"] not in [""] + [one["kid"] for one in values["recipients"]]:
        raise ConfigError("events.to", "is the kid of none of the recipients")
    return values


def masked(values: dict) -> dict:
    """Return the values with true in the place of each secret that is set."""
    shown = {name: (True if value else "") if is_secret(name) else value for name, value in values.items()}
    if "meters" in shown:
        shown["meters"] = meter_settings.masked(shown["meters"])
    return shown


def filled(values: dict, before: dict) -> dict:
    """Return the values, in which a secret may be true: then it is what it was before."""
    kept = {name: before[name] if is_secret(name) and value is True else value for name, value in values.items()}
    if "meters" in kept:
        kept["meters"] = meter_settings.filled(kept["meters"], before["meters"])
    return kept


def is_secret(name: str) -> bool:
    """Return whether the value of a setting is shown to nobody; the secrets of meters: masked()."""
    return name.endswith(".password") or name == "household.pin"


def is_protected(name: str) -> bool:
    """Return whether only the owner of a hub changes a setting: who may do what, through which broker, what is

    switched, and what watches whoever stands before the hub.
    """
    return name in ("recipients", "events.to") or name.partition(".")[0] in ("wan", "may", "supply", "tamper")


def flat(document: dict) -> dict:
    """Return {dotted name: value} of a document, unchecked; ConfigError when it is none."""
    if not isinstance(document, dict):
        raise ConfigError("schema", "is no JSON object")
    out = {}
    _flatten("", document, out)
    return out


def nested(values: dict) -> dict:
    """Return the document that flat() makes `values` of."""
    document = {}
    for name, value in values.items():
        where = document
        parts = name.split(".")
        for part in parts[:-1]:
            where = where.setdefault(part, {})
        where[parts[-1]] = value
    return document


def _flatten(prefix, document, out):
    for key, value in document.items():
        name = prefix + key
        if isinstance(value, dict) and name not in _NAMES:
            _flatten(name + ".", value, out)
        else:
            out[name] = value


# -- checks of single settings: what is wrong, or "" ---------------------------------------------------------


def _zone(value):
    try:
        Zone(value)
    except ConfigError as err:
        return err.args[1]
    return ""


def _registers(value):
    if not 0 < len(value) <= _MOST_REGISTERS:
        return "must have 1 to %d entries" % _MOST_REGISTERS
    try:
        for obis in value:
            column_of(obis)
    except (ValueError, AttributeError):
        return "has an entry that is no OBIS code of a register that totals"
    return "" if len(set(value)) == len(value) else "names a register twice"


def _country(value):
    if not value or (len(value) == 2 and value.isalpha() and value.isupper()):
        return ""
    return "must be two capital letters (ISO 3166), or empty"


def _url(value):
    if value in ("", "cable:"):
        return ""
    scheme, _, rest = value.partition("://")
    host, colon, port = rest.rstrip("/").partition(":")
    if scheme not in ("mqtt", "mqtts") or not host or "/" in rest.rstrip("/"):
        return "must be mqtt://host:port, mqtts://host:port or cable:"
    if colon and not (port.isdigit() and len(port) < 6 and 0 < int(port) < 65536):
        return "has a port that is none"
    return ""


def _tamper_inputs(value):
    good = all([name in ("case", "cover", "terminal", "terminal2", "battery", "magnet") for name in value])
    if not good or len(set(value)) < len(value):
        return "must name each once of case, cover, terminal, terminal2, battery, magnet"
    return ""


def _file_name(value):
    return "must be the name of a file in the hub's folder" if "/" in value or len(value) > 64 else ""


def _pin(value):
    """A PIN as people type it, or what the hub has made of it (trust/household_pin.py)."""
    if not value or (len(value) == 4 and all([c in "0123456789" for c in value])):
        return ""
    return "" if value.startswith("h1.") and len(value) == 46 else "must be four digits, or empty"


def _recipients(value):
    if len(value) > _MOST_RECIPIENTS:
        return "must have at most %d entries" % _MOST_RECIPIENTS
    kids = set()
    for one in value:
        if not isinstance(one, dict) or sorted(one) != ["key", "kid", "name"]:
            return "has an entry that is not {kid, name, key}"
        for field, most in (("kid", 64), ("name", 32)):
            if not isinstance(one[field], str) or not 0 < len(one[field]) <= most:
                return "has a %s that is not 1 to %d characters" % (field, most)
        if one["kid"] in kids:
            return "names a kid twice"
        kids.add(one["kid"])
        if not _is_point(one["key"]):
            return "has a key that is no public key of 65 bytes, base64url"
    return ""


def _is_point(text):
    try:
        return isinstance(text, str) and len(base64url.decode(text)) == _POINT_BYTES
    except HubError:
        return False


_TABLE = (  # name, type, default, check: (low, high) of a number or a text's length, (choices), function or None
    ("schema", int, 1, (1, 1)),
    ("name", str, "meterhub", (1, 32)),
    ("zone", str, "CET-1CEST,M3.5.0,M10.5.0/3", _zone),
    ("currency", str, "EUR", ("EUR", "GBP", "USD", "CHF", "SEK", "NOK", "DKK", "HUF", "CZK", "PLN")),
    ("price.import_e5", int, 0, (0, 100000000)),
    ("price.export_e5", int, 0, (0, 100000000)),
    ("meters", list, [], None),  # meter_settings.py
    ("profile.registers", list, ["1-0:1.8.0", "1-0:2.8.0"], _registers),
    ("profile.interval_s", int, 1800, (900, 1800, 3600)),
    ("profile.months", int, 13, (1, 24)),
    ("display.driver", str, "ssd1306", ("ssd1306", "sh1106", "hd44780", "max7219", "tm1637", "none")),
    ("display.address", int, 0, (0, 127)),  # 0: the driver's default
    ("household.pin", str, "", _pin),  # "": the buttons decide without one
    ("wifi.ssid", str, "", (0, 32)),
    ("wifi.password", str, "", (0, 63)),
    ("wifi.country", str, "", _country),
    ("wan.url", str, "", _url),
    ("wan.user", str, "", (0, 64)),
    ("wan.password", str, "", (0, 128)),
    ("wan.ca", str, "", _file_name),
    ("wan.server_name", str, "", (0, 255)),
    ("recipients", list, [], _recipients),
    # the kid of the recipient that may do more than ask; "": the owner's root alone
    ("may.time", str, "", (0, 64)),  # tell the time
    ("may.history", str, "", (0, 64)),  # ask for what was before that
    ("may.notices", str, "", (0, 64)),  # show what the household is shown, and take its decisions
    ("time.ntp", str, "", (0, 128)),  # a server's name; "": none is asked
    ("supply.switch", bool, False, None),  # a contactor is wired to the pins `supply` (supply.py)
    ("supply.loads", int, 0, (0, 4)),  # so many load switches are wired (loads.py)
    ("supply.offset_s", int, 600, (0, 1799)),  # limit of the randomised offset at which loads are switched
    ("display.medium_w", int, 2300, (1, 100000)),  # the page NOW, until a supplier says otherwise
    ("display.high_w", int, 4600, (1, 100000)),
    ("outage.heartbeat_s", int, 10, (10, 600)),
    ("voltage.watch", bool, False, None),  # voltage_watch.py
    ("tamper.watch", bool, False, None),  # tamper_watch.py
    ("tamper.inputs", list, [], _tamper_inputs),  # contacts of pins.json: "magnet" closes, the others open
    ("tamper.no_export", bool, False, None),  # nothing is fed in here: export is a meter that was turned round
    ("tamper.failed", int, 10, (3, 100)),  # so many failed authentications in an hour
    ("events.to", str, "", (0, 64)),  # the kid of the recipient that is told of events (events.py); "": nobody
)
_NAMES = [row[0] for row in _TABLE]
_FORMER = ("may.outage", "may.tenancy")  # in documents of older firmware: read over, they say nothing any more
