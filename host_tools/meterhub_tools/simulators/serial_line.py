"""A serial line between a simulated meter and a hub: a pty whose other end the hub opens as its UART.

A live line is paced at its true baud rate and drops what nobody reads, as a wire does. A line that catches up is
as fast as the hub reads: it waits for room. Neither ever blocks the event loop.

Units    baud rate in bits per second; ten bits per byte (start, eight data or seven and parity, stop)
Errors   OSError when the system has no more ptys.
Runs on  Linux
"""

import asyncio
import fcntl
import os
import sys
import termios
import tty

# what a UART's receive buffer holds on a board; a reader that is further behind loses bytes
RECEIVE_BUFFER_BYTES = 2048
_SLICE_S = 0.01


class SerialLine:
    """One line; `path` is the device that the hub opens."""

    def __init__(self, baud: int = 115200) -> None:
        self._meter_end, self._hub_end = os.openpty()
        tty.setraw(self._hub_end)
        os.set_blocking(self._meter_end, False)
        self.path = os.ttyname(self._hub_end)
        self._bytes_per_s = baud // 10
        self.connected = True
        self.dropped_bytes = 0

    def unread(self) -> int:
        """Return how many bytes lie in the hub's receive buffer."""
        return int.from_bytes(fcntl.ioctl(self._hub_end, termios.FIONREAD, b"\0" * 4), sys.byteorder)

    def forget_unread(self) -> None:
        """Empty the receive buffer: a hub without power has none."""
        termios.tcflush(self._hub_end, termios.TCIFLUSH)

    async def catch_up(self, data: bytes) -> None:
        """Write all of `data` as fast as it is read; a line that is not connected swallows it."""
        view = memoryview(data)
        while view and self.connected:
            try:
                view = view[os.write(self._meter_end, view) :]
            except BlockingIOError:
                await self._room()

    async def _room(self) -> None:
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()
        loop.add_writer(self._meter_end, ready.set)
        try:
            await ready.wait()
        finally:
            loop.remove_writer(self._meter_end)

    async def send(self, data: bytes) -> None:
        """Write `data` at the line's speed; what is not read in time, or finds no cable, is lost."""
        size = max(1, int(self._bytes_per_s * _SLICE_S))
        for start in range(0, len(data), size):
            self._send_slice(data[start : start + size])
            await asyncio.sleep(_SLICE_S)

    def _send_slice(self, piece: bytes) -> None:
        written = 0
        if self.connected and self.unread() + len(piece) <= RECEIVE_BUFFER_BYTES:
            try:
                written = os.write(self._meter_end, piece)
            except BlockingIOError:
                written = 0
        self.dropped_bytes += len(piece) - written

    def close(self) -> None:
        """Take the line away; the hub's end reads end of file from now on."""
        for end in (self._meter_end, self._hub_end):
            os.close(end)
