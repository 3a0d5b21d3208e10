"""Elliptic-curve Diffie-Hellman on P-256.

Source   NIST SP 800-56A revision 3, 5.7.1.2 (ECC CDH; the cofactor is 1): the x coordinate of d * point.
Errors   ValueError for a scalar outside 1..N-1. The point must come out of p256.decode_point().
Runs on  both
"""

from . import p256
from .blind import mask


def shared_x(d: int, point: "tuple[int, int]"):
    """Generate slices of the shared secret of scalar `d` and the peer's `point`; return its 32 bytes."""
    x, _ = yield from p256.mul_point(d, point, mask(d, p256.encode_point(point), p256.P))
    return x.to_bytes(32, "big")
