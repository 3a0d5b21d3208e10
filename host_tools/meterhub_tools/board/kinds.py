"""The kinds of boards there are: what boards/<BOARD>/ says of each, and which of them a running MicroPython is on.

Source   board.json in MicroPython's own form; sys.implementation._machine is "<board's name> with <processor>",
         _build (since 1.25) the board's folder, with "-VARIANT" after it
"""

import json
from pathlib import Path
from typing import NamedTuple

from ..errors import ToolError, UsageError
from ..toolchain import ROOT

BOARDS = ROOT / "boards"
OLDEST = (1, 24, 0)  # the MicroPython that the firmware takes
_NOT_FLASHED = "UNIX"


class Kind(NamedTuple):
    """One kind of board. machine: how its MicroPython calls the board, as far as that is known; offset: where in
    its flash an image begins (ESP32); family: which UF2 family is for it (RP2), else 0."""

    name: str
    mcu: str
    product: str
    machine: str
    offset: int
    family: int

    @property
    def pins(self) -> bytes:
        """Its pins.json, as it goes onto the board."""
        return (BOARDS / self.name / "pins.json").read_bytes()

    @property
    def page(self) -> str:
        """Where its images are to be had."""
        return f"https://micropython.org/download/{self.name}/"


def kinds() -> dict[str, Kind]:
    """Return every kind of board by its name, but the unix port."""
    folders = sorted(path.parent for path in BOARDS.glob("*/board.json"))
    return {folder.name: _read(folder) for folder in folders if folder.name != _NOT_FLASHED}


def named(name: str) -> Kind:
    """Return the kind called `name`; ToolError with those that there are."""
    known = kinds()
    if name not in known:
        raise UsageError(f"there is no board {name}; there are: {', '.join(known)}")
    return known[name]


def of_machine(machine: str, build: str = "") -> list[Kind]:
    """Return the kinds that a board with this `_machine` (and `_build`) may be: one, if it can be told."""
    known = kinds()
    by_build = known.get(build.partition("-")[0])
    if by_build:
        return [by_build]
    name, _, mcu = machine.rpartition(" with ")
    fitting = [kind for kind in known.values() if kind.mcu == mcu.lower().replace("-", "")]
    return [kind for kind in fitting if kind.machine == name] or fitting


def check(kind: Kind, machine: str, build: str = "") -> None:
    """ToolError when a board with this `_machine` is of another kind."""
    if kind not in of_machine(machine, build):
        raise ToolError(f"this is not a {kind.name} ({kind.product}): it is a {machine}; nothing was changed")


def _read(folder: Path) -> Kind:
    about = json.loads((folder / "board.json").read_text())
    flash = folder / "flash.json"
    family = int(json.loads(flash.read_text())["uf2_family"], 0) if flash.exists() else 0
    offset = int(about.get("deploy_options", {}).get("flash_offset", "0"), 0)
    machine = f"{about['vendor']} {about['product']}"
    return Kind(folder.name, about["mcu"], about["product"], machine, offset, family)
