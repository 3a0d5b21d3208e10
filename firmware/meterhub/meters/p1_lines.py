"""The lines of a P1 telegram, once it is known to be whole: OBIS codes, numbers, times and texts.

Source   P1 companion standard, Dutch Smart Meter Requirements 5.0.2: 6.4 (TST, S and W), 6.12 (lines); 2.2 for
         24.3.0, whose value stands on a line of its own; IEC 62056-61 (OBIS, groups 0..255).
Memory   names (48) and ids (16) that come in every telegram are kept.
Errors   FrameError "damaged".
Runs on  both
"""

import binascii

from micropython import const

from ..codec import calendar
from ..codec.obis import pack_obis, unpack_obis
from ..errors import FrameError
from .reading import Reading
from .unit_names import known_unit
from .words import is_printable

_CLOSE = const(0x29)
_CR = const(13)
_MOST_KNOWN = const(48)
_MOST_IDS = const(16)
_MOST_DIGITS = const(18)
_LONGEST_ID = const(96)
_NO_UNIT = const(("", 0))
_NUMBER, _TEXT, _CODED_TEXT, _CLOCK, _SLAVE = range(5)


def is_ident(buf: "bytes | bytearray", pos: int, stop: int) -> bool:
    """Return whether an ident line may begin at buf[pos]: "/" and the maker's three letters."""
    if pos + 4 > stop:
        return False
    return all([0x41 <= buf[i] & 0xDF <= 0x5A for i in range(pos + 1, pos + 4)])


