"""`meterhub backup FILE.zip`: settings without secrets, and the history with its checksums."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from ..board.port import Line, Repl
from ..errors import ToolError
from . import archive, document, info
from .flash_files import HubFiles


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the subcommand to `meterhub`."""
    parser = subparsers.add_parser(
        "backup",
        help="save the settings (without secrets) and the history of a hub on the cable",
        description="Stops the hub for the time it takes, reads its history, checks it, and starts it again. Keys "
        "and passwords are never in a backup.",
    )
    parser.add_argument("file", type=Path, metavar="FILE.zip", help="where to write it")
    info.add_port(parser)


def run(args: argparse.Namespace) -> int:
    """Make the backup."""
    if args.file.exists():
        raise ToolError(f"{args.file} is there already; name another file, or move it away")
    with Line(args.port) as line:
        settings = document.without_secrets(line.ask("settings")["settings"])
    about = {name: line.hub[name] for name in ("hub", "name", "board", "version")} | {"at": int(time.time())}
    with Repl(args.port) as repl:
        files = read_history(HubFiles(repl), quiet=args.json)
    archive.save(args.file, archive.Backup(about, settings, files))
    far = archive.reach(files)
    if args.json:
        print(json.dumps({"file": str(args.file), "files": len(files), "entries": far.entries, "last": far.last}))
    else:
        print(f"{args.file}: {in_words(far)}; the hub starts again")
        print(archive.journal_in_words(files))
    return 0


def read_history(files: HubFiles, quiet: bool) -> dict[str, bytes]:
    """Return the history on the board; says each file unless `quiet`."""
    names = [name for folder in files.folders() for name in files.names(folder) if archive.is_history(name)]
    found = {}
    for count, name in enumerate(names, 1):
        found[name] = files.read(name)
        if not quiet:
            print(f"read {count} of {len(names)}: {name}, {len(found[name]):,} bytes", flush=True)
    return found


def in_words(far: archive.Reach) -> str:
    """Return how far a history goes."""
    if not far.entries:
        return "no interval yet"
    return f"{far.entries:,} intervals, {_day(far.first)} to {_day(far.last)}"


def _day(unix_s: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(unix_s))
