"""What the link layers carry: notifications, ciphered ones, and ones in blocks, put together and opened.

Source   DLMS UA 1000-2 (Green Book): 9.3.10 and 9.5 (data-notification), 9.4.6.13 (general-block-transfer), 9.2.7
         (ciphering), 8.3 (LLC: E6 E7 00 or E6 E6 00 in front).
Units    those of reading.py
Memory   one buffer of 2048 bytes for what came in parts, the blocks of one transfer (together at most 2048 bytes)
Errors   FrameError, by the reasons of dlms.py
Runs on  both

Blocks carry numbers but not whose they are. So a transfer begins with block 1; those that follow may come in any
order and twice. A block from before block 1 is of the last transfer, mostly, and would mix two telegrams: it is used
only where the tag of a ciphered telegram proves that it belongs to this one.
"""

from micropython import const

from ..errors import FrameError
from . import dlms_axdr as axdr
from .dlms_lists import Lists
from .dlms_security import Envelope, length_at

_SIZE = const(2048)
_NOTIFICATION = const(0x0F)
_BLOCK = const(0xE0)
_GLO = const(0xDB)
_LAST_BLOCK = const(0x80)
_MOST_BLOCKS = const(64)
_NO_PLAINTEXT = const(("unsupported APDU", "garbage", "truncated"))


class APDUs:
    """Opens the APDUs of one line; `count` is called with a reason for each that is dropped on the way."""

    def __init__(self, envelope: Envelope, lists: Lists, count) -> None:
        self._envelope = envelope
        self._lists = lists
        self._count = count
        self._buf = bytearray(_SIZE)
        self._len = 0
        self._parts = -1  # parts of an APDU in the buffer, -1 when none is begun
        self._forget_blocks()

    def _forget_blocks(self):
        self._blocks = {}  # number -> content
        self._size = 0
        self._last = 0  # number of the last one, once it is known
        self._early = []  # numbers of those that came before block 1

    def silence(self) -> None:
        """Forget what was begun."""
        if self._parts >= 0 or self._blocks:
            self._count("truncated")
        self._parts = -1
        self._forget_blocks()

    def whole(self, buf: bytearray, pos: int, end: int) -> list:
        """Return the Telegrams of the APDU buf[pos:end], which came in one frame."""
        if self._parts >= 0:
            self._count("truncated")
        self._begin()
        self._append(buf, pos, end)
        return self._finish()

    def part(self, buf: bytearray, pos: int, end: int, number: int, is_last: bool) -> list:
        """Take part `number` from 0 on (-1 when the link has no numbers) of an APDU; return what it completes."""
        if number == 0 or (number < 0 and has_llc(buf, pos, end)):
            if self._parts >= 0:
                self._count("truncated")
            self._begin()
        elif self._parts < 0 or (number >= 0 and number != self._parts):
            self._parts = -1
            raise FrameError("truncated")
        self._append(buf, pos, end)
        self._parts += 1
        return self._finish() if is_last else []

    def is_begun(self) -> bool:
        """Return whether parts of an APDU have come and its last one not yet."""
        return self._parts >= 0

    def drop(self) -> None:
        """Forget the parts that have come: the next one is lost."""
        self._parts = -1

    def _begin(self):
        self._len = self._parts = 0

    def _append(self, buf, pos, end):
        if self._len + end - pos > _SIZE:
            self._parts = -1
            raise FrameError("too long")
        self._buf[self._len : self._len + end - pos] = buf[pos:end]
        self._len += end - pos

    def _finish(self):
        self._parts = -1
        start = 3 if has_llc(self._buf, 0, self._len) else 0
        return self._open(start, self._len)

    # -- one APDU, in the buffer ---------------------------------------------------------------------------------

    def _open(self, pos, end):
        """Return the Telegrams of the APDU in the buffer at pos:end."""
        if pos >= end:
            return []
        if self._buf[pos] == _BLOCK:
            return self._block(pos, end)
        return [self._telegram(pos, end)]

    def _telegram(self, pos, end):
        title = b""
        is_proved = True
        if self._buf[pos] == _GLO:
            pos, end = self._envelope.open(self._buf, pos, end)
            title = self._envelope.title
            is_proved = self._envelope.is_authentic
        try:
            return self._notification(pos, end, title)
        except FrameError as err:
            if not is_proved and err.args[0] in _NO_PLAINTEXT:  # it is another key's, mostly
                raise FrameError("not authentic")
            raise

    def _notification(self, pos, end, title):
        """Return the Telegram of a data-notification: tag, invoke id (4 bytes), date-time, data."""
        buf = self._buf
        if pos >= end or buf[pos] != _NOTIFICATION:
            raise FrameError("unsupported APDU")
        pos += 5
        if pos + 1 < end and buf[pos] == axdr.OCTETS and buf[pos + 1] == 12:  # Kaifa: with a tag
            pos += 1
        length, pos = length_at(buf, pos, end)
        if length not in (0, 12) or pos + length > end:
            raise FrameError("garbage")
        at = self._lists.time(bytes(buf[pos : pos + 12])) if length else None
        return self._lists.read(buf, pos + length, end, at, title)

    # -- blocks --------------------------------------------------------------------------------------------------

    def _block(self, pos, end):
        """Take a block: tag, control, number (2 bytes), number acknowledged (2 bytes), length, content."""
        buf = self._buf
        if pos + 7 > end:
            raise FrameError("truncated")
        control, number = buf[pos + 1], buf[pos + 2] << 8 | buf[pos + 3]
        length, pos = length_at(buf, pos + 6, end)
        if pos + length > end:
            raise FrameError("truncated")
        if not number:
            raise FrameError("garbage")
        if number > _MOST_BLOCKS:
            raise FrameError("too long")
        self._keep(number, bytes(buf[pos : pos + length]), control & _LAST_BLOCK)
        return self._join() if self._is_complete() else []

    def _keep(self, number, content, is_last):
        known = self._blocks.get(number)
        if number in self._early:
            self._early.remove(number)
        elif known not in (None, content):  # the next transfer has begun
            self._count("truncated")
            self._forget_blocks()
        if number == 1 and known != content:
            self._early = list(self._blocks)
        self._size += len(content) - len(self._blocks.get(number, b""))
        if self._size > _SIZE:
            self._forget_blocks()
            raise FrameError("too long")
        self._blocks[number] = content
        if is_last:
            self._last = number

    def _is_complete(self):
        return bool(self._last) and all([i in self._blocks for i in range(1, self._last + 1)])

    def _join(self):
        """Return the Telegrams of the blocks, unless some of them may be of another transfer."""
        self._len = 0
        for i in range(1, self._last + 1):
            content = self._blocks[i]
            self._buf[self._len : self._len + len(content)] = content
            self._len += len(content)
        early = [number for number in self._early if number <= self._last]
        if not early:
            self._forget_blocks()
            if not self._len or self._buf[0] == _BLOCK:
                raise FrameError("garbage")
            return [self._telegram(0, self._len)]
        try:
            telegram = self._telegram(0, self._len) if self._len and self._buf[0] == _GLO else None
            if telegram is not None and self._envelope.is_authentic:
                self._forget_blocks()
                return [telegram]
        except FrameError:
            pass
        self._count("truncated")
        for number in early:
            self._size -= len(self._blocks.pop(number))
            if number == self._last:
                self._last = 0
        self._early = []
        return []


def has_llc(buf: bytearray, pos: int, end: int) -> bool:
    """Return whether the LLC header of COSEM stands at `pos`."""
    return end - pos > 3 and buf[pos] == 0xE6 and buf[pos + 1] in (0xE6, 0xE7) and not buf[pos + 2]
