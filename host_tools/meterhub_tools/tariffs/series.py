"""Energy by intervals: what the website, `meterhub proof` or `meterhub store dump` has saved, or end,wh[,export_wh].

Units    Unix seconds; Wh
Errors   ToolError names the file, and the line

A file's first line names its columns. The end of an interval is in `interval_end_utc` (2026-01-01T00:30:00Z),
`end_unix_s`, `at` or `end` (either form). Energy is in `wh` and `export_wh`, or it is what the registers 1-0:1.8.0 and
1-0:2.8.0 grew by between two readings that were measured; what lies over a gap stays one.
"""

from __future__ import annotations

import csv
import datetime
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

from .. import firmware  # noqa: F401 - puts the firmware's package on the path
from ..errors import ToolError

from meterhub.codec.load_profile import EXCHANGED, MEASURED, QUALITY  # isort: skip

_IMPORT, _EXPORT = "1-0:1.8.0", "1-0:2.8.0"
_ENDS = ("interval_end_utc", "end_unix_s", "at", "end")
_MOST_BYTES = 64 << 20

T = TypeVar("T")
Row = tuple[int, int, int | None, int | None]  # start, end, Wh, Wh fed in
Reading = tuple[int, str, int | None, int | None]  # at, quality, imported, exported


def read(path: Path, step_s: int) -> tuple[int, list[Row]]:
    """Return (length of an interval, rows as bill() wants them). step_s: the length where the data do not tell."""
    return _understood(path, lambda rows: _parsed(rows, step_s))


def registers(path: Path) -> dict[int, tuple[int, int | None]]:
    """Return {Unix s: (imported, fed in) Wh}: what the registers read, whatever its quality.

    Where the first line tells how much they had grown by, what they read one interval before it is there, too.
    """
    return _understood(path, _read_registers)


def _understood(path: Path, parse: Callable[[list[dict[str, str]]], T]) -> T:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ToolError(f"{path} is too long")
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file, strict=True))
    except OSError as error:
        raise ToolError(f"{path}: {error.strerror}") from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise ToolError(f"{path} is no CSV file: {error}") from None
    if not rows:
        raise ToolError(f"{path} holds no intervals")
    try:
        return parse(rows)
    except LookupError as error:
        raise ToolError(f"{path} has no column {error.args[0]}") from None
    except _LineError as error:
        raise ToolError(f"{path}, line {error.args[0]}: {error.args[1]}") from None


def _read_registers(rows: list[dict[str, str]]) -> dict[int, tuple[int, int | None]]:
    head = list(rows[0])
    found = {}
    for at, _, imported, exported in _readings(rows, _end(head), head):
        if imported is not None:
            found[at] = imported, exported
    if "obis" in head or len(rows) < 2:
        return found
    first, second = (_time(row[_end(head)], line) for line, row in enumerate(rows[:2], 2))
    grown = [_number(rows[0].get(name) or "", 2) for name in (f"{_IMPORT} [Wh] interval", f"{_EXPORT} [Wh] interval")]
    if first in found and grown[0] is not None:
        exported = found[first][1]
        fed = None if exported is None or grown[1] is None else exported - grown[1]
        found.setdefault(2 * first - second, (found[first][0] - grown[0], fed))
    return found


def _end(head: list[str]) -> str:
    """Return the name of the column of the ends of the intervals."""
    for name in _ENDS:
        if name in head:
            return name
    raise LookupError(", ".join(_ENDS))


class _LineError(Exception):
    """args: number of the line, what is wrong with it."""


def _parsed(rows: list[dict[str, str]], step_s: int) -> tuple[int, list[Row]]:
    head = list(rows[0])
    end = _end(head)
    if "wh" in head:
        found = [
            (_time(row[end], line), _number(row["wh"], line), _number(row.get("export_wh") or "", line))
            for line, row in enumerate(rows, 2)
        ]
        step_s = _step([at for at, _, _ in found], step_s)
        return step_s, [(at - step_s, at, wh, fed) for at, wh, fed in found]
    readings = list(_readings(rows, end, head))
    step_s = _step([reading[0] for reading in readings], step_s)
    return step_s, list(_grown(readings, step_s))


def _step(ends: list[int], default: int) -> int:
    """Return the length of the intervals: the smallest distance of two ends."""
    steps = [after - before for before, after in pairwise(ends) if after > before]
    return min(steps, default=default)


def _readings(rows: list[dict[str, str]], end: str, head: list[str]) -> Iterator[Reading]:
    if "obis" in head:
        yield from _of_a_dump(rows)
        return
    names = {obis: _register(head, obis) for obis in (_IMPORT, _EXPORT)}
    if names[_IMPORT] is None:
        raise LookupError(f"wh or {_IMPORT}")
    for line, row in enumerate(rows, 2):
        values = [_number(row[name], line) if name else None for name in names.values()]
        yield _time(row[end], line), row.get("quality", QUALITY[MEASURED]), values[0], values[1]


def _register(head: list[str], obis: str) -> str | None:
    return next((name for name in head if name == obis or name in (f"{obis} [Wh] register", f"{obis} register")), None)


def _of_a_dump(rows: list[dict[str, str]]) -> Iterator[Reading]:
    """One line for each value."""
    found: dict[int, tuple[str, dict[str, int | None]]] = {}
    for line, row in enumerate(rows, 2):
        quality, values = found.setdefault(_time(row["at"], line), (row["quality"], {}))
        values[row["obis"]] = _number(row["value"], line)
    for at in sorted(found):
        quality, values = found[at]
        yield at, quality, values.get(_IMPORT), values.get(_EXPORT)


def _grown(readings: list[Reading], step_s: int) -> Iterator[Row]:
    """Yield what was used between two measured readings."""
    before: Reading | None = None
    for reading in readings:
        at, quality, imported, exported = reading
        if quality == QUALITY[EXCHANGED]:
            before = None
        if quality != QUALITY[MEASURED] or imported is None:
            continue
        if before is not None and before[2] is not None and imported >= before[2]:
            fed = exported - before[3] if exported is not None and before[3] is not None else None
            yield before[0], at, imported - before[2], fed if fed is None or fed >= 0 else None
        before = reading


def _time(text: str | None, line: int) -> int:
    try:
        if text and text.isdigit():
            return int(text)
        at = datetime.datetime.fromisoformat(text or "")
    except ValueError:
        raise _LineError(line, f"{text!r} is no time") from None
    return int((at if at.tzinfo else at.replace(tzinfo=datetime.UTC)).timestamp())


def _number(text: str | None, line: int) -> int | None:
    if not text:
        return None
    if not text.isdigit():
        raise _LineError(line, f"{text!r} is no whole number of Wh")
    return int(text)
