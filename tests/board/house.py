"""A house around an emulated board: its meter, its display, its buttons, and the cable to a computer.

The firmware is the one frozen into the real image, or deployed onto the stock one; everything that is done to it is
done with the commands that a person has. Time in the house is the board's own: it goes at most as fast as ours.
"""

import io
import os
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageFilter, ImageOps

from meterhub_tools import cli
from meterhub_tools.board.bridge import Tunnel
from meterhub_tools.board.port import Line, Refused
from meterhub_tools.emulator.board import EmulatedPico
from meterhub_tools.errors import ToolError
from meterhub_tools.simulators import display_reader
from meterhub_tools.simulators.household import HALF_HOUR_S, Household
from meterhub_tools.simulators.p1_meter import P1Meter
from meterhub_tools.simulators.ssd1306 import SSD1306
from meterhub_tools.toolchain import ROOT

PINS = ROOT / "boards/RPI_PICO/pins.json"
P1_UART, I2C_BUS, DISPLAY = 1, 0, 0x3C
BUTTONS = {"A": 14, "B": 15}
PULSE0 = 16
PRESS_MS = 150
HISTORY_S = 2 * 86400


class House:
    """Everything on the wires of `pico`."""

    def __init__(self, pico: EmulatedPico) -> None:
        self.pico = pico
        self.display = SSD1306()
        self.meter = P1Meter(Household(int(time.time()) - HISTORY_S))
        self.sent = 0  # telegrams
        self._changed = threading.Condition()
        self._began = (time.time(), pico.virtual_ms)
        self._ends = threading.Event()
        self._threads: list[threading.Thread] = []
        pico.listeners.append(self._on_event)
        pico.connect_i2c(I2C_BUS, DISPLAY)

    def close(self) -> None:
        """End what runs beside the test."""
        self._ends.set()
        for thread in self._threads:
            thread.join()

    def __enter__(self) -> "House":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def now(self) -> int:
        """Return the time in the house, Unix seconds: it stands still while the board has no power."""
        wall, virtual_ms = self._began
        return int(wall + (self.pico.virtual_ms - virtual_ms) / 1000)

    # -- the meter -------------------------------------------------------------------------------------------------

    def telegram(self, at: int) -> None:
        """Send the meter's telegram of `at` and wait until it is through the wire."""
        self.pico.uart(P1_UART).feed(self.meter.telegram(at))
        self.sent += 1

    def live_through(self) -> None:
        """Send the telegrams of all half-hours since the household's start, a breath apart."""
        for at in range(self.meter.household.start, self.now() + 1, HALF_HOUR_S):
            self.telegram(at)
            self.pico.wait_ms(150)

    def tick(self) -> None:
        """Let the meter send a telegram every second of the board's time from now on."""
        self._run(self._tick)

    def _tick(self) -> None:
        while not self._ends.is_set():
            due = self.pico.virtual_ms + 1000
            self.telegram(self.now())
            self.pico.wait_ms(max(1.0, due - self.pico.virtual_ms))

    def _run(self, work: Callable[[], None]) -> None:
        def guarded() -> None:
            try:
                work()
            except ToolError:
                if not self._ends.is_set() and self.pico.status["on"]:
                    raise

        thread = threading.Thread(target=guarded, daemon=True)
        thread.start()
        self._threads.append(thread)

    # -- the display -----------------------------------------------------------------------------------------------

    def _on_event(self, event: dict) -> None:
        if event["ev"] == "i2c" and event["address"] == DISPLAY:
            with self._changed:
                self.display.write(bytes.fromhex(event["data"]))
                self._changed.notify_all()
        elif event["ev"] == "off":
            with self._changed:
                self.display.reset()

    def press(self, name: str) -> None:
        """Press button A or B."""
        self.pico.press(BUTTONS[name], PRESS_MS)

    def sees(self, *words: str, patience_s: float = 60) -> list[str]:
        """Wait until the display shows all these words; return its lines."""

        def shown() -> list[str] | None:
            lines = display_reader.read_text(self.display.pixels())
            text = " ".join(lines).lower()
            return lines if all(word.lower() in text for word in words) else None

        with self._changed:
            found = self._changed.wait_for(shown, patience_s)
        assert found, f"waited for {words}, the display shows {display_reader.read_text(self.display.pixels())}"
        return found

    def pin(self, patience_s: float = 60) -> str:
        """Wait for the PIN, and read it as a stranger would: from an enlarged picture of the display, by OCR."""
        with self._changed:
            assert self._changed.wait_for(lambda: display_reader.read_pin(self.display.pixels()), patience_s)
            pixels = self.display.pixels()
        return "".join(_read(pixels, (0, 9, 128, 54)).split())

    # -- the cable -------------------------------------------------------------------------------------------------

    def meterhub(self, *words: str) -> int:
        """Run a command on this board's port; return its exit status."""
        return cli.main([words[0], *words[1:], "--port", self.pico.port])

    def bridge(self, port: int) -> "Bridge":
        """Connect the hub's cable with a broker on this machine."""
        return Bridge(self, port)


class Bridge:
    """The computer at the other end of the cable while the `with` lasts: the WAN tunnel, and a line to ask."""

    def __init__(self, house: House, port: int) -> None:
        self._house = house
        self._tunnel = Tunnel("mqtt", "127.0.0.1", port)
        self._ends = threading.Event()
        self._asked = threading.Lock()
        self.events: list[dict] = []

    def __enter__(self) -> "Bridge":
        self._line = Line(self._house.pico.port)
        self._line.open()
        self._tunnel.join(self._line)
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()
        return self

    def _follow(self) -> None:
        while not self._ends.is_set():
            with self._asked:
                event = self._line.event(0.05)
            if event is not None:
                self.events.append(event)
            time.sleep(0.001)  # whoever waits to ask gets a turn

    def ask(self, verb: str) -> dict:
        """Ask the hub while it works."""
        with self._asked:
            while True:
                try:
                    return self._line.ask(verb, patience_s=60)
                except Refused as refused:
                    if refused.error != "BUSY":
                        raise

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join()
        self._tunnel.end()
        self._line.close()


def _read(pixels: list[list[int]], box: tuple[int, int, int, int]) -> str:
    """Return the digits that tesseract reads in a part of the display."""
    image = Image.new("L", (128, 64))
    image.putdata([255 * pixel for row in pixels for pixel in row])
    image.paste(0, (64, 31, 128, 64))  # the code beside the PIN
    part = image.crop(box)
    large = part.resize((part.width * 3, part.height * 3), Image.Resampling.NEAREST)
    large = ImageOps.invert(large.filter(ImageFilter.GaussianBlur(1.5)))
    png = io.BytesIO()
    ImageOps.expand(large, 20, 255).save(png, "PNG")
    words = ["tesseract", "-", "-", "--psm", "6", "-c", "tessedit_char_whitelist=0123456789"]
    environment = os.environ | {"OMP_THREAD_LIMIT": "1"}
    return subprocess.run(
        words, input=png.getvalue(), capture_output=True, check=True, env=environment
    ).stdout.decode()


def write(folder: Path, name: str, text: str) -> Path:
    """Write a file for a command; return its path."""
    path = folder / name
    path.write_text(text)
    return path
