"""Programs that are measured: started as a user would start them, driven line by line, noted for doing it again.

Errors   Broken: the program ended, or said something else than an answer.
"""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

from meterhub_tools import firmware, toolchain  # noqa: F401 - firmware: puts the package meterhub on the path

HERE = Path(__file__).resolve().parent
BUILD = toolchain.ROOT / "build/bench"  # everything the bench writes; `make clean` removes it
PROGRAMS = HERE / "unix"
commands: list[str] = []  # what was started, as a shell in the checkout takes it


class Broken(Exception):
    """Something does not work at all."""


class Worker:
    """A running program. Use as a context manager."""

    def __init__(self, words: list[object], env: dict[str, str]) -> None:
        self.words = [str(word) for word in words]
        changed = {name: text for name, text in env.items() if os.environ.get(name) != text}
        command = shlex.join(["env", *(f"{name}={text}" for name, text in changed.items()), *self.words])
        command = command.replace(f"{toolchain.ROOT}/", "")
        if command not in commands:
            commands.append(command)
        self._process = subprocess.Popen(
            self.words,
            env=env,
            cwd=toolchain.ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def send(self, line: bytes) -> None:
        """Write one line to the program."""
        pipe = self._process.stdin
        assert pipe
        try:
            pipe.write(line + b"\n")
            pipe.flush()
        except BrokenPipeError:
            raise Broken(self._last_words()) from None

    def line(self) -> bytes:
        """Return the next line that the program writes."""
        pipe = self._process.stdout
        assert pipe
        line = pipe.readline()
        if not line:
            raise Broken(self._last_words())
        return line.rstrip(b"\n")

    def answer(self) -> object:
        """Return the JSON of the next line."""
        line = self.line()
        try:
            return json.loads(line)
        except ValueError:
            raise Broken(f"{self.words}: {line[:200]!r}") from None

    def ready(self) -> None:
        """Wait until the program has been loaded."""
        if self.answer() != "ready":
            raise Broken(f"{self.words}: not ready")

    def ask(self, *order: object) -> object:
        """Send an order and return its answer."""
        self.send(" ".join(str(word) for word in order).encode())
        return self.answer()

    def _last_words(self) -> str:
        self._process.kill()
        out, err = self._process.communicate()
        tail = (out + err).decode("utf-8", "replace").strip().splitlines()[-1:]
        return f"{shlex.join(self.words[:4])} ... ended: {''.join(tail)}"


def on_port(program: str, *words: object, bits: int = 64, heapsize: str = "", code: Path | None = None) -> Worker:
    """Start unix/`program` on the MicroPython unix port.

    code: None for the checkout's sources, a folder of .mpy files, or an image that is run in place.
    """
    options = ["-X", f"heapsize={heapsize}"] if heapsize else []
    env = toolchain.environment()
    if code and code.is_dir():
        env["MICROPYPATH"] = f"{code}:.frozen"
    elif code:
        env |= {"MICROPYPATH": ".frozen", "METERHUB_IMAGE": str(code)}
    return Worker([toolchain.micropython(bits), *options, PROGRAMS / program, *words], env)


def on_cpython(program: str, *words: object) -> Worker:
    """Start unix/`program` on this Python, with the shims that stand in for MicroPython's modules."""
    path = f"{toolchain.ROOT / 'host_tools/shims'}:{toolchain.ROOT / 'firmware'}"
    return Worker([sys.executable, PROGRAMS / program, *words], os.environ | {"PYTHONPATH": path})


def on_peers(*words: object) -> Worker:
    """Start the libraries that are compared with."""
    return Worker([sys.executable, HERE / "peers.py", *words], os.environ | {"PYTHONPATH": str(PROGRAMS)})
