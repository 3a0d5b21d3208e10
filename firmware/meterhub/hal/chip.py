"""Boards with a microcontroller: ESP32 and RP2 (the Picos), over MicroPython's `machine`; Wi-Fi is radio.py's.

Configuration: /pins.json on the board, which is boards/<BOARD>/pins.json; boards/README.md says what stands in it.

Source   MicroPython docs: machine.UART, machine.Pin.irq, machine.WDT, machine.Timer (1.24 and later)
Memory   4 KB for each serial line, allocated by the UART: one whole telegram of the longest kind
Errors   OSError of the ports, KeyError for a line or pin that the board does not have
Runs on  device only
"""

import asyncio
import hashlib
import json
import os
import sys
import time

import machine
from micropython import const

from . import folder, line_format
from .button import Button
from .epoch import epoch_offset_s, utc_fields
from .pulse import Pulse
from .ticks import now_ms

_RX_BYTES = const(4096)
_SPI_HZ = const(1000000)  # MAX7219: 10 MHz at most, on wires that somebody plugged
_REST_MS = const(8000)
_FEED_MS = const(1000)
_UNSIGNED = 0xFFFFFFFF
_RESETS = (  # a port has those that it can tell apart
    ("PWRON_RESET", "power on"),
    ("HARD_RESET", "reset"),
    ("WDT_RESET", "watchdog"),
    ("DEEPSLEEP_RESET", "deep sleep"),
    ("SOFT_RESET", "soft reset"),
)


def configuration() -> dict:
    """Return the board's configuration; OSError, ValueError when there is none."""
    with open("/pins.json") as file:
        return json.load(file)


def rest() -> "machine.Timer":
    """Feed the watchdog from a timer: nothing can stop it, and whoever has interrupted the firmware needs time.

    Returns the timer: the RP2's ends when nobody keeps it.
    """
    watchdog = machine.WDT(timeout=_REST_MS)
    timer = 0 if sys.platform == "esp32" else -1  # the RP2 has timers in software only
    return machine.Timer(timer, period=_FEED_MS, mode=machine.Timer.PERIODIC, callback=lambda _: watchdog.feed())


