"""The MicroPython unix port, 64-bit and 32-bit: bin/micropython in .toolchain/mp64 and .toolchain/mp32.

The 64-bit one is a link to the `micropython` on PATH where that is new enough; everything else comes from
Debian, unpacked into the checkout and started through the dynamic loader that came with it, so that the
system's own C library does not matter.
"""

import os
import pathlib
import shutil
import subprocess
import textwrap

import archive
from steps import TOOLCHAIN, SetupError

SUITE = "trixie"  # Debian 13: MicroPython 1.25
OLDEST = (1, 24)
_NARROW = {"amd64": "i386", "arm64": "armhf"}  # the 32-bit architecture that the same processor runs
_INSTALLERS = {"brew": "brew install micropython", "dnf": "sudo dnf install micropython"}


def install_64() -> None:
    """Put a 64-bit interpreter in its place; SetupError with the one command to type where that cannot be."""
    place = TOOLCHAIN / "mp64"
    found = shutil.which("micropython")
    if found and _new_enough(found):
        shutil.rmtree(place, ignore_errors=True)
        (place / "bin").mkdir(parents=True)
        (place / "bin/micropython").symlink_to(found)
        return
    if not archive.mirror():
        raise SetupError(_advice())
    _fetch(archive.host_architecture(), place)


def install_32() -> None:
    """Put a 32-bit interpreter in its place, for the tests that measure memory as a board has it.

    Where there is none to be had (not Debian, or a processor without 32-bit programs) the set-up goes on.
    """
    place = TOOLCHAIN / "mp32"
    place.mkdir(parents=True, exist_ok=True)
    if not archive.mirror():
        print("set-up: no 32-bit MicroPython on this system; the tests that need it will say so")
        return
    host = archive.host_architecture()
    try:
        _fetch(_NARROW.get(host, host), place)
    except SetupError as exc:
        print(f"set-up: no 32-bit MicroPython here ({exc}); the tests that need it will say so")


def _fetch(architecture: str, place: pathlib.Path) -> None:
    archive.unpack("micropython", SUITE, architecture, place / "root")
    loader = next((place / "root").glob("usr/lib/*/ld-linux*.so.*"), None)
    if not loader:
        raise SetupError(f"Debian's micropython for {architecture} came without a dynamic loader")
    program = place / "bin/micropython"
    program.parent.mkdir(exist_ok=True)
    program.write_text(_WRAPPER.format(libraries=loader.parent.relative_to(place), loader=loader.name))
    program.chmod(0o755)
    if not _new_enough(program):
        raise SetupError(f"Debian's micropython for {architecture} does not run on this machine")


_WRAPPER = textwrap.dedent("""\
    #!/bin/sh
    place=$(dirname "$(dirname "$(readlink -f "$0")")")
    libraries=$place/{libraries}
    exec "$libraries/{loader}" --inhibit-cache --argv0 "$0" --library-path "$libraries" \\
        "$place/root/usr/bin/micropython" "$@"
    """)


def _new_enough(program: str | os.PathLike[str]) -> bool:
    asked = f"import sys; i = sys.implementation; sys.exit(0 if i[0] == 'micropython' and i[1] >= {OLDEST} else 1)"
    try:
        return subprocess.run([program, "-c", asked], capture_output=True, check=False, timeout=20).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _advice() -> str:
    needed = "MicroPython {}.{} or newer is needed on PATH".format(*OLDEST)
    for program, words in _INSTALLERS.items():
        if shutil.which(program):
            return f"{needed}; type:  {words}"
    return f"{needed}: this is no Debian system, and meterhub knows of no package for it"
