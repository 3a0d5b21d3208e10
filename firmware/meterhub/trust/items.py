"""Items and their receipts: how what waits in the outbox reaches a recipient, each once.

This file is the specification of what crosses the wire; the hub (outbox_sender.py) and the host
(meterhub_tools.recipient) both use it.

Source   JWS ES256: RFC 7515, 7518 3.4. Header {alg, kid, typ}; kid is identity.hub_id() of the key that signed.
Units    times are Unix seconds, UTC
Errors   HubError; nothing else for any input from outside.
Runs on  both

Topics   meterhub/<hub id>/up/outbox     hub -> recipient     meterhub/<hub id>/down/receipt   recipient -> hub

Each message is one compact JWS.

  typ "mh-items"   signed by the hub: {v 1, hub, to, box, at, dropped, items}
                   to: the recipient's kid; box: 8 hex digits; dropped: [n, n], how many items of this box had to give
                   way since it was begun, of what matters less and of what matters most (store/outbox.py); items: 1 to
                   MAX_ITEMS of [id, at, name, detail], ids 1 .. 2^32 - 1 rising; at 0: the hub's clock was not set;
                   name: 1 to 32 characters, detail: up to 160
  typ "mh-stored"  signed by the recipient: {v 1, hub, box, id, at}
                   all items of the box up to `id` are stored

The hub sends the oldest items, and goes on to the next when their receipt is there; else it sends them again. So a
recipient may get an item any number of times, and knows it by (hub, box, id). It stores first and answers then, also
for what it has already. An id that never comes was given up; what was lost on the way to the outbox's end is counted
in `dropped`. Whoever can read the broker's messages can read the items: they name no reading.
"""

from ..codec import jose
from ..errors import HubError
from . import mhx

MAX_ITEMS = 16
MAX_MESSAGE = 4096
MAX_RECEIPT = 1024
_LARGEST = (1 << 32) - 1


def items_claims(token: str) -> dict:
    """Return the claims of "mh-items" whose structure is right; its signature is the caller's to verify next."""
    header, claims = jose.jws_claims(token, MAX_MESSAGE)
    if header.get("typ") != "mh-items":
        raise HubError("MALFORMED", "typ")
    mhx.whole(claims, "v", 1, 1)
    mhx.text(claims, "hub", 16)
    mhx.text(claims, "to", 64)
    mhx.text(claims, "box", 8)
    mhx.whole(claims, "at", 0, 1 << 33)
    dropped, items = claims.get("dropped"), claims.get("items")
    if not isinstance(dropped, list) or len(dropped) != 2:
        raise HubError("MALFORMED", "dropped")
    for n in dropped:
        mhx.whole({"dropped": n}, "dropped", 0, _LARGEST)
    if not isinstance(items, list) or not 0 < len(items) <= MAX_ITEMS:
        raise HubError("MALFORMED", "items")
    last = 0
    for item in items:
        last = _check_item(item, last)
    return claims


def _check_item(item, last):
    """Return the id of an item; HubError when it is none, or not behind the one with the id `last`."""
    if not isinstance(item, list) or len(item) != 4:
        raise HubError("MALFORMED", "items")
    fields = {"id": item[0], "at": item[1], "name": item[2]}
    mhx.whole(fields, "id", last + 1, _LARGEST)
    mhx.whole(fields, "at", 0, 1 << 33)
    mhx.text(fields, "name", 32)
    if not isinstance(item[3], str) or len(item[3]) > 160:
        raise HubError("MALFORMED", "detail")
    return item[0]


def receipt_claims(token: str) -> "tuple[str, dict]":
    """Return (kid, claims) of "mh-stored" whose structure is right; its signature is the caller's to verify next."""
    header, claims = jose.jws_claims(token, MAX_RECEIPT)
    if header.get("typ") != "mh-stored":
        raise HubError("MALFORMED", "typ")
    kid = mhx.text(header, "kid", 64)
    mhx.whole(claims, "v", 1, 1)
    mhx.text(claims, "hub", 16)
    mhx.text(claims, "box", 8)
    mhx.whole(claims, "id", 1, _LARGEST)
    mhx.whole(claims, "at", 0, 1 << 33)
    return kid, claims
