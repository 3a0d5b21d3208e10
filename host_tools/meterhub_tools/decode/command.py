"""`meterhub decode FILE...`: what is in captures of a meter's line, read with the firmware's own decoders.

With --json one object a line for each file:
    {"file", "protocol", "frames", "errors": {reason: count},
     "readings": [{"obis" or "quantity", "value" "scale" "unit" or "text", "meter", "channel", "at", "frame"}],
     "telegrams": [{"frame", "meter", "version", "at"}]}
The number is value x 10^scale in `unit` (W, Wh, var, varh, VA, V, A, Hz, m3, l, K, ...); at: Unix seconds or null;
frame: from 0. A file in which no frame was good has a "reason" too.
"""

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

from ..errors import ToolError
from ..owner import zones
from . import files, table
from .decoders import PROTOCOLS, Result, Told, decode

from meterhub.errors import ConfigError  # isort: skip
from meterhub.meters import maps  # isort: skip
from meterhub.meters.modbus_map import RegisterMap  # isort: skip

_KEY = re.compile(r"[0-9a-fA-F]{32}")
_OBIS = re.compile(r"(\d+-\d+:)?[0-9CFLP]{1,3}([.:][0-9A-F]{1,3}){0,4}([*&]\d+)?")
_BEHIND = re.compile(r"0-(\d+):")  # of a meter behind the meter


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Add the subcommand to `meterhub`."""
    parser = subparsers.add_parser(
        "decode",
        help="what is in captures of a meter's line",
        description="Reads captures of a meter's line with the firmware's own decoders, in MicroPython's unix port. "
        "Files: .bin raw bytes, .hex hexadecimal digits, .txt text telegrams, and what `meterhub capture` writes.",
        epilog="exit status: 0 when every file had a good frame, 1 when one had none, and why",
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--protocol", choices=("auto", *PROTOCOLS), default="auto", help="(auto: all are tried)")
    parser.add_argument("--key", type=_key, metavar="HEX", help="the meter's encryption key; @FILE: in a file")
    parser.add_argument("--auth-key", type=_key, metavar="HEX", help="its authentication key; @FILE: in a file")
    parser.add_argument("--map", type=_map, metavar="NAME", help="modbus: the register map, a name or a file")
    parser.add_argument("--zone", type=_zone, default=Told.zone, metavar="TZ", help=f"the meter's ({Told.zone})")
    parser.add_argument("--json", action="store_true", help="print one JSON object a file in place of tables")
    parser.add_argument("--cpython", action="store_true", help="run the same decoders in this Python")


def _key(text: str) -> str:
    """Return a key; nothing that is said about a bad one repeats it."""
    if text.startswith("@"):
        try:
            text = Path(text[1:]).read_text("ascii")
        except (OSError, ValueError):
            raise argparse.ArgumentTypeError("the key's file cannot be read") from None
    text = "".join(text.split())
    if not _KEY.fullmatch(text):
        raise argparse.ArgumentTypeError("a key is 32 hexadecimal digits")
    return text


def _map(text: str) -> str:
    """Return the JSON of a register map: one of the firmware's by its name, or a file."""
    try:
        told = maps.text(text) if text in maps.NAMES else Path(text).read_text("utf-8")
        RegisterMap.from_text(told)
    except (OSError, ValueError):
        known = ", ".join(maps.NAMES)
        raise argparse.ArgumentTypeError(f"there is no register map {text}; known: {known}, or a file") from None
    except ConfigError as error:
        raise argparse.ArgumentTypeError(f"{text}: {error}") from None
    return told


def _zone(text: str) -> str:
    try:
        return zones.rule(text)
    except ToolError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def run(args: argparse.Namespace) -> int:
    """Decode all files; return 1 when one of them has no good frame."""
    told = Told(args.protocol, args.key or "", args.auth_key or "", args.zone, args.map or "")
    ways, unread = [], {}
    for path in args.files:
        try:
            ways.append(files.streams(path))
        except ToolError as error:
            unread[len(ways)] = str(error)
            ways.append([])
    readable = [way for way in ways if way]
    results = iter(decode(readable, told, args.cpython) if readable else [])
    failed = False
    for number, (path, way) in enumerate(zip(args.files, ways, strict=True)):
        found = _report(str(path), next(results) if way else None, unread.get(number, ""), args.protocol != "auto")
        failed = failed or "reason" in found
        print(json.dumps(found) if args.json else table.of(found), flush=True)
        if "reason" in found:
            print(f"meterhub decode: {found['reason']}", file=sys.stderr)
    return int(failed)


def _report(name: str, result: Result | None, unread: str, asked: bool) -> dict[str, Any]:
    """Return the object that --json prints for one file."""
    telegrams = result.telegrams if result else []
    found: dict[str, Any] = {
        "file": name,
        "protocol": result.protocol if result and (asked or result.is_sure()) else None,
        "frames": len(telegrams),
        "errors": result.errors if result else {},
        "readings": [one for frame, telegram in enumerate(telegrams) for one in _readings(frame, telegram)],
        "telegrams": [
            {"frame": frame} | {word: telegram[word] for word in ("meter", "version", "at")}
            for frame, telegram in enumerate(telegrams)
        ],
    }
    if not telegrams:
        found["reason"] = unread or _reason(found)
    return found


def _reason(found: dict[str, Any]) -> str:
    if not found["protocol"]:
        return f"{found['file']}: no decoder knows anything in it"
    errors = ", ".join(f"{reason} ({count})" for reason, count in found["errors"].items())
    return f"{found['file']}: no good {found['protocol']} frame: {errors or 'nothing like it'}"


def _readings(frame: int, telegram: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the numbers of a telegram, then its texts."""
    found = []
    meters = {0: telegram["meter"]}
    for name, value, scale, unit, meter, channel, at in telegram["readings"]:
        number = {"value": value, "scale": scale, "unit": unit, "meter": meter, "channel": channel, "at": at}
        found.append(_named(name) | number | {"frame": frame})
        meters.setdefault(channel, meter)
    for name, text in sorted(telegram["texts"].items()):
        channel = _channel(name)
        told = {"text": text, "meter": meters.get(channel, ""), "channel": channel, "at": telegram["at"]}
        found.append(_named(name) | told | {"frame": frame})
    return found


def _named(name: str) -> dict[str, str]:
    return {"obis" if _OBIS.fullmatch(name) else "quantity": name}


def _channel(name: str) -> int:
    """Return the channel that an OBIS code names, 0 for the meter itself."""
    channel = _BEHIND.match(name)
    return int(channel[1]) if channel else 0
