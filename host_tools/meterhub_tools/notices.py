"""The recipient's side of notices: what the household is shown and asked, and what a customer decides about it.

Source   firmware/meterhub/trust/letter.py (how a hub tells it), trust/orders.py ("mh-decision", and what is told)
Units    times are Unix seconds, UTC
Errors   HubError. Who stores a notice stores it first, and sends `received` then, each time.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from . import firmware  # noqa: F401  (puts the firmware's package on the path)
from .recipient import Card, Recipient

from meterhub.codec import base64url  # isort: skip
from meterhub.crypto.steps import run  # isort: skip
from meterhub.errors import HubError  # isort: skip
from meterhub.trust import letter, letter_opener, mhx  # isort: skip
from meterhub.trust.orders import DECISIONS  # isort: skip

__all__ = ["DECISIONS", "Told", "decision", "read"]
_WORDS = (("category", 16), ("name", 64), ("title", 16), ("text", 160))


@dataclass(frozen=True)
class Told:
    """What a hub has told of one notice. n: of the letter; number: the notice's id; words: {} when it is over.

    at: what a countdown runs to, 0 for nothing; asks: what may be answered now.
    """

    hub: str
    n: int
    number: int
    state: str
    said: str
    asks: str
    changed: int
    start: int
    expiry: int
    at: int
    words: dict[str, str]


def read(raw: bytes, card: Card, recipient: Recipient) -> tuple[Told | None, bytes]:
    """Return (what the hub of `card` tells of a notice, the message `received`); None: the letter says something else.

    HubError when it is not this hub's, or not for this recipient.
    """
    try:
        token = raw.decode("ascii")
    except UnicodeDecodeError:
        raise HubError("MALFORMED", "jwe") from None
    claims, key = run(letter_opener.opened(token, recipient.scalar(), recipient.point, card.key))
    mac = base64url.encode(letter.received_mac(key, claims["n"]))
    received = json.dumps({"n": claims["n"], "mac": mac}).encode()
    if claims["kind"] != "alert" or claims["event"] != "notice":
        return None, received
    return _told(card.hub, claims["n"], claims["data"]), received


def _told(hub: str, n: int, data: dict) -> Told:
    words: dict[str, str] = {}
    if "text" in data:
        words = {name: mhx.text(data, name, longest) for name, longest in _WORDS}
    texts = {name: data.get(name) for name in ("state", "said", "asks")}
    if not all(isinstance(text, str) and len(text) <= 12 for text in texts.values()):
        raise HubError("MALFORMED", "state")
    times = {name: mhx.whole(data, name, 0, 1 << 33) for name in ("changed", "start", "expiry")}
    number = mhx.whole(data, "notice", 1, 1 << 31)
    at = mhx.whole(data, "at", 0, 1 << 33) if "at" in data else 0
    state, said, asks = map(str, texts.values())
    return Told(hub, n, number, state, said, asks, **times, at=at, words=words)


def decision(recipient: Recipient, hub: str, sub: str, number: int, what: str, now: int) -> bytes:
    """Return the order that says what the customer `sub` has decided about a notice."""
    claims = {"v": 1, "hub": hub, "sub": sub, "notice": number, "decision": what, "at": now}
    return recipient.sign(claims, "mh-decision").encode()
