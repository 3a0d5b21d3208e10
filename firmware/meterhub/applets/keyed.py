"""The keys of the days of an export's range: with them the customer's side opens what the batches commit to.

Source   trust/mhx.py (the chunk "mhx-keys"), codec/billing.py (day keys), trust/bill_chain.py (which chain)
Units    Unix seconds, UTC
Runs on  both

Only days that lie within the range as a whole, and that are this tenant's: a day's key is all of its readings.
"""

import hashlib

from ..codec import billing
from ..crypto.pedersen import day_key
from ..trust import bill_chain
from ..trust.mhx import KEYS_OF_CHUNK

_DAY_S = 86400
# what this file loads, and it; who is done with it may let it go
PARTS = ("applets.keyed", "codec.billing", "crypto.pedersen", "crypto.pedersen_tables", "trust.bill_chain")


class KeyChunks:
    """Keys of one chain's days on end. found: bill_chain.Chain.within(), or None"""

    def __init__(self, hub, found: "tuple | None") -> None:
        self._root = bill_chain.root(hub.identity)
        self._hub = hashlib.sha256(hub.identity.public).digest()[:10]
        self._chain, self._first, last = found or (b"", 0, -1)
        self.days = last - self._first + 1
        self.chunks = -(-self.days // KEYS_OF_CHUNK)

    def pack(self, number: int) -> bytes:
        """Return the plaintext of the chunk `number`, counted from 0."""
        first = self._first + number * KEYS_OF_CHUNK
        count = min(KEYS_OF_CHUNK, self.days - number * KEYS_OF_CHUNK)
        keys = [day_key(self._root, self._chain, first + i) for i in range(count)]
        return billing.pack_keys(self._hub, self._chain, first, keys)


def days_of(hub, start: int, stop: int) -> KeyChunks:
    """Return the keys of a hub (app.Hub) for the local days that lie within start .. stop."""
    zone = hub.zone
    start = max(start, hub.profile.since)
    first = (start + zone.offset_s(start) + _DAY_S - 1) // _DAY_S
    if zone.day_begins(first) < start:
        first += 1
    last = (stop + zone.offset_s(stop)) // _DAY_S - 1
    if zone.day_begins(last + 1) > stop:
        last -= 1
    return KeyChunks(hub, bill_chain.Chain(hub.record(bill_chain.RECORD)).within(first, last))
