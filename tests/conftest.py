"""What every test may count on: the firmware's package, and the corpus of real captures."""

import os
import signal
from pathlib import Path

import pytest

from meterhub_tools import firmware, toolchain  # firmware: makes the package `meterhub` importable

__all__ = ["corpus", "firmware"]


# These wait more than they work: with some of them beside those that work, two processors have no idle minute.
_WAITING = (
    "test_uc_06.py",
    "test_uc_07.py",
    "test_uc_05.py",
    "test_uc_14.py",
    "test_uc_10.py",
    "test_uc_13.py",
    "test_uc_04.py",
    "test_uc_11.py",
    "test_uc_09.py",
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
_LONGEST = ("test_deploy.py", "test_on_micropython.py")  # minutes each, in one piece: begun first
# What a hub alone runs is tested where it runs, by test_on_micropython.py; here, what the host tools import as well.
_OF_A_HUB = """applet bucket command demand events household ihd letter links load_calendar meter_watch notices
outages registration schedule selftest services supervise supply tamper tariff_dates tariff_desk tariff_parts
tariff_service timekeeper voltage wipe meters_dlms_memory meters_p1_encrypted_line meters_p1_memory
meters_sml_memory"""
collect_ignore_glob = [f"unix/test_{name}*.py" for name in _OF_A_HUB.split()]


def pytest_configure() -> None:
    """Let what the tests start hear Ctrl-C, even if they run as a job in the background, which does not."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Bring the files into an order in which one that works is followed by one that waits."""
    files = list(dict.fromkeys(item.path for item in items))
    waiting = sorted((path for path in files if path.name in _WAITING), key=lambda path: _WAITING.index(path.name))
    working = sorted((path for path in files if path not in waiting), key=lambda path: path.name not in _LONGEST)
    order = {path: 2 * at for at, path in enumerate(working)} | {path: 2 * at + 1 for at, path in enumerate(waiting)}
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
