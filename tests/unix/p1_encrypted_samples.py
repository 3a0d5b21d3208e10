"""Encrypted P1 telegrams of a made-up meter, for the tests of meters/p1_encrypted.py."""

from meters_samples import telegram

from meterhub.crypto.gcm import GCM
from meterhub.meters.p1 import P1Decoder

KEY = bytes(range(16))
AUTH = bytes(range(16, 32))
TITLE = b"MTH\x00\x00\x12\x34\x56"
GOOD = telegram()
TRUTH = P1Decoder().feed(GOOD, len(GOOD))[0]


def envelope(text=GOOD, counter=1, control=0x30, title=TITLE, key=KEY, auth=AUTH):
    """Return `text` as a meter sends it."""
    raw_counter = counter.to_bytes(4, "big")
    body = bytearray(text)
    tag = GCM(key).seal(title + raw_counter, bytes((control,)) + auth, body)[:12]
    if control & 0x10:
        body.extend(tag)
    n = 5 + len(body)
    length = bytes((n,)) if n < 128 else b"\x81" + bytes((n,)) if n < 256 else b"\x82" + n.to_bytes(2, "big")
    return b"\xdb\x08" + title + length + bytes((control,)) + raw_counter + body