class UART:
    """One serial line. port: a machine.UART that does not wait in its reads; driver: RS-485's enable pin or None."""

    def __init__(self, port: machine.UART, driver: "machine.Pin | None" = None) -> None:
        self._port = port
        self._driver = driver
        self._stream = asyncio.StreamReader(port)

    async def read_into(self, buf: bytearray) -> int:
        """Wait until bytes have come; put at most len(buf) of them into `buf` and return how many (>= 1)."""
        while True:
            count = await self._stream.readinto(buf)
            if count:
                return count

    async def send(self, data: bytes) -> None:
        """Send `data`, and return when its last bit is out."""
        if self._driver is not None:
            self._driver.on()
        self._port.write(data)
        while not self._port.txdone():
            await asyncio.sleep_ms(1)
        if self._driver is not None:
            self._driver.off()

    async def set_line(self, baud: int, form: str) -> None:
        """Set speed and format; pins, buffer and inversion stay, and so do the bytes that have come."""
        bits, parity, stop = line_format.parsed(form)
        self._port.init(baudrate=baud, bits=bits, parity=parity, stop=stop)

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
        self.name = config["board"]
        self._clock_is_set = False
        self._radio = None
        self._watchdog = None

    def time(self) -> int:
        """Return Unix seconds; without meaning until clock_is_set()."""
        return (int(time.time()) & _UNSIGNED) + self._epoch_s  # the ESP32's is signed: it turns negative in 2068

    def set_time(self, unix_s: int) -> None:
        """Set the board's RTC."""
        machine.RTC().datetime(utc_fields(unix_s) + (0,))
        self._clock_is_set = True

    def clock_is_set(self) -> bool:
        """Return True once set_time() was called: no board has a clock that survives a power cut."""
        return self._clock_is_set

    def keep(self, raw: bytes) -> bool:
        """Keep a few bytes through a reset, though not without power; False where the chip cannot."""
        if not hasattr(machine.RTC, "memory"):
            return False
        machine.RTC().memory(raw)
        return True

    def kept(self) -> bytes:
        """Return what keep() was given last, b"" for nothing."""
        return bytes(machine.RTC().memory()) if hasattr(machine.RTC, "memory") else b""

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

    def has(self, name: str) -> bool:
        """Return whether the board's pins name something that is called `name`."""
        return bool(self._config.get(name))

    def uart(self, name: str, baud: int, form: str, inverted: bool) -> UART:
        """Return the serial line called `name`, its receiver `inverted` or not.

        A P1 data request is the transmitter's pin: an idle transmitter holds its line high, which is the request.
        """
        pins = self._config["uart"][name]
        bits, parity, stop = line_format.parsed(form)
        port = machine.UART(
            pins["id"],
            baudrate=baud,
            bits=bits,
            parity=parity,
            stop=stop,
            tx=machine.Pin(pins["request" if "request" in pins else "tx"]),
            rx=machine.Pin(pins["rx"]),
            rxbuf=_RX_BYTES,
            timeout=0,
            invert=machine.UART.INV_RX if inverted else 0,
        )
        return UART(port, self._output(pins["driver"], 0) if "driver" in pins else None)

    def i2c(self, most_hz: int) -> machine.I2C:
        """Return the I2C bus with the display, which takes at most this many bits a second."""
        bus = self._config["i2c"]
        hz = min(bus["hz"], most_hz)
        return machine.I2C(bus["id"], sda=machine.Pin(bus["sda"]), scl=machine.Pin(bus["scl"]), freq=hz)

    def spi(self):
        """Return the SPI bus of the MAX7219, and its chip select: a pin to be called with the level."""
        bus = self._config["spi"]
        sck, mosi = machine.Pin(bus["sck"]), machine.Pin(bus["mosi"])
        return machine.SPI(bus["id"], baudrate=_SPI_HZ, sck=sck, mosi=mosi, miso=None), self._output(bus["cs"], 1)

    def pin_pair(self, name: str) -> tuple:
        """Return clock and data pin of the two-wire display `name`: open drain, let go, pulled up."""
        pair = self._config[name]
        return self._open_drain(pair["clk"]), self._open_drain(pair["dio"])

    def switch(self, name: str, on: bool):
        """Return the switch `name`, "supply" or "load1" to "load4" (switch.py), a level driven `on` or not at once.

        A pin gets its level before it becomes an output: nothing twitches.
        """
        from . import switch  # noqa: PLC0415 - few hubs switch anything

        wired = self._config[name]
        sense = self._config.get(name + "_sense")
        contact = None if sense is None else self._contact(sense)
        if isinstance(wired, dict):
            return switch.Latch((self._output(wired["on"], 0), self._output(wired["off"], 0)), contact)
        return switch.Level(self._output(wired, 1 if on else 0), contact)

    def _output(self, number, level):
        return machine.Pin(number, machine.Pin.OUT, value=level)

    def _open_drain(self, number):
        return machine.Pin(number, machine.Pin.OPEN_DRAIN, machine.Pin.PULL_UP, value=1)

    def _contact(self, number):
        """Return the pin of a contact to ground, pulled up by the chip if it can."""
        if number in self._config.get("no_pull_up", ()):
            return machine.Pin(number, machine.Pin.IN)
        return machine.Pin(number, machine.Pin.IN, machine.Pin.PULL_UP)

    async def settle(self) -> None:
        """Return when held() can be asked: at once."""

    def held(self, name: str) -> bool:
        """Return True while button `name` is down; for the power-on, before button() takes it."""
        return not self._contact(self._config["button"][name]).value()

    def button(self, name: str) -> Button:
        """Return button "A" or "B"."""
        pin = self._contact(self._config["button"][name])
        button = Button(lambda: not pin.value(), asyncio.ThreadSafeFlag())
        pin.irq(lambda _: button.edge(), machine.Pin.IRQ_FALLING | machine.Pin.IRQ_RISING)
        return button

    def pulse(self, name: str, width_ms: int) -> Pulse:
        """Return the pulse input `name`; shorter pulses than `width_ms` are none."""
        pin = self._contact(self._config["pulse"][name])
        flag = asyncio.ThreadSafeFlag()
        if sys.platform == "rp2":
            from .pulse_pio import PIOPulse  # noqa: PLC0415 - only the RP2 has a PIO

            return PIOPulse(flag, pin, sorted(self._config["pulse"]).index(name), width_ms)
        from .pulse_edges import EdgePulse  # noqa: PLC0415 - the others

        pulse = EdgePulse(flag, width_ms)
        both = machine.Pin.IRQ_FALLING | machine.Pin.IRQ_RISING
        pin.irq(lambda _: pulse.edge(not pin.value(), now_ms()), both)
        return pulse

    def contact(self, name: str):
        """Return the contact `name` (hal.contact.Contact) that shows interference."""
        from .contact import Contact  # noqa: PLC0415 - most hubs have none

        pin = self._contact(self._config["tamper"][name])
        contact = Contact(lambda: not pin.value())
        pin.irq(lambda _: contact.edge(), machine.Pin.IRQ_FALLING | machine.Pin.IRQ_RISING)
        return contact

    async def network_up(self, wifi: dict, tell) -> None:
        """Return when the Wi-Fi is joined; never without a radio or an SSID. It is joined again whenever it is lost.

        wifi: {"ssid", "password", "country"} of the settings; tell: function(words), called when a join fails,
        such as "wifi wrong password".
        """
        if self._radio is None and self._config["radio"] and wifi.get("ssid"):
            from .radio import Radio  # noqa: PLC0415 - a board without a radio has no module `network`

            self._radio = Radio(wifi, tell)
        while self._radio is None:
            await asyncio.sleep(60)
        await self._radio.joined()

    def link(self) -> dict:
        """Return the Wi-Fi's "ssid" and "rssi" (dBm); nothing when there is none."""
        return self._radio.link() if self._radio else {}

    def flash(self) -> tuple:
        """Return the free bytes and the size of the file system."""
        of = os.statvfs("/")
        return of[0] * of[3], of[1] * of[2]

    def reset_reason(self) -> str:
        """Return in words why the board has started. An RP2 cannot tell restart() from its watchdog."""
        cause = machine.reset_cause()
        for name, words in _RESETS:
            if cause == getattr(machine, name, None):
                return words if hasattr(machine, "HARD_RESET") or words == "power on" else "restart or watchdog"
        return "unknown"

    def feed_watchdog(self) -> None:
        """Tell the watchdog that the loop still turns; the first sign of life starts it."""
        wait_ms = self._config.get("watchdog_ms")
        if self._watchdog is not None:
            self._watchdog.feed()
        elif wait_ms:
            self._watchdog = machine.WDT(timeout=wait_ms)

    def restart(self) -> None:
        """Start again from the beginning."""
        machine.reset()
