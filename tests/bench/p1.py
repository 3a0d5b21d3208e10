"""P1 telegrams a second: the firmware's decoder in MicroPython against dsmr-parser in CPython.

The firmware's decoder gets bytes in pieces of 512, finds the telegrams, checks the CRC and reads every line.
dsmr-parser does the same through its TelegramBuffer; its TelegramParser alone gets telegrams ready cut out.
All contestants take turns, and time is the processor's that each of them had; figures are medians, a ratio is the
median of the rounds' ratios.
"""

import os
import re
from contextlib import ExitStack
from pathlib import Path

from figures import Table, median, ratio, rounds
from history import END
from worker import BUILD, Broken, Worker, on_cpython, on_peers, on_port

from meterhub_tools import toolchain
from meterhub_tools.simulators.household import Household
from meterhub_tools.simulators.p1_meter import P1Meter

ROUNDS = 9
TELEGRAMS = 60  # in a round
CAPTURE = "open/p1/dsmr_parser/v5.txt"
PARSE, BUFFER = "dsmr-parser, parser alone", "dsmr-parser, buffer and parser"


def tables() -> list[Table]:
    """Return the table for each source of telegrams there is."""
    found = [_compare("simulated DSMR 5 meter", _simulated())]
    corpus = Path(os.environ.get("METERHUB_CORPUS") or toolchain.ROOT / "../shared/data")
    if (corpus / CAPTURE).is_file():
        found.append(_compare("captured, dsmr_parser/v5.txt", _captured(corpus / CAPTURE)))
    return found


def _simulated() -> bytes:
    meter = P1Meter(Household(END - 86400))
    return b"".join(meter.telegram(END - 86400 + i * 600) for i in range(TELEGRAMS))


def _captured(path: Path) -> bytes:
    """Return the capture's telegrams, repeated until there are as many as in a round, with the line's own CR LF."""
    raw = re.sub(rb"\r?\n", b"\r\n", path.read_bytes())
    found = re.findall(rb"/[^/!]+![0-9A-F]{4}\r\n", raw)
    if not found:
        raise Broken(f"{path}: no telegram")
    return b"".join((found * TELEGRAMS)[:TELEGRAMS])


def _compare(source: str, line: bytes) -> Table:
    BUILD.mkdir(parents=True, exist_ok=True)
    path = BUILD / f"{source.split(maxsplit=1)[0].strip(',')}.p1"
    path.write_bytes(line)
    with ExitStack() as stack:
        peer = stack.enter_context(on_peers(path, 1))
        workers = {
            "firmware, MicroPython 64-bit": stack.enter_context(on_port("p1_feed.py", path, 1)),
            "firmware, MicroPython 32-bit": stack.enter_context(on_port("p1_feed.py", path, 1, bits=32)),
            "firmware, CPython": stack.enter_context(on_cpython("p1_feed.py", path, 1)),
        }
        everybody = [(worker, "feed") for worker in workers.values()] + [(peer, "parse"), (peer, "buffer")]
        for worker in (*workers.values(), peer):
            worker.ready()
        _agree([*workers.values(), peer])
        names = [*workers, PARSE, BUFFER]
        turns = {name: lambda who=who: _per_s(*who) for name, who in zip(names, everybody, strict=True)}
        found = rounds(ROUNDS, turns)
    return _table(source, len(line) // TELEGRAMS, found)


def _agree(workers: list[Worker]) -> None:
    said = [worker.ask("check") for worker in workers]
    if any(one != said[-1] for one in said):
        raise Broken(f"the decoders do not agree: {said}")


def _per_s(worker: Worker, order: str) -> float:
    us, telegrams = worker.ask(order)
    if telegrams != TELEGRAMS:
        raise Broken(f"{order}: {telegrams} of {TELEGRAMS} telegrams")
    return telegrams / us * 1e6


def _table(source: str, size: int, found: dict[str, list[float]]) -> Table:
    table = Table(f"P1: {source}, {size} bytes a telegram", ["", "telegrams/s", "x parser", "x buffer+parser"])
    for name, figures in found.items():
        table.add(name, round(median(figures)), ratio(figures, found[PARSE]), ratio(figures, found[BUFFER]))
    table.notes = ["goal: MicroPython at least as fast as dsmr-parser (x >= 1); all agree on every register read"]
    return table
