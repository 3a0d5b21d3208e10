"""AES-128-GCM on the AES-ECB that stock firmware has: what meters encrypt their customer port with.

Source   NIST SP 800-38D 6.4 (GHASH), 6.5 (GCTR), 7.1, 7.2; 4-bit tables after Shoup, as in the GCM specification
         of McGrew and Viega, 4.1. Vectors: its test cases 1 to 4 and the DLMS Green Book's example.
Units    key 16 bytes; iv 12 bytes, never twice with one key; tag 16 bytes, or 12 as DLMS suite 0 and P1 have it.
Memory   per key 32 integers of at most 128 bits; works in place, 64 bytes at a time.
Errors   HubError NOT_AUTHENTIC "tag"; then not a byte has been decrypted. ValueError for sizes that are not these.
Runs on  both

GHASH looks up tables by secrets, so it is not constant-time: right for data that a meter sends, wrong for an answer
to whoever may send tags and time the replies.
"""

import cryptolib
from micropython import const

from ..errors import HubError
from .equal import equal

_ECB = const(1)
_BLOCK = const(16)
_PIECE = const(64)


class GCM:
    """AES-128-GCM with one key."""

    def __init__(self, key: "bytes | bytearray") -> None:
        if len(key) != _BLOCK:
            raise ValueError("key")
        self._aes = cryptolib.aes(bytes(key), _ECB)
        self._table, self._carry = _tables(int.from_bytes(self._aes.encrypt(bytes(_BLOCK)), "big"))
        self._counters = bytearray(_PIECE)

    def seal(self, iv: bytes, aad: bytes, buf: bytearray) -> bytes:
        """Encrypt `buf` in place and return the tag of 16 bytes of it and `aad`."""
        self._gctr(iv, buf, 0, len(buf))
        return self._tag(iv, aad, buf, 0, len(buf))

    def unseal(self, iv: bytes, aad: bytes, buf: bytearray, start: int, end: int, tag: bytes) -> None:
        """Decrypt buf[start:end] in place, if `tag` is that of it and `aad`."""
        if len(tag) not in (12, _BLOCK):
            raise ValueError("tag")
        if not equal(self._tag(iv, aad, buf, start, end)[: len(tag)], tag):
            raise HubError("NOT_AUTHENTIC", "tag")
        self._gctr(iv, buf, start, end)

    def decrypt_unauthenticated(self, iv: bytes, buf: bytearray, start: int, end: int) -> None:
        """Decrypt buf[start:end] in place; anybody may have changed any bit of it."""
        self._gctr(iv, buf, start, end)

    def _gctr(self, iv, buf, start, end):
        """XOR buf[start:end] with the key stream, which begins at counter 2 (7.1, step 3)."""
        if len(iv) != 12:
            raise ValueError("iv")
        counters = self._counters
        counter = 2
        for pos in range(start, end, _PIECE):
            for i in range(0, _PIECE, _BLOCK):
                counters[i : i + 12] = iv
                counters[i + 12 : i + 16] = counter.to_bytes(4, "big")
                counter += 1
            self._aes.encrypt(counters, counters)
            n = min(_PIECE, end - pos)
            mixed = int.from_bytes(buf[pos : pos + n], "big") ^ int.from_bytes(counters[:n], "big")
            buf[pos : pos + n] = mixed.to_bytes(n, "big")

    def _tag(self, iv, aad, buf, start, end):
        if len(iv) != 12:
            raise ValueError("iv")
        y = self._ghash(0, aad, 0, len(aad))
        y = self._ghash(y, buf, start, end)
        y = self._multiplied(y ^ (8 * len(aad) << 64 | 8 * (end - start)))
        mask = int.from_bytes(self._aes.encrypt(bytes(iv) + b"\x00\x00\x00\x01"), "big")
        return (y ^ mask).to_bytes(_BLOCK, "big")

    def _ghash(self, y, buf, start, end):
        """Return GHASH, begun at `y`, of buf[start:end] with zeros up to a whole block."""
        for pos in range(start, end, _BLOCK):
            n = min(_BLOCK, end - pos)
            y = self._multiplied(y ^ int.from_bytes(buf[pos : pos + n], "big") << 8 * (_BLOCK - n))
        return y

    def _multiplied(self, x):
        """Return x times the hash key (6.3), four bits at a time from the end."""
        table, carry = self._table, self._carry
        z = 0
        for byte in x.to_bytes(_BLOCK, "little"):
            z = z >> 4 ^ carry[z & 15] ^ table[byte & 15]
            z = z >> 4 ^ carry[z & 15] ^ table[byte >> 4]
        return z


def _tables(h):
    """Return (h times each four bits, what four bits shifted out come back as); bit 0 of GCM is the highest here."""
    table = [0] * 16
    for i, n in ((8, 0), (4, 1), (2, 2), (1, 3)):
        table[i] = _shifted(h, n)
    for i in (2, 4, 8):
        for j in range(1, i):
            table[i + j] = table[i] ^ table[j]
    return table, [_shifted(i, 4) for i in range(16)]


def _shifted(v, n):
    for _ in range(n):
        v = v >> 1 ^ 0xE1 << 120 if v & 1 else v >> 1
    return v
