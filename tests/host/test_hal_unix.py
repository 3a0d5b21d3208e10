"""The unix port's board, in MicroPython, on a pty and the simulated bench: what bends, breaks and comes back."""

import asyncio
import json
import os
import pty
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from test_on_micropython import interpreter

from meterhub_tools import toolchain
from meterhub_tools.simulators.bench import Bench

HEAD = """
import asyncio
from meterhub.hal import unix
board = unix.Board(unix.configuration())
"""
READ_LINE = """
async def main():
    line, buf = board.uart("p1", 115200, "8N1", True), bytearray(100)
    print("ready")
    while True:
        count = await line.read_into(buf)
        print(bytes(buf[:count]))
asyncio.run(main())
"""
PRESS = """
async def main():
    button = board.button("A")
    print("ready")
    while True:
        print(await button.pressed())
asyncio.run(main())
"""
LOOK = """
async def main():
    contact, nobody = board.contact("cover"), unix.Board({"data": board.data_dir}).contact("cover")
    print("ready")
    seen = None
    while True:
        contact.look(), nobody.look()
        found = (contact.is_closed, contact.opened, nobody.is_closed)
        if found != seen:
            seen = found
            print(found)
        await asyncio.sleep_ms(10)
asyncio.run(main())
"""
COUNT = """
async def main():
    pulse = board.pulse("pulse0", 10)
    print("ready")
    while True:
        print(await pulse.wait())
asyncio.run(main())
"""


SWITCH = """
import sys
switch = board.switch("supply", False)
async def main():
    print("ready")
    while True:
        word = sys.stdin.readline().strip()
        if word == "look":
            print(switch.sensed())
        else:
            switch.drive(word == "on")
asyncio.run(main())
"""


class Line:
    """A serial line under a name that stays: a pty that can be pulled out and put back."""

    def __init__(self, name: Path) -> None:
        self.name = name
        self.plug()

    def plug(self) -> None:
        self.far_end, near = pty.openpty()
        self.name.unlink(missing_ok=True)
        self.name.symlink_to(os.ttyname(near))
        os.close(near)

    def pull(self) -> None:
        os.close(self.far_end)

    def send(self, data: bytes) -> None:
        os.write(self.far_end, data)


