"""Bad input to a whole hub: each a named event, nothing overwritten, nothing merged."""

import gc
import json
from pathlib import Path

import pytest
from test_tenancy import NOW, STEP
from test_tenancy import Board as StillBoard

from meterhub import console
from meterhub.codec.load_profile import MEASURED, PARTIAL
from meterhub.meters.reading import Reading, Telegram

IMPORT = "1-0:1.8.0"


class Board(StillBoard):
    """Its clock says `at`."""

    def __init__(self, folder: Path, number: bytes) -> None:
        super().__init__(folder)
        self.at = NOW
        self._number = number

    def time(self) -> int:
        return self.at

    def unique_id(self) -> bytes:
        return self._number

    def i2c(self, most_hz: int) -> object:
        raise OSError(most_hz)


class Bench:
    """A hub with a P1 meter and a heat meter, whose telegrams come by hand. `events`: names of the journal so far."""

    def __init__(self, folder: Path, said: list[str], number: bytes = b"board", at: int = NOW) -> None:
        from meterhub.app import Hub

        folder.mkdir(exist_ok=True)
        settings = {
            "schema": 1,
            "display": {"driver": "none"},
            "meters": [
                {"protocol": "p1", "input": "p1"},
                {"protocol": "sml", "input": "serial", "registers_kept": [IMPORT]},
            ],
        }
        if not (folder / "settings.json").exists():
            (folder / "settings.json").write_text(json.dumps(settings))
        self.board = Board(folder, number)
        self.board.at = at
        self.hub = Hub(self.board)
        self.said = said

    def tell(self, at: int | None, wh: int, meter: int = 0, serial: str = "E1") -> None:
        """A telegram of a meter: its time, its register."""
        found = self.hub.meters[meter]
        if at and abs(at - NOW) < 86400:
            self.board.at = at
        readings = [Reading(IMPORT, wh, 0, "Wh", serial, 0, at)]
        self.hub.household.take(found, Telegram(serial, "", at, readings, {}))

    @property
    def events(self) -> list[str]:
        lines = [json.loads(line) for line in self.said]
        return [line["name"] for line in lines if line["ev"] == "journal"]

    def kept(self, meter: int = 0) -> list[tuple]:
        profile = self.hub.meters[meter].profile
        entries = profile.read(NOW - 10 * STEP, NOW + 10 * STEP)
        return [((entry.at - NOW) // STEP, entry.quality, entry.values[0]) for entry in entries if entry.quality]


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []
    monkeypatch.setattr(console, "line", lines.append)
    monkeypatch.setattr(gc, "mem_free", lambda: 0, raising=False)
    return lines


@pytest.fixture
def bench(tmp_path: Path, said: list[str]) -> Bench:
    return Bench(tmp_path / "hub", said)


@pytest.mark.parametrize("at", [0, 1577836799, 4133980800])
def test_a_meters_time_that_cannot_be_is_named_once_and_the_hubs_own_is_taken(bench: Bench, at: int) -> None:
    bench.tell(at, 1000)
    bench.tell(at, 1001)
    assert bench.events == ["CLOCK_INVALID"]
    assert bench.kept() == [(0, MEASURED, 1000)]


def test_a_register_that_jumps_runs_back_or_rolls_over_is_named_and_the_true_value_kept(bench: Bench) -> None:
    bench.tell(NOW - STEP, 98_999_990)
    bench.tell(NOW - STEP + 10, 20_000_000_000)
    bench.tell(NOW - STEP + 20, 5)
    bench.tell(NOW, 99_999_990)
    for n in range(3):
        bench.tell(NOW + 10 + n, 3 + n)
    assert bench.events == ["REGISTER_JUMP", "REGISTER_BACKWARD", "REGISTER_ROLLED"]
    assert bench.kept() == [(-1, MEASURED, 98_999_990), (0, MEASURED, 99_999_990)]
    bench.tell(NOW + STEP, 6)
    assert bench.kept()[-1] == (1, MEASURED, 6)


def test_intervals_that_come_twice_or_out_of_order_are_named_and_overwrite_nothing(bench: Bench) -> None:
    for n, wh in ((-3, 10), (-1, 30), (-2, 20), (-2, 31), (-1, 32), (-3, 9), (0, 40)):
        bench.tell(NOW + n * STEP, wh)
    assert set(bench.events) == {"INTERVAL_LATE", "REGISTER_BACKWARD"}
    assert bench.kept() == [(-3, MEASURED, 10), (-1, MEASURED, 30), (0, MEASURED, 40)]


def test_two_meters_with_one_id_are_named_and_their_histories_stay_apart(bench: Bench) -> None:
    for n in (-1, 0):
        bench.tell(NOW + n * STEP, 1000 + n, 0, "SAME")
        bench.tell(NOW + n * STEP, 5000 + n, 1, "SAME")
    assert bench.events == ["METER_TWICE"] * 2  # each of them once
    assert bench.kept(0) == [(-1, MEASURED, 999), (0, MEASURED, 1000)]
    assert bench.kept(1) == [(-1, MEASURED, 4999), (0, MEASURED, 5000)]


def test_settings_of_a_newer_firmware_are_named_and_left_as_they_are(bench: Bench, said: list[str]) -> None:
    path = Path(bench.board.data_dir) / "settings.json"
    newer = json.dumps({"schema": 2, "meters": {"new": "shape"}})
    path.write_text(newer)
    again = Bench(path.parent, said)
    assert again.events == ["SETTING_REFUSED"]
    assert (path.read_text(), len(again.hub.meters)) == (newer, 2)


def test_a_flash_image_of_another_hub_is_named_and_not_a_byte_of_it_changes(bench: Bench, said: list[str]) -> None:
    bench.tell(NOW, 1000)
    folder = Path(bench.board.data_dir)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    stranger = Bench(folder, said, b"another board")
    assert stranger.events == ["STORE_FOREIGN"]
    assert stranger.hub.meters == []
    stranger.hub.household.tick()
    stranger.hub.outages.beat()
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert Path(stranger.board.data_dir).parent == folder.parent
    assert Bench(folder, said).kept() == [(0, MEASURED, 1000)]


def test_after_an_outage_the_half_hours_it_touched_are_partial(bench: Bench, said: list[str]) -> None:
    bench.tell(NOW - STEP, 1000)
    bench.hub.outages.beat()
    again = Bench(Path(bench.board.data_dir), said, at=NOW + 700)
    again.tell(NOW + 700, 1005)
    assert again.events == ["supply restored 3 min"]
    again.tell(NOW + STEP, 1010)
    again.tell(NOW + 2 * STEP, 1020)
    assert again.kept() == [(-1, MEASURED, 1000), (1, PARTIAL, 1010), (2, MEASURED, 1020)]
