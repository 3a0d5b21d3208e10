"""Decode files of P1 telegrams with the firmware's decoder; one JSON object a file. Runs under both interpreters.

Each argument is a file; two line ends are put behind it, as a line brings them, for captures that lost theirs.
"""

import json
import sys

from meterhub.codec.timezone import Zone
from meterhub.meters.p1 import P1Decoder


def decode(raw):
    """Return {telegrams, errors} of the bytes of one file."""
    p1 = P1Decoder(Zone("CET-1CEST,M3.5.0,M10.5.0/3"))
    raw += b"\r\n\r\n"
    found = []
    for pos in range(0, len(raw), 64):
        chunk = raw[pos : pos + 64]
        found.extend(p1.feed(chunk, len(chunk)))
    telegrams = []
    for t in found:
        readings = [list(reading) for reading in t.readings]
        telegrams.append({"meter": t.meter, "version": t.version, "at": t.at, "readings": readings, "texts": t.texts})
    return {"telegrams": telegrams, "errors": p1.errors}


for path in sys.argv[1:]:
    with open(path, "rb") as file:
        print(json.dumps(decode(file.read())))  # noqa: T201 - read by test_p1_corpus.py
