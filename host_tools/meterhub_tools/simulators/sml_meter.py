"""An electricity meter with an SML interface: a file a second from the optical port.

Source   BSI TR-03109-1 annex IV, SML 1.04 (messages, TLV, transport protocol with CRC-16/X-25)
Units    energy in 0.1 Wh, power in W, voltage in 0.1 V, as each entry says
Runs on  the host
"""

from fastcrc import crc16

from .household import Household
from .wire import Line

LINE = Line(9600, 8, "N", 1)
SERVER = b"\x0a\x01MTH\x00\x02\x63\xf9\xce"
_ESCAPE, _BEGIN = b"\x1b" * 4, b"\x01" * 4
_NONE = b"\x01"
_OPEN, _CLOSE, _LIST = 0x0101, 0x0201, 0x0701
_W, _WH, _V = 27, 30, 35
_DRAWN, _FED_IN = 0x00010104, 0x00010124  # status word: which way the energy flows


def element(kind: int, content: bytes) -> bytes:
    """Return a TLV element of at most 4 KB; its length counts the TL field too."""
    size = 1
    while len(content) + size >= 1 << 4 * size:
        size += 1
    total = len(content) + size
    nibbles = [total >> 4 * (size - 1 - i) & 15 for i in range(size)]
    more = [0x80] * (size - 1) + [0]
    return bytes(m | (kind if i == 0 else 0) | n for i, (m, n) in enumerate(zip(more, nibbles, strict=True))) + content


def octets(raw: bytes) -> bytes:
    return element(0, raw)


def unsigned(value: int, width: int) -> bytes:
    return element(0x60, value.to_bytes(width, "big"))


def signed(value: int, width: int) -> bytes:
    return element(0x50, value.to_bytes(width, "big", signed=True))


def listed(*items: bytes) -> bytes:
    """Return a list; its TL field counts elements. Long ones take two bytes."""
    n = len(items)
    head = bytes((0x70 | n,)) if n < 16 else bytes((0xF0 | n >> 4, n & 15))
    return head + b"".join(items)


def entry(name: str, value: bytes, unit: int = 0, scaler: int = 0, status: bytes = _NONE) -> bytes:
    """Return one entry of a list, named by A-B:C.D.E."""
    code = bytes(int(part) for part in name.replace("-", ".").replace(":", ".").split(".")) + b"\xff"
    of_number = (unsigned(unit, 1), signed(scaler, 1)) if unit else (_NONE, _NONE)
    return listed(octets(code), status, _NONE, *of_number, value, _NONE)


def transported(messages: bytes) -> bytes:
    """Return an SML file as it goes over the line: escaped, filled up to four bytes, with its CRC."""
    fill = -len(messages) % 4
    body = (messages + bytes(fill)).replace(_ESCAPE, 2 * _ESCAPE)
    raw = _ESCAPE + _BEGIN + body + _ESCAPE + bytes((0x1A, fill))
    return raw + crc16.ibm_sdlc(raw).to_bytes(2, "little")


class SmlMeter:
    """The meter of `household`."""

    period_s = 1
    line = LINE

    def __init__(self, household: Household) -> None:
        self.household = household
        self._number = 0

    def frames(self, at: int) -> list[bytes]:
        """Return the SML file of `at`."""
        file_id = octets(self._number.to_bytes(4, "big"))
        opened = listed(_NONE, _NONE, file_id, octets(SERVER), _NONE, _NONE)
        told = listed(_NONE, octets(SERVER), _NONE, self._clock(at), self._values(at), _NONE, _NONE)
        bodies = ((_OPEN, opened), (_LIST, told), (_CLOSE, listed(_NONE)))
        return [transported(b"".join(self._message(tag, body) for tag, body in bodies))]

    def _message(self, tag: int, body: bytes) -> bytes:
        self._number += 1
        choice = listed(unsigned(tag, 4), body)
        raw = listed(octets(self._number.to_bytes(4, "big")), unsigned(0, 1), unsigned(0, 1), choice)
        raw = b"\x76" + raw[1:]  # CRC and end of message follow
        return raw + unsigned(int.from_bytes(crc16.ibm_sdlc(raw).to_bytes(2, "little"), "big"), 2) + b"\x00"

    def _clock(self, at: int) -> bytes:
        """Return the seconds that the meter has been running."""
        return listed(unsigned(1, 1), unsigned(at - self.household.start, 4))

    def _values(self, at: int) -> bytes:
        shown, watts = self.household.registers(at), self.household.power_w(at)
        way = unsigned(_FED_IN if watts < 0 else _DRAWN, 4)
        entries = [
            entry("1-0:96.50.1", octets(b"MTH")),
            entry("1-0:96.1.0", octets(SERVER)),
            entry("1-0:1.8.0", unsigned(10 * shown.import_wh, 8), _WH, -1, way),
            entry("1-0:1.8.1", unsigned(10 * shown.import_low_wh, 8), _WH, -1),
            entry("1-0:1.8.2", unsigned(10 * shown.import_normal_wh, 8), _WH, -1),
            entry("1-0:2.8.0", unsigned(10 * shown.export_wh, 8), _WH, -1),
            entry("1-0:16.7.0", signed(watts, 4), _W, 0),
        ]
        for n, phase in zip((3, 5, 7), self.household.phases(at), strict=True):
            entries.append(entry(f"1-0:{n}6.7.0", signed(phase.w, 4), _W, 0))
            entries.append(entry(f"1-0:{n}2.7.0", unsigned(phase.dv, 2), _V, -1))
        return listed(*entries)
