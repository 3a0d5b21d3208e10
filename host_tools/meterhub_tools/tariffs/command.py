"""`meterhub tariff`: check, show, pack and sign a tariff, and work out what energy costs by it, by the hub's own code.

FILE is a tariff as firmware/meterhub/codec/tariff.py sets out (JSON), or one of the examples by its name: flat,
economy7, three-band, blocks, rising-steps, half-hourly.
With --json  check  {id, kind, bands, bytes, digest, pieces}
             show   {id, at, band, name, price_e5, next_change, day: [[Unix s, band, name, price_e5], ...]}
             cost   {id, start, stop, wh: [of each band], unpriced_wh, gaps, days, energy, standing, total, export_wh,
                    income, unpaid_wh, decimals, currency}: amounts in units of the last decimal
             sign   {file, id, digest, signed_at, signer, key}
pack         one JSON line for each command: the argument of set.tariff_price
sign         makes the signed tariff of firmware/meterhub/codec/bill.py, by which bills are proved (`meterhub bill`)
"""

from __future__ import annotations

import argparse
import datetime
import json
from pathlib import Path
from typing import Any

from .. import firmware  # noqa: F401 - puts the firmware's package on the path
from ..errors import ToolError, UsageError
from . import series, sign

from meterhub.codec import base64url, tariff  # isort: skip
from meterhub.codec.rates import Rates  # isort: skip
from meterhub.codec.tariff_use import Bill, bill  # isort: skip
from meterhub.errors import HubError  # isort: skip
from meterhub.ihd import words  # isort: skip

EXAMPLES = Path(__file__).parent
_MOST_BYTES = 64 << 10
_PIECE = 1200  # bytes: a command of 4096 holds so many, signed and packed twice


