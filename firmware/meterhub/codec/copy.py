"""Bytes from one buffer into another without a single allocation, for decoders that run with the heap locked.

Memory   allocates nothing.
Errors   none: the caller answers for both ranges being within their buffers.
Runs on  both. `_copy_py` is the specification; where the runtime has a viper emitter `_copy_native` runs in its
         place, under CPython a slice, which is fast there.
"""

import sys


def _copy_py(to: "bytearray | memoryview", at: int, raw: "bytes | bytearray | memoryview", pos: int, n: int) -> None:
    for i in range(n):  # a slice would be a new object
        to[at + i] = raw[pos + i]


def _copy_host(to, at, raw, pos, n):
    to[at : at + n] = raw[pos : pos + n]


copy = _copy_py
if sys.implementation.name == "micropython":
    try:
        from ._copy_native import copy
    except SyntaxError:  # a port without a viper emitter for its processor
        pass
else:
    copy = _copy_host
