"""`meterhub tariff sign`: the supplier's signature, by which bills are proved (`meterhub bill`).

Source   firmware/meterhub/codec/bill.py (signed tariff); billing/rules.py: what no customer accepts
Errors   ToolError for a role that cannot sign; Refused for a tariff by which no bill would be accepted
"""

from __future__ import annotations

import argparse
import datetime
import json
from pathlib import Path

from .. import firmware  # noqa: F401 - puts the firmware's package on the path
from ..errors import ToolError, UsageError

from meterhub.codec import base64url, tariff  # isort: skip
from meterhub.codec import bill as forms  # isort: skip
from meterhub.codec.rates import BLOCK, Rates  # isort: skip
from meterhub.trust import batches  # isort: skip

_FOUR_WEEKS_S = 28 * 86400
_NEW = "`meterhub role new NAME --role SUP` makes one"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what is asked for beside the tariff."""
    from ..owner import keys

    parser.add_argument("--role", default="SUP", metavar="NAME", help="whose key signs, a supplier's (%(default)s)")
    parser.add_argument(
        "--at", type=moment, metavar="TIME", help="when it is signed: before the period it is for (now)"
    )
    parser.add_argument("-o", dest="out", type=Path, required=True, metavar="FILE", help="where to write it, .mht")
    parser.add_argument("--keys", type=Path, default=keys.default_folder(), metavar="DIR", help="(%(default)s)")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="of the roles' keys (default: roles in --keys)")


def moment(text: str) -> int:
    """Return Unix seconds; a date, or a time without a zone, is taken as UTC."""
    try:
        if text.isdigit():
            return int(text)
        at = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no time") from None
    return int((at if at.tzinfo else at.replace(tzinfo=datetime.UTC)).timestamp())


def run(args: argparse.Namespace, raw: bytes, rates: Rates) -> int:
    """Write the signed tariff."""
    from ..billing import files, rules
    from ..billing.verifier import signer_id
    from ..roles import keys

    folder = args.folder or args.keys / keys.FOLDER
    known = keys.entry(folder, args.role)
    if known.role != "SUP" or known.revoked_at:
        raise ToolError(f"{known.name} {'was revoked' if known.revoked_at else 'is no supplier'}; {_NEW}")
    at = int(datetime.datetime.now(datetime.UTC).timestamp()) if args.at is None else args.at
    if not 0 < at < 1 << 32:
        raise UsageError("--at must lie between 1970 and 2106")
    _check(rates, at)
    role = keys.load(folder, known.name)
    body = forms.tariff_body(at, signer_id(role.point), raw)
    files.write(args.out, batches.signed(body, role.signature(body)))
    found = {"file": str(args.out), "id": rates.id, "digest": base64url.encode(tariff.digest(raw)), "signed_at": at}
    if args.json:
        print(json.dumps(found | {"signer": known.name, "key": known.key}))
        return 0
    print(f"{args.out}: {rates.id}, signed {rules.moment(at)} by {known.name}, for periods that begin later")
    print(f"who verifies needs this public key: {known.key}")
    print("what a bill by it shows:")
    for line in rules.told(rates):
        print(f"  - {line}")
    return 0


def _check(rates: Rates, at: int) -> None:
    """Refuse a tariff by which there could be no bill of the first four weeks."""
    from ..billing import rules

    start = rates.zone.next_day_start(max(at, rates.begins))
    if rates.kind == BLOCK:
        start = rates.blocks_end(start)
    times = range(start, start + _FOUR_WEEKS_S, rates.interval_s)
    counted = [(one, rates.blocks_start(one) if rates.kind == BLOCK else 0, rates.band_at(one)) for one in times]
    whole = [one for one in counted if rates.kind != BLOCK or rates.blocks_end(one[0]) <= times.stop]
    rules.check_tariff(rates, whole or counted)