class Lines:
    """Reads telegrams of one meter; zone and base_offset_s as in p1.P1Decoder."""

    def __init__(self, zone, base_offset_s: int) -> None:
        self._zone = zone
        self._base_offset_s = base_offset_s
        self._codes = {}  # b"1-0:1.8.1" -> (obis, channel, what its line holds)
        self._plain = {}  # coded text -> plain text
        self._day = b""
        self._day_s = 0
        self._raw = b""  # the telegram being read, and what was found in it
        self._at = None
        self._meters = {}
        self._readings = []
        self._texts = {}

    def read(self, raw: bytes, strict: bool) -> "tuple[int, tuple]":
        """Return (lines not understood, the fields of p1.Telegram) of `raw`, "/" to "!".

        strict: there is no CRC, so FrameError "damaged" at the first line that is not as it should be. Only a text
        with brackets in it, which the standard has not and some meters have, is passed over then.
        """
        if raw.find(b"\n(") >= 0:  # version 2: the value of 24.3.0 stands on the next line
            raw = raw.replace(b"\r\n(", b"(").replace(b"\n(", b"(")
        self._raw = raw
        self._at = self._own_time()
        self._meters = {}
        self._readings = []
        self._texts = {}
        skipped = self._read_lines(strict)
        meter = self._meter(0)
        version = self._texts.get("1-3:0.2.8") or self._texts.get("0-0:96.1.4") or ""
        self._raw = b""
        return skipped, (meter, version, self._at, self._readings, self._texts)

    def _read_lines(self, strict):
        raw = self._raw
        find = raw.find
        end = len(raw) - 1
        pos = find(b"\n") + 1 or end
        skipped = 0
        seen = set()
        while pos < end:
            eol = find(b"\n", pos, end)
            if eol < 0:
                eol = end
                if strict:  # lost bytes: every line ends with CR LF
                    raise FrameError("damaged")
            stop = eol - 1 if raw[eol - 1] == _CR else eol
            if stop > pos:
                opening = find(b"(", pos, stop)
                name = raw[pos:opening] if opening > 0 and raw[stop - 1] == _CLOSE else b""
                code = self._codes.get(name) or self._code(name)
                if not code or not self._line(code, raw[opening + 1 : stop - 1]):
                    skipped += 1
                    if strict and not (code and _may_be_text(code, raw[opening + 1 : stop - 1])):
                        raise FrameError("damaged")
                if strict:
                    if name in seen:  # two telegrams run into each other
                        raise FrameError("damaged")
                    seen.add(name)
            pos = eol + 1
        return skipped

    def _code(self, name):
        """Return (obis, channel, kind) of a line's name, or None when it is no OBIS code."""
        try:
            given = str(name, "ascii").replace("*", ".")  # IEC 62056-21 writes group F as *255
            raw = pack_obis(given)
            text = unpack_obis(raw)
            if given not in (text, text + ".255"):
                return None
        except (ValueError, UnicodeError):
            return None
        kind = _NUMBER
        if raw[2] == 96 and raw[3] in (1, 13):
            kind = _CODED_TEXT
        elif raw[2:4] in (b"\x00\x00", b"\x00\x02", b"\x2a\x00"):  # ids and versions, which may be all digits
            kind = _TEXT
        elif raw[2:5] == b"\x01\x00\x00":
            kind = _CLOCK
        elif raw[2:5] == b"\x18\x03\x00":
            kind = _SLAVE
        code = (text, raw[1], kind)
        if len(self._codes) < _MOST_KNOWN:
            self._codes[name] = code
        return code

    # -- one line; False when it is not understood -----------------------------------------------------

    def _line(self, code, body):
        obis, channel, kind = code
        if kind == _NUMBER:
            if self._number(obis, channel, body, self._at):
                return True
            if body.find(b"(") >= 0 or body.find(b")") >= 0:
                return self._groups(obis, channel, body.split(b")("))
            return self._text(obis, body, False)
        if kind == _SLAVE:
            return self._slave(body.split(b")("))
        if kind == _CLOCK:  # some meters write a date of their own making: the hub's clock will do
            return self._at is not None or (not _is_time(body) and self._text(obis, body, False))
        return self._text(obis, body, kind == _CODED_TEXT)

    def _number(self, obis, channel, body, at):
        digits, star, unit = body.partition(b"*")
        known = known_unit(unit) if star else _NO_UNIT
        if not known:
            return False
        unit, scale = known
        whole, dot, decimals = digits.partition(b".")
        if dot:
            digits = whole + decimals
            scale -= len(decimals)
        is_negative = digits[:1] == b"-"
        if is_negative:
            digits = digits[1:]
        if not digits.isdigit() or len(digits) > _MOST_DIGITS or (dot and not (whole and decimals)):
            return False
        meter = self._meters.get(channel)
        if meter is None:
            meter = self._meter(channel)
        value = -int(digits) if is_negative else int(digits)
        self._readings.append(Reading(obis, value, scale, unit, meter, channel, at))
        return True

    def _text(self, obis, body, is_coded):
        text = self._plain.get(body) if is_coded else None
        if text is None:
            if body.find(b"(") >= 0 or body.find(b")") >= 0 or body.find(b"*") >= 0 or not is_printable(body):
                return False
            text = self._decoded(body) if is_coded else str(body, "ascii")
        self._texts[obis] = text
        return True

    def _groups(self, obis, channel, groups):
        """Take "(time)(value)" and the profiles: a count, names, and then times each followed by values."""
        first = 0 if _is_time(groups[0]) else 1
        if first and not groups[0].isdigit():
            return False
        at = self._at
        for i in range(first, len(groups)):
            group = groups[i]
            if _is_time(group):
                at = self._time(group)
            elif group.find(b":") >= 0:
                if not self._codes.get(group) and not self._code(group):
                    return False
            elif not self._number(obis, channel, group, at):
                return False
        return True

    def _slave(self, groups):
        """Take the 24.3.0 of version 2 and 3: (time)(status)(period)(1)(name)(unit)(value)."""
        if len(groups) != 7 or groups[3] != b"1" or not _is_time(groups[0]):
            return False
        code = self._codes.get(groups[4]) or self._code(groups[4])
        return bool(code) and self._number(code[0], code[1], groups[6] + b"*" + groups[5], self._time(groups[0]))

    # -- ids ---------------------------------------------------------------------------------------------

    def _meter(self, channel):
        """Return the id of the meter on `channel`, wherever in the telegram it stands; "" when there is none."""
        meter = self._meters.get(channel)
        if meter is None:
            meter = self._id(b"\n0-%d:96.1.1(" % channel) or self._id(b"\n0-%d:96.1.0(" % channel)
            if not meter and not channel:
                meter = _printable(self._raw[1 : self._raw.find(b"\n")])
            self._meters[channel] = meter
        return meter

    def _id(self, name):
        at = self._raw.find(name)
        if at < 0:
            return ""
        at += len(name)
        body = self._raw[at : self._raw.find(b")", at)]
        return self._plain.get(body) or self._decoded(body)

    def _decoded(self, body):
        """Return the text that `body` spells in hexadecimal, or `body` itself when it spells none."""
        try:
            raw = binascii.unhexlify(body)
        except ValueError:
            raw = body
        text = _printable(raw if is_printable(raw) else body)
        if len(self._plain) < _MOST_IDS and len(body) <= _LONGEST_ID:
            self._plain[body] = text
        return text

    # -- times -------------------------------------------------------------------------------------------

    def _own_time(self):
        name = b"\n0-0:1.0.0("
        at = self._raw.find(name)
        if at < 0:
            return None
        at += len(name)
        stamp = self._raw[at : self._raw.find(b")", at)]
        return self._time(stamp) if _is_time(stamp) else None

    def _time(self, stamp):
        """Return Unix seconds of YYMMDDhhmmss and S, W or nothing; None when there is no such time."""
        try:
            if stamp[:6] != self._day:
                year = int(stamp[:2])
                self._day_s = 86400 * calendar.days(
                    year + (1900 if year >= 70 else 2000), int(stamp[2:4]), int(stamp[4:6])
                )
                self._day = stamp[:6]
            clock = int(stamp[6:12])
            hour, minute, second = clock // 10000, clock // 100 % 100, clock % 100
            if hour > 23 or minute > 59 or second > 59:
                return None
            return self._utc(self._day_s + hour * 3600 + minute * 60 + second, stamp[12:])
        except ValueError:
            return None

    def _utc(self, wall, flag):
        winter = wall - self._base_offset_s
        if flag == b"W":
            return winter
        if flag == b"S":
            return winter - 3600
        if self._zone is None:
            return winter
        guess = wall - self._zone.offset_s(wall)
        return wall - self._zone.offset_s(guess)


def _may_be_text(code, body):
    """Return whether this may be the line of a text that has brackets in it, and no other line has run into it."""
    return code[2] in (_TEXT, _CODED_TEXT) and body.find(b":") < 0 and body.find(b"*") < 0 and is_printable(body)


def _is_time(group):
    n = len(group)
    return (n == 12 or (n == 13 and group[12] in b"SW")) and group[:12].isdigit()


def _printable(raw):
    return str(bytes(byte for byte in raw if 32 <= byte < 127), "ascii")
