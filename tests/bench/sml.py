"""SML files a second: the firmware's decoder in MicroPython against smllib in CPython.

Both find the files in a stream and check the CRC of its frame; the firmware checks that of every message too. Of
smllib there are both ways: parse_frame() reads everything, get_obis() looks for the list of values and reads no more.
"""

import os
import re
import sys
from pathlib import Path

import figures
from history import END
from polled import compare
from smllib import SmlStreamReader
from worker import PROGRAMS

from meterhub.meters.sml import SMLDecoder
from meterhub_tools import toolchain
from meterhub_tools.decode import files
from meterhub_tools.simulators.household import Household
from meterhub_tools.simulators.sml_meter import SmlMeter

sys.path.append(str(PROGRAMS))
import line_peers

PEERS = {"smllib, parse_frame": "values", "smllib, get_obis": "list"}
_MOST = 4  # files of one meter


def tables() -> list[figures.Table]:
    """Return the table for each source of files there is."""
    meter = SmlMeter(Household(END - 86400))
    simulated = [frame for i in range(30) for frame in meter.frames(END - 86400 + i * 600)]
    found = [compare("SML: simulated meter", "sml", simulated, PEERS)]
    corpus = Path(os.environ.get("METERHUB_CORPUS") or toolchain.ROOT / "../shared/data") / "open/sml"
    if corpus.is_dir():
        line = [raw for path in sorted(corpus.rglob("*.*")) for raw in _frames(path)]
        found.append(compare(f"SML: captured, {len(line)} files of real meters", "sml", line, PEERS))
    for table in found:
        table.notes = ["goal: MicroPython at least as fast as smllib, CPython 5 times as fast"]
    return found


def _frames(path: Path) -> list[bytes]:
    found = re.findall(rb"\x1b{4}\x01{4}.*?\x1b{4}\x1a...", files.raw(path), re.DOTALL)
    return [raw for raw in found if _is_read_by_both(raw)][:_MOST]


def _is_read_by_both(raw: bytes) -> bool:
    try:
        values = line_peers.sml_values(SmlStreamReader(), raw, False) and line_peers.sml_values(
            SmlStreamReader(), raw, True
        )
    except Exception:  # noqa: BLE001 - whatever the library raises, it does not read this one
        return False
    decoder = SMLDecoder()
    return bool(values and decoder.feed(raw, len(raw)) and not decoder.errors)
