"""A Raspberry Pi Pico in an emulator: the real MicroPython image on rp2040js, with the wires in the caller's hand.

    with EmulatedPico("stock") as pico:
        serial.serial_for_url(pico.port)          # its USB line; mpremote takes the same name
        pico.connect_i2c(0, 0x3C)                 # a display that answers, if only by listening
        pico.uart(1).feed(telegram)               # at the speed that the firmware has set, in virtual time
        pico.pulse(16, count=160, per_s=16)
        pico.cut_after(3)                         # the power goes after the third erase or program from now
        pico.wait_off()
        pico.start()                              # and is back, with the flash as it was left

As on a real board the USB port goes away when the chip resets or loses its power: whoever has it open reads its end
and opens it again. Virtual time never goes faster than `pace` times real time (None: as fast as it can, and sleep
takes no time: for what the board does alone). What is not modelled: waits for the flash chip's cache, the second core,
ADC inputs, baud rates that do not match, I2C bits that the program moves by hand (I2C.scan() finds nothing).

Errors   ToolError when it cannot be built or started, when it ends by itself, or when what is waited for does not come
Runs on  Linux; a process of node for each board
"""

import collections
import contextlib
import ctypes
import json
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from ..errors import ToolError
from ..toolchain import ROOT
from . import image as images

FLASH_BYTES = 2 * 1024 * 1024
HERE = Path(__file__).parent
NODE = ROOT / ".toolchain/node/bin/node"
RP2040JS = ROOT / ".toolchain/rp2040js/node_modules/rp2040js"
_PATIENCE_S = 20.0
_ANSWER_S = 120.0
_EVENTS = 100_000
_PR_SET_PDEATHSIG = 1


