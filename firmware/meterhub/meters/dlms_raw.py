"""DLMS/COSEM pushed without any link layer: the APDUs alone follow each other on the line.

Source   DLMS UA 1000-2 (Green Book) 9.3.10, 9.5
Units    those of reading.py
Memory   that of dlms.py
Errors   as in dlms.py
Runs on  both

There is no check sum: only a ciphered APDU with its tag is protected. So this is for lines that are known to be
so, never for one that might carry frames: an APDU in a frame with a wrong check sum would be believed.
"""

from micropython import const

from ..errors import FrameError
from . import dlms_axdr as axdr
from .dlms import DLMSDecoder
from .dlms_apdu import has_llc
from .dlms_security import length_at

_SIZE = const(2048)
_MORE = const(-1)
_BAD = const(-2)
_FIRST = const(b"\x0f\xdb\xe0\xe6")


class RawDLMSDecoder(DLMSDecoder):
    """Decodes one line without link layer; the arguments are those of DLMSDecoder."""

    def _seek(self, buf, pos, n):
        start = pos
        while pos < n and buf[pos] not in _FIRST:
            pos += 1
        if pos > start:
            self._tell()
        return pos

    def _restart(self, pos):
        self._tell()
        while pos < self._len and self._buf[pos] not in _FIRST:
            pos += 1
        self._drop(min(pos, self._len))

    def _scan(self):
        own = self._buf
        end = self._len
        start = 0
        if own[0] == 0xE6:
            if end < 4:
                return _MORE
            if not has_llc(own, 0, end):
                return _BAD
            start = 3
        try:
            return self._end(start, end)
        except FrameError as err:
            return _MORE if err.args[0] == "truncated" and end < _SIZE else _BAD

    def _end(self, pos, end):
        """Return where the APDU at `pos` ends; FrameError "truncated" when that is not before `end`."""
        own = self._buf
        skipped = {0xDB: 10, 0xE0: 6, 0x0F: 5}.get(own[pos])
        if skipped is None:
            raise FrameError("garbage")
        if own[pos] == 0xDB and pos + 1 < end and own[pos + 1] != 8:
            raise FrameError("garbage")
        if own[pos] == 0x0F and end > pos + 6 and own[pos + 5] == axdr.OCTETS:
            skipped = 6
        is_notification = own[pos] == 0x0F
        length, pos = length_at(own, pos + skipped, end)
        pos += length
        if is_notification:
            if length not in (0, 12):
                raise FrameError("garbage")
            if pos < end and own[pos] not in (axdr.ARRAY, axdr.STRUCTURE):
                raise FrameError("garbage")
            return axdr.skip(own, pos, end)
        if pos > end:
            raise FrameError("truncated")
        return pos

    def _take(self, size):
        telegrams = []
        try:
            telegrams = self._apdus.whole(self._buf, 0, size)
            self._told = False
        except FrameError as err:
            self._count(err.args[0])
        self._drop(size)
        return telegrams
