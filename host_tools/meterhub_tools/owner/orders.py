"""`meterhub order`: tells the time, signed: to the hub on the cable, or to the hubs at a broker that ask for it.

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
from pathlib import Path

import aiomqtt

from ..board.port import Line
from ..demo.eavesdropper import broker_of
from ..errors import ToolError
from . import info, keys, session

from meterhub.codec import base64url  # isort: skip
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
        help="tell hubs the time, signed",
        description="Tells the time: to the hub on the cable, signed with the owner's root key, or to the hubs at a "
        "broker that ask for it.",
    )
    what = parser.add_subparsers(dest="what", metavar="time|serve", required=True)
    clock = what.add_parser("time", help="set the hub's clock to this computer's")
    clock.add_argument("--jump", action="store_true", help="even if it is synchronised, and off by more than 10 s")
    info.add_port(clock)
    clock.add_argument("--keys", type=Path, default=keys.default_folder(), metavar="DIR", help="of the root key")
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
        claims = time_claims(line.ask("nonce")["nonce"]) | ({"jump": True} if args.jump else {})
        line.put(root.sign("mh-time", {"v": 1, "hub": line.hub["hub"]} | claims))
        line.ask("order", patience_s=_SIGNATURE_S)
    print(json.dumps({"typ": "mh-time", **claims}) if args.json else "the hub has taken it: time")
    return 0


def time_claims(nonce: str) -> dict:
    """Return the claims of the signed time that answers `nonce`; ToolError when this computer's clock cannot be."""
    now = int(time.time())
    if now < session.WRITTEN_AT:
        raise ToolError("this computer's clock cannot be right; set it first")
    return {"nonce": nonce, "at": now}


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
