"""`meterhub selftest`: every wired part of a hub on the cable, with a verdict for each."""

from __future__ import annotations

import argparse
import json

from ..board.port import Line
from . import info

_PATIENCE_S = 120.0  # buttons wait for a hand, a small board for its known-answer tests
_VERDICTS = {True: "ok", False: "FAILED", None: "not judged"}


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the subcommand to `meterhub`."""
    parser = subparsers.add_parser(
        "selftest",
        help="a hub on the cable tests its parts: meter, display, buttons, flash, cryptography",
        description="The hub tests each part that is wired and says what came of it; it asks for its buttons to be "
        "pressed. The exit status is 1 when a part has failed.",
    )
    info.add_port(parser)
    parser.add_argument("--part", metavar="NAME", help="this part alone")


def run(args: argparse.Namespace) -> int:
    """Print a line for each part as it is tested; 1 when one has failed."""

    def show(part: dict) -> None:
        if args.json:
            print(json.dumps({name: value for name, value in part.items() if name not in ("ev", "id")}), flush=True)
        elif "hint" in part:
            print(f"{part['part']:14} ... {part['hint']}", flush=True)
        else:
            print(f"{part['part']:14} {_VERDICTS[part['ok']]:10} {part['says']}", flush=True)

    words = {"part": args.part} if args.part else {}
    with Line(args.port) as line:
        failed = line.ask("selftest", patience_s=_PATIENCE_S, on_part=show, **words)["failed"]
    if args.json:
        print(json.dumps({"failed": failed}))
    else:
        print(
            f"FAILED: {', '.join(failed)}; look at their wiring, then run this again"
            if failed
            else "all that could be judged is good"
        )
    return 1 if failed else 0
