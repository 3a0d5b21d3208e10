"""HKDF with SHA-256: keys out of a secret.

Source   RFC 5869; vectors in its appendix A.
Errors   ValueError for more than 255 blocks.
Runs on  both
"""

from .hmac import hmac_sha256


def hkdf(ikm: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """Return `length` bytes (at most 8160) derived from `ikm`, `salt` (b'' for none) and `info`."""
    if length > 255 * 32:
        raise ValueError("length")
    prk = hmac_sha256(salt, ikm)  # an empty salt and 32 zero bytes are the same HMAC key (2.2)
    block = b""
    out = bytearray()
    while len(out) < length:
        block = hmac_sha256(prk, block, info, bytes((len(out) // 32 + 1,)))
        out.extend(block)
    return bytes(out[:length])
