"""What a decoder costs in memory.

Orders   heap NAME: [bytes of one decoder, bytes fed, bytes allocated by that]
Runs on  the unix port
"""

import gc
import sys

import in_place  # noqa: F401 - first: where the firmware comes from
from answers import serve

sys.path.append(__file__.rsplit("/", 1)[0] + "/../../unix")
sys.path.append(__file__.rsplit("/", 1)[0] + "/../../fuzz/unix")

from subjects import SUBJECTS


def _used() -> int:
    gc.collect()
    gc.collect()
    return gc.mem_alloc()


def heap(name: str) -> list:
    """Measure one decoder."""
    subject = SUBJECTS[name]()
    frame = bytes(subject.samples[0])
    n = _incomplete(subject.make(), frame)
    first = subject.make()  # what is made only once is made now
    before = _used()
    decoder = subject.make()
    size = _used() - before
    allocated = _feed(decoder, frame, n)
    del first
    return [size, n, allocated]


def _incomplete(decoder, frame: bytes) -> int:
    """Return how many bytes of a frame are still no whole one."""
    for i in range(len(frame)):
        if decoder.feed(frame[i : i + 1], 1):
            return i
    return len(frame)


def _feed(decoder, frame: bytes, n: int) -> int:
    """Feed the first n bytes one by one; return what that allocates."""
    byte = bytearray(1)
    decoder.feed(byte, 0)
    gc.disable()
    before = gc.mem_alloc()
    for i in range(n):
        byte[0] = frame[i]
        decoder.feed(byte, 1)
    allocated = gc.mem_alloc() - before
    gc.enable()
    return allocated


serve({"heap": heap})
