"""MicroPython's type stubs in typings/, for pyright: the ESP32's, and what only the other ports have."""

import pathlib
import shutil
import tempfile

import environment
from steps import ROOT, TOOLCHAIN

TYPINGS = ROOT / "typings"


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


def _pip_into(folder: pathlib.Path, lock: str) -> None:
    words = ("install", "--no-deps", "--require-hashes", "--requirement", environment.LOCKS / lock)
    environment.pip(lock, *words, "--target", folder)
