"""Bytes: the .mpy files of each room as `meterhub deploy` sends them to a Pico, a slot's file, the frozen image."""

from figures import Table

from meterhub_tools import toolchain
from meterhub_tools.board import deploy
from meterhub_tools.board.bundle import pack
from meterhub_tools.emulator import image

from meterhub.version import VERSION  # isort: skip

ARMV6M = 4  # the Pico's machine code, as sys.implementation._mpy has it
LIBRARY = "umqtt.simple"


def tables() -> list[Table]:
    """Return the table of the rooms and the one of what they become."""
    files = deploy.firmware_for(pico())
    rooms: dict[str, list[int]] = {}
    for name, data in files.items():
        rooms.setdefault(room_of(name), []).append(len(data))
    table = Table("The firmware as .mpy files for a Pico", ["", "files", "bytes"])
    for room in sorted(rooms, key=lambda room: (room == LIBRARY, room)):
        table.add(room, len(rooms[room]), sum(rooms[room]))
    table.add("all", len(files), sum(len(data) for data in files.values()))
    return [table, _whole(files)]


def pico() -> deploy.About:
    """Return what a Pico with the MicroPython of this checkout says of itself."""
    version, minor = toolchain.mpy_version()
    return deploy.About("micropython", deploy.kinds.OLDEST, "Pico", ARMV6M << 10 | minor << 8 | version, "", "", "", 0)


def room_of(name: str) -> str:
    """Return the room of a file; "app": what knows them all, and what all may import."""
    package, room, *inside = name.split("/") + [""]
    return LIBRARY if package != "meterhub" else room if inside[:-1] else "app"


def _whole(files: dict[str, bytes]) -> Table:
    table = Table("What goes onto a board", ["", "bytes"])
    table.add("a slot's file (there are two)", len(pack(VERSION, files).data))
    stock, frozen = (_bytes(kind) if image.available() else None for kind in ("stock", "frozen"))
    table.add("MicroPython's own image for the Pico", stock)
    table.add("the same with the firmware frozen in", frozen)
    table.add("  of these the firmware", frozen - stock if frozen and stock else None)
    if not image.available():
        table.notes = ["no image: MicroPython's sources for the RP2040 are not in this checkout; type: make test"]
    return table


def _bytes(kind: str) -> int:
    return image.image(kind).stat().st_size
