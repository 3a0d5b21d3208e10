"""The lists that meters push: which element is which register, and in which unit and scale.

Source   Green and Blue Book of the DLMS UA (scaler_unit: Register 4.3.2; push setup 4.4.8); IEC 62056-61 (OBIS);
         NEK HAN lists of Aidon, Kaifa and Kamstrup; the customer interface of Landis+Gyr E450 and E360 and of
         Iskraemeco AM550 (IDIS push lists); AMS-HAN layouts of Iskraemeco without names.
Units    those of reading.py
Memory   where the elements stand: a list of integers for each structure.
Errors   FrameError "unsupported list" when there is not one number that has a name; those of dlms_axdr.py
Runs on  both

Shapes that say all themselves: {name, value, {scaler, unit}}, the same without a structure around it, and {value,
class, {scaler, unit}, name}. Shapes that do not: names and values in turn (Kaifa, Kamstrup, E450 with encryption),
a push object list and then its values (Landis+Gyr, Iskraemeco), and values whose place alone says what they are
(Kaifa, Iskraemeco; Kaifa's shortest list is one power). For these dlms_scales.py knows unit and scale, or else the
unit stays "".
"""

import binascii

from micropython import const

from ..errors import FrameError
from . import dlms_axdr as axdr
from .dlms_scales import layout, scaled
from .reading import Reading, Telegram
from .words import Names, readable

_DEEPEST = const(8)
_VERSION = const(b"\x00\x02\x81")  # groups C to E of the list's version, 0.2.129
_CLOCK = const(b"\x01\x00\x00")
_EMPTY = bytearray()
# where the meter's own id may stand, the best first: groups A and C to E
_IDS = const((b"\x00\x60\x01\x00", b"\x01\x00\x00\x05", b"\x00\x2a\x00\x00", b"\x00\x60\x01\x01"))
_CHANNEL_IDS = const((b"\x60\x01\x00", b"\x60\x01\x01"))


