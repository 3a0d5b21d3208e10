"""What looks at the heap of a hub that runs on a board: loaded before the firmware, told by pins what to do.

What it finds it says on UART 0, in lines: two numbers, or the name of what failed.

A falling edge on a pin that the firmware does not use makes it
LOOK    say what is free after a collection, and the longest bytearray that there is room for, to 128 bytes
HOLD    take 27 KB as a TLS session does, two buffers for records and the rest in small pieces; and give them back
LOAD    import all modules that /modules names, one a line

Memory  begin() leaves the firmware as much as it says, whatever the probe itself takes
Runs on a board; /boot.py calls begin()
"""

import gc

from machine import UART, Pin

LOOK, HOLD, LOAD = 2, 3, 6  # GPIO
TLS_BYTES = (16717, 4429, 1638, 1536, 1024, 1024, 512, 384, 256, 128)

line = UART(0, 115200, tx=Pin(12), rx=Pin(13))
kept = {"ballast": None, "tls": None}


def begin(before: int, heap: int) -> None:
    """Leave the firmware `heap` bytes, 0: all. before: bytes in use when the probe was not there."""
    for gpio, work in ((LOOK, _look), (HOLD, _hold), (LOAD, _load)):
        Pin(gpio, Pin.IN, Pin.PULL_UP).irq(lambda _, work=work: _do(work), Pin.IRQ_FALLING)
    gc.collect()
    took = gc.mem_alloc() - before
    size = heap or gc.mem_alloc() + gc.mem_free() - took
    kept["ballast"] = bytearray(gc.mem_alloc() + gc.mem_free() - size - took)


def _do(work):
    try:
        work()
    except (MemoryError, ImportError) as error:
        line.write("%s %s\n" % (work.__name__[1:], type(error).__name__))


def _look():
    gc.collect()
    free = gc.mem_free()
    low, high = 0, free
    while high - low > 128:
        middle = (low + high) // 2
        low, high = (middle, high) if _fits(middle) else (low, middle)
    gc.collect()
    line.write("%d %d\n" % (free, low))


def _fits(length):
    try:
        return len(bytearray(length)) > 0
    except MemoryError:
        return False


def _hold():
    held, kept["tls"] = kept["tls"], None
    if held is None:
        kept["tls"] = [bytearray(length) for length in TLS_BYTES]


def _load():
    with open("/modules") as file:
        for name in file:
            __import__(name.strip())
