"""Hash to the curve P-256: how a point comes to be of which nobody knows the logarithm.

Source   RFC 9380: suite P256_XMD:SHA-256_SSWU_RO_ (8.2), hash_to_field 5.2, expand_message_xmd 5.3.1, simplified SWU
         6.6.2, sqrt for q = 3 mod 4: I.1; vectors J.1.1
For public inputs only: its time depends on them.
"""

import hashlib

P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
A = P - 3
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
_Z = P - 10
_L = 48  # bytes for each field element
_BLOCK_BYTES = 64  # of SHA-256's input


def hash_to_curve(message: bytes, tag: bytes) -> tuple[int, int]:
    """Return the point for `message` under the domain separation tag `tag`."""
    u0, u1 = hash_to_field(message, tag)
    return _sum(map_to_curve(u0), map_to_curve(u1))


def hash_to_field(message: bytes, tag: bytes) -> tuple[int, int]:
    """Return two field elements."""
    raw = expand_message(message, tag, 2 * _L)
    return int.from_bytes(raw[:_L]) % P, int.from_bytes(raw[_L:]) % P


def expand_message(message: bytes, tag: bytes, length: int) -> bytes:
    """Return `length` uniform bytes; ValueError for what 5.3.1 has no answer to."""
    blocks = -(-length // 32)
    if blocks > 255 or not 0 < len(tag) <= 255:
        raise ValueError("length")
    prime = tag + bytes((len(tag),))
    first = hashlib.sha256(bytes(_BLOCK_BYTES) + message + length.to_bytes(2) + b"\0" + prime).digest()
    block, out = bytes(32), b""
    for i in range(1, blocks + 1):
        mixed = (int.from_bytes(first) ^ int.from_bytes(block)).to_bytes(32)
        block = hashlib.sha256(mixed + bytes((i,)) + prime).digest()
        out += block
    return out[:length]


def map_to_curve(u: int) -> tuple[int, int]:
    """Return the point of a field element."""
    tv = _Z * u * u % P
    below = (tv * tv + tv) % P
    x = B * pow(_Z * A, -1, P) % P if not below else -B * pow(A, -1, P) * (1 + pow(below, -1, P)) % P
    y = _root(x)
    if y is None:
        x = tv * x % P
        y = _root(x)
    if y is None:
        raise ArithmeticError("neither is a square")  # 6.6.2: cannot be
    return x, y if y % 2 == u % 2 else P - y


def _root(x: int) -> int | None:
    square = (x * x * x + A * x + B) % P
    y = pow(square, (P + 1) // 4, P)
    return y if y * y % P == square else None


def _sum(p: tuple[int, int], q: tuple[int, int]) -> tuple[int, int]:
    """Return p + q; ArithmeticError for opposite points, which no message is known to give."""
    if p[0] == q[0] and p != q:
        raise ArithmeticError("the point at infinity")
    rise, run = (3 * p[0] * p[0] + A, 2 * p[1]) if p == q else (q[1] - p[1], q[0] - p[0])
    slope = rise * pow(run, -1, P)
    x = (slope * slope - p[0] - q[0]) % P
    return x, (slope * (p[0] - x) - p[1]) % P