class Lists:
    """Reads the lists of one line; zone: codec.timezone.Zone or None; base_offset_s: winter ahead of UTC."""

    def __init__(self, zone, base_offset_s: int) -> None:
        self._zone = zone
        self._base_offset_s = base_offset_s
        self._names = Names()
        self._forget()

    def _forget(self):
        self._buf = _EMPTY
        self._end = 0
        self._at = None
        self._version = ""
        self._numbers = []  # (obis, value, scale, number of the unit or None)
        self._texts = {}  # obis -> text
        self._loose = []  # where the elements without a name stand
        self._elements = 0  # of the outermost structure
        self._is_idis = False  # units and scales are those of an IDIS push list

    def time(self, raw: bytes) -> "int | None":
        """Return the Unix time of the 12 bytes of a date-time, or None."""
        return axdr.unix(raw, self._zone, self._base_offset_s)

    def read(self, buf: bytearray, pos: int, end: int, at: "int | None", title: bytes) -> Telegram:
        """Return the Telegram of the data at buf[pos:end]; at: the notification's own time; title: who ciphered it."""
        buf, pos, end = _whole(buf, pos, end)
        self._buf = buf
        self._end = end
        self._at = at
        try:
            if buf[pos] not in (axdr.ARRAY, axdr.STRUCTURE):
                raise FrameError("unsupported list")
            self._elements = buf[pos + 1]
            self._container(pos, 0)
            return self._telegram(bytes(title))
        finally:
            self._forget()

    # -- the walk ---------------------------------------------------------------------------------------------

    def _container(self, pos, depth):
        if depth > _DEEPEST:
            raise FrameError("garbage")
        kids = axdr.children(self._buf, pos, self._end)
        last = len(kids) - 1
        if last > 1 and self._buf[kids[0]] == axdr.ARRAY and self._push_list(kids):
            return
        if last in (4, 5) and self._object(kids):
            return
        i = 0
        while i < last:
            tag = self._buf[kids[i]]
            if tag in (axdr.ARRAY, axdr.STRUCTURE):
                self._container(kids[i], depth + 1)
                i += 1
                continue
            obis = self._obis(kids[i])
            if obis is None or i + 1 == last or self._buf[kids[i + 1]] in (axdr.ARRAY, axdr.STRUCTURE):
                if tag:  # null data fill some lists up
                    self._loose.append(kids[i])
                i += 1
                continue
            found = self._scaler_unit(kids[i + 2]) if i + 2 < last else None
            self._take(obis, kids[i + 1], found)
            i += 2 if found is None else 3

    def _object(self, kids):
        """Take a structure of 4 or 5 that is one object, named in another place than its front; False when none."""
        buf = self._buf
        if len(kids) == 5 and buf[kids[1]] == axdr.UINT16:  # value, class, scaler and unit, name
            found, obis = self._scaler_unit(kids[2]), self._obis(kids[3])
            if found is not None and obis is not None:
                self._take(obis, kids[0], found)
                return True
        obis = self._obis(kids[1])
        if obis is None or buf[kids[0]] != axdr.UINT16 or buf[kids[2]] != axdr.INT8:
            return False
        if buf[kids[2] + 1] == 2 and buf[kids[3]] != axdr.UINT16:  # class, name, attribute, value; perhaps its scale
            self._is_idis = True
            self._take(obis, kids[3], self._scaler_unit(kids[4]) if len(kids) == 6 else None)
        return True

    def _push_list(self, kids):
        """Take a push object list, if the array at the front is one, and the values that follow it; False when not."""
        buf = self._buf
        objects = axdr.children(buf, kids[0], self._end)
        count = len(objects) - 1
        first = len(kids) - 1 - count  # the list may count itself or not
        if first not in (0, 1):
            return False
        for i in range(count):
            if buf[objects[i]] != axdr.STRUCTURE or buf[objects[i] + 1] != 4:
                return False
        self._is_idis = True
        for i in range(count):
            name = axdr.children(buf, objects[i], self._end)
            obis = self._obis(name[1])
            if obis is None or buf[name[2]] != axdr.INT8:
                raise FrameError("garbage")
            if first + i:
                self._attribute(obis, buf[name[2] + 1], kids[first + i])
        return True

    def _attribute(self, obis, attribute, pos):
        if attribute == 3:
            found = self._scaler_unit(pos)
            if found is not None:
                for i in range(len(self._numbers)):
                    known, value, scale, _ = self._numbers[i]
                    if known == obis:
                        self._numbers[i] = (obis, value, scale + found[0], found[1])
        elif self._buf[pos] not in (axdr.ARRAY, axdr.STRUCTURE):
            self._take(obis, pos, None)

    def _obis(self, pos):
        """Return the six bytes of the name at `pos`, or None when it is no name."""
        buf = self._buf
        if buf[pos] != axdr.OCTETS or buf[pos + 1] != 6 or buf[pos + 2] > 15:  # above: a text of six letters
            return None
        return bytes(buf[pos + 2 : pos + 8])

    def _scaler_unit(self, pos):
        """Return (scaler, number of the unit) of the structure at `pos`, or None when it is something else."""
        buf = self._buf
        if buf[pos] != axdr.STRUCTURE or buf[pos + 1] != 2 or buf[pos + 2] != axdr.INT8 or buf[pos + 4] != axdr.ENUM:
            return None
        scale = buf[pos + 3]
        return scale - 256 if scale > 127 else scale, buf[pos + 5]

    def _take(self, obis, pos, found):
        """Keep the value at `pos` under its name; found: (scaler, number of the unit), or None."""
        value = axdr.number(self._buf, pos)
        if value is not None:
            scale, number = found or (0, None)
            self._numbers.append((obis, value[0], value[1] + scale, number))
            return
        raw = axdr.octets(self._buf, pos, self._end)
        if raw is None and self._buf[pos] == axdr.DATE_TIME:
            raw = bytes(self._buf[pos + 1 : pos + 13])
        if raw is None:
            return
        if obis[2:5] == _CLOCK and len(raw) == 12:
            self._clock(raw)
        elif obis[2:5] == _VERSION:
            self._version = self._texts[obis] = readable(raw)
        else:
            self._texts[obis] = readable(raw)

    def _clock(self, raw):
        if self._at is None:
            self._at = self.time(raw)

    # -- what came of it ------------------------------------------------------------------------------------------

    def _telegram(self, title):
        loose = self._unnamed()
        if not self._numbers and not self._texts:
            raise FrameError("unsupported list")
        maker = self._version or (loose if loose[:3] == "ISK" else readable(title[:3]))
        ids = {0: self._own_id() or loose or _title_text(title)}
        readings = []
        rows = scaled(self._numbers, maker, self._is_idis)
        for obis, value, scale, name in rows:
            channel = obis[1] if not obis[0] and obis[2] == 24 else 0
            if channel not in ids:
                ids[channel] = self._channel_id(channel)
            readings.append(Reading(self._names.of(obis), value, scale, name, ids[channel], channel, self._at))
        texts = {}
        for obis, words in self._texts.items():
            texts[self._names.of(obis)] = words
        return Telegram(ids[0], self._version, self._at, readings, texts)

    def _unnamed(self):
        """Give the elements without name one, if their places say so; return a text among them that may be the id."""
        words = ""
        values = []
        for pos in self._loose:
            raw = axdr.octets(self._buf, pos, self._end)
            if raw is None:
                values.append(pos)
            elif axdr.is_date_time(raw):
                self._clock(raw)
            elif raw:
                words = words or readable(raw)
                if readable(raw)[:8] in ("Kamstrup", "AIDON_V0"):
                    self._version = readable(raw)
        if not self._numbers and values:
            if len(self._loose) != self._elements:
                raise FrameError("unsupported list")
            found = layout(self._buf, self._loose, self._end)
            if found is None:
                raise FrameError("unsupported list")
            self._version = words if words[:3] == "KFM" else ""
            self._is_idis = not self._version
            for obis, pos in found:
                self._take(obis, pos, None)
        return "" if words == self._version else words

    def _own_id(self):
        for wanted in _IDS:
            for obis, words in self._texts.items():
                if obis[0] == wanted[0] and obis[2:5] == wanted[1:] and (obis[0] or not obis[1]):
                    return words
        return ""

    def _channel_id(self, channel):
        for wanted in _CHANNEL_IDS:
            words = self._texts.get(bytes((0, channel)) + wanted + b"\xff")
            if words:
                return words
        return ""


def _whole(buf, pos, end):
    """Return (buf, pos, end) of the data, put right where they are none as they stand."""
    error = None
    try:
        if axdr.skip(buf, pos, end) == end:
            return buf, pos, end
    except FrameError as err:
        error = err
    from .dlms_mends import mended  # noqa: PLC0415 - seldom needed, so seldom in memory

    found = mended(buf, pos, end)
    if found is not None:
        return found, 0, len(found)
    if error:
        raise error
    return buf, pos, end


def _title_text(title):
    return readable(title[:3]) + str(binascii.hexlify(title[3:]), "ascii") if title else ""
