"""The messages of an SML file: TLV elements in, the readings of a GetListResponse out.

Source   SML 1.04 (BSI TR-03109-1, annex IV b): 5.1 (messages), 5.1.14 (lists), 6.2 (TLV), 6.2.1 (CRC); IEC 62056-61
         (OBIS); DIN 43863-5 (meter ids).
         What is fixed here of what meters do wrong, each by the meter's own statement and nothing else:
         DZG   DVS74 with the numbers 4200 0000 to 4899 9999 and 5500 0000 to 5899 9999: 16.7.0 of up to two bytes is
               written as signed but never negative (the maker's statement in libsml #136; negative values have four)
         EMH   meters that have the power as 15.7.0 only, which has no sign: bit 0x20 of the status word of 1.8.0 says
               that it flows out (FNN Lastenheft EDL 1.0, status word); 16.7.0 is delivered beside it, with its sign
         Holley  a time without the choice in front of it; CRC-16/KERMIT, high byte first
Units    those of reading.py; status words are texts, "1-0:1.8.0 status" and so on, in decimal
Memory   that of words.py
Errors   FrameError "garbage" or "truncated" for what is no TLV; "crc" and "unsupported message" are only counted
Runs on  both
"""

import binascii

from micropython import const

from ..codec.crc import crc16_kermit, crc16_x25
from ..errors import FrameError
from .reading import Reading, Telegram
from .units import unit
from .words import Names, readable

_MESSAGE = const(0x76)  # a list of 6, 7 and 2
_LIST_OF_7 = const(0x77)
_LIST_OF_2 = const(0x72)
_LIST = const(0x70)
_INTEGER = const(0x50)
_UNSIGNED = const(0x60)
_BOOLEAN = const(0x40)
_NOTHING = const(0x01)  # an optional element that is not there
_GET_LIST = const(0x0701)
_OTHERS = const((0x0100, 0x0101, 0x0200, 0x0201, 0x0700))  # open and close, asked and answered, and list asked for
_LONGEST = const(8)  # bytes of an integer
_POWER = const(b"\x01\x00\x10\x07\x00\xff")  # 16.7.0
_POWER_SUM = const(b"\x01\x00\x0f\x07\x00\xff")  # 15.7.0
_IMPORTED = const(b"\x01\x00\x01\x08\x00\xff")  # 1.8.0
_DEVICE = const(b"\x01\x00\x60\x01\x00\xff")  # 96.1.0
_OUTWARD = const(0x20)


