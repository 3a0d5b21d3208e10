"""What a set-up step is: named inputs, an action, and a stamp that says the inputs have not changed since.

A step's stamp is the SHA-256 of its inputs' names and contents. It is written after the action has ended
well and removed before it starts, so that a step that was interrupted runs again.
"""

import fcntl
import hashlib
import os
import pathlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOLCHAIN = ROOT / ".toolchain"
VENV = ROOT / ".venv"
_STAMPS = TOOLCHAIN / "stamps"
_LOGS = TOOLCHAIN / "logs"


class SetupError(Exception):
    """The set-up cannot go on; the text tells the person at the keyboard what to do about it."""


class Step(NamedTuple):
    """One step: `inputs` are files, folders (every file in them) and plain words; `outputs` must exist afterwards."""

    name: str
    doing: str
    inputs: tuple[pathlib.Path | str, ...]
    outputs: tuple[pathlib.Path, ...]
    action: Callable[[], None]


def run(*lanes: Iterable[Step]) -> None:
    """Run the steps whose inputs have changed or whose outputs are missing: a lane in its order, lanes side by side.

    A SetupError in one lane ends the others after the step that they are at.
    """
    failed = threading.Event()
    with ThreadPoolExecutor(len(lanes)) as pool:
        running = [pool.submit(_run_lane, lane, failed) for lane in lanes]
    for lane in running:
        lane.result()


def _run_lane(steps: Iterable[Step], failed: threading.Event) -> None:
    try:
        for step in steps:
            if not failed.is_set():
                _run_step(step)
    except BaseException:
        failed.set()
        raise


def _run_step(step: Step) -> None:
    stamp, digest = _STAMPS / step.name, _digest(step)
    if stamp.is_file() and stamp.read_text() == digest and all(path.exists() for path in step.outputs):
        return
    print(f"set-up: {step.doing} ...", flush=True)
    started = time.monotonic()
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.unlink(missing_ok=True)
    step.action()
    stamp.write_text(digest)
    print(f"set-up: {step.name} done in {time.monotonic() - started:.1f} s", flush=True)


def command(name: str, *words: str | pathlib.Path, cwd: pathlib.Path = ROOT, env: dict[str, str] | None = None) -> str:
    """Run one program to its end, everything it prints in .toolchain/logs/`name`.log; return what it printed.

    SetupError with the last lines when it fails or is not there.
    """
    _LOGS.mkdir(parents=True, exist_ok=True)
    log = _LOGS / f"{name}.log"
    with log.open("w+") as out:
        try:
            code = subprocess.call(words, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        except FileNotFoundError as exc:
            raise SetupError(f"{words[0]} is not installed") from exc
        out.seek(0)
        text = out.read()
    if code:
        tail = "\n".join(text.splitlines()[-15:])
        raise SetupError(f"{pathlib.Path(words[0]).name} ended with {code} (all of it: {log})\n{tail}")
    return text


@contextmanager
def only_one() -> Iterator[None]:
    """Keep a second set-up of the same checkout waiting until this one has ended."""
    TOOLCHAIN.mkdir(exist_ok=True)
    with (TOOLCHAIN / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("set-up: waiting for another set-up of this checkout", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _digest(step: Step) -> str:
    # the place and the interpreter belong to the inputs: a moved checkout's environment is broken
    state = hashlib.sha256(repr((step.name, str(ROOT), sys.version)).encode())
    for item in step.inputs:
        for path in _files(item) if isinstance(item, pathlib.Path) else ():
            state.update(f"\0{path.relative_to(ROOT)}\0{path.stat().st_size}\0".encode())
            state.update(path.read_bytes())
        state.update(f"\0{item}\0".encode())
    return state.hexdigest()


def _files(path: pathlib.Path) -> list[pathlib.Path]:
    if not path.is_dir():
        return [path]
    found = []
    for folder, folders, names in os.walk(path):
        folders[:] = [name for name in folders if name not in _GENERATED]
        found += [pathlib.Path(folder, name) for name in names]
    return sorted(found)


_GENERATED = {"node_modules", "dist", "__pycache__"}
