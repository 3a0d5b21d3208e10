"""The firmware's public-key operations, one at a time.

Orders   each operation: [us from beginning to end, us of its longest slice]; products: [us for 1000 of a * b % p, 0];
         proof: what another implementation can check
Runs on  both
"""

import binascii
import gc
import hashlib

from answers import elapsed_us, now_us, serve

from meterhub.crypto import ecdh, ecdh_es, ecdsa, ecdsa_known, p256, p256_comb
from meterhub.crypto.drbg import Drbg
from meterhub.crypto.spake2 import Spake2
from meterhub.crypto.steps import run

DIGEST = hashlib.sha256(b"meterhub bench").digest()
DRBG = Drbg(b"\x07" * 48)
KEY = DRBG.scalar()
PEER = DRBG.scalar()
W = DRBG.scalar()


def sliced(steps) -> list:
    """Go through all slices of `steps`; return how long that took, and the longest of them."""
    gc.collect()
    longest = 0
    start = last = now_us()
    while True:
        try:
            next(steps)
        except StopIteration:
            now = now_us()
            return [elapsed_us(now, start), max(longest, elapsed_us(now, last))]
        now = now_us()
        longest = max(longest, elapsed_us(now, last))
        last = now


def _hub():
    return Spake2("B", W, DRBG.scalar(), b"mhx1 client", b"mhx1 hub")


def spake_before() -> list:
    """All that the hub can do before the peer's share is there."""
    return sliced(_hub().precompute())


def spake_after(share: bytes) -> list:
    """What is left when it comes."""
    hub = _hub()
    run(hub.precompute())
    return sliced(hub.finish(share, b"aad"))


def products() -> list:
    """A thousand times what all of it is made of."""
    a, b, p = p256.G[0], p256.G[1], p256.P
    gc.collect()
    start = now_us()
    for _ in range(1000):
        a * b % p
    return [elapsed_us(now_us(), start), 0]


def proof(point: tuple, signature: bytes) -> list:
    """[public point, signature over DIGEST, secret shared with the private key that follows, that key], in hex."""
    shared = run(ecdh.shared_x(PEER, point))
    parts = (p256.encode_point(point), signature, shared, PEER.to_bytes(32, "big"))
    return [binascii.hexlify(part).decode() for part in parts]


def main() -> None:
    """Make what the operations need, and serve."""
    point = run(ecdsa.public_point(KEY))
    peer = run(ecdsa.public_point(PEER))
    signature = run(ecdsa.sign(KEY, DIGEST, DRBG))
    table = run(p256_comb.table_of(point))
    share = run(Spake2("A", W, PEER, b"mhx1 client", b"mhx1 hub").share())
    serve(
        {
            "sign": lambda: sliced(ecdsa.sign(KEY, DIGEST, DRBG)),
            "verify": lambda: sliced(ecdsa.verify(point, DIGEST, signature)),
            "table": lambda: sliced(p256_comb.table_of(point)),
            "verify_known": lambda: sliced(ecdsa_known.verify(table, DIGEST, signature)),
            "agree": lambda: sliced(ecdh_es.cek_to(p256.encode_point(peer), DRBG)),
            "mul_base": lambda: sliced(p256.mul_base(DRBG.scalar())),
            "ecdh": lambda: sliced(ecdh.shared_x(KEY, peer)),
            "spake_before": spake_before,
            "spake_after": lambda: spake_after(share),
            "products": products,
            "proof": lambda: proof(point, signature),
        }
    )


if __name__ == "__main__":
    main()