class EmulatedPico:
    """One board. image: "stock", "frozen", or a raw image's path; flash: 2 MB as another board left it, None: erased.

    The image is put over `flash` as UF2 does it: what lies behind it, the file system, stays.
    """

    def __init__(
        self,
        image: str | Path = "stock",
        flash: bytes | None = None,
        *,
        pace: float | None = 1.0,
        seed: int = 1,
        flash_takes_time: bool = True,
    ) -> None:
        self.image = images.image(image) if isinstance(image, str) else image
        self.events: collections.deque[dict] = collections.deque(maxlen=_EVENTS)
        self.listeners: list[Callable[[dict], None]] = []
        self.i2c_log: list[tuple[int, bytes]] = []
        self._config = {"pace": pace, "seed": seed, "flash_takes_time": flash_takes_time}
        self._first_flash = flash
        self._folder = tempfile.TemporaryDirectory(prefix="meterhub-pico-")
        self._process: subprocess.Popen[str] | None = None
        self._changed = threading.Condition()
        self._answers: dict[int, dict] = {}
        self._questions = 0
        self._seen = 0  # events so far
        self._port = 0
        self._alive = False
        self._power: dict = {"ev": "off", "why": "asked"}
        self._lines = (UART(self, 0), UART(self, 1))

    # -- power -----------------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        try:
            self._open()
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def start(self) -> None:
        """Switch the power on and wait for the firmware to bring up its USB port."""
        mark = self._seen
        self._port = self.ask("power", on=True)["port"]
        self.wait("usb", since=mark)

    def power_cut(self) -> None:
        """Take the power away, now. The flash keeps what it has."""
        self.ask("power", on=False)

    def cut_after(self, operations: int | None, *, torn: bool = False) -> None:
        """Take the power away after so many more erased sectors or programmed pages; None: do not.

        torn: in the middle of the last of them, of which only the first half comes about.
        """
        self.ask("cut", after=operations, torn=torn)

    def wait_off(self, patience_s: float = _PATIENCE_S) -> str:
        """Wait for the power to be gone; return why: "cut", "asked", "bootloader", "fault"."""
        with self._changed:
            self._changed.wait_for(lambda: not self._is_on, patience_s)
            last = self._power
        if last["ev"] != "off" or last["why"] == "reset":
            raise ToolError(f"the emulated board: waited {patience_s:.0f} s for its power to go in vain")
        return str(last["why"])

    def close(self) -> None:
        """End the emulator and remove what it kept; safe to repeat."""
        if self._process is not None:
            process, self._process = self._process, None
            with contextlib.suppress(OSError):
                self._input(process).close()
            try:
                process.wait(2)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._folder.cleanup()

    # -- wires -----------------------------------------------------------------------------------------------------

    @property
    def port(self) -> str:
        """The USB serial line's name for pyserial and mpremote."""
        return f"socket://127.0.0.1:{self._port}"

    def uart(self, number: int) -> "UART":
        """Return the wires of UART 0 or 1."""
        return self._lines[number]

    def connect_i2c(self, bus: int, *addresses: int) -> None:
        """Let just these addresses answer on an I2C bus. What is written to them goes to `i2c_log`."""
        self.ask("i2c", bus=bus, addresses=addresses)

    def drive(self, gpio: int, level: int | None) -> None:
        """Put 0 or 1 on a pin from outside; None lets go, and the pin follows its pull."""
        self.ask("drive", gpio=gpio, level=level)

    def press(self, gpio: int, ms: float, *, wait: bool = True) -> None:
        """Close a contact to ground for so long; wait until it is open again, or do not."""
        self._contact(gpio, 1, ms + 1, ms, wait)

    def pulse(self, gpio: int, count: int, per_s: float, *, low_ms: float | None = None, wait: bool = True) -> None:
        """Close a contact to ground `count` times, each for `low_ms` (half the time between two, if not said)."""
        period_ms = 1000 / per_s
        self._contact(gpio, count, period_ms, period_ms / 2 if low_ms is None else low_ms, wait)

    def bounce(self, gpio: int, *at_ms: float) -> None:
        """Close a contact to ground and open it, in turn, at these moments from now; wait for the last of them."""
        mark = self._seen
        self.ask("bounce", gpio=gpio, at_ms=at_ms)
        self.wait("pulsed", lambda event: event["gpio"] == gpio, _PATIENCE_S + at_ms[-1] / 100, since=mark)

    def watch(self, *gpios: int) -> None:
        """Have an event {"ev": "pin", "gpio", "level", "ms"} whenever the chip drives one of these pins otherwise."""
        self.ask("watch", gpios=gpios)

    def _contact(self, gpio: int, count: int, period_ms: float, low_ms: float, wait: bool) -> None:
        mark = self._seen
        self.ask("contact", gpio=gpio, count=count, period_ms=period_ms, low_ms=low_ms)
        if wait:
            patience_s = _PATIENCE_S + 10 * count * period_ms / 1000
            self.wait("pulsed", lambda event: event["gpio"] == gpio, patience_s, since=mark)

    # -- memory and time -------------------------------------------------------------------------------------------

    @property
    def flash(self) -> bytes:
        """The whole flash as it is now, 2 MB."""
        file = Path(self._folder.name, "flash")
        self.ask("save", path=str(file))
        return file.read_bytes()

    @flash.setter
    def flash(self, content: bytes) -> None:
        """Set the whole flash, the image included; the board must be off."""
        self.ask("load", path=str(self._write_flash(content)), whole=True)

    @property
    def status(self) -> dict:
        """What was counted: on, virtual_ms, boots, instructions, erases, programs, lines (heard, lost, waiting)."""
        return self.ask("status")

    @property
    def virtual_ms(self) -> float:
        """Time on the board since it was made, without the time that it had no power."""
        return float(self.status["virtual_ms"])

    def wait_ms(self, ms: float) -> None:
        """Wait until so much virtual time has passed."""
        self.ask("wait", ms=ms)

    def set_pace(self, pace: float | None) -> None:
        """Let virtual time go at most so many times as fast as real time; None: as fast as it can."""
        self.ask("pace", pace=pace)

    # -- the emulator's process --------------------------------------------------------------------------------------

    def wait(
        self,
        name: str,
        fits: Callable[[dict], bool] = lambda event: True,
        patience_s: float = _PATIENCE_S,
        since: int | None = None,
    ) -> dict:
        """Return the first event of this name that fits, of those after `since` (mark(); None: from now on).

        ToolError after `patience_s` seconds, or at once when the board loses its power or its process ends.
        """
        start = self._seen if since is None else since

        def found() -> dict | None:
            new = list(self.events)[-(self._seen - start) :] if self._seen > start else []
            return next((event for event in new if event["ev"] == name and fits(event)), None)

        with self._changed:
            self._changed.wait_for(lambda: not self._is_on or found(), patience_s)
            event = found()
        if event is None:
            why = f"waited {patience_s:.0f} s" if self._is_on else "without power it waited"
            raise ToolError(f"the emulated board: {why} for {name!r} in vain{self._last_words()}")
        return event

    @property
    def _is_on(self) -> bool:
        return self._alive and (self._power["ev"] == "on" or self._power["why"] == "reset")

    def mark(self) -> int:
        """Return the place in the stream of events where it is now, for wait(since=...)."""
        return self._seen

    def ask(self, command: str, **words: object) -> dict:
        """Send one command of run.mjs and return its answer."""
        process = self._process
        if process is None:
            raise ToolError("the emulated board has not been started")
        self._questions += 1
        number = self._questions
        try:
            self._input(process).write(json.dumps({"id": number, "do": command, **words}) + "\n")
            self._input(process).flush()
        except (OSError, ValueError):
            raise ToolError(f"the emulated board's process has ended{self._last_words()}") from None
        with self._changed:
            self._changed.wait_for(lambda: not self._alive or number in self._answers, _ANSWER_S)
            answer = self._answers.pop(number, None)
        if answer is None:
            ended = f"does not answer to {command!r}" if self._alive else "has ended"
            raise ToolError(f"the emulated board's process {ended}{self._last_words()}")
        if not answer.pop("ok"):
            raise ToolError(f"the emulated board: {command}: {answer['says']}")
        return answer

    def _open(self) -> None:
        if not RP2040JS.exists() or not NODE.exists():
            raise ToolError("the RP2040's emulator is not in this checkout; type: make test")
        config = {"rom": str(images.boot_rom()), "image": str(self.image), "flash": None, **self._config}
        if self._first_flash is not None:
            config["flash"] = str(self._write_flash(self._first_flash))
        self._alive = True
        self._process = subprocess.Popen(
            [NODE, HERE / "run.mjs", json.dumps(config)],
            env=os.environ | {"METERHUB_RP2040JS": str(RP2040JS), "TZ": "UTC"},  # the chip's calendar has no zone
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=Path(self._folder.name, "stderr").open("w"),  # noqa: SIM115 - it is the process's
            text=True,
            start_new_session=True,  # Ctrl-C is for us alone
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - one system call, no Python lock is taken
        )
        threading.Thread(target=self._read, args=(self._process,), daemon=True).start()

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None  # noqa: S101 - for the type checker
        for line in process.stdout:
            self._take(json.loads(line))
        with self._changed:
            self._alive = False
            self._changed.notify_all()

    def _take(self, message: dict) -> None:
        with self._changed:
            if "id" in message:
                self._answers[message.pop("id")] = message
            else:
                self.events.append(message)
                self._seen += 1
                self._note(message)
            self._changed.notify_all()
        if "ev" in message:
            for listener in self.listeners:
                listener(message)

    def _note(self, event: dict) -> None:
        if event["ev"] == "i2c":
            self.i2c_log.append((event["address"], bytes.fromhex(event["data"])))
        elif event["ev"] == "uart":
            self._lines[event["uart"]].sent += bytes.fromhex(event["data"])
        elif event["ev"] in ("on", "off"):
            self._power = event

    def _write_flash(self, content: bytes) -> Path:
        if len(content) != FLASH_BYTES:
            raise ToolError(f"the flash of a Pico has {FLASH_BYTES} bytes, not {len(content)}")
        file = Path(self._folder.name, "given")
        file.write_bytes(content)
        return file

    @staticmethod
    def _input(process: subprocess.Popen[str]) -> IO[str]:
        assert process.stdin is not None  # noqa: S101 - for the type checker
        return process.stdin

    def _last_words(self) -> str:
        faults = [event["says"] for event in self.events if event["ev"] == "fault"]
        file = Path(self._folder.name, "stderr")
        said = file.read_text().strip().splitlines() if file.exists() else []
        words = "; ".join([*faults[-1:], *said[-6:]])
        return f": {words}" if words else ""


def _die_with_parent() -> None:
    """Runs in the child before it becomes the emulator: when we are killed outright, it ends too."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class UART:
    """The wires of one serial line of the board."""

    def __init__(self, pico: EmulatedPico, number: int) -> None:
        self._pico = pico
        self._number = number
        self.sent = bytearray()  # what the board has sent

    def feed(self, data: bytes, *, wait: bool = True) -> int:
        """Send `data` to the board's receiver at the speed it is set to; wait until it is sent, or do not.

        Return how many bytes this line has lost so far because the receiver was off or had not been emptied in time.
        """
        mark = self._pico.mark()
        self._pico.ask("feed", uart=self._number, data=data.hex())
        if wait:
            patience_s = _PATIENCE_S + len(data) / 30
            self._pico.wait("fed", lambda event: event["uart"] == self._number, patience_s, since=mark)
        return self.lost

    @property
    def lost(self) -> int:
        """How many bytes were lost so far."""
        return int(self._pico.status["lines"][self._number]["lost"])
