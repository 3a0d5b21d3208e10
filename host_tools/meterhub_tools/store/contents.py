"""What a hub's folder holds, read with the firmware's own code: its history, its journal, what its meters told last.

Nothing secret comes out: of records that hold keys only their size, of the settings none of their secrets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from .. import firmware  # noqa: F401  (puts the firmware's package on the path)

from meterhub.codec.load_profile import QUALITY  # isort: skip
from meterhub.errors import StoreError  # isort: skip
from meterhub.store import segment, settings, settings_table  # isort: skip
from meterhub.store.columns import column_of  # isort: skip
from meterhub.store.journal import KINDS, Journal  # isort: skip
from meterhub.store.kept import Kept  # isort: skip
from meterhub.store.last import LastValues  # isort: skip
from meterhub.store.record import Record  # isort: skip
from meterhub.store.voltage_log import VoltageLog  # isort: skip

_MOST_ENTRIES = 100_000
_UNITS = {30: "Wh", 13: "m3", 32: "varh"}
_KINDS = (
    (r"\.bad\d?(/|$)", "set aside: damaged"),
    (r"\.new$", "left by a power cut"),
    (r"^profile(-[^/]+)?/\d{6}[a-z]\.lp$", "load profile"),
    (r"^journal/", "journal"),
    (r"^voltage/\d{8}\.vl$", "voltage log"),
    (r"^last/", "last values of a meter"),
    (r"^settings\.json", "settings"),
    (r"\.[01]$", "record"),
)
Damage = list[str]


class Value(NamedTuple):
    """One register at the end of one interval."""

    file: str
    at: int
    quality: str
    obis: str
    meter: str
    value: int | None
    scale: int
    unit: str


def kinds_of_files(folder: Path) -> Iterator[tuple[str, int, str]]:
    """Yield (name, bytes, what it is) of every file."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        yield name, path.stat().st_size, _kind(name)


def _kind(name: str) -> str:
    return next((kind for pattern, kind in _KINDS if re.search(pattern, name)), "other")


def profiles(folder: Path) -> list[str]:
    """Return the names of the folders with load profiles."""
    return sorted(path.name for path in folder.glob("profile*") if path.is_dir() and ".bad" not in path.name)


def values(folder: Path, profile: str, damage: Damage) -> Iterator[Value]:
    """Yield every value of a profile, file by file, whoever's meter it is of; damage is added to."""
    paths = sorted((folder / profile).glob("??????[a-z].lp"))
    expected = _expected(paths)
    for path in paths:
        name = f"{profile}/{path.name}"
        found = segment.Segment(str(path), expected, _teller(damage, name))
        for index in found.records(found.locate(0)):
            read: tuple[int | None, ...] = found.values
            for column, meter, value in zip(found.columns, found.meters, read, strict=True):
                unit = _UNITS.get(column.unit, str(column.unit))
                at = index * found.interval_s
                yield Value(name, at, QUALITY[found.quality], column.obis, meter, value, column.scale, unit)


def _expected(paths: list[Path]) -> bytes:
    """Return the header that files of this profile have, to be tried on one whose own is damaged."""
    default = segment.header([column_of(obis) for obis in ("1-0:1.8.0", "1-0:2.8.0")], 1800)
    for path in reversed(paths):
        found = segment.Segment(str(path), default)
        if not found.damaged:
            return bytes(segment.header(found.columns, found.interval_s, found.meters))
    return bytes(default)


def _teller(damage: Damage, name: str) -> Callable[[int], None]:
    return lambda offset: damage.append(f"{name}: damaged at byte {offset}")


def journal(folder: Path, damage: Damage) -> dict[str, list[dict[str, Any]]]:
    """Return the entries of each kind, oldest first."""
    if not (folder / "journal").is_dir():
        return {}
    found = Journal(str(folder / "journal"), _NoClock())
    told = {}
    for kind in KINDS:
        entries = list(reversed(found.last(kind, _MOST_ENTRIES)))
        for before, entry in pairwise(entries):
            if entry.seq != before.seq + 1:
                damage.append(f"journal/{kind}: between {before.seq} and {entry.seq} entries are missing")
        told[kind] = [{"seq": e.seq, "at": e.at, "name": e.name, "detail": e.detail} for e in entries]
    if found.damaged:
        damage.append("journal: bytes that are no entry")
    return told


def voltages(folder: Path, damage: Damage) -> list[tuple[int, int, list[int | None], list[int]]]:
    """Return the voltage log: end, length, the phases' means in 0.1 V, how much was measured in percent."""
    if not (folder / "voltage").is_dir():
        return []
    found = VoltageLog(str(folder / "voltage"), damage.append)
    return [(end, period_s, list(dv), list(pct)) for end, period_s, _, dv, pct in found.read(0, 0xFFFFFFFF)]


def last_values(folder: Path, damage: Damage) -> dict[str, dict[str, Any]]:
    """Return what each meter has told last."""
    found = {}
    for name in sorted({path.stem for path in (folder / "last").glob("*.[01]")}):
        record = _Record(folder / "last" / name, damage, folder)
        last = LastValues(record, Kept(_NoClock()), name)
        found[name] = {"at": last.at, "pulses": last.pulses, "values": last.values}
    return found


def records(folder: Path, damage: Damage) -> dict[str, int]:
    """Return the size of what each small record holds; the content of most is secret."""
    found = {}
    for path in sorted({path.with_suffix("") for path in folder.glob("*.[01]")}):
        blob = _Record(path, damage, folder).load()
        if blob is not None:
            found[path.name] = len(blob)
    return found


def settings_in_force(folder: Path, damage: Damage) -> dict[str, Any]:
    """Return the settings without their secrets."""
    try:
        found, refused = settings.load_file(str(folder / "settings.json"))
    except OSError as error:
        damage.append(f"settings.json: {error.strerror}")
        return {}
    if refused is not None:
        damage.append("settings.json: {} {}".format(*refused.args))
    return dict(settings_table.nested(settings_table.masked(found.all())))


class _Record(Record):
    """A record whose damage is told and counts as nothing."""

    def __init__(self, path: Path, damage: Damage, folder: Path) -> None:
        self._damage = damage
        self._name = path.relative_to(folder).as_posix()
        super().__init__(str(path), tell=lambda detail: damage.append(Path(detail).name))

    def load(self) -> bytes | None:
        try:
            return super().load()
        except StoreError:
            self._damage.append(f"{self._name}: no whole slot")
            return None


class _NoClock:
    """A board that knows no time and keeps nothing."""

    def now(self) -> int:
        return 0

    def keep(self, _: bytes) -> bool:
        return False

    def kept(self) -> bytes:
        return b""
