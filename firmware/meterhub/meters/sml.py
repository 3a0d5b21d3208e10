"""SML over the optical port of German meters: bytes in, checked readings out.

Source   SML 1.04 (BSI TR-03109-1, annex IV b), 8 (transport protocol 1): 1B 1B 1B 1B 01 01 01 01, the SML file,
         1B 1B 1B 1B 1A, how many zeros fill it up, CRC. Four 1B in the file are doubled.
Units    those of reading.py; times are Unix seconds. A Telegram's `version` is "".
Memory   one buffer of 2048 bytes; until a file is whole feed() allocates nothing.
Errors   feed() raises nothing: what is no good file is dropped and counted in `errors`, by reason:
         garbage    bytes that are no file, or a file that is none inside, under a good CRC
         truncated  the next file began before this one's end, or an element is longer than the file
         too long   no end within 2048 bytes
         crc        the CRC of the file or of one of its messages is wrong; the file's other messages are delivered
         unsupported message  what is neither a list of values nor the opening or closing of one
Runs on  both
"""

from micropython import const

from ..codec.crc import crc16_kermit, crc16_x25
from ..errors import FrameError
from .framing import Framing
from .sml_list import Messages

_SIZE = const(2048)
_ESCAPE = const(b"\x1b\x1b\x1b\x1b")
_START = const(b"\x1b\x1b\x1b\x1b\x01\x01\x01\x01")
_VERSION = const(b"\x01\x01\x01\x01")
_END = const(0x1A)
_NONE = const(())
_MOST_TRIES = const(16)  # files looked for inside one that failed
_PATIENCE = const(10)  # files with another CRC, one after the other, that make it this meter's


class SMLDecoder(Framing):
    """Decodes one line."""

    def __init__(self) -> None:
        super().__init__(_SIZE)
        self._messages = Messages(self._count)
        self._at = 8  # up to where the buffer has been searched for escapes
        self._escaped = False  # there are doubled ones
        self._tries = 0
        self._kermit = False
        self._wrong = 0  # files with the other CRC that are still refused

    def feed(self, buf: "bytes | bytearray", n: int) -> "list | tuple":
        """Take the first `n` bytes of `buf`; return the Telegrams they complete, mostly none."""
        found = _NONE
        pos = 0
        while pos < n:
            if not self._len:
                pos = self._seek(buf, pos, n)
            take = min(n - pos, _SIZE - self._len)
            self._copy(buf, pos, take)
            pos += take
            while self._len:
                telegrams = self._scan()
                if telegrams is None:
                    break
                if telegrams:
                    found = telegrams if not found else found + telegrams  # pyright: ignore
        return found

    def silence(self) -> tuple:
        """Take it that the line was silent for a second: what was begun does not go on. Return no Telegrams."""
        if self._len:
            self._count("truncated")
            self._told = True
            self._drop(self._len)
        self._tries = 0
        return _NONE

    def read_file(self, raw: "bytes | bytearray") -> list:
        """Return the Telegrams of an SML file that has lost its transport frame, as some libraries record them."""
        try:
            return self._messages.read(raw, 0, len(raw))  # pyright: ignore
        except FrameError as err:
            self._count(err.args[0])
            return []

    # -- the buffer ----------------------------------------------------------------------------------------

    def _seek(self, buf, pos, n):
        """Return where an escape may begin in buf[pos:n], else n; what lies before it is garbage."""
        at = buf.find(b"\x1b", pos, n)
        if at < 0:
            at = n
        if at > pos:
            self._tell()
        return at

    def _drop(self, n):
        """Take `n` bytes off the buffer's front."""
        super()._drop(n)
        self._at = 8
        self._escaped = False

    def _restart(self, pos):
        """Drop all before the first start, or the front of one, in the buffer from `pos`."""
        own = self._buf
        at = own.find(_START, pos, self._len)
        if at < 0:
            at = max(pos, self._len - 7)
            while at < self._len and own[at : self._len] != _START[: self._len - at]:
                at += 1
        if at > pos:
            self._tell()
        self._drop(at)

    # -- a file ---------------------------------------------------------------------------------------------

    def _scan(self):
        """Go on in the buffer: None when more bytes are needed, else the Telegrams of what was taken off it."""
        if self._len >= 8 and self._buf.find(_START, 0, 8):
            self._tell()
            self._restart(1)
            return _NONE
        at = self._find_escape()
        if at < 0:
            if self._len < _SIZE:
                return None
            self._count("too long")
            self._told = True
            self._restart(1)
        elif self._buf[at + 4] == _END:
            return self._close(at)
        else:
            self._count("truncated")
            self._drop(at)
        return _NONE

    def _find_escape(self):
        """Return where the escape of an end or of the next start stands, or -1 as long as there is none."""
        own = self._buf
        end = self._len
        at = self._at
        while True:
            at = own.find(_ESCAPE, at, end)
            if at < 0 or at > end - 8:
                self._at = at if at >= 0 else max(8, end - 3)
                return -1
            follows = own[at + 4]
            if (follows == _END and not at & 3) or (follows == 1 and own.find(_VERSION, at + 4, at + 8) >= 0):
                return at
            if follows == 0x1B and own.find(_ESCAPE, at + 4, at + 8) >= 0:
                self._escaped = True
                at += 8
            else:
                at += 1

    def _close(self, at):
        """Take the file that ends with the escape at `at` off the buffer; return its Telegrams."""
        own = self._buf
        telegrams = _NONE
        try:
            self._check(at)
            telegrams = self._messages.read(own, 8, self._unescaped(at))
            self._told = False
            self._drop(at + 8)
        except FrameError as err:
            self._fail(err.args[0], at)
        return telegrams

    def _fail(self, reason, at):
        """Drop the file that ends with the escape at `at`, but no start that lost bytes have hidden in it."""
        start = self._buf.find(_START, 1, at)
        if start > 0 and self._tries < _MOST_TRIES:  # a cut off escape and a start look like a doubled escape
            self._tries += 1
            self._count("truncated")
            self._drop(start)
            return
        self._tries = 0
        self._count(reason)
        self._told = True
        self._restart(at + 4)

    def _check(self, at):
        own = self._buf
        if own[at + 5] > 3:
            raise FrameError("crc")
        for kermit in (self._kermit,) if self._wrong else (False, True):
            if kermit:
                good = crc16_kermit(own, at + 6) == own[at + 6] << 8 | own[at + 7]
            else:
                good = crc16_x25(own, at + 6) == own[at + 7] << 8 | own[at + 6]
            if good:
                self._kermit = kermit
                self._wrong = _PATIENCE
                return
        self._wrong = max(0, self._wrong - 1)
        raise FrameError("crc")

    def _unescaped(self, at):
        """Take one of each two escapes out of the file that ends at `at`; return where it ends now."""
        own = self._buf
        end = at - own[at + 5]
        if not self._escaped:
            return end
        pos = to = 8
        while pos < at:
            if (
                own[pos] == 0x1B
                and own.find(_ESCAPE, pos, pos + 4) == pos
                and own.find(_ESCAPE, pos + 4, at) == pos + 4
            ):
                for _ in range(4):
                    own[to] = 0x1B
                    to += 1
                pos += 8
            else:
                own[to] = own[pos]
                to += 1
                pos += 1
        return to - (at - end)
