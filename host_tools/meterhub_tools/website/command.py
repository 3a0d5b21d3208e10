"""`meterhub website`: serve the customers' website, or show the key that hubs have to know."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from . import keys
from .options import Options


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the subcommand to `meterhub`."""
    parser = subparsers.add_parser(
        "website",
        help="serve the website where customers link hubs and fetch their readings",
        description="Serves the website on 127.0.0.1; put a proxy with HTTPS in front of it for anybody else. "
        "DATABASE_URL names a PostgreSQL database to be used in place of SQLite.",
    )
    parser.set_defaults(run=run)
    _add_common(parser, Path("website-data"), "Green Co-op")
    parser.add_argument("--broker", metavar="URL", help="mqtt[s]://[user:password@]host[:port]; or METERHUB_BROKER")
    parser.add_argument(
        "--ca", type=Path, metavar="FILE", help="PEM file of the CA that signed the broker's certificate"
    )
    parser.add_argument(
        "--registry", type=Path, metavar="FILE", help="serve only hubs that `meterhub provision` has put there"
    )
    parser.add_argument(
        "--port", type=int, default=8080, metavar="N", help="port to listen on, 0 for any (default 8080)"
    )
    parser.add_argument("--public-url", default="", metavar="URL", help="what customers type when a proxy is in front")
    parser.add_argument(
        "--frame-ancestor",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="a page that may show the site in a frame",
    )
    show = parser.add_subparsers(dest="what", metavar="key").add_parser(
        "key", help="print kid, name and public point for a hub's settings"
    )
    _add_common(show, argparse.SUPPRESS, argparse.SUPPRESS)


def _add_common(parser: argparse.ArgumentParser, folder: Path | str, name: str) -> None:
    parser.add_argument("--data", type=Path, default=folder, metavar="DIR", help="folder of key and database")
    parser.add_argument("--name", default=name, metavar="NAME", help="the name hubs show for this site")


def run(args: argparse.Namespace) -> int:
    """Carry the subcommand out; return the exit code."""
    from ..errors import UsageError

    if args.what == "key":
        print(json.dumps(keys.load(args.data, args.name).public()))
        return 0
    broker = args.broker or os.environ.get("METERHUB_BROKER")
    if not broker:
        raise UsageError("no broker: give --broker mqtt://HOST or set METERHUB_BROKER")
    options = Options(
        broker=broker,
        ca=args.ca,
        data=args.data,
        port=args.port,
        name=args.name,
        public_url=args.public_url,
        frame_ancestors=tuple(args.frame_ancestor),
        database_url=os.environ.get("DATABASE_URL", ""),
        registry=args.registry,
    )
    from . import server  # Django is slow to import: not for `meterhub --help`

    server.serve(options)
    return 0
