"""Private billing, the hub's side: what it signs of a day, and the keys by which the customer can open it.

Source   this file; commitments and keys: crypto/pedersen.py; what is made of them: codec/bill.py
Units    an interval's number is its start / interval_s, Unix seconds UTC; readings Wh; integers little endian
Memory   a batch: up to 3.5 KB for half-hours of import and export
Errors   HubError MALFORMED with the field, "batch.count": for bytes that pack() would not have made. Whether a point
         lies on the curve is for who computes with it
Runs on  both

Batch, one for each local day of the hub, whole:
  0    "mhb1"
  4    10 bytes  hub: SHA-256 of its public point (65 bytes), the first 80 bits
  14   16 bytes  chain: random, another one each time that billing is turned on
  30   u32  day, counted from 1970, 1 .. 84005: each batch of a chain has the next one
  34   u8   interval_s / 900: 1, 2 or 4
  35   u8   1: there are commitments to what was fed in; 0: the meter has no such register
  36   u32  first: number of the first interval, which begins within 15 h of 00:00 UTC of the day
  40   u8   count: 1 .. 100
  41   u8   turn: which interval, counted from 0, has at its end the first reading of another meter; 255: none
  42   u16  late: how many intervals before the first one, up to it, are missing; 65535: that many or more
  44   32 bytes  SHA-256 of the batch before, without its signature; zeros in the first one of a chain
  76   32 bytes  digest of the tariff (codec/tariff.py) in force when the day began; zeros: the hub had none
  108  (count + 7) / 8 bytes  missing: bit i % 8 of byte i / 8 is 1 for an interval that has no reading at its end
       33 bytes each: commitments to the registers: import at the start, import at the end; with a turn also the last
                   one of the old meter and the first one of the new; then the same of export
       33 bytes each: commitments to the energy of the intervals that are not missing: import, then export
       64 bytes  signature ES256, r || s, by the hub's key over all before; s is at most (N - 1) / 2
A register "at" a time is the last reading that is not missing at or before that time. The energy of an interval is
what the register has grown by since the reading before it: what was used while readings were missing is in the next
interval that has one. The interval of a turn is missing, and what the old meter counted after its last reading is
lost. A chain that begins without a reading begins with a turn, its old meter's registers being 0.
So the sum of the commitments to the intervals is (end - first of the new) + (last of the old - start), or end - start,
with another r: whoever knows these can prove that nothing was left out.

Kinds and indices of crypto/pedersen.py: IMPORT, EXPORT with the interval's number; for registers START, END, LAST,
FIRST, + 4 for export, with the day.

Day keys, for the customer alone:
  0    "mhk1", 10 bytes hub, 16 bytes chain, u32 first day, u16 count 1 .. 800, 32 bytes for each day
"""

import hashlib
import struct

from micropython import const

from ..errors import HubError

IMPORT, EXPORT = 0, 1  # kinds
START, END, LAST, FIRST = 2, 3, 4, 5
NO_TURN = 255
MOST_INTERVALS = 100
POINT_BYTES = 33
SIGNATURE_BYTES = 64
_HEAD = "<4s10s16sIBBIBBH32s32s"
_HEAD_BYTES = const(108)
_KEYS = "<4s10s16sIH"
_KEYS_BYTES = const(36)
_DAY_S = const(86400)
_FAR_S = const(54000)
_LAST_DAY = const(84006)  # 2200: until then there is a calendar


def wrong(field: str) -> HubError:
    """Return the error that names a field."""
    return HubError("MALFORMED", field)


