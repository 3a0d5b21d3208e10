"""The file that `meterhub capture` writes: what came from a meter's line, and when.

Text in ASCII, a line each, to be read by eye and attached to a bug report:

    # meterhub capture 1
    # begun 2026-03-01T12:00:00Z, 115200 8N1
    0.412 2F4953 ...
    0.418 ...

Behind the first line, "#" begins a comment. Every other line is what was read at once: the seconds since the
beginning, to the millisecond and never less than in the line before, a blank, and at most 64 bytes in hexadecimal.
Where a second or more lies between two lines the line was silent, and a decoder is told so.

Errors   ToolError names the file and the line that is no such line.
"""

import re
from pathlib import Path

from ..errors import ToolError

FIRST_LINE = "# meterhub capture 1"
MOST_BYTES = 64  # in a line
SILENCE_MS = 1000
_LINE = re.compile(r"(\d{1,9})\.(\d{3}) ((?:[0-9A-Fa-f]{2})+)")


def is_one(raw: bytes) -> bool:
    """Return whether a file's content is a capture's."""
    return raw.startswith(FIRST_LINE.encode())


def heading(begun: str, line: str) -> str:
    """Return what a capture begins with."""
    return f"{FIRST_LINE}\n# begun {begun}, {line}\n"


def lines(at_ms: int, raw: bytes) -> str:
    """Return the lines for what was read at once, `at_ms` after the beginning."""
    parts = [raw[i : i + MOST_BYTES] for i in range(0, len(raw), MOST_BYTES)]
    return "".join(f"{at_ms // 1000}.{at_ms % 1000:03} {part.hex().upper()}\n" for part in parts)


def pieces(raw: bytes, path: Path) -> tuple[bytes, ...]:
    """Return what a capture holds, cut where the line was silent."""
    found: list[bytearray] = [bytearray()]
    last = 0
    for number, line in enumerate(raw.decode("latin-1").splitlines(), 1):
        if line.startswith("#") or not line.strip():
            continue
        match = _LINE.fullmatch(line.strip())
        if not match:
            raise ToolError(f"{path}, line {number}: not a time and bytes in hexadecimal")
        at = int(match[1]) * 1000 + int(match[2])
        if at - last >= SILENCE_MS and found[-1]:
            found.append(bytearray())
        last = at
        found[-1] += bytes.fromhex(match[3])
    return tuple(bytes(piece) for piece in found)
