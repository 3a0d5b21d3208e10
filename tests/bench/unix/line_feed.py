"""The firmware's decoder of a line at work on frames in a file.

Words    sml, dlms, mbus or modbus; a file with a frame in hexadecimal on each line, for modbus a request and its
         answer; then for modbus the register map's name
Orders   feed: [us, readings]; check: [errors counted, readings, sum of their digits]
Runs on  both
"""

import binascii
import gc
import sys

from answers import elapsed_us, now_us, serve

AGAIN = 5  # each frame so often in a row: a meter that is asked again and again


def decoder_for(kind: str, words: list):
    """Return the decoder of `kind`."""
    if kind == "sml":
        from meterhub.meters.sml import SMLDecoder

        return SMLDecoder()
    if kind == "dlms":
        from meterhub.meters.dlms import DLMSDecoder

        return DLMSDecoder()
    if kind == "mbus":
        from meterhub.meters.mbus import MBusDecoder

        return MBusDecoder()
    from meterhub.meters import maps
    from meterhub.meters.modbus import ModbusDecoder
    from meterhub.meters.modbus_map import RegisterMap

    return ModbusDecoder(RegisterMap.from_text(maps.text(words[0])))


def frames(path: str) -> list:
    """Return the frames in a file."""
    with open(path) as file:
        return [binascii.unhexlify(line.strip()) for line in file]


def feed(decoder, line: list) -> list:
    """Decode all frames."""
    gc.collect()
    readings = 0
    start = now_us()
    for frame in line:
        for _ in range(AGAIN):
            for telegram in decoder.feed(frame, len(frame)):
                readings += len(telegram.readings)
    return [elapsed_us(now_us(), start), readings]


def check(decoder, line: list) -> list:
    """Tell what was read, so that two runtimes can be held against each other."""
    readings = digits = 0
    for frame in line:
        for telegram in decoder.feed(frame, len(frame)):
            readings += len(telegram.readings)
            digits += sum([abs(reading.value) % 1000 for reading in telegram.readings])
    return [sum(decoder.errors.values()), readings, digits]


if __name__ == "__main__":
    DECODER = decoder_for(sys.argv[1], sys.argv[3:])
    LINE = frames(sys.argv[2])
    serve({"feed": lambda: feed(DECODER, LINE), "check": lambda: check(DECODER, LINE)})
