"""Decode files of SML with the firmware's decoder; one JSON object a line. Runs under both interpreters.

Each argument is a file of raw bytes, or of hex digits where it ends in .hex; SML files without their transport frame
are read too.
"""

import binascii
import json
import sys

from meterhub.meters.sml import SMLDecoder


def decode(raw):
    """Print the Telegrams in the bytes of one file, a line each, and then its errors."""
    sml = SMLDecoder()
    if raw.find(b"\x1b\x1b\x1b\x1b") < 0:
        for telegram in sml.read_file(raw):
            show(telegram)
    else:
        for pos in range(0, len(raw), 64):
            chunk = raw[pos : pos + 64]
            for telegram in sml.feed(chunk, len(chunk)):
                show(telegram)
    print(json.dumps({"errors": sml.errors}))  # noqa: T201 - read by test_sml_corpus.py


def show(t):
    readings = [list(reading) for reading in t.readings]
    found = {"meter": t.meter, "version": t.version, "at": t.at, "readings": readings, "texts": t.texts}
    print(json.dumps(found))  # noqa: T201 - one at a time: a heap of 190 KB does not hold them all


for path in sys.argv[1:]:
    with open(path, "rb") as file:
        data = file.read()
    if path.endswith(".hex"):
        data = binascii.unhexlify(b"".join(data.split()))
    decode(data)