@asynccontextmanager
async def hub(folder: Path, body: str, bits: int = 64, **board: object) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `body` on a board; it is killed at the end."""
    (folder / "program.py").write_text(HEAD + body)
    (folder / "board.json").write_text(json.dumps({"data": str(folder / "a/b")} | board))
    process = await asyncio.create_subprocess_exec(
        *(interpreter(bits), "-X", "heapsize=190k", "program.py"),
        cwd=folder,
        env=toolchain.environment() | {"METERHUB_BOARD": str(folder / "board.json")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # as a service is started: the line must not become its controlling terminal
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def said(process: asyncio.subprocess.Process) -> str:
    async with asyncio.timeout(15):
        return (await process.stdout.readline()).decode().strip()


async def sees(bench: Bench, bus: str) -> None:
    async with asyncio.timeout(5):
        while bus not in bench.connected:
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("bits", [64, 32])
def test_a_serial_line_survives_its_cable_being_pulled(bits: int, tmp_path: Path) -> None:
    async def run() -> None:
        line = Line(tmp_path / "p1")
        async with hub(tmp_path, READ_LINE, bits, uart={"p1": str(line.name)}) as process:
            assert await said(process) == "ready"
            await asyncio.sleep(0.2)
            line.send(b"one\r\n\x11\x13\x03\xff")  # nothing is translated, nothing is a control character
            assert await said(process) == str(b"one\r\n\x11\x13\x03\xff")
            line.pull()
            await asyncio.sleep(0.6)
            assert process.returncode is None
            line.plug()
            line.send(b"two\n")
            assert await said(process) == str(b"two\n")

    asyncio.run(run())


def test_a_serial_line_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    async def run() -> None:
        async with hub(tmp_path, READ_LINE, uart={"p1": str(tmp_path / "p1")}) as process:
            assert await said(process) == "ready"
            await asyncio.sleep(0.3)
            Line(tmp_path / "p1").send(b"late\n")
            assert await said(process) == str(b"late\n")

    asyncio.run(run())


def test_a_read_takes_no_more_than_the_buffer_and_loses_nothing(tmp_path: Path) -> None:
    async def run() -> None:
        line = Line(tmp_path / "p1")
        async with hub(tmp_path, READ_LINE, uart={"p1": str(line.name)}) as process:
            assert await said(process) == "ready"
            await asyncio.sleep(0.2)
            data = bytes(range(256)) * 3
            line.send(data)
            got = b""
            while len(got) < len(data):
                part = eval(await said(process))
                assert len(part) <= 100
                got += part
            assert got == data

    asyncio.run(run())


def test_short_and_long_presses_are_told_apart(tmp_path: Path) -> None:
    async def run() -> None:
        bench = Bench()
        await bench.start()
        async with hub(tmp_path, PRESS, bench=bench.address) as process:
            assert await said(process) == "ready"
            await sees(bench, "gpio")
            await bench.press("A")
            await bench.press("B")
            await bench.press("A", long=True)
            bench.set_button("A", True)
            bench.set_button("A", False)  # both at once, as when the hub was busy meanwhile
            assert [await said(process) for _ in range(3)] == ["short", "long", "short"]
        await bench.stop()

    asyncio.run(run())


def test_a_contact_shows_interference_and_a_cut_wire_does(tmp_path: Path) -> None:
    async def run() -> None:
        bench = Bench()
        await bench.start()
        bench.set_contact("cover", True)
        async with hub(tmp_path, LOOK, bench=bench.address) as process:
            assert await said(process) == "ready"
            while (seen := await said(process)) != "(True, 0, None)":
                assert seen in {"(None, 0, None)", "(False, 1, None)"}  # the bench was not there yet
                if seen == "(False, 1, None)":
                    break
            opened = int(seen == "(False, 1, None)")
            if opened:
                assert await said(process) == "(True, 1, None)"
            bench.set_contact("cover", False)
            assert await said(process) == f"(False, {opened + 1}, None)"
            bench.set_contact("cover", True)
            assert await said(process) == f"(True, {opened + 1}, None)"
            await bench.stop()
            assert await said(process) == f"(False, {opened + 2}, None)"

    asyncio.run(run())


def test_pulses_are_counted_across_a_bench_that_comes_and_goes(tmp_path: Path) -> None:
    async def run() -> None:
        bench = Bench()
        await bench.start()
        async with hub(tmp_path, COUNT, bench=bench.address) as process:
            assert await said(process) == "ready"
            await sees(bench, "gpio")
            bench.pulse("pulse0", 3)
            assert await said(process) == "3"
            await bench.stop()
            await asyncio.sleep(0.3)
            bench = Bench(port=bench.port)
            await bench.start()
            await sees(bench, "gpio")
            bench.pulse("pulse1", 5)
            bench.pulse("pulse0", 4)
            assert await said(process) == "7"
        await bench.stop()

    asyncio.run(run())


@pytest.mark.parametrize("bits", [64, 32])
def test_a_switch_obeys_or_sticks_and_falls_off_when_nobody_drives_it(bits: int, tmp_path: Path) -> None:
    async def run() -> None:
        bench = Bench()
        await bench.start()
        contactor = bench.switches[0]
        async with hub(tmp_path, SWITCH, bits, bench=bench.address) as process:

            async def sensed(word: str) -> str:
                process.stdin.write(f"{word}\nlook\n".encode())
                return await said(process)

            assert await said(process) == "ready"
            assert [await sensed("on"), contactor.on, await sensed("off"), contactor.on] == [
                "True",
                True,
                "False",
                False,
            ]
            contactor.stuck = True
            assert [await sensed("on"), contactor.drive, contactor.on] == ["False", True, False]
            contactor.inverted = True
            assert await sensed("off") == "True"
            contactor.senses = False
            assert await sensed("off") == "None"
            contactor.stuck = contactor.inverted = False
            contactor.senses = True
            assert await sensed("on") == "True"
            process.kill()
            async with asyncio.timeout(5):
                while contactor.on:
                    await asyncio.sleep(0.02)
        assert [switch.moved for switch in bench.switches.values()] == [4, 0, 0, 0, 0]
        await bench.stop()

    asyncio.run(run())


def test_a_switch_without_a_bench_is_not_known(tmp_path: Path) -> None:
    async def run() -> None:
        async with hub(tmp_path, SWITCH) as process:
            assert await said(process) == "ready"
            process.stdin.write(b"on\nlook\n")
            assert await said(process) == "None"

    asyncio.run(run())


def test_a_button_held_while_the_bench_goes_is_let_go(tmp_path: Path) -> None:
    async def run() -> None:
        bench = Bench()
        await bench.start()
        async with hub(tmp_path, PRESS, bench=bench.address) as process:
            assert await said(process) == "ready"
            await sees(bench, "gpio")
            bench.set_button("A", True)
            await asyncio.sleep(0.3)
            await bench.stop()
            assert await said(process) == "short"

    asyncio.run(run())


def test_nonsense_from_the_bench_is_no_signal(tmp_path: Path) -> None:
    async def run() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readline()
            writer.write(b"\n \nA\nA x\nC 0\npulse0 -1\npulse0 " + b"9" * 5000 + b"\nA 1\n" + b"z" * 500)
            writer.write(b"\xff\xfe 0\npulse0 2\n")
            await writer.drain()
            await reader.read()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        address = "127.0.0.1:%d" % server.sockets[0].getsockname()[1]
        async with hub(tmp_path, COUNT, bench=address) as process:
            assert await said(process) == "ready"
            assert await said(process) == "2"
        server.close()

    asyncio.run(run())


CLOCK = """
from meterhub.hal.clock import Clock
clock = Clock(board)
print(clock.now(), board.clock_is_set(), clock.state)
clock.follow(1790000000)
print(clock.now() - 1790000000 in (0, 1), clock.state)
again = unix.Board(unix.configuration())
print(board.unique_id() == again.unique_id(), len(board.unique_id()), len(board.entropy(48)))
try:
    board.i2c(400000).writeto(0x3c, b"")
