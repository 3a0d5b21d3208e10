"""`meterhub store ls|dump|verify IMAGE|DIR`: what a hub keeps, from its folder or from a pulled image of its flash.

dump --csv   a line for each value: file, end (UTC), at (Unix s), quality, obis, meter, value, scale, unit; the number
             is value x 10^scale in `unit`, empty where the register was not read
dump --json  {"settings": without secrets, "profiles": {name: [[file, at, quality, obis, meter, value, scale, unit]]},
             "journal": {kind: [{"seq", "at", "name", "detail"}]}, "last": {meter: {"at", "pulses", "values"}},
             "records": {name: bytes}, "damage": [what]}
"""

import argparse
import csv
import json
import sys
import time
from pathlib import Path
from typing import Any

from . import contents, image

_FORM = "%Y-%m-%dT%H:%M:%SZ"


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Add the subcommand to `meterhub`."""
    parser = subparsers.add_parser(
        "store",
        help="what a hub keeps, from its folder or from an image of its flash",
        description="Reads a hub's folder, or the file system in an image of its flash: the image through "
        "MicroPython's littlefs, what it holds with the firmware's own code. Neither is written to.",
        epilog="exit status: 0; 1 when something is damaged, or there is nothing to read",
    )
    parser.add_argument("what", choices=("ls", "dump", "verify"))
    parser.add_argument("source", type=Path, metavar="IMAGE|DIR")
    parser.add_argument("--board", default="", help="whose layout the image has (default: all are tried)")
    parser.add_argument("--offset", type=lambda text: int(text, 0), help="where in it the file system begins")
    parser.add_argument("--profile", help="dump: only this load profile, such as profile or profile-gas")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--csv", action="store_true", help="dump: the load profile as CSV (the default)")
    form.add_argument("--json", action="store_true", help="everything, as one JSON object")


def run(args: argparse.Namespace) -> int:
    """Show; return 1 when something is damaged."""
    with image.opened(args.source, args.board, args.offset) as found:
        damage = [f"{name}: cannot be read" for name in found.unreadable]
        damage += [f"{name}: set aside" for name, _, kind in contents.kinds_of_files(found.folder) if "aside" in kind]
        if args.what == "ls":
            _list(found.folder, args.json)
        elif args.what == "dump" and not args.json:
            _dump_csv(found.folder, args.profile, damage)
        else:
            told = _everything(found.folder, args.profile, damage)
            _verdict(told, args.json) if args.what == "verify" else print(json.dumps(told))
    if args.what == "dump" and damage:
        print("\n".join(damage), file=sys.stderr)
    return int(args.what != "ls" and bool(damage))


def _list(folder: Path, as_json: bool) -> None:
    rows = list(contents.kinds_of_files(folder))
    if as_json:
        print(json.dumps([{"name": name, "bytes": size, "kind": kind} for name, size, kind in rows]))
        return
    width = max((len(name) for name, _, _ in rows), default=0)
    for name, size, kind in rows:
        print(f"{name.ljust(width)}  {size:>8}  {kind}")


def _dump_csv(folder: Path, profile: str | None, damage: contents.Damage) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("file", "end", "at", "quality", "obis", "meter", "value", "scale", "unit"))
    for name in [profile] if profile else contents.profiles(folder):
        for row in contents.values(folder, name, damage):
            end = time.strftime(_FORM, time.gmtime(row.at))
            shown = "" if row.value is None else row.value
            writer.writerow((row.file, end, row.at, row.quality, row.obis, row.meter, shown, row.scale, row.unit))


def _everything(folder: Path, profile: str | None, damage: contents.Damage) -> dict[str, Any]:
    names = [profile] if profile else contents.profiles(folder)
    return {
        "settings": contents.settings_in_force(folder, damage),
        "profiles": {name: list(contents.values(folder, name, damage)) for name in names},
        "journal": contents.journal(folder, damage),
        "last": contents.last_values(folder, damage),
        "voltage": contents.voltages(folder, damage),
        "records": contents.records(folder, damage),
        "damage": damage,
    }


def _verdict(told: dict[str, Any], as_json: bool) -> None:
    counts = {
        "intervals": {name: len({row.at for row in rows}) for name, rows in told["profiles"].items()},
        "journal": {kind: len(entries) for kind, entries in told["journal"].items()},
        "voltage": len(told["voltage"]),
        "records": len(told["records"]) + len(told["last"]),
        "damage": told["damage"],
    }
    if as_json:
        print(json.dumps(counts))
        return
    for name, count in counts["intervals"].items():
        print(f"{name}: {count} intervals")
    for kind, count in counts["journal"].items():
        print(f"journal, {kind}: {count} entries, numbered without a hole" if count else f"journal, {kind}: empty")
    if counts["voltage"]:
        print(f"voltage log: {counts['voltage']} periods")
    print(f"records: {counts['records']}")
    print("\n".join(counts["damage"]) or "nothing is damaged")
