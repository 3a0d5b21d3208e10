"""What each service costs in memory: loaded as a command's desk loads it, and let go again.

Orders   desk: what a hub has loaded once a command came: [bytes more in use]
         service NAME: one module of services/: [bytes that it brings, bytes that stay when it was let go again]
         modules NAME: the firmware's modules that it brings
Runs on  the unix port
"""

import gc
import sys

import in_place  # noqa: F401 - first: where the firmware comes from
from answers import serve

from meterhub import lazy


def _used() -> int:
    gc.collect()
    gc.collect()
    return gc.mem_alloc()


def desk() -> list:
    """Load what takes commands."""
    before = _used()
    __import__("meterhub.command_desk")
    __import__("meterhub.app")
    return [_used() - before]


def _brings(name: str) -> list:
    before = lazy.loaded()
    __import__("meterhub.services." + name)
    return [one for one in lazy.loaded() - before if one.startswith("meterhub.")]


def service(name: str) -> list:
    """Load a service and let it go again, as command_desk.py does; the first time is for warmth: names are kept."""
    lazy.let_go(_brings(name))
    before = _used()
    brought = _brings(name)
    loaded = _used()
    lazy.let_go(brought)
    brought = None
    return [loaded - before, _used() - before]


def modules(name: str) -> list:
    """Name what a service brings along."""
    brought = _brings(name)
    lazy.let_go(brought)
    return sorted(brought)


if __name__ == "__main__":
    if sys.implementation.name != "micropython":
        raise SystemExit("on MicroPython alone")
    serve({"desk": desk, "service": service, "modules": modules})
