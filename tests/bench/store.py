"""The load profile: bytes on flash, and what appending and reading costs."""

from pathlib import Path

from figures import Table, median
from history import DAYS, INTERVALS, REGISTERS, history
from worker import BUILD, Broken, Worker, on_port

from meterhub_tools.toolchain import HEAP_OF_A_BOARD

ROUNDS = 9


def folder(bits: int = 64) -> Path:
    """Return where the profile of thirteen months is kept."""
    return BUILD / f"profile{bits}"


def program(bits: int) -> Worker:
    """Start the program that keeps and reads it; the 32-bit one with as much memory as a board has."""
    heap = HEAP_OF_A_BOARD if bits == 32 else ""
    worker = on_port("load_profile.py", history(), folder(bits), bits=bits, heapsize=heap)
    worker.ready()
    return worker


def filled() -> Path:
    """Return a folder with the profile in it; it is written anew."""
    with program(64) as worker:
        worker.ask("fill")
    return folder()


def tables() -> list[Table]:
    """Return the table of files and times."""
    figures = {bits: _figures(bits) for bits in (64, 32)}
    table = Table(f"Load profile: {DAYS} days of half-hours, two registers", ["", "64-bit", "32-bit, 190 KB"])
    for name in figures[64]:
        table.add(name, *(figures[bits][name] for bits in (64, 32)))
    table.notes = [
        f"goal: <= 3 bytes per interval and register; medians of {ROUNDS} turns (append: of {DAYS} days)",
        "times are those of the code, on a PC's file system: a board's flash comes on top",
        "heap: collected, then counted, at every 97th interval that is read",
    ]
    return [table]


def _figures(bits: int) -> dict[str, float]:
    with program(bits) as worker:
        us, entries = worker.ask("fill")
        size = worker.ask("size")
        held, reading = worker.ask("heap")
        return {
            "bytes on flash": size,
            "bytes per interval and register": size / (INTERVALS + 1) / len(REGISTERS),
            "append one interval, ms": us / entries / 1000,
            "read one day, ms": median([_read_ms(worker, 1, 40 * turn) for turn in range(ROUNDS)]),
            "read 13 months, ms": median([_read_ms(worker, DAYS, 0) for _ in range(3)]),
            "heap of an open profile, bytes": held,
            "heap while reading, on top": reading,
        }


def _read_ms(worker: Worker, days: int, back: int) -> float:
    us, found = worker.ask("read", days, back)
    if found != days * 48:
        raise Broken(f"{found} of {days * 48} intervals came back")
    return us / 1000
