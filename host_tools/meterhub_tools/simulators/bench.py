"""The simulated wiring of a hub that runs on MicroPython's unix port: its display, its buttons, its pulse inputs.

The firmware's side of the protocol, and its description, is firmware/meterhub/hal/bench.py.
"""

import asyncio
import contextlib
import struct
from collections.abc import Callable
from typing import Any

from .hd44780 import HD44780
from .max7219 import MAX7219
from .sh1106 import SH1106
from .ssd1306 import SSD1306
from .tm1637 import TM1637

DISPLAYS = {"ssd1306": SSD1306, "sh1106": SH1106, "hd44780": HD44780, "max7219": MAX7219, "tm1637": TM1637}
SHORT_S = 0.12
LONG_S = 1.8
_FRAME_MAX = 2048


class Contactor:
    """A simulated switch that carries current, with its feedback contact.

    on          where its contacts really are; they move only when the drive says so, and at once
    drive       the level that the hub drives it with
    stuck       True: welded, it stays where it is
    inverted    True: the feedback is wired the wrong way round
    senses      False: there is no feedback
    moved       how often it has moved
    """

    def __init__(self) -> None:
        self.on = self.drive = self.stuck = self.inverted = False
        self.senses = True
        self.moved = 0

    def take(self, level: int) -> int:
        """Be driven; return what the feedback says: 0, 1, or 2 for nothing."""
        self.drive = bool(level)
        if self.on != self.drive and not self.stuck:
            self.on = self.drive
            self.moved += 1
        return int(self.on != self.inverted) if self.senses else 2


class Bench:
    """Listens on TCP; the hub's HAL connects. All of it in one asyncio loop.

    display           the simulator of the display that is wired; unplug_display() and plug_display() pull its cable
    on_frame          functions called without arguments after each transaction that reached the display
    stalled           while True the display's bus does not answer at all (a wire that hangs)
    connected         names of the buses the hub holds now: "i2c", "spi", "tm1637", "gpio", "switch"
    switches          the Contactor of the supply (0) and of the loads (1 to 4)
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0, display: str = "ssd1306") -> None:
        self.host, self.port = host, port
        self.display: Any = DISPLAYS[display]()
        self.display_plugged = True
        self.stalled = False
        self.on_frame: list[Callable[[], None]] = []
        self.connected: list[str] = []
        self.switches = {number: Contactor() for number in range(5)}
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

    def set_contact(self, name: str, closed: bool) -> None:
        """Close or open a contact that shows interference: "cover", "magnet", ...; all are open at first."""
        self.set_button(name, closed)

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

    async def wait_for(self, condition: Callable[[Any], object], timeout_s: float = 10.0) -> object:
        """Return condition(what is seen) as soon as it is true of the display; TimeoutError when it never is.

        Pixels, rows of text, or the text on digits, as the display's seen() returns them.
        """
        changed = asyncio.Event()
        self.on_frame.append(changed.set)
        try:
            async with asyncio.timeout(timeout_s):
                while not (found := condition(self.display.seen())):
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
            serve = {"i2c": self._i2c, "spi": self._spi, "tm1637": self._two_wires, "gpio": self._gpio}.get(bus)
            if bus == "switch":
                serve = self._switch
            if serve:
                await serve(reader, writer)
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
            (address,) = await reader.readexactly(1)
            payload = await self._payload(reader)
            heard = self._hears("i2c") and address == self.display.address
            if heard:
                self.display.write(payload)
            await self._answer(writer, int(heard), heard)

    async def _spi(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            payload = await self._payload(reader)
            heard = self._hears("spi")
            if heard:
                self.display.write(payload)
            await self._answer(writer, 1, heard)  # nobody on this bus ever says anything

    async def _two_wires(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        levels = b"\3"
        while True:
            levels = await self._payload(reader) or levels[-1:]
            heard = self._hears("tm1637")
            await self._answer(writer, self.display.take(levels) if heard else levels[-1] >> 1 & 1, heard)

    async def _switch(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        driven: set[Contactor] = set()
        try:
            while True:
                number, level = await reader.readexactly(2)
                if number not in self.switches:
                    raise ValueError("switch")
                driven.add(self.switches[number])
                writer.write(bytes((self.switches[number].take(level),)))
                await writer.drain()
        finally:
            for switch in driven:
                switch.take(0)  # nobody drives it any more: it falls off

    def _hears(self, bus: str) -> bool:
        return self.display_plugged and self.display.bus == bus

    async def _payload(self, reader: asyncio.StreamReader) -> bytes:
        (length,) = struct.unpack(">H", await reader.readexactly(2))
        if length > _FRAME_MAX:
            raise ValueError("frame")
        payload = await reader.readexactly(length)
        while self.stalled:
            await asyncio.sleep(0.02)
        return payload

    async def _answer(self, writer: asyncio.StreamWriter, byte: int, heard: bool) -> None:
        writer.write(bytes((byte,)))
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
