"""Wired M-Bus: bytes of the bus in, checked readings out.

Source   EN 13757-2:2018, 5.7 (frames of IEC 60870-5: single character, short, control and long frame; checksum);
         EN 13757-3:2018, 5 (CI), 6.2 (headers), 8 (application errors); EN 1434-3:1997 for the fixed structure.
Units    those of reading.py; times are Unix seconds. A Telegram's `meter` is maker and identification ("ELV24011561"),
         without a header the serial number that the records tell; its `version` the CI field ("72"). `texts` has
         "medium", "status" where it is not 00, and all that is no number; serial numbers are text.
Memory   one buffer of 261 bytes; feed() allocates nothing until a frame is whole.
Errors   feed() raises nothing: what is no good answer is dropped and counted in `errors`, by reason:
         garbage       bytes that are no frame         crc          the sum, or the end, is wrong
         truncated     a frame or its records end too soon (silence() says that nothing more will come)
         too many DIFE, too many VIFE                  key missing  the records are encrypted
         unsupported <what>                            refused <why>  the meter says that it could not answer
Runs on  both

A frame is looked for again behind every byte of one that failed. One bad record refuses the whole answer.
"""

from micropython import const

from ..errors import FrameError
from . import mbus_records
from .framing import Stepping
from .mbus_fixed import fixed_records
from .reading import Reading, Telegram

_SIZE = const(261)  # 68 L L 68, at most 255 bytes, sum, 16
_LONG = const(0x68)
_SHORT = const(0x10)
_STOP = const(0x16)
_ACK = const(0xE5)
_ENCRYPTED = const(b"\x02\x03\x04\x05\x07\x08\x09\x0a\x0d\x0f")  # the modes that are defined, EN 13757-7
_REFUSALS = (
    "unspecified", "CI field", "too long", "too many records", "premature end",
    "too many DIFE", "too many VIFE", "reserved", "busy", "too many readouts",
)  # fmt: skip
_MEDIA = (
    "other", "oil", "electricity", "gas", "heat", "steam", "warm water", "water",
    "heat cost allocator", "compressed air", "cooling", "cooling", "heat", "heat and cooling", "bus", "unknown",
)  # fmt: skip
_MORE_MEDIA = {0x15: "hot water", 0x16: "cold water", 0x17: "two waters", 0x18: "pressure", 0x19: "converter"}


