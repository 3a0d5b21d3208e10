"""Challenges: what prover and verifier both draw from all that was said, in place of a verifier's coin (Fiat-Shamir).

Source   Fiat and Shamir, CRYPTO '86; with the statement in the hash: Bernhard, Pereira, Warinschi, ASIACRYPT 2012

    c = the first 16 bytes of SHA-256("mhp1 " || word || 0 || SHA-256(bill or disclosure) || u32 number || points)
word: which kind of part, number: which part of the proof, counted from 0, big-endian; points: 33 bytes each.
The bill or disclosure has hub, chain, period, tariff, the digest of all batches, and the verifier's nonce.
"""

from __future__ import annotations

import hashlib

BITS = 128
MASK = (1 << BITS) - 1


def challenge(word: bytes, context: bytes, number: int, points: list[bytes]) -> int:
    """Return a challenge below 2^128."""
    digest = hashlib.sha256(b"mhp1 " + word + b"\0" + context + number.to_bytes(4))
    for point in points:
        digest.update(point)
    return int.from_bytes(digest.digest()[:16])