def add_parser(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add the subcommand to `meterhub`."""
    parser = subparsers.add_parser(
        "tariff",
        help="check, show and sign a tariff, and what energy costs by it",
        description="Works with tariffs by the hub's own code: what is said here is what a hub does.",
        epilog="examples by name: " + ", ".join(sorted(path.stem for path in EXAMPLES.glob("*.json"))),
    )
    what = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    for name, says in (
        ("check", "is it right? If not, which field is wrong"),
        ("show", "its bands, prices and a day's plan"),
        ("cost", "what the energy in a CSV file costs"),
        ("pack", "the arguments of the command set.tariff_price"),
        ("sign", "the supplier's signature, for bills that prove themselves"),
    ):
        one = what.add_parser(name, help=says, description=says)
        one.add_argument("file", metavar="FILE", help="a tariff, JSON, or the name of an example")
        if name != "pack":
            one.add_argument("--json", action="store_true", help="print one JSON object")
        if name == "show":
            one.add_argument(
                "--at", type=sign.moment, metavar="TIME", help="2026-10-25, 2026-10-25T01:30Z or Unix seconds"
            )
        if name == "sign":
            sign.add_arguments(one)
        if name == "cost":
            one.add_argument("--data", type=Path, required=True, metavar="CSV", help=series.__doc__.partition("\n")[0])


def run(args: argparse.Namespace) -> int:
    """Do what is asked; ToolError names the field that is wrong."""
    raw = packed(args.file)
    if args.what == "pack":
        for argument in pieces(raw):
            print(json.dumps(argument))
        return 0
    rates = Rates(raw)
    if args.what == "sign":
        return sign.run(args, raw, rates)
    if args.what == "check":
        found = _checked(raw, rates)
        text = "{id}: a good tariff, {kind}, {bands} bands, {bytes} bytes packed, in {pieces} command(s)\n{digest}"
        text = text.format(**found)
    elif args.what == "show":
        found = _shown(rates, int(datetime.datetime.now(datetime.UTC).timestamp()) if args.at is None else args.at)
        text = _plan(rates, found)
    else:
        found, text = _cost(rates, args.data)
    print(json.dumps(found) if args.json else text)
    return 0


def packed(name: str) -> bytes:
    """Return the packed form of a tariff's file, or of an example; ToolError."""
    path = Path(name)
    if not path.exists() and (EXAMPLES / f"{name}.json").exists():
        path = EXAMPLES / f"{name}.json"
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ToolError(f"{path} is too long for a tariff")
        return bytes(tariff.packed(json.loads(path.read_bytes())))
    except OSError as error:
        raise ToolError(f"{path}: {error.strerror}") from None
    except ValueError:
        raise ToolError(f"{path} is no JSON") from None
    except HubError as error:
        what = "is not as a tariff has it, or missing" if error.name == "MALFORMED" else "is outside its limits"
        raise ToolError(f"{path}: {error.field} {what}") from None


def pieces(raw: bytes) -> list[dict[str, Any]]:
    """Return the arguments of the commands that bring a packed tariff."""
    found = [base64url.encode(raw[at : at + _PIECE]) for at in range(0, len(raw), _PIECE)]
    if len(found) == 1:
        return [{"packed": found[0]}]
    return [{"packed": one, "part": [number, len(found)]} for number, one in enumerate(found, 1)]


def _checked(raw: bytes, rates: Rates) -> dict[str, Any]:
    found = {"id": rates.id, "kind": tariff.KINDS[rates.kind], "bands": rates.bands, "bytes": len(raw)}
    return found | {"digest": base64url.encode(tariff.digest(raw)), "pieces": len(pieces(raw))}


def _shown(rates: Rates, at: int) -> dict[str, Any]:
    """Return what counts at a time, and the plan of its local day."""
    try:
        start, stop = rates.zone.day_start(at), rates.zone.next_day_start(at)
        band = rates.band_at(at)
    except ValueError:
        raise UsageError("--at must lie between 1970 and 2199") from None
    plan: list[list[Any]] = []
    for begins in range(start, stop, rates.interval_s):
        one = rates.band_at(begins)
        if not plan or plan[-1][1] != one:
            plan.append([begins, one, rates.name(one), rates.price_e5(rates.price(one))])
    found = {"id": rates.id, "at": at, "band": band, "name": rates.name(band)}
    found |= {"price_e5": rates.price_e5(rates.price(band)), "next_change": rates.next_change(at), "day": plan}
    return found


def _plan(rates: Rates, found: dict[str, Any]) -> str:
    local = rates.zone.local(found["at"])
    lines = [f"{rates.id}, {rates.currency}, prices for a kWh with {rates.tax_bp / 100:g} % tax"]
    for band in range(rates.bands):
        lines.append(f"  {rates.name(band):<8}  {_prices(rates, band)}")
    lines.append(f"  standing  {words.money(rates.amount(rates.standing_net, 5), rates.currency)} a day")
    lines.append(f"{local[0]}-{local[1]:02}-{local[2]:02} on the wall:")
    for begins, _, name, _ in found["day"]:
        wall = rates.zone.local(begins)
        lines.append(f"  from {wall[3]:02}:{wall[4]:02}  {name}")
    change = found["next_change"]
    until = ""
    if change:
        wall = rates.zone.local(change)
        until = f" until {wall[0]}-{wall[1]:02}-{wall[2]:02} {wall[3]:02}:{wall[4]:02}"
    return "\n".join([*lines, f"at {local[3]:02}:{local[4]:02}: {found['name']}{until}"])


def _prices(rates: Rates, band: int) -> str:
    shown = []
    used = 0
    for price, limit in rates.steps(band):
        value = f"{rates.price_e5(price) / 100000:.5f}"
        shown.append(f"{value} up to {limit} Wh" if limit else f"{value} beyond" if used else value)
        used = limit
    export = rates.export_price(band)
    return ", ".join(shown) + (f"; fed in {rates.price_e5(export, False) / 100000:.5f}" if export is not None else "")


def _cost(rates: Rates, path: Path) -> tuple[dict[str, Any], str]:
    step_s, rows = series.read(path, rates.interval_s)
    try:
        found = bill(rates, rows, step_s)
    except HubError as error:
        raise ToolError(f"{path}: {error.field} of the data does not fit the tariff") from None
    told = {"id": rates.id, "start": found.start, "stop": found.stop, "wh": found.wh, "decimals": rates.round}
    told |= {name: getattr(found, name) for name in Bill._fields if name not in ("net", *told)}
    return told | {"currency": rates.currency}, _bill(rates, found)


def _bill(rates: Rates, found: Bill) -> str:
    def money(amount: int) -> str:
        sign = "-" if amount < 0 else ""
        whole, rest = divmod(abs(amount), 10**rates.round)
        return f"{sign}{whole}" + (f".{rest:0{rates.round}}" if rates.round else "") + f" {rates.currency}"

    lines = [f"{rates.id}: {_utc(found.start)} to {_utc(found.stop)}"]
    for band in range(rates.bands):
        if found.wh[band]:
            net = money(rates.amount(found.net[band]))
            lines.append(f"  {rates.name(band):<8} {found.wh[band] / 1000:>12.3f} kWh  {net}")
    lines.append(f"  energy {money(found.energy)}, {found.days} days standing charge {money(found.standing)}")
    lines.append(f"  total {money(found.total)}, with tax")
    if found.export_wh:
        lines.append(f"  fed in {found.export_wh / 1000:.3f} kWh, paid {money(found.income)}")
    if found.gaps or found.unpriced_wh or found.unpaid_wh:
        said = f"{found.gaps} intervals without data, {found.unpriced_wh} Wh without a price"
        lines.append(f"  NOT WHOLE: {said}, {found.unpaid_wh} Wh fed in without one")
    return "\n".join(lines)


def _utc(at: int) -> str:
    return datetime.datetime.fromtimestamp(at, datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
