"""`meterhub info`: what a hub on the cable says of itself."""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

from ..board.port import Line


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the subcommand to `meterhub`."""
    parser = subparsers.add_parser(
        "info",
        help="a hub on the cable: versions, memory, flash, link, errors since its start",
        description="Asks a hub on the cable how it is.",
    )
    parser.add_argument("--history", action="store_true", help="what was used: 8 days, 5 weeks, 13 months")
    add_port(parser)


def add_port(parser: argparse.ArgumentParser) -> None:
    """Add --port and --json."""
    parser.add_argument(
        "--port", required=True, metavar="P", help="the hub's serial port: /dev/ttyACM0, COM3, socket://..."
    )
    parser.add_argument("--json", action="store_true", help="for machines")


def run(args: argparse.Namespace) -> int:
    """Print what the hub says."""
    with Line(args.port) as line:
        if args.history:
            return _print_history(line.ask("history"), args.json)
        facts = line.hub | line.ask("info")
    print(json.dumps(facts) if args.json else "\n".join(f"{name:15} {text}" for name, text in _rows(facts)))
    return 0


def _print_history(found: dict[str, Any], for_machines: bool) -> int:
    if for_machines:
        print(json.dumps(found))
        return 0
    unit = {30: "Wh", 13: "dm3"}.get(found["unit"], "")
    print(f"{found['register']}, the newest first; a period begins at local midnight, shown as UTC")
    for name in ("days", "weeks", "months"):
        for start, growth in found[name]:
            began = time.strftime("%Y-%m-%d %H:%M", time.gmtime(start))
            print(f"{name[:-1]:6} {began}  {'not known' if growth is None else f'{growth:>12,} {unit}'}")
    return 0


def _rows(facts: dict[str, Any]) -> list[tuple[str, str]]:
    """Return (what, in words) of everything that a person wants to know, in the order in which one asks."""
    f = facts
    rows = [
        ("hub", f"{f['hub'] or 'has lost its identity'}  {f['name']!r}"),
        ("owner", f"root {f['root'] or '?'}, document {f['seq']}" if f["owned"] else "nobody: meterhub provision"),
        ("firmware", f"{f['version']} on {f['board']}, {f['micropython']}"),
        ("running for", f"{_duration(f['uptime_s'])}, after: {f['reset']}"),
        ("clock", f["clock"] + (f", drifts by {f['drift_ppm']} ppm" if f.get("drift_ppm") else "")),
        ("outages", _outages(f.get("outages") or {})),
        ("memory", f"{_kib(f['heap_free'])} free, {_kib(f['heap_largest'])} in one piece"),
        ("flash", f"{_kib(f['flash_free'])} of {_kib(f['flash_size'])} free"),
        ("broker", f"{f['wan']}{': ' + f['wan_trouble'] if f['wan_trouble'] else ''}"),
        ("link", _pairs(f["link"])),
        ("display", f["display"]),
        *((f"meter {one['name']}", _meter(one)) for one in f["meters"]),
        ("errors", _pairs(f["errors"])),
        ("loaded", ", ".join(f["loaded"]) or "nothing that can be let go"),
    ]
    return rows


def _meter(one: dict[str, Any]) -> str:
    age = "none yet" if one["age_s"] is None else f"{one['telegrams']}, the last {one['age_s']} s ago"
    who = f" {one['serial']}" if one["serial"] else ""
    return f"{one['protocol']}{who}; telegrams: {age}; not read: {_pairs(one['errors'])}"


def _outages(found: dict[str, Any]) -> str:
    if not found.get("count"):
        return "none"
    return f"{found['count']}, {found['min3']} of 3 minutes or more, {_duration(found['seconds'])} in all"


def _pairs(found: dict) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(found.items())) or "none"


def _kib(count: int) -> str:
    return f"{count / 1024:,.0f} KiB"


def _duration(seconds: int) -> str:
    days, rest = divmod(seconds, 86400)
    return f"{days} d {rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
