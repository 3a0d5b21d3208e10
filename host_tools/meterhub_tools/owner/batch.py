"""The list of hubs for `meterhub provision --batch`: a CSV file, one hub a line.

Source   RFC 4180. The first line names the columns: the options of `meterhub provision` without the dashes in front
         (wifi-password-file or wifi_password_file), `port` and `name` at least. An empty cell has the option's value
         from the command line. Files are looked for beside the CSV file. Several recipients are divided by ";".
Errors   ToolError naming line and column. A column for a password itself is refused: secrets stand in files.
"""

from __future__ import annotations

import csv
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from ..errors import ToolError
from .wishes import Wishes

_PATHS = ("wifi_password_file", "password_file", "ca", "settings")
_COLUMNS = [field.name for field in fields(Wishes)]
_SECRET = ("wifi_password", "password")


def load(path: Path, common: Wishes) -> list[Wishes]:
    """Return the wishes for each hub in the file; what a line leaves open is as in `common`."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file, strict=True))
    except OSError as error:
        raise ToolError(f"{path}: {error.strerror}; --batch wants a CSV file") from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise ToolError(f"{path} is no CSV file: {error}") from None
    columns = [name.strip().replace("-", "_") for name in rows[0]] if rows else []
    _check_columns(path, columns)
    found = []
    for number, row in enumerate(rows[1:], 2):
        if row:
            found.append(_wishes(f"{path} line {number}", path.parent, columns, row, common))
    if not found:
        raise ToolError(f"{path} names no hub")
    _check_unique(path, found)
    return found


def _check_columns(path: Path, columns: list[str]) -> None:
    for name in columns:
        if name in _SECRET:
            raise ToolError(f"{path}: no password stands in this file; name a file of it in a column {name}_file")
        if name not in _COLUMNS:
            raise ToolError(f"{path}: there is no column {name!r}; choose of {', '.join(_COLUMNS)}")
    for name in ("port", "name"):
        if columns.count(name) != 1:
            raise ToolError(f"{path}: one column {name!r} is wanted in the first line")


def _wishes(where: str, folder: Path, columns: list[str], row: list[str], common: Wishes) -> Wishes:
    if len(row) != len(columns):
        raise ToolError(f"{where}: {len(columns)} cells are wanted, there are {len(row)}")
    given: dict[str, Any] = {}
    for name, cell in zip(columns, map(str.strip, row), strict=True):
        if cell:
            given[name] = _value(folder, name, cell)
    if not given.get("port") or not given.get("name"):
        raise ToolError(f"{where}: port and name are wanted in each line")
    wishes = replace(common, **given)
    try:
        wishes.check()
    except ToolError as error:
        raise ToolError(f"{where}: {error}") from None
    return wishes


def _value(folder: Path, name: str, cell: str) -> Any:
    if name in _PATHS:
        return folder / cell
    if name == "recipient":
        return tuple(str(folder / one.strip()) for one in cell.split(";"))
    return cell


def _check_unique(path: Path, found: list[Wishes]) -> None:
    ports = [wishes.port for wishes in found]
    for port in ports:
        if ports.count(port) > 1:
            raise ToolError(f"{path}: port {port} stands there twice; a hub would get the other's name")
