"""Compare secrets without telling by the time it takes where they differ.

Source   MicroPython has no hmac.compare_digest, and `==` on bytes stops at the first difference.
Memory   allocates nothing.
Runs on  both
"""


def equal(a: "bytes | bytearray | memoryview", b: "bytes | bytearray | memoryview") -> bool:
    """Return whether `a` and `b` are the same bytes; only their lengths, never their content, change the time."""
    if len(a) != len(b):
        return False
    difference = 0
    for i in range(len(a)):
        difference |= a[i] ^ b[i]
    return difference == 0
