"""The microcontrollers' board on stand-ins for `machine` and `network`: the boards' own pins, and both epochs."""

import asyncio
import calendar
import importlib
import json
import sys
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from meterhub_tools import toolchain

BOARDS = {path.parent.name: json.loads(path.read_text()) for path in toolchain.ROOT.glob("boards/*/pins.json")}
SWITCHES = ("supply", "load1", "load2", "load3", "load4")
CHIPS = [name for name, board in BOARDS.items() if "i2c" in board]
AUTUMN = 1790000123
HOME = {"country": "DE", "ssid": "home", "password": "12345678"}
LINE = {"form": "8N1", "inverted": True}


class Clock:
    """The board's RTC, counting from `epoch` as the port does."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch
        self.unix_s = epoch

    def gmtime(self, seconds: int) -> tuple:
        if not -(1 << 31) <= seconds < 1 << 31:
            raise OverflowError("as a port of 32 bits")
        return tuple(time.gmtime(seconds + self.epoch))[:8]

    def time(self) -> int:
        seconds = self.unix_s - self.epoch
        return seconds - (1 << 32) if self.epoch and seconds >= 1 << 31 else seconds  # the ESP32's is signed

    def datetime(self, fields: tuple) -> None:
        year, month, day, weekday, hour, minute, second, _ = fields
        self.unix_s = calendar.timegm((year, month, day, hour, minute, second))
        assert weekday == time.gmtime(self.unix_s).tm_wday


class Pin:
    IN, OUT, OPEN_DRAIN, PULL_UP, IRQ_FALLING, IRQ_RISING = 0, 1, 3, 2, 4, 8
    made: dict[int, "Pin"] = {}

    def __init__(self, number: int, mode: int = 0, pull: int = 0, value: int = 1) -> None:
        assert number not in self.made, "one pin for two purposes"
        self.made[number] = self
        self.mode, self.pull = mode, pull
        self.level = value
        self.levels = [value]

    def irq(self, handler: object, trigger: int, **words: bool) -> None:
        self.handler, self.trigger, self.words = handler, trigger, words

    def value(self, level: int | None = None) -> int:
        if level is not None:
            self.level = level
            self.levels.append(level)
        return self.level

    def on(self) -> None:
        self.levels.append(1)

    def off(self) -> None:
        self.levels.append(0)

    def move(self, level: int) -> None:
        self.level = level
        if self.trigger & (Pin.IRQ_RISING if level else Pin.IRQ_FALLING):
            self.handler(self)


class Flag(asyncio.Event):
    """asyncio.ThreadSafeFlag"""


class Port:
    """machine.UART: two looks at txdone() until what was written is out."""

    INV_RX = 32

    def __init__(self, number: int, **words: object) -> None:
        self.words = words | {"id": number}
        self.sent, self.looks = b"", 0

    def write(self, data: bytes) -> None:
        self.sent += data

    def init(self, **words: object) -> None:
        self.changed = words

    def txdone(self) -> bool:
        self.looks += 1
        return self.looks % 3 == 0


class Timer:
    PERIODIC = 1
    made: list["Timer"] = []

    def __init__(self, number: int, *, period: int, mode: int, callback: Callable[[object], None]) -> None:
        self.number, self.period, self.callback = number, period, callback
        self.made.append(self)


class Chip:
    """The modules under test, on stand-ins."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, epoch: int) -> None:
        self.clock = Clock(epoch)
        self.uarts: list[Port] = []
        self.watchdogs: list[int] = []
        self.fed = self.restarts = self.ticks = 0
        self.cause = 1
        self.network = self.stand_in_network()
        self.machine = machine = types.SimpleNamespace(Pin=Pin, UART=self.uart, Timer=Timer, WDT=self.watchdog)
        self.uart.__func__.INV_RX = Port.INV_RX
        machine.I2C = machine.SPI = lambda number, **words: {"id": number} | words
        machine.RTC = lambda: self.clock
        machine.unique_id = lambda: b"\1\2\3\4\5\6\7\10"
        machine.reset, machine.reset_cause = self.restart, lambda: self.cause
        machine.PWRON_RESET, machine.WDT_RESET = 1, 3
        monkeypatch.setitem(sys.modules, "machine", machine)
        monkeypatch.setitem(sys.modules, "network", self.network)
        for name in ("chip", "radio"):
            monkeypatch.delitem(sys.modules, "meterhub.hal." + name, raising=False)
        monkeypatch.setattr(asyncio, "ThreadSafeFlag", Flag, raising=False)
        monkeypatch.setattr(asyncio, "sleep_ms", lambda ms: asyncio.sleep(0), raising=False)
        monkeypatch.setattr(asyncio, "StreamReader", lambda port: port)
        Pin.made.clear()
        Timer.made.clear()
        self.module = importlib.import_module("meterhub.hal.chip")
        own_time = types.SimpleNamespace(time=self.clock.time, gmtime=self.clock.gmtime, ticks_cpu=time.monotonic_ns)
        monkeypatch.setattr(self.module, "time", own_time)
        monkeypatch.setattr(self.module, "now_ms", lambda: self.ticks)
        monkeypatch.setattr(importlib.import_module("meterhub.hal.button"), "now_ms", lambda: self.ticks)

    def uart(self, number: int, **words: object) -> Port:
        self.uarts.append(Port(number, **words))
        return self.uarts[-1]

    def watchdog(self, timeout: int) -> types.SimpleNamespace:
        self.watchdogs.append(timeout)
        return types.SimpleNamespace(feed=self.feed)

    def feed(self) -> None:
        self.fed += 1

    def restart(self) -> None:
        self.restarts += 1

    # network.WLAN, and the module's names as on the RP2
    def stand_in_network(self) -> types.SimpleNamespace:
        self.joined: list[object] = []
        self.online = False
        self.answers = True
        self.state = 0
        stand_in = types.SimpleNamespace(STA_IF=0, WLAN=lambda _: self, country=self.joined.append)
        stand_in.STAT_NO_AP_FOUND, stand_in.STAT_WRONG_PASSWORD, stand_in.STAT_CONNECT_FAIL = -2, -3, -1
        return stand_in

    def active(self, on: bool) -> None:
        self.joined.append(("active", on))

    def config(self, **words: int) -> None:
        self.joined.append(words)

    def connect(self, ssid: str, password: str) -> None:
        self.joined.append((ssid, password))
        self.online = self.answers

    def isconnected(self) -> bool:
        return self.online

    def status(self, of: str = "") -> int:
        if of == "rssi" and self.state == OUT_OF_REACH:
            raise OSError(of)
        return -61 if of == "rssi" else self.state


