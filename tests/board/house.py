"""A house around an emulated board: its meter, its display, its buttons, and the cable to a computer.

The firmware is the one frozen into the real image, or deployed onto the stock one; everything that is done to it is
done with the commands that a person has. Time in the house is the board's own: it goes at most as fast as ours.
"""

import contextlib
import io
import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, ImageFilter, ImageOps

from meterhub_tools import cli
from meterhub_tools.board.bridge import Tunnel
from meterhub_tools.board.port import CablePulled, Line, Refused, Repl, wait_for_hub
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
P1 = 'meters=[{"protocol": "p1", "input": "p1"}]'  # what is set for a meter that talks, and for one that blinks
BLINKS = 'meters=[{"protocol": "pulse", "input": "pulse0"}]'
PRESS_MS = 150
START_S = 60
HISTORY_S = 86400
BASE_W = 6000  # more than its sun gives at noon: it always draws
BREATH_MS = 300  # until a telegram is decoded, and what came of it is on the flash


class House:
    """Everything on the wires of `pico`; its household began `history_s` ago."""

    def __init__(self, pico: EmulatedPico, history_s: int = HISTORY_S) -> None:
        self.pico = pico
        self.display = SSD1306()
        self.meter = P1Meter(Household(int(time.time()) - history_s))
        self.meter.household.set_extra_w(self.meter.household.start, BASE_W)
        self.sent = 0  # telegrams
        self.whole = 0  # those of them of which the hub's receiver has lost no byte
        self._lost = 0  # bytes
        self._changed = threading.Condition()
        self._began = (time.time(), pico.virtual_ms)
        pico.listeners.append(self._on_event)
        pico.connect_i2c(I2C_BUS, DISPLAY)

    def wire(self) -> None:
        """Tell the board what is wired to it, as deploy does, and start it anew."""
        with Repl(self.pico.port) as repl:
            repl.exec(f"f = open('/pins.json', 'w'); f.write({PINS.read_text()!r}); f.close()", "to write")

    def now(self) -> int:
        """Return the time in the house, Unix seconds: it stands still while the board has no power."""
        wall, virtual_ms = self._began
        return int(wall + (self.pico.virtual_ms - virtual_ms) / 1000)

    # -- the meter -------------------------------------------------------------------------------------------------

    def telegram(self, at: int) -> None:
        """Send the meter's telegram of `at` and wait until it is through the wire."""
        lost = self.pico.uart(P1_UART).feed(self.meter.telegram(at))
        self.sent += 1
        self.whole += lost == self._lost
        self._lost = lost

    def live_through(self) -> None:
        """Send the telegrams of all half-hours since the household's start, a breath apart."""
        for at in range(self.meter.household.start, self.now() + 1, HALF_HOUR_S):
            self.telegram(at)
            self.pico.wait_ms(BREATH_MS)

    @contextlib.contextmanager
    def ticking(self) -> Iterator[None]:
        """Let the meter send a telegram every second of the board's time, as long as the power is on."""
        ends = threading.Event()
        thread = threading.Thread(target=self._tick, args=(ends,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            ends.set()
            thread.join()

    def _tick(self, ends: threading.Event) -> None:
        try:
            while not ends.is_set():
                due = self.pico.virtual_ms + 1000
                self.telegram(self.now())
                self.pico.wait_ms(max(BREATH_MS, due - self.pico.virtual_ms))
        except ToolError:
            if self.pico.status["on"]:
                raise

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
            text = " ".join(" ".join(lines).lower().split())
            return lines if all(word.lower() in text for word in words) else None

        with self._changed:
            found = self._changed.wait_for(shown, patience_s)
        assert found, f"waited for {words}, the display shows {display_reader.read_text(self.display.pixels())}"
        return found

    def import_wh(self) -> int:
        """Wait for the register on the display's first page and return it."""
        text = " ".join(self.sees("import", ".", "kWh"))
        return int(re.search(r"import\s+(\d+\.\d{3}) kWh", text)[1].replace(".", ""))

    def pin(self, patience_s: float = 60) -> str:
        """Wait for the PIN, and read it as a stranger would: from an enlarged picture of the display, by OCR."""
        with self._changed:
            assert self._changed.wait_for(lambda: display_reader.read_pin(self.display.pixels()), patience_s)
            pixels = self.display.pixels()
        return "".join(_read(pixels, (0, 9, 128, 54)).split())

    # -- the cable -------------------------------------------------------------------------------------------------

    def greeted(self) -> dict:
        """Return what the hub says of itself, as soon as it has come up."""
        wait_for_hub(self.pico.port, START_S)
        with Line(self.pico.port) as line:
            return line.hub | line.ask("info")

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
        with contextlib.suppress(CablePulled):  # the board has started anew: who asks next hears of it
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


def kwh(wh: int) -> str:
    """Return how the display writes a register."""
    return f"{wh // 1000}.{wh % 1000:03}"


def write(folder: Path, name: str, text: str) -> Path:
    """Write a file for a command; return its path."""
    path = folder / name
    path.write_text(text)
    return path
