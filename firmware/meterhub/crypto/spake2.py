"""SPAKE2: two sides that share a short password prove it to each other and get a strong key.

Source   RFC 9382: P256-SHA256-HKDF-HMAC; flow 3.3, transcript and keys 3.4 and 4, M and N section 4 (table 1).
Errors   HubError BAD_POINT for a peer's share that is no point, or that is the password's own point.
Runs on  both

Every run needs a new scalar: two runs of one scalar would let a wrong guess be tried twice.
"""

import hashlib
from collections import namedtuple

from ..errors import HubError
from . import p256, p256_tables, spake2_tables
from .blind import mask
from .hkdf import hkdf
from .hmac import hmac_sha256

M = (
    0x886E2F97ACE46E55BA9DD7242579F2993B64E16EF3DCAB95AFD497333D8FA12F,
    0x5FF355163E43CE224E0B0E65FF02AC8E5C7BE09419C785E0CA547D55A12E2D20,
)
N = (
    0xD8BBD6C639C62937B04D997F38C3770719C629D7014D49A24B4F98BAA1292B49,
    0x07D60AA6BFADE45008A636337F5168C64D9BD36034808CD564490B1E656EDBE7,
)

# ke: 16 bytes, the key; confirm_mine: 32 bytes to send; confirm_theirs: what the peer's must be, by equal()
Keys = namedtuple("Keys", ("ke", "confirm_mine", "confirm_theirs"))


class Spake2:
    """One run. role: "A" or "B"; w: the password's scalar, scalar: a new random one, both in 1..n-1;
    id_a, id_b: the identities as bytes."""

    def __init__(self, role: str, w: int, scalar: int, id_a: bytes, id_b: bytes) -> None:
        if role not in ("A", "B"):
            raise ValueError("role")
        self._is_a = role == "A"
        self._w = w
        self._scalar = scalar
        self._ids = (id_a, id_b)
        self._share = b""
        self._peer_mask = (0, 0)

    def __repr__(self) -> str:
        return "Spake2"

    def share(self):
        """Generate slices of the own share, scalar * G + w * (M or N); return its 65 bytes."""
        if not self._share:
            constant = (M, spake2_tables.M) if self._is_a else (N, spake2_tables.N)
            products = ((self._w,) + constant, (self._scalar, p256.G, p256_tables.G))
            point = yield from p256.known(products, mask(self._scalar, b"share", p256.P))
            self._share = p256.encode_point(point)
        return self._share

    def precompute(self):
        """Generate slices of all that can be done before the peer's share is there: share() and w * (N or M)."""
        yield from self.share()
        if not self._peer_mask[0]:
            constant = (N, spake2_tables.N) if self._is_a else (M, spake2_tables.M)
            scale = mask(self._scalar, b"peer", p256.P)
            self._peer_mask = p256.negate((yield from p256.known(((self._w,) + constant,), scale)))

    def finish(self, peer: bytes, aad: bytes):
        """Generate slices of the keys from the `peer`'s share (65 bytes); return Keys.

        `aad` is bound to the confirmations. Raises HubError BAD_POINT; the peer must not be believed before its
        confirmation is equal to confirm_theirs.
        """
        point = p256.decode_point(peer)
        yield from self.precompute()
        point = p256.scaled(point, mask(self._scalar, peer, p256.P))
        masked = p256.add_mixed(point, self._peer_mask)
        if not masked[2]:  # the share is nothing but the password's point, or its opposite: nobody's honest choice
            raise HubError("BAD_POINT")
        shared = yield from p256.mul_jacobian(self._scalar, masked)
        return self._keys(peer, p256.encode_point(shared), aad)

    def _keys(self, peer, shared, aad):
        shares = (self._share, peer) if self._is_a else (peer, self._share)
        parts = self._ids + shares + (shared, self._w.to_bytes(32, "big"))
        transcript = b"".join(len(part).to_bytes(8, "little") + part for part in parts)
        digest = hashlib.sha256(transcript).digest()
        confirm = hkdf(digest[16:], b"", b"ConfirmationKeys" + aad, 32)
        by_a = hmac_sha256(confirm[:16], transcript)
        by_b = hmac_sha256(confirm[16:], transcript)
        return Keys(digest[:16], by_a, by_b) if self._is_a else Keys(digest[:16], by_b, by_a)
