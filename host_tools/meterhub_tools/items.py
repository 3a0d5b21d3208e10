"""The recipient's side of a hub's outbox: what a hub tells of its own accord, and the receipt for it.

Source   firmware/meterhub/trust/items.py is the protocol.
Units    times are Unix seconds, UTC
Errors   HubError. Who stores items stores them first, each once by (hub, box, id), and sends the receipt then.
"""

from __future__ import annotations

from dataclasses import dataclass

from . import firmware, proof  # noqa: F401  (firmware puts its package on the path)
from .recipient import Card, Recipient

from meterhub.errors import HubError  # isort: skip
from meterhub.trust import items  # isort: skip


@dataclass(frozen=True)
class Item:
    """What was told. id: the hub's own number within the box; at: when it happened, 0 when the hub did not know."""

    id: int
    at: int
    name: str
    detail: str


@dataclass(frozen=True)
class Delivery:
    """Items in order. dropped: how many of this box never come, of what matters less and of what matters most."""

    hub: str
    box: str
    dropped: tuple[int, int]
    items: tuple[Item, ...]


def read(raw: bytes, card: Card, kid: str) -> Delivery:
    """Return what the hub of `card` tells the recipient `kid`; HubError when it is not the hub's, or for another."""
    if len(raw) > items.MAX_MESSAGE:
        raise HubError("OVERSIZED", "message")
    try:
        token = raw.decode("ascii")
    except UnicodeDecodeError:
        raise HubError("MALFORMED", "jws") from None
    claims = items.items_claims(token)
    if claims["hub"] != card.hub:
        raise HubError("WRONG_HUB", "hub")
    if claims["to"] != kid:
        raise HubError("UNKNOWN_RECIPIENT", "to")
    proof.check_signature(token, card.key)
    told = tuple(Item(*item) for item in claims["items"])
    return Delivery(card.hub, claims["box"], (claims["dropped"][0], claims["dropped"][1]), told)


def receipt(recipient: Recipient, delivery: Delivery, now: int) -> bytes:
    """Return the message that lets the hub forget the items of `delivery`, which are stored."""
    claims = {"v": 1, "hub": delivery.hub, "box": delivery.box, "id": delivery.items[-1].id, "at": now}
    return recipient.sign(claims, "mh-stored").encode()
