"""What the firmware costs in memory: its rooms are loaded one after the other, and then a hub is built of them.

Orders   load NAME ...: import modules; [bytes more in use, bytes in use, bytes free]
         hub FOLDER: what app.py builds at start, with the settings in the folder; the same figures
         modules: the names of the firmware's modules that are loaded
         applet: the data-export applet; the same figures
         piece: the largest piece of free memory, as MicroPython tells it, on a line of its own before the answer
Runs on  the unix port
"""

import gc
import sys

import in_place  # noqa: F401 - first: where the firmware comes from
import micropython
from answers import serve


def _counted(before: int) -> list:
    gc.collect()
    gc.collect()
    used = gc.mem_alloc()
    return [used - before, used, gc.mem_free()]


def _used() -> int:
    return _counted(0)[1]


def load(*names: str) -> list:
    """Import modules by their full names."""
    before = _used()
    for name in names:
        __import__(name)
    return _counted(before)


def hub(folder: str) -> list:
    """Build what a running hub consists of."""
    from meterhub import uplink
    from meterhub.app import Hub
    from meterhub.crypto.steps import run
    from meterhub.hal.unix import Board
    from meterhub.trust import identity

    before = _used()
    built = Hub(Board({"data": folder, "net": False}))
    built.start_drbg()
    built.open_events()
    built.identity = run(identity.load(built.strict_record("identity"), built.drbg))
    built.wan = uplink.build(built)
    kept.append((built, bytearray(512)))  # the serial line's buffer, which the task makes that reads it
    return _counted(before)


def modules() -> list:
    """Name what is loaded of the firmware."""
    return sorted([name for name in sys.modules if name.split(".")[0] == "meterhub"])


def applet() -> list:
    """Start the applet."""
    before = _used()
    kept[0][0].applet()
    return _counted(before)


def piece() -> int:
    """Let MicroPython tell its largest free piece ("max free sz", in blocks of four words)."""
    gc.collect()
    micropython.mem_info()
    return 0


kept = []

if __name__ == "__main__":
    serve({"load": load, "hub": hub, "modules": modules, "applet": applet, "piece": piece})
