"""`meterhub bill`: make a bill that proves itself, check one, see both sides of it, and certify a single thing.

Source   README.md: the protocol; files.py: the files
With --json  prove, verify        show.facts(); verify also {right, nonce_checked, checked: [...], learnt: [...]}
             disclose .., check-disclosure   show.disclosure_facts(), and the same
             explain              {yours: {bands, readings}, theirs: {commitments, ...}}
             list                 [rules.Entry, ...]
             of what is refused   {right: false, refused: name of refusals.NAMES, detail}, and exit status 1
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import json
import secrets
import sys
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from .. import firmware  # noqa: F401 - puts the firmware's package on the path
from ..demo.progress import Progress
from ..errors import ToolError
from . import consent, files, prover, rules, show, verifier
from .refusals import Refused

from meterhub.codec import bill as forms  # isort: skip
from meterhub.codec import tariff  # isort: skip
from meterhub.codec.rates import Rates  # isort: skip
from meterhub.errors import HubError  # isort: skip

_SECRET = "the customer's alone: these show the readings"
_EPILOG = """\
who does what: the hub signs commitments to the half-hours (.mhb, public); the supplier signs its tariff (.mht, by
`meterhub tariff sign`) and asks with a fresh number (`meterhub bill nonce`); the customer proves, from the readings
and the day keys (.mhk), which never leave the house; anyone verifies, and learns the fee alone."""
_WHAT = {
    "nonce": "a fresh number, by which a verifier knows that a bill was made for it",
    "prove": "the customer: make a bill and its proof",
    "verify": "anyone: is this bill right, and what does it show?",
    "explain": "the customer: what you have, beside what the supplier sees",
    "disclose": "the customer: certify one reading, a total, or 'never above', and nothing else",
    "check-disclosure": "anyone: is this disclosure right?",
    "list": "the customer: what was given away so far",
}


def add_parser(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add the subcommand to `meterhub`."""
    parser = subparsers.add_parser(
        "bill",
        help="private billing: bills that prove themselves without giving the readings away",
        description="A bill that anyone can check, and nobody can read the readings from.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    made = {name: what.add_parser(name, help=says, description=says) for name, says in _WHAT.items()}
    kinds = made["disclose"].add_subparsers(dest="kind", metavar="total|reading|never-above", required=True)
    total = kinds.add_parser("total", help="what was used from one day, or time, to another")
    reading = kinds.add_parser("reading", help="what was used in one interval")
    never = kinds.add_parser("never-above", help="that in no interval the power was above a limit, on average")
    disclosing = (total, reading, never)
    customer = (made["prove"], made["explain"], *disclosing)
    for one in (made["verify"], made["explain"], made["check-disclosure"]):
        one.add_argument("file", type=Path, metavar="FILE", help="a bill, .bill, or a disclosure, .mhd")
    for one in (*customer, made["verify"], made["check-disclosure"]):
        _add_files(one, "--batches", "the hub's signed batches, .mhb")
    for one in customer:
        _add_files(one, "--keys", f"day keys, .mhk: {_SECRET}")
        _add_files(one, "--readings", f"CSV of the website, or of `meterhub store dump`: {_SECRET}")
    for one in (made["prove"], made["explain"], made["verify"]):
        one.add_argument("--tariff", type=Path, required=True, metavar="FILE", help="the signed tariff, .mht")
    _add_giving(made["prove"], "the supplier")
    for one in disclosing:
        _add_giving(one, None)
        one.add_argument("--export", action="store_true", help="of what was fed in, not of what was imported")
    made["prove"].add_argument(
        "--hidden", action="store_true", help="tariffs of blocks: do not open their totals; the proof is longer"
    )
    for one in (made["prove"], never):
        one.add_argument(
            "--bits",
            type=int,
            default=0,
            choices=range(8, 41),
            metavar="N",
            help=f"of range proofs, 8 to 40: fewer are quicker (of intervals {prover.STEP_BITS}); the bill shows it",
        )
    for one, needed in ((made["prove"], False), (made["verify"], False), (total, True), (never, True)):
        one.add_argument("--from", dest="start", type=_moment, required=needed, metavar="DAY", help="its first day")
        one.add_argument("--to", dest="stop", type=_moment, required=needed, metavar="DAY", help="the day after it")
    reading.add_argument("--at", type=_moment, required=True, metavar="TIME", help="when the interval begins")
    never.add_argument("limit", type=_watts, metavar="KW", help="the limit, such as 3.5")
    made["explain"].add_argument("--rows", type=int, default=8, metavar="N", help="readings to show (%(default)s)")
    _add_verifying(made["verify"], made["check-disclosure"])
    made["list"].add_argument(
        "--ledger", type=Path, default=Path(consent.FILE), metavar="FILE", help="it is beside the keys (%(default)s)"
    )
    for one in (*customer, made["verify"], made["check-disclosure"], made["list"]):
        one.add_argument("--json", action="store_true", help="print one JSON object")


def _add_files(parser: argparse.ArgumentParser, name: str, says: str) -> None:
    parser.add_argument(name, type=Path, nargs="+", required=True, metavar="FILE", help=says)


def _add_giving(parser: argparse.ArgumentParser, default: str | None) -> None:
    """Add what everything that is given away needs."""
    parser.add_argument(
        "--for", dest="who", required=not default, default=default, metavar="NAME", help="who gets it, for the ledger"
    )
    parser.add_argument("--nonce", type=_nonce, metavar="HEX", help="what the one who asked has sent, 32 digits")
    parser.add_argument("-o", dest="out", type=Path, required=True, metavar="FILE", help="where to write it")
    parser.add_argument("--ledger", type=Path, metavar="FILE", help=f"(default: {consent.FILE} beside the keys)")
    parser.add_argument(
        "--even-so", action="store_true", help="although it overlaps what was given away before: what shows is told"
    )


def _add_verifying(*parsers: argparse.ArgumentParser) -> None:
    for one in parsers:
        one.add_argument("--hub-key", required=True, metavar="KEY", help="the hub's public key, or a file with it")
        one.add_argument("--nonce", type=_nonce, metavar="HEX", help="what you have sent to the one who proves")
    parsers[0].add_argument(
        "--supplier-key", required=True, metavar="KEY", help="the supplier's public key, or a file with it"
    )


def _moment(text: str) -> files.Moment:
    try:
        if text.isdigit():
            return int(text)
        if len(text) == 10:
            return datetime.date.fromisoformat(text)
        at = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no day; 2026-01-31 is, or 2026-01-31T13:30Z") from None
    return int((at if at.tzinfo else at.replace(tzinfo=datetime.UTC)).timestamp())


def _nonce(text: str) -> bytes:
    try:
        return files.nonce_of(text)
    except ValueError:
        raise argparse.ArgumentTypeError("32 hexadecimal digits are wanted, as `meterhub bill nonce` prints") from None


def _watts(text: str) -> int:
    try:
        watts = Decimal(text) * 1000
    except InvalidOperation:
        watts = Decimal(-1)
    if not 0 < watts < 1000000 or watts % 1:
        raise argparse.ArgumentTypeError(f"{text} is no power in kW; 3.5 is")
    return int(watts)


def run(args: argparse.Namespace) -> int:
    """Do what is asked; Refused names why not."""
    try:
        return _RUN[args.what](args)
    except Refused as error:
        if getattr(args, "json", False):
            print(json.dumps({"right": False, "refused": error.name, "detail": error.detail}))
        raise


# -- the customer ------------------------------------------------------------------------------------------------


def _house(args: argparse.Namespace, batches: list[bytes]) -> prover.House:
    """Return what the customer has of the days of some batches."""
    files.check_order(batches)
    found = files.parsed(batches)
    keys = files.read_keys(args.keys, found[0].hub, found[0].chain, [one.day for one in found])
    return prover.House(batches, keys, files.read_readings(args.readings))


def _chosen(args: argparse.Namespace, start: files.Moment | None, stop: files.Moment | None) -> list[bytes]:
    held = files.read_batches(args.batches)
    first, last = (None if at is None else files.moment_of(held, at) for at in (start, stop))
    return files.chosen(held, first, last)


def _tariff(path: Path) -> tuple[bytes, Rates]:
    raw = files.read(path)
    try:
        return raw, Rates(forms.tariff_of(raw).raw)
    except HubError as error:
        raise Refused("TARIFF_FORMAT", f"{path}, {error.field}") from None


def _ledger(args: argparse.Namespace) -> Path:
    named: Path | None = args.ledger
    beside: Path = args.keys[0]
    return named or beside.parent / consent.FILE


def _prove(args: argparse.Namespace) -> int:
    signed, rates = _tariff(args.tariff)
    house = _house(args, _chosen(args, args.start, args.stop))
    digest = tariff.digest(forms.tariff_of(signed).raw).hex()
    entry = rules.Entry("bill", house.hub.hex(), house.start, house.stop, digest, args.who, 0)
    files.check_place(args.out)
    giving = consent.Giving(_ledger(args), entry, args.even_so)
    nonce = args.nonce or secrets.token_bytes(16)
    draft = prover.Draft(house, signed, nonce, hidden=args.hidden, bits=args.bits)
    said = forms.bill_of(draft.raw)
    if not args.json:
        print("\n".join(show.summary(said, rates)), flush=True)
    giving.ask(rules.told(rates, not args.hidden))
    with Progress(sys.stderr).step("prove", "proving") as far:
        raw = draft.raw + draft.proof(far)
    giving.note()
    files.write(args.out, raw)
    if args.json:
        print(json.dumps(show.facts(said, rates) | {"file": str(args.out), "bytes": len(raw)}))
        return 0
    made_up = "" if args.nonce else f", with a number of your own: --nonce {nonce.hex()}"
    print(f"{args.out}: {len(raw)} bytes, bill and proof{made_up}")
    print("`meterhub bill verify` checks it as its recipient will, `meterhub bill explain` shows what that one sees")
    return 0


def _explain(args: argparse.Namespace) -> int:
    signed, _ = _tariff(args.tariff)
    raw, _ = files.split_bill(files.read(args.file))
    said = _bill_of(raw)
    house = _house(args, files.chosen(files.read_batches(args.batches), said.start, said.stop, said.chain))
    views = show.Views(house, signed, raw)
    print(json.dumps(views.facts()) if args.json else "\n".join(views.lines(max(args.rows, 0))))
    return 0


def _disclose(args: argparse.Namespace) -> int:
    held = files.read_batches(args.batches)
    start = files.moment_of(held, args.at if args.kind == "reading" else args.start)
    step_s = files.parsed(held[:1])[0].interval_s
    if start % step_s:
        raise ToolError(f"no interval begins at {rules.moment(start)}: they last {step_s // 60} minutes")
    stop = start + step_s if args.kind == "reading" else files.moment_of(held, args.stop)
    house = _house(args, files.chosen(held, start, stop))
    is_total = args.kind != "never-above"
    wh = 0 if is_total else args.limit * step_s // 3600
    what = "total" if is_total else "never above"
    entry = rules.Entry(what, house.hub.hex(), start, stop, "", args.who, 0, args.export, wh)
    files.check_place(args.out)
    giving = consent.Giving(_ledger(args), entry, args.even_so)
    nonce = args.nonce or secrets.token_bytes(16)
    if is_total:
        raw, proof = prover.prove_total(house, start, stop, nonce, args.export)
    else:
        raw, proof = prover.prove_never_above(
            house, start, stop, wh, nonce, args.export, args.bits or prover.STEP_BITS
        )
    said = forms.disclosure_of(raw)
    gaps = [f"that {said.gaps} intervals of these have no reading"] if said.gaps else []
    giving.ask([show.sentence(said), *gaps])
    giving.note()
    files.write(args.out, raw + proof)
    if args.json:
        print(json.dumps(show.disclosure_facts(said) | {"file": str(args.out), "bytes": len(raw) + len(proof)}))
        return 0
    made_up = "" if args.nonce else f", with a number of your own: --nonce {nonce.hex()}"
    print(f"{args.out}: {len(raw) + len(proof)} bytes: {show.sentence(said)}{made_up}")
    return 0


def _list(args: argparse.Namespace) -> int:
    if not args.ledger.exists() and not args.json:
        print(f"nothing was given away, as far as is known here: there is no {args.ledger}")
        return 0
    found = rules.Ledger.load(args.ledger).entries
    if args.json:
        print(json.dumps([dataclasses.asdict(one) for one in found]))
        return 0
    rows = [("AT", "WHAT", "OF", "TO"), *(show.given(one) for one in found)]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    for row in rows:
        print("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
    return 0


# -- anyone ------------------------------------------------------------------------------------------------------


def _nonce_command(args: argparse.Namespace) -> int:
    print(secrets.token_hex(16))
    return 0


def _bill_of(raw: bytes) -> forms.Bill:
    try:
        return forms.bill_of(raw)
    except HubError as error:
        raise Refused("BILL_FORMAT", error.field) from None


def _verify(args: argparse.Namespace) -> int:
    hub_key = files.public_key(args.hub_key, "--hub-key")
    supplier_key = files.public_key(args.supplier_key, "--supplier-key")
    raw, proof = files.split_bill(files.read(args.file))
    said = _bill_of(raw)
    signed, rates = _tariff(args.tariff)
    held = files.read_batches(args.batches)
    for asked, is_said in ((args.start, said.start), (args.stop, said.stop)):
        if asked is not None and files.moment_of(held, asked) != is_said:
            raise Refused("BILL_PERIOD", rules.span(said.start, said.stop))
    held = files.chosen(held, said.start, said.stop, said.chain)
    with Progress(sys.stderr).step("verify", "checking") as far:
        batches = verifier.Batches(held, hub_key)
        verdict = verifier.check_bill(batches, signed, supplier_key, args.nonce or said.nonce, raw, proof, far)
    facts, lines = show.facts(said, rates), show.summary(said, rates)
    _print_verdict(args, verdict, facts, [f"the bill is right, hub {show.hub_name(said.hub)}", *lines])
    return 0


def _check_disclosure(args: argparse.Namespace) -> int:
    hub_key = files.public_key(args.hub_key, "--hub-key")
    raw, proof = files.split_disclosure(files.read(args.file))
    try:
        said = forms.disclosure_of(raw)
    except HubError as error:
        raise Refused("DISCLOSURE_FORMAT", error.field) from None
    held = files.chosen(files.read_batches(args.batches), said.start, said.stop, said.chain)
    batches = verifier.Batches(held, hub_key)
    verdict = verifier.check_disclosure(batches, args.nonce or said.nonce, raw, proof)
    first = f"the disclosure is right, hub {show.hub_name(said.hub)}"
    _print_verdict(args, verdict, show.disclosure_facts(said), [first, show.sentence(said)])
    return 0


def _print_verdict(args: argparse.Namespace, verdict: verifier.Verdict, facts: dict, lines: list[str]) -> None:
    if args.json:
        told = {"right": True, "nonce_checked": args.nonce is not None}
        if args.what == "verify":
            told["period_checked"] = None not in (args.start, args.stop)
        print(json.dumps(facts | told | dataclasses.asdict(verdict)))
        return
    print("\n".join(lines))
    for title, found in (("checked", verdict.checked), ("learnt", verdict.learnt)):
        print(f"{title}:")
        for line in found:
            print(f"  - {line}")
    if args.what == "verify" and None in (args.start, args.stop):
        print("not checked: that it is for the time that you have asked about; --from and --to are it")
    if args.nonce is None:
        print("not checked: that it was made for you; --nonce is the number that you have sent")


_RUN = {
    "nonce": _nonce_command,
    "prove": _prove,
    "verify": _verify,
    "explain": _explain,
    "disclose": _disclose,
    "check-disclosure": _check_disclosure,
    "list": _list,
}
