"""Decode files of raw bytes with one of the firmware's decoders; JSON lines. Runs under both interpreters.

Arguments: mbus, modbus, iec62056 or p1e:KEY:AUTHENTICATION_KEY; then files. After each, the line is silent. For each
file: the readings of a telegram, then the telegram, and so on, then {"errors"}.
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
    """Yield the Telegrams in the bytes of one file, then the decoder's errors."""
    decoder = decoder_for(kind)
    for pos in range(0, len(raw), 64):
        chunk = raw[pos : pos + 64]
        yield from decoder.feed(chunk, len(chunk))
    if hasattr(decoder, "silence"):
        yield from decoder.silence()
    yield decoder.errors


def say(what):
    """Print one object; a long readout as one would not fit beside the readings."""
    print(json.dumps(what))  # noqa: T201 - read by the corpus tests


for path in sys.argv[2:]:
    with open(path, "rb") as file:
        for found in decode(sys.argv[1], file.read()):
            if isinstance(found, dict):
                say({"errors": found})
                continue
            for reading in found.readings:
                say({"reading": list(reading)})
            say({"telegram": {"meter": found.meter, "version": found.version, "at": found.at, "texts": found.texts}})