except OSError as err:
    print(err.errno)
board.feed_watchdog()
board.restart()
"""


def test_a_board_without_bench_and_clock(tmp_path: Path) -> None:
    async def run() -> None:
        async with hub(tmp_path, CLOCK, clock="meter") as process:
            lines = [await said(process) for _ in range(4)]
            assert lines == ["0 False unset", "True meter", "True 8 48", "19"]
            assert await process.wait() == 3

    asyncio.run(run())


I2C = """
import time
from meterhub.hal import bench
bench.PATIENCE_S = 1.0
bus = board.i2c(400000)
for _ in range(80):
    before = time.ticks_ms()
    try:
        bus.writeto(0x3c, b"\\x80\\xaf")
        print("ok")
    except OSError as err:
        print(err.errno, time.ticks_diff(time.ticks_ms(), before) < 3000)
    time.sleep_ms(100)
"""


def test_the_i2c_bus_waits_before_it_tries_again(tmp_path: Path) -> None:
    async def run() -> None:
        bench = Bench()
        await bench.start()
        bench.stalled = True
        async with hub(tmp_path, I2C, bench=bench.address) as process:
            assert await said(process) == "110 True"  # ETIMEDOUT
            assert await said(process) == "19 True"  # ENODEV at once, nothing is tried
            bench.stalled = False
            while (line := await said(process)) != "ok":
                assert line.endswith("True")
            bench.unplug_display()
            while (line := await said(process)) == "ok":
                pass
            assert line == "19 True"
        await bench.stop()

    asyncio.run(run())
