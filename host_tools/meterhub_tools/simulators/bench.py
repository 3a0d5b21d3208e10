"""The simulated wiring of a hub that runs on MicroPython's unix port: its display, its buttons, its pulse inputs.

The firmware's side of the protocol, and its description, is firmware/meterhub/hal/bench.py.
"""

import asyncio
import contextlib
import struct
from collections.abc import Callable

from .ssd1306 import SSD1306

ADDRESS = 0x3C
SHORT_S = 0.12
LONG_S = 1.8
_FRAME_MAX = 2048


class Bench:
    """Listens on TCP; the hub's HAL connects. All of it in one asyncio loop.

    display           the SSD1306; unplug_display() and plug_display() pull its cable
    on_frame          functions called without arguments after each transaction that reached the display
    stalled           while True the I2C bus does not answer at all (a wire that hangs)
    connected         names of the buses the hub holds now: "i2c", "gpio"
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self.host, self.port = host, port
        self.display = SSD1306()
        self.display_plugged = True
        self.stalled = False
        self.on_frame: list[Callable[[], None]] = []
        self.connected: list[str] = []
        self._levels = {"A": 1, "B": 1}
        self._pins: set[asyncio.StreamWriter] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    @property
    def address(self) -> str:
        """The "host:port" for the hub's configuration; valid once started."""
        return f"{self.host}:{self.port}"

    async def start(self) -> None:
        """Begin to listen; port 0 becomes a free one."""
        self._server = await asyncio.start_server(self._serve, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and drop the hub's connections."""
        if self._server is None:
            return
        self._server.close()
        for writer in list(self._writers):
            writer.close()
        await self._server.wait_closed()
        self._server = None

    # -- what a person does to the hub ---------------------------------------------------------------------------

    def set_button(self, name: str, down: bool) -> None:
        """Push (down) or let go button "A" or "B"."""
        self._levels[name] = 0 if down else 1
        self._tell(f"{name} {self._levels[name]}\n")

    async def press(self, name: str, long: bool = False) -> None:
        """Press a button and let it go again; returns when that is done."""
        self.set_button(name, True)
        await asyncio.sleep(LONG_S if long else SHORT_S)
        self.set_button(name, False)
        await asyncio.sleep(SHORT_S)

    def pulse(self, name: str, count: int = 1) -> None:
        """Let `count` pulses come in on a pulse input."""
        self._tell(f"{name} {count}\n")

    def unplug_display(self) -> None:
        """Pull the display's cable: nobody acknowledges any more, and the controller loses its RAM."""
        self.display_plugged = False
        self.display.reset()
        self._frame()

    def plug_display(self) -> None:
        """Put the cable back."""
        self.display_plugged = True

    async def wait_for(self, condition: Callable[[list[list[bool]]], object], timeout_s: float = 10.0) -> object:
        """Return condition(pixels) as soon as it is true of the display; TimeoutError when it never is."""
        changed = asyncio.Event()
        self.on_frame.append(changed.set)
        try:
            async with asyncio.timeout(timeout_s):
                while not (found := condition(self.display.pixels())):
                    await changed.wait()
                    changed.clear()
                return found
        finally:
            self.on_frame.remove(changed.set)

    # -- the wires -------------------------------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        bus = ""
        try:
            bus = (await reader.readline()).decode("ascii", "replace").strip()
            self.connected.append(bus)
            if bus == "i2c":
                await self._i2c(reader, writer)
            elif bus == "gpio":
                await self._gpio(reader, writer)
        except (OSError, ValueError, asyncio.IncompleteReadError):
            pass  # the hub has gone, or is not one: the bench goes on
        finally:
            self._writers.discard(writer)
            if bus in self.connected:
                self.connected.remove(bus)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _i2c(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            address, length = struct.unpack(">BH", await reader.readexactly(3))
            if length > _FRAME_MAX:
                raise ValueError("frame")
            payload = await reader.readexactly(length)
            while self.stalled:
                await asyncio.sleep(0.02)
            heard = self.display_plugged and address == ADDRESS
            if heard:
                self.display.write(payload)
            writer.write(b"\1" if heard else b"\0")
            if heard:
                self._frame()
            await writer.drain()

    def _frame(self) -> None:
        for listener in list(self.on_frame):
            listener()

    async def _gpio(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._pins.add(writer)
        try:
            for name, level in self._levels.items():
                if not level:
                    writer.write(f"{name} {level}\n".encode())
            while await reader.read(64):
                pass  # the hub has nothing to say on this bus; b"" is its end
        finally:
            self._pins.discard(writer)

    def _tell(self, line: str) -> None:
        for writer in self._pins:
            writer.write(line.encode())
