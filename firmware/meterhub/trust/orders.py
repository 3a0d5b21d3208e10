"""Orders: what somebody whom the owner lets tells a hub: the time, an outage to come, that the home has a new tenant.

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
  typ "mh-outage"   may.outage    {v 1, hub, ref, from, to, at [, text]}
                    the supply will be off from .. to (at most 31 days). ref: 1 .. 24 of A-Z a-z 0-9 - _; an order with
                    the same ref and a later `at` takes the first one's place. text: at most 60 characters.
  typ "mh-tenancy"  may.tenancy   {v 1, hub, from}
                    from then on the home is somebody else's (tenancy.py). It must be later than the one before.
"""

from micropython import const

from ..codec import jose
from ..errors import HubError
from . import identity, mhx

MAX_ORDER = const(2048)
RIGHTS = {"mh-time": "may.time", "mh-outage": "may.outage", "mh-tenancy": "may.tenancy"}
_NONCE_BYTES = const(16)
_MOST_OUTAGE_S = const(2678400)
_LETTERS = const("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


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


def _check_outage(claims):
    if not all([letter in _LETTERS for letter in mhx.text(claims, "ref", 24)]):
        raise HubError("INVALID_VALUE", "ref")
    start = mhx.whole(claims, "from", 0, 1 << 33)
    mhx.whole(claims, "to", start + 1, start + _MOST_OUTAGE_S)
    mhx.whole(claims, "at", 0, 1 << 33)
    if "text" in claims:
        mhx.text(claims, "text", 60)


def _check_tenancy(claims):
    mhx.whole(claims, "from", 0, 1 << 33)


_CHECKS = {"mh-time": _check_time, "mh-outage": _check_outage, "mh-tenancy": _check_tenancy}
