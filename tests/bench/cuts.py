"""The store through power cuts, on a simulated flash under the real littlefs: what is lost, and what it costs."""

import json
import os
import subprocess
from collections.abc import Iterable

import worker
from figures import Table, median
from history import DAYS, history
from worker import Broken, Worker

from meterhub_tools import toolchain

LIB = toolchain.ROOT / "tests/lib"
BOARDS = {"RP2": 256, "ESP32": 32}  # littlefs's program size there
SCENARIOS = {  # seeds
    "records": 5,
    "replaced": 5,
    "settings": 5,
    "last": 5,
    "agreed": 2,
    "journal": 2,
    "profile": 2,
    "together": 1,
}
WEAR_DAYS = 120
CYCLES = 100_000
HEAP = "24m"  # the flash itself lies in it


def tables() -> list[Table]:
    """Return the table of the cuts and that of the costs."""
    return [_cuts(), _costs()]


def _cuts() -> Table:
    table = Table("Power cuts: after operation 1, 2, ... n, again and again until all is done", _heads())
    totals = [0] * (3 * len(BOARDS))
    for scenario, seeds in SCENARIOS.items():
        row = [figure for program in BOARDS.values() for figure in _campaign(scenario, program, seeds)]
        totals = [total + figure for total, figure in zip(totals, row, strict=True)]
        table.add(scenario, *row)
    table.add("all", *totals)
    table.notes = [
        "goal: 0 lost; an operation is the erase of a block or the program of a page, and is torn by the cut",
        "lost: runs in which an acknowledged record was missing or other than it was, or anything else had changed",
        f"runs from other seeds: {SCENARIOS}",
    ]
    return table


def _heads() -> list[str]:
    return ["", *(f"{board}, {what}" for board in BOARDS for what in ("cuts", "boots", "lost"))]


def _campaign(scenario: str, program: int, seeds: int) -> list[int]:
    """Return [cuts, boots, runs in which something was lost]."""
    found = [_run(scenario, program, seed) for seed in range(1, seeds + 1)]
    for told in found:
        for failure in told["failures"]:
            worker.commands.append(f"# {scenario} {program}: {failure}")
    return [sum(told[name] for told in found) for name in ("cuts", "boots")] + [
        sum(len(told["failures"]) for told in found)
    ]


def _run(scenario: str, program: int, seed: int) -> dict:
    words = [toolchain.micropython(), "-X", "heapsize=8m", LIB / "power_cuts.py", scenario, program, seed, 1]
    done = subprocess.run(
        [str(word) for word in words], env=toolchain.environment(LIB), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Broken(f"{scenario}: {done.stderr[-300:]}")
    worker.commands.append(" ".join(str(word) for word in words).replace(f"{toolchain.ROOT}/", ""))
    return json.loads(done.stdout)


def _program(program: int, bits: int) -> Worker:
    env = os.environ | {"MICROPYPATH": f"{toolchain.FIRMWARE}:{toolchain.LIBRARIES}:{LIB}:.frozen"}
    words = [toolchain.micropython(bits), "-X", f"heapsize={HEAP}", worker.PROGRAMS / "flash_store.py"]
    started = Worker([*words, history(), program], env)
    started.ready()
    return started


def _costs() -> Table:
    columns = {f"{board}, {bits}-bit": _figures(program, bits) for bits, (board, program) in _pairs()}
    table = Table(f"The store on 1 MB of flash, two slots of firmware in it: {DAYS} days", ["", *columns])
    for name in next(iter(columns.values())):
        table.add(name, *(figures[name] for figures in columns.values()))
    table.notes = [
        f"goals: over 20 years by the worst block, of {CYCLES} cycles; under 1 s to start; under 12 KB of heap",
        f"years: from {WEAR_DAYS} days on a full store: 48 intervals, 8640 saves of last values, 4 events a day",
        "start: mount, then journal, settings, profile and last values, with a look into every month",
        "times are the code's and the simulation's: no flash waits in them",
    ]
    return table


def _pairs() -> Iterable[tuple[int, tuple[str, int]]]:
    return zip((64, 32), BOARDS.items(), strict=True)


def _figures(program: int, bits: int) -> dict[str, float]:
    with _program(program, bits) as running:
        intervals, erases, _, programmed = running.ask("fill")
        saves = 2000
        save_erases, _, save_bytes = running.ask("saves", saves)
        starts = [running.ask("start") for _ in range(5)]
        day = median([_read_ms(running, 1) for _ in range(9)])
        everything = median([_read_ms(running, DAYS) for _ in range(3)])
        worn, worst, unused = running.ask("wear", WEAR_DAYS)
        return {
            "erases per interval": erases / intervals,
            "bytes programmed per interval": programmed / intervals,
            "erases per save of last values": save_erases / saves,
            "bytes programmed per save": save_bytes / saves,
            "erases a day, all blocks": worn / WEAR_DAYS,
            "years to 100,000 cycles, worst block": CYCLES / (worst / WEAR_DAYS * 365),
            "blocks not erased in that time": unused,
            "mount, ms": median([start[0] for start in starts]) / 1000,
            "open the store, ms": median([start[1] for start in starts]) / 1000,
            "heap of the open store, bytes": starts[-1][2],
            "most while all is read, bytes": max(start[3] for start in starts),
            "read one day, ms": day,
            "read 13 months, ms": everything,
        }


def _read_ms(running: Worker, days: int) -> float:
    us, found = running.ask("read", days)
    if found != days * 48:
        raise Broken(f"{found} of {days * 48} intervals came back")
    return us / 1000
