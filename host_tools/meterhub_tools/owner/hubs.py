"""`meterhub hubs list` and `meterhub hubs show ID`: which hubs were provisioned here."""

from __future__ import annotations

import argparse
import datetime
import json
from pathlib import Path
from typing import Any

from ..errors import ToolError
from . import keys, registry

from meterhub.codec import base64url  # isort: skip


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the subcommand to `meterhub`."""
    parser = subparsers.add_parser(
        "hubs",
        help="which hubs were provisioned here",
        description="Lists the hubs of the registry that `meterhub provision` writes, or shows one.",
    )
    what = parser.add_subparsers(dest="what", metavar="list|show", required=True)
    lists = what.add_parser("list", help="all hubs, by name")
    show = what.add_parser("show", help="one hub, with its certificate")
    show.add_argument("hub", metavar="ID", help="the hub's id, or the start of it; or its name")
    for one in (lists, show):
        add_arguments(one)
        one.add_argument("--json", action="store_true", help="for machines")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --keys and --registry."""
    parser.add_argument(
        "--keys", type=Path, default=keys.default_folder(), metavar="DIR", help="folder of the root key (%(default)s)"
    )
    parser.add_argument("--registry", type=Path, metavar="FILE", help=f"the registry (default: {registry.FILE} there)")


def place(args: argparse.Namespace) -> Path:
    """Return the registry's file."""
    named: Path | None = args.registry
    folder: Path = args.keys
    return named or folder / registry.FILE


def run(args: argparse.Namespace) -> int:
    """List the hubs, or show one; 1 when the registry does not vouch for the one that is shown."""
    with registry.open_for_reading(place(args)) as book:
        if args.what == "list":
            return _list(book.hubs(), args.json)
        entry = _find(book.hubs(), args.hub)
        why_not = book.why_not(entry.hub, entry.key)
    facts = _facts(entry) | {"key": base64url.encode(entry.key), "certificate": entry.certificate, "trouble": why_not}
    print(json.dumps(facts) if args.json else "\n".join(f"{name:15} {value}" for name, value in facts.items()))
    return 1 if why_not else 0


def _list(entries: list[registry.Entry], as_json: bool) -> int:
    rows = [_facts(entry) for entry in entries]
    if as_json:
        print(json.dumps(rows))
    elif not rows:
        print("no hub yet; `meterhub provision` adds them")
    for row in rows if not as_json else ():
        print(f"{row['hub']}  {row['name']:20}  {row['board']:16}  {row['provisioned']}  {row['note']}".rstrip())
    return 0


def _facts(entry: registry.Entry) -> dict[str, Any]:
    when = datetime.datetime.fromtimestamp(entry.provisioned_at, datetime.UTC)
    facts = {"hub": entry.hub, "name": entry.name, "board": entry.board, "root": entry.root, "seq": entry.seq}
    return facts | {"provisioned": f"{when:%Y-%m-%dT%H:%M:%SZ}", "note": entry.note}


def _find(entries: list[registry.Entry], asked: str) -> registry.Entry:
    found = [entry for entry in entries if entry.name == asked or entry.hub.startswith(asked.upper())]
    if len(found) != 1:
        count = f"{len(found)} hubs are" if found else "no hub is"
        raise ToolError(f"{count} called {asked!r} in the registry; `meterhub hubs list` shows them all")
    return found[0]
