"""Decode files of DLMS pushes with the firmware's decoder; JSON lines. Runs under both interpreters.

Each argument is a file of hex digits, or FILE=KEY with the encryption key in hex. Files without frames are read as
bare APDUs. A line for each telegram, and then one with the errors.
"""

import binascii
import json
import sys

from meterhub.meters.dlms import DLMSDecoder
from meterhub.meters.dlms_raw import RawDLMSDecoder


def decode(raw, key):
    """Print the Telegrams in the bytes of one file, a line each, and then its errors."""
    decoder = (DLMSDecoder if raw[0] in (0x7E, 0x68) else RawDLMSDecoder)(key)
    for pos in range(0, len(raw), 64):
        chunk = raw[pos : pos + 64]
        for telegram in decoder.feed(chunk, len(chunk)):
            show(telegram)
    for telegram in decoder.silence():
        show(telegram)
    print(json.dumps({"errors": decoder.errors}))  # noqa: T201 - read by test_dlms_corpus.py


def show(t):
    readings = [list(reading) for reading in t.readings]
    found = {"meter": t.meter, "version": t.version, "at": t.at, "readings": readings, "texts": t.texts}
    print(json.dumps(found))  # noqa: T201


for argument in sys.argv[1:]:
    path, _, digits = argument.partition("=")
    with open(path, "rb") as file:
        data = binascii.unhexlify(b"".join(file.read().split()))
    decode(data, binascii.unhexlify(digits) if digits else None)
