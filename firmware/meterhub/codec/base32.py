"""Crockford's base32: text that people read from a display and type; no I, L, O or U in it.

Source   Douglas Crockford, "Base 32" (encoding symbols; the first character holds the highest bits).
Errors   none
Runs on  both
"""

from micropython import const

_SYMBOLS = const("0123456789ABCDEFGHJKMNPQRSTVWXYZ")


def encode(raw: "bytes | bytearray") -> str:
    """Return `raw` in upper-case base32; zero bits fill up the last character."""
    symbols = (len(raw) * 8 + 4) // 5
    value = int.from_bytes(raw, "big") << (symbols * 5 - len(raw) * 8)
    return "".join(_SYMBOLS[value >> (5 * i) & 31] for i in range(symbols - 1, -1, -1))
