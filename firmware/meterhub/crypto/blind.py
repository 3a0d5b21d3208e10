"""Numbers that hide a secret scalar while it is worked with: unknown to all but its owner, different for each use.

Source   Coron 1999 (randomised coordinates): what a power or timing trace shows must not be about a number that
         anybody else knows.
Runs on  both
"""

from .hmac import hmac_sha256


def mask(k: int, label: bytes, m: int) -> int:
    """Return a number in 1..m-1 that follows from the scalar `k` (below 2^256) and `label`, and tells nothing of k."""
    return int.from_bytes(hmac_sha256(k.to_bytes(32, "big"), b"mask", label), "big") % (m - 1) + 1
