"""Time zones by name: what a person writes (Europe/Amsterdam) and what a hub keeps, a POSIX TZ rule.

Source   the tz database of this computer, or the package `tzdata`; RFC 8536 3.3: the footer of a TZif file is the
         POSIX rule for all times after its last transition.
Errors   ToolError for a name that there is not, or whose rule a hub cannot follow.

A hub applies the rule to every year. It does not hear of a law that changes it: then the name is given again.
"""

from __future__ import annotations

import importlib.resources
import zoneinfo
from pathlib import Path

from .. import firmware  # noqa: F401 - puts the firmware's package on the path
from ..errors import ToolError, UsageError

from meterhub.codec.timezone import Zone  # isort: skip
from meterhub.errors import ConfigError  # isort: skip


def rule(text: str) -> str:
    """Return the POSIX rule of a zone's name; a rule is returned as it is."""
    try:
        Zone(text)
    except ConfigError:
        return _of_name(text)
    return text


def _of_name(name: str) -> str:
    try:
        zoneinfo.ZoneInfo(name)  # which looks for nothing outside its folders
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(f"{name!r} is no time zone; Europe/Amsterdam, or a POSIX rule, is wanted") from None
    footer = _tzif(name).rstrip(b"\n").rpartition(b"\n")[2].decode("ascii", "replace")
    try:
        Zone(footer)
    except ConfigError:
        raise ToolError(f"a hub cannot follow the rule of {name}, {footer!r}") from None
    return footer


def _tzif(name: str) -> bytes:
    for folder in zoneinfo.TZPATH:
        path = Path(folder, name)
        if path.is_file():
            return path.read_bytes()
    return importlib.resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).read_bytes()
