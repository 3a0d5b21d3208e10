"""What came out at the far end, held against what the meter really showed; and whether any of it lies about.

Errors   ToolError naming the first thing that is wrong.
"""

import base64
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from .. import firmware  # noqa: F401 - puts the firmware's package on the path
from ..errors import ToolError
from ..simulators.household import Household

from meterhub.codec.load_profile import MEASURED, OPEN, QUALITY, Column, Entry  # isort: skip

_SAMPLE = 97
_NUMBER = re.compile(rb"\d+(?:\.\d{3})?")
_TOKEN = re.compile(rb"[A-Za-z0-9_-]{16,}")


class Readings(NamedTuple):
    """What an export gave: the registers' codes, and (end, quality, values in Wh) of every interval."""

    registers: list[str]
    entries: list[tuple[int, int, tuple[int | None, ...]]]

    def imported(self) -> list[int]:
        """Return the import register in Wh at the end of every interval that has one, oldest first."""
        column = self.registers.index("1-0:1.8.0")
        return [values[column] for _, _, values in self.entries if values[column] is not None]  # type: ignore[misc]


def readings(columns: Sequence[Column], entries: Iterable[Entry]) -> Readings:
    """Return Readings of what codec/series gives; ToolError for a register that is not in Wh."""
    for column in columns:
        if (column.scale, column.unit) != (0, 30):
            raise ToolError(f"{column.obis} came as unit {column.unit} x 10^{column.scale}, not as Wh")
    rows = [(entry.at, entry.quality, tuple(entry.values)) for entry in entries]
    return Readings([column.obis for column in columns], rows)


def check(found: Readings, household: Household, step_s: int = 1800) -> int:
    """Compare with the household's own registers; return how many intervals were compared.

    Every interval since the household's start must be there, measured, and exact; the open one lies between its
    beginning and now.
    """
    compared = 0
    for at, quality, values in found.entries:
        if at < household.start:
            continue
        if quality == OPEN:
            low, high = _true(household, found.registers, at - step_s), _true(household, found.registers, at)
            if not all(v is not None and a <= v <= b for a, v, b in zip(low, values, high, strict=True)):
                raise ToolError(f"the open interval until {at} is not between its limits")
        elif quality != MEASURED or values != _true(household, found.registers, at):
            raise ToolError(f"the interval that ends at {at} ({QUALITY[quality]}) is not what the meter showed")
        compared += 1
    if not compared:
        raise ToolError("no interval to compare")
    return compared


def _true(household: Household, registers: list[str], at: int) -> tuple[int, ...]:
    shown = household.registers(at)
    by_code = {"1-0:1.8.0": shown.import_wh, "1-0:2.8.0": shown.export_wh}
    return tuple(by_code[code] for code in registers)


class Traces:
    """Searches bytes for register values: in digits (Wh or kWh), as they are and inside base64url."""

    def __init__(self, found: Readings) -> None:
        values = [value for _, _, row in found.entries for value in row if value is not None and value > 99_999]
        wanted = {*values[::_SAMPLE], *values[:2], *values[-2:]}
        self._numbers = {b"%d" % v for v in wanted} | {b"%d.%03d" % divmod(v, 1000) for v in wanted}

    def in_bytes(self, raw: bytes) -> bool:
        """Return True when a register value can be read in `raw`."""
        if not self._numbers.isdisjoint(_NUMBER.findall(raw)):
            return True
        return any(not self._numbers.isdisjoint(_NUMBER.findall(plain)) for plain in _decoded(raw))

    def in_folder(self, folder: Path) -> Path | None:
        """Return the first file below `folder` (or the file `folder`) with a register value in it, None without."""
        files = folder.rglob("*") if folder.is_dir() else [folder]
        for file in files:
            if file.is_file() and self.in_bytes(file.read_bytes()):
                return file
        return None


def _decoded(raw: bytes) -> Iterable[bytes]:
    for token in _TOKEN.findall(raw):
        cut = token[: len(token) - (len(token) % 4 == 1)]
        yield base64.urlsafe_b64decode(cut + b"=" * (-len(cut) % 4))