class Messages:
    """Reads the SML files of one meter; `count` is called with the reason for each message that is dropped."""

    def __init__(self, count) -> None:
        self._count = count
        self._names = Names()
        self._server = b""
        self._meter = ""
        self._unsigned_power = False
        self._readings = []  # of the list being read, with what else was found in it
        self._texts = {}
        self._outward = None  # what the status of 1.8.0 says
        self._total = None  # the reading of 15.7.0

    def read(self, buf: bytearray, pos: int, end: int) -> list:
        """Return the Telegrams of the SML file in buf[pos:end]."""
        found = []
        while pos < end:
            if not buf[pos]:  # the end of a message, and what fills up the last four bytes
                pos += 1
                continue
            start = pos
            if buf[pos] != _MESSAGE:
                raise FrameError("garbage")
            body = skip(buf, pos + 1, end, 3)  # transaction, group, what to do after an error
            pos = skip(buf, body, end)
            stop = skip(buf, pos, end)
            if self._is_good(buf, start, pos, stop):
                telegram = self._message(buf, body, pos)
                if telegram is not None:
                    found.append(telegram)
            else:
                self._count("crc")
            pos = stop
        return found

    def _is_good(self, buf, start, pos, stop):
        """Return whether the CRC in buf[pos:stop] is that of the message buf[start:pos]."""
        stated = _number(buf, pos, stop) if buf[pos] in (0x62, 0x63) else -1
        raw = memoryview(buf)[start:pos]
        crc = crc16_x25(raw, pos - start)
        return stated == (crc & 0xFF) << 8 | crc >> 8 or stated == crc16_kermit(raw, pos - start)

    def _message(self, buf, pos, end):
        """Return the Telegram of the message body in buf[pos:end], or None when it is of another kind."""
        if buf[pos] != _LIST_OF_2:
            raise FrameError("garbage")
        content = skip(buf, pos + 1, end)
        tag = _number(buf, pos + 1, content)
        if tag == _GET_LIST:
            return self._get_list(buf, content, end)
        if tag not in _OTHERS:
            self._count("unsupported message")
        return None

    def _get_list(self, buf, pos, end):
        if buf[pos] != _LIST_OF_7:
            raise FrameError("garbage")
        server = skip(buf, pos + 1, end)
        pos = skip(buf, server, end)
        self._identify(bytes(buf[server + 1 : pos]) if buf[server] & 0xF0 == 0 else b"")
        name_end = skip(buf, pos, end)
        pos = skip(buf, name_end, end)
        at = _time(buf, name_end, pos)
        self._readings = []
        self._texts = {}
        if buf[pos] & _LIST == _LIST:
            self._entries(buf, pos, end, at)
        return Telegram(self._meter, "", at, self._readings, self._texts)

    def _identify(self, server):
        if server != self._server:
            self._server = server
            self._meter = meter_id(server)
            self._unsigned_power = _has_unsigned_power(server)

    def _entries(self, buf, pos, end, at):
        """Read the value list at `pos`, which skip() has been over: every element is there."""
        left, pos = _header(buf, pos, end)
        self._outward = self._total = None
        for _ in range(left):
            if buf[pos] != _LIST_OF_7 or buf[pos + 1] != 7:  # its name is no OBIS code
                pos = skip(buf, pos, end)
                continue
            obis = bytes(buf[pos + 2 : pos + 8])
            pos += 8
            moment = at
            if buf[pos] == _NOTHING and buf[pos + 1] == _NOTHING:
                pos += 2
            else:
                time = self._status(buf, pos, end, obis)
                pos = skip(buf, time, end)
                moment = _time(buf, time, pos) or at
            pos = self._value(buf, pos, end, obis, moment)
            pos = pos + 1 if buf[pos] == _NOTHING else skip(buf, pos, end)  # its signature
        if self._total is not None and self._outward is not None:
            self._add_direction(self._total)

    def _status(self, buf, pos, end, obis):
        """Read the status word at `pos`; return where it ends."""
        stop = skip(buf, pos, end)
        if buf[pos] != _NOTHING:
            status = _number(buf, pos, stop)
            self._texts[self._names.of(obis) + " status"] = str(status)
            if obis == _IMPORTED:
                self._outward = status & _OUTWARD
        return stop

    def _value(self, buf, pos, end, obis, at):
        """Read unit, scaler and value; return where they end."""
        if buf[pos] == 0x62 and buf[pos + 2] == 0x52:  # nearly always
            name, scale = unit(buf[pos + 1]), buf[pos + 3]
            scale = scale - 256 if scale > 127 else scale
            pos += 4
        else:
            scaler = skip(buf, pos, end)
            value = skip(buf, scaler, end)
            name = unit(_number(buf, pos, scaler)) if buf[pos] != _NOTHING else ""
            scale = _number(buf, scaler, value) if buf[scaler] != _NOTHING else 0
            pos = value
        tl = buf[pos]
        stop = pos + (tl & 15) if tl < _LIST else skip(buf, pos, end)
        if tl == _LIST_OF_2:  # a time (5.1.14, SML_ListType): deliver its number
            pos = _innermost(buf, pos, end)
            tl = buf[pos]
        kind = tl & 0xF0
        if kind in (_INTEGER, _UNSIGNED) or tl == _BOOLEAN | 2:
            amount = _number(buf, pos, stop)
            if amount < 0 and self._unsigned_power and obis == _POWER and stop - pos <= 3:
                amount += 1 << 8 * (stop - pos - 1)
            reading = Reading(self._names.of(obis), amount, scale, name, self._meter, 0, at)
            self._readings.append(reading)
            if obis == _POWER_SUM:
                self._total = reading
        elif kind & _LIST == 0 and tl != _NOTHING:
            self._octets(bytes(buf[_header(buf, pos, end)[1] : stop]), obis)
        return stop

    def _octets(self, raw, obis):
        self._texts[self._names.of(obis)] = readable(raw)
        if obis == _DEVICE and _has_unsigned_power(raw):
            self._unsigned_power = True

    def _add_direction(self, total):
        """Deliver 16.7.0 for an EMH meter that has only the sum without sign."""
        name = self._names.of(_POWER)
        texts = self._texts
        if texts.get("129-129:199.130.3") != "EMH" and texts.get("1-0:96.50.1.1") != "EMH":
            return
        if total.unit == "W" and not any([reading.obis == name for reading in self._readings]):
            value = -total.value if self._outward else total.value
            self._readings.append(Reading(name, value, total.scale, "W", total.meter, 0, total.at))


