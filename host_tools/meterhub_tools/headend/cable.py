"""A command that goes to its hub through the cable, and the answer that comes back the same way.

Source   firmware/meterhub/service_desk.py: `prove`, `command`; MHC 1: wire.py
Errors   ToolError: nobody answers, it is another hub, it does not believe the key, its answer is not to be believed.

The counter and the answer are kept where those of commands over MQTT are (store.py): both ways share the counters.
The hub keeps its letter until a head-end has said that it was received: with a broker it goes out there once more.
"""

from __future__ import annotations

import secrets
from dataclasses import replace

from ..board.port import Line
from ..errors import ToolError
from ..owner import documents
from ..roles.keys import Role
from . import wire
from .store import Store, Transaction, Wish

from meterhub.codec import base64url  # isort: skip
from meterhub.errors import HubError  # isort: skip

_NONCE_BYTES = 32
_SIGNATURE_S = 60  # a small board verifies, signs and seals, seconds each


def visit(role: Role, port: str, known: Store, wish: Wish) -> Transaction:
    """Give the hub on `port` one command; return what became of it. wish.hub: "" for whichever hub is there."""
    with Line(port) as line:
        hub, point = _who(line)
        if wish.hub not in ("", hub):
            raise ToolError(f"{port}: hub {hub} is there, not {wish.hub}")
        known.admit([(hub, point, line.hub["name"])])
        try:
            given = _given(role, known, replace(wish, hub=hub))
            line.put(given.token)
            sealed = line.ask("command", patience_s=_SIGNATURE_S)["letter"]
            letter = wire.read(wire.unseal(str(sealed).encode(), role), hub, role.kid, wire.public_key(point))
        except HubError as error:
            raise ToolError(f"{wish.cmd} cannot be sent, or its answer not be believed: {error}") from None
    known.keep([letter])
    return known.transaction(given.kid, given.hub, given.ctr) or given


def _who(line: Line) -> tuple[str, bytes]:
    """Return (id, point) of the hub, which proves that it holds the key."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    token = line.ask("prove", patience_s=_SIGNATURE_S, nonce=base64url.encode(nonce))["token"]
    return documents.check_proof(token, nonce)


def _given(role: Role, known: Store, wish: Wish) -> Transaction:
    """Return the wish with its counter, signed and written down."""

    def sign(wish: Wish, ctr: int, iat: int) -> str:
        return wire.command(role, wish.claims(ctr, iat))

    (given,) = known.give(role.kid, secrets.token_hex(8), [wish], sign)
    if given is None:
        raise ToolError(f"a head-end has a command for hub {wish.hub} under way; try again in a few seconds")
    return given
