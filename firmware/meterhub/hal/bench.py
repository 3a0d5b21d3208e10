"""The unix port's wiring: buses and pins over TCP to the simulated bench (meterhub_tools.simulators.bench).

One connection per bus, told apart by its first line:
  "i2c\\n"     hub -> bench: u8 address, u16 length (big endian), payload; bench -> hub: 1 acknowledged, 0 nobody there
  "spi\\n"     hub -> bench: u16 length, bytes of one selection of the chip; bench -> hub: 1 when clocked out
  "tm1637\\n"  hub -> bench: u16 count, as many levels as the hub drives them one after the other (bit 0 CLK, bit 1
              DIO; 1 is let go); bench -> hub: the level of DIO after the last of them, 0 when somebody pulls it down
  "switch\\n"  hub -> bench: u8 number (0 the supply, 1 to 4 a load), u8 the level it is driven with; bench -> hub:
              what the feedback says: 0 off, 1 on, 2 there is none
  "gpio\\n"    bench -> hub, lines: "A 0" button A is down, "A 1" up; "cover 0" the contact `cover` is closed,
              "cover 1" open; "pulse0 3" three pulses on input pulse0

Errors   OSError ENODEV when no device answers or the bench is away, ETIMEDOUT when it stalls
Runs on  MicroPython unix port
"""

import asyncio
import errno
import socket
import struct

from micropython import const

from .ticks import age, now_ms

PATIENCE_S = 8.0  # the bench may share its processor with many others, and be stopped for a while
_FIRST_WAIT_MS = const(250)
_LONGEST_WAIT_MS = const(8000)
_LINE_MAX = const(32)
_HOLD_MS = const(40)  # how long a level stands at least: two lines that arrive at once are still two levels


class Backoff:
    """When to try again: 250 ms after the first failure, twice as long after each further one, 8 s at most."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """It worked: the next failure is a first one."""
        self._wait_ms = 0
        self._failed_at = 0

    def failed(self) -> int:
        """Note a failure; return the milliseconds to wait before the next try."""
        self._wait_ms = min(max(2 * self._wait_ms, _FIRST_WAIT_MS), _LONGEST_WAIT_MS)
        self._failed_at = now_ms()
        return self._wait_ms

    def waiting(self) -> bool:
        """Return True while it is too early for the next try."""
        return self._wait_ms > age(now_ms(), self._failed_at)


def _address(bench):
    host, _, port = bench.rpartition(":")
    return host, int(port)


def _connected(bench):
    wire = socket.socket()
    wire.settimeout(PATIENCE_S)
    try:
        host, port = _address(bench)
        wire.connect(socket.getaddrinfo(host, port)[0][-1])
    except OSError:
        wire.close()
        raise
    return wire


class _Wire:
    """The connection to one bus of the bench: made when first used, and again when it was lost.

    bench: "host:port", or None when nothing is wired. Blocks for PATIENCE_S at most, and not at all while it waits
    before the next attempt.
    """

    def __init__(self, bench: "str | None", bus: str) -> None:
        self._bench = bench
        self._bus = bus
        self._socket = None
        self._backoff = Backoff()

    def exchange(self, out: "bytes | bytearray") -> int:
        """Send `out` and return the byte that answers it; OSError when none does."""
        if not self._bench or (self._socket is None and self._backoff.waiting()):
            raise OSError(errno.ENODEV)
        try:
            answer = self._exchange(out)
        except OSError as exc:
            self._drop()
            self._backoff.failed()
            raise OSError(errno.ETIMEDOUT if exc.errno == errno.EAGAIN else exc.errno)
        self._backoff.reset()
        return answer

    def _exchange(self, out):
        if self._socket is None:
            self._socket = _connected(self._bench)
            self._socket.write(self._bus + "\n")
        self._socket.write(out)
        answer = self._socket.recv(1)
        if not answer:
            raise OSError(errno.ENODEV)
        return answer[0]

    def _drop(self):
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class I2C:
    """The controller's side of the simulated I2C bus; what the displays' drivers need of machine.I2C."""

    def __init__(self, bench: "str | None") -> None:
        self._wire = _Wire(bench, "i2c")

    def writeto(self, addr: int, buf: bytes) -> None:
        """Write `buf` to the device at `addr`."""
        self.writevto(addr, (buf,))

    def writevto(self, addr: int, vector: "list | tuple") -> None:
        """Write the concatenation of the buffers in `vector` to the device at `addr` in one transaction."""
        out = bytearray(struct.pack(">BH", addr, sum([len(b) for b in vector])))
        for buffer in vector:
            out.extend(buffer)
        if not self._wire.exchange(out):
            raise OSError(errno.ENODEV)


class SPI:
    """The simulated SPI bus with its one chip; what a driver needs of machine.SPI and of the chip select's pin."""

    def __init__(self, bench: "str | None") -> None:
        self._wire = _Wire(bench, "spi")
        self._out = None

    def select(self, level: int) -> None:
        """Set the chip select: what is written while it is low is one transmission."""
        if level and self._out:
            out, self._out = self._out, None
            self._wire.exchange(struct.pack(">H", len(out)) + out)
        elif not level:
            self._out = bytearray()

    def write(self, buf: bytes) -> None:
        """Clock `buf` out; nobody hears it while the chip is not selected."""
        if self._out is not None:
            self._out.extend(buf)


