"""`meterhub flash`: what is checked before a byte is written, and the writing as far as it is seen without a board.

The images are real where this machine can make them (the RP2040's, where it is built for the emulator), and made
here by the documented formats elsewhere. A Pico's drive is a folder with INFO_UF2.TXT: what the chip does with the
file is not seen here. An ESP32 is esp_rom.py, which speaks its boot loader's protocol; esptool is the real one.
"""

import hashlib
import struct
import sys
from pathlib import Path

import pytest
from esp_rom import EspROM
from far_end import FarEnd

from meterhub_tools import cli
from meterhub_tools.board import drive, flash, image, kinds
from meterhub_tools.demo.progress import Progress
from meterhub_tools.emulator import image as built
from meterhub_tools.errors import ToolError

PICO, PICO_2 = 0xE48BFF56, 0xE48BFF59
VERSION = b"MicroPython v1.25.0 on 2025-04-15; "


# -- images, made by their documented formats ----------------------------------------------------------------------


def uf2_block(data: bytes, number: int, count: int, family: int, flags: int = 0x2000) -> bytes:
    head = struct.pack("<8I", 0x0A324655, 0x9E5D5157, flags, 0x10000000 + 256 * number, 256, number, count, family)
    return head + data.ljust(476, b"\0") + struct.pack("<I", 0x0AB16F30)


def uf2(machine: bytes, family: int = PICO, version: bytes = VERSION, first: bytes = b"") -> bytes:
    """A UF2 file; the version lies across the border of two blocks, as it may."""
    content = bytes(250) + version + machine + b"\0" + bytes(700)
    pieces = [content[at : at + 256].ljust(256, b"\0") for at in range(0, len(content), 256)]
    return first + b"".join(uf2_block(piece, n, len(pieces), family) for n, piece in enumerate(pieces))


def program(chip: int, content: bytes) -> bytes:
    """One ESP32 program in ESP-IDF's format, two segments, with its checksum and SHA-256."""
    segments = [content, b"\x55" * 20]
    out = struct.pack("<BBBBI", 0xE9, len(segments), 2, 0x20, 0x40080000)
    out += struct.pack("<B3sHBHH4sB", 0xEE, bytes(3), chip, 0, 0, 0xFFFF, bytes(4), 1)
    checksum = 0xEF
    for number, segment in enumerate(segments):
        out += struct.pack("<II", 0x3F400020 + number, len(segment)) + segment
        for byte in segment:
            checksum ^= byte
    out += bytes(15 - len(out) % 16) + bytes([checksum])
    return out + hashlib.sha256(out).digest()


def esp(chip: int, machine: bytes, offset: int = 0x1000, version: bytes = VERSION) -> bytes:
    """A MicroPython image: boot loader, partition table, program."""
    rows = (
        (1, 2, 0x9000, 0x6000, b"nvs"),
        (0, 0, 0x10000, 0x1F0000, b"factory"),
        (1, 0x81, 0x200000, 0x200000, b"vfs"),
    )
    table = b"".join(
        struct.pack("<HBBII16sI", 0x50AA, kind, sub, at, size, name, 0) for kind, sub, at, size, name in rows
    )
    raw = program(chip, b"boot").ljust(0x8000 - offset, b"\xff") + table
    return raw.ljust(0x10000 - offset, b"\xff") + program(chip, version + machine + b"\0\0\0\0")


IMAGES = {
    "RPI_PICO": ("pico.uf2", uf2(b"Raspberry Pi Pico with RP2040")),
    "RPI_PICO_W": ("pico-w.uf2", uf2(b"Raspberry Pi Pico W with RP2040")),
    "RPI_PICO2_W": ("pico2-w.uf2", uf2(b"Raspberry Pi Pico 2 W with RP2350", PICO_2)),
    "ESP32_GENERIC": ("esp32.bin", esp(0, b"Generic ESP32 module with ESP32")),
    "ESP32_GENERIC_S3": ("s3.bin", esp(9, b"Generic ESP32S3 module with ESP32S3", 0)),
}


@pytest.fixture
def place(tmp_path: Path):
    """Writes files."""

    def write(name: str, data: bytes) -> Path:
        (tmp_path / name).write_bytes(data)
        return tmp_path / name

    return write


def meterhub(*words: object) -> int:
    return cli.main(["flash", *map(str, words)])


def refused(capsys: pytest.CaptureFixture[str], *words: object, status: int = 1) -> str:
    """Run `meterhub flash`, which must say no in one line; return the line."""
    assert meterhub(*words) == status
    said = capsys.readouterr().err
    assert said.startswith("meterhub flash: ") and said.count("\n") == 1
    return said


