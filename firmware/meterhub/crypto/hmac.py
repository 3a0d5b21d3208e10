"""HMAC-SHA-256.

Source   RFC 2104; vectors RFC 4231.
Memory   one hash state and 128 bytes; the message is not copied.
Runs on  both (MicroPython has no hmac, and its hash objects cannot be copied)
"""

import hashlib

_INNER = int.from_bytes(b"\x36" * 64, "big")
_OUTER = int.from_bytes(b"\x5c" * 64, "big")


def hmac_sha256(key: "bytes | bytearray", *message: "bytes | bytearray | memoryview") -> bytes:
    """Return the 32-byte HMAC-SHA-256 under `key` of the parts of `message`, one after the other."""
    if len(key) > 64:
        key = hashlib.sha256(key).digest()
    block = int.from_bytes(key, "big") << 8 * (64 - len(key))
    inner = hashlib.sha256((block ^ _INNER).to_bytes(64, "big"))
    for part in message:
        inner.update(part)
    outer = hashlib.sha256((block ^ _OUTER).to_bytes(64, "big"))
    outer.update(inner.digest())
    return outer.digest()
