"""The meter's end of a serial line: a real port, or a pty that is as particular about its settings as a UART.

What one side sends at 300 baud and the other hears at 9600 is not silence but other bytes. A pty carries bytes
whatever its settings are, so this end reads the speed and the format that the hub has set there, works out the levels
on the line bit by bit, and hands over what a UART with these settings makes of them. A byte whose parity or stop bit
is wrong arrives as 00, as a tty without PARMRK has it. Linux's ptys keep neither PARENB nor CS7; INPCK and ISTRIP,
which say the same, they keep.

Units    bits per second; seconds of the wall clock
Errors   ToolError for a port that cannot be opened.
Runs on  Linux
"""

import fcntl
import os
import select
import sys
import termios
import time
import tty
from typing import NamedTuple

import serial

from ..errors import ToolError

RECEIVE_BUFFER_BYTES = 4096  # what a UART's receive buffer holds on a board; who reads slower loses bytes
_SLICE_S = 0.01
_SPEEDS = {getattr(termios, name): int(name[1:]) for name in dir(termios) if name[0] == "B" and name[1:].isdigit()}


class Line(NamedTuple):
    """How a serial line is set."""

    baud: int
    bits: int = 8
    parity: str = "N"  # or "E", "O"
    stop: int = 1

    @classmethod
    def of(cls, baud: int, form: str) -> "Line":
        """Return the Line of 2400 and "8E1"."""
        return cls(baud, int(form[0]), form[1], int(form[2]))

    @property
    def bits_per_byte(self) -> int:
        return 1 + self.bits + (self.parity != "N") + self.stop


def levels(data: bytes, line: Line) -> list[int]:
    """Return the levels of the line, bit by bit, while `data` is sent."""
    found: list[int] = []
    for byte in data:
        bits = [byte >> i & 1 for i in range(line.bits)]
        parity = [] if line.parity == "N" else [sum(bits) & 1 ^ (line.parity == "O")]
        found += [0, *bits, *parity, *[1] * line.stop]
    return found


def as_heard(data: bytes, sent: Line, heard: Line) -> bytes:
    """Return what a UART set to `heard` receives of `data` that was sent as `sent` says."""
    if sent == heard:
        return bytes(byte & (1 << heard.bits) - 1 for byte in data)
    on_line = [*levels(data, sent), *[1] * (2 * sent.bits_per_byte)]
    ratio = sent.baud / heard.baud  # bits of the sender in one of the receiver
    found = bytearray()
    at = 0.0
    while (start := _next_low(on_line, at)) is not None:
        samples = [_level(on_line, start + (0.5 + i) * ratio) for i in range(heard.bits_per_byte - heard.stop + 1)]
        found.append(_byte(samples, heard))
        at = start + (heard.bits_per_byte - heard.stop + 0.5) * ratio
        while at < len(on_line) and not _level(on_line, at):  # a break: wait for the line to rise
            at += 1
    return bytes(found)


def _next_low(on_line: list[int], at: float) -> int | None:
    try:
        return on_line.index(0, int(at))
    except ValueError:
        return None


def _level(on_line: list[int], at: float) -> int:
    return on_line[int(at)] if at < len(on_line) else 1


def _byte(samples: list[int], line: Line) -> int:
    """Return the byte of a start bit, the data bits, the parity, and the stop bit."""
    bits = samples[1 : 1 + line.bits]
    value = sum(bit << i for i, bit in enumerate(bits))
    if not samples[-1]:
        return 0
    if line.parity != "N" and (sum(bits) + samples[1 + line.bits] + (line.parity == "O")) & 1:
        return 0
    return value


