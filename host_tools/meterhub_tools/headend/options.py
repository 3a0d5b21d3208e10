"""What `meterhub command`, `head-end` and `role` have in common on the command line, and how they make a short visit.

Errors   ToolError, one sentence.
"""

from __future__ import annotations

import argparse
import os
import re
from pathlib import Path

from ..errors import ToolError, UsageError
from ..owner import hubs as registry_of
from ..owner import registry
from ..roles import keys
from ..roles.keys import Role
from .head_end import HeadEnd
from .store import Store, Transaction, Wish

FILE = "head-end.sqlite3"  # in the folder of the keys, unless another database is named
_HUB = re.compile(r"[0-9A-HJKMNP-TV-Z]{16}")
_CONNECT_S = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --broker, --ca, --db, --folder, --keys and --registry."""
    parser.add_argument(
        "--broker", metavar="URL", help="mqtt[s]://HOST[:PORT]; with a password in METERHUB_BROKER, which nobody sees"
    )
    parser.add_argument("--ca", type=Path, metavar="FILE", help="with mqtts: PEM file of the CA")
    parser.add_argument(
        "--db", metavar="URL", help=f"sqlite:///FILE or postgresql://...; or DATABASE_URL (default: {FILE} in --keys)"
    )
    add_folder(parser)
    registry_of.add_arguments(parser)


def add_folder(parser: argparse.ArgumentParser) -> None:
    """Add --folder."""
    parser.add_argument(
        "--folder", type=Path, metavar="DIR", help=f"of the roles' keys (default: {keys.FOLDER} in --keys)"
    )


def folder(args: argparse.Namespace) -> Path:
    """Return the folder of the roles' keys."""
    named: Path | None = args.folder
    place: Path = args.keys
    return named or place / keys.FOLDER


def broker(args: argparse.Namespace) -> str:
    """Return the broker's address."""
    url: str = args.broker or os.environ.get("METERHUB_BROKER", "")
    if not url:
        raise UsageError("no broker: give --broker mqtt://HOST or set METERHUB_BROKER")
    return url


def store(args: argparse.Namespace) -> Store:
    """Open the database, with the hubs of the registry in it when there is one."""
    url: str = args.db or os.environ.get("DATABASE_URL", "")
    if not url:
        place: Path = args.keys.expanduser()
        try:
            place.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise ToolError(f"{place}: {error.strerror}; name a database with --db") from None
        url = f"sqlite:///{place / FILE}"
    opened = Store(url)
    opened.admit((one.hub, one.key, one.name) for one in registered(args))
    return opened


def registered(args: argparse.Namespace) -> list[registry.Entry]:
    """Return the hubs of the registry; none when there is no registry and none was named."""
    place = registry_of.place(args)
    if not args.registry and not place.expanduser().is_file():
        return []
    with registry.open_for_reading(place) as book:
        return book.hubs()


def hub_id(asked: str, args: argparse.Namespace, known: Store) -> str:
    """Return the id of the hub that is meant: by its id, or by its name in the registry or the database."""
    if _HUB.fullmatch(asked.upper()):
        return asked.upper()
    names = {(one.hub, one.name) for one in registered(args)} | {(one.hub, one.name) for one in known.hubs()}
    found = sorted({hub for hub, name in names if name == asked})
    if len(found) != 1:
        count = f"{len(found)} hubs are" if found else "no hub is"
        others = f" (known: {', '.join(sorted({name for _, name in names if name}))})" if names and not found else ""
        raise ToolError(f"{count} called {asked!r}{others}; give its id, 16 letters and digits")
    return found[0]


async def visit(
    role: Role, args: argparse.Namespace, known: Store, wish: Wish, wait: bool, settled: bool = False
) -> Transaction:
    """Go to the broker, give one command, and return what became of it: delivered, or with `wait` answered or overdue.

    Letters about other things are left to the head-end.
    """

    async with HeadEnd(role, broker(args), known, ca=args.ca, hubs=[wish.hub]) as head:
        await head.connected(_CONNECT_S)
        await head.meet(wish.hub, _CONNECT_S)
        given = await head.send(wish.hub, wish.cmd, wish.arg, at=wish.at, life_s=wish.life_s)
        return await head.wait(given, settled=settled) if wait else await head.taken(given, _CONNECT_S)
