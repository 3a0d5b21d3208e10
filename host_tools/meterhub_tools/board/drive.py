"""The drive that a Pico becomes in its boot mode: found by its INFO_UF2.TXT, written by copying a file onto it.

The chip's ROM does it; it is always there, so a copy that was interrupted is simply repeated.

Source   UF2 specification (INFO_UF2.TXT); RP2040 datasheet 2.8.4, RP2350 datasheet 5.5: Board-ID RPI-RP2, RP2350
Errors   ToolError: no such drive, more than one, another chip's, or it goes away before its time
Runs on  Linux (mounted drives), macOS, Windows
"""

import contextlib
import os
import string
import time
from collections.abc import Callable
from pathlib import Path

from ..errors import ToolError

_INFO = "INFO_UF2.TXT"
_CHIPS = {"RPI-RP2": "rp2040", "RP2350": "rp2350"}
_LABELS = Path("/dev/disk/by-label")
_MOUNTS = Path("/proc/self/mounts")
_PIECE = 1 << 15
_HOW = "hold the BOOTSEL button while you plug the board in"


def chip_of(folder: Path) -> str:
    """Return which chip the drive at `folder` belongs to, "" when it is no such drive."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        for line in (folder / _INFO).read_text("ascii").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "Board-ID":
                return _CHIPS.get(value.strip(), value.strip().lower())
    return ""


def find() -> Path | None:
    """Return the one drive that is there, None without one."""
    found = [folder for folder in _mounted() if chip_of(folder)]
    if len(found) > 1:
        raise ToolError(
            f"there are {len(found)} boards in boot mode; say which with --drive: {', '.join(map(str, found))}"
        )
    if not found:
        for label in _CHIPS:
            if (_LABELS / label).exists():
                raise ToolError(f"the drive {label} is there, but not mounted: udisksctl mount -b {_LABELS / label}")
    return found[0] if found else None


def wait(patience_s: float) -> Path:
    """Return the drive, once it is there."""
    ends = time.monotonic() + patience_s
    trouble = ToolError(f"no drive of a board in boot mode; {_HOW}, or name it with --drive")
    while time.monotonic() < ends:
        try:
            folder = find()
        except ToolError as error:  # it is not mounted yet, perhaps
            trouble, folder = error, None
        if folder:
            return folder
        time.sleep(0.3)
    raise trouble


def check(folder: Path, chip: str) -> None:
    """ToolError when the board behind the drive has another chip."""
    found = chip_of(folder)
    if not found:
        raise ToolError(f"{folder} is no drive of a board in boot mode: it has no {_INFO}; {_HOW}")
    if found != chip:
        raise ToolError(f"the board at {folder} has an {found}, not an {chip}; nothing was changed")


def copy(image: Path, folder: Path, tell: Callable[[int, int], None]) -> None:
    """Copy the image onto the drive. When its last byte is there the board starts, and the drive is gone."""
    raw = image.read_bytes()
    sent = 0
    try:
        with (folder / image.name).open("wb", buffering=0) as file:
            while sent < len(raw):
                sent += file.write(raw[sent : sent + _PIECE])
                if sent < len(raw):
                    os.fsync(file.fileno())
                tell(sent, len(raw))
    except OSError as error:
        if sent < len(raw):
            why = error.strerror or str(error)
            raise ToolError(f"{folder}: {why} after {sent} of {len(raw)} bytes; {_HOW}, and run it again") from None


def _mounted() -> list[Path]:
    """Return the folders that may be drives."""
    if os.name == "nt":
        return [Path(f"{letter}:/") for letter in string.ascii_uppercase]
    folders = list(Path("/Volumes").glob("*"))
    with contextlib.suppress(OSError):
        rows = (line.split() for line in _MOUNTS.read_text().splitlines())
        folders += [
            Path(row[1].encode().decode("unicode_escape")) for row in rows if len(row) > 2 and row[2] == "vfat"
        ]
    return folders
