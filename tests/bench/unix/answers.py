"""How a bench program is driven: one line on its standard input is one order, its answer is one line of JSON.

Time is what this process had of the processor: on a machine that does other things too, the rest says nothing of us.

Runs on  both
"""

import json
import sys
import time


def _clock():
    """Return (a function that counts us of processor time, one that takes the difference of its results)."""
    if sys.implementation.name != "micropython":
        return lambda: time.process_time_ns() // 1000, lambda end, start: end - start
    try:
        import ffi  # the unix port's own

        return ffi.open("libc.so.6").func("l", "clock", ""), lambda end, start: end - start & 0xFFFFFFFF
    except (ImportError, OSError):
        return time.ticks_us, time.ticks_diff  # a port without it: time by the wall


now_us, elapsed_us = _clock()


def tell(answer) -> None:
    """Write one answer."""
    sys.stdout.write(json.dumps(answer) + "\n")
    getattr(sys.stdout, "flush", int)()  # the unix port's has none, and does not need one


def serve(orders: dict) -> None:
    """Carry out the orders on the standard input, "NAME ARGUMENT ...", by the functions in `orders`, until its end."""
    tell("ready")
    while True:
        words = sys.stdin.readline().split()
        if not words:
            return
        tell(orders[words[0]](*words[1:]))
