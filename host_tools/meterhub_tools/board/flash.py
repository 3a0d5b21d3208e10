"""`meterhub flash`: MicroPython onto a board. Everything is checked before anything is written.

An ESP32 is written over its serial port (esp.py), a Pico by copying the image onto the drive that it becomes in its
boot mode (drive.py); a Pico that runs MicroPython on the port is asked to go there.
"""

import argparse
import contextlib
import re
import sys
import time
from pathlib import Path
from typing import Any

from ..demo.progress import Progress
from ..errors import ToolError, UsageError
from . import drive, esp, kinds
from .deploy import About, about
from .image import Image, read
from .port import Repl, ports_in_words

_DRIVE_S = 15.0
_BACK_S = 20.0


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Add the subcommand to `meterhub`."""
    parser = subparsers.add_parser(
        "flash",
        help="put MicroPython onto a board",
        description="Checks the board and the image (chip, version 1.24 or newer, hash), and only then writes "
        "MicroPython onto the board. The hub's files on it stay.",
    )
    parser.add_argument("--board", required=True, help="which board it is, a folder of boards/")
    parser.add_argument("--port", default="", help="its serial port; for a Pico in its boot mode it is not needed")
    parser.add_argument("--image", type=Path, metavar="FILE", help="MicroPython: a .bin (ESP32) or .uf2 (Pico) file")
    parser.add_argument("--sha256", type=_sha256, metavar="HEX", help="its hash (default: what FILE.sha256 says)")
    parser.add_argument("--drive", type=Path, metavar="DIR", help="a Pico's drive, where it is not found by itself")


def _sha256(text: str) -> str:
    if not re.fullmatch("[0-9a-fA-F]{64}", text):
        raise argparse.ArgumentTypeError("a SHA-256 has 64 hexadecimal digits")
    return text.lower()


def run(args: argparse.Namespace) -> int:
    """Flash; return 0. ToolError says what is in the way: until the last check the board stays as it was."""
    kind = kinds.named(args.board)
    if args.image is None:
        raise UsageError(f"which image? Take the newest of {kind.page} and name it with --image FILE")
    image = read(args.image)
    check(kind, image, args.sha256 or _hash_beside(args.image))
    progress = Progress(sys.stdout)
    progress.line(f"image: {image.words}, SHA-256 {image.sha256}")
    if kind.family:
        _copy(kind, image, args, progress)
    else:
        _write(kind, image, args.port, progress)
    return _see(kind, image, args.port, progress)


def check(kind: kinds.Kind, image: Image, sha256: str = "") -> None:
    """ToolError when the image is not for this kind of board, too old, or not the one that was meant."""
    wrong = ""
    if image.chip != kind.mcu or image.family != kind.family:
        wrong = f"is for {_an(image.chip)}, and a {kind.name} has {_an(kind.mcu)}"
    elif image.machine and kind not in kinds.of_machine(image.machine):
        wrong = f"is for another board, {image.machine}"
    elif image.version < kinds.OLDEST:
        wrong = f"is MicroPython {'.'.join(map(str, image.version))}; the firmware takes 1.24 or newer"
    if wrong:
        raise ToolError(f"{image.path} {wrong}; nothing was changed. Images for it: {kind.page}")
    if sha256 and sha256 != image.sha256:
        raise ToolError(f"{image.path} has the SHA-256 {image.sha256}, not {sha256}; download it again")


def _an(chip: str) -> str:
    return f"an {chip}" if chip[0] in "aeiour" else chip


def _hash_beside(image: Path) -> str:
    """Return what FILE.sha256 says, in sha256sum's form, "" when there is no such file."""
    beside = image.with_name(image.name + ".sha256")
    if not beside.is_file():
        return ""
    words = beside.read_text("utf-8", "replace").split()
    if not words or not re.fullmatch("[0-9a-fA-F]{64}", words[0]):
        raise ToolError(f"{beside} does not begin with a SHA-256")
    return words[0].lower()


# -- an ESP32 ----------------------------------------------------------------------------------------------------


def _write(kind: kinds.Kind, image: Image, port: str, progress: Progress) -> None:
    if not port:
        raise UsageError(f"a {kind.name} is flashed over its port: name it with --port; {ports_in_words()}")
    with progress.step("chip", f"asking the chip on {port}"):
        chip = esp.chip_of(port)
    if chip != kind.mcu:
        raise ToolError(
            f"the board on {port} has {_an(chip)}, and a {kind.name} has {_an(kind.mcu)}; nothing was changed"
        )
    with progress.step("write", f"writing {image.length // 1024:,} KB and checking them") as far:
        esp.write(port, kind.mcu, kind.offset, image.path, far)


# -- a Pico ------------------------------------------------------------------------------------------------------


def _copy(kind: kinds.Kind, image: Image, args: argparse.Namespace, progress: Progress) -> None:
    folder = args.drive or drive.find()
    if folder is None and args.port:
        _ask_for_drive(kind, args.port, progress)
    if folder is None:
        with progress.step("drive", "waiting for the board's drive"):
            folder = drive.wait(_DRIVE_S if args.port else 0.1)
    drive.check(folder, kind.mcu)
    with progress.step("write", f"copying {image.length // 1024:,} KB to {folder}") as far:
        drive.copy(image.path, folder, far)


def _ask_for_drive(kind: kinds.Kind, port: str, progress: Progress) -> None:
    """Have the MicroPython on the port go to the chip's boot mode, if the board is what it is taken for."""
    with progress.step("ask", f"asking the board on {port} to go to its boot mode"), Repl(port) as repl:
        found = about(repl)
        kinds.check(kind, found.machine, found.build)
        repl.leave("import machine\nmachine.bootloader()")


# -- afterwards --------------------------------------------------------------------------------------------------


def _see(kind: kinds.Kind, image: Image, port: str, progress: Progress) -> int:
    """Ask the board what it runs now, where there is a port to ask on, and say what comes next."""
    if not port:
        progress.line(f"next: meterhub deploy --board {kind.name} --port PORT   ({ports_in_words()})")
        return 0
    with progress.step("back", "waiting for MicroPython to start"):
        found = _wait_for_micropython(port)
    if found.version != image.version:
        raise ToolError(f"{port}: the board runs {found.words}, not what was written; flash it again")
    progress.line(f"{kind.name} runs {found.words}")
    progress.line(f"next: meterhub deploy --port {port}   the firmware onto it")
    return 0


def _wait_for_micropython(port: str) -> About:
    ends = time.monotonic() + _BACK_S
    while True:
        with (
            contextlib.suppress(ToolError) if time.monotonic() < ends else contextlib.nullcontext(),
            Repl(port) as repl,
        ):
            return about(repl)
        time.sleep(0.5)
