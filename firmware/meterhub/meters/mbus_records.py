"""The data records of an M-Bus answer: each a DIF, what is measured (VIF), and its value.

Source   EN 13757-3:2018, 6.3 (DIF, DIFE), 6.4 (VIF), annex A (types A to M), annex B (BCD with error marks); mode 2
         (CI 76) turns the bytes of every value round.
Units    as in reading.py; durations are seconds. A quantity's name: "volume flow max s1 t2 u3" is the maximum of
         storage 1, tariff 2, subunit 3; a name that comes again in one telegram gets " #2" behind it.
Memory   the meaning of at most 64 different record headers is kept, until others come.
Errors   FrameError: "truncated" (a record goes on behind the end), "too many DIFE", "too many VIFE",
         "unsupported DIF xx" (its length cannot be known). One of them refuses the whole answer.
Runs on  both
"""

from micropython import const

from ..codec import calendar
from ..codec.decimal import decimal32
from ..errors import FrameError
from .mbus_vif import DATE, LEVEL, TEXT, UNSIGNED, Meaning
from .reading import Reading

_MOST_KNOWN = const(64)
_MOST_EXTENSIONS = const(10)
_LENGTHS = const(b"\x00\x01\x02\x03\x04\x04\x06\x08\x00\x01\x02\x03\x04\x00\x06\x00")  # by the low half of the DIF
_FLOAT = const(5)
_FIRST_BCD = const(9)
_VARIABLE = const(13)
_PLAIN = const(0x7C)
_FUNCTIONS = const(("", " max", " min", " error"))
_REST = const((0x0F, 0x1F))  # the rest is the manufacturer's


class _Header:
    """What the DIF, DIFE, VIF and VIFE of a record say."""

    def __init__(self, raw, vif_at):
        """raw[:vif_at] are DIF and DIFE."""
        dif = raw[0]
        self.form = dif & 15
        self.length = _LENGTHS[self.form]
        self.function = dif >> 4 & 3
        self.storage = dif >> 6 & 1
        self.tariff = self.subunit = 0
        for i in range(vif_at - 1):
            dife = raw[1 + i]
            self.storage |= (dife & 15) << (1 + 4 * i)
            self.tariff |= (dife >> 4 & 3) << 2 * i
            self.subunit |= (dife >> 6 & 1) << i
        self.is_stored = bool(self.storage or self.function)  # it is not of now
        self.name = ""
        self.unit = ""
        self.meaning = None

    def set_meaning(self, meaning):
        """Take what the VIF says, and make the record's name of it."""
        self.meaning = meaning
        self.unit = meaning.unit
        name = meaning.quantity + _FUNCTIONS[self.function]
        for letter, number in (("s", self.storage), ("t", self.tariff), ("u", self.subunit)):
            if number:
                name += " %s%d" % (letter, number)
        self.name = name


