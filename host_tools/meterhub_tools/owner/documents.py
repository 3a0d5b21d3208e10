"""What an owner signs for a hub, and what a hub proves of itself: compact JWS ES256 (RFC 7515).

Source   firmware/meterhub/trust/owner.py defines them; this file makes and checks them on the host.
Errors   ToolError, one sentence.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

from ..errors import ToolError
from ..proof import check_signature
from .keys import Root

from meterhub.codec import base64url, jose  # isort: skip
from meterhub.errors import HubError  # isort: skip
from meterhub.trust import mhx  # isort: skip
from meterhub.trust.identity import hub_id  # isort: skip

MOST = 8192  # characters that a hub's tray holds


@dataclass(frozen=True)
class Certificate:
    """What a verified certificate says; key and root are points of 65 bytes."""

    hub: str
    key: bytes
    root: bytes
    seq: int
    name: str
    at: int


def certificate(signer: Root, root: Root, hub: str, key: bytes, seq: int, name: str, at: int) -> str:
    """Return the hub's certificate: it belongs to `root`. On a hand-over `signer` is the root before."""
    claims = {"v": 1, "hub": hub, "key": base64url.encode(key), "root": base64url.encode(root.point)}
    return signer.sign("mh-cert", claims | {"seq": seq, "name": name, "at": at})


def settings(root: Root, hub: str, seq: int, document: dict, ca: bytes | None) -> str:
    """Return signed settings; `ca` in DER takes effect together with them."""
    claims = {"v": 1, "hub": hub, "seq": seq, "settings": document}
    if ca is not None:
        claims["ca"] = base64.b64encode(ca).decode()
    token = root.sign("mh-settings", claims)
    if len(token) > MOST:
        raise ToolError(
            f"settings and CA make {len(token)} characters, a hub takes {MOST}; use a shorter CA certificate"
        )
    return token


def check_proof(token: str, nonce: bytes) -> tuple[str, bytes]:
    """Return (hub id, public point) of a hub that has just signed `nonce` with the key that gives the id."""
    try:
        header, claims = jose.jws_claims(token, mhx.MAX_MESSAGE)
        key = mhx.binary(claims, "key", 65)
        check_signature(token, key)
        if header.get("typ") != "mh-proof" or claims.get("nonce") != base64url.encode(nonce):
            raise HubError("REPLAY", "nonce")
        if claims.get("hub") != hub_id(key):
            raise HubError("WRONG_HUB", "hub")
    except HubError as error:
        raise ToolError(f"the board does not prove that it holds its key ({error}); do not use it") from None
    return str(claims["hub"]), key


def check_certificate(token: str, root: bytes) -> Certificate:
    """Return what the certificate `token` says when `root` (a point) has signed it and is the root it names."""
    try:
        header, claims = jose.jws_claims(token, mhx.MAX_MESSAGE)
        check_signature(token, root)
        if header.get("typ") != "mh-cert" or mhx.binary(claims, "root", 65) != root:
            raise HubError("NOT_AUTHENTIC", "root")
        key = mhx.binary(claims, "key", 65)
        if claims.get("hub") != hub_id(key):
            raise HubError("WRONG_HUB", "hub")
        seq, at = mhx.whole(claims, "seq", 0, 1 << 30), mhx.whole(claims, "at", 0, 1 << 33)
        return Certificate(claims["hub"], key, root, seq, mhx.text(claims, "name", 64), at)
    except HubError as error:
        raise ToolError(f"the certificate does not verify ({error})") from None
