"""The firmware's P1 decoder at work on telegrams in a file, fed as the UART feeds it.

Words    the file, and how often one order goes through it
Orders   feed: [us, telegrams]; check: [errors counted, sum of all imported Wh of tariff 1]
Runs on  both
"""

import gc
import sys

from answers import elapsed_us, now_us, serve

from meterhub.codec.timezone import Zone
from meterhub.meters.p1 import P1Decoder

_UART = 512  # bytes at once, as app.py reads


def pieces(path: str) -> list:
    """Return the file in pieces as they come from a UART."""
    found = []
    with open(path, "rb") as file:
        while True:
            piece = file.read(_UART)
            if not piece:
                return found
            found.append(piece)


def feed(decoder: P1Decoder, line: list, times: int) -> list:
    """Decode the whole line so many times."""
    gc.collect()
    telegrams = 0
    start = now_us()
    for _ in range(times):
        for piece in line:
            telegrams += len(decoder.feed(piece, len(piece)))
    return [elapsed_us(now_us(), start), telegrams]


def check(decoder: P1Decoder, line: list) -> list:
    """Tell what was read, so that two decoders can be held against each other."""
    total = 0
    for piece in line:
        for telegram in decoder.feed(piece, len(piece)):
            total += sum([reading.value for reading in telegram.readings if reading.obis == "1-0:1.8.1"])
    return [sum(decoder.errors.values()), total]


if __name__ == "__main__":
    DECODER = P1Decoder(Zone("CET-1CEST,M3.5.0,M10.5.0/3"))
    LINE = pieces(sys.argv[1])
    TIMES = int(sys.argv[2])
    serve({"feed": lambda: feed(DECODER, LINE, TIMES), "check": lambda: check(DECODER, LINE)})
