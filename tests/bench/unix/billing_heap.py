"""What a day's batch, and a month's bill that the hub proves itself, take of a board's memory.

Orders   load: bytes that the modules take which a hub at rest has not loaded; day: the most bytes beside them, counted
         every few slices after collecting, while the batch of 48 half-hours is made
         load_prover, prove: the same of a bill over 31 such days, by a tariff of two bands
Runs on  the unix port
"""

import gc

from answers import serve

from meterhub.codec import base32  # noqa: F401 - what a hub at rest has: trust/identity.py's
from meterhub.crypto import drbg, hmac  # noqa: F401

DAY = 20454
READINGS = [(1000 + 137 * i, None) for i in range(1, 49)]


def _used() -> int:
    gc.collect()
    gc.collect()
    return gc.mem_alloc()


def load() -> int:
    """Import what NEEDS names."""
    before = _used()
    from meterhub.trust import batches

    for name in batches.NEEDS:
        __import__("meterhub." + name)
    return _used() - before


def day() -> int:
    """Make a batch."""
    from meterhub.trust import batches

    place = (DAY, 1800, DAY * 48, 48, 255, 0)
    before = most = _used()
    nothing = (bytes(32), bytes(32))
    for number, _ in enumerate(
        batches.whole_day(b"h" * 10, b"c" * 16, b"k" * 32, place, nothing, (1000, None), READINGS)
    ):
        if not number % 20:
            most = max(most, _used())
    return most - before


def load_prover() -> int:
    """Import what a bill needs besides."""
    before = _used()
    from meterhub.trust import linear_proof

    return _used() - before + 0 * bool(linear_proof)


def prove() -> int:
    """Make a bill and its proof, from one day's readings at a time."""
    import commitments

    before = most = _used()
    for number, _ in enumerate(commitments.month()):
        if not number % 20:
            most = max(most, _used())
    return most - before


if __name__ == "__main__":
    serve({"load": load, "day": day, "load_prover": load_prover, "prove": prove})
