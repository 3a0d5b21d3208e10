"""An electricity meter with an optical head: IEC 62056-21 mode C when it is asked, or mode D unasked.

Source   IEC 62056-21:2002, 6.3 (messages), 6.4.1.3 (mode C: sign-on at 300 Bd, then the rate that was agreed), 6.4.1.4
         (mode D: 2400 Bd), 6.6 (programming mode: R1, B0), 5.3 (7 bits, even parity)
Units    as the meter writes them: kWh, kW, V, A
Runs on  the host. Actions, one after the other: ("pause", s), ("send", bytes), ("line", Line).
"""

from datetime import datetime
from typing import Any

from .household import Household
from .wire import Line

RATES = (300, 600, 1200, 2400, 4800, 9600, 19200)
SIGN_ON = Line(300, 7, "E", 1)
PUSH = Line(2400, 7, "E", 1)
NUMBER = "40102030"
REACTION_S = 0.2
_BUFFER = 256
_SOH, _STX, _ETX, _ACK, _NAK = b"\x01", b"\x02", b"\x03", b"\x06", b"\x15"


def with_bcc(body: bytes) -> bytes:
    """Return what follows STX or SOH, with its block check character."""
    bcc = 0
    for byte in body:
        bcc ^= byte
    return body + bytes([bcc])


class Iec62056Meter:
    """The meter of `household`. rate: the highest one in mode C; number: what 0.0.0 tells and a request may name."""

    period_s = 0

    def __init__(self, household: Household, rate: int = 9600, number: str = NUMBER) -> None:
        self.household = household
        self.number = number
        self.line = SIGN_ON
        self._rate = RATES.index(rate)
        self._heard = b""
        self._identified = False
        self._last = b""  # what NAK asks for again

    # -- what it tells ------------------------------------------------------------------------------------

    def ident(self) -> bytes:
        """Return the identification message."""
        return b"/MTH%d\\2METERHUB-SIM\r\n" % self._rate

    def values(self, at: int) -> dict[str, str]:
        """Return {code: value} of all registers at `at`."""
        shown = self.household.registers(at)
        local = datetime.fromtimestamp(at, self.household.zone)
        found = {"F.F": "00000000", "0.0.0": self.number}
        found |= {"0.9.1": local.strftime("%H%M%S"), "0.9.2": local.strftime("%y%m%d")}
        totals = {"1.8.0": shown.import_wh, "1.8.1": shown.import_low_wh, "1.8.2": shown.import_normal_wh}
        totals |= {"2.8.0": shown.export_wh, "2.8.1": shown.export_low_wh, "2.8.2": shown.export_normal_wh}
        for code, wh in totals.items():
            found[code] = f"{wh // 1000 % 10**6:06d}.{wh % 1000:03d}*kWh"
        watts = self.household.power_w(at)
        found["16.7.0"] = f"{'-' if watts < 0 else ''}{abs(watts) // 1000:03d}.{abs(watts) % 1000:03d}*kW"
        for n, phase in zip((3, 5, 7), self.household.phases(at), strict=True):
            found[f"{n}2.7.0"] = f"{phase.dv // 10:03d}.{phase.dv % 10}*V"
            hundredths = (abs(phase.w) * 1000 + phase.dv // 2) // phase.dv
            found[f"{n}1.7.0"] = f"{hundredths // 100:03d}.{hundredths % 100:02d}*A"
        return found

    def readout(self, at: int) -> bytes:
        """Return the data message of mode C."""
        return _STX + with_bcc(self._lines(at) + b"!\r\n" + _ETX)

    def _lines(self, at: int) -> bytes:
        return "".join(f"{code}({value})\r\n" for code, value in self.values(at).items()).encode()

    # -- what it answers ----------------------------------------------------------------------------------

    def on_bytes(self, data: bytes, at: int) -> list[tuple[str, Any]]:
        """Take what the master says; return the actions that follow."""
        self._heard = (self._heard + data)[-_BUFFER:]
        if self._heard.startswith(_NAK) and self._last:
            self._heard = b""
            return [("pause", REACTION_S), ("send", self._last)]
        start = self._heard.find(b"/?")
        if start >= 0:
            return self._asked(self._heard[start:])
        if self._identified and self._heard.find(_ACK) >= 0:
            return self._acknowledged(self._heard[self._heard.find(_ACK) :], at)
        if self.line != SIGN_ON and self._heard.find(_SOH) >= 0:
            return self._command(self._heard[self._heard.find(_SOH) :], at)
        return []

    def on_silence(self, at: int) -> list[tuple[str, Any]]:
        """Nothing has come for two seconds: without an acknowledgement the data follow at 300 Bd (6.4.1.3)."""
        identified, self._identified = self._identified, False
        self._heard = b""
        if identified:
            return [("send", self.readout(at)), ("line", SIGN_ON)]
        return [("line", SIGN_ON)] if self.line != SIGN_ON else []

    def _asked(self, text: bytes) -> list[tuple[str, Any]]:
        if not text.endswith(b"!\r\n"):
            return []
        self._heard = b""
        if text[2:-3] not in (b"", self.number.encode()):
            return []
        self._identified = True
        return [("pause", REACTION_S), ("send", self.ident())]

    def _acknowledged(self, text: bytes, at: int) -> list[tuple[str, Any]]:
        """Take ACK V Z Y: the protocol, the rate, and what the master wants at it."""
        if len(text) < 6:
            return []
        self._heard = b""
        self._identified = False
        if text[4:6] != b"\r\n" or not 0x30 <= text[2] <= 0x30 + self._rate:
            return []
        fast = Line(RATES[text[2] - 0x30], 7, "E", 1)
        if text[3:4] == b"1":
            self._last = _SOH + with_bcc(b"P0" + _STX + b"(" + self.number.encode() + b")" + _ETX)
            return [("line", fast), ("pause", REACTION_S), ("send", self._last)]
        self._last = self.readout(at)
        return [("line", fast), ("pause", REACTION_S), ("send", self._last)]  # and there NAK is waited for

    def _command(self, text: bytes, at: int) -> list[tuple[str, Any]]:
        end = text.find(_ETX)
        if end < 0 or len(text) < end + 2:
            return []
        self._heard = b""
        if with_bcc(text[1 : end + 1]) != text[1 : end + 2]:
            return [("send", _NAK)]
        if text[1:3] == b"B0":
            return [("line", SIGN_ON)]
        if text[1:3] == b"P1":
            return [("send", _ACK)]
        code = text[4:end].decode("ascii", "replace").partition("(")[0]
        value = self.values(at).get(code, "ERROR")
        self._last = _STX + with_bcc(f"{code}({value})".encode() + _ETX)
        return [("pause", REACTION_S), ("send", self._last)]


class Iec62056PushMeter(Iec62056Meter):
    """The meter in mode D: a message every two seconds, and nobody is heard."""

    period_s = 2

    def __init__(self, household: Household, number: str = NUMBER) -> None:
        super().__init__(household, PUSH.baud, number)
        self.line = PUSH

    def frames(self, at: int) -> list[bytes]:
        """Return the message of `at`: a blank line after the ident line, and no BCC."""
        return [self.ident() + b"\r\n" + self._lines(at) + b"!\r\n"]
