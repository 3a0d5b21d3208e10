"""A Modbus meter as data: which register holds what. This is how a meter is added without code.

Source   the format is defined here. A map is a JSON object:
         meter      its name
         line       [baud, format], such as [9600, "8N1"]
         function   4 (input registers) or 3 (holding registers): of every row that names none
         order      of the bytes of what takes more registers: "ABCD" (the standard's), "CDAB", "BADC" or "DCBA"
         most       registers that one request may ask for, at most 125 (left out: 125)
         gap        registers of no interest that a request may span so that there are fewer (left out: 0)
         serial     [function, address, type]: the serial number (may be left out)
         registers  rows of [name, address, type, unit, scale, function]; the last two may be left out:
                    name "1-0:1.8.0" or a quantity such as "reactive power"; address from 0, as on the wire; type
                    int16, uint16, int32, uint32, int64, uint64, float32, float64 or textN (N registers); unit as
                    meters write it ("kWh"); scale the power of ten that the number is multiplied with
Errors   ConfigError with the place in the map and what is wrong there.
Runs on  both
"""

import json

from micropython import const

from ..codec.decimal import decimal32, decimal64
from ..errors import ConfigError
from .reading import Reading
from .unit_names import known_unit

_ORDERS = const(("ABCD", "CDAB", "BADC", "DCBA"))
_FORMATS = const(("8N1", "8E1", "8O1", "8N2"))
_TYPES = const(("int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"))
_SIZES = const(b"\x01\x01\x02\x02\x04\x04\x02\x04")
_MOST = const(125)
_MOST_ROWS = const(256)
_KEYS = const(("meter", "line", "function", "order", "most", "gap", "serial", "registers"))


class RegisterMap:
    """One kind of meter. Take it from_text(); `line` is (baud, format)."""

    def __init__(self, name: str, line: tuple, order: str, most: int, gap: int) -> None:
        self.name = name
        self.line = line
        self._words_turned = order in ("CDAB", "DCBA")
        self._bytes_turned = order in ("BADC", "DCBA")
        self._most = most
        self._gap = gap
        self._serial = None  # a row too
        self._rows = []  # (function, address, registers, type, name, unit, scale), in the order of the first two

    @staticmethod
    def from_text(text: str) -> "RegisterMap":
        """Return the map that a JSON text describes."""
        try:
            given = json.loads(text)
        except ValueError:
            raise ConfigError("map", "no JSON")
        if not isinstance(given, dict):
            raise ConfigError("map", "no object")
        for key in given:
            if key not in _KEYS:
                raise ConfigError("map." + str(key), "unknown")
        order = given.get("order", "ABCD")
        if order not in _ORDERS:
            raise ConfigError("map.order", "none of " + " ".join(_ORDERS))
        line = given.get("line", [9600, "8N1"])
        if not isinstance(line, list) or len(line) != 2 or not _is_int(line[0], 300, 1000000):
            raise ConfigError("map.line", "not [baud, format]")
        if line[1] not in _FORMATS:
            raise ConfigError("map.line", "format is none of " + " ".join(_FORMATS))
        most = _checked_int(given, "most", _MOST, 1, _MOST)
        gap = _checked_int(given, "gap", 0, 0, _MOST)
        own = RegisterMap(str(given.get("meter", "")), tuple(line), order, most, gap)
        own._take_rows(given)
        return own

    @staticmethod
    def of_raw(function: int, start: int, count: int) -> "RegisterMap":
        """Return a map of `count` bare registers, for a meter that nobody knows."""
        own = RegisterMap("", (9600, "8N1"), "ABCD", _MOST, 0)
        kind = "input" if function == 4 else "holding"
        for address in range(start, start + count):
            own._rows.append((function, address, 1, "uint16", "%s register %d" % (kind, address), "", 0))
        return own

    def requests(self) -> list:
        """Return the requests that read all of the map: [(function, start, count)], the serial number's first."""
        found = []
        if self._serial:
            found.append(self._serial[:3])
        function = start = count = 0
        for row in self._rows:
            end = row[1] + row[2]
            if count and row[0] == function and row[1] <= start + count + self._gap and end - start <= self._most:
                count = max(count, end - start)
                continue
            if count:
                found.append((function, start, count))
            function, start, count = row[0], row[1], row[2]
        if count:
            found.append((function, start, count))
        return found

    def parts(self, request: tuple) -> list:
        """Return the requests of single rows that a request of requests() was made of."""
        function, start, count = request
        found = []
        for row in self._rows:
            if row[0] == function and start <= row[1] < start + count and row[:3] not in found:
                found.append(row[:3])
        return found

    def read(self, raw: bytes, function: int, start: int, meter: str) -> "tuple[list, dict]":
        """Return (Readings, texts) of an answer `raw` that holds the registers from `start`; raw[2] is its length."""
        readings, texts = [], {}
        for row in self._rows:
            if row[0] != function or row[1] < start or 2 * (row[1] + row[2] - start) > raw[2]:
                continue
            part = self._part(raw, row, start)
            if row[3].startswith("text"):
                texts[row[4]] = _text(part)
                continue
            number = _number(row[3], part)
            if number is not None:
                readings.append(Reading(row[4], number[0], number[1] + row[6], row[5], meter, 0, None))
        return readings, texts

    def serial_in(self, raw: bytes, function: int, start: int) -> str:
        """Return the serial number in an answer as read() takes it; "" when it does not hold it."""
        row = self._serial
        if row is None or row[0] != function or row[1] < start or 2 * (row[1] + row[2] - start) > raw[2]:
            return ""
        part = self._part(raw, row, start)
        if row[3].startswith("text"):
            return _text(part)
        number = _number(row[3], part)
        return "%d" % number[0] if number else ""

    def _part(self, raw, row, start):
        """Return the bytes of a row in the standard's order."""
        at = 3 + 2 * (row[1] - start)
        part = raw[at : at + 2 * row[2]]
        if row[3].startswith("text") or not (self._words_turned or self._bytes_turned):
            return part
        words = [part[i : i + 2] for i in range(0, len(part), 2)]
        if self._words_turned:
            words.reverse()
        if self._bytes_turned:
            words = [bytes((word[1], word[0])) for word in words]
        return b"".join(words)

    def _take_rows(self, given):
        function = _checked_int(given, "function", 4, 3, 4)
        rows = given.get("registers")
        if not isinstance(rows, list) or not 0 < len(rows) <= _MOST_ROWS:
            raise ConfigError("map.registers", "not 1 to %d rows" % _MOST_ROWS)
        for i in range(len(rows)):
            self._rows.append(_row(rows[i], function, "map.registers[%d]" % i, self._most))
        self._rows.sort(key=_place)
        serial = given.get("serial")
        if serial is not None:
            if not isinstance(serial, list) or len(serial) != 3:
                raise ConfigError("map.serial", "not [function, address, type]")
            self._serial = _row(["serial", serial[1], serial[2], "", 0, serial[0]], function, "map.serial", self._most)