class TwoWires:
    """The two open-drain lines of the simulated TM1637: clk and dio are called as machine.Pin is.

    Levels are sent in one go when dio is read, and when the transmission stops (dio rises while clk is high).
    """

    def __init__(self, bench: "str | None") -> None:
        self._wire = _Wire(bench, "tm1637")
        self._levels = 3
        self._out = bytearray()

    def clk(self, level: int) -> None:
        """Pull the clock down (0) or let it go (1)."""
        self._drive(self._levels & 2 | level)

    def dio(self, level: "int | None" = None) -> int:
        """Pull the data line down (0) or let it go (1); without a level: read it."""
        if level is None:
            return self._exchange()
        stops = level and self._levels == 1
        self._drive(self._levels & 1 | level << 1)
        if stops:
            self._exchange()
        return level

    def _drive(self, levels):
        self._levels = levels
        self._out.append(levels)

    def _exchange(self):
        out, self._out = self._out, bytearray()
        return self._wire.exchange(struct.pack(">H", len(out)) + out)


class Switch:
    """A contactor with feedback (hal/switch.py). name: "supply", "load1" ...; with the bench away nothing is known."""

    def __init__(self, bench: "str | None", name: str, on: bool) -> None:
        self._wire = _Wire(bench, "switch")
        self._number = 0 if name == "supply" else int(name[-1])
        self.drive(on)

    def drive(self, on: bool) -> None:
        """Let the switch go on or off; it takes a moment to."""
        self._on = on
        self.sensed()

    def sensed(self) -> "bool | None":
        """Return whether the switch is really on; None without feedback. The drive is kept, as a pin keeps it."""
        try:
            position = self._wire.exchange(bytes((self._number, self._on)))
        except OSError:
            return None
        return None if position == 2 else position == 1


class Pins:
    """The input pins of the bench.

    level: name -> True while down; on_edge: name -> function(); on_pulses: name -> function(count). Each connection
    begins with all buttons up: the bench says which are not.
    """

    def __init__(self, bench: str) -> None:
        self._host, self._port = _address(bench)
        self._task = None
        self.level = {}
        self.on_edge = {}
        self.on_pulses = {}

    def start(self) -> None:
        """Begin to listen, once; needs a running asyncio loop."""
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def _run(self):
        backoff = Backoff()
        while True:
            try:
                reader, writer = await asyncio.open_connection(self._host, self._port)
                try:
                    writer.write(b"gpio\n")
                    await writer.drain()
                    await self._listen(reader, backoff)
                finally:
                    writer.close()
                    await writer.wait_closed()
            except OSError:
                pass  # the bench is away: we try again
            self._release()
            await asyncio.sleep_ms(backoff.failed())

    def _release(self):
        """No bench, no finger on a button."""
        for name in self.on_edge:
            self.level[name] = False
            self.on_edge[name]()

    async def _listen(self, reader, backoff):
        pending = b""
        while True:
            data = await reader.read(64)
            if not data:
                return
            backoff.reset()
            lines = (pending + data).split(b"\n")
            pending = lines.pop()[: _LINE_MAX + 1]
            for line in lines:
                if len(line) <= _LINE_MAX and self._take(line):
                    await asyncio.sleep_ms(_HOLD_MS)

    def _take(self, line):
        """Act on one line; return True when it was a button's level. What is not understood is no signal."""
        try:
            name, _, value = line.decode().partition(" ")
        except UnicodeError:
            return False
        if not value.isdigit():
            return False
        if name in self.on_pulses:
            self.on_pulses[name](int(value))
        if name not in self.on_edge:
            return False
        self.level[name] = value == "0"
        self.on_edge[name]()
        return True
