"""A house around the emulated Pico of the bench: thirteen months on its flash, a broker behind its cable, who asks.

Errors   Broken when an exchange does not end as it should; ToolError from the emulator and the commands.
"""

import asyncio
import io
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import NamedTuple

from export_broker import Asker
from history import END, INTERVALS, REGISTERS
from store import filled
from worker import Broken

from meterhub_tools import toolchain
from meterhub_tools.board import deploy
from meterhub_tools.board.port import Repl, wait_for_hub
from meterhub_tools.board.slots import Slots
from meterhub_tools.broker import Broker
from meterhub_tools.demo.progress import Progress
from meterhub_tools.emulator.board import EmulatedPico
from meterhub_tools.recipient import Recipient, link_wish
from meterhub_tools.simulators.household import HALF_HOUR_S, Household
from meterhub_tools.simulators.p1_meter import P1Meter

sys.path.append(str(toolchain.ROOT / "tests/board"))
from house import PINS, House

START_S = 60
_PATIENCE_S = 100  # of the computer's time: an emulated board is slow when the machine is busy
_LOOK_S = 0.05
_YEAR_S = 365 * 86400
_MAKE_FOLDERS = "for path in ('/data', '/data/profile'):\n try: os.mkdir(path)\n except OSError: pass"


class Prepared(NamedTuple):
    """A board that is set up and switched off."""

    image: str
    flash: bytes
    hub: str


@cache
def household() -> Household:
    """Return the home whose history is on the board."""
    return Household(END - INTERVALS * HALF_HOUR_S)


@cache
def recipient() -> Recipient:
    """Return who asks."""
    return Recipient("Green Co-op", Recipient.new_pem())


class Home(House):
    """A house at the end of the thirteen months."""

    def __init__(self, pico: EmulatedPico) -> None:
        super().__init__(pico)
        self.meter = P1Meter(household())

    def now(self) -> int:
        """Return the time in the house, Unix seconds."""
        return END + 60 + int(self.pico.virtual_ms / 1000)

    def exchange(self, broker: Broker, hub: str, wish: dict) -> list:
        """Go through one exchange, B pressed and the PIN typed as soon as may be; return the entries that came."""
        return asyncio.run(self._exchange(broker, hub, wish))

    async def _exchange(self, broker, hub, wish):
        asker = Asker(broker.url(), recipient(), _Kitchen(self), self.now, _PATIENCE_S)
        try:
            card = await asyncio.to_thread(asker.courier.wait_for_card, hub, _PATIENCE_S)
            if card is None:
                raise Broken("the hub does not say who it is")
            run, _ = await asker.exchange(card, wish)
            return run.result.entries if run.result else []
        finally:
            await asyncio.to_thread(asker.courier.stop)


class _Kitchen:
    """The display and the buttons, as Asker wants them."""

    def __init__(self, home: Home) -> None:
        self._home = home

    async def wait_for(self, what, patience_s: float):
        ends = time.monotonic() + patience_s
        while not (found := what(self._home.display.pixels())):
            if time.monotonic() > ends:
                raise Broken("the display does not show what is waited for")
            await asyncio.sleep(_LOOK_S)
        return found

    async def press(self, name: str) -> None:
        await asyncio.to_thread(self._home.press, name)


@contextmanager
def switched_on(board: Prepared) -> Iterator[Home]:
    """Switch a board on in its house."""
    with EmulatedPico(board.image, flash=board.flash) as pico:
        yield Home(pico)


def frozen() -> Prepared:
    """Return a board with the firmware in its image, the profile and the settings, linked with the recipient."""
    with EmulatedPico("frozen", pace=None) as pico:
        home = Home(pico)
        with Repl(pico.port) as repl:
            chosen = settings({"protocol": "p1", "input": "p1"})
            put(repl, {"/pins.json": PINS.read_bytes(), "/data/settings.json": chosen})
            put(repl, {f"/data/profile/{path.name}": path.read_bytes() for path in sorted(filled().iterdir())})
        hub = wait_for_hub(pico.port, START_S)["hub"]
        pico.set_pace(1.0)
        with Broker() as broker, home.bridge(broker.port), home.ticking():
            home.exchange(broker, hub, link_wish(REGISTERS, "half-hour", END + _YEAR_S))
        pico.power_cut()
        return Prepared("frozen", pico.flash, hub)


def deployed(board: Prepared) -> Prepared:
    """Return a board with MicroPython's own image, `board`'s files, and the firmware as `meterhub deploy` puts it."""
    with EmulatedPico("stock", flash=board.flash, pace=None) as pico:
        with Repl(pico.port) as repl:
            deploy.deploy(repl, "RPI_PICO", Progress(io.StringIO()))
        pico.power_cut()
        return Prepared("stock", pico.flash, board.hub)


def settings(meter: dict) -> bytes:
    """Return the settings of a hub with this meter."""
    document = {"schema": 1, "meters": [meter], "profile": {"registers": REGISTERS}, "wan": {"url": "cable:"}}
    return json.dumps(document | {"recipients": [recipient().public()]}).encode()


def put(repl: Repl, files: dict[str, bytes]) -> None:
    """Write files onto a board."""
    slots = Slots(repl)
    repl.exec(_MAKE_FOLDERS, "to make folders")
    for path, data in files.items():
        slots.write(path, data)
