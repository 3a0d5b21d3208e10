"""`meterhub role`: keys of market roles, and which hubs know them.

Source   roles/keys.py; granting and revoking is the command credentials.update of the owner (role ROOT): arg {role,
         key (point, base64url), name, from, until (0: without end), floor (of the counter) [, replaces: kid]} makes a
         key count, arg {kid, until} ends it; times are Unix seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from typing import Any

from .. import firmware  # noqa: F401  (puts the firmware's package on the path)
from ..errors import ToolError, UsageError
from ..headend import options, show
from ..headend.send import moment
from ..headend.store import Store, Wish
from . import keys

_CMD = "credentials.update"
_LIFE_S = 60


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the subcommand to `meterhub`."""
    parser = subparsers.add_parser(
        "role",
        help="market roles: make their keys, have hubs know them, or know them no more",
        description="A role is a key pair in a folder, and what hubs let it do. `grant` and `revoke` are signed with "
        "the root key of the hubs' owner.",
    )
    what = parser.add_subparsers(dest="what", metavar="new|list|grant|revoke", required=True)
    new = what.add_parser("new", help="make a role's key pair")
    lists = what.add_parser("list", help="all roles whose keys lie here")
    grant = what.add_parser("grant", help="have a hub know the role")
    revoke = what.add_parser("revoke", help="have hubs know it no more, and write down that it is not to be used")
    for one in (new, grant, revoke):
        one.add_argument("name", metavar="NAME", help="the role's name")
    new.add_argument(
        "--role", required=True, choices=keys.ROLES, help="; ".join(f"{k} {v}" for k, v in keys.ROLES.items())
    )
    grant.add_argument(
        "--hub", required=True, action="append", metavar="ID", help="the hub's id, or its name; may repeat"
    )
    grant.add_argument("--from", dest="start", default="now", metavar="TIME", help="when it begins to count (now)")
    grant.add_argument("--until", metavar="TIME", help="when it ends (never)")
    grant.add_argument(
        "--floor", type=int, default=0, metavar="N", help="counters that are used up already (%(default)s)"
    )
    grant.add_argument("--replaces", metavar="KID", help="the key that ends when this one begins")
    revoke.add_argument(
        "--hub", action="append", default=[], metavar="ID", help="may repeat (all hubs of the database)"
    )
    for one in (new, lists, grant, revoke):
        one.add_argument("--json", action="store_true", help="for machines")
        options.add_arguments(one)


def run(args: argparse.Namespace) -> int:
    """Do what `args.what` says."""
    return _WHAT[args.what](args)


def _new(args: argparse.Namespace) -> int:
    made = keys.new(options.folder(args), args.name, args.role)
    print(json.dumps(vars(made)) if args.json else f"{made.name}: {made.role} {made.kid}; key {made.key}")
    return 0


def _list(args: argparse.Namespace) -> int:
    found = keys.entries(options.folder(args))
    if args.json:
        print(json.dumps([vars(one) for one in found]))
    elif not found:
        print("no role yet; `meterhub role new NAME --role SUP` makes one")
    else:
        rows = [(one.name, one.role, one.kid, show.moment(one.made_at), show.moment(one.revoked_at)) for one in found]
        print("\n".join(show.table([("NAME", "ROLE", "KEY", "MADE", "REVOKED"), *rows])))
    return 0


def _grant(args: argparse.Namespace) -> int:
    now = int(time.time())
    known = keys.entry(options.folder(args), args.name)
    if known.revoked_at:
        raise ToolError(f"{known.name} was revoked on {show.moment(known.revoked_at)}; make a new role")
    until = moment(args.until, now, "--until") if args.until else 0
    start = moment(args.start, now, "--from")
    if until and until <= start:
        raise UsageError("--until is not later than --from")
    arg = {
        "role": known.role,
        "key": known.key,
        "name": known.name,
        "from": start,
        "until": until,
        "floor": args.floor,
    }
    return _tell(args, arg | ({"replaces": args.replaces} if args.replaces else {}))


def _revoke(args: argparse.Namespace) -> int:
    folder = options.folder(args)
    known = keys.entry(folder, args.name)
    now = int(time.time())
    if not known.revoked_at:
        keys.revoked(folder, known, now)
    return _tell(args, {"kid": known.kid, "until": now})


def _tell(args: argparse.Namespace, arg: dict[str, Any]) -> int:
    """Give the command to each hub; return 1 unless each of them has done it."""
    root = keys.root(args.keys)
    store: Store = options.store(args)
    try:
        hubs = [options.hub_id(asked, args, store) for asked in args.hub] or [one.hub for one in store.hubs()]
        done = []
        for hub in hubs:
            wish = Wish(hub, _CMD, arg, None, _LIFE_S)
            done.append(asyncio.run(options.visit(root, args, store, wish, wait=True)))
    finally:
        store.close()
    if args.json:
        print(json.dumps([show.facts(one) for one in done]))
    for one in done if not args.json else ():
        print(show.sentence(one))
    return int(any(one.state != "DONE" for one in done))


_WHAT = {"new": _new, "list": _list, "grant": _grant, "revoke": _revoke}
