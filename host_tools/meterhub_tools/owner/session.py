"""What the commands of this folder do with a hub on the cable: set its clock, give it settings, wait for its restart.

Errors   ToolError, one sentence.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator

from ..board.port import Line, Refused
from ..errors import ToolError
from . import documents
from .keys import Root

WRITTEN_AT = 1_795_219_200  # 21 November 2026, when this was written: no clock that says less is right
_CLOSE_S = 120
_RESTART_S = 30
_LOOK_S = 0.5
_SIGNATURE_S = 30  # a small board works for seconds on a signature


def set_clock(line: Line, hello: dict) -> str:
    """Set the hub's clock to this computer's, unless it has a better one; return what came of it, in words."""
    now = int(time.time())
    if now < WRITTEN_AT:
        raise ToolError(f"this computer's clock says {_day(now)}, which cannot be; set it first")
    try:
        line.ask("clock", at=now)
    except Refused as error:
        apart = abs(int(hello.get("at", 0)) - now)
        if hello.get("clock") == "unset" or apart > _CLOSE_S:
            raise ToolError(f"the hub keeps its clock, {apart} s away from this computer's ({error})") from None
        return f"the hub's own is right ({hello['clock']})"
    return f"set to {_day(now)} UTC"


def _day(unix_s: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(unix_s))


def check(line: Line, document: dict, ca: bool = False) -> None:
    """Have the hub look the settings over; ToolError with the name that it refuses. ca: a CA will come with them."""
    line.put(json.dumps(document))
    line.ask("check", ca=ca)


def install_plain(line: Line, document: dict) -> None:
    """Install settings that nobody has signed."""
    line.put(json.dumps(document))
    line.ask("configure", patience_s=_SIGNATURE_S)


def install_signed(line: Line, root: Root, hub: str, seq: int, document: dict, ca: bytes | None = None) -> None:
    """Install settings, and the CA with them, under the owner's signature."""
    line.put(documents.settings(root, hub, seq, document, ca))
    line.ask("configure", patience_s=_SIGNATURE_S)


@contextlib.contextmanager
def restarted(port: str, hub: str) -> Iterator[Line]:
    """Wait until the hub answers again, which is about to restart; ToolError when it does not."""
    begun = time.monotonic()
    trouble = ""
    while time.monotonic() < begun + _RESTART_S:
        time.sleep(_LOOK_S)
        with contextlib.ExitStack() as stack:
            try:
                line = stack.enter_context(Line(port))
                if line.ask("info")["uptime_s"] > time.monotonic() - begun:
                    continue  # it has not restarted yet
            except ToolError as error:  # a board's port is away for a moment
                trouble = f": {error}"
                continue
            hello = line.hub
            if hello["hub"] != hub:
                raise ToolError(f"after the restart hub {hello['hub'] or '?'} answers at {port}, not {hub}")
            if hello["clock"] == "unset":
                set_clock(line, hello)
            yield line
            return
    raise ToolError(f"the hub has not come back after its restart{trouble}")
