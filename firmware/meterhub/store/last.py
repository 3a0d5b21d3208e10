"""What a meter has told last, its totals and its count of pulses, as it survives a power cut, a reset and a deploy.

Source   this file. The content of a Record (record.py) in the folder `last`, and of a piece of what the chip keeps
         through a reset (kept.py):
             u8 version 1; varint at, Unix seconds, 0 not known; varint pulses;
             of each register 6 bytes OBIS A-F, varint value
Units    values as the columns of the meter's profile say
Memory   the record: 20 to 90 bytes
Errors   none: what is damaged was never told, and the Record says so; OSError from note() and put_away()
Runs on  both

What a cut can take: of the registers what `save_s` (10) seconds have brought; of the pulses 9 (`save_pulses` less
one), or what `save_s` seconds have brought where that is more. A restart and Ctrl-C take nothing (a second Ctrl-C in
the middle of saving may), nor does any reset of a chip that keeps memory through it. What it costs the flash is what
`make bench` says under "cuts".
"""

from micropython import const

from ..codec import varint
from ..codec.obis import pack_obis, unpack_obis
from ..hal.ticks import age, now_ms

_VERSION = const(1)
_OBIS_BYTES = const(6)


class LastValues:
    """What one meter has told last: pulses, at (Unix s or 0), values {obis: int}.

    record: store.record.Record; kept: store.kept.Kept; name: the meter's. save_s, save_pulses: as above.
    """

    def __init__(self, record, kept, name: str, save_s: int = 10, save_pulses: int = 10, ticks_ms=now_ms) -> None:
        self._record = record
        self._kept = kept
        self._name = "last " + name
        self._save_ms = save_s * 1000
        self._save_pulses = save_pulses
        self._ticks_ms = ticks_ms
        self.pulses, self.at, self.values = 0, 0, {}
        self._take(record.load() or b"")
        self._saved = (self.pulses, self.values)
        self._take(kept.get(self._name))
        self._saved_ms = ticks_ms()

    def _take(self, raw):
        """Believe `raw` unless it counts fewer pulses, or as many and is older."""
        found = _unpacked(raw)
        if found is not None and found[:2] >= (self.pulses, self.at):
            self.pulses, self.at, self.values = found

    def note(self, at: "int | None", values: dict, pulses: int = 0) -> None:
        """Take what was told now; it is saved when it is due."""
        self.at = at or self.at
        self.values = values
        self.pulses = max(self.pulses, pulses)
        self._kept.put(self._name, self._packed())
        if self.due_ms() == 0:
            self.put_away()

    def due_ms(self) -> int:
        """Return in how many milliseconds it must be saved, 0 at once, -1 while there is nothing to save."""
        pulses, values = self._saved
        if self.pulses - pulses < (self._save_pulses if self.pulses else 1) and (self.pulses or values == self.values):
            return -1
        return max(0, self._save_ms - age(self._ticks_ms(), self._saved_ms))

    def put_away(self) -> None:
        """Save what is not saved yet; for the moment before a restart, too."""
        if self._saved == (self.pulses, self.values):
            return
        self._saved_ms = self._ticks_ms()  # a flash that is full is tried again no sooner
        self._record.save(self._packed())
        self._saved = (self.pulses, self.values)

    def _packed(self):
        out = bytearray((_VERSION,))
        varint.append(out, self.at)
        varint.append(out, self.pulses)
        for obis, value in self.values.items():
            out.extend(pack_obis(obis))
            varint.append(out, value)
        return out


def _unpacked(raw):
    """Return (pulses, at, values), None for what is of no version that we know."""
    try:
        if raw[0] != _VERSION:
            return None
        at, pos = varint.read(raw, 1)
        pulses, pos = varint.read(raw, pos)
        values = {}
        while pos < len(raw):
            code = raw[pos : pos + _OBIS_BYTES]
            if len(code) < _OBIS_BYTES:
                return None
            obis = unpack_obis(code)
            values[obis], pos = varint.read(raw, pos + _OBIS_BYTES)
        return pulses, at, values
    except (IndexError, ValueError):
        return None
