"""Commitments to readings on P-256: m * G + r * H, which show nothing of m and can be opened to no other m.

Source   Pedersen, CRYPTO '91; H: RFC 9380, P256_XMD:SHA-256_SSWU_RO_ of the message MESSAGE with the tag TAG, so that
         nobody knows its logarithm; PRF: HMAC-SHA-256; keys: HKDF (RFC 5869); points: SEC1 2.3.3, compressed
Units    m: Wh. A commitment is 33 bytes
Memory   2.5 KiB of constant bytes for H and G
Errors   HubError INVALID_VALUE "wh" for a reading that is negative or absurd: it must never be committed to
Runs on  both

A chain of batches (codec/billing.py) has a random id and a secret root. The key of a day is
    HKDF-SHA-256(ikm = root, salt = the chain's id, info = "mhb1 day" || day as 4 bytes, 32 bytes)
and r of a value is, with x the first 48 bytes of HMAC(key, message || 0) || HMAC(key, message || 1),
    message = "mhb1 r" || u8 kind || u32 index, all little endian; r = x mod (N - 1) + 1, x big-endian
kind and index: codec/billing.py. The same key, kind and index must never be used for two values: the difference of
both commitments would show the difference of the values.

m is used as nibbles t of m + 2^(4d - 1), each of which stands for (2t - 15) * G / 2; with -G / 2 that is m * G. So
every m of a kind costs the same operations, and they share the doublings of the comb of r * H.
"""

from micropython import const

from ..errors import HubError
from . import p256, pedersen_tables
from .blind import mask
from .hkdf import hkdf
from .hmac import hmac_sha256
from .p256 import N, P, add_mixed

TAG = b"meterhub-V01-CS01-with-P256_XMD:SHA-256_SSWU_RO_"
MESSAGE = b"H"
H = (
    0xBC3563494CE8294DDA95576FCEBFC5D95F41F36DF97561D02AEDE89CCBAB1E6B,
    0xD4A1F8EA6C0E0DB82079A54C779F684300A7701754B8897299CB387B62DFCA39,
)
MOST_WH = const(0xFFFFF)  # of an interval, or of what was used while there was no reading
MOST_REGISTER_WH = 0xFFFFFFFFFF  # of a register
_NIBBLES = const(6)
_REGISTER_NIBBLES = const(11)


def day_key(root: bytes, chain: bytes, day: int) -> bytes:
    """Return the key (32 bytes) of a day."""
    return hkdf(root, chain, b"mhb1 day" + day.to_bytes(4, "little"), 32)


def blinding(key: bytes, kind: int, index: int) -> int:
    """Return r of a value, 1 .. N - 1."""
    message = b"mhb1 r" + bytes((kind,)) + index.to_bytes(4, "little")
    raw = hmac_sha256(key, message, b"\x00") + hmac_sha256(key, message, b"\x01")
    return int.from_bytes(raw[:48], "big") % (N - 1) + 1


def commit(wh: int, r: int):
    """Generate slices of the commitment to the energy of an interval; return its 33 bytes."""
    if not 0 <= wh <= MOST_WH:
        raise HubError("INVALID_VALUE", "wh")
    return (yield from _commit(wh, r, _NIBBLES))


def commit_register(wh: int, r: int):
    """Generate slices of the commitment to a reading of a register; return its 33 bytes."""
    if not 0 <= wh <= MOST_REGISTER_WH:
        raise HubError("INVALID_VALUE", "wh")
    return (yield from _commit(wh, r, _REGISTER_NIBBLES))


def _commit(m, r, nibbles):
    t = m + (1 << 4 * nibbles - 1)
    comb = p256.comb(r, pedersen_tables.H)
    last = comb[0] - 1
    total = p256.scaled(p256.column(comb, last), mask(r, b"commit", P))
    for i in range(last - 1, -1, -1):
        total = add_mixed(p256.double_n(total, 1), p256.column(comb, i))
        if not i & 3 and i < 4 * nibbles:
            total = add_mixed(total, _half(t >> i & 15))
        if not i & 3:
            yield
    total = add_mixed(total, _half(7))  # 2 * 7 - 15 = -1
    if not total[2]:
        total = yield from p256.complete(((m, p256.G), (r, H)))
    return compressed(p256.affine(total))


def _half(t):
    """Return (2t - 15) * G / 2."""
    minus = t >> 3 ^ 1
    at = (t ^ -minus) << 6 & 0x1C0
    table = pedersen_tables.HALVES
    y = int.from_bytes(table[at + 32 : at + 64], "big")
    return int.from_bytes(table[at : at + 32], "big"), (y, P - y)[minus]


def compressed(point: "tuple[int, int]") -> bytes:
    """Return the 33 bytes of a point."""
    return bytes((2 | point[1] & 1,)) + point[0].to_bytes(32, "big")