class Records:
    """Reads the records of one answer after the other. base_offset_s: what the meters' standard time is before UTC."""

    def __init__(self, base_offset_s: int) -> None:
        self._base_offset_s = base_offset_s
        self._known = {}  # bytes of a header -> _Header
        self._raw = b""
        self._low_first = True  # of the bytes of a value
        self.more = False  # after read(): the meter has more to tell
        self.at = None  # and the time that the meter gives itself
        self.serial = ""
        self._found = []
        self._times = []
        self.texts = {}
        self._seen = {}

    def read(self, raw: bytes, pos: int, low_first: bool) -> None:
        """Read the records raw[pos:]; readings() tells their numbers. texts, at, more and serial are set anew."""
        self._raw = raw
        self._low_first = low_first
        self.more = False
        self.at = None
        self.serial = ""
        self._found = []
        self._times = []
        self.texts = {}
        self._seen = {}
        end = len(raw)
        while pos < end:
            dif = raw[pos]
            if dif == 0x2F:  # a filler
                pos += 1
            elif dif in _REST:
                self.more = dif == 0x1F
                if pos + 1 < end:
                    self.texts["manufacturer data"] = raw[pos + 1 :].hex()
                break
            else:
                pos = self._record(pos, end)
        self._raw = b""

    def readings(self, meter: str) -> list:
        """Return the Readings of what read() has found; each has the time of its storage, or that of now."""
        found, self._found = self._found, []
        result = []
        for name, value, scale, header in found:
            at = self.at if not header.is_stored else None
            if self._times:
                at = self._time_of(header, at)
            result.append(Reading(name, value, scale, header.unit, meter, 0, at))
        return result

    # -- one record -----------------------------------------------------------------------------------------

    def _record(self, start, end):
        """Take the record at `start`; return where the next one begins."""
        raw = self._raw
        vif_at = start + 1 if not raw[start] & 0x80 else self._extended(start, end, "too many DIFE")
        pos = self._after_vif(vif_at, end)
        key = raw[start:pos]
        header = self._known.get(key) or self._header(key, vif_at - start)
        if header.form == _VARIABLE:
            return self._variable(header, pos, end)
        stop = pos + header.length
        if stop > end:
            raise FrameError("truncated")
        if stop > pos:
            self._value(header, pos, header.length)
        return stop

    def _after_vif(self, pos, end):
        """Return where the VIF at `pos` ends with all that belongs to it; FrameError when that is behind the end."""
        raw = self._raw
        if pos >= end:
            raise FrameError("truncated")
        vif = raw[pos]
        pos += 1
        if vif & 0x7F == _PLAIN:  # its text stands before the VIFE
            pos += 1 + raw[pos] if pos < end else 1
        if vif & 0x80:
            pos = self._extended(pos, end, "too many VIFE")
        if pos > end:
            raise FrameError("truncated")
        return pos

    def _extended(self, pos, end, too_many):
        """Return where the chain of extension bytes that begins at `pos` ends."""
        raw = self._raw
        last = min(end, pos + _MOST_EXTENSIONS + 1)
        while pos < last:
            if not raw[pos] & 0x80:
                return pos + 1
            pos += 1
        raise FrameError(too_many if pos < end else "truncated")

    def _header(self, key, vif_at):
        """Return the _Header of the bytes `key`, whose VIF stands at `vif_at`."""
        if key[0] & 15 == 15:
            raise FrameError("unsupported DIF %02X" % key[0])
        header = _Header(key, vif_at)
        vif = key[vif_at:]
        plain = ""
        if vif[0] & 0x7F == _PLAIN:
            n = vif[1]
            plain = _text(vif[2 : 2 + n], self._low_first)
            vif = vif[:1] + vif[2 + n :]
        header.set_meaning(Meaning(vif, plain))
        if len(self._known) >= _MOST_KNOWN:  # another meter than those before
            self._known = {}
        self._known[key] = header
        return header

    # -- its value ------------------------------------------------------------------------------------------

    def _value(self, header, pos, length):
        """Take a value of `length` bytes at `pos`, coded as the header's DIF says."""
        part = self._raw[pos : pos + length]
        bits = int.from_bytes(part, "little" if self._low_first else "big")
        meaning = header.meaning
        if meaning.error:
            self._tell(header, meaning.error)
        elif meaning.kind == DATE:
            self._date(header, bits, length)
        elif header.form >= _FIRST_BCD:
            self._bcd(header, bits, length)
        elif header.form == _FLOAT:
            number = decimal32(bits)
            if number is None:
                self._tell(header, "no number")
            else:
                self._number(header, number[0], number[1])
        elif meaning.kind == TEXT:
            self._tell(header, "%d" % bits)
        else:
            if meaning.kind != UNSIGNED and bits >> 8 * length - 1:
                bits -= 1 << 8 * length
            self._number(header, bits, 0)

    def _bcd(self, header, bits, length):
        digits = "%0*x" % (2 * length, bits)
        sign = 1
        if digits[0] == "f":  # a minus sign
            sign = -1
            digits = digits[1:]
        if not digits.isdigit():
            self._tell(header, "error " + ("-" if sign < 0 else "") + digits.upper())
        elif header.meaning.kind == TEXT:
            self._tell(header, ("-" if sign < 0 else "") + digits)
        else:
            self._number(header, sign * int(digits), 0)

    def _number(self, header, value, scale):
        meaning = header.meaning
        if meaning.kind == LEVEL and value > 0:  # no receiver hears that: it is the radio's own count of 2 dB steps
            value = 2 * value - 130
        if meaning.times != 1:
            value *= meaning.times
        self._found.append((self._name(header.name), value, scale + meaning.scale, header))

    def _variable(self, header, pos, end):
        """Take a value of variable length: LVAR, then text, BCD or a big number."""
        raw = self._raw
        if pos >= end:
            raise FrameError("truncated")
        lvar = raw[pos]
        pos += 1
        length = _variable_length(lvar)
        if pos + length > end:
            raise FrameError("truncated")
        if header.meaning.error:
            self._tell(header, header.meaning.error)
        elif lvar < 0xC0:
            self._tell(header, _text(raw[pos : pos + length], self._low_first))
        elif lvar >= 0xE0 and (length > 8 or not length):
            self._tell(header, self._hex(pos, length))
        elif length:
            self._variable_number(header, lvar, pos, length)
        return pos + length

    def _variable_number(self, header, lvar, pos, length):
        bits = int.from_bytes(self._raw[pos : pos + length], "little" if self._low_first else "big")
        if lvar < 0xE0:
            digits = "%0*x" % (2 * length, bits)
            if not digits.isdigit():
                self._tell(header, "error " + digits.upper())
            elif header.meaning.kind == TEXT:
                self._tell(header, digits)
            else:
                self._number(header, -int(digits) if lvar >= 0xD0 else int(digits), 0)
            return
        if header.meaning.kind == DATE:
            self._date(header, bits, length)
            return
        if header.meaning.kind != UNSIGNED and bits >> 8 * length - 1:
            bits -= 1 << 8 * length
        self._number(header, bits, 0)

    def _hex(self, pos, length):
        part = self._raw[pos : pos + length]
        return (bytes(reversed(part)) if self._low_first else part).hex()

    def _tell(self, header, text):
        if header.name == "serial number":
            self.serial = text
        self.texts[self._name(header.name)] = text

    def _name(self, name):
        """Return the name, numbered when this telegram has told it already."""
        count = self._seen.get(name, 0) + 1
        self._seen[name] = count
        return name if count == 1 else name + " #%d" % count

    # -- times ----------------------------------------------------------------------------------------------

    def _date(self, header, bits, length):
        """Take a date (type G), a time (J), or both (F, I): a text, and the time of what was stored with it."""
        if length == 2:
            text, at = "" if bits == 0xFFFF else _day_text(bits, bits >> 8), None
        elif length == 3:
            text, at = "%02d:%02d:%02d" % (bits >> 16 & 31, bits >> 8 & 63, bits & 63), None
        elif length == 4:
            text, at = self._moment(bits)
        elif length == 6:
            text, at = self._long_moment(bits)
        else:
            text, at = "%0*x" % (2 * length, bits), None
        if at is not None and header.meaning.quantity == "time":
            self._times.append((header, at))
            if not (header.storage or header.function or header.tariff or header.subunit):
                self.at = at
        self._tell(header, text)

    def _moment(self, bits):
        """Return (text, Unix s or None) of type F."""
        if bits & 0x80:
            return "invalid", None
        hundreds = bits >> 13 & 3
        return self._both(bits >> 16 & 0xFF, bits >> 24, hundreds, (bits >> 8 & 31, bits & 63), bits >> 15 & 1)

    def _long_moment(self, bits):
        """Return (text, Unix s or None) of type I."""
        if bits >> 15 & 1:
            return "invalid", None
        clock = (bits >> 16 & 31, bits >> 8 & 63, bits & 63)
        return self._both(bits >> 24 & 0xFF, bits >> 32 & 0xFF, 0, clock, bits >> 6 & 1)

    def _both(self, day, month, hundreds, clock, is_summer):
        text = _day_text(day, month, hundreds) + "T" + ":".join(["%02d" % part for part in clock])
        try:
            wall = calendar.seconds(_year(day, month, hundreds), month & 15, day & 31, *clock)
        except ValueError:
            return text, None
        return text, wall - self._base_offset_s - 3600 * is_summer

    def _time_of(self, header, at):
        """Return the time that was told for the same storage and function; `at` when there is none."""
        for other, moment in self._times:
            if other.storage == header.storage and other.function == header.function:
                here = other.tariff in (0, header.tariff) and other.subunit in (0, header.subunit)
                at = moment if here else at
        return at


