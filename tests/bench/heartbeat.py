"""The heartbeat: what it costs a flash of 1 MB, three quarters of it free, under the real littlefs."""

from figures import Table
from worker import on_port

BEATS = 40000
CYCLES = 100_000
FREE = 190  # blocks of 4 KB
PERIODS_S = (10, 60)


def tables() -> list[Table]:
    """Return the table of erases and years."""
    table = Table(f"Heartbeat: {BEATS} beats on 1 MB", ["", "RP2 (256 bytes)", "ESP32 (32 bytes)"])
    with on_port("heartbeat.py", heapsize="8m") as worker:
        worker.ready()
        found = [worker.ask("wear", program, BEATS) for program in (256, 32)]
    table.add("erases for 1000 beats", *(1000 * erases / BEATS for erases, *_ in found))
    table.add("bytes programmed for a beat", *(programmed / BEATS for _, programmed, *_ in found))
    table.add("the most erases of one block", *(most for _, _, most, _ in found))
    for period_s in PERIODS_S:
        beats = 365 * 86400 / period_s
        years = [CYCLES * FREE / (beats * erases / BEATS) for erases, *_ in found]
        table.add(f"years to {CYCLES:,} cycles, one every {period_s} s", *years)
    table.notes = [f"littlefs moves on after 100 erases of a block: the years are those of {FREE} free blocks"]
    return [table]
