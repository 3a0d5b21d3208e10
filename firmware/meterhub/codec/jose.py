"""Compact JWS and JWE: their structure, built and taken apart. No key is used in this file.

Source   JWS: RFC 7515 (3.1 compact, 4.1 header, 5.2 steps), ES256: RFC 7518 3.4; JWE: RFC 7516 (3.1, 5.1, 5.2),
         "dir": RFC 7518 4.5, A128CBC-HS256: RFC 7518 5.2.3. One algorithm of each and no header member that could
         bring another key or meaning along (RFC 8725 3.1, 3.2). The one whose key is agreed on: jose_es.py.
Units    `limit` counts characters of the whole token.
Memory   the token about three times over while it is built or taken apart.
Errors   HubError OVERSIZED or MALFORMED with the field; nothing else for any token from outside.
Runs on  both
"""

import json

from micropython import const

from ..errors import HubError
from . import base64url

_ALG = const("ES256")
ENC = "A128CBC-HS256"
_REFUSED = const(("jwk", "jku", "x5u", "x5c", "crit", "b64", "zip"))
_MAX_BRACKETS = const(32)  # of one JSON part: bounds how deep a parser can be led
_SIGNATURE_BYTES = const(64)
_DOT = const(0x2E)
_BLOCK_BYTES = const(16)  # of AES; an IV and a tag are as long


def malformed(field: str) -> HubError:
    """Return the error that names a part of a token."""
    return HubError("MALFORMED", field)


def split(token: str, count: int, limit: int, field: str) -> list:
    """Return the `count` parts of a token of at most `limit` characters; HubError OVERSIZED or MALFORMED."""
    if not isinstance(token, str):
        raise malformed(field)
    if len(token) > limit:
        raise HubError("OVERSIZED", field)
    parts = token.split(".", count)
    if len(parts) != count:
        raise malformed(field)
    return parts


def json_object(part: str, field: str, brackets: int = _MAX_BRACKETS) -> dict:
    """Return the JSON object in a part of a token; HubError MALFORMED."""
    raw = base64url.decode(part)
    if raw.count(b"{") + raw.count(b"[") > brackets:
        raise malformed(field)
    try:
        found = json.loads(str(raw, "utf-8"))
    except ValueError:  # UnicodeError is one
        raise malformed(field)
    if not isinstance(found, dict):
        raise malformed(field)
    return found


def _header(part, alg, types):
    header = json_object(part, "header")
    for name in header:
        if name in _REFUSED or not isinstance(name, str) or not isinstance(header[name], types):
            raise malformed("header")
    if header.get("alg") != alg:
        raise malformed("alg")
    return header


def _text(document):
    return base64url.encode(json.dumps(document, separators=(",", ":")).encode())


def binary(part: str, length: int, field: str) -> bytes:
    """Return the `length` bytes in a part of a token; HubError MALFORMED."""
    raw = base64url.decode(part)
    if len(raw) != length:
        raise malformed(field)
    return raw


def jws_claims(token: str, limit: int, brackets: int = _MAX_BRACKETS) -> "tuple[dict, dict]":
    """Return (header, claims) of a compact JWS of at most `limit` characters; its signature is NOT verified.

    brackets: how many objects and lists the claims may have.

    Raises HubError OVERSIZED, or MALFORMED with the part that is not as RFC 7515 and this file want it.
    """
    head, claims, signature = split(token, 3, limit, "jws")
    header = _header(head, _ALG, str)
    binary(signature, _SIGNATURE_BYTES, "signature")
    return header, json_object(claims, "claims", brackets)


def jws_parts(token: str) -> "tuple[bytes, bytes]":
    """Return (signing input, signature r || s of 64 bytes) of a compact JWS; HubError MALFORMED."""
    head, claims, signature = split(token, 3, len(token), "jws")
    return (head + "." + claims).encode(), binary(signature, _SIGNATURE_BYTES, "signature")


def jws_input(header: dict, claims: dict) -> bytes:
    """Return the signing input of a JWS: what is to be hashed and signed, then given to jws_join()."""
    return (_text(header) + "." + _text(claims)).encode()


def jws_join(signing_input: bytes, signature: bytes) -> str:
    """Return the compact JWS of a signing input and its signature (r || s, 64 bytes)."""
    return signing_input.decode() + "." + base64url.encode(signature)


def jwe_seal(header: dict, plaintext, cek: bytes, iv: bytes, seal, before=b"", after=b"") -> bytearray:
    """Return the compact JWE of `plaintext` under `cek` (32 bytes) and `iv` (16 bytes, never used before), in ASCII.

    It stands between `before` and `after`, so that the message around it costs no second copy of its length.

    `header` may hold strings, integers and booleans; alg and enc are set here. `seal` is aead.seal.
    """
    return sealed({"alg": "dir", "enc": ENC}, header, plaintext, cek, iv, seal, before, after)


def sealed(full: dict, header: dict, plaintext, cek: bytes, iv: bytes, seal, before=b"", after=b"") -> bytearray:
    """Return the compact JWE as jwe_seal() does, its header `full`, and whatever of `header` is not in that."""
    for name, value in header.items():
        full.setdefault(name, value)
    head = _text(full).encode()
    parts = (b"", iv) + seal(cek, iv, head, plaintext)
    size = sum([1 + (4 * len(part) + 2) // 3 for part in parts])
    out = bytearray(len(before) + len(head) + size + len(after))
    pos = len(before) + len(head)
    out[:pos] = before + head
    for part in parts:
        out[pos] = _DOT
        pos = base64url.encode_into(out, pos + 1, part)
    out[pos:] = after
    return out


def jwe_parts(token: str, limit: int) -> "tuple[dict, bytes, bytes, bytes, bytes]":
    """Return (header, aad, iv, ciphertext, tag) of a compact JWE of at most `limit` characters, to be unsealed.

    Raises HubError OVERSIZED, or MALFORMED with the part that is not as RFC 7516 and this file want it.
    """
    parts = split(token, 5, limit, "jwe")
    header = _header(parts[0], "dir", (str, int, bool))  # MicroPython's bool is no int
    if header.get("enc") != ENC:
        raise malformed("enc")
    return (header,) + sealed_parts(parts)


def sealed_parts(parts: list) -> "tuple[bytes, bytes, bytes, bytes]":
    """Return (aad, iv, ciphertext, tag) of the five parts of a JWE without an encrypted key (RFC 7518 4.5, 4.6)."""
    head, encrypted_key, iv, ciphertext, tag = parts
    if encrypted_key:
        raise malformed("encrypted key")
    raw = base64url.decode(ciphertext)
    if not raw or len(raw) % _BLOCK_BYTES:
        raise malformed("ciphertext")
    return head.encode(), binary(iv, _BLOCK_BYTES, "iv"), raw, binary(tag, _BLOCK_BYTES, "tag")
