"""The microcontrollers' board on stand-ins for `machine` and `network`: the boards' own pins, and both epochs."""

import asyncio
import calendar
import importlib
import json
import sys
import time
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

from meterhub_tools import toolchain

BOARDS = {path.parent.name: json.loads(path.read_text()) for path in toolchain.ROOT.glob("boards/*/board.json")}
CHIPS = [name for name, board in BOARDS.items() if "i2c" in board]
AUTUMN = 1790000123
LINE = {"bits": 8, "parity": None, "stop": 1, "inverted": True}


class Clock:
    """The board's RTC, counting from `epoch` as the port does."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch
        self.unix_s = epoch

    def gmtime(self, seconds: int) -> tuple:
        return tuple(time.gmtime(seconds + self.epoch))[:8]

    def time(self) -> int:
        return self.unix_s - self.epoch

    def datetime(self, fields: tuple) -> None:
        year, month, day, weekday, hour, minute, second, _ = fields
        self.unix_s = calendar.timegm((year, month, day, hour, minute, second))
        assert weekday == time.gmtime(self.unix_s).tm_wday


class Pin:
    IN, OUT, PULL_UP, IRQ_FALLING, IRQ_RISING = 0, 1, 2, 4, 8
    made: dict[int, "Pin"] = {}

    def __init__(self, number: int, mode: int = 0, pull: int = 0, value: int = 1) -> None:
        assert number not in self.made, "one pin for two purposes"
        self.made[number] = self
        self.level = value

    def irq(self, handler: object, trigger: int) -> None:
        self.handler, self.trigger = handler, trigger

    def value(self) -> int:
        return self.level

    def move(self, level: int) -> None:
        self.level = level
        if self.trigger & (Pin.IRQ_RISING if level else Pin.IRQ_FALLING):
            self.handler(self)


class Flag(asyncio.Event):
    """asyncio.ThreadSafeFlag"""


class Chip:
    """The module under test, on stand-ins."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, epoch: int) -> None:
        self.clock = Clock(epoch)
        self.uarts: list[dict] = []
        self.fed = 0
        self.joined: list[tuple] = []
        self.online = False
        self.ticks = 0
        uart = lambda number, **words: self.uarts.append({"id": number} | words)  # noqa: E731
        uart.INV_RX = 32
        machine = types.SimpleNamespace(Pin=Pin, UART=uart, I2C=lambda number, **words: {"id": number} | words)
        machine.RTC = lambda: self.clock
        machine.WDT = lambda timeout: types.SimpleNamespace(feed=self.feed)
        machine.unique_id = lambda: b"\1\2\3\4\5\6\7\10"
        network = types.SimpleNamespace(STA_IF=0, WLAN=lambda _: self, country=self.joined.append)
        monkeypatch.setitem(sys.modules, "machine", machine)
        monkeypatch.setitem(sys.modules, "network", network)
        monkeypatch.delitem(sys.modules, "meterhub.hal.chip", raising=False)
        monkeypatch.setattr(asyncio, "ThreadSafeFlag", Flag, raising=False)
        monkeypatch.setattr(asyncio, "sleep_ms", lambda ms: asyncio.sleep(0), raising=False)
        monkeypatch.setattr(asyncio, "StreamReader", lambda port: port)
        Pin.made.clear()
        self.module = importlib.import_module("meterhub.hal.chip")
        own_time = types.SimpleNamespace(time=self.clock.time, gmtime=self.clock.gmtime, ticks_cpu=time.monotonic_ns)
        monkeypatch.setattr(self.module, "time", own_time)
        monkeypatch.setattr(self.module, "now_ms", lambda: self.ticks)
        monkeypatch.setattr(importlib.import_module("meterhub.hal.button"), "now_ms", lambda: self.ticks)

    def feed(self) -> None:
        self.fed += 1

    # network.WLAN
    def active(self, on: bool) -> None:
        self.joined.append(("active", on))

    def connect(self, ssid: str, password: str) -> None:
        self.joined.append((ssid, password))
        self.online = True

    def isconnected(self) -> bool:
        return self.online


@pytest.fixture(params=[0, 946684800], ids=["counts from 1970", "counts from 2000"])
def chip(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Chip]:
    yield Chip(monkeypatch, request.param)
    sys.modules.pop("meterhub.hal.chip", None)


