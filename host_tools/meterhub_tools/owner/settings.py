"""`meterhub settings get|set|check`: the settings of a hub on the cable."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ..board.port import Line
from ..errors import ToolError
from . import document, info, keys, session, zones


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the subcommand to `meterhub`."""
    parser = subparsers.add_parser(
        "settings",
        help="the settings of a hub on the cable",
        description="Shows, changes and checks the settings of a hub on the cable. Every value is checked by the hub; "
        "if it refuses one, nothing has changed. What only the owner may change is signed with the root key.",
    )
    what = parser.add_subparsers(dest="what", metavar="get|set|check", required=True)
    get = what.add_parser("get", help="show all settings, or one; of a secret only whether it is set")
    get.add_argument("name", nargs="?", metavar="NAME", help="for example wan.url; wan for all that begin so")
    change = what.add_parser("set", help="change settings; the hub restarts")
    change.add_argument(
        "changes",
        nargs="+",
        metavar="NAME=VALUE",
        help="NAME=@FILE takes the value from a file: the way for passwords",
    )
    change.add_argument(
        "--keys", type=Path, default=keys.default_folder(), metavar="DIR", help="folder of the root key (%(default)s)"
    )
    check = what.add_parser("check", help="have the hub look a settings document over, and change nothing")
    check.add_argument("file", type=Path, metavar="FILE", help="a settings document, JSON")
    for one in (get, change, check):
        info.add_port(one)


def run(args: argparse.Namespace) -> int:
    """Do what `args.what` says."""
    if args.what == "get":
        return _get(args)
    return _set(args) if args.what == "set" else _check(args)


def _get(args: argparse.Namespace) -> int:
    with Line(args.port) as line:
        found = document.flat(line.ask("settings")["settings"])
    if args.name:
        found = {name: value for name, value in found.items() if f"{name}.".startswith(f"{args.name}.")}
    if not found:
        raise ToolError(f"{args.name} is not a setting; `meterhub settings get` shows them all")
    if args.json:
        print(json.dumps(found))
    for name, value in sorted(found.items()) if not args.json else ():
        hidden = document.is_secret(name)
        print(f"{name:24} {('(set)' if value else '(not set)') if hidden else json.dumps(value, ensure_ascii=False)}")
    return 0


def _set(args: argparse.Namespace) -> int:
    changes = dict(_change(text) for text in args.changes)
    with Line(args.port) as line:
        before = line.ask("settings")["settings"]
        after = document.with_values(before, changes)
        names = document.changed(before, after)
        if names:
            install(line, before, after, args.keys)
    if names:
        with session.restarted(args.port, line.hub["hub"]):
            pass
    if args.json:
        print(json.dumps({"changed": names}))
    else:
        print(f"changed: {', '.join(names)}; the hub has restarted with it" if names else "nothing to change")
    return 0


def _change(text: str) -> tuple[str, Any]:
    """Return (name, value) of NAME=VALUE or NAME=@FILE."""
    name, found, value = text.partition("=")
    if not found or not name:
        raise ToolError(f"{text!r} is no NAME=VALUE")
    if value.startswith("@"):
        try:
            value = Path(value[1:]).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError):
            raise ToolError(f"{value[1:]} cannot be read; {name}=@FILE wants a text file with the value") from None
        return name, document.typed(name, value)
    made = zones.rule(value) if name == "zone" else document.typed(name, value)
    if document.holds_secret(name, made):
        raise ToolError(f"everybody on this computer sees this line; put passwords and keys into a file: {name}=@FILE")
    return name, made


def install(line: Line, before: dict, after: dict, folder: Path) -> None:
    """Have the hub check the settings `after` and take them, signed if it wants that; it is about to restart then."""
    session.check(line, after)
    protected = [name for name in document.changed(before, after) if document.is_protected(name)]
    if not (line.hub["owned"] and protected):
        session.install_plain(line, after)
        return
    owner, root = line.hub["root"], keys.existing(folder)
    if root.kid != owner:
        raise ToolError(
            f"only the hub's owner, root {owner}, may change {', '.join(protected)}; the key in {folder} is {root.kid}"
        )
    session.install_signed(line, root, line.hub["hub"], line.hub["seq"] + 1, after)


def _check(args: argparse.Namespace) -> int:
    wanted = document.load(args.file)
    with Line(args.port) as line:
        session.check(line, wanted)
    print(json.dumps({"good": True}) if args.json else f"the hub would take {args.file}; nothing has changed")
    return 0
