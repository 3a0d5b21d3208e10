"""The system's packages that the tests drive: browser, MQTT broker, reader of digits in pictures, compiler.

The compiler is for the image that the emulated board runs.

Only `make test` wants them, and only root may install them; everybody else is told the one command to type.
"""

import os
import shutil

from steps import SetupError, command

_PROGRAMS = {"chromium": "chromium", "mosquitto": "mosquitto", "tesseract": "tesseract-ocr"}  # program: Debian package
_FOR_THE_BOARD = {  # file: package; on Debian only, as MicroPython's sources are
    "/usr/bin/cmake": "cmake",
    "/usr/bin/arm-none-eabi-gcc": "gcc-arm-none-eabi",
    "/usr/lib/arm-none-eabi/newlib/libc.a": "libnewlib-arm-none-eabi",
    "/usr/lib/arm-none-eabi/newlib/libstdc++.a": "libstdc++-arm-none-eabi-newlib",
}
_PLACES = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"))
_INSTALL = ("apt-get", "install", "--yes", "--no-install-recommends")


def install_test_programs() -> None:
    """Install what is missing, as root or with a sudo that asks nothing; SetupError with the command otherwise."""
    missing = [package for program, package in _PROGRAMS.items() if not shutil.which(program, path=_PLACES)]
    if shutil.which("apt-get"):
        missing += [package for file, package in _FOR_THE_BOARD.items() if not os.path.exists(file)]
    if not missing:
        return
    if not shutil.which("apt-get"):
        raise SetupError(f"the tests need {', '.join(missing)}: install them with this system's package manager")
    root = _become_root()
    if root is None:
        raise SetupError(f"the tests need {', '.join(missing)}; type:  sudo {' '.join((*_INSTALL, *missing))}")
    print(f"set-up: installing {', '.join(missing)} for the tests ...", flush=True)
    env = (*root, "env", "DEBIAN_FRONTEND=noninteractive")
    try:
        command("system", *env, *_INSTALL, *missing)
    except SetupError:  # the package lists are missing or out of date
        command("system", *env, "apt-get", "update")
        command("system", *env, *_INSTALL, *missing)


def _become_root() -> tuple[str, ...] | None:
    """Return the words to put before a command that needs root, None where it would take a password."""
    if os.geteuid() == 0:
        return ()
    try:
        command("sudo", "sudo", "--non-interactive", "true")
    except SetupError:
        return None
    return ("sudo", "--non-interactive")
