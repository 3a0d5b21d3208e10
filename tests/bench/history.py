"""Thirteen months of a household's half-hours, the same in every run, as a file that a hub can read."""

from functools import cache
from pathlib import Path

from worker import BUILD

from meterhub_tools.simulators.household import HALF_HOUR_S, Household

DAYS = 397
END = 1760486400  # 2025-10-15 00:00 UTC; the first day lies thirteen months before
INTERVALS = DAYS * 48
REGISTERS = ["1-0:1.8.0", "1-0:2.8.0"]


@cache
def history() -> Path:
    """Return a file of lines "at,imported_wh,exported_wh": the registers at the start and after each half-hour."""
    start = END - INTERVALS * HALF_HOUR_S
    home = Household(start)
    lines = []
    for at in range(start, END + 1, HALF_HOUR_S):
        shown = home.registers(at)
        lines.append(f"{at},{shown.import_wh},{shown.export_wh}\n")
    BUILD.mkdir(parents=True, exist_ok=True)
    path = BUILD / "history.csv"
    path.write_text("".join(lines))
    return path
