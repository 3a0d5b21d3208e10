"""A sag that the meter tells and a cover that is opened: both are in the journal of a whole hub, once each."""

import asyncio
import threading
from pathlib import Path

from cabled_hub import CabledHub

from meterhub.store.record import Record
from meterhub_tools.simulators import command, faults
from meterhub_tools.simulators.bench import Bench
from meterhub_tools.simulators.household import Household
from meterhub_tools.simulators.wire import PtyWire

START = 1790553600
SETTINGS = {
    "schema": 1,
    "meters": [{"protocol": "p1", "input": "p1"}],
    "display": {"driver": "none"},
    "voltage": {"watch": True},
    "tamper": {"watch": True, "inputs": ["cover"]},
}


def test_a_hub_tells_of_a_sag_and_of_an_opened_cover(tmp_path: Path) -> None:
    asyncio.run(observed(tmp_path))


async def observed(folder: Path) -> None:
    bench = Bench()
    await bench.start()
    bench.set_contact("cover", True)
    home = Household(START)
    command.plant(home, START, ["sag@6+8/2"])
    meter = command.P1Line(home)
    wire = PtyWire(meter.line, True)
    ended = threading.Event()
    hub = CabledHub(folder, SETTINGS, 32, uart={"p1": wire.path}, bench=bench.address)
    Record(str(hub.data / "voltage")).save(b'{"sag_s": 3}')  # as set.voltage_config leaves it
    player = command.Player(meter, wire, command.Clock(START, 1), faults.Faults())
    thread = threading.Thread(target=player.play, args=(ended.is_set,))
    try:
        with hub:
            thread.start()
            await journalled(hub, "sag ended")
            bench.set_contact("cover", False)
            await journalled(hub, "tamper cover")
            bench.set_contact("cover", True)
            await journalled(hub, "tamper cover ended", 90)  # a minute later
    finally:
        ended.set()
        thread.join()
        wire.close()
        await bench.stop()
    assert [entry["detail"] for entry in hub.journal("sag")] == ["L2"]
    assert len(hub.journal("sag ended")) == len(hub.journal("tamper cover")) == 1
    assert Record(str(hub.data / "voltage-now")).load()


async def journalled(hub: CabledHub, name: str, timeout_s: float = 60) -> None:
    async with asyncio.timeout(timeout_s):
        while not hub.journal(name):
            await asyncio.sleep(0.1)
