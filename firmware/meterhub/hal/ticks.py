"""The millisecond counter as a plain number: intervals are taken modulo 2**30, the same on every port.

Units    milliseconds; an interval between any two moments must be shorter than six days. Who asks how old something
         is asks age(): nobody presses a button, and no pulse of a gas meter comes, for weeks
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


def age(now: int, then: int) -> int:
    """Return how many milliseconds ago `then` was, which is not ahead; twelve days count as none again."""
    return (now - then) & _WRAP
