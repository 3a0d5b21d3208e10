"""What every test may count on: the firmware's package, and the corpus of real captures."""

import os
import signal
from pathlib import Path

import pytest

from meterhub_tools import firmware, toolchain  # firmware: makes the package `meterhub` importable

__all__ = ["corpus", "firmware"]


# These wait more than they work: with two of them at a time beside two that work, two processors have no idle minute.
_WAITING = (
    "test_lines_meters.py",
    "test_service.py",
    "test_fresh_clone.py",
    "test_provision_online.py",
    "test_browser.py",
    "test_demo_once.py",
    "test_wan_steps.py",
    "test_lines.py",
    "test_pulses.py",
    "test_boot.py",
    "test_simulators_line.py",
    "test_eavesdropper.py",
)
# framebuf and umqtt are MicroPython's: test_on_micropython.py runs these there
collect_ignore = ["unix/test_ihd_oled.py", "unix/test_links_wan.py"]


def pytest_configure() -> None:
    """Let what the tests start hear Ctrl-C, even if they run as a job in the background, which does not."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Bring the files into an order in which two that work are followed by two that wait."""
    files = list(dict.fromkeys(item.path for item in items))
    waiting = sorted((path for path in files if path.name in _WAITING), key=lambda path: _WAITING.index(path.name))
    working = [path for path in files if path not in waiting]
    order = {path: 4 * (at // 2) + at % 2 for at, path in enumerate(working)}
    order |= {path: 4 * (at // 2) + 2 + at % 2 for at, path in enumerate(waiting)}
    items.sort(key=lambda item: order[item.path])


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real meter captures, which is never part of this repository; see README.md on where to put one."""
    place = Path(os.environ.get("METERHUB_CORPUS") or toolchain.ROOT / "../shared/data")
    if not place.is_dir():
        if os.environ.get("METERHUB_CORPUS"):
            pytest.fail(f"METERHUB_CORPUS names {place}, which is no folder")
        pytest.skip("no corpus of captures on this machine: METERHUB_CORPUS names none")
    return place.resolve()