class Batch:
    """A batch as it came, with its signature, which is not verified here."""

    def __init__(self, raw: bytes) -> None:
        size = len(raw) - SIGNATURE_BYTES
        if size < _HEAD_BYTES + 1:
            raise wrong("batch")
        head = struct.unpack_from(_HEAD, raw, 0)
        magic, self.hub, self.chain, self.day, step, exports = head[:6]
        self.first, self.count, self.turn, self.late, self.previous, self.tariff = head[6:]
        for is_right, field in (
            (magic == b"mhb1", "batch.version"),
            (0 < self.day < _LAST_DAY, "batch.day"),
            (step in (1, 2, 4), "batch.interval_s"),
            (exports < 2, "batch.exports"),
            (0 < self.count <= MOST_INTERVALS, "batch.count"),
        ):
            if not is_right:
                raise wrong(field)
        self.exports = exports == 1
        self.interval_s = 900 * step
        if not -_FAR_S <= self.first * self.interval_s - self.day * _DAY_S <= _FAR_S:
            raise wrong("batch.first")
        self._points_at = _HEAD_BYTES + (self.count + 7) // 8
        self.missing = bytes(raw[_HEAD_BYTES : self._points_at])
        self._check_missing()
        self.present = [i for i in range(self.count) if not self.is_missing(i)]
        self.registers = 4 if self.turn != NO_TURN else 2  # of each direction
        directions = 2 if self.exports else 1
        if size != self._points_at + POINT_BYTES * directions * (self.registers + len(self.present)):
            raise wrong("batch")
        for at in range(self._points_at, size, POINT_BYTES):
            if raw[at] not in (2, 3):
                raise wrong("batch.points")
        self.body = bytes(raw[:size])
        self.signature = bytes(raw[size:])

    def _check_missing(self):
        spare = 8 * len(self.missing) - self.count
        if spare and (len(self.missing) < (self.count + 7) // 8 or self.missing[-1] >> 8 - spare):
            raise wrong("batch.missing")
        if self.turn != NO_TURN and (self.turn >= self.count or not self.is_missing(self.turn)):
            raise wrong("batch.turn")

    def is_missing(self, i: int) -> bool:
        """Return whether interval i, counted from 0, has no reading at its end."""
        return bool(self.missing[i >> 3] >> (i & 7) & 1)

    def digest(self) -> bytes:
        """Return the 32 bytes that the next batch has of this one, and that its signature is over."""
        return hashlib.sha256(self.body).digest()

    def register(self, kind: int, export: bool = False) -> bytes:
        """Return the commitment to a register: START, END, and with a turn LAST, FIRST."""
        return self._point(kind - START + (self.registers if export else 0))

    def energy(self, export: bool = False) -> list:
        """Return the commitments to the energy of the intervals of `present`."""
        at = self.registers * (2 if self.exports else 1) + (len(self.present) if export else 0)
        return [self._point(at + i) for i in range(len(self.present))]

    def _point(self, number):
        at = self._points_at + POINT_BYTES * number
        return self.body[at : at + POINT_BYTES]


def pack(hub: bytes, chain: bytes, place: tuple, links: tuple, missing: bytes, points: list, exports: bool) -> bytes:
    """Return a batch without its signature.

    place: (day, interval_s, first, count, turn, late); links: (digest of the batch before, of the tariff in force).
    """
    day, interval_s = place[:2]
    head = (b"mhb1", hub, chain, day, interval_s // 900, int(exports)) + place[2:] + links
    return struct.pack(_HEAD, *head) + missing + b"".join(points)


def head_bytes(count: int) -> int:
    """Return how many bytes stand before the points of a batch of so many intervals."""
    return _HEAD_BYTES + (count + 7) // 8


def pack_keys(hub: bytes, chain: bytes, day: int, keys: list) -> bytes:
    """Return the keys of some days on end, the first of which is `day`."""
    return struct.pack(_KEYS, b"mhk1", hub, chain, day, len(keys)) + b"".join(keys)


def keys_of(raw: bytes) -> tuple:
    """Return (hub, chain, {day: key}) of what pack_keys() made."""
    if len(raw) < _KEYS_BYTES:
        raise wrong("keys")
    magic, hub, chain, first, count = struct.unpack_from(_KEYS, raw, 0)
    if magic != b"mhk1":
        raise wrong("keys.version")
    if not 0 < count <= 800 or len(raw) != _KEYS_BYTES + 32 * count:
        raise wrong("keys.count")
    keys = {}
    for i in range(count):
        at = _KEYS_BYTES + 32 * i
        keys[first + i] = raw[at : at + 32]
    return hub, chain, keys
