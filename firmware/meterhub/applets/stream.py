"""The data of one export: which readings the customer agreed to, cut into chunks.

Source   codec/series.py (the chunk), trust/mhx.py (what it travels in).
Memory   one chunk of 128 entries (64 hours of half-hours); it does not grow with the range.
Errors   HubError OUT_OF_RANGE, NOT_AVAILABLE, INVALID_VALUE.
Runs on  both

A chunk asked for a second time is read from the store again and must come out the same: the range is closed when
the stream is made (the open interval's reading is kept here), the meters are those there were then, and the store only
ever grows. Of a meter from before an exchange nothing leaves, its intervals are missing; but with the keys to a bill,
which goes on over an exchange, its readings go too.
"""

import asyncio
import hashlib

from micropython import const

from ..codec import series
from ..codec.load_profile import MISSING, Entry
from ..errors import HubError

CHUNK = 128
_SLICE = const(8)  # entries read between two looks at the other tasks


class Stream:
    """Readings of the registers `regs` at the interval ends start <= t <= stop, at resolution `res`.

    profile: store.profile.Profile; open_entry: the open interval's Entry or None; zone: codec.timezone.Zone, which
    says where days and months begin; since: what is older is MISSING, the profile's own date when it is None.
    """

    def __init__(
        self, profile, open_entry, zone, regs: list, start: int, stop: int, res: str, since: "int | None" = None
    ) -> None:
        names = [column.obis for column in profile.columns]
        for reg in regs:
            if reg not in names:
                raise HubError("NOT_AVAILABLE", "regs")
        self._profile = profile
        self._meters = profile.meters
        self._since = profile.since if since is None else since
        self._zone = zone
        self._index = [names.index(reg) for reg in regs]
        self._columns = [profile.columns[i] for i in self._index]
        self._open = open_entry if open_entry is not None and open_entry.at == stop else None
        self._start = start
        self._stop = stop
        self._res = res
        self._step_s = profile.interval_s if res == "half-hour" else 0
        if self._step_s and (start % self._step_s or stop % self._step_s):
            raise HubError("INVALID_VALUE", "from")
        self.entries = self._count()
        if not self.entries:
            raise HubError("INVALID_VALUE", "to")
        self.chunks = (self.entries + CHUNK - 1) // CHUNK
        self.packed = 0  # chunks packed so far
        self.present = 0  # entries with a reading, in those chunks
        self.digest = b""  # SHA-256 over the SHA-256 of each chunk, once all are packed
        self._all = hashlib.sha256()
        self._newest = b""
        self._more, self._series = None, 0

    def with_keys(self, more) -> None:
        """Let the readings be every meter's, and the keys of `more` (keyed.KeyChunks) come after them."""
        self._meters = ("",) * len(self._meters)
        self._more, self._series = more, self.chunks
        self.chunks += more.chunks

    def typ(self, seq: int) -> str:
        """Return the type of chunk `seq`, as trust/mhx.py has it."""
        return "mhx-series" if self._more is None or seq < self._series else "mhx-keys"

    def _count(self):
        if self._step_s:
            return (self._stop - self._start) // self._step_s
        count = -1
        at = self._first()
        while at <= self._stop:
            count += 1
            at = self._next(at)
        return max(0, count)

    def _first(self):
        if self._step_s:
            return self._start
        at = self._zone.day_start(self._start) if self._res == "day" else self._zone.month_start(self._start)
        return at if at == self._start else self._next(at)

    def _next(self, at):
        if self._step_s:
            return at + self._step_s
        return self._zone.next_day_start(at) if self._res == "day" else self._zone.next_month_start(at)

    async def pack(self, seq: int) -> "bytes | bytearray":
        """Return the plaintext of chunk `seq`, reading in slices: the next one, or the last one again."""
        packer = None
        present = 0
        if self._more is not None and seq >= self._series:
            chunk = self._more.pack(seq - self._series)
            self._keep_digest(seq, hashlib.sha256(chunk).digest(), 0)
            return chunk
        for turn, entry in enumerate(self._entries(seq)):
            if turn % _SLICE == 0:
                await asyncio.sleep(0)
            if entry is None:
                continue
            if packer is None:
                packer = series.Packer(self._columns, self._step_s, entry.at, entry.values)
                continue
            packer.add(entry)
            present += entry.quality != MISSING
        chunk = packer.close()  # pyright: ignore[reportOptionalMemberAccess] - there is always a base
        self._keep_digest(seq, hashlib.sha256(chunk).digest(), present)
        return chunk

    def _keep_digest(self, seq, digest, present):
        if seq == self.packed:
            self._all.update(digest)
            self._newest = digest
            self.packed += 1
            self.present += present
            if self.packed == self.chunks:
                self.digest = self._all.digest()
        elif seq != self.packed - 1 or digest != self._newest:
            raise HubError("RETRIEVE_FAILED", "seq")

    def _entries(self, seq):
        """Yield the chunk's base and its entries; None for every stored interval between that is not wanted."""
        at = self._first()
        skip = seq * CHUNK
        if self._step_s:
            at += skip * self._step_s
            skip = 0
        left = CHUNK + 1
        for entry in self._profile.read(at, self._stop, self._meters, self._since):
            if entry.at < at:
                yield None
            while left and at <= entry.at:
                if skip:
                    skip -= 1
                    yield None
                else:
                    left -= 1
                    yield self._wanted(at, entry)
                at = self._next(at)
            if not left:
                return

    def _wanted(self, at, entry):
        if self._open is not None and at == self._open.at:
            entry = self._open
        values = tuple([entry.values[i] for i in self._index])
        if entry.at != at or all([value is None for value in values]):  # a day that begins between two interval ends
            return Entry(at, MISSING, (None,) * len(self._index))
        return Entry(at, entry.quality, values)


def check_range(available: "list | None", start: int, stop: int) -> None:
    """Raise HubError OUT_OF_RANGE unless start..stop lies in `available` (IntervalRecorder.have)."""
    if available is None:
        raise HubError("OUT_OF_RANGE", "from")
    if start < available[0]:
        raise HubError("OUT_OF_RANGE", "from")
    if stop > available[1]:
        raise HubError("OUT_OF_RANGE", "to")
