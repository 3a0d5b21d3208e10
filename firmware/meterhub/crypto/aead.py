"""A128CBC-HS256: AES-128-CBC with PKCS #7 padding, then HMAC-SHA-256 cut to 16 bytes.

Source   RFC 7518 5.2.2 and 5.2.3; vector in its appendix B.1.
Units    cek 32 bytes: MAC key, then AES key; iv 16 bytes, unpredictable and new each time; tag 16 bytes.
Memory   one buffer as long as the ciphertext.
Errors   HubError NOT_AUTHENTIC "tag" whatever is wrong with the input; nothing is decrypted before the tag is right.
Runs on  both
"""

import cryptolib
from micropython import const

from ..errors import HubError
from .equal import equal
from .hmac import hmac_sha256

_CBC = const(2)
_BLOCK = const(16)


def _check_sizes(cek, iv):
    if len(cek) != 32 or len(iv) != _BLOCK:
        raise ValueError("cek or iv")


def _tag(cek, iv, aad, ciphertext):
    bits = (8 * len(aad)).to_bytes(8, "big")
    return hmac_sha256(cek[:16], aad, iv, ciphertext, bits)[:16]


def seal(cek: bytes, iv: bytes, aad: bytes, plaintext: "bytes | bytearray") -> "tuple[bytearray, bytes]":
    """Return (ciphertext, tag) of `plaintext`, authenticated together with `aad`."""
    _check_sizes(cek, iv)
    padding = _BLOCK - len(plaintext) % _BLOCK
    buf = bytearray(len(plaintext) + padding)
    buf[: len(plaintext)] = plaintext
    for i in range(len(plaintext), len(buf)):
        buf[i] = padding
    cryptolib.aes(cek[16:], _CBC, iv).encrypt(buf, buf)
    return buf, _tag(cek, iv, aad, buf)


def unseal(cek: bytes, iv: bytes, aad: bytes, ciphertext: "bytes | bytearray", tag: bytes) -> bytes:
    """Return the plaintext; HubError NOT_AUTHENTIC "tag" when any of the arguments is not what was sealed."""
    _check_sizes(cek, iv)
    if not equal(_tag(cek, iv, aad, ciphertext), tag) or not ciphertext or len(ciphertext) % _BLOCK:
        raise HubError("NOT_AUTHENTIC", "tag")
    buf = bytearray(len(ciphertext))
    cryptolib.aes(cek[16:], _CBC, iv).decrypt(ciphertext, buf)
    padding = buf[-1]
    if not 0 < padding <= _BLOCK or not equal(buf[-padding:], bytes((padding,)) * padding):
        raise HubError("NOT_AUTHENTIC", "tag")
    return bytes(memoryview(buf)[:-padding])
