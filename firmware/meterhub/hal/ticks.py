"""The millisecond counter as a plain number: intervals are taken modulo 2**30, the same on every port.

Units    milliseconds; an interval must be shorter than six days
Runs on  both (now_ms() is MicroPython's)
"""

import time

from micropython import const

_WRAP = const(0x3FFFFFFF)
_HALF = const(0x20000000)


def now_ms() -> int:
    """Return the counter; allocates nothing."""
    return time.ticks_ms()  # type: ignore  # the stubs' own type, which is an int on every port


def since(now: int, then: int) -> int:
    """Return the milliseconds from `then` to `now`; negative when `then` lies ahead."""
    return ((now - then + _HALF) & _WRAP) - _HALF
