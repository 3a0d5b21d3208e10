"""An Eastron meter on RS-485, as Modbus RTU slave; which registers it has says the firmware's own map of it.

Source   MODBUS Application Protocol V1.1b3, 6.3, 6.4, 7; MODBUS over Serial Line V1.02, 2.5.1; the maps in
         firmware/meterhub/meters/maps
Units    as the map says
Runs on  the host. Actions as in iec62056_meter.py.
"""

import json
import struct
from typing import Any

from fastcrc import crc16

from .. import firmware  # noqa: F401 - puts the firmware's package on the path
from .household import Household
from .wire import Line

from meterhub.meters import maps  # isort: skip

KINDS = maps.NAMES
SERIAL = 40102030
_REACTION_S = 0.02
_MOST = 80  # registers in one answer, as these meters have it
_ILLEGAL_FUNCTION, _ILLEGAL_ADDRESS, _ILLEGAL_VALUE = 1, 2, 3


def with_crc(body: bytes) -> bytes:
    """Return the frame of `body`."""
    return body + crc16.modbus(body).to_bytes(2, "little")


class ModbusMeter:
    """The meter of `household`. kind: one of KINDS; unit: its address."""

    period_s = 0

    def __init__(self, household: Household, kind: str = "sdm120", unit: int = 1) -> None:
        self.household = household
        self.unit = unit
        self.map = json.loads(maps.text(kind))
        self.line = Line.of(*self.map["line"])
        self._phases = 1 if kind == "sdm120" else 3
        self._heard = b""

    def values(self, at: int) -> dict[str, float]:
        """Return {name in the map: value} at `at`; what a household does not tell is 0."""
        shown, watts = self.household.registers(at), self.household.power_w(at)
        found = {"1-0:1.8.0": shown.import_wh / 1000, "1-0:2.8.0": shown.export_wh / 1000}
        found |= {"1-0:16.7.0": float(watts), "1-0:9.7.0": float(abs(watts)), "1-0:13.7.0": 1.0, "1-0:14.7.0": 50.0}
        found["active energy total"] = (shown.import_wh + shown.export_wh) / 1000
        phases = self.household.phases(at)
        for n, phase in zip((3, 5, 7), phases, strict=True):
            found[f"1-0:{n}2.7.0"] = phase.dv / 10
            found[f"1-0:{n}1.7.0"] = abs(phase.w) * 10 / phase.dv
            found[f"1-0:{n}6.7.0"] = float(phase.w)
            found[f"1-0:{n - 1}9.7.0"] = float(abs(phase.w))
        if self._phases == 1:
            found["1-0:31.7.0"] = abs(watts) * 10 / phases[0].dv
        return found

    def registers(self, at: int) -> dict[tuple[int, int], int]:
        """Return {(function, address): word} of all registers at `at`."""
        values = self.values(at)
        function, address, _ = self.map["serial"]
        found = {(function, address): SERIAL >> 16, (function, address + 1): SERIAL & 0xFFFF}
        for name, address, *_ in self.map["registers"]:
            words = struct.unpack(">HH", struct.pack(">f", values.get(name, 0.0)))
            for i, word in enumerate(words):
                found[self.map["function"], address + i] = word
        return found

    def answer(self, request: bytes, at: int) -> bytes:
        """Return the answer to a request that is whole and right."""
        unit, function, start, count = struct.unpack(">BBHH", request[:6])
        registers = self.registers(at)
        if function not in (3, 4):
            return self._refusal(unit, function, _ILLEGAL_FUNCTION)
        if not 0 < count <= _MOST:
            return self._refusal(unit, function, _ILLEGAL_VALUE)
        if (function, start) not in registers or (function, start + count - 1) not in registers:
            return self._refusal(unit, function, _ILLEGAL_ADDRESS)
        words = [registers.get((function, start + i), 0) for i in range(count)]  # 0 where it has none in between
        return with_crc(struct.pack(f">BBB{count}H", unit, function, 2 * count, *words))

    @staticmethod
    def _refusal(unit: int, function: int, why: int) -> bytes:
        return with_crc(bytes((unit, function | 0x80, why)))

    def on_bytes(self, data: bytes, at: int) -> list[tuple[str, Any]]:
        """Take what the master says; return the actions that follow."""
        self._heard = (self._heard + data)[-256:]
        for pos in range(len(self._heard) - 7):
            request = self._heard[pos : pos + 8]
            if request[0] == self.unit and with_crc(request[:6]) == request:
                self._heard = b""
                return [("pause", _REACTION_S), ("send", self.answer(request, at))]
        return []

    def on_silence(self, at: int) -> list[tuple[str, Any]]:
        """Nothing has come: a request that had begun is over."""
        self._heard = b""
        return []
