"""Signed commands of the market roles: from bytes to a permitted Command, or a named error.

Source   JWS ES256: RFC 7515, RFC 7518 3.4; the order of checks: GBCS (recipient, code, originator, authentication,
         counter, permission, payload), each before the next and nothing changed by any of them
Units    times are Unix seconds, UTC; sizes are bytes
Errors   HubError. `Refused` is the one that is answered: who sent it is known. Any other is not authentic: no answer.
Runs on  both

MHC 1. A command is one compact JWS on the topic meterhub/<hub id>/down/command, header {alg "ES256", kid, typ
"cmd+jws"}; kid is identity.hub_id() of the role's public point. Claims:
  v     1
  hub   id of the hub it is for
  ctr   1 .. 2^53 - 1, higher than in any command of this kid before; (kid, ctr) is the transaction's id
  iat   when it was made; exp  when it runs out, at most a week later. Both count while the hub's clock is set
  cmd   name of the command (matrix.py)
  arg   its parameters, an object
  at    absent: now. A date: it is staged until then (class F alone). 0: never; cancels what is staged of this cmd

Who gave a command twice, byte for byte, gets the same outcome twice, and it is carried out once.
"""

import hashlib
from collections import namedtuple

from micropython import const

from ..codec import base64url, jose
from ..errors import HubError
from . import identity, matrix, mhx, roles

MAX_COMMAND = 4096
TYP = "cmd+jws"
_MOST_CTR = (1 << 53) - 1
MAX_LIFE_S = 604800  # from iat to exp
_AHEAD_S = const(300)  # how far a sender's clock may be ahead of the hub's
_NAME_LETTERS = "abcdefghijklmnopqrstuvwxyz_."

# role: who it comes from; since: Unix s, what is older is not theirs to read; h: SHA-256 of the JWS, base64url;
# at: None, or the date it is staged for (0: never); consent: a consent of the household is needed
Command = namedtuple("Command", ("kid", "role", "since", "ctr", "iat", "cmd", "arg", "at", "h", "service", "consent"))


class Refused(HubError):
    """The refusal of an authentic command. kid, ctr, cmd, h: as in Command."""

    def __init__(self, err: HubError, kid: str, claims: dict, h: str) -> None:
        super().__init__(err.name, err.field)
        self.kid = kid
        self.ctr = claims["ctr"]
        self.cmd = claims["cmd"]
        self.h = h


def claims_of(token: str) -> "tuple[str, dict]":
    """Return (kid, claims) of a command whose structure is right; nothing is verified."""
    header, claims = jose.jws_claims(token, MAX_COMMAND)
    if sorted(header) != ["alg", "kid", "typ"] or header["typ"] != TYP:
        raise HubError("MALFORMED", "header")
    kid = mhx.text(header, "kid", 16)
    mhx.whole(claims, "v", 1, 1)
    mhx.text(claims, "hub", 16)
    mhx.whole(claims, "ctr", 1, _MOST_CTR)
    mhx.whole(claims, "iat", 0, 1 << 33)
    mhx.whole(claims, "exp", 0, 1 << 33)
    name = mhx.text(claims, "cmd", 32)
    if name.strip(_NAME_LETTERS):
        raise HubError("MALFORMED", "cmd")
    if not isinstance(claims.get("arg"), dict):
        raise HubError("MALFORMED", "arg")
    if "at" in claims:
        mhx.whole(claims, "at", 0, 1 << 33)
    for claim in claims:
        if claim not in ("v", "hub", "ctr", "iat", "exp", "cmd", "arg", "at"):
            raise HubError("MALFORMED", "claims")
    return kid, claims


def hash_of(token: str) -> str:
    """Return h of a command."""
    return base64url.encode(hashlib.sha256(token.encode()).digest())


def authentic(token: str, hub: str, key_of, verify=identity.verify):
    """Return (as a generator, see crypto/steps.py) (kid, entry of roles.Roles, claims) of a command for `hub`.

    key_of(kid): the entry, or None; verify: identity.verify, or what does the same with a table of the key.
    """
    kid, claims = claims_of(token)
    entry = key_of(kid)
    if entry is None:
        raise HubError("UNKNOWN_RECIPIENT", "kid")
    if claims["hub"] != hub:
        raise HubError("WRONG_HUB", "hub")
    if not (yield from verify(roles.point(entry), token)):
        raise HubError("NOT_AUTHENTIC", "jws")
    return kid, entry, claims


def permitted(kid: str, entry: list, claims: dict, h: str, newest: int, now: int) -> Command:
    """Return the Command of authentic claims; Refused names what speaks against it.

    newest: the highest counter of this key; now: 0 while the clock is not set.
    """
    try:
        return _permitted(kid, entry, claims, h, newest, now)
    except HubError as err:
        raise Refused(err, kid, claims, h)


def _permitted(kid, entry, claims, h, newest, now):
    if claims["ctr"] <= newest:
        raise HubError("REPLAY", "ctr")
    if not roles.in_force(entry, now):
        raise HubError("REVOKED", "kid")
    _check_time(claims, now)
    row = matrix.row(claims["cmd"])
    if row is None:
        raise HubError("UNSUPPORTED", "cmd")
    service, letters, named = row
    permission = matrix.permission(named, entry[roles.ROLE])
    if permission not in ("yes", "consent"):
        raise HubError("NOT_AUTHORISED", "cmd")
    if not service:
        raise HubError("UNSUPPORTED", "cmd")
    if "at" in claims and "F" not in letters:
        raise HubError("INVALID_VALUE", "at")
    if not now and "C" in letters and service != "clock":
        raise HubError("CLOCK_INVALID", "unset")
    role, since = entry[roles.ROLE], entry[roles.FROM]
    at = claims.get("at")
    fields = (kid, role, since, claims["ctr"], claims["iat"], claims["cmd"], claims["arg"], at, h, service)
    return Command(*(fields + (permission == "consent",)))


def _check_time(claims, now):
    if not claims["iat"] <= claims["exp"] <= claims["iat"] + MAX_LIFE_S:
        raise HubError("INVALID_VALUE", "exp")
    if now and claims["iat"] > now + _AHEAD_S:
        raise HubError("INVALID_VALUE", "iat")
    if now and claims["exp"] < now:
        raise HubError("EXPIRED", "exp")
