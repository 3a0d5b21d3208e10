"""DLMS/COSEM that meters push to the customer port: bytes in, checked readings out.

Source   ISO/IEC 13239 and DLMS UA 1000-2 (Green Book) 8.4 (HDLC: frame format type 3, addresses of 1 to 4 bytes, HCS,
         FCS, segmentation; no byte stuffing); EN 13757-2 5.4 (M-Bus frames with L L), EN 13757-4 and Green Book 10.5
         (CI 00 to 1F: segment, bit 10 the last one, STSAP, DTSAP); above them dlms_apdu.py.
         M-Bus frames of more than 255 bytes, whose length byte has wrapped (68 01 01 68 is 257), are read too.
Units    those of reading.py; times are Unix seconds. A Telegram's `version` is the list's, "AIDON_V0001", or "".
Memory   one buffer of 2050 bytes for a frame and one of 2048 for what came in parts; until a frame is whole feed()
         allocates nothing.
Errors   feed() raises nothing: what is no good frame is dropped and counted in `errors`, by reason:
         garbage    bytes that are no frame, or data that are none, under a good check sum
         crc        the FCS or the sum of a frame is wrong
         truncated  a part of a telegram is missing, or an element is longer than the data
         too long   more than 2048 bytes, or 64 blocks, in one telegram
         key missing, not authentic, replay    ciphered telegrams, see dlms_security.py
         unsupported APDU, unsupported list, unsupported CI, unsupported security, unsupported compact array
Runs on  both
"""

from micropython import const

from ..codec.crc import crc16_x25
from ..errors import FrameError
from .dlms_apdu import APDUs, has_llc
from .dlms_lists import Lists
from .dlms_security import Envelope
from .framing import Framing

_SIZE = const(2050)
_NONE = const(())
_FLAG = const(0x7E)
_TYPE_3 = const(0xA0)
_SEGMENTED = const(0x08)
_SHORTEST = const(7)  # format, two addresses, control, FCS
_LONGEST_ADDRESS = const(4)
_MBUS = const(0x68)
_STARTS = const(b"\x7e\x68")
_MBUS_END = const(0x16)
_LAST_SEGMENT = const(0x10)
_MOST_TRIES = const(16)  # frames looked for inside one that failed
_MORE = const(-1)
_BAD = const(-2)


