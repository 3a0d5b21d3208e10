"""What every test may count on: the firmware's package, and the corpus of real captures."""

import os
import signal
from pathlib import Path

import pytest

from meterhub_tools import firmware, toolchain  # firmware: makes the package `meterhub` importable

__all__ = ["corpus", "firmware"]


# framebuf and umqtt are MicroPython's: test_on_micropython.py runs these there
collect_ignore = ["unix/test_ihd_oled.py", "unix/test_links_wan.py"]


def pytest_configure() -> None:
    """Let what the tests start hear Ctrl-C, even if they run as a job in the background, which does not."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real meter captures, which is never part of this repository; see README.md on where to put one."""
    place = Path(os.environ.get("METERHUB_CORPUS") or toolchain.ROOT / "../shared/data")
    if not place.is_dir():
        if os.environ.get("METERHUB_CORPUS"):
            pytest.fail(f"METERHUB_CORPUS names {place}, which is no folder")
        pytest.skip("no corpus of captures on this machine: METERHUB_CORPUS names none")
    return place.resolve()
