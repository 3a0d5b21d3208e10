"""The line of a simulated meter: what is heard at other settings, faults to order, and reading a meter over a pty."""

import json
import os
import select
import socket
import subprocess
import sys
import termios
import threading
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from test_on_micropython import interpreter

from meterhub.meters.iec62056 import IEC62056Decoder
from meterhub.meters.mbus import MBusDecoder
from meterhub_tools import toolchain
from meterhub_tools.errors import ToolError
from meterhub_tools.simulators import command, faults, wire
from meterhub_tools.simulators.household import Household
from meterhub_tools.simulators.iec62056_meter import Iec62056Meter, Iec62056PushMeter
from meterhub_tools.simulators.mbus_meter import MBusMeter
from meterhub_tools.simulators.modbus_meter import ModbusMeter
from meterhub_tools.simulators.p1_meter import P1Meter
from meterhub_tools.simulators.wire import Line, PtyWire, as_heard

READ = Path(__file__).with_name("line_read.py")
START = 1735689600
ALL_BYTES = bytes(range(256))
EIGHT, EVEN, ODD, SEVEN = (Line.of(9600, form) for form in ("8N1", "8E1", "8O1", "7E1"))

# -- levels ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", [EIGHT, EVEN, ODD, Line.of(300, "8N2")])
def test_the_same_settings_hear_what_was_sent(line: Line) -> None:
    assert as_heard(ALL_BYTES, line, line) == ALL_BYTES
    twin = line._replace(baud=line.baud + 1)  # as far apart as two quartzes: worked out bit by bit
    assert as_heard(ALL_BYTES, line, twin) == ALL_BYTES


def test_seven_bits_and_parity_read_as_eight_have_it_in_the_eighth() -> None:
    assert as_heard(b"/1a", SEVEN, EIGHT) == b"\xaf\xb1\xe1"
    assert as_heard(b"\xaf\xb1\xe1", EIGHT, SEVEN) == b"/1a"
    assert as_heard(b"\xaf\x31\xe1", EIGHT, SEVEN) == b"/\x00a"  # a wrong parity


def test_even_is_not_odd() -> None:
    assert as_heard(ALL_BYTES[1:], EVEN, ODD) == bytes(255)


@pytest.mark.parametrize("baud", [300, 2400, 4800, 19200, 115200])
def test_another_speed_is_garbage(baud: int) -> None:
    raw = Iec62056Meter(Household(START)).readout(START)
    heard = as_heard(raw, SEVEN, Line.of(baud, "7E1"))
    assert heard
    decoder = IEC62056Decoder()
    assert decoder.feed(heard, len(heard)) in ([], ())


# -- faults ------------------------------------------------------------------------------------------------


def damaged(kind: str, chance: str = "1", n: int = 200) -> tuple[faults.Faults, list[bytes]]:
    bad_line = faults.Faults([f"{kind}:{chance}"])
    frame = MBusMeter(Household(START)).answers(START)[0]
    return bad_line, [bad_line.spoil(frame) for _ in range(n)]


@pytest.mark.parametrize("kind", faults.KINDS)
def test_no_frame_with_a_fault_is_believed_wrongly(kind: str) -> None:
    good = MBusDecoder()
    frame = MBusMeter(Household(START)).answers(START)[0]
    (truth,) = good.feed(frame, len(frame))
    bad_line, frames = damaged(kind)
    assert bad_line.count == {kind: 200}
    decoder = MBusDecoder()
    found: list[Any] = []
    for raw in frames:
        found.extend(decoder.feed(raw, len(raw)))
        found.extend(decoder.silence())
    assert all(telegram == truth for telegram in found)
    assert bool(found) == (kind == "noise")
    assert decoder.errors


def test_faults_come_as_often_as_they_were_ordered_and_each_time_the_same() -> None:
    bad_line, frames = damaged("crc", "0.1", 1000)
    assert 60 < bad_line.count["crc"] < 140
    assert frames == damaged("crc", "0.1", 1000)[1]
    assert faults.Faults().spoil(b"abc") == b"abc"


@pytest.mark.parametrize("text", ["crc:2", "crc:-1", "crc:x", "fire", ""])
def test_a_fault_that_is_none_is_wrong_usage(text: str) -> None:
    with pytest.raises(ValueError):
        faults.parsed(text)
    ended = meterhub("simulate", "sml", "--fault", text)
    assert (ended.returncode, "Traceback" in ended.stderr) == (2, False)


