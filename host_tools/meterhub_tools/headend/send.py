"""`meterhub command`: sign a command as a market role or as the owner, send it to a hub, and show the signed answer.

Source   MHC 1: wire.py
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
import zoneinfo
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from typing import Any

from ..errors import UsageError
from ..roles import keys
from . import cable, options, show, wire
from .store import Store, Transaction, Wish

from meterhub.trust import matrix  # isort: skip

_NEEDS = {"C": "the hub's clock must be set", "F": "takes --at"}
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_LIFE_S = 60


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the subcommand to `meterhub`."""
    parser = subparsers.add_parser(
        "command",
        help="give a hub a signed command as a market role, or as its owner",
        description="Signs a command with a role's key, or with the owner's root key, sends it to the hub over MQTT "
        "and, with --wait, shows the hub's signed answer; through the cable (--port) it always does. What becomes of "
        "it: DELIVERED (the broker has taken it, or the hub has accepted it for later), DONE, REFUSED(reason), "
        "OVERDUE. Exit status 1 for the last two.",
        epilog="for example: meterhub command --role SUP --hub kitchen read.profile_import --from 7d --to now --wait",
    )
    parser.add_argument("cmd", metavar="CMD", help="for example read.import_registers")
    parser.add_argument("--list", action=_List, nargs=0, help="the commands that hubs know, and who may give them")
    parser.add_argument("args", nargs="*", metavar="NAME=VALUE", help="its arguments; a value may be JSON")
    parser.add_argument(
        "--role", required=True, metavar="ROLE", help="the role's name, or its kind: SUP, DNO, ...; ROOT: the owner"
    )
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--hub", metavar="ID", help="the hub's id, or its name")
    where.add_argument("--port", metavar="P", help="the port of the hub on the cable")
    parser.add_argument("--arg", metavar="JSON", help="the arguments as one JSON object")
    parser.add_argument(
        "--from",
        dest="start",
        metavar="TIME",
        help="argument from: 2026-11-01[T08:00], 7d (ago), +2h, now, Unix s",
    )
    parser.add_argument("--to", dest="end", metavar="TIME", help="argument to")
    parser.add_argument("--zone", type=_zone, default=UTC, metavar="TZ", help="of such dates: Europe/Paris (UTC)")
    parser.add_argument("--at", metavar="TIME", help="when the hub is to carry it out; `never` cancels what is staged")
    parser.add_argument(
        "--deadline", type=int, default=_LIFE_S, metavar="S", help="seconds until it is OVERDUE (%(default)s)"
    )
    parser.add_argument("--wait", action="store_true", help="for the hub's answer")
    parser.add_argument(
        "--settled", action="store_true", help="with --hub and --wait: for the final one, when it is accepted first"
    )
    parser.add_argument("--json", action="store_true", help="for machines")
    options.add_arguments(parser)
    _mixed(parser)


def _mixed(parser: argparse.ArgumentParser) -> None:
    """Let NAME=VALUE stand behind options, too: argparse takes a positional list only in one piece."""
    plain = parser.parse_known_args

    def mixed(words: Any = None, namespace: Any = None) -> Any:
        parser.parse_known_args = plain  # type: ignore[method-assign]
        try:
            return parser.parse_known_intermixed_args(words, namespace)
        finally:
            parser.parse_known_args = mixed  # type: ignore[method-assign,assignment]

    parser.parse_known_args = mixed  # type: ignore[method-assign,assignment]


class _List(argparse.Action):
    """Prints the commands and is done, as --help does."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print("\n".join(commands()))
        parser.exit()


def commands() -> list[str]:
    """Return the lines of a table: what a role may ask of a hub, as the hubs' firmware has it."""
    rows = [("COMMAND", "ROLES", "")]
    for name in matrix.commands():
        service, letters, roles = matrix.row(name) or ("", "", [])
        if service:
            needs = ", ".join(_NEEDS[one] for one in letters if one in _NEEDS)
            rows.append((name, " ".join(one for one in roles if one[-1] != "!"), needs))
    return [*show.table(rows), "", "SUP?: only while the household consents. Parameters: firmware/meterhub/services/"]


def run(args: argparse.Namespace) -> int:
    """Give the command."""
    now = int(time.time())
    role = keys.root(args.keys) if args.role == keys.ROOT else keys.load(options.folder(args), args.role)
    at = None if args.at is None else wire.NEVER if args.at == "never" else moment(args.at, now, "--at", args.zone)
    arg = arguments(args, now)
    if not 0 < args.deadline <= wire.MAX_LIFE_S:
        raise UsageError("--deadline wants 1 second to 7 days")
    if args.settled and (args.port or not args.wait):
        raise UsageError("--settled goes with --hub and --wait: the final answer comes over the broker")
    known = options.store(args)
    try:
        given = _give(role, args, known, Wish("", args.cmd, arg, at, args.deadline))
    finally:
        known.close()
    print(show.answer(given, args.json))
    return int(given.state in ("REFUSED", "OVERDUE", "PENDING"))


def _give(role: keys.Role, args: argparse.Namespace, known: Store, wish: Wish) -> Transaction:
    if args.port:
        return cable.visit(role, args.port, known, wish)
    wish = replace(wish, hub=options.hub_id(args.hub, args, known))
    return asyncio.run(options.visit(role, args, known, wish, args.wait, args.settled))


def arguments(args: argparse.Namespace, now: int) -> dict[str, Any]:
    """Return the command's arguments: those of --arg, --from, --to and NAME=VALUE."""
    found: dict[str, Any] = {}
    if args.arg is not None:
        told = _json(args.arg)
        if not isinstance(told, dict):
            raise UsageError('--arg wants a JSON object, for example \'{"register": "1-0:1.8.0"}\'')
        found |= told
    for name, text in (("from", args.start), ("to", args.end)):
        if text is not None:
            found[name] = moment(text, now, f"--{name}", args.zone)
    for word in args.args:
        name, equals, text = word.partition("=")
        if not equals or not name:
            raise UsageError(f"{word!r} is no NAME=VALUE")
        value = _json(text)
        found[name] = text if value is None and text != "null" else value
    return found


def _json(text: str) -> Any:
    """Return the value of a JSON text, None when it is none; no fractions: every number is an integer in its unit."""

    def refuse(number: str) -> None:
        raise UsageError(f"{number} is a fraction: numbers are integers in their smallest unit")

    try:
        return json.loads(text, parse_float=refuse)
    except ValueError:
        return None


def _zone(name: str) -> tzinfo:
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise argparse.ArgumentTypeError(f"{name!r} is no time zone; Europe/Paris is") from None


def moment(text: str, now: int, option: str, zone: tzinfo = UTC) -> int:
    """Return the Unix seconds of a date, of a date and time (in `zone` unless it says else), of 7d ago, +2h from now.

    An hour that comes twice is the first one; one that is skipped: as if the clocks had not been put forward.
    """
    if text == "now":
        return now
    if text.isdigit():
        return int(text)
    number, unit = text[:-1].lstrip("+"), text[-1:]
    if number.isdigit() and unit in _UNITS:
        return now + int(number) * _UNITS[unit] * (1 if text[0] == "+" else -1)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{option} {text!r} is no time; 2026-11-01, 2026-11-01T08:00, 7d (ago), +2h, now or Unix seconds is"
        ) from None
    return int((found if found.tzinfo else found.replace(tzinfo=zone)).timestamp())
