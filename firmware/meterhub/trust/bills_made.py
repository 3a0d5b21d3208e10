"""Which bills the hub has made, so that none can be played off against another: two over nearly the same time differ
by what lies between.

Source   this file. A two-slot record "bills": u8 1, then for each bill, little endian: u32 start, u32 stop,
         32 bytes digest of the tariff (codec/tariff.py)
Units    Unix seconds UTC
Memory   the record, while it is looked at: 40 bytes for each bill, at most 64
Errors   HubError NOT_CONSENTED "second bill"; STORE_FULL "bills" when there is no room for another one;
         INTEGRITY_FAILED "bills" for a damaged record: then no bill can be known to be the first one
Runs on  both

What is made elsewhere, on the customer's computer, is not known here.
"""

import struct

from micropython import const

from ..errors import HubError, StoreError

_BYTES = const(40)
_MOST = const(64)


class BillsMade:
    """The list in `record` (store.record.Record, one that tells of damage)."""

    def __init__(self, record) -> None:
        self._record = record

    def check(self, start: int, stop: int, tariff: bytes) -> bool:
        """Return whether this very bill was made before; HubError for one that overlaps another."""
        for first, last, digest in self._all():
            if (first, last, digest) == (start, stop, tariff):
                return True
            if first < stop and start < last:
                raise HubError("NOT_CONSENTED", "second bill")
        return False

    def add(self, start: int, stop: int, tariff: bytes, oldest: int) -> None:
        """Write down a bill, before it leaves. What ended before `oldest` can be made no more, and is let go."""
        if self.check(start, stop, tariff):
            return
        kept = [one for one in self._all() if one[1] > oldest]
        if len(kept) >= _MOST:
            raise HubError("STORE_FULL", "bills")
        kept.append((start, stop, tariff))
        self._record.save(b"\x01" + b"".join([struct.pack("<II32s", *one) for one in kept]))

    def _all(self):
        try:
            raw = self._record.load() or b"\x01"
        except StoreError:
            raise HubError("INTEGRITY_FAILED", "bills")
        if raw[0] != 1 or len(raw) % _BYTES != 1:
            raise HubError("INTEGRITY_FAILED", "bills")
        return [struct.unpack_from("<II32s", raw, at) for at in range(1, len(raw), _BYTES)]
