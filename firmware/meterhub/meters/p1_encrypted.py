"""P1 telegrams in an encrypted envelope, as in Luxembourg: DLMS general-glo-ciphering around the text of p1.py.

Source   "E-Meter P1 specification" of Luxmetering, 1.1.3, 3 (frame, IV, additional data); DLMS Green Book 8.3, 9.2.3.3
         (security control byte, AES-128-GCM); NIST SP 800-38D.
Units    those of p1.py
Memory   one buffer of 4128 bytes, in which the telegram is decrypted, and that of P1Decoder; 64 bytes at a time go over.
Errors   feed() raises nothing. To the reasons of p1.py it adds, in `errors`:
         key missing    there is no key                 not authentic  the tag is wrong, or is missing where it is checked
         replay         the counter is not above the last one's        unsupported security xx
Runs on  both

    DB  08  title (8)  length (1 to 3 bytes)  security control (1)  counter (4)  ciphertext  tag (12, if bit 10)
    IV = title, counter; additional data = security control, authentication key

Real meters in Luxembourg do not all use the authentication key of the specification. Without one the tag is not
checked: then only the CRC in the text speaks for it, and whoever is on the line may change what he knows.
"""

from micropython import const

from ..crypto.gcm import GCM
from ..errors import FrameError, HubError
from .p1 import P1Decoder

_SIZE = const(4128)
_START = const(0xDB)
_TITLE = const(8)
_TAG = const(12)
_AUTHENTICATED = const(0x10)
_ENCRYPTED = const(0x20)
_UNSUPPORTED = const(0x8E)  # compression, suites above 1
_MOST_TRIES = const(16)
_PIECE = const(64)
_NONE = const(())


class EncryptedP1Decoder:
    """Decodes one line. key, auth_key: 16 bytes, or None; zone and base_offset_s as in P1Decoder."""

    def __init__(
        self, key: "bytes | None", auth_key: "bytes | None" = None, zone=None, base_offset_s: int = 3600
    ) -> None:
        if auth_key is not None and len(auth_key) != 16:
            raise ValueError("auth_key")
        self._gcm = GCM(key) if key is not None else None
        self._auth_key = auth_key
        self._p1 = P1Decoder(zone, base_offset_s)
        self.errors = self._p1.errors
        self._buf = bytearray(_SIZE)
        self._view = memoryview(self._buf)
        self._len = 0
        self._tries = 0  # frames looked for inside one that failed
        self._told = False  # the garbage that goes on has been counted
        self._title = b""
        self._counter = -1  # the last one that was authentic, of that title

    def feed(self, buf: "bytes | bytearray", n: int) -> "list | tuple":
        """Take the first `n` bytes of `buf`; return the Telegrams they complete, mostly none."""
        found = _NONE
        pos = 0
        while pos < n:
            take = min(n - pos, _SIZE - self._len)
            for i in range(take):
                self._buf[self._len + i] = buf[pos + i]
            self._len += take
            pos += take
            while self._is_whole():
                telegrams = self._close()
                if telegrams:
                    found = found or []
                    found.extend(telegrams)  # pyright: ignore
        return found

    # -- frames ---------------------------------------------------------------------------------------------

    def _is_whole(self):
        """Drop what begins no frame; return whether the frame at the buffer's front has come to its end."""
        while self._len:
            end = self._end()
            if end < 0:
                self._skip()
            else:
                return 0 < end <= self._len
        return False

    def _end(self):
        """Return where the frame at the front ends: 0 when that is not known yet, -1 when it is none."""
        buf, n = self._buf, self._len
        if buf[0] != _START or (n > 1 and buf[1] != _TITLE):
            return -1
        if n < 13:
            return 0
        start = self._body()
        if start < 0:
            return -1
        length = buf[10] if start == 11 else buf[11] if start == 12 else buf[11] << 8 | buf[12]
        return start + length if 5 < length <= _SIZE - start else -1

    def _body(self):
        """Return where the security control byte is, -1 when there is no length before it."""
        first = self._buf[10]
        if first < 0x80:
            return 11
        return 12 if first == 0x81 else 13 if first == 0x82 else -1

    def _skip(self):
        """Drop the first byte and all up to the next that may begin a frame."""
        if not self._told:
            self._count("garbage")
            self._told = True
        at = self._buf.find(b"\xdb", 1, self._len)
        self._drop(at if at > 0 else self._len)

    def _drop(self, n):
        rest = self._len - n
        if rest:
            self._buf[:rest] = bytes(self._view[n : self._len])
        self._len = rest

    def _close(self):
        """Take the frame off the front; return the Telegrams in it."""
        end = self._end()
        try:
            start, stop = self._open(self._body(), end)
        except FrameError as err:
            if not self._tries:
                self._count(err.args[0])
            self._told = True
            self._tries += 1
            is_final = err.args[0] in ("key missing", "replay") or self._tries > _MOST_TRIES
            self._drop(end if is_final else 1)
            if is_final:
                self._tries = 0
            return _NONE
        found = _NONE
        for pos in range(start, stop, _PIECE):
            piece = bytes(self._view[pos : min(pos + _PIECE, stop)])
            found = self._p1.feed(piece, len(piece)) or found
        self._drop(end)
        self._tries = 0
        self._told = False
        return found

    def _open(self, body, end):
        """Decrypt the frame whose security control byte is at `body`; return where its text begins and ends."""
        buf = self._buf
        control = buf[body]
        start = body + 5
        if self._gcm is None:
            raise FrameError("key missing")
        if control & _UNSUPPORTED or not control & _ENCRYPTED:
            raise FrameError("unsupported security %02X" % control)
        stop = end - _TAG if control & _AUTHENTICATED else end
        if stop < start:
            raise FrameError("truncated")
        title, iv = bytes(self._view[2:10]), bytes(self._view[2:10]) + bytes(self._view[body + 1 : start])
        if self._auth_key is None:
            self._gcm.decrypt_unauthenticated(iv, buf, start, stop)
            return start, stop
        if not control & _AUTHENTICATED:
            raise FrameError("not authentic")
        try:
            tag = bytes(self._view[stop:end])
            self._gcm.unseal(iv, bytes((control,)) + self._auth_key, buf, start, stop, tag)
        except HubError:
            raise FrameError("not authentic")
        counter = int.from_bytes(iv[8:], "big")
        if title == self._title and counter <= self._counter:
            raise FrameError("replay")
        self._title, self._counter = title, counter
        return start, stop

    def _count(self, reason):
        self.errors[reason] = self.errors.get(reason, 0) + 1
