"""MHC 1 on the role's side: commands are signed, letters opened, receipts made.

Source   JWS ES256: RFC 7515, 7518 3.4; JWE ECDH-ES A128CBC-HS256: RFC 7516, 7518 4.6 and 5.2.3; HKDF: RFC 5869. What
         is in a token and how it is laid out is the firmware's (codec/jose.py, crypto/ecdh_es.py, aead.py, hkdf.py);
         the private keys' work is done by `cryptography`, a hundred times faster than the firmware's in CPython.
Units    times are Unix seconds, UTC
Errors   HubError MALFORMED, OVERSIZED, INVALID_VALUE, BAD_POINT, NOT_AUTHENTIC, WRONG_HUB, UNKNOWN_RECIPIENT, each
         with the field. Nothing is believed of a letter before the seal and the hub's signature are right.

A command is what firmware/meterhub/trust/command.py says, a letter and its receipt what trust/letter.py says. In a
"hello", data.key is the hub's point (65 bytes, base64url), which gives its id.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from ..roles.keys import Role

from meterhub.codec import base64url, jose, jose_es  # isort: skip
from meterhub.crypto import aead, ecdh_es  # isort: skip
from meterhub.errors import HubError  # isort: skip
from meterhub.trust import command as mhc_command  # isort: skip
from meterhub.trust import letter as mhc  # isort: skip
from meterhub.trust import mhx  # isort: skip
from meterhub.trust.letter_opener import KINDS, OUTCOMES, command_hash  # isort: skip
from meterhub.trust.identity import hub_id  # isort: skip

MAX_COMMAND = mhc_command.MAX_COMMAND
MAX_LETTER = mhc.MAX_LETTER
MAX_LIFE_S = mhc_command.MAX_LIFE_S
NEVER = 0  # the date that cancels what is staged by the same command
_ENC = b"A128CBC-HS256"
_SIGNATURE = 87  # characters: a dot, and 64 bytes
_CURVE = ec.SECP256R1()
_SHA256 = ec.ECDSA(hashes.SHA256())


def topic(hub: str, kind: str) -> str:
    """Return the topic on which `hub` hears `kind`: "command" or "received"."""
    return f"meterhub/{hub}/down/{kind}"


def letters(hub: str, kid: str) -> str:
    """Return the topic (or, with hub "+", the filter) of the letters to the role `kid`."""
    return f"meterhub/{hub}/up/role-{kid}"


def unsigned(role: Role, claims: dict[str, Any]) -> bytes:
    """Return the signing input of a command; HubError OVERSIZED when no hub would take it."""
    header = {"alg": "ES256", "kid": role.kid, "typ": mhc_command.TYP}
    signing_input: bytes = jose.jws_input(header, {"v": 1, **claims})
    if len(signing_input) + _SIGNATURE > MAX_COMMAND:
        raise HubError("OVERSIZED", "command")
    return signing_input


def command(role: Role, claims: dict[str, Any]) -> str:
    """Return the command with these claims (v is added) as compact JWS."""
    signing_input = unsigned(role, claims)
    token: str = jose.jws_join(signing_input, role.signature(signing_input))
    return token


def reference(token: str) -> str:
    """Return what an answer calls the command `token`: its `re`."""
    text: str = command_hash(token)
    return text


def public_key(point: bytes) -> ec.EllipticCurvePublicKey:
    """Return the key with this point (65 bytes); HubError BAD_POINT when there is none."""
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, point)
    except ValueError:
        raise HubError("BAD_POINT", "key") from None


@dataclass(frozen=True)
class Letter:
    """What a hub told a role. n: the letter's number; at: when, 0 when the hub's clock was not set; body: the rest.

    cek is what receipt() needs; key: the hub's point when the letter is a hello, else b"".
    """

    hub: str
    to: str
    n: int
    at: int
    clock: str
    kind: str
    body: dict[str, Any]
    cek: bytes = field(repr=False)
    key: bytes = b""


@dataclass(frozen=True)
class Unsealed:
    """A letter whose seal is right; who has written it is not known yet."""

    token: str
    cek: bytes = field(repr=False)


def unseal(raw: bytes, role: Role) -> Unsealed:
    """Take the seal off a letter to `role`."""
    if len(raw) > MAX_LETTER:
        raise HubError("OVERSIZED", "letter")
    typ, epk, aad, iv, ciphertext, tag = jose_es.token_parts(_ascii(raw), MAX_LETTER)
    if typ != mhc.TYP:
        raise HubError("MALFORMED", "typ")
    cek = ecdh_es.concat_kdf(role.agree(public_key(epk)), _ENC, 32)
    return Unsealed(_ascii(aead.unseal(cek, iv, aad, ciphertext, tag)), cek)


def read(unsealed: Unsealed, hub: str, to: str, key: ec.EllipticCurvePublicKey | None) -> Letter:
    """Return the letter that `hub` (by the topic) has written to the role with kid `to`.

    key: the hub's, None for one that is not known: such a letter is believed when it is a hello, signed with the key
    it brings along, and that key gives the hub's id. Else HubError WRONG_HUB "key".
    """
    signed, signature = jose.jws_parts(unsealed.token)
    if key is not None:
        _verify(key, signed, signature)
    head, text, _ = unsealed.token.split(".")
    header, claims = _json(head, "header"), _json(text, "claims")
    if header != {"alg": "ES256", "kid": hub, "typ": mhc.TYP} or claims.get("hub") != hub:
        raise HubError("WRONG_HUB", "hub")
    point = _point(claims, hub)
    if key is None:
        if not point:
            raise HubError("WRONG_HUB", "key")
        _verify(public_key(point), signed, signature)
    if claims.get("to") != to:
        raise HubError("UNKNOWN_RECIPIENT", "to")
    return _letter(claims, unsealed.cek, point)


def receipt(letter: Letter) -> bytes:
    """Return the message that lets the hub forget the letter, which is stored."""
    mac = base64url.encode(mhc.received_mac(mhc.received_key(letter.cek), letter.n))
    return b'{"n":%d,"mac":"%s"}' % (letter.n, mac.encode())


def _ascii(raw: bytes) -> str:
    try:
        return raw.decode("ascii")
    except UnicodeDecodeError:
        raise HubError("MALFORMED", "letter") from None


def _verify(key: ec.EllipticCurvePublicKey, signed: bytes, signature: bytes) -> None:
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    try:
        key.verify(encode_dss_signature(r, s), signed, _SHA256)
    except InvalidSignature:
        raise HubError("NOT_AUTHENTIC", "signature") from None


def _json(part: str, name: str) -> dict[str, Any]:
    """Return the JSON object in a part of the JWS. Not jose's: a letter's data may hold more lists than a command."""
    try:
        found = json.loads(base64url.decode(part), parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise HubError("MALFORMED", name) from None
    if not isinstance(found, dict):
        raise HubError("MALFORMED", name)
    return found


def _refuse(constant: str) -> None:
    raise ValueError(constant)  # NaN, Infinity: no JSON


def _words(body: dict[str, Any], name: str, longest: int) -> None:
    """Raise HubError unless body[name], when it is there, is such a text as every database keeps: without NUL."""
    value = body.get(name, "")
    if not isinstance(value, str) or len(value) > longest or not value.isprintable():
        raise HubError("MALFORMED", name)


def _point(claims: dict[str, Any], hub: str) -> bytes:
    """Return the point that a hello brings along, b"" for another letter; HubError when it does not give the id."""
    if claims.get("kind") != "hello" or not isinstance(claims.get("data"), dict):
        return b""
    point: bytes = mhx.binary(claims["data"], "key", 65)
    if hub_id(point) != hub:
        raise HubError("WRONG_HUB", "key")
    return point


def _letter(claims: dict[str, Any], cek: bytes, point: bytes) -> Letter:
    """Return the letter with these claims, whose structure is looked over."""
    mhx.whole(claims, "v", 1, 1)
    n, at = mhx.whole(claims, "n", 1, mhc.MAX_NUMBER), mhx.whole(claims, "at", 0, 1 << 33)
    clock, kind = mhx.text(claims, "clock", 16), mhx.text(claims, "kind", 16)
    _words(claims, "clock", 16)
    if kind not in KINDS:
        raise HubError("INVALID_VALUE", "kind")
    body = {name: claims[name] for name in claims if name not in ("v", "hub", "to", "n", "at", "clock", "kind")}
    if not isinstance(body.get("data"), dict):
        raise HubError("MALFORMED", "data")
    _CHECKS[kind](body)
    return Letter(claims["hub"], claims["to"], n, at, clock, kind, body, cek, point)


def _check_answer(body: dict[str, Any]) -> None:
    mhx.binary(body, "re", 32)
    mhx.whole(body, "ctr", 0, mhc.MAX_NUMBER)
    mhx.text(body, "cmd", 64)
    if mhx.text(body, "outcome", 16) not in OUTCOMES:
        raise HubError("INVALID_VALUE", "outcome")
    for name in ("error", "field"):
        _words(body, name, 64)


def _check_alert(body: dict[str, Any]) -> None:
    mhx.text(body, "event", 64)
    _words(body, "event", 64)
    mhx.whole(body, "code", 0, 0xFFFF)
    _words(body, "detail", 256)


def _check_report(body: dict[str, Any]) -> None:
    if type(body.get("schedule")) is not int:  # a number or a short text
        mhx.text(body, "schedule", 64)
        _words(body, "schedule", 64)
    mhx.whole(body, "seq", 0, mhc.MAX_NUMBER)


_CHECKS = {"answer": _check_answer, "alert": _check_alert, "report": _check_report, "hello": lambda body: None}