def _variable_length(lvar):
    """Return how many bytes follow an LVAR; FrameError when it is reserved."""
    if lvar < 0xC0:
        return lvar
    if lvar & 0x0F < 10 and lvar < 0xE0:  # pairs of digits
        return lvar & 0x0F
    if 0xE0 <= lvar < 0xF0:
        return lvar & 0x0F
    if lvar < 0xF5 and lvar >= 0xF0:
        return 4 * (lvar - 0xEC)
    if lvar in (0xF5, 0xF6):
        return 48 if lvar == 0xF5 else 64
    raise FrameError("unsupported LVAR %02X" % lvar)


def _text(raw, is_reversed):
    codes = [chr(code) if 32 <= code < 127 or code >= 160 else "?" for code in raw]  # ISO 8859-1
    return "".join(reversed(codes) if is_reversed else codes)


def _year(day, month, hundreds=0):
    year = day >> 5 & 7 | month >> 1 & 0x78
    if hundreds:
        return 1900 + 100 * hundreds + year
    return year + (1900 if year > 80 else 2000)


def _day_text(day, month, hundreds=0):
    """Return the date in the second bytes of types F, G and I; year 127 is every year."""
    year = day >> 5 & 7 | month >> 1 & 0x78
    text = "%04d" % _year(day, month, hundreds) if year < 100 else "*"
    return "%s-%02d-%02d" % (text, month & 15, day & 31)
