"""`meterhub proof FILE`: did this hub say so, and is anything changed?"""

import argparse
import json
from pathlib import Path

from . import proof
from .errors import ToolError
from .recipient import Result

from meterhub.codec.load_profile import QUALITY  # isort: skip
from meterhub.errors import HubError  # isort: skip

_MAX_BYTES = 16 << 20


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the subcommand to `meterhub`."""
    parser = subparsers.add_parser(
        "proof",
        help="check the proof of an export: did this hub say so, is anything changed?",
        description="Checks a proof that the website has saved: the hub's signature, and that no reading was changed, "
        "left out or added. Compare the hub's id with the one on the household's display.",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the proof, JSON")
    parser.add_argument("--hub", metavar="ID", help="the id that the hub must have")
    parser.add_argument("--csv", action="store_true", help="print the readings that are proved")


def run(args: argparse.Namespace) -> int:
    """Check the file; ToolError names what is wrong with it."""
    try:
        if args.file.stat().st_size > _MAX_BYTES:
            raise ToolError(f"{args.file} is too long for a proof")
        saved = json.loads(args.file.read_bytes())
        if not isinstance(saved, dict):
            raise ToolError(f"{args.file} is no proof")
        result = proof.verify_proof(saved)
    except OSError as error:
        raise ToolError(f"{args.file}: {error.strerror}") from None
    except ValueError:
        raise ToolError(f"{args.file} is no JSON") from None
    except HubError as error:
        raise ToolError(f"{args.file} proves nothing: {error}") from None
    if args.hub and args.hub.upper() != saved["hub"]:
        raise ToolError(f"{args.file} is by hub {saved['hub']}, not by {args.hub}")
    if args.csv:
        _print_csv(result)
    else:
        print(f"hub {saved['hub']} signed these {len(result.entries)} entries; nothing was changed, left out or added")
    return 0


def _print_csv(result: Result) -> None:
    print(",".join(["end_unix_s", "quality"] + [f"{column.obis}" for column in result.columns]))
    for entry in result.entries:
        values = ["" if value is None else str(value) for value in entry.values]
        print(",".join([str(entry.at), QUALITY[entry.quality], *values]))