@pytest.fixture(params=[0, 946684800], ids=["counts from 1970", "counts from 2000"])
def chip(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Chip]:
    yield Chip(monkeypatch, request.param)
    for name in ("chip", "radio"):
        sys.modules.pop("meterhub.hal." + name, None)


def board_of(chip: Chip, folder: Path, name: str = "RPI_PICO_W", **changed: object) -> object:
    return chip.module.Board(BOARDS[name] | {"data": str(folder / "data")} | changed)


def test_the_epoch_of_the_port_is_seen_nowhere(chip: Chip, tmp_path: Path) -> None:
    board = board_of(chip, tmp_path)
    assert not board.clock_is_set()
    board.set_time(AUTUMN)
    assert (board.time(), board.clock_is_set(), chip.clock.unix_s) == (AUTUMN, True, AUTUMN)
    chip.clock.unix_s += 7
    assert board.time() == AUTUMN + 7


@pytest.mark.parametrize("at", [951782400, 2147483647, 2147483648, 3094168448, 4107542399, 4107542400, 4133980799])
def test_2038_2068_and_2100_pass_on_every_epoch(chip: Chip, tmp_path: Path, at: int) -> None:
    board = board_of(chip, tmp_path)
    board.set_time(at)
    assert (board.time(), chip.clock.unix_s) == (at, at)
    chip.clock.unix_s += 60
    assert board.time() == at + 60


def test_what_survives_a_reset_is_kept_where_the_chip_can(chip: Chip, tmp_path: Path) -> None:
    board = board_of(chip, tmp_path)
    assert (board.keep(b"beat"), board.kept()) == (False, b"")
    memory = [b""]

    class RTC:
        def memory(self, raw: bytes | None = None) -> bytes:
            if raw is not None:
                memory[0] = raw
            return memory[0]

    chip.machine.RTC = RTC
    assert (board.keep(b"beat"), board.kept()) == (True, b"beat")


