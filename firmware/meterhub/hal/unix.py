"""The board that is a PC: MicroPython's unix port, serial lines as ttys, I2C and pins from the simulated bench.

Configuration: a JSON file, its path in the environment variable METERHUB_BOARD; boards/UNIX/pins.json is an example.
  board  the name of the board's folder
  data   folder for the hub's files
  uart   name -> tty: {"p1": "/dev/ttyUSB0"}
  bench  "host:port" of the bench; without it there is no display, and no pin ever moves
  clock  "board": the PC's own; "meter": unset at start, as on a board without RTC
  net    false: there is no network
  id     what the board is told apart by; without it a number in the folder, which goes where the folder goes

Errors   OSError for what is not there; a serial line that goes away is waited for, never an error
Runs on  MicroPython unix port
"""

import asyncio
import errno
import json
import os
import sys
import termios
import time

from micropython import const

from . import folder, line_format
from .bench import I2C, SPI, Backoff, Pins, Switch, TwoWires
from .button import Button
from .pulse import Pulse
from .ticks import now_ms

_VTIME, _VMIN = const(5), const(6)  # indices in the list of control characters (Linux asm-generic/termbits.h)
_CSIZE, _CS7, _CS8 = const(0o60), const(0o40), const(0o60)
_CSTOPB, _CREAD, _PARENB, _PARODD, _CLOCAL = const(0o100), const(0o200), const(0o400), const(0o1000), const(0o4000)
_INPCK, _ISTRIP = const(0o20), const(0o40)
_SETTLE_MS = const(100)
_O_RDWR, _O_NOCTTY = const(2), const(0o400)
_TCSADRAIN = const(1)
# speeds below 57600 by their Bxxx number in Linux; MicroPython's termios names few of them
_SPEEDS = {300: 7, 600: 8, 1200: 9, 2400: 11, 4800: 12, 9600: 13, 19200: 14, 38400: 15}


try:
    import ffi  # type: ignore  # the unix port's own, not in the stubs of boards

    _open = ffi.open("libc.so.6").func("i", "open", "si")
except (ImportError, OSError):
    _open = None


def _open_tty(path):
    """Open a tty that must not become our controlling terminal: a service would die with the cable (SIGHUP)."""
    if _open is None:
        return open(path, "r+b")
    number = _open(path, _O_RDWR | _O_NOCTTY)
    if number < 0:
        raise OSError(errno.ENODEV)
    return open(number, "r+b")


def configuration() -> dict:
    """Return the configuration from the file that METERHUB_BOARD names; OSError or ValueError when there is none."""
    path = os.getenv("METERHUB_BOARD")
    if not path:
        raise OSError(errno.ENOENT)
    with open(path) as file:
        return json.load(file)