class PtyWire:
    """A pty; `path` is the device that the hub opens. line: how the meter's UART is set; any_line: no matter."""

    def __init__(self, line: Line, any_line: bool = False) -> None:
        self._meter_end, self._hub_end = os.openpty()
        tty.setraw(self._hub_end)
        os.set_blocking(self._meter_end, False)
        self.path = os.ttyname(self._hub_end)
        self.line = line
        self.any_line = any_line
        self.dropped_bytes = 0
        self.most_waiting_bytes = 0  # for the hub to read them: how near the buffer was to its end

    def hub_line(self) -> Line:
        """Return how the hub has set its end."""
        iflag, _, cflag, _, speed, _, _ = termios.tcgetattr(self._hub_end)
        is_seven = iflag & termios.ISTRIP or cflag & termios.CSIZE == termios.CS7
        has_parity = iflag & termios.INPCK or cflag & termios.PARENB
        parity = ("O" if cflag & termios.PARODD else "E") if has_parity else "N"
        return Line(_SPEEDS.get(speed, 0), 7 if is_seven else 8, parity, 2 if cflag & termios.CSTOPB else 1)

    def read(self, timeout_s: float) -> bytes:
        """Return what the meter's UART hears within `timeout_s`, b"" for nothing."""
        if not select.select([self._meter_end], [], [], timeout_s)[0]:
            return b""
        data = os.read(self._meter_end, 4096)
        hub = self.hub_line()
        time.sleep(len(data) * hub.bits_per_byte / (hub.baud or self.line.baud))  # a pty has it at once, no wire has
        return data if self.any_line or not hub.baud else as_heard(data, hub, self.line)

    def write(self, data: bytes) -> None:
        """Send `data` at the line's speed; what the hub does not read in time is lost."""
        size = max(1, int(self.line.baud * _SLICE_S / self.line.bits_per_byte))
        due = time.monotonic()
        for start in range(0, len(data), size):
            piece = data[start : start + size]
            due += len(piece) * self.line.bits_per_byte / self.line.baud
            time.sleep(max(0.0, due - time.monotonic()))
            hub = self.hub_line()
            self._deliver(piece if self.any_line or not hub.baud else as_heard(piece, self.line, hub))

    def _deliver(self, piece: bytes) -> None:
        waiting = len(piece) + int.from_bytes(fcntl.ioctl(self._hub_end, termios.FIONREAD, b"\0" * 4), sys.byteorder)
        self.most_waiting_bytes = max(self.most_waiting_bytes, waiting)
        written = 0
        if waiting <= RECEIVE_BUFFER_BYTES:
            try:
                written = os.write(self._meter_end, piece)
            except BlockingIOError:
                written = 0
        self.dropped_bytes += len(piece) - written

    def close(self) -> None:
        """Take the line away."""
        for end in (self._meter_end, self._hub_end):
            os.close(end)


class PortWire:
    """A serial port of this machine, or whatever pyserial takes for one."""

    def __init__(self, port: str, line: Line) -> None:
        self.path = port
        try:
            self._port = serial.serial_for_url(port, timeout=0)
        except (serial.SerialException, ValueError) as exc:
            raise ToolError(f"{port} cannot be opened ({exc}); is it there, and may you use it?") from exc
        self.line = line

    @property
    def line(self) -> Line:
        """How the port is set."""
        return self._line

    @line.setter
    def line(self, line: Line) -> None:
        self._line = line
        self._port.baudrate, self._port.bytesize = line.baud, line.bits
        self._port.parity, self._port.stopbits = line.parity, line.stop

    def read(self, timeout_s: float) -> bytes:
        """Return what comes within `timeout_s`, b"" for nothing."""
        self._port.timeout = timeout_s
        first: bytes = self._port.read(1)
        return first + self._port.read(self._port.in_waiting) if first else b""

    def write(self, data: bytes) -> None:
        """Send `data`; return when it is out."""
        self._port.write(data)
        self._port.flush()

    def pulse(self, width_s: float) -> None:
        """Close the contact that hangs on RTS."""
        self._port.rts = True
        time.sleep(width_s)
        self._port.rts = False

    def close(self) -> None:
        """Let go of the port."""
        self._port.close()
