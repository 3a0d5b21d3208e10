"""Orders: what somebody whom the owner lets tells a hub: the time, a decision of the household's on a website.

Source   JWS ES256: RFC 7515, RFC 7518 3.4. Header {alg, kid, typ}; kid is that of the recipient that the setting
         names, or that of the owner's root (identity.hub_id() of its point), which may give any order.
Units    times are Unix seconds, UTC
Errors   HubError MALFORMED, OVERSIZED, INVALID_VALUE, UNKNOWN_RECIPIENT, WRONG_HUB, NOT_AUTHENTIC, with the field
Runs on  both

An order is one compact JWS. It comes on the topic meterhub/<hub id>/down/order, or through the cable (`order`).

  typ "mh-time"     may.time      {v 1, hub, nonce, at [, jump]}
                    the answer to the nonce (16 bytes, base64url) that this hub has drawn last: on the topic
                    meterhub/<hub id>/up/time, JSON {"nonce"}, not retained, or with `nonce` through the cable. It must
                    come within ten seconds and counts once. jump true: the clock may be wrong by any time.
  typ "mh-decision" may.notices   {v 1, hub, sub, notice, decision, at}
                    what the customer with the account `sub`, whose link is in force, has decided about the notice with
                    this id, at most an hour ago: "read" "accept" "decline" "override" "save" "delete". Of the notices
                    that recipient hears by letters (letter.py), alert "notice", data {notice: id, state, said: "" or
                    the answer, asks: what may be answered now, "" "accept" "override", changed, start, expiry [,
                    category, name: of who sent it, title, text, at]}; one whose words are missing is over. The letter
                    with the highest n is the one that counts. The first decision counts, wherever it was made; one
                    that is refused is followed by another such letter. The PIN of the household protects the buttons:
                    here it is the account's own log-in that does.
"""

from micropython import const

from ..codec import jose
from ..errors import HubError
from . import identity, mhx

MAX_ORDER = const(2048)
RIGHTS = {"mh-time": "may.time", "mh-decision": "may.notices"}
DECISIONS = ("read", "accept", "decline", "override", "save", "delete")
_NONCE_BYTES = const(16)


def opened(token: str, hub: str, keys):
    """Return (as a generator, see crypto/steps.py) (typ, kid, claims) of an order that is authentic and for `hub`.

    keys(right): {kid: public point} of those who have it. Whether it is fresh, and can be, is the caller's to judge.
    """
    header, claims = jose.jws_claims(token, MAX_ORDER)
    typ = header.get("typ")
    if typ not in RIGHTS:
        raise HubError("MALFORMED", "typ")
    kid = mhx.text(header, "kid", 64)
    mhx.whole(claims, "v", 1, 1)
    mhx.text(claims, "hub", 16)
    _CHECKS[typ](claims)
    known = keys(RIGHTS[typ])
    if kid not in known:
        raise HubError("UNKNOWN_RECIPIENT", "kid")
    if claims["hub"] != hub:
        raise HubError("WRONG_HUB", "hub")
    if not (yield from identity.verify(known[kid], token)):
        raise HubError("NOT_AUTHENTIC", "jws")
    return typ, kid, claims


def _check_time(claims):
    mhx.binary(claims, "nonce", _NONCE_BYTES)
    mhx.whole(claims, "at", 0, 1 << 33)
    if not isinstance(claims.get("jump", False), bool):
        raise HubError("MALFORMED", "jump")


def _check_decision(claims):
    mhx.text(claims, "sub", 32)
    mhx.whole(claims, "notice", 1, 1 << 31)
    if mhx.text(claims, "decision", 8) not in DECISIONS:
        raise HubError("INVALID_VALUE", "decision")
    mhx.whole(claims, "at", 0, 1 << 33)


_CHECKS = {"mh-time": _check_time, "mh-decision": _check_decision}
