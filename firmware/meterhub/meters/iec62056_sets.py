"""The data sets of an IEC 62056-21 message: code, value and unit, read one by one as they come.

Source   IEC 62056-21:2002, 6.5 (data set: code "(" value "*" unit ")"); DIN 43863-3 and VDEW 2.1.7 (times: YYMMDDhhmm,
         with 0, 1 or 2 before it for winter, summer and UTC; a maximum is followed by its time in brackets).
Units    as in reading.py; what is not known there is told in the meter's own words; hours and minutes become seconds.
Memory   numbers as many as it may keep, and at most 128 texts of 4096 characters together, until telegram() is called.
Errors   none: `bad` counts the data sets that are not understood, `overflow` those for which there was no room.
Runs on  both
"""

from micropython import const

from ..codec import calendar
from ..codec.obis import pack_obis, unpack_obis
from .reading import Reading, Telegram
from .unit_names import known_unit

_OPEN = const(b"(")
_MOST_TEXTS = const(128)
_MOST_LETTERS = const(4096)
_MOST_DIGITS = const(18)
_LONGEST_CODE = const(24)
_ELECTRIC = const(("Wh", "W", "varh", "var", "VAh", "VA", "V", "A", "Hz", ""))
_SECONDS = const(((b"h", 3600), (b"min", 60), (b"d", 86400)))
_IDS = const(("0.0.0", "C.1.0", "96.1.0", "C.1", "0.0"))  # where the meter's own id may stand, best first
_CLOCK, _DATE = const("0.9.1"), const("0.9.2")


class DataSets:
    """Reads the data sets of one message after the other; the arguments are those of IEC62056Decoder."""

    def __init__(self, zone, base_offset_s: int, wanted: "tuple | None", most: int) -> None:
        self._zone = zone
        self._base_offset_s = base_offset_s
        self._wanted = wanted
        self._most = most
        self.default_meter = ""  # whose answer it is, where the message does not say
        self.default_code = ""  # and of what: an answer may be the bare value
        self.begin()

    def begin(self) -> None:
        """Forget all, for a new message."""
        self.bad = 0
        self.overflow = 0
        self._code = self.default_code
        self._is_wanted = bool(self._code)
        self._has_number = False  # of this code
        self._numbers = []  # (name, value, scale, unit, is of now, at)
        self._texts = {}
        self._letters = 0  # in all of them
        self._ids = {}
        self._moments = {}

    def is_empty(self) -> bool:
        """Return whether nothing at all was found."""
        return not (self._numbers or self._texts or self._ids)

    def take(self, buf: bytearray, n: int) -> None:
        """Take the data set in buf[:n]; its last byte is the closing bracket."""
        opening = buf.find(_OPEN, 0, n)
        code = bytes(buf[:opening]).strip(b"\r\n\x00 ") if opening >= 0 else b""
        body = bytes(buf[opening + 1 : n - 1])
        has_names = opening >= 0 and (code or self._code) and len(code) <= _LONGEST_CODE
        if not (has_names and _is_printable(code) and _is_printable(body)) or body.find(_OPEN) >= 0:
            self.bad += 1
        elif code:
            self._first_group(str(code, "ascii"), body)
        else:
            self._next_group(body)

    # -- one group --------------------------------------------------------------------------------------------

    def _first_group(self, code, body):
        self._code = code
        self._is_wanted = self._wanted is None or code in self._wanted
        short = _reduced(code)
        if short in (_CLOCK, _DATE):
            self._moments[short] = body
        elif short in _IDS:
            self._ids[short] = str(body, "ascii").strip()
        elif short == "1.0.0" and len(_digits(body) or b"") >= 10:
            self._moments[short] = body
        self._has_number = self._is_wanted and self._number(code, body)
        if self._is_wanted and not self._has_number:
            self._text(_full(code, "") if code.find(":") > 0 else code, body)

    def _next_group(self, body):
        """Take a group in brackets that belongs to the code before it: the time of a maximum, or one more value."""
        if not self._is_wanted:
            return
        moment = self._moment(body)
        if moment is not None and self._has_number and self._numbers:
            self._numbers[-1] = self._numbers[-1][:4] + (False, moment)
        elif not self._number(self._code, body):
            self._text(self._code, body)

    def _text(self, code, body):
        text = str(body, "ascii")
        before = self._texts.get(code)
        self._letters += len(text) + 1
        if (before is None and len(self._texts) == _MOST_TEXTS) or self._letters > _MOST_LETTERS:
            self.overflow += 1
        else:
            self._texts[code] = text if before is None else before + " " + text

    def _number(self, code, body):
        """Take a number; False when the group is none, or one of those digits that are a name."""
        star = body.find(b"*")
        digits = (body if star < 0 else body[:star]).strip()
        given = b"" if star < 0 else body[star + 1 :].strip()
        parsed = _parsed(digits)
        if parsed is None or given.find(b"*") >= 0:
            return False
        value, scale = parsed
        if star < 0 and not scale and not _is_register(_reduced(code)):
            return False
        unit, power = known_unit(given) or (str(given, "ascii"), 0)
        for name, seconds in _SECONDS:
            if given == name:
                unit, value = "s", value * seconds
        if len(self._numbers) >= self._most:
            self.overflow += 1
        else:
            is_of_now = code.find("*") < 0 or code.endswith("*255")
            self._numbers.append((_full(code, unit), value, scale + power, unit, is_of_now, None))
        return True

    # -- times ------------------------------------------------------------------------------------------------

    def _moment(self, body):
        """Return the Unix s of YYMMDDhhmm[ss], plain or with marks between, or None."""
        digits = _digits(body)
        if not digits or len(digits) not in (10, 11, 12, 13):
            return None
        season = -1
        if len(digits) & 1:
            season = digits[0] - 48
            digits = digits[1:]
        return self._unix(digits[:6], digits[6:], season)

    def _own_time(self):
        """Return the meter's clock, from 0.9.1 and 0.9.2 or from 1.0.0; None when it does not tell."""
        clock, date = self._moments.get(_CLOCK), self._moments.get(_DATE)
        if clock is None or date is None:
            both = self._moments.get("1.0.0")
            return self._moment(both) if both else None
        clock, date = _digits(clock) or b"", _digits(date) or b""
        season = -1
        if len(clock) in (5, 7):
            season, clock = clock[0] - 48, clock[1:]
        if len(date) == 7:
            season, date = date[0] - 48, date[1:]
        if len(date) == 8:
            date = date[2:]
        return self._unix(date, clock, season)

    def _unix(self, date, clock, season):
        """Return the Unix s of YYMMDD and hhmm[ss]; season: 0 winter, 1 summer, 2 UTC, else the zone says."""
        if len(date) != 6 or len(clock) not in (4, 6):
            return None
        try:
            wall = calendar.seconds(
                2000 + int(date[:2]),
                int(date[2:4]),
                int(date[4:]),
                int(clock[:2]),
                int(clock[2:4]),
                int(clock[4:] or b"0"),
            )
        except ValueError:
            return None
        if season == 2:
            return wall
        if season == 1:
            return wall - self._base_offset_s - 3600
        if season == 0 or self._zone is None:
            return wall - self._base_offset_s
        return wall - self._zone.offset_s(wall - self._zone.offset_s(wall))

    # -- all of them ------------------------------------------------------------------------------------------

    def telegram(self, ident: str, mode: str) -> Telegram:
        """Return what has been found, and forget it."""
        at = self._own_time()
        meter = ident or self.default_meter
        for name in _IDS:
            if self._ids.get(name):
                meter = self._ids[name]
                break
        readings = self._numbers
        for i in range(len(readings)):
            name, value, scale, unit, is_of_now, moment = readings[i]
            readings[i] = Reading(name, value, scale, unit, meter, 0, at if is_of_now else moment)
        found = Telegram(meter, mode, at, readings, self._texts)
        self.begin()
        return found


