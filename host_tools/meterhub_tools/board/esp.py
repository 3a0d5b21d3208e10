"""An ESP32's boot loader over the serial port, by esptool: which chip is there, and an image into its flash.

esptool is a program of its own and runs as one. Its stub checks what was written by MD5.

Errors   ToolError: the port, no chip that answers, esptool's own words
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from ..errors import ToolError
from .port import open_serial

_BAUD = "460800"
_CHIP = re.compile(r"Chip type:\s+(ESP32(?:-(?:S2|S31|S3|C2|C3|C5|C61|C6|H2|P4))?)")
_PERCENT = re.compile(r"(\d+)(?:\.\d+)?%")
_FATAL = re.compile(r"(?:A fatal error occurred|[Ee]rror): (.+)")


def chip_of(port: str) -> str:
    """Return the chip on `port`, as MicroPython's board.json calls it ("esp32s3")."""
    open_serial(port).close()  # what is wrong with a port is said in our words
    said = "".join(_esptool(port, "--connect-attempts", "3", "flash-id"))
    found = _CHIP.search(said)
    if found is None:
        raise ToolError(f"{port}: esptool does not say which chip is there; see: python -m esptool -p {port} flash-id")
    return found[1].lower().replace("-", "")


def write(port: str, chip: str, offset: int, image: Path, tell: Callable[[int, int], None]) -> None:
    """Write the image; what it does not cover (the hub's files) stays as it is. tell(per cent, 100)."""
    for line in _esptool(port, "--chip", chip, "write-flash", hex(offset), str(image)):
        found = _PERCENT.search(line)
        if found:
            tell(int(found[1]), 100)


def _esptool(port: str, *words: str) -> Iterator[str]:
    """Run esptool to its end and yield what it prints; ToolError with its last words when it fails."""
    command = [sys.executable, "-m", "esptool", "--port", port, "--baud", _BAUD, *words]
    plain = {"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "200", "PYTHONUNBUFFERED": "1"}
    said = []
    with subprocess.Popen(
        command,
        env=os.environ | plain,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            said.append(line.strip())
            yield line
    if process.returncode:
        raise ToolError(_why(port, said))


def _why(port: str, said: list[str]) -> str:
    fatal = [found[1] for found in map(_FATAL.search, said) if found]
    words = (fatal or [line for line in said if line] or ["esptool failed"])[-1].rstrip(".")
    return f"{port}: {words}; if the board does not answer, hold its BOOT button, press RESET and try again"