@pytest.mark.parametrize("name", CHIPS)
def test_a_boards_file_wires_everything_without_using_a_pin_twice(chip: Chip, tmp_path: Path, name: str) -> None:
    board = board_of(chip, tmp_path, name)
    for line in BOARDS[name]["uart"]:
        board.uart(line, 115200, **LINE)
    assert board.i2c(1000000)["freq"] == BOARDS[name]["i2c"]["hz"]
    board.spi()
    board.pin_pair("tm1637")
    board.button("A")
    board.button("B")
    for switch in (name for name in BOARDS[name] if name in SWITCHES):
        board.switch(switch, False)
    for pulse in BOARDS[name]["pulse"]:
        board.pulse(pulse, 10)
    assert (len(Pin.made), board.name) == (18 if name == "ESP32_GENERIC" else 22, name)


def test_the_bus_is_no_faster_than_the_display_takes(chip: Chip, tmp_path: Path) -> None:
    assert board_of(chip, tmp_path).i2c(100000)["freq"] == 100000


def test_a_serial_line_has_room_for_a_whole_telegram_and_inverts(chip: Chip, tmp_path: Path) -> None:
    board = board_of(chip, tmp_path)
    board.uart("p1", 9600, "7E1", False)
    words = chip.uarts[0].words
    assert [words[key] for key in ("baudrate", "bits", "parity", "stop", "invert")] == [9600, 7, 0, 1, 0]
    Pin.made.clear()
    board.uart("p1", 115200, **LINE)
    words = chip.uarts[1].words
    assert (words["invert"], words["rxbuf"], words["timeout"]) == (32, 4096, 0)
    assert words["tx"] is Pin.made[BOARDS["RPI_PICO_W"]["uart"]["p1"]["request"]]  # which idles high
    with pytest.raises(KeyError):
        board.uart("p2", 115200, **LINE)


def test_the_rs485_driver_is_on_until_the_last_bit_is_out(chip: Chip, tmp_path: Path) -> None:
    line = board_of(chip, tmp_path).uart("serial", 2400, "8E1", False)
    driver = Pin.made[11]
    asyncio.run(line.send(b"\x10\x40\x01\x41\x16"))
    assert (chip.uarts[0].sent, chip.uarts[0].looks) == (b"\x10\x40\x01\x41\x16", 3)
    assert (driver.mode, driver.levels) == (Pin.OUT, [0, 1, 0])
    Pin.made.clear()
    asyncio.run(board_of(chip, tmp_path).uart("p1", 115200, **LINE).send(b"?"))
    assert chip.uarts[1].sent == b"?"


def test_a_line_is_set_anew_without_losing_its_buffer_or_pins(chip: Chip, tmp_path: Path) -> None:
    line = board_of(chip, tmp_path).uart("serial", 300, "7E1", False)
    asyncio.run(line.set_line(9600, "8N2"))
    assert chip.uarts[0].changed == {"baudrate": 9600, "bits": 8, "parity": None, "stop": 2}


def test_outputs_start_at_rest(chip: Chip, tmp_path: Path) -> None:
    board = board_of(chip, tmp_path)
    spi, select = board.spi()
    assert (select.mode, select.level) == (Pin.OUT, 1)
    assert (spi["id"], spi["sck"], spi["miso"]) == (0, Pin.made[18], None)
    assert [(pin.mode, pin.pull, pin.level) for pin in board.pin_pair("tm1637")] == [(3, Pin.PULL_UP, 1)] * 2


def test_a_switch_has_its_level_from_the_first_moment_and_its_feedback_is_a_contact_to_ground(
    chip: Chip, tmp_path: Path
) -> None:
    board = board_of(chip, tmp_path)
    switch, load = board.switch("supply", True), board.switch("load1", False)
    drive, sense = Pin.made[BOARDS["RPI_PICO_W"]["supply"]], Pin.made[BOARDS["RPI_PICO_W"]["supply_sense"]]
    assert (drive.mode, drive.levels, sense.mode, sense.pull) == (Pin.OUT, [1], Pin.IN, Pin.PULL_UP)
    assert (Pin.made[BOARDS["RPI_PICO_W"]["load1"]].levels, load.sensed()) == ([0], None)
    switch.drive(False)
    assert (drive.level, switch.sensed()) == (0, False)
    sense.level = 0
    assert switch.sensed() is True
    with pytest.raises(KeyError):
        board.switch("load5", False)


