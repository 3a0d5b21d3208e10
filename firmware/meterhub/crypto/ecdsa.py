"""ECDSA on P-256 with SHA-256 digests: what JWS calls ES256.

Source   FIPS 186-5 6.4.1, 6.4.2; nonces: RFC 6979 3.2, and 3.6 for the extra input k'; signatures are r || s, 64
         bytes, big-endian: RFC 7518 3.4. Verification: u1 G by comb, u2 Q in non-adjacent form, doublings shared
         (Guide to Elliptic Curve Cryptography, algorithms 3.35, 3.51), and no inverse of Z. With a table of the key:
         ecdsa_known.py.
Errors   ValueError for a private key outside 1..N-1. Points must come out of p256.decode_point().
Runs on  both

A signature vouches for its digest; it is no name for the message: whoever has (r, s) can make (r, N - s).
"""

from micropython import const

from . import p256, p256_tables
from .blind import mask
from .drbg import Drbg
from .p256 import N, P

_BITS = const(257)  # of a non-adjacent form


def public_point(d: int):
    """Generate slices of the public key of the private key `d`; return it as a point."""
    return (yield from p256.mul_base(d, mask(d, b"public", P)))


def sign(d: int, digest: bytes, drbg: "Drbg | None"):
    """Generate slices of the signature with the private key `d` over a 32-byte `digest`; return its 64 bytes.

    32 bytes of `drbg` go into the nonce (RFC 6979 3.6), so that no fault or trace can be had twice for the same
    nonce; without a `drbg` it is RFC 6979's own, which its vectors need.
    """
    if not 0 < d < N:
        raise ValueError("private key")
    e = int.from_bytes(digest, "big") % N
    extra = drbg.read(32) if drbg else b""
    # RFC 6979 3.2 b to g is HMAC-DRBG, seeded with this
    nonces = Drbg(d.to_bytes(32, "big") + e.to_bytes(32, "big") + extra)
    while True:
        k = int.from_bytes(nonces.read(32), "big")
        if not 0 < k < N:
            continue
        x, _ = yield from p256.mul_base(k, mask(k, b"scale", P))
        yield
        r = x % N
        b = mask(k, b"inverse", N)  # inverse() takes longer for some numbers: never show it the bare nonce
        s = p256.inverse(k * b, N) * (b * e + r * (d * b % N)) % N
        if r and s:
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def verify(point: "tuple[int, int]", digest: bytes, signature: bytes):
    """Generate slices of the check of `signature` over a 32-byte `digest` by the public key `point`.

    Return whether it is good; anything but 64 bytes r || s with r, s in 1..N-1 is not.
    """
    return (yield from checked(_sum, point, digest, signature))


def checked(sum_of, key, digest: bytes, signature: bytes):
    """Generate slices of verify(), with sum_of(u1, u2, key) for the sum of u1 * G and u2 times the key's point."""
    if len(signature) != 64:
        return False
    r = int.from_bytes(signature[:32], "big")
    s = int.from_bytes(signature[32:], "big")
    if not (0 < r < N and 0 < s < N):
        return False
    w = p256.inverse(s, N)
    yield
    x, _, z = yield from sum_of(int.from_bytes(digest, "big") * w % N, r * w % N, key)
    zz = z * z % P
    # the sum's x coordinate, x / z^2, is below P and may be r or r + N
    return z != 0 and (r * zz % P == x or (r + N < P and (r + N) * zz % P == x))


# -- u1 G + u2 Q: all public, so the fewest operations that give the right sum ------------------------------


def _sum(u1, u2, point):
    """Generate slices of u1 * G + u2 * point; return it in Jacobian coordinates."""
    odd = yield from p256.odd_multiples(point + (1,))
    multiples = [p256.negate(one) for one in reversed(odd)] + odd
    comb = p256.comb(u1 or 1, p256_tables.G)
    columns = comb[0] if u1 else 0
    digits = _non_adjacent(u2)
    total = (0, 1, 0)
    doublings = 0
    for i in range(_BITS - 1, -1, -1):
        doublings += 1
        if digits[i] or i < columns:
            total = p256.double_n(total, doublings)
            doublings = 0
            if digits[i]:
                total = plus(total, multiples[digits[i] >> 1])
            if i < columns:
                total = plus(total, p256.column(comb, i))
        if not i & 3:
            yield
    return p256.double_n(total, doublings)


def _non_adjacent(k):
    """Return one byte for each power of two: 0 for none of it, else 16 + an odd digit -15..15; no two within five."""
    digits = bytearray(_BITS)
    i = 0
    while k:
        step = 1
        if k & 1:
            digit = (k & 31 ^ 16) - 16
            digits[i] = 16 + digit
            k -= digit
            step = 5
        k >>= step
        i += step
    return digits


def plus(jacobian: "tuple[int, int, int]", point: "tuple[int, int]") -> "tuple[int, int, int]":
    """Return the Jacobian sum, whatever the two are."""
    _, y, z = jacobian
    if not z:
        return point + (1,)
    found = p256.add_mixed(jacobian, point)
    if found[2]:
        return found
    if (point[1] * (z * z % P * z % P) - y) % P:
        return 0, 1, 0
    return p256.double_n(point + (1,), 1)