# -- what an image is ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("board", IMAGES)
def test_an_image_is_for_its_own_board_and_for_no_other(board: str, place) -> None:
    name, raw = IMAGES[board]
    found = image.read(place(name, raw))
    assert (found.version, found.sha256) == ((1, 25, 0), hashlib.sha256(raw).hexdigest())
    for kind in kinds.kinds().values():
        if kind.name == board:
            flash.check(kind, found)
        else:
            with pytest.raises(ToolError, match="nothing was changed"):
                flash.check(kind, found)


def test_every_board_that_can_be_flashed_has_such_an_image_here() -> None:
    assert set(IMAGES) == set(kinds.kinds())


def test_a_real_image_is_understood() -> None:
    if not built.available():
        pytest.skip("no MicroPython sources for the RP2040 on this system")
    found = image.read(built.uf2("stock"))
    assert (found.chip, found.machine, found.version) == ("rp2040", "Raspberry Pi Pico with RP2040", (1, 25, 0))
    flash.check(kinds.named("RPI_PICO"), found)
    with pytest.raises(ToolError, match="for another board, Raspberry Pi Pico with RP2040"):
        flash.check(kinds.named("RPI_PICO_W"), found)


def test_an_image_for_the_rp2350_may_begin_with_the_block_of_its_erratum(place) -> None:
    extra = uf2_block(b"\xef" * 256, 0, 2, 0xE48BFF57, 0xA000)
    raw = uf2(b"Raspberry Pi Pico 2 W with RP2350", PICO_2, first=extra)
    assert image.read(place("pico2.uf2", raw)).chip == "rp2350"


def damaged_uf2() -> dict[str, bytes]:
    good = IMAGES["RPI_PICO"][1]
    other = uf2(b"x with RP2350", PICO_2)
    return {
        "empty": b"",
        "cut in a block": good[:-100],
        "cut between blocks": good[:-512],
        "a block twice": good[:512] + good,
        "a block missing": good[:512] + good[1024:],
        "first magic": b"\0" + good[1:],
        "second magic": good[:4] + b"\0" + good[5:],
        "last magic": good[:-1] + b"\0",
        "too long a payload": good[:16] + struct.pack("<I", 477) + good[20:],
        "two families": good[:512] + other[512:1024] + good[1024:],
        "no family": b"".join(uf2_block(VERSION, 0, 1, 0, 0) for _ in range(1)),
        "a web page": b"<html>".ljust(1024),
        "no MicroPython": uf2(b"Raspberry Pi Pico with RP2040", version=b"CircuitPython 9 on "),
    }


def damaged_esp() -> dict[str, bytes]:
    good = IMAGES["ESP32_GENERIC"][1]
    return {
        "empty": b"",
        "a web page": b"<html>".ljust(2048),
        "only the program": program(0, VERSION),
        "cut in the program": good[:-60],
        "cut before the program": good[:0xF000],
        "cut in the hash": good[:-1],
        "a bit of the program": good[:0xF030] + bytes([good[0xF030] ^ 1]) + good[0xF031:],
        "a bit of the boot loader": good[:0x20] + bytes([good[0x20] ^ 1]) + good[0x21:],
        "another chip's program": good[:0xF000] + program(9, VERSION),
        "endless segment": good[:0xF01C] + b"\xff\xff\xff\x7f" + good[0xF020:],
    }


@pytest.mark.parametrize("name", damaged_uf2())
def test_what_is_no_whole_uf2_file_is_refused(name: str, place, capsys: pytest.CaptureFixture[str]) -> None:
    refused(capsys, "--board", "RPI_PICO", "--image", place("image.uf2", damaged_uf2()[name]))


@pytest.mark.parametrize("name", damaged_esp())
def test_what_is_no_whole_esp32_image_is_refused(name: str, place, capsys: pytest.CaptureFixture[str]) -> None:
    refused(capsys, "--board", "ESP32_GENERIC", "--port", "x", "--image", place("image.bin", damaged_esp()[name]))


@pytest.mark.parametrize("version", ["1.23.0", "1.9.4", "0.99.0"])
def test_an_old_micropython_is_refused(version: str, place, capsys: pytest.CaptureFixture[str]) -> None:
    raw = uf2(b"Raspberry Pi Pico with RP2040", version=b"MicroPython v%s on 2023-01-01; " % version.encode())
    said = refused(capsys, "--board", "RPI_PICO", "--image", place("old.uf2", raw))
    assert f"is MicroPython {version}" in said and "https://micropython.org/download/RPI_PICO/" in said


