"""base64url without padding, and only its one canonical form.

Source   RFC 4648 section 5 (alphabet), 3.2 (no padding), 3.5 (canonical form); RFC 7515 appendix C.
Memory   encode and decode hold the text about twice while they run.
Errors   HubError MALFORMED "base64url" for text that encode() would not have written.
Runs on  both
"""

import binascii

from micropython import const

from ..errors import HubError

_PIECE = const(48)  # bytes at a time in encode_into(); a multiple of three


def encode(raw: "bytes | bytearray | memoryview") -> str:
    """Return the base64url text of `raw`, without padding."""
    text = binascii.b2a_base64(raw, newline=False).rstrip(b"=")  # pyright: ignore[reportArgumentType] - any buffer
    return text.replace(b"+", b"-").replace(b"/", b"_").decode()


def decode(text: str) -> bytes:
    """Return the bytes that encode() turns into exactly `text`; HubError MALFORMED for any other text.

    The binascii of both runtimes skips what is not in the alphabet and ignores stray bits at the end, so two
    texts could mean the same bytes (RFC 4648 section 12). Encoding again and comparing closes all of that.
    """
    padded = text.replace("-", "+").replace("_", "/") + "==="[: -len(text) % 4]
    try:
        raw = binascii.a2b_base64(padded)
    except ValueError:  # binascii.Error is one
        raise HubError("MALFORMED", "base64url")
    if encode(raw) != text:
        raise HubError("MALFORMED", "base64url")
    return raw


def encode_into(buf: bytearray, pos: int, raw) -> int:
    """Write the base64url text of `raw` into `buf` from `pos` on, without an object of its length; return the end."""
    view = memoryview(raw)
    for i in range(0, len(raw), _PIECE):
        piece = view[i : i + _PIECE]
        text = binascii.b2a_base64(piece, newline=False).rstrip(b"=")  # pyright: ignore[reportArgumentType]
        buf[pos : pos + len(text)] = text.replace(b"+", b"-").replace(b"/", b"_")
        pos += len(text)
    return pos
