"""The store with the power going after every flash operation, under the real littlefs: a short campaign.

`make bench` has the long one (tests/bench/cuts.py); tests/board does it to a whole hub on an emulated board.
"""

import json
import subprocess
from typing import Any

import pytest
from nor_flash import BLOCK, EIO, FREEZES, KEEPS, PAGE, TEARS, Device, Flash, Random
from test_on_micropython import TESTS, interpreter, run_file

from meterhub_tools import toolchain

PICO, ESP32 = 256, 32  # littlefs's program size there


def campaign(scenario: str, program: int, bits: int, stride: int, seed: int = 1) -> dict[str, Any]:
    """Run tests/lib/power_cuts.py and return what it tells."""
    words = [interpreter(bits), "-X", "heapsize=2m", TESTS / "lib/power_cuts.py", scenario, program, seed, stride]
    done = subprocess.run(
        [str(word) for word in words],
        env=toolchain.environment(TESTS / "lib"),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("scenario", "program", "bits", "stride"),
    [
        ("records", PICO, 64, 1),
        ("records", ESP32, 32, 1),
        ("replaced", PICO, 32, 1),
        ("replaced", ESP32, 64, 1),
        ("settings", PICO, 64, 1),
        ("settings", ESP32, 32, 1),
        ("last", PICO, 64, 1),
        ("last", ESP32, 32, 1),
        ("agreed", PICO, 64, 1),
        ("agreed", ESP32, 32, 1),
        ("billed", PICO, 64, 2),
        ("billed", ESP32, 32, 3),
        ("supply", PICO, 64, 2),
        ("supply", ESP32, 32, 3),
        ("journal", PICO, 64, 2),
        ("journal", ESP32, 64, 3),
        ("profile", PICO, 64, 5),
        ("profile", ESP32, 32, 17),
        ("voltage", PICO, 64, 1),
        ("voltage", ESP32, 32, 1),
        ("together", PICO, 64, 29),
    ],
)
def test_what_was_acknowledged_is_there_after_every_cut(scenario: str, program: int, bits: int, stride: int) -> None:
    told = campaign(scenario, program, bits, stride)
    assert told["failures"] == []
    assert told["operations"] > 12
    assert told["cuts"] >= told["operations"] // stride


def test_the_campaign_finds_a_file_that_is_removed_before_the_new_one_takes_its_place() -> None:
    failures = [failure for seed in (1, 2, 3) for failure in campaign("careless", ESP32, 64, 1, seed)["failures"]]
    assert failures
    assert all("Careless: neither" in failure for failure in failures)


@pytest.mark.parametrize("bits", [64, 32])
def test_a_full_worn_or_damaged_flash_is_named_and_the_rest_goes_on(bits: int) -> None:
    passed, printed = run_file(TESTS / "host/flash_damage.py", interpreter(bits), "2m")
    assert passed, printed


# -- the flash itself ----------------------------------------------------------------------------------------------


def test_a_program_only_clears_bits_and_an_erase_sets_them_all() -> None:
    flash = Flash(2)
    flash.program(10, b"\xf0")
    flash.program(10, b"\x3c")
    assert flash.data[10] == 0x30
    flash.erase(0)
    assert flash.data == b"\xff" * 2 * BLOCK
    assert (flash.erases, flash.programs, flash.programmed) == ([1, 0], 2, 2)


def test_an_operation_is_a_page_or_a_block_and_after_the_cut_nothing_answers() -> None:
    flash = Flash(3)
    device = Device(flash, Random(1))
    assert device.ioctl(4, 0) == 3
    assert device.ioctl(5, 0) == BLOCK
    device.cut_after(3)
    assert device.ioctl(6, 1) == 0
    assert device.writeblocks(1, b"\x55" * 4 * PAGE, PAGE // 2) == -EIO
    assert device.operations == 4
    assert device.off
    written = bytes(flash.data[BLOCK : 2 * BLOCK])
    assert written[PAGE // 2 : 2 * PAGE] == b"\x55" * (2 * PAGE - PAGE // 2)
    assert written[3 * PAGE :] == b"\xff" * (BLOCK - 3 * PAGE)
    assert device.ioctl(6, 0) == device.writeblocks(0, b"\0", 0) == device.readblocks(0, bytearray(1)) == -EIO
    assert bytes(flash.data[BLOCK : 2 * BLOCK]) == written


def test_what_a_cut_tears_is_any_mixture_of_before_and_after() -> None:
    programs, erases = set(), set()
    for seed in range(60):
        flash = Flash(1)
        flash.tear_program(0, b"\0" * PAGE, Random(seed))
        page = bytes(flash.data[:PAGE])
        programs.add((0 in page, 255 in page, bool(set(page) - {0, 255})))
        flash.data[:] = b"\0" * BLOCK
        flash.tear_erase(0, Random(seed))
        erases.add((0 in flash.data, 255 in flash.data, bool(set(flash.data) - {0, 255})))
    assert {(True, True, False), (True, True, True)} <= programs
    assert {(True, True, False), (True, True, True)} <= erases


def test_a_worn_block_lies() -> None:
    flash = Flash(3)
    flash.worn = {0: KEEPS, 1: TEARS, 2: FREEZES}
    for block in range(3):
        flash.program(block * BLOCK, b"\x01\x02")
        flash.erase(block)
    assert [bytes(flash.data[n * BLOCK :][:2]) for n in range(3)] == [b"\x01\x02", b"\xff\xff", b"\xff\xff"]
    flash.program(BLOCK, b"\x01\x02")
    assert bytes(flash.data[BLOCK:][:2]) == b"\x11\x02"