def test_an_image_for_another_chip_names_both(place, capsys: pytest.CaptureFixture[str]) -> None:
    path = place(*IMAGES["RPI_PICO"])
    said = refused(capsys, "--board", "RPI_PICO2_W", "--image", path)
    assert "is for an rp2040, and a RPI_PICO2_W has an rp2350; nothing was changed" in said
    assert "is for an rp2040" in refused(capsys, "--board", "ESP32_GENERIC", "--port", "x", "--image", path)


# -- the hash, the words -------------------------------------------------------------------------------------------


@pytest.fixture
def pico_drive(tmp_path: Path) -> Path:
    """What a Pico in its boot mode shows, as a folder."""
    folder = tmp_path / "RPI-RP2"
    folder.mkdir()
    info = "UF2 Bootloader v3.0\nModel: Raspberry Pi RP2\nBoard-ID: RPI-RP2\n"
    (folder / "INFO_UF2.TXT").write_text(info, newline="\r\n")
    return folder


def test_a_wrong_hash_is_refused_and_a_right_one_is_not(place, pico_drive: Path, capsys) -> None:
    name, raw = IMAGES["RPI_PICO"]
    path, right = place(name, raw), hashlib.sha256(raw).hexdigest()
    words = ("--board", "RPI_PICO", "--drive", pico_drive, "--image", path)
    assert right in refused(capsys, *words, "--sha256", "0" * 64)
    assert sorted(file.name for file in pico_drive.iterdir()) == ["INFO_UF2.TXT"]
    assert meterhub(*words, "--sha256", right.upper()) == 0


def test_a_hash_beside_the_image_counts(place, pico_drive: Path, capsys) -> None:
    name, raw = IMAGES["RPI_PICO"]
    words = ("--board", "RPI_PICO", "--drive", pico_drive, "--image", place(name, raw))
    place(name + ".sha256", b"0" * 64 + b"  pico.uf2\n")
    assert "download it again" in refused(capsys, *words)
    place(name + ".sha256", b"what?\n")
    assert "does not begin with a SHA-256" in refused(capsys, *words)
    place(name + ".sha256", hashlib.sha256(raw).hexdigest().encode() + b"  pico.uf2\n")
    assert meterhub(*words) == 0


def test_without_an_image_it_is_said_where_there_are_some(capsys) -> None:
    for board in kinds.kinds():
        assert f"https://micropython.org/download/{board}/" in refused(capsys, "--board", board, status=2)


def test_a_board_that_does_not_exist_is_named_with_those_that_do(capsys) -> None:
    assert "RPI_PICO_W" in refused(capsys, "--board", "PICO", status=2)
    assert "no board UNIX" in refused(capsys, "--board", "UNIX", status=2)


def test_an_image_that_is_not_there_is_named(capsys, tmp_path: Path) -> None:
    assert "none.uf2" in refused(capsys, "--board", "RPI_PICO", "--image", tmp_path / "none.uf2")


