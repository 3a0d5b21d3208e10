"""M-Bus answers a second: the firmware's decoder in MicroPython against pyMeterBus in CPython.

The firmware's decoder finds the frames in a stream, checks them, and works out every record. pyMeterBus gets frames
ready cut out; "load" leaves the values for later, "load and values" asks for each once.
"""

import os
from pathlib import Path

import meterbus
from figures import Table
from history import END
from polled import compare

from meterhub.meters.mbus import MBusDecoder
from meterhub_tools import toolchain
from meterhub_tools.simulators.household import Household
from meterhub_tools.simulators.mbus_meter import MBusMeter

PEERS = {"pyMeterBus, load": "load", "pyMeterBus, load and values": "values"}


def tables() -> list[Table]:
    """Return the table for each source of frames there is."""
    meter = MBusMeter(Household(END - 86400))
    simulated = [frame for i in range(20) for frame in meter.answers(END - 86400 + i * 600)]
    found = [compare("M-Bus: simulated meter", "mbus", simulated, PEERS)]
    corpus = Path(os.environ.get("METERHUB_CORPUS") or toolchain.ROOT / "../shared/data") / "open/mbus"
    if corpus.is_dir():
        line = [raw for raw in map(_frame, sorted(corpus.rglob("*.hex"))) if _is_read_by_both(raw)]
        found.append(compare(f"M-Bus: captured, {len(line)} answers of as many meters", "mbus", line, PEERS))
    for table in found:
        table.notes = ["goal: MicroPython at least as fast as pyMeterBus, CPython 5 times as fast"]
    return found


def _frame(path: Path) -> bytes:
    return bytes.fromhex(path.read_text())


def _is_read_by_both(raw: bytes) -> bool:
    try:
        values = [record.interpreted for record in meterbus.load(raw).records]
    except Exception:  # noqa: BLE001 - whatever the library raises, it does not read this one
        return False
    decoder = MBusDecoder()
    return bool(values and decoder.feed(raw, len(raw)) and not decoder.errors)