def test_a_latch_rests_at_the_start_and_each_coil_is_driven_for_a_moment(
    chip: Chip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(BOARDS["RPI_PICO_W"], "supply", {"on": 22, "off": 28})
    switch = board_of(chip, tmp_path).switch("supply", True)
    on, off = Pin.made[22], Pin.made[28]
    assert (on.levels, off.levels) == ([0], [0])
    switch.drive(True)
    switch.drive(False)
    assert (on.levels, off.levels) == ([0, 1, 0], [0, 1, 0])


def test_a_contact_is_pulled_up_where_the_chip_can(chip: Chip, tmp_path: Path) -> None:
    board = board_of(chip, tmp_path, "ESP32_GENERIC")
    board.pulse("pulse0", 10)
    assert board.held("A") is False
    assert (Pin.made[34].pull, Pin.made[32].pull) == (0, Pin.PULL_UP)
    Pin.made.clear()
    chip.machine.Pin = type("Closed", (Pin,), {"value": lambda self: 0})
    assert board.held("A") is True


def test_an_rp2_counts_each_pulse_input_in_a_state_machine_of_its_own(
    chip: Chip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    stand_in = types.SimpleNamespace(PIOPulse=lambda flag, pin, number, width_ms: made.append((pin, number, width_ms)))
    monkeypatch.setitem(sys.modules, "meterhub.hal.pulse_pio", stand_in)
    monkeypatch.setattr(sys, "platform", "rp2")
    board = board_of(chip, tmp_path)
    board.pulse("pulse1", 5)
    board.pulse("pulse0", 10)
    assert made == [(Pin.made[17], 1, 5), (Pin.made[16], 0, 10)]
    assert Pin.made[16].pull == Pin.PULL_UP


def test_a_pulse_is_counted_when_the_contact_was_closed_for_long_enough(chip: Chip, tmp_path: Path) -> None:
    async def run() -> None:
        pulse = board_of(chip, tmp_path).pulse("pulse0", 10)
        pin = Pin.made[16]
        for closed_ms in (100, 200, 300):
            for chip.ticks, level in ((closed_ms, 0), (closed_ms + 30, 1), (closed_ms + 31, 0), (closed_ms + 32, 1)):
                pin.move(level)
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


async def naps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every sleep last a moment only."""
    sleep = asyncio.sleep
    monkeypatch.setattr(asyncio, "sleep", lambda seconds: sleep(0))


def test_the_wifi_is_joined_and_joined_again(chip: Chip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        await naps(monkeypatch)
        board = board_of(chip, tmp_path)
        assert board.link() == {}
        told = []
        await board.network_up(HOME, told.append)
        assert chip.joined == ["DE", ("active", True), ("home", "12345678")]
        assert board.link() == {"ssid": "home", "rssi": -61}
        for _ in range(9):
            await asyncio.sleep(0)
        chip.online = False
        assert board.link() == {}
        await board.network_up(HOME, told.append)
        assert chip.joined[3:] == [("active", True), ("home", "12345678")]
        assert told == []

    asyncio.run(run())


OUT_OF_REACH = 1001  # the ESP32's STAT_CONNECTING; 2: the RP2 waits for an address
ENDS = [
    ("rp2", -3, "wifi wrong password"),
    ("rp2", -2, "wifi network not found"),
    ("rp2", -1, "wifi refused"),
    ("rp2", 2, "wifi no address"),
    ("rp2", 1, "wifi no answer"),
    ("esp32", 15, "wifi wrong password"),
    ("esp32", 1000, "wifi no address"),
    ("esp32", OUT_OF_REACH, "wifi no answer"),
]


@pytest.mark.parametrize("port, state, words", ENDS)
def test_what_keeps_the_wifi_down_is_told_once_and_tried_again(
    chip: Chip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, port: str, state: int, words: str
) -> None:
    async def run() -> None:
        await naps(monkeypatch)
        monkeypatch.setattr(sys, "platform", port)
        chip.answers, chip.state = False, state
        told = []
        waiting = asyncio.create_task(board_of(chip, tmp_path).network_up(HOME, told.append))
        while chip.joined.count(("home", "12345678")) < 4:
            await asyncio.sleep(0)
        assert told == [words]
        assert ({"reconnects": 0} in chip.joined) == (port == "esp32")
        chip.answers = True
        await waiting

    asyncio.run(run())


def test_a_radio_in_disorder_is_started_afresh(chip: Chip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        await naps(monkeypatch)
        connect, failures, told = chip.connect, [OSError(5), OSError(5)], []

        def fail(*words: str) -> None:
            if failures:
                raise failures.pop()
            connect(*words)

        chip.connect = fail
        await board_of(chip, tmp_path).network_up(HOME, told.append)
        assert chip.joined[1:3] == [("active", True), ("active", False)]
        assert told == ["wifi radio failed"]

    asyncio.run(run())


@pytest.mark.parametrize("name, wifi", [("RPI_PICO_W", {}), ("RPI_PICO_W", {"ssid": ""}), ("RPI_PICO", HOME)])
def test_without_radio_or_wifi_there_is_never_a_network(chip: Chip, tmp_path: Path, name: str, wifi: dict) -> None:
    async def run() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(board_of(chip, tmp_path, name).network_up(wifi, print), 0.05)
        assert chip.joined == []
        assert "meterhub.hal.radio" not in sys.modules

    asyncio.run(run())


def test_entropy_and_identity(chip: Chip, tmp_path: Path) -> None:
    board = board_of(chip, tmp_path)
    assert len(board.entropy(48)) == 48
    assert board.entropy(32) != board.entropy(32)
    assert len(board.unique_id()) == 8


def test_the_first_sign_of_life_starts_the_watchdog(chip: Chip, tmp_path: Path) -> None:
    board = board_of(chip, tmp_path)
    assert chip.watchdogs == []
    board.feed_watchdog()
    board.feed_watchdog()
    assert (chip.watchdogs, chip.fed) == ([8000], 1)
    board_of(chip, tmp_path, watchdog_ms=0).feed_watchdog()
    assert (chip.watchdogs, chip.fed) == ([8000], 1)


@pytest.mark.parametrize("port, number", [("rp2", -1), ("esp32", 0)])
def test_a_timer_feeds_the_watchdog_of_a_hub_at_rest(
    chip: Chip, monkeypatch: pytest.MonkeyPatch, port: str, number: int
) -> None:
    monkeypatch.setattr(sys, "platform", port)
    chip.module.rest()
    timer = Timer.made[0]
    assert (timer.number, timer.period) == (number, 1000)
    timer.callback(timer)
    assert chip.fed == 1


def test_the_reason_of_a_start_is_named_as_far_as_the_port_knows_it(chip: Chip, tmp_path: Path) -> None:
    board = board_of(chip, tmp_path)
    reasons = []
    for chip.cause in (1, 3, 9):
        reasons.append(board.reset_reason())
    chip.machine.HARD_RESET, chip.cause = 2, 3
    assert reasons + [board.reset_reason()] == ["power on", "restart or watchdog", "unknown", "watchdog"]


def test_the_file_system_is_measured_and_a_restart_restarts(chip: Chip, tmp_path: Path) -> None:
    board = board_of(chip, tmp_path)
    free, size = board.flash()
    assert 0 < free <= size
    board.restart()
    assert chip.restarts == 1


def test_a_contact_that_shows_interference_is_pulled_up_and_heard_between_two_looks(
    chip: Chip, tmp_path: Path
) -> None:
    contact_module = importlib.import_module("meterhub.hal.contact")
    board = board_of(chip, tmp_path, tamper={"cover": 22})
    contact = contact_module.Contact
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contact_module, "Contact", lambda read: contact(read, lambda: chip.ticks))
        cover = board.contact("cover")
    pin = Pin.made[22]
    assert (pin.mode, pin.pull) == (Pin.IN, Pin.PULL_UP)
    for ticks, level in ((1000, 0), (2000, 1), (2150, 0)):
        chip.ticks = ticks
        pin.move(level)
    chip.ticks = 3000
    cover.look()
    assert (cover.is_closed, cover.opened, cover.closed) == (True, 2, 2)
    with pytest.raises(KeyError):
        board.contact("magnet")