def _parsed(digits):
    """Return (value, power of ten) of a decimal number with a point or a comma, or None."""
    sign = 1
    if digits[:1] in (b"-", b"+"):
        sign = -1 if digits[:1] == b"-" else 1
        digits = digits[1:].strip()
    dot = digits.find(b".")
    if dot < 0:
        dot = digits.find(b",")
    scale = 0
    if dot >= 0:
        scale = dot + 1 - len(digits)
        digits = digits[:dot] + digits[dot + 1 :]
    if not digits or len(digits) > _MOST_DIGITS or not digits.isdigit():
        return None
    return sign * int(digits), scale


def _reduced(code):
    """Return C.D.E of a code, without the medium before it and what is stored behind."""
    code = code[code.find(":") + 1 :]
    for mark in ("*", "&"):
        at = code.find(mark)
        if at >= 0:
            code = code[:at]
    if code.endswith(".255") and code.count(".") == 3:
        code = code[:-4]
    return code


def _is_register(short):
    """Return whether digits without a unit are a number under this code: a register, not a name or a time."""
    parts = short.split(".")
    return len(parts) == 3 and all([part.isdigit() for part in parts]) and 0 < int(parts[0]) < 96 and parts[1] != "0"


def _full(code, unit):
    """Return the OBIS code that a code means, or the code as it is written."""
    given = code.replace("*", ".").replace("&", ".")
    if given.find(":") < 0:
        parts = _reduced(code).split(".")
        if unit not in _ELECTRIC or len(parts) != 3 or (parts[0] == "6" and unit == "Wh"):  # 6 is heat
            return code
        given = "1-0:" + given
    try:
        return unpack_obis(pack_obis(given))
    except ValueError:
        return code


def _digits(body):
    """Return the digits of a time, without what may stand between them; None when there is anything else."""
    found = bytes([code for code in body if 48 <= code <= 57])
    rest = bytes([code for code in body if not 48 <= code <= 57])
    for code in rest:
        if code not in b"-:., /":
            return None
    return found


def _is_printable(raw):
    return all([32 <= code < 127 for code in raw])
