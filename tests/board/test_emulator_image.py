"""The images for the emulated board: made once for each state of the sources, and what they contain."""

import shutil
import struct

import pytest
from pico import Repl

from meterhub_tools.emulator import image
from meterhub_tools.emulator.board import EmulatedPico
from meterhub_tools.errors import ToolError
from meterhub_tools.toolchain import ROOT


@pytest.fixture
def no_building(monkeypatch):
    """Building is an error from here on; the sources of the firmware are a copy that may be changed."""
    monkeypatch.setattr(image, "_build", lambda kind, made: pytest.fail(f"{made} is built once more"))


@pytest.fixture
def firmware(tmp_path, monkeypatch):
    """A copy of the firmware in the place of the real one."""
    shutil.copytree(ROOT / "firmware", tmp_path / "firmware", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(image, "_FIRMWARE", tmp_path / "firmware")
    return tmp_path / "firmware"


def test_an_image_that_is_there_is_not_built_again(stock_image, no_building):
    assert image.image("stock") == stock_image


@pytest.mark.parametrize("name", ["main.py", "manifest.py", "meterhub/version.py", "meterhub/crypto/p256.py"])
def test_a_change_in_the_firmware_asks_for_another_frozen_image_and_the_same_stock_image(stock_image, firmware, name):
    before = image._digest("frozen"), image._digest("stock")
    (firmware / name).write_text((firmware / name).read_text() + "# changed\n")
    after = image._digest("frozen"), image._digest("stock")
    assert before[0] != after[0]
    assert before[1] == after[1]


def test_a_new_file_of_the_firmware_counts(stock_image, firmware):
    before = image._digest("frozen")
    (firmware / "meterhub/new.py").touch()
    assert image._digest("frozen") != before


def test_the_frozen_image_has_the_firmware_and_its_machine_code(stock_image):
    natives = [path.relative_to(ROOT / "firmware") for path in (ROOT / "firmware").rglob("*_native.py")]
    names = [str(path.with_suffix("")).replace("/", ".") for path in natives]
    with EmulatedPico("frozen") as pico, Repl(pico.port) as repl:
        frozen = repl.run("help('modules')").split()
        assert {"main", "meterhub/app", "umqtt/simple"} <= set(frozen)
        for name in ["meterhub.version", *names]:
            repl.run(f"import {name}")
        assert repl.run("import os; print(os.listdir('/'))").count("meterhub") == 0
    assert names, "there is machine code to be frozen"


def test_a_uf2_file_holds_the_same_image_for_the_same_chip(stock_image):
    blocks = image.uf2("stock").read_bytes()
    raw = stock_image.read_bytes()
    assert len(blocks) % 512 == 0
    for at in range(0, len(blocks), 512):
        first, second, flags, address, size, number, count, family = struct.unpack_from("<8I", blocks, at)
        assert (first, second, family, count) == (0x0A324655, 0x9E5D5157, 0xE48BFF56, len(blocks) // 512)
        assert (flags & 0x2000, number, address, size) == (0x2000, at // 512, 0x10000000 + at // 2, 256)
        piece = raw[at // 2 : at // 2 + 256]
        assert blocks[at + 32 : at + 32 + len(piece)] == piece


def test_sources_that_are_not_there_are_named(monkeypatch, tmp_path):
    monkeypatch.setattr(image, "_VERSION_FILE", tmp_path / "absent")
    with pytest.raises(ToolError, match="type: make test"):
        image.image("stock")


def test_a_build_that_fails_says_why(stock_image, monkeypatch):
    with pytest.raises(ToolError, match="no-such-compiler is not installed"):
        image._run("test", "no-such-compiler")
    with pytest.raises(ToolError, match=r"(?s)cmake failed \(all of it: .*test.log\).*not-there"):
        image._run("test", "cmake", "-S", "not-there")
