"""MicroPython's `micropython` module for CPython: what the firmware's shared rooms use of it, doing nothing.

Source   MicroPython documentation, "micropython - access and control MicroPython internals".
Runs on  host only; firmware.py and the tests' conftest put this folder on sys.path.
"""

from collections.abc import Callable
from typing import Any, TypeVar

_T = TypeVar("_T")


def const(value: _T) -> _T:
    return value


def native(function: _T) -> _T:
    return function


def viper(function: _T) -> _T:
    return function


def heap_lock() -> None:
    """CPython has no heap to lock: what must not allocate is shown on the unix port."""


def heap_unlock() -> int:
    return 0


def alloc_emergency_exception_buf(size: int) -> None:
    """CPython can always raise."""


def schedule(function: Callable[[Any], Any], argument: object) -> None:
    """Call at once: there is no interrupt to leave first."""
    function(argument)
