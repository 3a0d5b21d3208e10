"""The one desk of this process: set at start, found by views."""

from __future__ import annotations

from .live import Desk

_desk: list[Desk] = []


def set_desk(desk: Desk) -> None:
    """Make `desk` the one that views work with."""
    _desk[:] = [desk]


def desk() -> Desk:
    """Return the desk."""
    return _desk[0]
