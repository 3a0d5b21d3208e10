"""Runs the firmware's decoders over what the host has read from files; under MicroPython and under CPython.

Standard input, a line each; numbers of bytes are in hexadecimal:
    keys KEY AUTH_KEY   for the decoders that follow; "-" where there is none
    zone TZ             of meters that do not say whether it is summer
    map HEX             a register map, JSON
    decoder NAME        begin with a new decoder, one of DECODERS
    feed HEX            the line's next bytes
    silence             the line is silent for a second
    end                 of this stream
Standard output, JSON lines: {"reading": [...]} for each of a telegram, then {"telegram": {...}}, and so on; at the
end of the stream {"errors": {reason: count}}.
Runs on  both
"""

import binascii
import json
import sys


class Unframed:
    """What has lost its frame must be read as a whole: read(raw) -> Telegrams."""

    def __init__(self, decoder, read):
        self.errors = decoder.errors
        self._read = read
        self._raw = bytearray()

    def feed(self, buf, n):
        self._raw.extend(buf[:n])
        return ()

    def silence(self):
        raw, self._raw = self._raw, bytearray()
        return self._read(raw) if raw else ()


def p1(told):
    from meterhub.meters.p1 import P1Decoder

    return P1Decoder(told["zone"])


def p1_encrypted(told):
    from meterhub.meters.p1_encrypted import EncryptedP1Decoder

    return EncryptedP1Decoder(*told["keys"], told["zone"])


def iec62056(told):
    from meterhub.meters.iec62056 import IEC62056Decoder

    return IEC62056Decoder(told["zone"], most=2000)


def sml(told):
    from meterhub.meters.sml import SMLDecoder

    return SMLDecoder()


def sml_file(told):
    decoder = sml(told)
    return Unframed(decoder, decoder.read_file)


def dlms(told):
    from meterhub.meters.dlms import DLMSDecoder

    return DLMSDecoder(*told["keys"])


def dlms_apdu(told):
    from meterhub.meters.dlms_raw import RawDLMSDecoder

    return RawDLMSDecoder(*told["keys"])


def mbus(told):
    from meterhub.meters.mbus import MBusDecoder

    return MBusDecoder()


def modbus(told):
    from meterhub.meters.modbus import ModbusDecoder
    from meterhub.meters.modbus_map import RegisterMap

    return ModbusDecoder(RegisterMap.from_text(told["map"]) if told["map"] else None)


DECODERS = {
    "p1": p1,
    "p1-encrypted": p1_encrypted,
    "iec62056": iec62056,
    "sml": sml,
    "sml-file": sml_file,
    "dlms": dlms,
    "dlms-apdu": dlms_apdu,
    "mbus": mbus,
    "modbus": modbus,
}


def tell(what):
    """Write one object."""
    sys.stdout.write(json.dumps(what) + "\n")


def show(telegrams):
    """Write the Telegrams, reading by reading: a long readout as one object would be large."""
    for told in telegrams:
        for reading in told.readings:
            tell({"reading": list(reading)})
        tell({"telegram": {"meter": told.meter, "version": told.version, "at": told.at, "texts": told.texts}})


def zone_of(name):
    from meterhub.codec.timezone import Zone

    return Zone(name)


def take(told, decoder, word, rest):
    """Carry out one line of the input; return the decoder that is at work after it."""
    if word == "decoder":
        return DECODERS[rest](told)
    if word == "feed":
        raw = binascii.unhexlify(rest)
        show(decoder.feed(raw, len(raw)))
    elif word == "silence":
        show(decoder.silence())
    elif word == "end":
        tell({"errors": decoder.errors})
    elif word == "keys":
        told["keys"] = [None if key == "-" else binascii.unhexlify(key) for key in rest.split()]
    elif word == "zone":
        told["zone"] = zone_of(rest)
    elif word == "map":
        told["map"] = str(binascii.unhexlify(rest), "utf-8")
    return decoder


def main():
    told = {"keys": [None, None], "zone": None, "map": ""}
    decoder = None
    while True:
        line = sys.stdin.readline()
        if not line:
            return
        word, _, rest = line.strip().partition(" ")
        decoder = take(told, decoder, word, rest)


main()
