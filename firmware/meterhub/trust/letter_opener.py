"""How the holder of a role's key opens a hub's letter. letter.py says what a letter is; a hub never loads this file.

Errors   HubError MALFORMED, OVERSIZED, INVALID_VALUE, BAD_POINT, NOT_AUTHENTIC, WRONG_HUB, UNKNOWN_RECIPIENT, with the
         field; nothing else for any token from outside.
Runs on  both
"""

import hashlib

from ..codec import base64url, jose, jose_es
from ..crypto import aead, ecdh_es
from ..errors import HubError
from . import identity, mhx
from .letter import MAX_LETTER, MAX_NUMBER, TYP, received_key

KINDS = ("answer", "alert", "report", "hello")
OUTCOMES = ("done", "refused", "pending")
_DIGEST_BYTES = 32
_MOST_BRACKETS = 1024  # a load profile is rows of numbers


def opened(token: str, d: int, public: bytes, hub_public: bytes):
    """Generate slices of the opening of a letter to the key `d` with the point `public`, by the hub with `hub_public`.

    Return (its claims, the key of its `received`): it is authentic, for this key, and of a form that letter.py names.
    Whether letter (hub, n) has been here before is the caller's to know; it is to be said `received` even then.
    """
    typ, epk, aad, iv, ciphertext, tag = jose_es.token_parts(token, MAX_LETTER)
    if typ != TYP:
        raise HubError("MALFORMED", "typ")
    cek = yield from ecdh_es.cek_from(d, epk)
    try:
        signed = str(aead.unseal(cek, iv, aad, ciphertext, tag), "utf-8")
    except UnicodeError:
        raise HubError("MALFORMED", "jws")
    header, claims = jose.jws_claims(signed, MAX_LETTER, _MOST_BRACKETS)
    hub = identity.hub_id(hub_public)
    if header.get("typ") != TYP or len(header) != 3:
        raise HubError("MALFORMED", "header")
    if header.get("kid") != hub:
        raise HubError("WRONG_HUB", "kid")
    if not (yield from identity.verify(hub_public, signed)):
        raise HubError("NOT_AUTHENTIC", "jws")
    _check(claims, hub, identity.hub_id(public))
    return claims, received_key(cek)


def command_hash(command: str) -> str:
    """Return the `re` of an answer to a command's compact JWS."""
    return base64url.encode(hashlib.sha256(command.encode()).digest())


def _check(claims, hub, to):
    mhx.whole(claims, "v", 1, 1)
    if claims.get("hub") != hub:
        raise HubError("WRONG_HUB", "hub")
    if claims.get("to") != to:
        raise HubError("UNKNOWN_RECIPIENT", "to")
    mhx.whole(claims, "n", 1, MAX_NUMBER)
    mhx.whole(claims, "at", 0, 1 << 33)
    mhx.text(claims, "clock", 16)
    kind = claims.get("kind")
    if kind not in KINDS:
        raise HubError("INVALID_VALUE", "kind")
    if not isinstance(claims.get("data"), dict):
        raise HubError("MALFORMED", "data")
    if kind == "answer":
        mhx.binary(claims, "re", _DIGEST_BYTES)
        if claims.get("outcome") not in OUTCOMES:
            raise HubError("INVALID_VALUE", "outcome")
        mhx.whole(claims, "ctr", 0, MAX_NUMBER)
        _check_texts(claims, ("cmd", "error", "field"))
    elif kind == "alert":
        mhx.whole(claims, "code", 0, 0xFFFF)
        _check_texts(claims, ("event", "detail"))
    elif kind == "report":
        _check_texts(claims, ("schedule",))
        mhx.whole(claims, "seq", 0, MAX_NUMBER)


def _check_texts(claims, names):
    for name in names:
        if not isinstance(claims.get(name), str):
            raise HubError("MALFORMED", name)
