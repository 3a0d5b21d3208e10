"""`meterhub provision`: the key ceremony for a hub on the cable, or for a list of them."""

from __future__ import annotations

import argparse
import json
from dataclasses import fields
from pathlib import Path

from . import batch, hubs, keys
from .ceremony import Ceremony, StepError, Tell
from .wishes import METERS, NO_BROKER, Wishes

_PATIENCE_S = 60.0


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the subcommand to `meterhub`."""
    parser = subparsers.add_parser(
        "provision",
        help="make a hub on the cable your own: keys, certificate, Wi-Fi, broker, registry",
        description="The hub proves that it holds its key, your root key signs its certificate and its settings, and "
        "it is written into the registry. Each step says what came of it; the whole can be repeated at any time.",
    )
    parser.set_defaults(wrong_usage=parser.error)
    _add_wishes(parser)
    hubs.add_arguments(parser)
    parser.add_argument("--handover", type=Path, metavar="DIR", help="folder of the root key that owns the hub so far")
    parser.add_argument("--batch", type=Path, metavar="FILE.csv", help="one hub a line; the columns are these options")
    parser.add_argument(
        "--wait", type=float, default=_PATIENCE_S, metavar="S", help="seconds for the hub to reach its broker (60)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line, for machines")


def _add_wishes(parser: argparse.ArgumentParser) -> None:
    """Add an option for each field of Wishes."""
    parser.add_argument(
        "--port", default="", metavar="P", help="the hub's serial port: /dev/ttyACM0, COM3, socket://..."
    )
    parser.add_argument("--name", default="", metavar="NAME", help="what the hub is to be called")
    parser.add_argument("--wifi", metavar="SSID", help="the Wi-Fi network")
    parser.add_argument("--wifi-password-file", type=Path, metavar="F", help="its password (else it is asked for)")
    parser.add_argument("--broker", metavar="URL", help=f"mqtt[s]://HOST[:PORT], cable:, or {NO_BROKER}")
    parser.add_argument("--ca", type=Path, metavar="FILE", help="the CA's certificate for mqtts, PEM or DER")
    parser.add_argument("--user", metavar="U", help="the hub's user at the broker")
    parser.add_argument("--password-file", type=Path, metavar="F", help="its password (else it is asked for)")
    parser.add_argument(
        "--recipient",
        action="append",
        metavar="FILE",
        help="who may ask for data, as `meterhub website key` prints it",
    )
    parser.add_argument("--meter", metavar="KIND", help=", ".join(METERS))
    parser.add_argument("--zone", metavar="TZ", help="time zone of the home: Europe/Amsterdam, or a POSIX rule")
    parser.add_argument("--settings", type=Path, metavar="FILE", help="a settings document to start from")
    parser.add_argument("--note", default="", metavar="TEXT", help="for the registry")


def run(args: argparse.Namespace) -> int:
    """Provision; 1 when a hub of the batch has failed."""
    given = {field.name: getattr(args, field.name) for field in fields(Wishes)}
    wishes = Wishes(**given | {"recipient": tuple(args.recipient or ())})
    if args.batch is None and not (wishes.port and wishes.name):
        args.wrong_usage("--port and --name are wanted, or --batch")
    if args.batch is None:
        wishes.check()
    all_wishes = batch.load(args.batch, wishes) if args.batch else [wishes]
    root = keys.load(args.keys)
    before = keys.existing(args.handover) if args.handover else None
    failed = 0
    for one in all_wishes:
        ceremony = Ceremony(one, root, before, hubs.place(args).expanduser(), _teller(one, args))
        try:
            facts = ceremony.run(args.wait)
        except StepError as error:
            if not args.batch and not args.json:
                raise
            failed += 1
            _print_end(one, args, {"ok": False, "step": error.step, "says": error.says})
        else:
            _print_end(one, args, {"ok": True, **facts})
    return 1 if failed else 0


def _teller(wishes: Wishes, args: argparse.Namespace) -> Tell:
    """Return what prints the outcome of a step."""

    def tell(step: str, says: str) -> None:
        if args.json:
            print(json.dumps({"port": wishes.port, "name": wishes.name, "step": step, "says": says}), flush=True)
        else:
            print(f"{wishes.name + '  ' if args.batch else ''}{step:12} {says}", flush=True)

    return tell


def _print_end(wishes: Wishes, args: argparse.Namespace, end: dict) -> None:
    if args.json:
        print(json.dumps({"port": wishes.port, **end, "name": wishes.name}), flush=True)
    elif not end["ok"]:
        print(f"{wishes.name}  FAILED at {wishes.port}: {end['step']}: {end['says']}", flush=True)
    elif args.batch:
        print(f"{wishes.name}  done at {wishes.port}: hub {end['hub']}", flush=True)
    else:
        print(f"done: hub {end['hub']} is {wishes.name!r}; next: meterhub monitor --port {wishes.port}", flush=True)
