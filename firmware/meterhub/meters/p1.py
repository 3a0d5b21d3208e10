"""DSMR P1 telegrams: bytes from the meter's customer port in, checked readings out.

Source   P1 companion standard, Dutch Smart Meter Requirements 5.0.2 (telegram 5.12, CRC 5.2, times 6.4) and 2.2;
         eMUCS-P1 1.7.1 for Belgium; IEC 62056-21 6.3 (ident line, data lines).
Units    those of reading.py; times are Unix seconds. A Telegram's `meter` is the electricity meter's id, else its
         ident line; its `version` "50", "42", "50217" (Belgium), "" before 4.
Memory   one buffer of 4096 bytes; feed() allocates nothing until a telegram is whole.
Errors   feed() raises nothing: what is no good telegram is dropped and counted in `errors`, by reason:
         garbage    bytes that are no telegram          truncated  the next telegram began before this one's end
         too long   no end within 4096 bytes            crc        the CRC is wrong, or is missing where there was one
         damaged    no CRC, and a line is not as the standard has it or nothing was read
         line       one line of a telegram with a good CRC is not understood, or one without CRC is a text with
                    brackets in it (the other lines are delivered)
Runs on  both

The CRC alone decides what is believed. A telegram is looked for again behind every "/" inside one that failed, so
lost bytes cost the telegrams they were lost from and no others. A telegram without CRC (versions 2 and 3) is
believed only whole: every line must be well formed, and a meter that has sent a CRC is held to it.
"""

from micropython import const

from ..codec.copy import copy
from ..codec.crc import crc16_arc, crc16_x25
from ..errors import FrameError
from . import p1_lines
from .reading import Telegram

_SIZE = const(4096)
_START = const(0x2F)  # "/"
_CR = const(13)
_LF = const(10)
_NONE = const(())
_HEX = const(b"0123456789ABCDEFabcdef")
_BETWEEN = const(b"\r\n\x00")  # what may stand between two telegrams
_MOST_TRIES = const(16)  # telegrams looked for inside one that failed
_PATIENCE = const(10)  # telegrams one after the other that say it is another kind of meter now


