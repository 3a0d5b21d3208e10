"""Decoding of lines beside other people's libraries; sml.py, dlms.py, mbus.py and modbus.py use it.

All contestants take turns on the same frames; time is the processor's that each of them had.
"""

import os
import sys
from contextlib import ExitStack
from pathlib import Path

from figures import Table, median, ratio, rounds
from worker import BUILD, HERE, PROGRAMS, Broken, Worker, on_cpython, on_port

from meterhub_tools import toolchain

ROUNDS = 7
HEAPSIZE = "190k"


def compare(title: str, kind: str, line: list[bytes], peers: dict[str, str], *words: object) -> Table:
    """Return the table of `kind` over the frames of `line`. peers: {name: order of line_peers.py}."""
    BUILD.mkdir(parents=True, exist_ok=True)
    path = BUILD / f"{title.split()[1].strip(',')}.{kind}"
    path.write_text("\n".join(frame.hex() for frame in line) + "\n")
    with ExitStack() as stack:
        firmware = {
            "firmware, MicroPython 64-bit": on_port("line_feed.py", kind, path, *words, heapsize=HEAPSIZE),
            "firmware, MicroPython 32-bit": on_port("line_feed.py", kind, path, *words, bits=32, heapsize=HEAPSIZE),
            "firmware, CPython": on_cpython("line_feed.py", kind, path, *words),
        }
        peer = _peer(kind, path, *words)
        for worker in (*firmware.values(), peer):
            stack.enter_context(worker)
            worker.ready()
        said = [worker.ask("check") for worker in firmware.values()]
        if any(one != said[0] or one[0] for one in said):
            raise Broken(f"the decoders do not agree: {said}")
        turns = {name: lambda who=worker: _per_s(who, "feed", line) for name, worker in firmware.items()}
        turns |= {name: lambda order=order: _per_s(peer, order, line) for name, order in peers.items()}
        found = rounds(ROUNDS, turns)
    table = Table(title, ["", "answers/s", *(f"x {name}" for name in peers)])
    for name, figures in found.items():
        table.add(name, round(median(figures)), *(ratio(figures, found[peer]) for peer in peers))
    return table


def _peer(kind: str, path: Path, *words: object) -> Worker:
    env = os.environ | {"PYTHONPATH": f"{PROGRAMS}:{toolchain.FIRMWARE}"}
    return Worker([sys.executable, HERE / "line_peers.py", kind, path, *words], env)


def _per_s(worker: Worker, order: str, line: list[bytes]) -> float:
    """Return how many answers a second: all of `line`, as often as AGAIN says there."""
    us, values = worker.ask(order)
    if not values:
        raise Broken(f"{order}: no values")
    return 5 * len(line) / us * 1e6
