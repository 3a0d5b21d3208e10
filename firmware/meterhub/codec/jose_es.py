"""Compact JWE whose key is agreed on, "ECDH-ES": its structure, built and taken apart. No key is used in this file.

Source   RFC 7516 (3.1, 5.1, 5.2); ECDH-ES: RFC 7518 4.6, with one curve, its 6.2.1; otherwise as jose.py, which has
         what is known by both sides beforehand.
Errors   HubError OVERSIZED or MALFORMED with the field; nothing else for any token from outside.
Runs on  both
"""

from micropython import const

from . import base64url
from .jose import ENC, binary, json_object, malformed, sealed, sealed_parts, split

_COORDINATE_BYTES = const(32)


def seal_token(typ: str, epk: bytes, plaintext, cek: bytes, iv: bytes, seal) -> bytearray:
    """Return the compact JWE, in ASCII, of `plaintext` under the `cek` that was agreed on with the point `epk`.

    epk, cek: of ecdh_es.cek_to(); `seal` is aead.seal.
    """
    x, y = base64url.encode(epk[1:33]), base64url.encode(epk[33:])
    full = {"alg": "ECDH-ES", "enc": ENC, "epk": {"kty": "EC", "crv": "P-256", "x": x, "y": y}}
    return sealed(full, {"typ": typ}, plaintext, cek, iv, seal)


def token_parts(token: str, limit: int) -> "tuple[str, bytes, bytes, bytes, bytes, bytes]":
    """Return (typ, epk, aad, iv, ciphertext, tag) of a compact JWE of at most `limit` characters, to be unsealed.

    Its header is exactly {alg, enc, epk {kty, crv, x, y}, typ}. Whether `epk` (65 bytes) is a point of the curve is
    for p256.decode_point() to say.
    """
    parts = split(token, 5, limit, "jwe")
    header = json_object(parts[0], "header")
    for name, value in (("alg", "ECDH-ES"), ("enc", ENC)):
        if header.get(name) != value:
            raise malformed(name)
    typ, epk = header.get("typ"), header.get("epk")
    if not isinstance(typ, str) or len(header) != 4:
        raise malformed("header")
    if not isinstance(epk, dict) or len(epk) != 4 or epk.get("kty") != "EC" or epk.get("crv") != "P-256":
        raise malformed("epk")
    point = b"\x04"
    for name in ("x", "y"):
        value = epk.get(name)
        if not isinstance(value, str):
            raise malformed("epk")
        point += binary(value, _COORDINATE_BYTES, "epk")
    return (typ, point) + sealed_parts(parts)