@pytest.mark.parametrize("text", ["sag@60", "sag@60+", "dip@60+40", "sag@60+40/4", "sag@-1+40", "crc@60+40", "@"])
def test_a_fault_of_the_grid_that_is_none_is_wrong_usage(text: str) -> None:
    with pytest.raises(ValueError, match="fault of the grid"):
        faults.planted(text)
    ended = meterhub("simulate", "p1", "--fault", text)
    assert (ended.returncode, "Traceback" in ended.stderr) == (2, False)


def test_faults_of_the_grid_are_what_every_meter_tells_at_their_time() -> None:
    home = Household(START)
    command.plant(home, START + 1000, ["sag@60+40/1", "swell@70+10/2", "interruption@200+5"])
    truth = Household(START)
    for second, expected in (
        (59, [None, None, None]),
        (60, [2100, None, None]),
        (70, [2100, 2560, None]),
        (80, [2100, None, None]),
        (99, [2100, None, None]),
        (100, [None, None, None]),
        (200, [20, 20, 20]),
        (205, [None, None, None]),
    ):
        at = START + 1000 + second
        phases = home.phases(at)
        wanted = [dv or phase.dv for dv, phase in zip(expected, truth.phases(at), strict=True)]
        assert [phase.dv for phase in phases] == wanted, second
        assert all(phase.w == 0 for phase in phases) == (second == 200)
        telegram = P1Meter(home).telegram(at).decode()
        assert f"1-0:32.7.0({wanted[0] // 10:03d}.{wanted[0] % 10}*V)" in telegram
        counts = (2 + (second >= 60) + (second >= 200), 3 + (second >= 70))
        assert f"1-0:32.32.0({counts[0]:05d})" in telegram
        assert f"1-0:52.36.0({counts[1]:05d})" in telegram
        readout = Iec62056Meter(home).readout(at).decode()
        assert all(f"{n}2.7.0({dv // 10:03d}.{dv % 10}*V)" in readout for n, dv in zip("357", wanted, strict=True))
        assert wanted[1].to_bytes(2, "little") in b"".join(MBusMeter(home).answers(at))


# -- a pty -------------------------------------------------------------------------------------------------


@contextmanager
def playing(meter: Any, bad_line: faults.Faults | None = None) -> Iterator[PtyWire]:
    """Play `meter` on a pty in a thread."""
    line = PtyWire(meter.line)
    ended = threading.Event()
    player = command.Player(meter, line, command.Clock(START + 1000, 1), bad_line or faults.Faults())
    thread = threading.Thread(target=player.play, args=(ended.is_set,))
    thread.start()
    try:
        yield line
    finally:
        ended.set()
        thread.join()
        line.close()


