"""MicroPython's type stubs: typings/ for pyright, and every board's own, by which a test knows what the board has.

typings/ holds the ESP32's stubs, and what only the other ports have; .toolchain/stubs/<BOARD> what stock MicroPython
has on that board.
"""

import pathlib
import shutil
import tempfile

import environment
from steps import ROOT, TOOLCHAIN

TYPINGS = ROOT / "typings"
STUBS = TOOLCHAIN / "stubs"
STUBS_LOCKS = sorted(environment.LOCKS.glob("stubs-*.lock"))


def install() -> None:
    """Fill typings/ anew from the pinned stub packages."""
    shutil.rmtree(TYPINGS, ignore_errors=True)
    _pip_into(TYPINGS, "typings.lock")
    with tempfile.TemporaryDirectory(dir=TOOLCHAIN) as folder:
        more = pathlib.Path(folder)
        _pip_into(more, "typings-more.lock")
        for path in more.iterdir():
            if not (TYPINGS / path.name).exists():
                shutil.move(path, TYPINGS)
    shutil.rmtree(TYPINGS / "umqtt")  # the pinned umqtt.simple itself is checked against, not a later one's stub


def install_boards() -> None:
    """Fill .toolchain/stubs anew: one folder for each board that has a lock."""
    shutil.rmtree(STUBS, ignore_errors=True)
    for lock in STUBS_LOCKS:
        _pip_into(STUBS / lock.stem.removeprefix("stubs-"), lock.name)


def _pip_into(folder: pathlib.Path, lock: str) -> None:
    words = ("install", "--no-deps", "--require-hashes", "--requirement", environment.LOCKS / lock)
    environment.pip(lock, *words, "--target", folder)
