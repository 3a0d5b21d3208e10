"""A backup of a hub: one .zip with its settings, without secrets, and its history.

Format   manifest.json  {"v": 1, "hub", "name", "board", "version", "at": Unix s, "files": {name: {"size", "sha256"}}}
         settings.json  the settings document; true in the place of a secret that was set
         profile/*.lp   the load profile (firmware/meterhub/store/segment.py); profile-NAME/*.lp: of a further meter
         journal/*.0|1  the journal (firmware/meterhub/store/journal.py)
Errors   ToolError for a file that is no backup, is damaged, or holds anything else.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import firmware  # noqa: F401  (puts the firmware's package on the path)
from ..errors import ToolError

from meterhub.crypto import steps  # isort: skip
from meterhub.store import journal_check  # isort: skip
from meterhub.store.journal import KINDS, Journal  # isort: skip
from meterhub.store.profile import Profile  # isort: skip

_PROFILE = r"profile(-[a-z0-9-]{1,16})?"
_FOLDER = re.compile(f"{_PROFILE}|journal")
_NAME = re.compile(f"{_PROFILE}" + r"/\d{6}[a-z]\.lp|journal/(event|security|consent)\.[01]")
_MOST_BYTES = 1 << 20  # of one file: a month has 10 KB
_MOST_FILES = 6 * 26 * 25 + 6  # six meters
_MANIFEST, _SETTINGS = "manifest.json", "settings.json"
_FACTS = {"v": int, "hub": str, "name": str, "board": str, "version": str, "at": int, "files": dict}


@dataclass
class Backup:
    """What a backup holds. about: the manifest without its files; files: name -> content."""

    about: dict[str, Any]
    settings: dict
    files: dict[str, bytes] = field(repr=False)


def is_folder(name: str) -> bool:
    """Return whether a folder of this name, in the hub's folder, is for its history."""
    return _FOLDER.fullmatch(name) is not None


def is_history(name: str) -> bool:
    """Return whether a file of this name, within the hub's folder, belongs to its history."""
    return _NAME.fullmatch(name) is not None


def save(path: Path, backup: Backup) -> None:
    """Write the backup to `path`, which is not there yet."""
    contents = {_SETTINGS: json.dumps(backup.settings, indent=1).encode(), **backup.files}
    listed = {name: {"size": len(raw), "sha256": sha256(raw)} for name, raw in contents.items()}
    draft = path.with_name(path.name + ".part")
    try:
        if path.exists():
            raise ToolError(f"{path} is there already; name another file, or move it away")
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(_MANIFEST, json.dumps({**backup.about, "v": 1, "files": listed}, indent=1))
            for name, raw in contents.items():
                archive.writestr(name, raw)
        draft.replace(path)
    except OSError as error:
        raise ToolError(f"{path} cannot be written: {error.strerror}") from None


def load(path: Path) -> Backup:
    """Return the backup in `path`, after every file in it was held against the manifest."""
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = _manifest(path, _bounded(archive, _MANIFEST))
            contents = {name: _bounded(archive, name) for name in manifest["files"]}
            strangers = set(archive.namelist()) - contents.keys() - {_MANIFEST}
    except OSError as error:
        raise ToolError(f"{path}: {error.strerror}; a backup is wanted") from None
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError, NotImplementedError, RuntimeError) as error:
        raise ToolError(f"{path} is no backup, or damaged ({error}); nothing was restored") from None
    if strangers:
        raise ToolError(f"{path} holds {min(strangers)!r}, of which its manifest knows nothing; nothing was restored")
    for name, raw in contents.items():
        if manifest["files"][name] != {"size": len(raw), "sha256": sha256(raw)}:
            raise ToolError(f"{path}: {name} is not what was backed up; nothing was restored")
    about = {name: manifest[name] for name in _FACTS if name not in ("v", "files")}
    return Backup(about, _object(path, contents.pop(_SETTINGS)), contents)


def _bounded(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as file:
        raw = file.read(_MOST_BYTES + 1)
    if len(raw) > _MOST_BYTES:
        raise zipfile.BadZipFile(f"{name} is too long")
    return raw


def _manifest(path: Path, raw: bytes) -> dict[str, Any]:
    found = _object(path, raw)
    good = all(isinstance(found.get(name), kind) for name, kind in _FACTS.items()) and found["v"] == 1
    if not good or _SETTINGS not in found["files"] or len(found["files"]) > _MOST_FILES:
        raise ToolError(f"{path} has no manifest of a backup that this program knows; nothing was restored")
    for name in found["files"]:
        if name != _SETTINGS and not is_history(name):
            raise ToolError(f"{path} wants to write {name!r}, which is no history; nothing was restored")
    return found


def _object(path: Path, raw: bytes) -> dict[str, Any]:
    with contextlib.suppress(ValueError):
        found = json.loads(raw)
        if isinstance(found, dict):
            return found
    raise ToolError(f"{path} is no backup of a hub; nothing was restored")


def sha256(raw: bytes) -> str:
    """Return the digest of `raw` in hex."""
    return hashlib.sha256(raw).hexdigest()


# -- what a history says of itself -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reach:
    """How far the main meter's history goes. first, last: Unix s of intervals' ends, 0 for none; entries: how many.

    journal: number of the newest entry of each kind.
    """

    first: int
    last: int
    entries: int
    journal: tuple[int, ...]


class _NoClock:
    @staticmethod
    def now() -> int:
        return 0


def reach(files: dict[str, bytes]) -> Reach:
    """Return how far the history in `files` goes, read by the firmware's own code."""
    with _unpacked(files) as folder:
        profile = Profile(str(folder / "profile"), [])
        journal = Journal(str(folder / "journal"), _NoClock())
        newest = [journal.last(kind, 1) for kind in KINDS]
        numbers = tuple(found[0].seq if found else 0 for found in newest)
        return Reach(profile.first or 0, profile.last or 0, profile.count, numbers)


def journal_in_words(files: dict[str, bytes]) -> str:
    """Return how the journal in `files` stands, as far as can be told without the hub's key."""
    with _unpacked(files) as folder:
        journal = Journal(str(folder / "journal"), _NoClock())
        verdicts = {kind: steps.run(journal_check.check(journal, kind)) for kind in KINDS}
    broken = [f"{kind} {verdict.first}: {verdict.why}" for kind, verdict in verdicts.items() if verdict.breaks]
    entries = sum(verdict.entries for verdict in verdicts.values())
    state = "broken at " + "; ".join(broken) if broken else "no number is missing"
    return f"journal: {entries:,} entries, {state} (only the hub has the key that checks its seals)"


@contextlib.contextmanager
def _unpacked(files: dict[str, bytes]) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="meterhub-backup-") as name:
        folder = Path(name)
        for file, raw in files.items():
            (folder / file).parent.mkdir(exist_ok=True)
            (folder / file).write_bytes(raw)
        yield folder