def board_of(chip: Chip, folder: Path, name: str = "RPI_PICO_W", **changed: object) -> object:
    return chip.module.Board(BOARDS[name] | {"data": str(folder / "data")} | changed)


def test_the_epoch_of_the_port_is_seen_nowhere(chip: Chip, tmp_path: Path) -> None:
    board = board_of(chip, tmp_path)
    assert not board.clock_is_set()
    board.set_time(AUTUMN)
    assert (board.time(), board.clock_is_set(), chip.clock.unix_s) == (AUTUMN, True, AUTUMN)
    chip.clock.unix_s += 7
    assert board.time() == AUTUMN + 7


@pytest.mark.parametrize("name", CHIPS)
def test_a_boards_file_wires_everything_without_using_a_pin_twice(chip: Chip, tmp_path: Path, name: str) -> None:
    board = board_of(chip, tmp_path, name)
    for line in BOARDS[name]["uart"]:
        board.uart(line, 115200, **LINE)
    board.i2c()
    board.button("A")
    board.button("B")
    for pulse in BOARDS[name]["pulse"]:
        board.pulse(pulse)
    assert len(Pin.made) >= 8


def test_a_serial_line_has_room_for_a_whole_telegram_and_inverts(chip: Chip, tmp_path: Path) -> None:
    board = board_of(chip, tmp_path)
    board.uart("p1", 9600, 7, 0, 1, False)
    assert chip.uarts[0]["invert"] == 0
    assert [chip.uarts[0][key] for key in ("baudrate", "bits", "parity", "stop")] == [9600, 7, 0, 1]
    Pin.made.clear()
    board.uart("p1", 115200, **LINE)
    assert (chip.uarts[1]["invert"], chip.uarts[1]["rxbuf"], chip.uarts[1]["timeout"]) == (32, 4096, 0)
    with pytest.raises(KeyError):
        board.uart("p2", 115200, **LINE)


def test_a_pulse_is_counted_when_the_contact_closes(chip: Chip, tmp_path: Path) -> None:
    async def run() -> None:
        pulse = board_of(chip, tmp_path).pulse("pulse0")
        pin = Pin.made[16]
        for chip.ticks in (100, 200, 300):
            pin.move(0)
            pin.move(1)
        assert (await pulse.wait(), pulse.at_ms) == (3, 300)

    asyncio.run(run())


def test_a_press_is_seen_even_when_nobody_looked_meanwhile(chip: Chip, tmp_path: Path) -> None:
    async def run() -> None:
        button = board_of(chip, tmp_path).button("A")
        pin = Pin.made[14]
        chip.ticks = 1000
        pin.move(0)
        chip.ticks = 1080
        pin.move(1)
        chip.ticks = 2000
        assert await button.pressed() == "short"

    asyncio.run(run())


def test_the_wifi_is_joined_and_joined_again(chip: Chip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        naps = []

        async def nap(seconds: float) -> None:
            naps.append(seconds)
            await sleep(0)

        sleep = asyncio.sleep
        monkeypatch.setattr(asyncio, "sleep", nap)
        board = board_of(chip, tmp_path, wifi={"country": "DE", "ssid": "home", "password": "12345678"})
        await board.network_up()
        assert chip.joined == ["DE", ("active", True), ("home", "12345678")]
        chip.online = False
        await board.network_up()
        assert chip.joined[3:] == [("active", True), ("home", "12345678")]

    asyncio.run(run())


def test_without_wifi_there_is_never_a_network(chip: Chip, tmp_path: Path) -> None:
    async def run() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(board_of(chip, tmp_path).network_up(), 0.05)
        assert chip.joined == []

    asyncio.run(run())


def test_entropy_watchdog_and_identity(chip: Chip, tmp_path: Path) -> None:
    board = board_of(chip, tmp_path)
    assert len(board.entropy(48)) == 48
    assert board.entropy(32) != board.entropy(32)
    board.feed_watchdog()
    assert (chip.fed, len(board.unique_id())) == (1, 8)
    board_of(chip, tmp_path, watchdog_ms=0).feed_watchdog()
    assert chip.fed == 1


def test_no_secret_stands_in_a_boards_file() -> None:
    for board in BOARDS.values():
        assert not any(board.get("wifi", {}).values())