def meter_id(server: bytes) -> str:
    """Return the id as it is printed on the meter, "1DZG0012345678", where it is one of DIN 43863-5, else in hex."""
    if len(server) == 10 and server[0] in (9, 10) and server[1] < 10:
        maker = server[2:5]
        number = int.from_bytes(server[6:], "big")
        if all([0x41 <= byte <= 0x5A for byte in maker]) and number < 100000000:
            return "%d%s%02X%08d" % (server[1], str(maker, "ascii"), server[5], number)
    return str(binascii.hexlify(server), "ascii")


def skip(buf: bytearray, pos: int, end: int, left: int = 1) -> int:
    """Return where the `left` elements at `pos` end, with all that is in them; FrameError when not before `end`."""
    while left:
        if pos >= end:
            raise FrameError("truncated")
        tl = buf[pos]
        left -= 1
        if tl < _LIST:
            if not tl & 15:
                raise FrameError("garbage")
            pos += tl & 15
        elif tl < 0x80:
            left += tl & 15
            pos += 1
        else:
            length, pos = _header(buf, pos, end)
            if tl & _LIST == _LIST:
                left += length
            else:
                pos += length
    if pos > end:
        raise FrameError("truncated")
    return pos


def _header(buf, pos, end):
    """Return (how many elements a list has, or bytes anything else; where they begin) of the TL field at `pos`."""
    start = pos
    length = buf[pos] & 15
    is_list = buf[pos] & _LIST == _LIST
    while buf[pos] & 0x80:
        pos += 1
        if pos >= end or pos > start + 3:
            raise FrameError("garbage")
        length = length << 4 | buf[pos] & 15
    pos += 1
    if not is_list:
        length -= pos - start
        if length < 0:
            raise FrameError("garbage")
    return length, pos


def _number(buf, pos, end):
    """Return the integer (of any width) in the element buf[pos:end]."""
    n = end - pos - 1
    kind = buf[pos] & 0xF0
    if not 0 < n <= _LONGEST or kind not in (_INTEGER, _UNSIGNED, _BOOLEAN):
        raise FrameError("garbage")
    value = int.from_bytes(buf[pos + 1 : end], "big")
    if kind == _INTEGER and buf[pos + 1] & 0x80:
        value -= 1 << 8 * n
    return value


def _time(buf, pos, end):
    """Return the Unix time in the element buf[pos:end], or None where there is none, or a counter of seconds."""
    if buf[pos] != _LIST_OF_2:  # none, or a bare number, which says not what it is
        return None
    value = skip(buf, pos + 1, end)
    choice = _number(buf, pos + 1, value)
    if choice == 3 and buf[value] == 0x73:  # a local time: the time itself is UTC, its two offsets follow
        value += 1
    elif choice != 2:
        return None
    return _number(buf, value, skip(buf, value, end)) or None


def _innermost(buf, pos, end):
    """Return where in lists of a choice and what was chosen the last of these stands."""
    while buf[pos] == _LIST_OF_2:
        pos = skip(buf, pos + 1, end)
    return pos


def _has_unsigned_power(server):
    """Return whether the meter is one of the DVS74 of DZG whose power has no sign."""
    if len(server) != 10 or server[:5] != b"\x0a\x01DZG":
        return False
    number = int.from_bytes(server[5:], "big")
    return 42000000 <= number <= 48999999 or 55000000 <= number <= 58999999