class P1Decoder:
    """Decodes one P1 line.

    zone: codec.timezone.Zone for times without S or W (version 2 and 3), or None for winter time all year;
    base_offset_s: what W (winter) is ahead of UTC by; S is an hour more.
    """

    def __init__(self, zone=None, base_offset_s: int = 3600) -> None:
        self.errors = {}
        self._lines = p1_lines.Lines(zone, base_offset_s)
        self._buf = bytearray(_SIZE)
        self._view = memoryview(self._buf)
        self._len = 0  # 0: between telegrams
        self._end = 0  # index just past "!", 0 while it has not been seen
        self._told = False  # the garbage that goes on has been counted
        self._crc = crc16_arc  # this meter's, once one was right
        self._bare = 0  # telegrams without CRC that are still refused
        self._wrong = 0  # telegrams with another CRC that are still refused

    def feed(self, buf: "bytes | bytearray", n: int) -> "list | tuple":
        """Take the first `n` bytes of `buf`; return the Telegrams they complete, mostly none."""
        found = _NONE
        pos = 0
        while pos < n:
            if not self._len:
                pos = self._seek(buf, pos, n)
                if pos == n:
                    break
            take = min(n - pos, _SIZE - self._len)
            self._copy(buf, pos, take)
            pos += take
            while self._is_whole():
                telegram = self._close()
                if telegram is not None:
                    found = found or []
                    found.append(telegram)  # pyright: ignore
        return found

    def silence(self) -> "list | tuple":
        """Take it that the line was silent for a second or more: what was begun does not go on.

        Returns the Telegram, if any, that had no CRC and no line end behind its "!" yet.
        """
        found = self.feed(b"\r\n", 2) if self._end else _NONE
        if self._len:
            self._count("truncated")
            self._len = self._end = 0
            self._told = True
        return found

    def _seek(self, buf, pos, n):
        """Return where a "/" stands in buf[pos:n], else n; what lies before it is garbage."""
        at = buf.find(b"/", pos, n)
        if at < 0:
            at = n
        if not self._told:
            for i in range(pos, at):
                if buf[i] not in _BETWEEN:
                    self._count("garbage")
                    self._told = True
                    break
        if at < n:
            self._told = False
        return at

    def _copy(self, buf, pos, n):
        own = self._buf
        at = self._len
        copy(own, at, buf, pos, n)
        self._len = at + n
        if not self._end:
            self._end = own.find(b"!", at, self._len) + 1

    def _is_whole(self):
        """Return whether the buffer's first telegram has come to its end, good or bad."""
        if self._end:
            after = self._after()
            if after < self._len or after == self._end + 4:
                return True
        if self._len == _SIZE:
            self._end = 0  # even where the "!" still fitted in
        return self._len == _SIZE

    def _close(self):
        """Take the first telegram off the buffer; return it, or None when it was no good."""
        reason = ""
        for start in self._starts():
            if reason:
                self._count("truncated" if reason in ("crc", "damaged") else reason)
                if not self._end:
                    self._drop(start, False)
                    return None
            try:
                telegram = self._read(start)
                self._drop(self._after(), True)
                return telegram
            except FrameError as err:
                reason = err.args[0]
        self._count(reason)
        self._drop(self._after(), False)
        return None

    def _starts(self):
        """Return where a telegram may begin: at the front, or at one of the last few "/" before the end."""
        found = [0]
        pos = self._next_start(1)
        while pos >= 0:
            if len(found) == _MOST_TRIES:
                del found[1]
            found.append(pos)
            pos = self._next_start(pos + 1)
        return found

    def _after(self):
        """Return where the first telegram ends so far: behind the "!" and the digits of its CRC."""
        if not self._end:
            return _SIZE
        i = self._end
        while i < self._len and i < self._end + 4 and self._buf[i] in _HEX:
            i += 1
        return i

    def _next_start(self, pos):
        """Return where in the buffer, from `pos`, another telegram may begin, or -1."""
        stop = self._end or self._len
        while True:
            pos = self._buf.find(b"/", pos, stop)
            if pos < 0 or p1_lines.is_ident(self._buf, pos, stop) or (pos + 4 > stop and not self._end):
                return pos
            pos += 1

    def _drop(self, n, good):
        """Take `n` bytes off the buffer's front and look for the next telegram in what is left."""
        self._told = not good
        rest = bytes(self._view[n : self._len])
        self._len = self._end = 0
        start = self._seek(rest, 0, len(rest)) if rest else 0
        if start < len(rest):
            self._copy(rest[start:], 0, len(rest) - start)

    def _read(self, start):
        """Return the Telegram in the buffer from `start`; FrameError says why there is none."""
        end = self._end
        if not end:
            raise FrameError("too long")
        if not p1_lines.is_ident(self._buf, start, end):
            raise FrameError("garbage")
        raw = bytes(self._view[start:end])
        stated = bytes(self._view[end : self._after()])
        if stated:
            self._check(raw, int(stated, 16))
        else:
            self._refuse_bare(start)
        skipped, found = self._lines.read(raw, not stated)
        if not (stated or found[3] or found[4]):  # no CRC, no reading, no text: noise may look so
            raise FrameError("damaged")
        if skipped:
            self._count("line", skipped)
        return Telegram(*found)

    def _check(self, raw, stated):
        for crc in (self._crc,) if self._wrong else (crc16_arc, crc16_x25):
            if crc(raw, len(raw)) == stated:
                self._crc = crc
                self._bare = self._wrong = _PATIENCE
                return
        self._wrong = max(0, self._wrong - 1)
        raise FrameError("crc")

    def _refuse_bare(self, start):
        """Raise FrameError for a telegram without CRC that no meter could have sent so."""
        if self._buf[self._end] not in (_CR, _LF):
            raise FrameError("truncated")
        if self._bare:
            if not start:  # once for an end, however many beginnings it may have
                self._bare -= 1
            raise FrameError("crc")

    def _count(self, reason, n=1):
        self.errors[reason] = self.errors.get(reason, 0) + n