def _place(row):
    return row[0] << 16 | row[1]


def _row(row, function, place, most):
    """Return a row as RegisterMap keeps it; ConfigError when it is not as it should be."""
    if not isinstance(row, list) or not 4 <= len(row) <= 6:
        raise ConfigError(place, "not [name, address, type, unit, scale, function]")
    name, address, kind, unit = row[:4]
    scale = row[4] if len(row) > 4 else 0
    function = row[5] if len(row) > 5 else function
    if not isinstance(name, str) or not name or not isinstance(unit, str) or not isinstance(kind, str):
        raise ConfigError(place, "name, type and unit are texts")
    if not _is_int(address, 0, 0xFFFF) or not _is_int(scale, -12, 12) or function not in (3, 4):
        raise ConfigError(place, "address, scale or function")
    size = _size(kind)
    if not 0 < size <= most:
        raise ConfigError(place, "type " + kind)
    plain, power = known_unit(unit.encode()) or (unit, 0)
    return (function, address, size, kind, name, plain, scale + power)


def _size(kind):
    """Return how many registers a type takes, 0 when there is no such type."""
    if kind.startswith("text") and kind[4:].isdigit():
        return int(kind[4:7])
    return _SIZES[_TYPES.index(kind)] if kind in _TYPES else 0


def _number(kind, part):
    """Return (value, power of ten) of the bytes of a number; None for a float that is none."""
    bits = int.from_bytes(part, "big")
    if kind == "float32":
        return decimal32(bits)
    if kind == "float64":
        return decimal64(bits)
    if kind[0] == "i" and part[0] & 0x80:
        bits -= 1 << 8 * len(part)
    return bits, 0


def _text(part):
    return "".join([chr(code) for code in part if 32 <= code < 127]).strip()


def _is_int(value, low, high):
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _checked_int(given, key, default, low, high):
    value = given.get(key, default)
    if not _is_int(value, low, high):
        raise ConfigError("map." + key, "not %d to %d" % (low, high))
    return value
