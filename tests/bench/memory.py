"""Memory: what each room of the firmware takes of a board's 190 KB.

Loaded from source, from .mpy files, and run in place from an image, as a board runs a frozen build.
"""

import json
import re
import shutil
from pathlib import Path

from figures import Table
from history import REGISTERS
from worker import BUILD, Broken, Worker, on_port

from meterhub_tools import toolchain
from meterhub_tools.toolchain import HEAP_OF_A_BOARD

LIBRARIES = ("asyncio", "json", "hashlib", "umqtt.simple")
FIRST = ("meterhub", "meterhub.errors", "meterhub.lazy", "meterhub.version")  # what all rooms may import
ROOMS = ("codec", "crypto", "hal", "store", "meters", "trust", "ihd", "links")
DISPLAY = "meterhub.ihd.oled"  # a hub on a PC's table has none
SELDOM = {
    "applets, loaded when first asked": ("meterhub.applets.export",),
    "pages that are seldom on": ("meterhub.ihd.asking", "meterhub.ihd.reading"),
    "the service desk, while somebody is at the cable": ("meterhub.service_desk",),
    "the self-test, while it runs": ("meterhub.selftest",),
}
BLOCK_BYTES = 16  # on 32 bits
PLENTY = "1m"
FITS = f"all of it fits into {HEAP_OF_A_BOARD}"


def tables() -> list[Table]:
    """Return the table of the rooms."""
    image = toolchain.firmware_image()
    found = {"source": _fitting(None), ".mpy": _fitting(_compiled()), "image in place": _fitting(image)}
    table = Table(f"Heap of a hub, 32-bit port, {HEAP_OF_A_BOARD}, bytes", ["", *found])
    for name in found["source"]:
        table.add(name, *(figures[name] for figures in found.values()))
    table.notes = [
        "a room: its modules that a hub has loaded all the time; hal: that of the unix port",
        f"image in place: {image.stat().st_size} bytes of bytecode in flash, as in a frozen build of a board",
    ]
    return [table]


def room_of(name: str) -> str:
    """Return the room of a module; "": what all rooms may import; "app": what knows them all."""
    room = name.split(".")[1] if "." in name else ""
    return "" if name in FIRST else room if room in ROOMS else "app"


def _fitting(code: Path | None) -> dict[str, int | str]:
    """Return the figures with a board's memory, or where it is not enough with plenty, and that it is not."""
    try:
        return _figures(code, HEAP_OF_A_BOARD) | {FITS: "yes"}
    except Broken as error:
        if "MemoryError" not in str(error):
            raise
        return _figures(code, PLENTY) | {FITS: "NO", "free in the end": "-", "largest piece of it": "-"}


def _figures(code: Path | None, heapsize: str) -> dict[str, int | str]:
    needed = _modules_of_a_hub()
    with on_port("rooms.py", bits=32, heapsize=heapsize, code=code) as worker:
        worker.ready()
        found: dict[str, int | str] = {}
        before = worker.ask("load")[1]
        found["MicroPython's own modules, umqtt.simple"] = worker.ask("load", *LIBRARIES)[0]
        for room in ("", *ROOMS, "app"):
            names = [name for name in needed if room_of(name) == room]
            found[room or "errors, version, lazy"] = worker.ask("load", *names)[0]
        found["a hub built of these, with its buffers"] = worker.ask("hub", _settings())[0]
        for what, names in SELDOM.items():
            found[what] = worker.ask("load", *names)[0]
        _, used, free = worker.ask("applet")
        found["in use in the end"] = used - before
        found["free in the end"] = free
        found["largest piece of it"] = _largest_piece(worker)
    return found


def _modules_of_a_hub() -> list[str]:
    """Return the names of the modules that a hub has loaded while nothing happens: it says so itself."""
    with on_port("rooms.py", bits=32, heapsize=PLENTY) as worker:
        worker.ready()
        worker.ask("hub", _settings())
        return [*worker.ask("modules"), DISPLAY]


def _largest_piece(worker: Worker) -> int:
    worker.send(b"piece")
    told = b""
    while (line := worker.line()) != b"0":
        told += line + b"\n"
    found = re.search(rb"max free sz: (\d+)", told)
    if not found:
        raise Broken(f"mem_info says {told!r}")
    return int(found[1]) * BLOCK_BYTES


def _settings() -> Path:
    folder = BUILD / "hub32"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    settings = {"schema": 1, "meters": [{"protocol": "p1", "input": "p1"}], "profile": {"registers": REGISTERS}}
    settings["wan"] = {"url": "mqtt://localhost"}
    (folder / "settings.json").write_text(json.dumps(settings))
    return folder


def _compiled() -> Path:
    """Return a folder with the firmware and its libraries as .mpy files."""
    folder = BUILD / "mpy"
    shutil.rmtree(folder, ignore_errors=True)
    for name, data in toolchain.firmware_files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder
