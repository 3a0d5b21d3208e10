"""A request is agreed to on every kind of display: driver and buttons on the simulated bench, the PIN read."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from test_on_micropython import interpreter

from meterhub_tools import toolchain
from meterhub_tools.simulators import display_reader
from meterhub_tools.simulators.bench import DISPLAYS, Bench

PIN, CODE = "482913764", "K7QX"
# says what is pressed and whether the display works; asks as soon as the display shows something
PROGRAM = """
import asyncio, sys, time
from meterhub.hal import unix
from meterhub.ihd import drivers
from meterhub.ihd.model import Model
from meterhub.ihd.screens import Ihd

board = unix.Board(unix.configuration())
model = Model("7Q2KX9M4RT0ABCDE", "Kitchen", "0.1.0")
model.power_w = 2310
ihd = Ihd(drivers.open(DRIVER, board), model)

def accepted():
    print("accepted")
    ihd.show_pin("482913764", "K7QX", time.ticks_add(time.ticks_ms(), 600000), 3)

ihd.on_accept = accepted
ihd.on_decline = lambda: print("declined")
ihd.on_display = lambda works: print("works" if works else "fails")

async def press(name):
    button = board.button(name)
    while True:
        ihd.button(name, await button.pressed())

async def main():
    asyncio.create_task(press("A"))
    asyncio.create_task(press("B"))
    asyncio.create_task(ihd.run())
    while not ihd.works:
        await asyncio.sleep_ms(50)
    ihd.ask(RECIPIENT, ("wants: half-hours", "1.10.26-31.10.26"), "they CAN read it")
    while True:
        await asyncio.sleep(1)

asyncio.run(main())
"""


class Household:
    """Somebody in front of the display, and what the hub says meanwhile."""

    def __init__(self, bench: Bench, process: asyncio.subprocess.Process) -> None:
        self.bench = bench
        self._process = process
        self.seen: list = []
        bench.on_frame.append(self._look)

    def _look(self) -> None:
        self.seen.append(self.bench.display.seen())

    async def says(self) -> str:
        async with asyncio.timeout(20):
            line = await self._process.stdout.readline()
        if not line:
            raise AssertionError((await self._process.stderr.read()).decode())
        return line.decode().strip()

    async def works(self) -> None:
        """Wait until the display works; on a machine that is busy the bench may at first be too late for the hub."""
        while await self.says() != "works":
            pass

    async def press_until(self, name: str, word: str) -> int:
        """Press a button again and again until the hub says `word`; return how often that was."""
        saying = asyncio.create_task(self.says())
        for count in range(1, 80):
            await self.bench.press(name)
            await asyncio.wait({saying}, timeout=0.3)  # one press too many would turn the page that is wanted
            if saying.done():
                if saying.result() == word:
                    return count
                assert saying.result() in ("works", "fails")  # the bench was late once, and is there again
                saying = asyncio.create_task(self.says())
        raise AssertionError(f"{word} never came; the display shows {self.bench.display.seen()}")


@asynccontextmanager
async def house(
    driver: str, folder: Path, recipient: str = "Green Co-op", bits: int = 64, plugged: bool = True
) -> AsyncIterator[Household]:
    """Run the program above on a bench with this display."""
    bench = Bench(display=driver)
    await bench.start()
    if not plugged:
        bench.unplug_display()
    (folder / "program.py").write_text(PROGRAM.replace("DRIVER", repr(driver)).replace("RECIPIENT", repr(recipient)))
    (folder / "pins.json").write_text(json.dumps({"data": str(folder / "data"), "bench": bench.address}))
    process = await asyncio.create_subprocess_exec(
        *(interpreter(bits), "-X", "heapsize=190k", "program.py"),
        cwd=folder,
        env=toolchain.environment() | {"METERHUB_BOARD": str(folder / "pins.json")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        yield Household(bench, process)
    finally:
        process.kill()
        await process.communicate()
        await bench.stop()


async def read_pin(driver: str, household: Household) -> tuple[str | None, str | None]:
    """Read PIN and code as a person would; digits show them one after the other."""
    bench = household.bench
    if driver in ("ssd1306", "sh1106"):
        pin = await bench.wait_for(display_reader.read_pin)
        return pin, display_reader.read_code(bench.display.pixels())
    if driver == "hd44780":
        return await bench.wait_for(display_reader.read_rows)
    parts: dict[int, str] = {}
    for number in range(1, 5):
        while number not in parts:
            found = display_reader.read_digits(bench.display.seen())
            await asyncio.sleep(0.1)  # digits are written one by one, faster than an eye sees
            if found is not None and found == display_reader.read_digits(bench.display.seen()):
                parts[found[0]] = found[1]
            if number not in parts:
                await bench.press("B")
                await asyncio.sleep(0.3)
    return parts[1] + parts[2] + parts[3], parts[4]


@pytest.mark.parametrize(("driver", "bits"), [*((name, 64) for name in DISPLAYS), ("ssd1306", 32), ("tm1637", 32)])
def test_a_request_is_agreed_to_and_the_pin_is_read(driver: str, bits: int, tmp_path: Path) -> None:
    async def run() -> None:
        async with house(driver, tmp_path, bits=bits) as household:
            await household.works()
            pressed = await household.press_until("B", "accepted")
            assert await read_pin(driver, household) == (PIN, CODE)
            assert household.bench.display.errors == []
            if driver in ("max7219", "tm1637"):  # all of it was on the display before
                shown = [text.rstrip(".") for text in household.seen]
                for word in ("green", "co-op", "wants", "half-", "1.10.26-", "31.10.26"):
                    assert any(text.strip().startswith(word) for text in shown), (word, shown)
                assert pressed > len(("green", "co-op", "half", "hours", "1.10.26", "31.10.26"))

    asyncio.run(run())


@pytest.mark.parametrize("driver", ["max7219", "hd44780", "ssd1306"])
def test_a_name_that_cannot_be_shown_can_only_be_declined(driver: str, tmp_path: Path) -> None:
    async def run() -> None:
        async with house(driver, tmp_path, "漢字") as household:
            await household.works()
            for _ in range(20):
                await household.bench.press("B")
            assert await household.press_until("A", "declined") >= 1

    asyncio.run(run())


@pytest.mark.parametrize("driver", [name for name in DISPLAYS if name != "max7219"])
def test_a_display_that_is_pulled_out_is_noticed_and_comes_back(driver: str, tmp_path: Path) -> None:
    async def run() -> None:
        async with house(driver, tmp_path, plugged=False) as household:
            assert await household.says() == "fails"
            household.bench.plug_display()
            await household.works()
            assert household.bench.display.errors == []

    asyncio.run(run())
