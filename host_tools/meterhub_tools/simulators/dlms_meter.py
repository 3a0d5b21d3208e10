"""An electricity meter that pushes DLMS/COSEM data, in HDLC frames or over the M-Bus link layer, plain or ciphered.

Source   IEC 62056-5-3 (data-notification, general-glo-ciphering), 62056-46 (HDLC), 62056-6-2 (A-XDR, units),
         EN 13757-2 and 62056-7-3 (M-Bus link layer); the list says name, value, scale and unit of each register
Units    as each structure says: Wh, W, 0.1 V, 10 mA
Runs on  the host
"""

from datetime import datetime

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from fastcrc import crc16

from .household import Household
from .mbus_meter import long_frame
from .wire import Line

LINE = Line(2400, 8, "E", 1)
NUMBER = b"MTH40102030"
TITLE = b"MTH\x00\x02\x63\xf9\xce"
# the keys of a meter that does not exist; printed by the simulator for whoever reads it
KEY = bytes.fromhex("000102030405060708090A0B0C0D0E0F")
AUTH_KEY = bytes.fromhex("D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF")
_AUTHENTICATED_AND_ENCRYPTED = 0x30
_TAG_BYTES = 12
_LLC = b"\xe6\xe7\x00"
_MOST_IN_MBUS = 245
_WH, _W, _V, _A = 30, 27, 35, 33


def length(n: int) -> bytes:
    """Return a length as A-XDR has it."""
    if n < 0x80:
        return bytes((n,))
    return bytes((0x81, n)) if n < 0x100 else b"\x82" + n.to_bytes(2, "big")


def octets(raw: bytes) -> bytes:
    return b"\x09" + length(len(raw)) + raw


def structure(*items: bytes) -> bytes:
    return b"\x02" + length(len(items)) + b"".join(items)


def array(*items: bytes) -> bytes:
    return b"\x01" + length(len(items)) + b"".join(items)


def register(name: str, value: int, scale: int, unit: int) -> bytes:
    """Return the structure of a register: its name, its value of 32 bits, and scale and unit."""
    code = bytes(int(part) for part in name.replace("-", ".").replace(":", ".").split(".")) + b"\xff"
    number = b"\x05" + value.to_bytes(4, "big", signed=True) if value < 0 else b"\x06" + value.to_bytes(4, "big")
    of_number = structure(b"\x0f" + scale.to_bytes(1, "big", signed=True), bytes((0x16, unit)))
    return structure(octets(code), number, of_number)


def hdlc(info: bytes) -> bytes:
    """Return the HDLC frame of `info`: from a meter to its client, unasked."""
    size = 10 + len(info)
    head = bytes((0xA0 | size >> 8, size & 0xFF)) + b"\x41\x08\x83\x13"
    raw = head + crc16.ibm_sdlc(head).to_bytes(2, "little") + info
    return b"\x7e" + raw + crc16.ibm_sdlc(raw).to_bytes(2, "little") + b"\x7e"


class DlmsMeter:
    """The meter of `household`. link: "hdlc" or "mbus"; encrypted: with KEY and AUTH_KEY."""

    period_s = 10
    line = LINE

    def __init__(self, household: Household, link: str = "hdlc", encrypted: bool = False) -> None:
        self.household = household
        self._link = {"hdlc": self._in_hdlc, "mbus": self._in_mbus}[link]
        self._encrypted = encrypted
        self._counter = 0

    def frames(self, at: int) -> list[bytes]:
        """Return the frames of the push of `at`."""
        self._counter += 1
        apdu = self.notification(at)
        return self._link(self._ciphered(apdu) if self._encrypted else apdu)

    def notification(self, at: int) -> bytes:
        """Return the data-notification of `at`."""
        invoked = (self._counter & 0xFFFFFF).to_bytes(4, "big")
        clock = self._clock(at)
        return b"\x0f" + invoked + length(len(clock)) + clock + self._list(at)

    def _list(self, at: int) -> bytes:
        shown, watts = self.household.registers(at), self.household.power_w(at)
        items = [
            structure(octets(b"\x00\x00\x60\x01\x00\xff"), octets(NUMBER)),
            register("1-0:1.7.0", max(watts, 0), 0, _W),
            register("1-0:2.7.0", max(-watts, 0), 0, _W),
            register("1-0:1.8.0", shown.import_wh, 0, _WH),
            register("1-0:2.8.0", shown.export_wh, 0, _WH),
        ]
        for n, phase in zip((3, 5, 7), self.household.phases(at), strict=True):
            hundredths = (abs(phase.w) * 1000 + phase.dv // 2) // phase.dv
            items += [register(f"1-0:{n}1.7.0", hundredths, -2, _A), register(f"1-0:{n}2.7.0", phase.dv, -1, _V)]
        return array(*items)

    def _clock(self, at: int) -> bytes:
        """Return the twelve bytes of a COSEM date-time: local time, its deviation in minutes, summer or not."""
        local = datetime.fromtimestamp(at, self.household.zone)
        ahead = local.utcoffset()
        deviation = -int(ahead.total_seconds()) // 60 if ahead else 0
        day = local.year.to_bytes(2, "big") + bytes((local.month, local.day, local.isoweekday()))
        clock = bytes((local.hour, local.minute, local.second, 0))
        return day + clock + deviation.to_bytes(2, "big", signed=True) + bytes((0x80 if local.dst() else 0,))

    def _ciphered(self, apdu: bytes) -> bytes:
        control = bytes((_AUTHENTICATED_AND_ENCRYPTED,))
        counter = self._counter.to_bytes(4, "big")
        sealed = AESGCM(KEY).encrypt(TITLE + counter, apdu, control + AUTH_KEY)
        content = control + counter + sealed[: _TAG_BYTES - 16]
        return b"\xdb" + bytes((len(TITLE),)) + TITLE + length(len(content)) + content

    @staticmethod
    def _in_hdlc(apdu: bytes) -> list[bytes]:
        return [hdlc(_LLC + apdu)]

    @staticmethod
    def _in_mbus(apdu: bytes) -> list[bytes]:
        """Return the long frames of an APDU; the CI field numbers them, and its bit 4 marks the last one."""
        parts = [apdu[i : i + _MOST_IN_MBUS] for i in range(0, len(apdu), _MOST_IN_MBUS)]
        marks = [i | (0x10 if i == len(parts) - 1 else 0) for i in range(len(parts))]
        return [
            long_frame(b"\x53\xff" + bytes((mark, 0x01, 0x67)) + part) for mark, part in zip(marks, parts, strict=True)
        ]
