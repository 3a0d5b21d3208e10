"""Decode files of raw bytes with one of the firmware's decoders; one JSON object a file. Runs under both interpreters.

Arguments: mbus, modbus, iec62056 or p1e:KEY:AUTHENTICATION_KEY; then files. After each, the line is silent.
"""

import binascii
import json
import sys


def decoder_for(kind):
    """Return a new decoder."""
    if kind == "mbus":
        from meterhub.meters.mbus import MBusDecoder as Decoder
    elif kind == "modbus":
        from meterhub.meters.modbus import ModbusDecoder as Decoder
    elif kind == "iec62056":
        from meterhub.meters.iec62056 import IEC62056Decoder as Decoder
    else:
        from meterhub.meters.p1_encrypted import EncryptedP1Decoder

        keys = [binascii.unhexlify(text) if text else None for text in kind.split(":")[1:]]
        return EncryptedP1Decoder(*keys)
    return Decoder()


def decode(kind, raw):
    """Return {telegrams, errors} of the bytes of one file."""
    decoder = decoder_for(kind)
    found = []
    for pos in range(0, len(raw), 64):
        chunk = raw[pos : pos + 64]
        found.extend(decoder.feed(chunk, len(chunk)))
    if hasattr(decoder, "silence"):
        found.extend(decoder.silence())
    telegrams = []
    for t in found:
        readings = [list(reading) for reading in t.readings]
        telegrams.append({"meter": t.meter, "version": t.version, "at": t.at, "readings": readings, "texts": t.texts})
    return {"telegrams": telegrams, "errors": decoder.errors}


for path in sys.argv[2:]:
    with open(path, "rb") as file:
        print(json.dumps(decode(sys.argv[1], file.read())))  # noqa: T201 - read by the corpus tests
