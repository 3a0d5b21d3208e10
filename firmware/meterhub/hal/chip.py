"""Boards with a microcontroller: ESP32 and RP2 (Pico W, Pico 2 W), over MicroPython's `machine` and `network`.

Configuration: /board.json on the board, which is boards/<BOARD>/board.json with the household's Wi-Fi filled in;
boards/README.md says what stands in it.

Source   MicroPython docs: machine.UART, machine.Pin.irq, machine.WDT, network.WLAN (1.24 and later)
Memory   4 KB for each serial line, allocated by the UART: one whole telegram of the longest kind
Errors   OSError of the ports, KeyError for a line or pin that the board does not have
Runs on  device only
"""

import asyncio
import hashlib
import json
import os
import time

import machine
import network
from micropython import const

from . import folder
from .button import Button
from .clock import epoch_offset_s
from .pulse import Pulse
from .ticks import now_ms

_RX_BYTES = const(4096)
_JOIN_S = const(20)
_PAUSE_S = const(10)
_LOOK_MS = const(500)


def configuration() -> dict:
    """Return the board's configuration; OSError, ValueError when there is none."""
    with open("/board.json") as file:
        return json.load(file)


class UART:
    """One serial line. port: a machine.UART that does not wait in its reads."""

    def __init__(self, port: machine.UART) -> None:
        self._port = port
        self._stream = asyncio.StreamReader(port)

    async def read_into(self, buf: bytearray) -> int:
        """Wait until bytes have come; put at most len(buf) of them into `buf` and return how many (>= 1)."""
        while True:
            count = await self._stream.readinto(buf)
            if count:
                return count

    def write(self, data: bytes) -> None:
        """Send `data`."""
        self._port.write(data)

    def close(self) -> None:
        """Switch the line off."""
        self._port.deinit()


class Board:
    """What the firmware sees of the board. config: as configuration() returns it."""

    def __init__(self, config: dict) -> None:
        self._config = config
        self.data_dir = config["data"]
        folder.make(self.data_dir)
        self._epoch_s = epoch_offset_s(time.gmtime)
        self._clock_is_set = False
        self._wlan = network.WLAN(network.STA_IF)
        self._keeper = None
        wait_ms = config.get("watchdog_ms")
        self._watchdog = machine.WDT(timeout=wait_ms) if wait_ms else None

    def time(self) -> int:
        """Return Unix seconds; without meaning until clock_is_set()."""
        return int(time.time()) + self._epoch_s

    def set_time(self, unix_s: int) -> None:
        """Set the board's RTC."""
        year, month, day, hour, minute, second, weekday = time.gmtime(unix_s - self._epoch_s)[:7]
        machine.RTC().datetime((year, month, day, weekday, hour, minute, second, 0))
        self._clock_is_set = True

    def clock_is_set(self) -> bool:
        """Return True once set_time() was called: no board has a clock that survives a power cut."""
        return self._clock_is_set

    def entropy(self, n: int) -> bytes:
        """Return `n` bytes to seed a generator with.

        Neither the RP2's ring oscillator nor the ESP32's generator without radio is a conditioned source: each 32
        bytes are the hash of 256 of theirs and of timings. That takes a few milliseconds.
        """
        out = b""
        while len(out) < n:
            pool = hashlib.sha256(out)
            for _ in range(8):
                pool.update(os.urandom(32))
                pool.update(str(time.ticks_cpu()).encode())
            out += pool.digest()
        return out[:n]

    def unique_id(self) -> bytes:
        """Return the chip's own number."""
        return machine.unique_id()

    def uart(self, name: str, baud: int, bits: int, parity: "int | None", stop: int, inverted: bool) -> UART:
        """Return the serial line called `name`, its receiver `inverted` or not; a P1 data request pin is raised."""
        pins = self._config["uart"][name]
        if "request" in pins:
            machine.Pin(pins["request"], machine.Pin.OUT, value=1)
        port = machine.UART(
            pins["id"],
            baudrate=baud,
            bits=bits,
            parity=parity,
            stop=stop,
            tx=machine.Pin(pins["tx"]),
            rx=machine.Pin(pins["rx"]),
            rxbuf=_RX_BYTES,
            timeout=0,
            invert=machine.UART.INV_RX if inverted else 0,
        )
        return UART(port)

    def i2c(self) -> machine.I2C:
        """Return the I2C bus with the display."""
        bus = self._config["i2c"]
        return machine.I2C(bus["id"], sda=machine.Pin(bus["sda"]), scl=machine.Pin(bus["scl"]), freq=bus["hz"])

    def button(self, name: str) -> Button:
        """Return button "A" or "B": a contact to ground."""
        pin = machine.Pin(self._config["button"][name], machine.Pin.IN, machine.Pin.PULL_UP)
        button = Button(lambda: not pin.value(), asyncio.ThreadSafeFlag())
        pin.irq(lambda _: button.edge(), machine.Pin.IRQ_FALLING | machine.Pin.IRQ_RISING)
        return button

    def pulse(self, name: str) -> Pulse:
        """Return the pulse input `name`: a contact to ground."""
        pin = machine.Pin(self._config["pulse"][name], machine.Pin.IN, machine.Pin.PULL_UP)
        pulse = Pulse(asyncio.ThreadSafeFlag())
        pin.irq(lambda _: pulse.edge(now_ms()), machine.Pin.IRQ_FALLING)
        return pulse

    async def network_up(self) -> None:
        """Return when the Wi-Fi is joined; never when none is configured. It is joined again whenever it is lost."""
        if self._keeper is None and self._config.get("wifi", {}).get("ssid"):
            self._keeper = asyncio.create_task(self._keep_joined())
        while not self._wlan.isconnected():
            await asyncio.sleep_ms(_LOOK_MS)

    async def _keep_joined(self):
        wifi = self._config["wifi"]
        if wifi.get("country"):
            network.country(wifi["country"])
        while True:
            if not self._wlan.isconnected():
                try:
                    self._wlan.active(True)
                    self._wlan.connect(wifi["ssid"], wifi.get("password"))
                except OSError:
                    self._wlan.active(False)  # a radio in disorder: start it afresh
                await asyncio.sleep(_JOIN_S)
            await asyncio.sleep(_PAUSE_S)

    def feed_watchdog(self) -> None:
        """Tell the watchdog that the loop still turns."""
        if self._watchdog is not None:
            self._watchdog.feed()

    def reset(self) -> None:
        """Start again from the beginning."""
        machine.reset()