class UART:
    """One tty. Opened when first read; when it goes away (cable pulled), it is opened again as soon as it is back.

    form: "8N1", "7E1", ...
    """

    def __init__(self, path: str, baud: int, form: str) -> None:
        self._path = path
        self._backoff = Backoff()
        self._file = None
        self._describe(baud, form)

    def _describe(self, baud, form):
        bits, parity, stop = line_format.parsed(form)
        self._baud = baud
        self._speed = _SPEEDS.get(baud) or getattr(termios, "B%d" % baud)
        self._iflag = _ISTRIP if bits == 7 else 0  # a line that knows 8 bits only delivers the parity as the eighth
        self._cflag = _CREAD | _CLOCAL | (_CS7 if bits == 7 else _CS8) | (_CSTOPB if stop == 2 else 0)
        if parity is not None:
            self._iflag |= _INPCK  # a byte with a wrong parity reads as 0
            self._cflag |= _PARENB | (_PARODD if parity else 0)

    async def set_line(self, baud: int, form: str) -> None:
        """Set speed and format; what has been sent goes out as before."""
        self._describe(baud, form)
        if self._file is not None:
            try:
                self._apply(self._file, _TCSADRAIN)
            except OSError:
                self.close()  # it is set when it is opened again

    async def read_into(self, buf: bytearray) -> int:
        """Wait until bytes have come; put at most len(buf) of them into `buf` and return how many (>= 1)."""
        while True:
            try:
                file = self._file or self._open()
                count = await asyncio.StreamReader(file).readinto(buf)
            except OSError:
                count = 0
            if count:
                self._backoff.reset()
                return count
            self.close()  # readable but nothing there: the other end has gone
            await asyncio.sleep_ms(self._backoff.failed())

    async def send(self, data: bytes) -> None:
        """Send `data`, and return when its last bit is out; OSError when the line is not there."""
        file = self._file or self._open()
        file.write(data)
        await asyncio.sleep_ms(1 + len(data) * 11000 // self._baud)

    def close(self) -> None:
        """Let go of the line; the next read opens it again."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self):
        file = _open_tty(self._path)
        self._apply(file, termios.TCSANOW)
        self._file = file
        return file

    def _apply(self, file, when):
        attributes = termios.tcgetattr(file.fileno())
        characters = attributes[6]
        characters[_VTIME] = characters[_VMIN] = 0  # a read takes what is there and never waits
        attributes = [self._iflag, 0, self._cflag, 0, self._speed, self._speed, characters]
        try:
            termios.tcsetattr(file.fileno(), when, attributes)
        except OSError as exc:  # a pty keeps neither parity nor seven bits, which glibc calls invalid
            if exc.errno != errno.EINVAL:
                raise


class Board:
    """What the firmware sees of this PC. config: as configuration() returns it."""

    def __init__(self, config: dict) -> None:
        self._config = config
        self.name = config.get("board", "UNIX")
        self.data_dir = config["data"]
        folder.make(self.data_dir)
        self._clock_is_set = config.get("clock", "board") == "board"
        self._ahead_s = 0
        self._pins = Pins(config["bench"]) if "bench" in config else None

    def time(self) -> int:
        """Return Unix seconds; without meaning until clock_is_set()."""
        return int(time.time()) + self._ahead_s

    def set_time(self, unix_s: int) -> None:
        """Set the hub's clock; the PC's stays as it is."""
        self._ahead_s = unix_s - int(time.time())
        self._clock_is_set = True

    def clock_is_set(self) -> bool:
        """Return True when time() can be believed."""
        return self._clock_is_set

    def keep(self, raw: bytes) -> bool:
        """Return False: what a process keeps goes with it."""
        return False

    def kept(self) -> bytes:
        """Return nothing."""
        return b""

    def entropy(self, n: int) -> bytes:
        """Return `n` random bytes of the operating system."""
        return os.urandom(n)

    def unique_id(self) -> bytes:
        """Return the 8 bytes that are this board's for good: the configuration's, else drawn once and kept."""
        if "id" in self._config:
            return self._config["id"].encode()
        path = self.data_dir + "/unique_id"
        try:
            with open(path, "rb") as file:
                return file.read()
        except OSError:
            drawn = os.urandom(8)
            with open(path, "wb") as file:
                file.write(drawn)
            return drawn

    def has(self, name: str) -> bool:
        """Return whether the configuration names something that is called `name`."""
        return bool(self._config.get(name))

    def uart(self, name: str, baud: int, form: str, inverted: bool) -> UART:
        """Return the serial line called `name`; KeyError when the board has none. The cable does the inverting."""
        return UART(self._config["uart"][name], baud, form)

    def i2c(self, most_hz: int) -> I2C:
        """Return the I2C bus with the display, at most this fast; on a PC without a bench nobody answers on it."""
        return I2C(self._config.get("bench"))

    def spi(self) -> tuple:
        """Return the SPI bus with the display, and its chip select: called with the level, as a pin is."""
        bus = SPI(self._config.get("bench"))
        return bus, bus.select

    def pin_pair(self, name: str) -> tuple:
        """Return clock and data pin of a two-wire display; pin(0) pulls down, pin(1) lets go, pin() reads."""
        wires = TwoWires(self._config.get("bench"))
        return wires.clk, wires.dio

    def switch(self, name: str, on: bool) -> Switch:
        """Return the switch `name`, "supply" or "load1" to "load4", driven `on` or not at once; the bench has all."""
        return Switch(self._config.get("bench"), name, on)

    def button(self, name: str) -> Button:
        """Return button "A" or "B"; on a PC without a bench it is never pressed."""
        button = Button(lambda: self._pins is not None and self._pins.level.get(name, False), asyncio.Event())
        if self._pins is not None:
            self._pins.on_edge[name] = button.edge
            self._pins.start()
        return button

    async def settle(self) -> None:
        """Return when held() can be asked: the bench says a moment after the connection which buttons are down."""
        if self._pins is not None:
            for name in ("A", "B"):
                self._pins.on_edge.setdefault(name, lambda: None)
            self._pins.start()
            await asyncio.sleep_ms(_SETTLE_MS)

    def held(self, name: str) -> bool:
        """Return True while button `name` is down."""
        return self._pins is not None and self._pins.level.get(name, False)

    def pulse(self, name: str, width_ms: int) -> Pulse:
        """Return the pulse input `name`; on a PC without a bench it never counts, and the bench does not bounce."""
        pulse = Pulse(asyncio.Event())
        if self._pins is not None:
            self._pins.on_pulses[name] = lambda n: pulse.add(n, now_ms())
            self._pins.start()
        return pulse

    def contact(self, name: str):
        """Return the contact `name` (hal.contact.Contact); on a PC without a bench nobody can tell how it stands."""
        from .contact import Contact  # noqa: PLC0415 - most hubs have none

        pins = self._pins
        contact = Contact(lambda: pins.level.get(name, False) if pins is not None else None)
        if pins is not None:
            pins.on_edge[name] = contact.edge
            pins.start()
        return contact

    async def network_up(self, wifi: dict, tell) -> None:
        """Return when there is a network; never when the configuration says there is none. The PC joins no Wi-Fi."""
        while not self._config.get("net", True):
            await asyncio.sleep(60)

    def link(self) -> dict:
        """Return nothing: the PC's network is its own affair."""
        return {}

    def flash(self) -> tuple:
        """Return the free bytes and the size of the file system with the hub's folder."""
        of = os.statvfs(self.data_dir)
        return of[0] * of[3], of[1] * of[2]

    def reset_reason(self) -> str:
        """Return in words why the hub has started."""
        return "process start"

    def feed_watchdog(self) -> None:
        """Nothing to do: who started the process watches it."""

    def restart(self) -> None:
        """End the process; who started it starts it again."""
        sys.exit(3)