class MBusDecoder(Stepping):
    """Decodes the answers on one bus. base_offset_s: what the meters' standard time is ahead of UTC by."""

    def __init__(self, base_offset_s: int = 3600) -> None:
        super().__init__(_SIZE, 1)
        self.more = False  # of the last telegram: the meter has more to tell
        self.address = -1  # of the last frame
        self._records = mbus_records.Records(base_offset_s)

    def _whole(self):
        """Return how long the frame at the buffer's front is, or at least is; 0 for what begins no frame."""
        buf = self._buf
        first = buf[0]
        if first == _LONG:
            if self._len < 4:
                return 4
            return buf[1] + 6 if buf[1] > 2 and buf[2] == buf[1] and buf[3] == _LONG else 0
        if first == _SHORT:
            return 5
        return 1 if first == _ACK else 0

    def _settle(self, found):
        """Take off the buffer what is settled, good or bad; return `found` with the Telegrams of good answers."""
        self._need = 1
        while self._len:
            whole = self._whole()
            if whole > self._len:
                self._need = whole
                break
            if whole and self._sum_is_right(whole):
                self._told = False
                telegram = self._close(whole) if whole > 5 else None
                if telegram is not None:
                    found = found or []
                    found.append(telegram)
                self._drop(whole)
                continue
            if not self._told or whole > 5:
                self._count("crc" if whole > 5 else "garbage")
                self._told = True
            self._skip()
        return found

    def _sum_is_right(self, whole):
        buf = self._buf
        if whole == 1:
            return True
        if buf[whole - 1] != _STOP:
            return False
        first = 1 if whole == 5 else 4
        return sum(self._view[first : whole - 2]) & 0xFF == buf[whole - 2]

    def _skip(self):
        """Drop the first byte, and all behind it that cannot begin a frame."""
        buf = self._buf
        n = 1
        while n < self._len and buf[n] not in b"\x68\x10\xe5":
            n += 1
        self._drop(n)

    def _close(self, whole):
        """Return the Telegram of the frame at the buffer's front, or None when it holds none."""
        raw = bytes(self._view[4 : whole - 2])
        self.address = raw[1]
        self.more = False
        try:
            return self._read(raw)
        except FrameError as err:
            self._count(err.args[0])
            return None

    # -- the application layer --------------------------------------------------------------------------------

    def _read(self, raw):
        """Return the Telegram of the bytes from the C field on; FrameError says why there is none."""
        if raw[0] & 0x4F != 0x08:  # of the answers only RSP_UD has data
            raise FrameError("unsupported request")
        ci = raw[2]
        if ci == 0x70:
            raise FrameError("refused " + _REFUSALS[min(raw[3], 9) if len(raw) > 3 else 0])
        if ci & 0xFB in (0x72, 0x73):
            return self._with_long_header(raw, ci, not ci & 4)
        if ci == 0x7A:
            _need(raw, 7)
            _refuse_encrypted(raw, 5)
            return self._telegram("", ci, raw, 7, True, {"status": raw[4]})
        if ci == 0x78:
            return self._telegram("", ci, raw, 3, True, {})
        raise FrameError("unsupported CI %02X" % ci)

    def _with_long_header(self, raw, ci, low_first):
        """Read an answer that says whose it is: CI 72 and 76 with records, 73 and 77 the fixed structure."""
        _need(raw, 15 if ci & 1 == 0 else 19)
        ident = "%08x" % int.from_bytes(raw[3:7], "little" if low_first else "big")
        if ci & 1:
            found = fixed_records(raw, low_first)
            readings = [Reading(name, value, scale, unit, ident, 0, None) for name, value, scale, unit in found]
            medium = raw[9] >> 6 & 3 | raw[10] >> 4 & 12
            return Telegram(ident, "%02X" % ci, None, readings, _header_texts(medium, raw[8] & 0xFC))
        _refuse_encrypted(raw, 13)
        maker = int.from_bytes(raw[7:9], "little" if low_first else "big")
        letters = "".join([chr(64 + (maker >> shift & 31)) for shift in (10, 5, 0)])
        head = {"medium": raw[10], "status": raw[12], "version": raw[9]}
        return self._telegram(letters + ident.upper(), ci, raw, 15, low_first, head)

    def _telegram(self, meter, ci, raw, pos, low_first, head):
        records = self._records
        records.read(raw, pos, low_first)
        self.more = records.more
        meter = meter or records.serial
        texts = records.texts
        for name, value in _header_texts(head.get("medium"), head.get("status")).items():
            texts[name] = value
        if "version" in head:
            texts["version"] = "%d" % head["version"]
        return Telegram(meter, "%02X" % ci, records.at, records.readings(meter), texts)


def _need(raw, n):
    if len(raw) < n:
        raise FrameError("truncated")


def _refuse_encrypted(raw, at):
    """Raise FrameError for records in a mode of encryption.

    Before the 2013 edition these two bytes were a signature that meant nothing, and some meters fill it with anything.
    """
    if raw[at + 1] & 0x1F in _ENCRYPTED and raw[at + 2 : at + 4] != b"\x2f\x2f":
        raise FrameError("key missing")


def _header_texts(medium, status):
    texts = {}
    if medium is not None:
        texts["medium"] = _MEDIA[medium] if medium < 16 else _MORE_MEDIA.get(medium) or "%02X" % medium
    if status:
        texts["status"] = "%02X" % status
    return texts
