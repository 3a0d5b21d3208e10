"""Who this hub is: its random generator, its key, and what it signs.

Source   NIST SP 800-90A (HMAC-DRBG; a board's own random numbers alone are not enough),
         RFC 7515/7518 (JWS ES256).
Errors   StoreError when the stored key cannot be read: the hub must not make itself a new one silently.
Memory   what signs and verifies is imported by the functions that do: 13 KB that a hub at rest can let go
Runs on  both

The private key is made on the hub and never leaves it. `repr` and error texts show nothing of it.
"""

import hashlib

from micropython import const

from ..codec import base32
from ..crypto.drbg import Drbg
from ..errors import StoreError

# what signing and verifying load; who is done with it may let it go
SIGNING = ("codec.jose", "crypto.blind", "crypto.ecdsa", "crypto.p256", "crypto.p256_tables")
_URANDOM_READS = const(64)  # the RP2040's ring oscillator is not a conditioned source: take much more than is needed


def hub_id(public: bytes) -> str:
    """Return the id of the hub whose public point (65 bytes) this is: 80 bits of its SHA-256, Crockford base32."""
    return base32.encode(hashlib.sha256(public).digest()[:10])


def start_drbg(board, record, ticks_us) -> Drbg:
    """Return the hub's generator, seeded from the board, from timings and from the seed kept in `record`.

    board: entropy(n) and unique_id(); record: a store.record.Record; ticks_us: a function that counts microseconds.

    A fresh seed goes to flash before the first byte is used, so that two starts never share a state.
    """
    pool = hashlib.sha256(b"meterhub seed 1")
    pool.update(record.load() or b"")
    pool.update(board.unique_id())
    for _ in range(_URANDOM_READS):
        pool.update(board.entropy(32))
        pool.update(ticks_us().to_bytes(8, "big"))
    drbg = Drbg(pool.digest() + board.entropy(32))
    record.save(drbg.read(48))
    return drbg


class Identity:
    """The hub's key pair. `public` is the point (65 bytes, SEC1), `hub` the id that follows from it."""

    def __init__(self, scalar: int, public: bytes, drbg: Drbg) -> None:
        self._scalar = scalar
        self._drbg = drbg
        self.public = public
        self.hub = hub_id(public)

    def __repr__(self) -> str:
        return "<Identity " + self.hub + ">"

    def derived_key(self, label: bytes) -> bytes:
        """Return 32 bytes that nobody but this hub can know, the same for the same `label`."""
        from ..crypto.hkdf import hkdf  # noqa: PLC0415

        return hkdf(self._scalar.to_bytes(32, "big"), b"", label, 32)

    def sign(self, typ: str, claims: dict):
        """Return (as a generator, see crypto/steps.py) the compact JWS of `claims`, signed by this hub."""
        from ..codec import jose  # noqa: PLC0415
        from ..crypto import ecdsa  # noqa: PLC0415

        signing_input = jose.jws_input({"alg": "ES256", "kid": self.hub, "typ": typ}, claims)
        digest = hashlib.sha256(signing_input).digest()
        signature = yield from ecdsa.sign(self._scalar, digest, self._drbg)
        return jose.jws_join(signing_input, signature)

    def sign_bytes(self, content: "bytes | bytearray"):
        """Return (as a generator) the signature ES256 over `content`, r || s, 64 bytes.

        What is signed so begins with a word of its own format, which no JWS begins with.
        """
        from ..crypto import ecdsa  # noqa: PLC0415

        return (yield from ecdsa.sign(self._scalar, hashlib.sha256(content).digest(), self._drbg))


def load(record, drbg: Drbg):
    """Return (as a generator) the hub's Identity from `record`; at the very first start it makes the key.

    Raises StoreError for a record that holds something else.
    """
    raw = record.load()
    if raw is None:
        from ..crypto import ecdsa, p256  # noqa: PLC0415

        scalar = drbg.scalar()
        public = p256.encode_point((yield from ecdsa.public_point(scalar)))
        record.save(scalar.to_bytes(32, "big") + public)
        return Identity(scalar, public, drbg)
    if len(raw) != 97 or raw[32] != 4:
        raise StoreError("identity")
    return Identity(int.from_bytes(raw[:32], "big"), bytes(raw[32:]), drbg)


def journal_key(record) -> bytes:
    """Return the key that seals the journal, from the identity in `record`; b"" when there is none to be read."""
    from ..crypto.hkdf import hkdf  # noqa: PLC0415 - once a start

    try:
        raw = record.load()
    except StoreError:  # load() says it
        return b""
    return hkdf(raw[:32], b"", b"meterhub journal", 32) if raw and len(raw) == 97 else b""


def verify(public: bytes, token: str):
    """Return (as a generator) whether `token`, a compact JWS, is signed by the key with point `public` (65 bytes)."""
    from ..codec import jose  # noqa: PLC0415
    from ..crypto import ecdsa, p256  # noqa: PLC0415

    signing_input, signature = jose.jws_parts(token)
    digest = hashlib.sha256(signing_input).digest()
    return (yield from ecdsa.verify(p256.decode_point(public), digest, signature))