@pytest.mark.parametrize("text", ["", "12", "g" * 64])
def test_a_hash_that_is_none_is_wrong_usage(text: str, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        meterhub("--board", "RPI_PICO", "--sha256", text)
    assert ended.value.code == 2


# -- a Pico's drive ------------------------------------------------------------------------------------------------


def test_the_image_is_copied_onto_the_drive(place, pico_drive: Path, capsys) -> None:
    name, raw = IMAGES["RPI_PICO_W"]
    assert meterhub("--board", "RPI_PICO_W", "--drive", pico_drive, "--image", place(name, raw)) == 0
    assert (pico_drive / name).read_bytes() == raw
    said = capsys.readouterr().out
    assert hashlib.sha256(raw).hexdigest() in said and "next: meterhub deploy --board RPI_PICO_W" in said


def test_another_chips_drive_is_left_alone(place, pico_drive: Path, capsys) -> None:
    said = refused(capsys, "--board", "RPI_PICO2_W", "--drive", pico_drive, "--image", place(*IMAGES["RPI_PICO2_W"]))
    assert "has an rp2040, not an rp2350; nothing was changed" in said
    assert sorted(file.name for file in pico_drive.iterdir()) == ["INFO_UF2.TXT"]


def test_a_folder_that_is_no_such_drive_is_left_alone(place, tmp_path: Path, capsys) -> None:
    folder = tmp_path / "stick"
    folder.mkdir()
    said = refused(capsys, "--board", "RPI_PICO", "--drive", folder, "--image", place(*IMAGES["RPI_PICO"]))
    assert "BOOTSEL" in said and list(folder.iterdir()) == []


def test_the_drive_is_found_among_what_is_mounted(
    place, pico_drive: Path, tmp_path: Path, monkeypatch, capsys
) -> None:
    spaced = tmp_path / "my drive"
    pico_drive.rename(spaced)
    mounts = place(
        "mounts",
        f"tmpfs /tmp tmpfs rw 0 0\n/dev/sdb1 {str(spaced).replace(' ', chr(92) + '040')} vfat rw 0 0\n".encode(),
    )
    monkeypatch.setattr(drive, "_MOUNTS", mounts)
    assert drive.find() == spaced
    (tmp_path / "second").mkdir()
    (tmp_path / "second/INFO_UF2.TXT").write_text("Board-ID: RP2350\n")
    mounts.write_text(mounts.read_text() + f"/dev/sdc1 {tmp_path}/second vfat rw 0 0\n")
    said = refused(capsys, "--board", "RPI_PICO", "--image", place(*IMAGES["RPI_PICO"]))
    assert "2 boards in boot mode; say which with --drive" in said


def test_without_a_drive_it_is_said_how_to_get_one(place, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(drive, "_MOUNTS", tmp_path / "none")
    words = ("--board", "RPI_PICO", "--image", place(*IMAGES["RPI_PICO"]))
    assert "hold the BOOTSEL button" in refused(capsys, *words)
    (tmp_path / "RPI-RP2").touch()
    monkeypatch.setattr(drive, "_LABELS", tmp_path)
    assert "not mounted" in refused(capsys, *words)


def test_a_drive_that_fails_half_way_says_how_far_it_came(place, pico_drive: Path, monkeypatch) -> None:
    path = place("long.uf2", bytes(100_000))
    monkeypatch.setattr(drive.os, "fsync", lambda _: (_ for _ in ()).throw(OSError(5, "Input/output error")))
    with pytest.raises(ToolError, match="after 32768 of 100000 bytes; hold the BOOTSEL"):
        drive.copy(path, pico_drive, lambda done, total: None)


# -- an ESP32 ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("board", ["ESP32_GENERIC", "ESP32_GENERIC_S3"])
def test_an_esp32_needs_its_port(board: str, place, capsys) -> None:
    assert "name it with --port" in refused(capsys, "--board", board, "--image", place(*IMAGES[board]), status=2)


def test_a_port_that_does_not_exist_is_named(place, capsys) -> None:
    words = ("--board", "ESP32_GENERIC", "--image", place(*IMAGES["ESP32_GENERIC"]))
    assert "there is no port /dev/ttyNOWHERE7" in refused(capsys, *words, "--port", "/dev/ttyNOWHERE7")


def test_a_port_without_a_chip_is_one_line(place, capsys) -> None:
    with FarEnd() as board:
        words = ("--board", "ESP32_GENERIC", "--image", place(*IMAGES["ESP32_GENERIC"]), "--port", board.port)
        said = refused(capsys, *words)
    assert "hold its BOOT button" in said and board.port in said


@pytest.mark.parametrize(
    ("board", "chip", "offset"), [("ESP32_GENERIC", "esp32", 0x1000), ("ESP32_GENERIC_S3", "esp32s3", 0)]
)
def test_an_esp32_gets_its_image_where_it_boots_from(board: str, chip: str, offset: int, place, capsys) -> None:
    found = image.read(place(*IMAGES[board]))
    with EspROM(chip) as rom:
        flash._write(kinds.named(board), found, rom.port, Progress(sys.stdout))
        raw = IMAGES[board][1]
        assert rom.flash[offset : offset + len(raw)] == raw
        assert set(rom.flash[:offset]) | set(rom.flash[-(1 << 20) :]) == {0xFF}
    assert f"writing {len(raw) // 1024} KB" in capsys.readouterr().out


def test_another_esp32_is_left_alone(place, capsys) -> None:
    with EspROM("esp32s3") as rom:
        words = ("--board", "ESP32_GENERIC", "--image", place(*IMAGES["ESP32_GENERIC"]), "--port", rom.port)
        said = refused(capsys, *words)
        assert not rom.touched
    assert "has an esp32s3, and a ESP32_GENERIC has an esp32; nothing was changed" in said


def test_a_cable_pulled_while_an_esp32_is_written_is_one_line_and_the_next_run_completes_it(place, capsys) -> None:
    found = image.read(place(*IMAGES["ESP32_GENERIC"]))
    kind = kinds.named("ESP32_GENERIC")
    with EspROM(silent_after=20_000) as rom, pytest.raises(ToolError, match="BOOT button"):
        flash._write(kind, found, rom.port, Progress(sys.stdout))
    with EspROM() as rom:
        flash._write(kind, found, rom.port, Progress(sys.stdout))
        assert rom.flash[0x1000:].startswith(IMAGES["ESP32_GENERIC"][1])
