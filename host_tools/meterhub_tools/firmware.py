"""Makes the firmware's package `meterhub` importable under CPython: import this first.

The host uses the firmware's own codecs, cryptography and meter protocols: there is no second implementation of a
format that the firmware defines. What MicroPython has and CPython lacks comes from host_tools/shims (modules of
their own) and from here (millisecond ticks, added to `time` and `asyncio`).

    from . import firmware  # puts the firmware's package on the path
    from meterhub.codec import varint
"""

import asyncio
import sys
import time
from collections.abc import Awaitable

from .toolchain import FIRMWARE, ROOT

SHIMS = ROOT / "host_tools/shims"
_PERIOD = 1 << 30  # ticks wrap around, as they do on a board


def _ticks_ms() -> int:
    return time.monotonic_ns() // 1_000_000 % _PERIOD


def _ticks_us() -> int:
    return time.monotonic_ns() // 1_000 % _PERIOD


def _ticks_add(ticks: int, delta: int) -> int:
    return (ticks + delta) % _PERIOD


def _ticks_diff(end: int, start: int) -> int:
    return (end - start + _PERIOD // 2) % _PERIOD - _PERIOD // 2


def _sleep_ms(ms: int) -> Awaitable[None]:
    return asyncio.sleep(ms / 1000)


def _make_importable() -> None:
    for folder in (SHIMS, FIRMWARE):
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    for name, ticks in (("ms", _ticks_ms), ("us", _ticks_us), ("add", _ticks_add), ("diff", _ticks_diff)):
        setattr(time, f"ticks_{name}", ticks)
    asyncio.sleep_ms = _sleep_ms  # type: ignore[attr-defined]


_make_importable()
