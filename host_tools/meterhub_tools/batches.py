"""The recipient's side of private billing: a hub's daily batches as they come over the broker, and their receipts.

Source   firmware/meterhub/trust/mhx.py is the protocol, firmware/meterhub/codec/billing.py the batch.
Units    times are Unix seconds, UTC; days are counted from 1970
Errors   HubError. Who takes a batch stores it first, and sends the receipt then. Of a chain only the batch counts
         that follows on what is stored; a copy of one that is stored is answered again.
"""

from __future__ import annotations

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from . import firmware  # noqa: F401 - puts the firmware's package on the path
from .recipient import Card, Recipient

from meterhub.codec import base64url, billing  # isort: skip
from meterhub.crypto.p256 import N  # isort: skip
from meterhub.errors import HubError  # isort: skip
from meterhub.trust import mhx  # isort: skip


def read(message: bytes, card: Card) -> bytes:
    """Return a message on up/batch, a signed batch; HubError when it is none of the hub of `card`."""
    if len(message) > mhx.MAX_BATCH:
        raise HubError("OVERSIZED", "message")
    check(message, card.key)
    return message


def check(raw: bytes, hub_key: bytes) -> billing.Batch:
    """Return a signed batch when the hub with this public point signed it; HubError otherwise."""
    batch = billing.Batch(raw)
    if batch.hub != hashlib.sha256(hub_key).digest()[:10]:
        raise HubError("WRONG_HUB", "batch")
    r, s = int.from_bytes(batch.signature[:32]), int.from_bytes(batch.signature[32:])
    try:
        if s > (N - 1) // 2:
            raise InvalidSignature
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), hub_key)
        key.verify(encode_dss_signature(r, s), batch.body, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError):
        raise HubError("NOT_AUTHENTIC", "batch") from None
    return batch


def add(stored: list[bytes], raw: bytes) -> list[bytes]:
    """Return `stored`, batches of one chain in order, with a checked one more; unchanged when it is there already.

    HubError OUT_OF_ORDER when it does not follow on them; a new chain begins a list of its own.
    """
    batch = billing.Batch(raw)
    if not stored:
        return [raw]
    newest = billing.Batch(stored[-1])
    if (batch.chain, batch.day, batch.previous) == (newest.chain, newest.day + 1, newest.digest()):
        return [*stored, raw]
    if any(billing.Batch(one).body == batch.body for one in stored):
        return stored
    raise HubError("OUT_OF_ORDER", "batch")


def receipt(recipient: Recipient, hub: str, raw: bytes, now: int) -> bytes:
    """Return the message for down/batch that lets the hub go on after a batch that is stored."""
    batch = billing.Batch(raw)
    claims = {"v": 1, "hub": hub, "day": batch.day, "digest": base64url.encode(batch.digest()), "at": now}
    return recipient.sign(claims, "mhx-batched").encode()
