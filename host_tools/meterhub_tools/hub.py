"""Runs one hub: the firmware, unchanged, as a process of the MicroPython unix port.

The hub's data folder outlives the process, as flash outlives a power cut: kill() and start() again is pulling
the plug and putting it back. What the firmware says on its console (one JSON object per line) is kept and handed
to listeners; the process's end is one more event, {"ev": "end", "code": exit status}.

With a cable the hub hangs on a pty, as a board hangs on USB: whoever opens its path as a serial port talks to the
hub on the service line. What the hub says while nobody reads is dropped, as USB does; the cable outlives a restart,
which a hub on a cable carries out itself. on_a_cable() runs such a hub beside code that knows no asyncio.

Errors   ToolError when there is no interpreter, when the hub ends by itself, or when what is waited for does not come.
Runs on  Linux
"""

import asyncio
import collections
import contextlib
import ctypes
import json
import os
import pty
import signal
import sys
import threading
import tty
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

from . import toolchain
from .errors import ToolError

HEAP = "2m"
_LINE_MAX = 1 << 16
_PATIENCE_S = 3.0
_PR_SET_PDEATHSIG = 1
_RESTART = 3  # exit status of a hub that wants to be started again


class Hub:
    """One hub. data: its folder; settings: its settings document (None: the folder has one already);

    uart: serial device for each name ("p1"); bench: "host:port" of the display and buttons; clock: "meter" as a
    board without a battery, which learns the time from its meter, or "board"; bits, heapsize: which interpreter and
    how much memory; the 32-bit one stands for a board: it runs the firmware compiled, in place, from an image.
    cable: the service line hangs on a pty, whose path is `cable`; else there is none (""); pins: more of pins.json.
    """

    main = toolchain.ROOT / "firmware/main.py"

    def __init__(  # noqa: PLR0913 - one word for each thing that can be plugged in
        self,
        data: Path,
        settings: dict | None = None,
        *,
        uart: dict[str, str] | None = None,
        bench: str | None = None,
        clock: str = "board",
        net: bool = True,
        bits: int = 64,
        heapsize: str = HEAP,
        cable: bool = False,
        pins: dict | None = None,
    ) -> None:
        self.data = data
        self.board = {"data": str(data), "uart": uart or {}, "clock": clock, "net": net}
        self.board |= pins or {}
        if bench:
            self.board["bench"] = bench
        self.bits = bits
        self.heapsize = heapsize
        self.image = toolchain.firmware_image() if bits == 32 else ""
        self.listeners: list[Callable[[dict], None]] = []
        self.start_event: dict = {}
        self.status: dict = {}
        self.journal: list[dict] = []
        self.stray_lines: collections.deque[str] = collections.deque(maxlen=200)
        self._process: asyncio.subprocess.Process | None = None
        self._readers: list[asyncio.Task] = []
        self._waiting: list[tuple[Callable[[dict], bool], asyncio.Future]] = []
        self._cable = _Cable() if cable else None
        data.mkdir(parents=True, exist_ok=True)
        if settings is not None:
            self.set(settings)

    @property
    def id(self) -> str:
        """The hub's id; empty before its first start."""
        return str(self.start_event.get("hub", ""))

    @property
    def running(self) -> bool:
        """True while the process lives."""
        return self._process is not None and self._process.returncode is None

    @property
    def cable(self) -> str:
        """The path of the pty on which the service line hangs; empty without one."""
        return self._cable.path if self._cable else ""

    @property
    def pid(self) -> int | None:
        """The process's number, None when there is none."""
        return self._process.pid if self._process else None

    def set(self, settings: dict) -> None:
        """Put a settings document into the data folder; the hub reads it when it starts."""
        new = self.data / "settings.new"
        new.write_text(json.dumps(settings))
        new.replace(self.data / "settings.json")

    async def start(self, patience_s: float = 20.0) -> None:
        """Power on, and wait for the hub to say its id; ToolError with its last words when it does not."""
        if self.running:
            return
        config = self.data.parent / f"{self.data.name}.board.json"
        config.write_text(json.dumps(self.board))
        self.status = {}
        self._process = await asyncio.create_subprocess_exec(
            *(toolchain.micropython(self.bits), "-X", f"heapsize={self.heapsize}", self._program()),
            env=toolchain.environment() | {"METERHUB_BOARD": str(config), "METERHUB_IMAGE": str(self.image)},
            stdin=asyncio.subprocess.PIPE if self._cable else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=_LINE_MAX,
            start_new_session=True,  # Ctrl-C is for us alone: we end the hub when we are ready
            preexec_fn=_die_with_parent,
        )
        if self._cable and self._process.stdin:
            self._cable.plug_in(self._process.stdin)
        self._readers = [
            asyncio.create_task(self._read(self._process.stdout, self._take)),
            asyncio.create_task(self._read(self._process.stderr, self.stray_lines.append)),
            asyncio.create_task(self._watch(self._process)),
        ]
        await self.wait("its start", lambda event: event["ev"] == "start", patience_s)

    def _program(self) -> Path:
        return toolchain.ROOT / "host_tools/unix/flash.py" if self.image else self.main

    async def stop(self) -> None:
        """Ask the process to end, insist after three seconds."""
        if self._process is not None and self.running:
            self._process.terminate()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._process.wait(), _PATIENCE_S)
        await self.kill()
        if self._cable:
            self._cable.close()

    async def kill(self) -> None:
        """Cut the power."""
        if self._process is not None and self.running:
            self._process.kill()
        for reader in self._readers:
            await reader
        self._readers = []

    async def restart(self) -> None:
        """Cut the power and give it back."""
        await self.kill()
        await self.start()

    async def wait(self, what: str, fits: Callable[[dict], bool], patience_s: float = 10.0) -> dict:
        """Return the next console event for which `fits(event)` is true; ToolError naming `what` when none comes."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((fits, future))
        try:
            return await asyncio.wait_for(future, patience_s)
        except asyncio.TimeoutError:
            raise ToolError(f"the hub: waited {patience_s:.0f} s for {what} in vain{self.last_words()}") from None
        finally:
            self._waiting = [entry for entry in self._waiting if entry[1] is not future]

    async def wait_status(self, what: str, fits: Callable[[dict], bool], patience_s: float = 10.0) -> dict:
        """Return the newest status once `fits(status)` is true for it; at once if it is already."""
        if self.status and fits(self.status):
            return self.status
        return await self.wait(what, lambda event: event["ev"] == "status" and fits(event), patience_s)

    def journalled(self, name: str) -> list[dict]:
        """Return the journal entries called `name` that the console has shown."""
        return [entry for entry in self.journal if entry["name"] == name]

    def last_words(self) -> str:
        """Return the tail of what the hub said besides its events, ready to hang onto a message; often empty."""
        tail = [line for line in self.stray_lines if line.strip()][-8:]
        return "; it said:\n  " + "\n  ".join(tail) if tail else ""

    async def _read(self, stream: asyncio.StreamReader | None, take: Callable[[str], None]) -> None:
        while stream:
            try:
                line = await stream.readline()
            except ValueError:  # longer than _LINE_MAX: asyncio has dropped it
                continue
            if not line:
                return
            take(line.decode("utf-8", "replace").rstrip("\n"))

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        code = await process.wait()
        if self._cable:
            self._cable.unplug()
        self._tell({"ev": "end", "code": code})
        if self._cable and code == _RESTART:
            self._restarting = asyncio.create_task(self.start())
            return
        for _, future in self._waiting:
            if not future.done():
                future.set_exception(ToolError(f"the hub ended by itself with {code}{self.last_words()}"))

    def _take(self, line: str) -> None:
        if self._cable:
            self._cable.write(line)
        try:
            event = json.loads(line)
            kind = event["ev"]
        except (ValueError, TypeError, KeyError):
            self.stray_lines.append(line)
            return
        if kind == "start":
            self.start_event = event
        elif kind == "status":
            self.status = event
        elif kind == "journal":
            self.journal.append(event)
        self._tell(event)
        for fits, future in self._waiting:
            if not future.done() and fits(event):
                future.set_result(event)

    def _tell(self, event: dict) -> None:
        for listener in self.listeners:
            listener(event)


def _die_with_parent() -> None:
    """Runs in the child before it becomes the hub: when we are killed outright, it ends too."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class _Cable:
    """A pty between the process's standard streams and whoever opens `path`."""

    def __init__(self) -> None:
        self._ours, self._theirs = pty.openpty()  # theirs stays open: the line outlives who opens and closes it
        tty.setraw(self._theirs)
        os.set_blocking(self._ours, False)
        self.path = os.ttyname(self._theirs)
        self._pending = b""
        self._loop: asyncio.AbstractEventLoop | None = None

    def plug_in(self, process: asyncio.StreamWriter) -> None:
        """Hand what comes over the cable to `process`."""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._ours, lambda: process.write(os.read(self._ours, 4096)))

    def unplug(self) -> None:
        """Leave what comes where it is: there is no process."""
        if self._loop:
            self._loop.remove_reader(self._ours)

    def write(self, line: str) -> None:
        """Send a line of the process; one for which there is no room is lost."""
        if len(self._pending) < _LINE_MAX:
            self._pending += f"{line}\n".encode()
            self._send()

    def _send(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._pending = self._pending[os.write(self._ours, self._pending) :]
        if self._loop and self._pending:
            self._loop.add_writer(self._ours, self._send)
        elif self._loop:
            self._loop.remove_writer(self._ours)

    def close(self) -> None:
        """Cut the cable."""
        self.unplug()
        if self._loop:
            self._loop.remove_writer(self._ours)
        for end in (self._ours, self._theirs):
            with contextlib.suppress(OSError):
                os.close(end)


@contextlib.contextmanager
def on_a_cable(data: Path, settings: dict | None = None, **options: Any) -> Iterator[Hub]:
    """Run a Hub with a cable in a thread of its own; its `cable` is the port's name. options: as Hub takes them."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="hub", daemon=True)
    thread.start()

    def done(work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, loop).result(_PATIENCE_S * 10)

    hub = Hub(data, settings, cable=True, **options)
    try:
        done(hub.start())
        yield hub
    finally:
        done(hub.stop())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
