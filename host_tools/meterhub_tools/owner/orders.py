"""`meterhub order`: what the owner tells a hub on the cable, signed: the time, a new tenant, an outage to come;

and `meterhub order serve`, which tells the time to the hubs at a broker.

Source   firmware/meterhub/trust/orders.py
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import aiomqtt

from ..board.port import Line
from ..demo.eavesdropper import broker_of
from ..errors import ToolError
from . import info, keys, session

from meterhub.codec import base64url  # isort: skip
from meterhub.codec.timezone import Zone  # isort: skip
from meterhub.errors import HubError  # isort: skip
from meterhub.trust import mhx  # isort: skip

_SIGNATURE_S = 30
_AGAIN_S = 5.0
_MOST_BYTES = 256
Signer = Callable[[str, dict], str]


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the subcommand to `meterhub`."""
    parser = subparsers.add_parser(
        "order",
        help="tell a hub, signed, the time, that it has a new tenant, or that there will be an outage",
        description="Signs with the root key, and hands the hub on the cable what it may be told by its owner alone.",
    )
    what = parser.add_subparsers(dest="what", metavar="time|tenant|outage|serve", required=True)
    clock = what.add_parser("time", help="set the hub's clock to this computer's")
    clock.add_argument("--jump", action="store_true", help="even if it is synchronised, and off by more than 10 s")
    tenant = what.add_parser("tenant", help="hide what was before somebody moved in; the hub restarts then")
    tenant.add_argument("date", metavar="DATE", help="2026-11-01: from midnight in the hub's zone on; or with a time")
    outage = what.add_parser("outage", help="announce that the supply will be off")
    outage.add_argument("ref", metavar="REF", help="its number: 1 to 24 letters, digits, - and _")
    outage.add_argument("start", metavar="FROM", help="2026-11-01T08:00, in the hub's zone")
    outage.add_argument("end", metavar="TO")
    outage.add_argument("--text", default="", help="for the household, at most 60 characters")
    for one in (clock, tenant, outage):
        info.add_port(one)
        one.add_argument("--keys", type=Path, default=keys.DEFAULT_FOLDER, metavar="DIR", help="of the root key")
    serve = what.add_parser("serve", help="tell the time to each hub at a broker that asks for it, until Ctrl-C")
    serve.add_argument(
        "--broker", metavar="URL", help="mqtt[s]://HOST[:PORT]; with a password in METERHUB_BROKER, which nobody sees"
    )
    serve.add_argument("--ca", type=Path, metavar="FILE", help="with mqtts: PEM file of the CA")
    serve.add_argument(
        "--key", type=Path, required=True, metavar="FILE", help="private key of the recipient that may.time names"
    )


def run(args: argparse.Namespace) -> int:
    """Give the order."""
    if args.what == "serve":
        url = args.broker or os.environ.get("METERHUB_BROKER", "")
        if not url.startswith(("mqtt://", "mqtts://")):
            raise ToolError(
                "--broker, or METERHUB_BROKER in the environment, wants mqtt[s]://[USER:PASSWORD@]HOST[:PORT]"
            )
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(serve(broker_of(url, args.ca), keys.opened(args.key).sign))
        return 0
    root = keys.existing(args.keys)
    with Line(args.port) as line:
        typ, claims = _ORDERS[args.what](args, line)
        token = root.sign(typ, {"v": 1, "hub": line.hub["hub"]} | claims)
        line.put(token)
        line.ask("order", patience_s=_SIGNATURE_S)
    print(json.dumps({"typ": typ, **claims}) if args.json else f"the hub has taken it: {args.what}")
    return 0


def _time(args: argparse.Namespace, line: Line) -> tuple[str, dict]:
    nonce = line.ask("nonce")["nonce"]
    return "mh-time", time_claims(nonce) | ({"jump": True} if args.jump else {})


def time_claims(nonce: str) -> dict:
    """Return the claims of the signed time that answers `nonce`; ToolError when this computer's clock cannot be."""
    now = int(time.time())
    if now < session.WRITTEN_AT:
        raise ToolError("this computer's clock cannot be right; set it first")
    return {"nonce": nonce, "at": now}


def _tenant(args: argparse.Namespace, line: Line) -> tuple[str, dict]:
    return "mh-tenancy", {"from": moment(args.date, _zone(line))}


def _outage(args: argparse.Namespace, line: Line) -> tuple[str, dict]:
    zone = _zone(line)
    claims: dict[str, Any] = {"ref": args.ref, "from": moment(args.start, zone), "to": moment(args.end, zone)}
    claims["at"] = int(time.time())
    return "mh-outage", claims | ({"text": args.text} if args.text else {})


def _zone(line: Line) -> Zone:
    return Zone(line.ask("settings")["settings"]["zone"])


def moment(text: str, zone: Zone) -> int:
    """Return the Unix seconds of a date, or a date and time, in the zone; of an hour that comes twice the first."""
    try:
        wanted = datetime.fromisoformat(text)
    except ValueError:
        raise ToolError(f"{text!r} is no date; 2026-11-01 or 2026-11-01T08:00 is wanted") from None
    if wanted.tzinfo is not None:
        return int(wanted.timestamp())
    local = int(wanted.replace(tzinfo=ZoneInfo("UTC")).timestamp())
    for guess in (local - 86400, local + 86400):  # the offsets before and after a change of the clocks
        at = local - zone.offset_s(guess)
        if zone.offset_s(at) == local - at:
            return at
    return local - zone.offset_s(local - 86400)  # a time that is skipped: as if the clocks had not been put forward


_ORDERS = {"time": _time, "tenant": _tenant, "outage": _outage}


# -- at a broker -------------------------------------------------------------------------------------------------


async def serve(broker: dict, sign: Signer) -> None:
    """Answer every hub that asks at the broker (aiomqtt.Client's arguments), for ever."""
    while True:
        try:
            async with aiomqtt.Client(**broker) as client:
                await client.subscribe("meterhub/+/up/time", 1)
                print("telling the time", flush=True)
                async for message in client.messages:
                    told = answer(str(message.topic), bytes(message.payload), sign)
                    if told:
                        await client.publish(told[0], told[1], 1)
        except aiomqtt.MqttError as error:
            print(f"{error}; trying again", flush=True)
            await asyncio.sleep(_AGAIN_S)


def answer(topic: str, payload: bytes, sign: Signer) -> tuple[str, str] | None:
    """Return (topic, order) that answers a hub's question; None for what is no question."""
    hub = topic.split("/")[1]
    try:
        if len(payload) > _MOST_BYTES:
            return None
        asked = json.loads(payload)
        nonce = base64url.encode(mhx.binary(asked, "nonce", 16)) if isinstance(asked, dict) else ""
    except (HubError, ValueError):
        return None
    return (
        (f"meterhub/{hub}/down/order", sign("mh-time", {"v": 1, "hub": hub} | time_claims(nonce))) if nonce else None
    )
