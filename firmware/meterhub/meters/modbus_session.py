"""One reading of one Modbus meter, as master: requests by its register map, one after the other.

Source   MODBUS over Serial Line V1.02, 2.5.1.1 (3.5 characters of silence between frames, 1.75 ms from 19200 baud on).
Memory   no buffer of its own: the bytes go through a ModbusDecoder.
Errors   ("failed", reason): "silent", "crc", "refused <why>" when not one row was read. Rows that the meter refuses
         are asked for on their own, and left out if it still does.
Runs on  both; no I/O. Actions: those of mbus_session.py.
"""

from micropython import const

from ..codec.crc import crc16_arc
from .modbus import ModbusDecoder
from .reading import Telegram
from .reasons import new_reason

_TRIES = const(3)
_ILLEGAL = const((1, 2, 3))  # function, data address, data value
_PATIENCE_MS = const(1000)


def request_frame(unit: int, function: int, start: int, count: int) -> bytes:
    """Return the frame that asks for `count` registers from `start`."""
    body = bytes((unit, function, start >> 8, start & 0xFF, count >> 8, count & 0xFF))
    return body + crc16_arc(body, 6, 0xFFFF).to_bytes(2, "little")


class ModbusSession:
    """Reads one meter. registers: its RegisterMap; unit: 1 to 247; line: (baud, format) where it is not the map's."""

    def __init__(self, registers, unit: int = 1, line: "tuple | None" = None) -> None:
        if not 0 < unit < 248:
            raise ValueError("unit")
        self.decoder = ModbusDecoder(registers)
        self._map = registers
        self._unit = unit
        self._line = line or registers.line
        baud = self._line[0]
        self._gap_ms = 2 if baud > 19200 else (3 * 11 + 6) * 1000 // baud + 1
        self._left = []  # requests still to send; the first one is on its way
        self._tries = 0
        self._telegrams = []
        self._errors = {}
        self._reason = ""

    def start(self) -> tuple:
        """Begin; return the first actions."""
        self.decoder.silence()
        self._left = self._map.requests()
        self._telegrams = []
        self._reason = ""
        return (("line", self._line[0], self._line[1]),) + self._next()

    def on_bytes(self, buf: "bytes | bytearray", n: int) -> tuple:
        """Take what came; return the actions that follow from it."""
        self.decoder.exception = 0
        telegrams = self.decoder.feed(buf, n)
        if telegrams:
            self._telegrams.append(telegrams[0])
            self._left.pop(0)
            return self._next()
        if self.decoder.exception:
            return self._refused(self.decoder.exception)
        return ()

    def on_timeout(self) -> tuple:
        """Say that what was waited for has not come; return the actions that follow."""
        self.decoder.silence()
        if self._tries < _TRIES:
            return self._send()
        return (("failed", new_reason(self.decoder.errors, self._errors) or "silent"),)

    def _refused(self, exception):
        request = self._left.pop(0)
        self._reason = new_reason(self.decoder.errors, self._errors)
        if exception in _ILLEGAL:
            parts = self._map.parts(request)
            if len(parts) > 1:
                self._left = parts + self._left
        elif self._tries < _TRIES:  # it is busy
            self._left.insert(0, request)
            return (("pause", _PATIENCE_MS),) + self._send()
        return self._next()

    def _next(self):
        self._tries = 0
        if self._left:
            return self._send()
        return (("done", [self._all()]),) if self._telegrams else (("failed", self._reason or "silent"),)

    def _send(self):
        self._tries += 1
        self._errors = dict(self.decoder.errors)
        function, start, count = self._left[0]
        self.decoder.asked(self._unit, function, start, count)
        frame = request_frame(self._unit, function, start, count)
        patience_ms = _PATIENCE_MS + (2 * count + 5) * 11 * 1000 // self._line[0]
        return (("pause", self._gap_ms), ("send", frame), ("wait", patience_ms))

    def _all(self):
        """Return one Telegram of all answers."""
        readings, texts = [], {}
        for telegram in self._telegrams:
            readings.extend(telegram.readings)
            texts.update(telegram.texts)
        return Telegram(self._telegrams[-1].meter, "", None, readings, texts)
