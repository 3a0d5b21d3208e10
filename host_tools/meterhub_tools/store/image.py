"""Where a hub's files lie: in a folder, or in an image of a board's flash. Both are copied before they are looked at.

An image is what `esptool read_flash 0 ALL` or `picotool save --all` makes, or the file system's part of it alone. Its
file system begins where the board's layout says (boards/*/flash.json, partitions.csv), or at its first byte; how long
it is it says itself.

Source   littlefs's SPEC.md: a superblock's entry begins with the name "littlefs" at byte 8 of block 0 or 1, then a
         tag, then u32 version, block size, block count
"""

from __future__ import annotations

import csv
import json
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from .. import toolchain
from ..board import kinds
from ..errors import ToolError, UsageError

_PROGRAM = toolchain.ROOT / "host_tools/unix/store_image.py"
_BLOCK = 4096
_MOST_BYTES = 64 << 20
_MARKS = ("profile", "journal", "settings.json")  # a folder with one of these is a hub's


@dataclass
class Found:
    """A copy of a hub's folder. unreadable: what the file system did not give; offset: its place, None of a folder."""

    folder: Path
    unreadable: list[str] = field(default_factory=list)
    offset: int | None = None


@contextmanager
def opened(source: Path, board: str = "", offset: int | None = None) -> Iterator[Found]:
    """Hand over a copy of the hub's folder in `source`, for as long as the `with` lasts."""
    with tempfile.TemporaryDirectory(prefix="meterhub-store-") as place:
        top = Path(place, "files")
        if source.is_dir():
            shutil.copytree(source, top)
            found = Found(top)
        else:
            found = _taken(source, top, board, offset)
        found.folder = _hub_folder(top, source)
        yield found


def layouts() -> dict[str, list[int]]:
    """Return at which byte of its flash the file system of each kind of board begins: stock, and ours."""
    found = {}
    for name in kinds.kinds():
        flash, table = kinds.BOARDS / name / "flash.json", kinds.BOARDS / name / "partitions.csv"
        if flash.exists():
            layout = json.loads(flash.read_text())
            found[name] = [layout["fs_offset"], layout["frozen_fs_offset"]]
        elif table.exists():
            rows = csv.reader(line for line in table.read_text().splitlines() if not line.startswith("#"))
            found[name] = [next(int(row[3], 0) for row in rows if row and row[0].strip() == "vfs")]
    return found


def _taken(image: Path, top: Path, board: str, offset: int | None) -> Found:
    try:
        if image.stat().st_size > _MOST_BYTES:
            raise ToolError(f"{image} is larger than any board's flash")
        raw = image.read_bytes()
    except OSError as error:
        raise ToolError(f"{image}: {error.strerror}") from None
    start, blocks = _located(raw, image, board, offset)
    top.mkdir()
    words = [toolchain.micropython(), "-X", "heapsize=2m", _PROGRAM, image, start, blocks, top]
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ToolError(f"{image} could not be taken apart, which is a bug: {done.stderr.strip()[-200:]}")
    found = Found(top, offset=start)
    for line in done.stdout.splitlines():
        said = json.loads(line)
        if "trouble" in said:
            raise ToolError(f"{image}: the file system at byte {start} cannot be mounted (error {said['trouble']})")
        if "unreadable" in said:
            found.unreadable.append(said["unreadable"])
    return found


def _located(raw: bytes, image: Path, board: str, offset: int | None) -> tuple[int, int]:
    """Return where in the image its file system begins, and how many blocks it has."""
    known = layouts()
    if board and board not in known:
        raise UsageError(f"there is no board {board}; there are: {', '.join(known)}")
    anywhere = [*sorted({place for places in known.values() for place in places}), 0]
    places = [offset] if offset is not None else known[board] if board else anywhere
    for place in places:
        blocks = _blocks_at(raw, place)
        if blocks:
            return place, blocks
    where = ", ".join(f"{place:#x}" for place in places)
    raise ToolError(f"{image} has no littlefs at {where}; name its place with --offset or --board")


def _blocks_at(raw: bytes, place: int) -> int:
    """Return how many blocks the littlefs at `place` has, 0 where there is none, or less of it than it says."""
    for start in (place, place + _BLOCK):
        if raw[start + 8 : start + 16] == b"littlefs":
            _, size, count = struct.unpack_from("<III", raw.ljust(start + 32, b"\0"), start + 20)
            if size == _BLOCK and 2 <= count <= (len(raw) - place) // _BLOCK:
                return int(count)
    return 0


def _hub_folder(top: Path, source: Path) -> Path:
    """Return the hub's own folder in what was copied."""
    for folder in (top, *sorted(path for path in top.iterdir() if path.is_dir())):
        if any((folder / mark).exists() for mark in _MARKS):
            return folder
    raise ToolError(f"{source} holds no hub's folder: there is no {', '.join(_MARKS)}")