class DLMSDecoder(Framing):
    """Decodes one line.

    key, auth_key: 16 bytes or None, see dlms_security.Envelope; zone: codec.timezone.Zone for times that do not say
    how far they are from UTC, or None for base_offset_s and the meter's own summer bit.
    """

    def __init__(self, key=None, auth_key=None, zone=None, base_offset_s: int = 3600) -> None:
        super().__init__(_SIZE)
        self.envelope = Envelope(key, auth_key)
        self._apdus = APDUs(self.envelope, Lists(zone, base_offset_s), self._count)
        self._frame = self._view[1:]  # behind the flag
        self._info = 0  # where the information of the HDLC frame begins, once its header is known to be right
        self._tries = 0  # frames looked for inside one that failed
        self._failed = 0  # bytes of that one that are still in the buffer

    def feed(self, buf: "bytes | bytearray", n: int) -> "list | tuple":
        """Take the first `n` bytes of `buf`; return the Telegrams they complete, mostly none."""
        found = _NONE
        pos = 0
        while pos < n:
            if not self._len:
                pos = self._seek(buf, pos, n)
            elif self._len == 1:
                pos = self._skip_flags(buf, pos, n)
            take = min(n - pos, _SIZE - self._len)
            self._copy(buf, pos, take)
            pos += take
            while self._len:
                size = self._scan()
                if size == _MORE:
                    break
                if size == _BAD:
                    self._restart(1)
                    continue
                telegrams = self._take(size)
                if telegrams:
                    found = telegrams if not found else found + telegrams  # pyright: ignore
        return found

    def read_apdu(self, raw: "bytes | bytearray") -> list:
        """Return the Telegrams of an APDU that came without a link layer; LLC bytes in front are skipped."""
        try:
            return self._apdus.whole(raw, 0, len(raw))  # pyright: ignore
        except FrameError as err:
            self._count(err.args[0])
            return []

    def silence(self) -> list:
        """Take it that the line was silent for a second or more: what was begun does not go on.

        Returns the Telegrams that stood behind what only looked like the beginning of a longer frame.
        """
        found = []
        while self._len:
            size = self._scan()
            if size >= 0:
                found.extend(self._take(size))
                continue
            if size == _MORE and self._info:
                self._count("truncated")
                self._told = True
            self._restart(1)
        self._apdus.silence()
        return found

    # -- the buffer --------------------------------------------------------------------------------------------

    def _seek(self, buf, pos, n):
        """Return where a frame may begin in buf[pos:n], else n; what lies before it is garbage."""
        flag = buf.find(b"\x7e", pos, n)
        mbus = buf.find(b"\x68", pos, flag if flag >= 0 else n)
        at = mbus if mbus >= 0 else flag if flag >= 0 else n
        if at > pos:
            self._tell()
        return at

    def _skip_flags(self, buf, pos, n):
        """Return where in buf[pos:n], behind a flag, something else begins: many flags mean no more than one."""
        if self._buf[0] == _FLAG:
            while pos < n and buf[pos] == _FLAG:
                pos += 1
        return pos

    def _drop(self, n):
        """Take `n` bytes off the buffer's front."""
        super()._drop(n)
        self._info = 0
        self._failed -= min(n, self._failed)
        if not self._failed:
            self._tries = 0

    def _restart(self, pos):
        """Drop all before the next place in the buffer, from `pos` on, where a frame may begin."""
        if self._buf[0] != _FLAG or pos > 1:  # a flag alone is what stands between frames
            self._tell()
        own = self._buf
        while pos < self._len and own[pos] not in _STARTS:
            self._tell()
            pos += 1
        self._drop(min(pos, self._len))

    # -- a frame -----------------------------------------------------------------------------------------------

    def _scan(self):
        """Return the size of the frame at the buffer's front, _MORE while it is not whole, _BAD when it is none."""
        return self._scan_hdlc() if self._buf[0] == _FLAG else self._scan_mbus()

    def _scan_hdlc(self):
        own = self._buf
        if self._len < 3:
            return _MORE if self._len < 2 or own[1] not in _STARTS else _BAD
        if own[1] & 0xF0 != _TYPE_3 and own[2] & 0xF0 == _TYPE_3 and own[1] not in _STARTS:
            self._tell()  # the second of two flags was lost to noise
            own[1] = _FLAG
            self._drop(1)
            return self._scan_hdlc()
        size = ((own[1] & 7) << 8 | own[2]) + 1
        if own[1] & 0xF0 != _TYPE_3 or size <= _SHORTEST:
            return _BAD
        if not self._info:
            header = self._header(size)
            if header <= 0:
                return header or _MORE
            self._info = header
        return size if self._len >= size else _MORE

    def _header(self, size):
        """Return where the information begins, 0 while that is not known, _BAD when the header is wrong."""
        own = self._buf
        pos = 3
        for _ in range(2):  # destination and source; the last byte of each is odd
            start = pos
            while pos < self._len and not own[pos] & 1:
                pos += 1
            pos += 1
            if pos - start > _LONGEST_ADDRESS:
                return _BAD
            if pos > self._len:
                return 0
        pos += 1  # control
        if pos + 2 == size:  # no information, so no HCS either
            return pos
        if pos + 4 > size:
            return _BAD
        if pos + 2 > self._len:
            return 0
        stated = own[pos] | own[pos + 1] << 8
        return pos + 2 if crc16_x25(self._frame, pos - 1) == stated else _BAD

    def _scan_mbus(self):
        own = self._buf
        if self._len < 4:
            good = self._len < 3 or own[1] == own[2]
            return _MORE if good else _BAD
        if own[1] != own[2] or own[3] != _MBUS:
            return _BAD
        size = own[1] + 6
        if size < 11:  # less than C, A, CI, STSAP and DTSAP: the length has wrapped
            size += 256
        if self._len < size:
            return _MORE
        return size if own[size - 1] == _MBUS_END else _BAD

    def _take(self, size):
        """Take the frame of `size` bytes off the buffer; return the Telegrams that it completes."""
        is_hdlc = self._buf[0] == _FLAG
        if not (self._is_good_hdlc(size) if is_hdlc else self._is_good_mbus(size)):
            self._fail(size)
            return _NONE
        telegrams = _NONE
        try:
            telegrams = self._hdlc(size) if is_hdlc else self._mbus(size)
            self._told = False
        except FrameError as err:
            self._count(err.args[0])
        self._drop(size)
        return telegrams

    def _fail(self, size):
        """Drop a frame whose sum is wrong, but not the frames that lost bytes have put into it."""
        if not self._tries:
            self._count("crc")
            self._apdus.drop()
        self._told = True
        self._tries += 1
        self._failed = max(self._failed, size)
        self._restart(1 if self._tries < _MOST_TRIES else self._failed)

    def _is_good_hdlc(self, size):
        own = self._buf
        return crc16_x25(self._frame, size - 3) == own[size - 2] | own[size - 1] << 8

    def _is_good_mbus(self, size):
        own = self._buf
        total = 0
        for i in range(4, size - 2):
            total += own[i]
        return total & 0xFF == own[size - 2]

    def _hdlc(self, size):
        own = self._buf
        start, end = self._info, size - 2
        if start >= end:
            return _NONE
        if not own[1] & _SEGMENTED:
            # some APDUs come without LLC; what begins otherwise is the end of one in segments
            if has_llc(own, start, end) or (not self._apdus.is_begun() and own[start] in (0x0F, 0xDB, 0xE0)):
                return self._apdus.whole(own, start, end)
            return self._apdus.part(own, start, end, -1, True)
        return self._apdus.part(own, start, end, -1, False)

    def _mbus(self, size):
        own = self._buf
        control = own[6]
        if control & 0xE0:
            raise FrameError("unsupported CI")
        return self._apdus.part(own, 9, size - 2, control & 15, bool(control & _LAST_SEGMENT))
