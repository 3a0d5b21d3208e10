"""What the services that read logs share: the times asked for, and answers that are told in pages.

Source   GBCS: both times belong to the span; 0 and 4294967295 are the start and the end of time
Units    Unix seconds, UTC
Errors   HubError MALFORMED for an argument that there is not, INVALID_VALUE for one that cannot be; field arg.NAME
Runs on  both
"""

import gc
import json

from micropython import const

from ..errors import HubError
from .fields import only, whole  # noqa: F401 - whoever reads a span wants them

END_OF_TIME = 0xFFFFFFFF
_PAGE_BYTES = const(2000)  # sealed in a letter it is nearly twice as long
_TIDY = const(8)
_IS_SMALL = hasattr(gc, "mem_free")  # MicroPython's heap, which nobody moves things in


def asked(command) -> tuple:
    """Return (from, to) of a command: all of time where they are left out, and nothing that is not its sender's."""
    start = whole(command.arg, "from", 0, END_OF_TIME, 0)
    stop = whole(command.arg, "to", 0, END_OF_TIME, END_OF_TIME)
    if start > stop:
        raise HubError("INVALID_VALUE", "arg.to")
    return max(start, command.since), stop


def chosen(commands: dict, command):
    """Return what carries out a command, of those of a module."""
    if command.cmd not in commands:
        raise HubError("UNSUPPORTED", "cmd")
    return commands[command.cmd]


def page(rows) -> tuple:
    """Return (as many of the rows as an answer holds, the first of those that it does not hold or None)."""
    found = []
    room = _PAGE_BYTES
    for row in rows:
        room -= len(json.dumps(row)) + 1
        if room < 0 and found:
            return found, row
        found.append(row)
        if _IS_SMALL and not len(found) % _TIDY:
            gc.collect()  # else what is read lies between the rows, and no large piece is left for the letter
    return found, None