def read(kind: str, line: PtyWire, *words: str) -> list:
    """Let the firmware read the meter on `line`; return what its session ended with."""
    said = subprocess.run(
        [interpreter(64), READ, kind, line.path, *words],
        env=toolchain.environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert said.returncode == 0, said.stdout + said.stderr
    found: list = json.loads(said.stdout)
    return found


def numbers(ended: list) -> dict[str, Decimal]:
    assert ended[0] == "done", ended
    return {r[0]: Decimal(r[1]).scaleb(r[2]) for telegram in ended[1] for r in telegram}


def test_mode_c_from_300_baud_to_9600() -> None:
    home = Household(START)
    with playing(Iec62056Meter(home)) as line:
        values = numbers(read("iec62056", line))
        assert line.hub_line() == Line.of(9600, "7E1")
    assert home.registers(START + 1000).import_wh <= values["1-0:1.8.0"] <= home.registers(START + 1060).import_wh


def test_registers_of_mode_c_one_by_one() -> None:
    with playing(Iec62056Meter(Household(START), rate=4800)) as line:
        values = numbers(read("iec62056", line, "1.8.0", "32.7.0"))
    assert sorted(values) == ["1-0:1.8.0", "1-0:32.7.0"]


def test_an_mbus_meter_by_both_addresses_over_a_bad_line() -> None:
    home = Household(START)
    with playing(MBusMeter(home), faults.Faults(["noise:0.3"])) as line:
        for address in ("5", "40102030"):
            values = numbers(read("mbus", line, address))
            assert values["energy"] >= home.registers(START).import_wh
            assert "power" in values


def test_a_modbus_meter_by_its_map() -> None:
    with playing(ModbusMeter(Household(START))) as line:
        values = numbers(read("modbus", line, "sdm120"))
    assert len(values) == 13


def test_another_speed_on_a_pty_is_garbage_on_both_sides() -> None:
    line = PtyWire(Line.of(2400, "7E1"))
    hub = os.open(line.path, os.O_RDWR | os.O_NOCTTY)
    try:
        tty.setraw(hub)
        raw = Iec62056PushMeter(Household(START)).frames(START)[0][:60]
        for speed, is_heard in ((termios.B2400, True), (termios.B9600, False)):
            attributes = termios.tcgetattr(hub)
            attributes[0] |= termios.INPCK | termios.ISTRIP
            attributes[4] = attributes[5] = speed
            termios.tcsetattr(hub, termios.TCSANOW, attributes)
            line.write(raw)
            heard = b""
            while select.select([hub], [], [], 0.3)[0]:
                heard += os.read(hub, 4096)
            assert heard
            assert (heard == raw) == is_heard
            os.write(hub, b"/?!\r\n")
            assert (line.read(1) == b"/?!\r\n") == is_heard
    finally:
        os.close(hub)
        line.close()


def test_a_line_is_as_fast_as_its_bits_and_drops_what_nobody_reads() -> None:
    line = PtyWire(Line.of(115200, "8N1"), any_line=True)
    try:
        started = time.monotonic()
        line.write(bytes(2 * wire.RECEIVE_BUFFER_BYTES))
        assert time.monotonic() - started >= 2 * wire.RECEIVE_BUFFER_BYTES * 10 / 115200 * 0.99
        assert line.dropped_bytes >= wire.RECEIVE_BUFFER_BYTES - 115
    finally:
        line.close()


# -- the command -------------------------------------------------------------------------------------------


def meterhub(*words: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-m", "meterhub_tools.cli", *words]
    return subprocess.run(program, capture_output=True, text=True, check=False, timeout=30)


@pytest.mark.parametrize(
    ("words", "speed"), [(["p1"], "115200"), (["sml"], "9600"), (["dlms", "--encrypted"], "2400")], ids=lambda w: w[0]
)
def test_the_command_prints_its_pty_and_pushes(words: list[str], speed: str, tmp_path: Path) -> None:
    told = tmp_path / "home.json"
    told.write_text(json.dumps({"seed": 3, "start": "2025-03-01T00:00:00+01:00", "zone": "Europe/Oslo"}))
    program = [sys.executable, "-m", "meterhub_tools.cli", "simulate", *words, "--any-line", "--household", str(told)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            first = process.stdout.readline()
            assert speed in first
            assert ("key" in process.stdout.readline()) if "--encrypted" in words else True
            hub = os.open(first.split()[1].rstrip(","), os.O_RDWR | os.O_NOCTTY)
            assert select.select([hub], [], [], 15)[0]
            assert os.read(hub, 16)
            os.close(hub)
        finally:
            process.send_signal(2)
        assert process.wait(20) == 0


def test_pulses_come_to_whoever_connects_to_the_bench() -> None:
    program = [sys.executable, "-m", "meterhub_tools.cli", "simulate", "pulse", "--speed", "3600"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            host, port = process.stdout.readline().split('"')[3].split(":")
            with socket.create_connection((host, int(port)), 10) as pins:
                pins.sendall(b"gpio\n")
                pins.settimeout(20)
                said = b""
                while b"pulse0 " not in said:
                    said += pins.recv(100)
        finally:
            process.send_signal(2)
        assert process.wait(20) == 0


@pytest.mark.parametrize("text", ["", "[]", '{"start": "yesterday"}', '{"opening": {"gas": 1}}', '{"zone": "Mars"}'])
def test_a_household_that_is_none_is_said(text: str, tmp_path: Path) -> None:
    told = tmp_path / "home.json"
    told.write_text(text)
    with pytest.raises(ToolError, match=r"home\.json"):
        command.household(told, START)


def test_without_a_file_the_household_is_met_now() -> None:
    home, at = command.household(None, START + 5)
    assert (home.start, at) == (START, START + 5)


def test_a_port_that_is_not_there_is_said() -> None:
    ended = meterhub("simulate", "mbus", "--port", "/dev/nothing")
    assert (ended.returncode, "/dev/nothing" in ended.stderr, "Traceback" in ended.stderr) == (1, True, False)
