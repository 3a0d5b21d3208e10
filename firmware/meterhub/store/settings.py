"""The settings in force: one JSON document in a file, every value of it checked before any of it counts.

Source   store/settings_table.py is the list of all settings. A document has "schema": 1; what it leaves out has its
         default. A good document is kept as PATH.good; while PATH holds a bad one, that one is in force.
Memory   the values. The table is loaded to check a document, and can be let go.
Errors   ConfigError (dotted name, what is wrong) for an unknown name or a bad value.
Runs on  both
"""

import json

from micropython import const

from ..errors import ConfigError
from . import files

LIMIT = const(8192)


class Settings:
    """Settings that are known to be good."""

    def __init__(self, values: dict) -> None:
        self._values = values

    def get(self, name: str):
        """Return a setting (int, str, bool, list) by its dotted name; KeyError for one that is not in the table."""
        return self._values[name]

    def all(self) -> dict:
        """Return {dotted name: value} of every setting."""
        return dict(self._values)


def put(transaction, settings: Settings, name: str, value) -> Settings:
    """Put `value` in the place of a setting, in a store.transaction.Transaction; return what counts after its commit.

    The document that is kept as a good one has it, too: what was taken away does not come back with it.
    """
    from . import settings_table  # noqa: PLC0415

    changed = settings.all()
    changed[name] = value
    raw = json.dumps(settings_table.nested(changed)).encode()
    transaction.put("settings.json", raw)
    transaction.put("settings.json.good", raw)
    return Settings(changed)


def load(document: dict) -> Settings:
    """Return the Settings in `document`; ConfigError names the first one that cannot stand."""
    from . import settings_table  # noqa: PLC0415 - 5 KB that are needed at a start only

    return Settings(settings_table.checked(document))


def load_file(path: str) -> "tuple[Settings, ConfigError | None]":
    """Return (settings in force, why the document `path` was refused or None)."""
    raw = _read(path)
    refused = None
    if raw is not None:
        try:
            good = load(parse(raw))
            _keep(path + ".good", raw)
            return good, None
        except ConfigError as err:
            refused = err
    raw = _read(path + ".good")
    try:
        return load({"schema": 1} if raw is None else parse(raw)), refused
    except ConfigError as err:  # a newer firmware wrote it, or flash lost a bit
        return load({"schema": 1}), refused or err


def _read(path):
    """Return a document; an empty one, which will be refused, when flash does not give it."""
    try:
        return files.read(path, LIMIT)
    except OSError:
        return b""


def _keep(path, raw):
    if _read(path) != raw:
        try:
            files.replace(path, raw)
        except OSError:  # the flash is full: the one before is good, too
            pass


def parse(raw: bytes):
    """Return the JSON in `raw`; ConfigError when there is none, or too much of it."""
    if len(raw) > LIMIT:
        raise ConfigError("schema", "the document is longer than %d bytes" % LIMIT)
    try:
        # MicroPython's json nests recursively: a bound on brackets is a bound on its stack
        if raw.count(b"{") + raw.count(b"[") > 48:
            raise ValueError
        return json.loads(raw)
    except (ValueError, UnicodeError):
        raise ConfigError("schema", "is no JSON")
