"""The hub's random generator: HMAC-DRBG with SHA-256, so that a weak hardware source is stretched and hidden.

Source   NIST SP 800-90A revision 1, 10.1.2 (HMAC_DRBG); FIPS 186-5 A.2.1 (scalars by extra random bits).
         RP2040's os.urandom is no conditioned source (one ring oscillator): the owner seeds with what flash has kept,
         many reads of it and timings, and stores fresh output as the next start's seed before using the rest.
Memory   64 bytes of state.
Errors   ValueError for a seed or request outside SP 800-90A's bounds.
Runs on  both
"""

from micropython import const

from .hmac import hmac_sha256

_N = const(0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551)  # the order of P-256
_MIN_SEED = const(48)  # 256 bits of entropy and a 128-bit nonce (8.6.7)
_MAX_READ = const(8192)  # 2^19 bits per request (table 2)


class Drbg:
    """seed: at least 48 bytes, unpredictable as a whole, never used for another one."""

    def __init__(self, seed: bytes) -> None:
        if len(seed) < _MIN_SEED:
            raise ValueError("seed")
        self._key = bytes(32)
        self._v = b"\x01" * 32
        self._update(seed)

    def __repr__(self) -> str:
        return "Drbg"

    def _update(self, data):
        for i in range(2 if data else 1):
            self._key = hmac_sha256(self._key, self._v, bytes((i,)), data)
            self._v = hmac_sha256(self._key, self._v)

    def read(self, n: int) -> bytes:
        """Return `n` random bytes; ValueError for more than 8192."""
        if not 0 <= n <= _MAX_READ:
            raise ValueError("length")
        out = bytearray()
        while len(out) < n:
            self._v = hmac_sha256(self._key, self._v)
            out.extend(self._v)
        self._update(b"")
        return bytes(out[:n])

    def scalar(self) -> int:
        """Return a random integer 1..n-1, n the order of P-256, off uniform by less than 2^-64."""
        return int.from_bytes(self.read(40), "big") % (_N - 1) + 1

    def reseed(self, more: bytes) -> None:
        """Stir in `more` entropy; the output never gets weaker by it, whatever it is."""
        self._update(more)
