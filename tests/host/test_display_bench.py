"""The firmware's display, driver and all, on the simulated bench: what is sent over I2C is what is seen."""

import asyncio
import json
import random
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from test_display_reader import asking, household, pages, pixels, reading
from test_on_micropython import interpreter

from meterhub_tools import toolchain
from meterhub_tools.simulators import display_reader
from meterhub_tools.simulators.bench import Bench

# shows each page of a list for as long as the display does not take it, and says so
PROGRAM = """
import asyncio, gc, json
from meterhub.hal import bench, unix
from meterhub.ihd import drivers, pages

bench.PATIENCE_S = 1.0
board = unix.Board(unix.configuration())
display = drivers.open("ssd1306", board)
with open("pages.json") as file:
    shown = [pages.Page(*[tuple(x) if isinstance(x, list) else x for x in page]) for page in json.load(file)]

async def main():
    for page in shown:
        while not display.show(page):
            print("waiting")
            await asyncio.sleep_ms(300)
        print("shown")
        input()

asyncio.run(main())
"""

PAGES = [
    reading.start(household()),
    pages.now(household()),
    pages.today(household()),
    asking.who_asks("Green Co-op", ("half-hours", "October"), "they CAN read it", "no", "show PIN"),
    asking.pin("482913764", "K7QX", 2, 291),
    asking.notice(("wrong PIN", "2 tries left")),
]


class Hub:
    """The program above in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def says(self, word: str) -> None:
        async with asyncio.timeout(20):
            while line := await self.process.stdout.readline():
                if line.decode().strip() == word:
                    return
        raise AssertionError("the hub ended: " + (await self.process.stderr.read()).decode())

    def go_on(self) -> None:
        self.process.stdin.write(b"\n")


def with_hub(
    bits: int, folder: Path, shown: list[pages.Page], do: Callable[[Bench, Hub], Awaitable[None]], plugged: bool = True
) -> None:
    async def run() -> None:
        bench = Bench()
        await bench.start()
        if not plugged:
            bench.unplug_display()
        (folder / "pages.json").write_text(json.dumps(shown))
        (folder / "program.py").write_text(PROGRAM)
        board = folder / "board.json"
        board.write_text(json.dumps({"data": str(folder / "data"), "bench": bench.address}))
        process = await asyncio.create_subprocess_exec(
            *(interpreter(bits), "-X", "heapsize=190k", "program.py"),
            cwd=folder,
            env=toolchain.environment() | {"METERHUB_BOARD": str(board)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            await do(bench, Hub(process))
        finally:
            process.kill()
            await process.communicate()
            await bench.stop()

    asyncio.run(run())


@pytest.mark.parametrize("bits", [64, 32])
def test_every_page_is_seen_as_it_was_drawn(bits: int, tmp_path: Path) -> None:
    async def do(bench: Bench, hub: Hub) -> None:
        for page in PAGES:
            await hub.says("shown")
            assert bench.display.pixels() == pixels(page)
            hub.go_on()
        assert bench.display.errors == []

    with_hub(bits, tmp_path, PAGES, do)


def test_the_pin_is_read_from_the_pixels(tmp_path: Path) -> None:
    rnd = random.Random(5)
    pins = ["".join(rnd.choices("0123456789", k=9)) for _ in range(30)]

    async def do(bench: Bench, hub: Hub) -> None:
        for pin in pins:
            await hub.says("shown")
            assert display_reader.read_pin(bench.display.pixels()) == pin
            hub.go_on()

    with_hub(64, tmp_path, [asking.pin(pin, "K7QX", 3, 600) for pin in pins], do)


def test_a_display_that_is_plugged_in_late_shows_the_page(tmp_path: Path) -> None:
    async def do(bench: Bench, hub: Hub) -> None:
        await hub.says("waiting")
        assert not any(any(row) for row in bench.display.pixels())
        bench.plug_display()
        await hub.says("shown")
        assert bench.display.pixels() == pixels(PAGES[0])

    with_hub(64, tmp_path, PAGES[:1], do, plugged=False)


def test_a_bus_that_hangs_holds_the_hub_up_for_a_moment_only(tmp_path: Path) -> None:
    async def do(bench: Bench, hub: Hub) -> None:
        await hub.says("shown")
        bench.stalled = True
        hub.go_on()
        before = asyncio.get_running_loop().time()
        await hub.says("waiting")
        assert asyncio.get_running_loop().time() - before < 3
        bench.stalled = False
        await hub.says("shown")
        assert bench.display.pixels() == pixels(PAGES[1])

    with_hub(64, tmp_path, PAGES[:2], do)


def test_a_listener_hears_of_frames_and_can_wait_for_one(tmp_path: Path) -> None:
    async def do(bench: Bench, hub: Hub) -> None:
        frames = []
        bench.on_frame.append(lambda: frames.append(bench.display.version))
        waiting = asyncio.create_task(bench.wait_for(display_reader.read_pin))
        for _ in range(5):
            await hub.says("shown")
            hub.go_on()
        assert await waiting == "482913764"
        assert frames == sorted(set(frames))
        with pytest.raises(TimeoutError):
            await bench.wait_for(lambda _: False, timeout_s=0.05)

    with_hub(64, tmp_path, PAGES, do)


def test_nonsense_on_the_wires_does_not_stop_the_bench() -> None:
    async def run() -> None:
        bench = Bench()
        await bench.start()
        for nonsense in (b"", b"x\n", b"\xff\xfe\n", b"i2c\n\x3c\xff\xff", b"i2c\n\x3c", b"y" * 100000):
            _, writer = await asyncio.open_connection(bench.host, bench.port)
            writer.write(nonsense)
            await writer.drain()
            writer.close()
        reader, writer = await asyncio.open_connection(bench.host, bench.port)
        writer.write(b"i2c\n\x3c\x00\x02\x80\xaf" + b"\x3d\x00\x01\x00")
        assert await reader.readexactly(2) == b"\1\0"
        assert bench.display.is_on
        writer.close()
        await bench.stop()

    asyncio.run(run())
