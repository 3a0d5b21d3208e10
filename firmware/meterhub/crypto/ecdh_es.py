"""ECDH-ES: a content key for the holder of a P-256 key, out of a key pair that is made for one message.

Source   RFC 7518 4.6 (direct key agreement), its 4.6.2 and NIST SP 800-56A revision 3, 5.8.2.1 (Concat KDF with
         SHA-256, one round of it); vector in appendix C. Without apu and apv, which JWE may leave out.
Units    cek 32 bytes, as crypto/aead.py wants it; points are 65 bytes, 04 || x || y.
Errors   HubError BAD_POINT for bytes that are no point of the curve; ValueError for a scalar outside 1..N-1.
Runs on  both
"""

import hashlib

from micropython import const

from . import ecdsa, p256
from .ecdh import shared_x

_ENC = const(b"A128CBC-HS256")  # with direct agreement the AlgorithmID is enc (4.6.2)
_CEK_BYTES = const(32)


def concat_kdf(z: bytes, algorithm: bytes, length: int, apu: bytes = b"", apv: bytes = b"") -> bytes:
    """Return the key of `length` bytes, at most 32, from the shared secret `z`; ValueError for a longer one."""
    if not 0 < length <= 32:
        raise ValueError("length")
    digest = hashlib.sha256(b"\x00\x00\x00\x01")  # the round
    digest.update(z)
    for part in (algorithm, apu, apv):
        digest.update(len(part).to_bytes(4, "big"))
        digest.update(part)
    digest.update((8 * length).to_bytes(4, "big"))
    return digest.digest()[:length]


def cek_to(public: bytes, drbg):
    """Generate slices of a new content key for who has the key with the point `public`; return (epk, cek).

    epk (65 bytes) is the point of a key pair out of `drbg` (a Drbg), which nobody keeps.
    """
    point = p256.decode_point(public)
    d = drbg.scalar()
    epk = p256.encode_point((yield from ecdsa.public_point(d)))
    z = yield from shared_x(d, point)
    return epk, concat_kdf(z, _ENC, _CEK_BYTES)


def cek_from(d: int, epk: bytes):
    """Generate slices of the content key that cek_to() made for the private key `d`; return its 32 bytes."""
    return concat_kdf((yield from shared_x(d, p256.decode_point(epk))), _ENC, _CEK_BYTES)
