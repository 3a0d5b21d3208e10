"""DLMS pushes a second: the firmware's decoder in MicroPython against dlms-cosem in CPython.

The firmware's decoder finds the HDLC frames in a stream, checks both check sums, and makes readings with their units
and scales of the list. dlms-cosem gets frames ready cut out and stops at the data as they are: it knows no lists.
"""

import os
import sys
from pathlib import Path

import figures
from history import END
from polled import compare
from worker import PROGRAMS

from meterhub.meters.dlms import DLMSDecoder
from meterhub_tools import toolchain
from meterhub_tools.decode import files
from meterhub_tools.simulators.dlms_meter import DlmsMeter
from meterhub_tools.simulators.household import Household

sys.path += [str(PROGRAMS), str(toolchain.ROOT / "tests/unix")]
import line_peers
from dlms_samples import LLC, hdlc

PEERS = {"dlms-cosem": "values"}


def tables() -> list[figures.Table]:
    """Return the table for each source of pushes there is."""
    meter = DlmsMeter(Household(END - 86400))
    simulated = [frame for i in range(20) for frame in meter.frames(END - 86400 + i * 600)]
    found = [compare("DLMS: simulated meter", "dlms", simulated, PEERS)]
    corpus = Path(os.environ.get("METERHUB_CORPUS") or toolchain.ROOT / "../shared/data") / "open/dlms"
    if corpus.is_dir():
        line = [raw for raw in map(_frame, sorted(corpus.rglob("*.hex"))) if _is_read_by_both(raw)]
        found.append(compare(f"DLMS: captured, {len(line)} pushes that dlms-cosem can read", "dlms", line, PEERS))
    for table in found:
        table.notes = ["goal: MicroPython at least as fast as dlms-cosem, CPython 5 times as fast"]
    return found


def _frame(path: Path) -> bytes:
    """Return a capture; one without its frame gets one, so that both have the same to do."""
    raw = files.raw(path)
    return hdlc(raw) if raw.startswith(LLC) else raw


def _is_read_by_both(raw: bytes) -> bool:
    try:
        values = line_peers.dlms_values(raw)
    except Exception:  # noqa: BLE001 - whatever the library raises, it does not read this one
        return False
    decoder = DLMSDecoder()
    return bool(values and decoder.feed(raw, len(raw)) and not decoder.errors)
