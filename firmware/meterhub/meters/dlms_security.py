"""general-glo-ciphering: the AES-GCM envelope around the data that a meter pushes.

Source   DLMS UA 1000-2 (Green Book) 9.2.7.2 (AES-GCM), 9.2.4.8.5 (security control byte), 9.5 (general ciphering):
         DB, system title (8 bytes with their length), length, security control, invocation counter (4 bytes),
         ciphertext, tag (12 bytes). iv = system title, counter; authenticated with it: security control and the
         authentication key.
Units    keys of 16 bytes
Memory   deciphers in place; the last counters of at most 4 system titles are kept.
Errors   FrameError "key missing", "not authentic", "replay", "truncated", "garbage", "unsupported security";
         ValueError for keys of another size
Runs on  both

Meters sign with an authentication key that not every operator gives out. Without it nothing can be authenticated:
then the plaintext must at least be what a meter pushes, and replays are not noticed. With it what has no tag is not
authentic: else one could take the tag off. The counter is looked at when the tag is right and not before, so that
nobody else can move it.
"""

from micropython import const

from ..crypto.gcm import GCM
from ..errors import FrameError, HubError

_GLO = const(0xDB)
_TITLE = const(8)
_TAG = const(12)
_AUTHENTICATED = const(0x10)
_ENCRYPTED = const(0x20)
_OTHER_BITS = const(0x80)  # compressed
_SUITE = const(0x0F)
_MOST_TITLES = const(4)


class Envelope:
    """Opens the envelopes of one line. key: the encryption key, or None; auth_key: the authentication key, or None."""

    def __init__(self, key: "bytes | None" = None, auth_key: "bytes | None" = None) -> None:
        self.counters = {}  # system title -> the highest counter that came with a right tag; may be kept and set
        self.title = b""  # of the last envelope
        self.is_authentic = False  # whether the last one had a right tag
        if auth_key is not None and len(auth_key) != 16:
            raise ValueError("auth_key")
        self._gcm = GCM(key) if key is not None else None
        self._auth_key = auth_key

    def open(self, buf: bytearray, pos: int, end: int) -> "tuple[int, int]":
        """Decipher the envelope at buf[pos:end] in place; return where its content begins and ends."""
        self.is_authentic = False
        if end - pos < 2 + _TITLE or buf[pos] != _GLO or buf[pos + 1] != _TITLE:
            raise FrameError("garbage")
        self.title = bytes(buf[pos + 2 : pos + 2 + _TITLE])
        length, pos = length_at(buf, pos + 2 + _TITLE, end)
        end, rest = pos + length, end
        if length < 5 or end > rest:
            raise FrameError("truncated")
        gcm = self._gcm
        if gcm is None:
            raise FrameError("key missing")
        control = buf[pos]
        self._check(control)
        iv = self.title + bytes(buf[pos + 1 : pos + 5])
        pos += 5
        tag = b""
        if control & _AUTHENTICATED:
            end -= _TAG
            if end < pos:
                raise FrameError("truncated")
            tag = bytes(buf[end : end + _TAG])
        if self._auth_key:
            aad = bytes((control,)) + self._auth_key
            if control & _ENCRYPTED:
                self._unseal(gcm, iv, aad, buf, pos, end, tag)
            else:  # the content is not encrypted, but among what is authenticated
                self._unseal(gcm, iv, aad + bytes(buf[pos:end]), buf, end, end, tag)
        elif control & _ENCRYPTED:
            gcm.decrypt_unauthenticated(iv, buf, pos, end)
        return pos, end

    def _check(self, control):
        if control & _SUITE > 1 or control & _OTHER_BITS or not control & (_ENCRYPTED | _AUTHENTICATED):
            raise FrameError("unsupported security")  # suites 0 and 1 are AES-128-GCM, 2 has another key
        if self._auth_key and not control & _AUTHENTICATED:
            raise FrameError("not authentic")

    def _unseal(self, gcm, iv, aad, buf, pos, end, tag):
        try:
            gcm.unseal(iv, aad, buf, pos, end, tag)
        except HubError:
            raise FrameError("not authentic")
        counter = int.from_bytes(iv[_TITLE:], "big")
        if counter <= self.counters.get(self.title, -1):
            raise FrameError("replay")
        if self.title not in self.counters and len(self.counters) >= _MOST_TITLES:
            self.counters = {}
        self.counters[self.title] = counter
        self.is_authentic = True


def length_at(buf: "bytes | bytearray", pos: int, end: int) -> "tuple[int, int]":
    """Return (the length at buf[pos], where it ends), as A-XDR and BER write it; FrameError when there is none."""
    if pos >= end:
        raise FrameError("truncated")
    first = buf[pos]
    pos += 1
    if first < 0x80:
        return first, pos
    n = first & 0x7F
    if not 0 < n <= 4:
        raise FrameError("garbage")
    if pos + n > end:
        raise FrameError("truncated")
    return int.from_bytes(buf[pos : pos + n], "big"), pos + n
