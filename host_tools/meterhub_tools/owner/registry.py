"""The registry: which hubs the operator has provisioned. One SQLite file, written by `meterhub provision`.

Source   this file is the schema; its version is `user_version`; `application_id` says that the file is ours.
           roots  kid, point (65 bytes), added_at
           hubs   hub id, key (65 bytes), root (kid), name, certificate (compact JWS), seq (the last one used with this
                  hub), board, provisioned_at, note
Units    times are Unix seconds, UTC
Errors   ToolError when the file cannot be opened, is another program's, or of a newer schema.

The website opens it read-only for each question, so that a hub is known there as soon as it is provisioned.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path

from ..errors import ToolError
from . import documents

from meterhub.trust.identity import hub_id  # isort: skip

FILE = "registry.sqlite3"  # in the folder of the keys, unless another one is named
_APPLICATION = 0x6D687562  # "mhub"
_VERSION = 1
_PATIENCE_S = 10
_SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS roots (kid TEXT PRIMARY KEY, point BLOB NOT NULL, added_at INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS hubs (
    hub TEXT PRIMARY KEY, key BLOB NOT NULL, root TEXT NOT NULL REFERENCES roots (kid), name TEXT NOT NULL,
    certificate TEXT NOT NULL, seq INTEGER NOT NULL, board TEXT NOT NULL, provisioned_at INTEGER NOT NULL,
    note TEXT NOT NULL
) STRICT;
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {_VERSION};
COMMIT;
"""
_COLUMNS = "hub, key, root, name, certificate, seq, board, provisioned_at, note"


@dataclass(frozen=True)
class Entry:
    """One hub; the fields are those of the table."""

    hub: str
    key: bytes
    root: str
    name: str
    certificate: str
    seq: int
    board: str
    provisioned_at: int
    note: str


class Registry:
    """An open registry, for one piece of work."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def put(self, entry: Entry, root_point: bytes) -> None:
        """Keep a hub, in the place of what was known of it, and the root that it belongs to."""
        with self._db:
            self._db.execute(
                "INSERT OR IGNORE INTO roots VALUES (?, ?, ?)", (entry.root, root_point, int(time.time()))
            )
            marks = ", ".join("?" * len(astuple(entry)))
            self._db.execute(f"INSERT OR REPLACE INTO hubs ({_COLUMNS}) VALUES ({marks})", astuple(entry))  # noqa: S608

    def hub(self, hub: str) -> Entry | None:
        """Return what is known of a hub, None when it is not in the registry."""
        found = self._db.execute(f"SELECT {_COLUMNS} FROM hubs WHERE hub = ?", (hub,)).fetchone()  # noqa: S608
        return Entry(*found) if found else None

    def hubs(self) -> list[Entry]:
        """Return all hubs, by name."""
        found = self._db.execute(f"SELECT {_COLUMNS} FROM hubs ORDER BY name, hub")  # noqa: S608
        return [Entry(*row) for row in found]

    def why_not(self, hub: str, key: bytes) -> str:
        """Return "" when the hub with this id and key (a point) is one of the operator's; else a few words why not."""
        entry = self.hub(hub)
        if entry is None:
            return "it is not in the registry"
        if entry.key != key or hub_id(key) != hub:
            return "its key is another one than in the registry"
        (point,) = self._db.execute("SELECT point FROM roots WHERE kid = ?", (entry.root,)).fetchone() or (b"",)
        if hub_id(point) != entry.root:
            return "the root that it belongs to is not in the registry"
        try:
            said = documents.check_certificate(entry.certificate, point)
        except ToolError:
            return "its certificate does not verify"
        return "" if (said.hub, said.key) == (hub, key) else "its certificate is another hub's"


@contextlib.contextmanager
def open_for_writing(path: Path) -> Iterator[Registry]:
    """Open the registry, made when there is none."""
    path = path.expanduser()
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ToolError(f"{path}: {error.strerror}; name another file with --registry") from None
    with _opened(path, "rwc") as connection:
        if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            connection.executescript(_SCHEMA)
        _check(path, connection)
        yield Registry(connection)


@contextlib.contextmanager
def open_for_reading(path: Path) -> Iterator[Registry]:
    """Open a registry that is there."""
    path = path.expanduser()
    if not path.is_file():
        raise ToolError(f"{path}: there is no registry; `meterhub provision` makes it, --registry names it")
    with _opened(path, "ro") as connection:
        _check(path, connection)
        yield Registry(connection)


@contextlib.contextmanager
def _opened(path: Path, mode: str) -> Iterator[sqlite3.Connection]:
    """Open the database, and turn what SQLite says into a ToolError."""
    try:
        address = f"{path.absolute().as_uri()}?mode={mode}"
        with contextlib.closing(sqlite3.connect(address, uri=True, timeout=_PATIENCE_S)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise ToolError(f"{path}: {error}; is it a registry of hubs, and yours to use?") from None


def _check(path: Path, connection: sqlite3.Connection) -> None:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != _APPLICATION:
        raise ToolError(f"{path} is not a registry of hubs; name another file with --registry")
    if version != _VERSION:
        raise ToolError(f"{path} has schema {version}, this program knows {_VERSION}; use the newer meterhub")
