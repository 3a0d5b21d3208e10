"""P1 telegrams in an encrypted envelope, as in Luxembourg: DLMS general-glo-ciphering around the text of p1.py.

Source   "E-Meter P1 specification" of Luxmetering, 1.1.3, 3 (frame, IV, additional data); dlms_security.py
Units    those of p1.py
Memory   one buffer of 4128 bytes, in which the telegram is decrypted, and that of P1Decoder; 64 bytes at a time go
         over. feed() allocates nothing until a telegram is whole.
Errors   feed() raises nothing. To the reasons of p1.py it adds, in `errors`, those of dlms_security.py:
         key missing, not authentic, replay, unsupported security
Runs on  both

Real meters in Luxembourg do not all use the authentication key of the specification. Without one the tag is not
checked: then only the CRC in the text speaks for it, and whoever is on the line may change what he knows.
"""

from micropython import const

from ..codec.copy import copy
from ..errors import FrameError
from .dlms_security import Envelope
from .p1 import P1Decoder

_SIZE = const(4128)
_START = const(0xDB)
_TITLE = const(8)
_LENGTH = const(10)  # where the length stands
_MOST_TRIES = const(4)  # in a frame that failed: each costs the tag of 4 KB
_PIECE = const(64)
_NONE = const(())


class EncryptedP1Decoder:
    """Decodes one line. key, auth_key: 16 bytes, or None; zone and base_offset_s as in P1Decoder."""

    def __init__(
        self, key: "bytes | None", auth_key: "bytes | None" = None, zone=None, base_offset_s: int = 3600
    ) -> None:
        self.envelope = Envelope(key, auth_key)
        self._p1 = P1Decoder(zone, base_offset_s)
        self.errors = self._p1.errors
        self._buf = bytearray(_SIZE)
        self._view = memoryview(self._buf)
        self._len = 0
        self._end = 0  # where the frame at the front ends, 0 while that is not known
        self._tries = 0  # frames looked for inside one that failed
        self._told = False  # the garbage that goes on has been counted

    def feed(self, buf: "bytes | bytearray", n: int) -> "list | tuple":
        """Take the first `n` bytes of `buf`; return the Telegrams they complete, mostly none."""
        found = _NONE
        pos = 0
        while pos < n:
            take = min(n - pos, _SIZE - self._len)
            copy(self._buf, self._len, buf, pos, take)
            self._len += take
            pos += take
            while self._is_whole():
                telegrams = self._close()
                if telegrams:
                    found = found or []
                    found.extend(telegrams)  # pyright: ignore
        return found

    def silence(self) -> "list | tuple":
        """Take it that the line was silent for a second or more: what was begun does not go on."""
        if self._len:
            self._count("truncated")
            self._told = True
            self._drop(self._len)
        self._tries = 0
        return self._p1.silence()

    # -- frames ---------------------------------------------------------------------------------------------

    def _is_whole(self):
        """Drop what begins no frame; return whether the frame at the buffer's front has come to its end."""
        while self._len and not self._end:
            buf, n = self._buf, self._len
            if buf[0] != _START or (n > 1 and buf[1] != _TITLE):
                self._skip()
            elif n < _LENGTH + 3:
                return False
            else:
                self._find_end()
        return 0 < self._end <= self._len

    def _find_end(self):
        buf = self._buf
        length, start = buf[_LENGTH], _LENGTH + 1
        if length == 0x81:
            length, start = buf[start], start + 1
        elif length == 0x82:
            length, start = buf[start] << 8 | buf[start + 1], start + 2
        elif length > 0x7F:
            length = 0
        if 5 < length <= _SIZE - start:
            self._end = start + length
        else:
            self._skip()

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
            self._buf[:rest] = self._buf[n : self._len]
        self._len = rest
        self._end = 0

    def _close(self):
        """Take the frame off the front; return the Telegrams in it."""
        end = self._end
        try:
            start, stop = self.envelope.open(self._buf, 0, end)
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

    def _count(self, reason):
        self.errors[reason] = self.errors.get(reason, 0) + 1
