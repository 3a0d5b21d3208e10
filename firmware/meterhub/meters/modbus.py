"""Modbus RTU: bytes of the line in, readings by a register map out.

Source   MODBUS Application Protocol V1.1b3, 6.3, 6.4 (functions 3 and 4), 7 (exceptions); MODBUS over Serial Line
         V1.02, 2.5.1 (RTU frame: at most 256 bytes, CRC with the low byte first).
Units    those of reading.py. A Telegram's `meter` is the serial number that was read by the map, else "modbus 1" with
         the unit's address; `version` is "".
Memory   one buffer of 256 bytes; feed() allocates nothing until a frame is whole.
Errors   feed() raises nothing: what is no good answer is dropped and counted in `errors`, by reason:
         garbage       bytes that are no frame         crc         a frame may have begun, but no CRC is right
         truncated     silence() came within a frame   no request  an answer to something nobody asked
         no answer     a request came after another    refused <why>  the meter's exception
         unsupported function n
Runs on  both

A frame has no mark at its start and an answer does not say which registers it holds. So the decoder listens to both
sides: it knows a frame by its CRC, and the registers of an answer by the request before it, seen or told by asked().
"""

from micropython import const

from ..codec.crc import crc16_arc
from .framing import Stepping
from .modbus_map import RegisterMap
from .reading import Telegram

_SIZE = const(256)
_SHORTEST = const(4)  # what tells how long a frame is
_REFUSALS = const(
    "unknown,illegal function,illegal data address,illegal data value,device failure,acknowledge,device busy,"
    "negative acknowledge,memory parity,unknown,gateway path,gateway target"
)


class ModbusDecoder(Stepping):
    """Decodes one line. registers: the RegisterMap of the meter; without one the raw registers are told."""

    def __init__(self, registers: "RegisterMap | None" = None) -> None:
        super().__init__(_SIZE, _SHORTEST)
        self.exception = 0  # of the last frame
        self.meter = ""  # the serial number, once it was read
        self._map = registers
        self._asked = 0  # unit << 8 | function of the request that waits for its answer
        self._start = self._count_asked = 0

    def asked(self, unit: int, function: int, start: int, count: int) -> None:
        """Say that `count` registers from `start` have been asked of `unit`."""
        self._asked = unit << 8 | function
        self._start = start
        self._count_asked = count

    # -- frames ---------------------------------------------------------------------------------------------

    def _settle(self, found):
        """Take off the buffer what is settled, good or bad; return `found` with the Telegrams of good answers."""
        self._need = _SHORTEST
        while self._len >= _SHORTEST:
            answer, request = self._answer_length(), self._request_length()
            if answer and answer <= self._len and self._crc_is_right(answer):
                telegram = self._close(answer)
                if telegram is not None:
                    found = found or []
                    found.append(telegram)
            elif request and request <= self._len and self._crc_is_right(request):
                self._request()
                self._drop(request)
            elif answer > self._len or request > self._len:
                self._need = answer if answer > self._len else request
                if self._len < request < answer:
                    self._need = request
                break
            else:
                self._tell("crc" if answer or request else "garbage")
                self._skip()
        return found

    def _answer_length(self):
        """Return how long the frame at the front is if it is an answer, 0 when it can be none."""
        buf = self._buf
        function = buf[1]
        if not 0 < buf[0] < 248:
            return 0
        if function in (3, 4):
            n = buf[2]
            if self._asked == buf[0] << 8 | function and n != 2 * self._count_asked:
                return 0
            return 0 if n & 1 or not 0 < n <= 250 else n + 5
        if function in (1, 2):
            return buf[2] + 5 if 0 < buf[2] <= 250 else 0
        if function in (5, 6, 15, 16):
            return 8
        return 5 if function & 0x80 and 0 < function & 0x7F < 44 and 0 < buf[2] < 12 else 0

    def _request_length(self):
        """Return how long the frame at the front is if it is a request; 0 when it can be none."""
        buf = self._buf
        function = buf[1]
        if buf[0] > 247 or not 0 < function <= 16:
            return 0
        if function < 7:
            return 8
        if function not in (15, 16):
            return 0
        if self._len < 7:
            return 8
        return buf[6] + 9 if buf[6] <= _SIZE - 9 else 0

    def _crc_is_right(self, n):
        buf = self._buf
        return crc16_arc(buf, n - 2, 0xFFFF) == buf[n - 2] | buf[n - 1] << 8

    def _skip(self):
        self._drop(1)

    # -- what is in them --------------------------------------------------------------------------------------

    def _request(self):
        buf = self._buf
        self._told = False
        if buf[1] in (3, 4):
            start, count = buf[2] << 8 | buf[3], buf[4] << 8 | buf[5]
            if self._asked and (start, count) != (self._start, self._count_asked):  # not the echo of our own
                self._count("no answer")
            self.asked(buf[0], buf[1], start, count)
        else:
            self._asked = 0

    def _close(self, n):
        """Take the answer of `n` bytes off the front; return its Telegram, or None."""
        raw = bytes(self._view[: n - 2])
        self._drop(n)
        self._told = False
        unit, function = raw[0], raw[1]
        self.exception = 0
        if function & 0x80:
            self.exception = raw[2]
            self._asked = 0
            self._count("refused " + _REFUSALS.split(",")[raw[2]])
        elif function not in (3, 4):
            self._count("unsupported function %d" % function)
        elif self._asked != unit << 8 | function:
            self._count("no request")
        else:
            self._asked = 0
            return self._telegram(unit, function, raw)
        return None

    def _telegram(self, unit, function, raw):
        registers = self._map or RegisterMap.of_raw(function, self._start, self._count_asked)
        serial = registers.serial_in(raw, function, self._start)
        if serial:
            self.meter = serial
        meter = self.meter or "modbus %d" % unit
        readings, texts = registers.read(raw, function, self._start, meter)
        return Telegram(meter, "", None, readings, texts)
