"""A hub at the end of a cable: the firmware on the unix port, its standard input and output on a pty.

As on a board: what nobody reads is dropped, never waited for; a restart starts the program again; a Ctrl-C stops the
hub and brings a raw REPL (raw_repl.py), whose "/" is the hub's folder; machine.reset() there brings the hub back.
"""

import contextlib
import json
import os
import select
import signal
import subprocess
import threading
import tty
from pathlib import Path

from meterhub_tools import toolchain

RAW_REPL = Path(__file__).with_name("raw_repl.py")


class CabledHub:
    """`port` is the host's end of the cable; `said` all that the hub has ever said. board: more of its pins.json."""

    def __init__(self, folder: Path, settings: dict | None = None, bits: int = 64, **board: object) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.data.mkdir(parents=True, exist_ok=True)
        if settings is not None:
            (self.data / "settings.json").write_text(json.dumps(settings))
        pins = {"board": "UNIX", "uart": {}, "clock": "meter", "net": True} | board
        (folder / "pins.json").write_text(json.dumps(pins | {"data": "/data"}))
        (folder / "board.json").write_text(json.dumps(pins | {"data": str(self.data)}))
        self.bits = bits
        self.said = bytearray()
        self.starts = 0
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.port = os.ttyname(self._slave)
        self._process: subprocess.Popen | None = None
        self._stopped = threading.Event()
        self._repl = False  # what is to run next, or runs
        self._held: bytes | None = None  # what the host says while the raw REPL is not there yet
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> "CabledHub":
        for work in (self._keep_running, self._hear_host):
            self._threads.append(threading.Thread(target=work, daemon=True))
            self._threads[-1].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self.cut_power()
        for thread in self._threads:
            thread.join(10)
        for end in (self._master, self._slave):
            os.close(end)

    def cut_power(self) -> None:
        """Kill what runs; it starts again at once, unless the hub is being taken down."""
        if self._process is not None:
            self._process.kill()

    def freeze(self, frozen: bool = True) -> None:
        """Let what runs stand still, or go on."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP if frozen else signal.SIGCONT)

    def text(self) -> str:
        """Return all that the hub has said."""
        return self.said.decode("utf-8", "replace")

    def journal(self, name: str) -> list[dict]:
        """Return the journal entries with this name that the console has shown."""
        events = [json.loads(line) for line in self.text().splitlines() if line.startswith('{"')]
        return [event for event in events if event.get("ev") == "journal" and event["name"] == name]

    def _keep_running(self) -> None:
        while not self._stopped.is_set():
            words = [RAW_REPL, self.folder] if self._repl else [toolchain.ROOT / "firmware/main.py"]
            self.starts += 1
            self._process = process = subprocess.Popen(
                [toolchain.micropython(self.bits), "-X", "heapsize=2m", *map(str, words)],
                env=toolchain.environment() | {"METERHUB_BOARD": str(self.folder / "board.json")},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                bufsize=0,
                start_new_session=True,
            )
            with self._lock:
                # the end, or the Ctrl-C, may have come while it was being started
                if self._stopped.is_set() or (self._repl and words[0] != RAW_REPL):
                    process.kill()
                else:
                    held, self._held = self._held, None
                    self._tell(held or b"")
            while data := process.stdout.read(4096):
                self.said += data
                self._tell_host(data)
            if process.wait() == 3:
                self._repl = False
            self._stopped.wait(0.05)

    def _tell_host(self, data: bytes) -> None:
        """Write to the host; what nobody has read for half a second is lost, as on a board."""
        view = memoryview(data)
        while view and select.select([], [self._master], [], 0.5)[1]:
            view = view[os.write(self._master, view) :]

    def _hear_host(self) -> None:
        while not self._stopped.is_set():
            if not select.select([self._master], [], [], 0.1)[0]:
                continue
            with contextlib.suppress(OSError), self._lock:
                self._hear(os.read(self._master, 4096))

    def _hear(self, data: bytes) -> None:
        _, stop, after = data.partition(b"\x03")
        if stop and not self._repl:
            self._repl, self._held = True, after
            self.cut_power()
        elif self._held is not None:
            self._held += data
        else:
            self._tell(data)

    def _tell(self, data: bytes) -> None:
        with contextlib.suppress(OSError):  # it is just starting again: lost, as on a board
            if self._process is not None:
                self._process.stdin.write(data)
