"""An electricity meter on the M-Bus, as slave: primary and secondary address, answers of two frames.

Source   EN 13757-2:2018, 5.7 (frames, FCB), EN 13757-3:2018, 6 (records), 11 (selection by secondary address)
Units    records say their own: Wh, W, 0.1 V, 10 mA
Runs on  the host. Actions as in iec62056_meter.py.
"""

from datetime import datetime
from typing import Any

from .household import Household
from .wire import Line

LINE = Line(2400, 8, "E", 1)
_ACK = b"\xe5"
_SELECTED, _ANY = 253, 254
_BUFFER = 261
_REACTION_S = 0.02


def long_frame(body: bytes) -> bytes:
    """Return the long frame around `body`, from its C field on."""
    return bytes((0x68, len(body), len(body), 0x68)) + body + bytes((sum(body) & 0xFF, 0x16))


def maker_code(letters: str) -> int:
    """Return the number of a maker's three letters."""
    return sum(ord(letter) - 64 << shift for letter, shift in zip(letters, (10, 5, 0), strict=True))


class MBusMeter:
    """The meter of `household`. address: the primary one; number: eight digits, the secondary address begins so."""

    period_s = 0

    def __init__(self, household: Household, address: int = 5, number: str = "40102030") -> None:
        self.household = household
        self.address = address
        self.line = LINE
        # identification, maker, version, medium: 2, electricity
        self.secondary = bytes.fromhex(number)[::-1] + maker_code("MTH").to_bytes(2, "little") + b"\x01\x02"
        self._heard = b""
        self._selected = False
        self._fcb = -1
        self._turn = 0  # the frame that is told next
        self._accesses = 0
        self._last = b""

    # -- what it tells ------------------------------------------------------------------------------------

    def answers(self, at: int) -> list[bytes]:
        """Return the frames of one readout at `at`."""
        parts = (self._totals(at) + b"\x1f", self._moment(at) + b"\x0f\x4d\x54\x48")
        return [self._answer(records) for records in parts]

    def _answer(self, records: bytes) -> bytes:
        self._accesses = self._accesses + 1 & 0xFF
        head = self.secondary + bytes((self._accesses, 0, 0, 0))
        return long_frame(bytes((0x08, self.address, 0x72)) + head + records)

    def _totals(self, at: int) -> bytes:
        """Energy in Wh, 48 bits: imported, of tariffs 1 and 2, and the same of subunit 1, fed in; and the clock."""
        shown = self.household.registers(at)
        found = b""
        for dife, wh in (
            (b"", shown.import_wh),
            (b"\x10", shown.import_low_wh),
            (b"\x20", shown.import_normal_wh),
            (b"\x40", shown.export_wh),
            (b"\x50", shown.export_low_wh),
            (b"\x60", shown.export_normal_wh),
        ):
            found += bytes((0x86 if dife else 0x06,)) + dife + b"\x03" + wh.to_bytes(6, "little")
        return found + b"\x04\x6d" + self._clock(at)

    def _moment(self, at: int) -> bytes:
        """Power in W, then 0.1 V and 10 mA of each phase, which a maker's VIFE names."""
        found = b"\x04\x2b" + self.household.power_w(at).to_bytes(4, "little", signed=True)
        for n, phase in enumerate(self.household.phases(at), 1):
            found += b"\x02\xfd\xc8\xff" + bytes((n,)) + phase.dv.to_bytes(2, "little")
            hundredths = (phase.w * 1000 + phase.dv // 2) // phase.dv
            found += b"\x04\xfd\xda\xff" + bytes((n,)) + hundredths.to_bytes(4, "little", signed=True)
        return found

    def _clock(self, at: int) -> bytes:
        """Type F: the local time, and whether that is summer time."""
        local = datetime.fromtimestamp(at, self.household.zone)
        year = local.year % 100
        summer = 0x80 if local.dst() else 0
        return bytes(
            (local.minute, local.hour | summer, local.day | (year & 7) << 5, local.month | (year & 0x78) << 1)
        )

    # -- what it answers ----------------------------------------------------------------------------------

    def on_bytes(self, data: bytes, at: int) -> list[tuple[str, Any]]:
        """Take what the master says; return the actions that follow."""
        self._heard = (self._heard + data)[-_BUFFER:]
        while self._heard:
            frame = _first_frame(self._heard)
            if frame is None:
                return []
            self._heard = self._heard[max(1, len(frame)) :]
            answer = self._answer_to(frame, at) if frame else b""
            if answer:
                return [("pause", _REACTION_S), ("send", answer)]
        return []

    def on_silence(self, at: int) -> list[tuple[str, Any]]:
        """Nothing has come: a frame that had begun is over."""
        self._heard = b""
        return []

    def _answer_to(self, frame: bytes, at: int) -> bytes:
        body = frame[1:-2] if len(frame) == 5 else frame[4:-2]
        control, address = body[0], body[1]
        if control == 0x53 and address == _SELECTED and body[2] == 0x52 and len(body) == 11:
            self._selected = _matches(body[3:], self.secondary)
            return _ACK if self._selected else b""
        is_meant = address in (self.address, _ANY) or (address == _SELECTED and self._selected)
        if control == 0x40:
            self._fcb = -1
            self._turn = 0
            if address in (_SELECTED, 255):
                self._selected = False
        if not is_meant:
            return b""
        if control & 0x4F == 0x4B:  # REQ_UD2
            return self._next(control >> 5 & 1, at)
        return _ACK

    def _next(self, fcb: int, at: int) -> bytes:
        """Return the next frame, or the last one again when the FCB has not changed."""
        if fcb != self._fcb or not self._last:
            answers = self.answers(at)
            self._last = answers[self._turn]
            self._turn = (self._turn + 1) % len(answers)
        self._fcb = fcb
        return self._last


def _matches(asked: bytes, own: bytes) -> bool:
    """Return whether a secondary address is meant: F is any digit, FF any version, medium, and half of a maker."""
    for i, (want, have) in enumerate(zip(asked, own, strict=True)):
        for shift in (0, 4) if i < 4 else (0,):
            digit = (want >> shift & 15, have >> shift & 15, 15) if i < 4 else (want, have, 255)
            if digit[0] not in (digit[1], digit[2]):
                return False
    return True


def _first_frame(heard: bytes) -> bytes | None:
    """Return the frame that `heard` begins with, b"" when it begins none, None when more must come."""
    if heard[0] == 0x10:
        size, body = 5, heard[1:3]
    elif heard[0] == 0x68:
        if len(heard) < 4:
            return None
        if heard[1] != heard[2] or heard[3] != 0x68 or heard[1] < 3:
            return b""
        size, body = heard[1] + 6, heard[4 : 4 + heard[1]]
    else:
        return b""
    if len(heard) < size:
        return None
    return heard[:size] if heard[size - 1] == 0x16 and heard[size - 2] == sum(body) & 0xFF else b""
