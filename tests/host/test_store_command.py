"""`meterhub store`: what a hub keeps, out of an image of its flash or out of its folder."""

import csv
import io
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from test_on_micropython import TESTS, interpreter

from meterhub_tools import cli, toolchain
from meterhub_tools.store import image

T = 1761350400  # 2025-10-25
PICO = 655360  # where a Pico's file system begins
FROZEN_PICO = 851968  # where it does with the firmware in the image


@pytest.fixture(scope="module")
def file_system(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("image") / "fs.bin"
    words = [interpreter(64), "-X", "heapsize=6m", TESTS / "host/flash_image.py", path]
    subprocess.run([str(word) for word in words], env=toolchain.environment(TESTS / "lib"), check=True)
    return path.read_bytes()


@pytest.fixture
def pulled(file_system: bytes, tmp_path: Path) -> Path:
    """A Pico's whole flash."""
    path = tmp_path / "pulled.bin"
    path.write_bytes(b"firmware".ljust(PICO, b"\xff") + file_system)
    return path


@pytest.fixture
def folder(pulled: Path, tmp_path: Path) -> Path:
    with image.opened(pulled) as found:
        shutil.copytree(found.folder, tmp_path / "data")
    return tmp_path / "data"


def test_a_pulled_flash_is_listed(pulled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["store", "ls", str(pulled)]) == 0
    kinds = {line.split()[0]: line.split(maxsplit=2)[2] for line in capsys.readouterr().out.splitlines()}
    assert kinds["profile/202510a.lp"] == kinds["profile/202511a.lp"] == "load profile"
    assert (kinds["identity.1"], kinds["last/main.1"]) == ("record", "last values of a meter")
    assert cli.main(["store", "ls", "--json", str(pulled)]) == 0
    assert {row["name"] for row in json.loads(capsys.readouterr().out)} == set(kinds)


def test_every_value_comes_out_as_csv(pulled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["store", "dump", str(pulled)]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(rows) == 900
    for n in range(450):
        first, second = rows[2 * n : 2 * n + 2]
        assert int(first["at"]) == int(second["at"]) == T + 1800 * n
        assert (first["obis"], first["value"], first["unit"]) == ("1-0:1.8.0", str(1000 + 100 * n), "Wh")
        assert first["meter"] == ("M2" if n >= 400 else "M1")
        assert second["value"] == ("" if n % 2 else "5")
        assert first["quality"] == ("partial" if n == 7 else "measured")
    assert rows[0]["end"] == "2025-10-25T00:00:00Z"


def test_everything_comes_out_as_json_and_no_secret_does(pulled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["store", "dump", "--json", str(pulled)]) == 0
    out = capsys.readouterr().out
    told = json.loads(out)
    assert len(told["profiles"]["profile"]) == 900
    assert [entry["detail"] for entry in told["journal"]["event"]] == [f"number {n}" for n in range(120)]
    assert told["last"] == {"main": {"at": T, "pulses": 77, "values": {"1-0:1.8.0": 45900}}}
    assert told["records"] == {"identity": 24}
    assert told["settings"]["wifi"]["password"] is True
    assert "secret" not in out
    assert "sesame" not in out


def test_a_whole_store_is_verified_in_an_image_and_in_a_folder(
    pulled: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for source in (pulled, folder, folder.parent):
        assert cli.main(["store", "verify", str(source)]) == 0
        out = capsys.readouterr().out
        assert "profile: 450 intervals" in out
        assert "nothing is damaged" in out


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("profile/202510a.lp", "profile/202510a.lp: damaged at byte"),
        ("journal/event.0", "journal: bytes that are no entry"),
        ("identity.1", "identity: no whole slot"),
        ("last/main.1", "last/main: no whole slot"),
        ("settings.json", "settings.json: schema"),
    ],
)
def test_what_is_damaged_is_named_and_stays_as_it_is(
    name: str, damage: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / name
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 0x80
    path.write_bytes(raw)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert cli.main(["store", "verify", "--json", str(folder)]) == 1
    told = json.loads(capsys.readouterr().out)["damage"]
    assert told
    assert any(one.startswith(damage) for one in told)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_what_the_hub_has_set_aside_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "consents.0.bad").write_bytes(b"x")
    assert cli.main(["store", "verify", str(folder)]) == 1
    assert "consents.0.bad: set aside" in capsys.readouterr().out


def test_the_file_system_is_found_by_the_boards_layouts_or_where_it_is_said_to_be(
    file_system: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "other.bin"
    assert image.layouts()["RPI_PICO"] == [PICO, FROZEN_PICO]
    assert image.layouts()["ESP32_GENERIC"] == [0x200000]
    for place, words in (
        (0, []),
        (0x200000, []),
        (FROZEN_PICO, ["--board", "RPI_PICO"]),
        (0x200000, ["--board", "ESP32_GENERIC"]),
        (0x3000, ["--offset", "0x3000"]),
    ):
        path.write_bytes(b"\xff" * place + file_system)
        assert cli.main(["store", "verify", str(path), *words]) == 0
    assert cli.main(["store", "verify", str(path)]) == 1
    assert "has no littlefs at" in capsys.readouterr().err
    path.write_bytes(file_system[:-4096])
    assert cli.main(["store", "verify", str(path)]) == 1
    path.write_bytes(b"littlefs" * 3000)
    assert cli.main(["store", "verify", str(path)]) == 1


def test_a_file_system_that_cannot_be_mounted_is_said(pulled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw = bytearray(pulled.read_bytes())
    for block in (0, 1):
        raw[PICO + 4096 * block + 40 : PICO + 4096 * block + 4000] = b"\x55" * 3960
    pulled.write_bytes(raw)
    assert cli.main(["store", "ls", str(pulled)]) == 1
    assert "cannot be mounted" in capsys.readouterr().err


def test_what_is_no_hubs_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    for source, words in ((tmp_path / "empty", "no hub's folder"), (tmp_path / "none", "No such file")):
        assert cli.main(["store", "ls", str(source)]) == 1
        assert words in capsys.readouterr().err


def test_the_voltage_log_is_listed_and_what_is_damaged_of_it_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from meterhub.store.voltage_log import VoltageLog

    log = VoltageLog(str(folder / "voltage"))
    for n in range(5):
        log.append(T + 1800 * n, 1800, 5, (2300 + n, None, 2290), (100, 0, 97))
    assert cli.main(["store", "ls", str(folder)]) == 0
    assert "voltage log" in capsys.readouterr().out
    assert cli.main(["store", "dump", "--json", str(folder)]) == 0
    told = json.loads(capsys.readouterr().out)["voltage"]
    assert told[0] == [T, 1800, [2300, 2290], [100, 97]]
    path = folder / "voltage/00000001.vl"
    raw = bytearray(path.read_bytes())
    raw[16 + 10 * 2 + 3] ^= 1
    path.write_bytes(raw)
    assert cli.main(["store", "verify", str(folder)]) == 1
    said = capsys.readouterr().out
    assert "voltage log: 4 periods" in said
    assert "voltage log 00000001.vl damaged at byte 36" in said
