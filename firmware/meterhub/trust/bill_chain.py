"""Where the chain of a hub's daily batches stands, and the keys of its days: private billing through power cuts.

Source   this file; codec/billing.py (batch, day keys), mhx.py (how batches travel)
Units    Unix seconds, UTC; Wh; days as in codec/billing.py
Memory   1 KB while it is looked at
Errors   OSError from the file system: nothing has changed. What the record does not hold whole begins as a new chain
Runs on  both

No batch and no key is stored. A key follows from a secret that only the hub has, and from the chain's random id; a
batch is made again from the load profile. What is saved is what a batch begins with, and the digest of one that may
have gone out: before it does. So two batches of one day and chain never have different commitments.

Format   JSON in the two-slot record "bill-chain"; ids and digests in base64url:
         {v: 1, mark: of the consent (consents.py), kid, sub: likewise, chain, first: its first day, day: the first one
         that is not receipted, number: that of its first interval, 0 while none is receipted, previous: the digest of
         the batch before, before: Before, tariffs: [[from which day, digest], ...],
         made: null, or [digest, Before after it, number after it] of the batch of `day`,
         old: [[chain, first day, last day], ...] of this account that have ended}
"""

import json
from collections import namedtuple

from micropython import const

from ..codec import base64url

RECORD = "bill-chain"
_OLD = const(4)
_TARIFFS = const(16)
_LABEL = b"mhb1 root"
_NO_TARIFF = bytes(32)

# What a day's batch begins with. reading: (import, export) Wh or None while there was none, export None without such
# a register; at: when it was read, 0: never, -1: nobody has looked; meters: the ids of those that the columns were of
Before = namedtuple("Before", ("reading", "at", "meters"))


class Chain:
    """The chain in `record` (store.record.Record). state: as in Format, None before the first one."""

    def __init__(self, record) -> None:
        self._record = record
        raw = record.load()
        found = json.loads(raw) if raw else None
        self.state = found if found and found.get("v") == 1 else None

    def is_of(self, consent: dict) -> bool:
        """Return whether it was begun under this consent to billing, or under one that this has renewed."""
        return self.state is not None and self.state["mark"] == consent["mark"]

    def begin(self, consent: dict, chain: bytes, day: int, meters: tuple) -> None:
        """Begin a new chain: `day` will be its first. chain: 16 random bytes; meters: the ids of those there are"""
        old, account = [], (consent["kid"], consent["sub"])
        last = self.state
        if last is not None and (last["kid"], last["sub"]) == account:
            made = last["day"] - (last["made"] is None)
            old = last["old"] + ([[last["chain"], last["first"], made]] if made >= last["first"] else [])
        tariffs = last["tariffs"] if last is not None and self.is_of(consent) else []
        tariffs = tariffs if len(tariffs) < _TARIFFS else []
        state = {"v": 1, "mark": consent["mark"], "kid": account[0], "sub": account[1], "first": day, "day": day}
        state.update({"chain": base64url.encode(chain), "number": 0, "previous": base64url.encode(bytes(32))})
        state.update({"before": [None, -1, list(meters)], "tariffs": tariffs, "made": None, "old": old[-_OLD:]})
        self._keep(state)

    @property
    def day(self) -> int:
        """The first day whose batch the recipient does not have."""
        return self.state["day"]  # pyright: ignore[reportOptionalSubscript]

    @property
    def id(self) -> bytes:
        """The chain's id."""
        return base64url.decode(self.state["chain"])  # pyright: ignore[reportOptionalSubscript]

    @property
    def number(self) -> int:
        """The number that the first interval of `day` must have; 0: any."""
        return self.state["number"]  # pyright: ignore[reportOptionalSubscript]

    @property
    def previous(self) -> bytes:
        """The digest of the batch before."""
        return base64url.decode(self.state["previous"])  # pyright: ignore[reportOptionalSubscript]

    @property
    def before(self) -> Before:
        """What the batch of `day` begins with."""
        return _before(self.state["before"])  # pyright: ignore[reportOptionalSubscript]

    @property
    def made(self) -> "tuple | None":
        """Of the batch of `day`: (digest, Before of the next one, its first number), None before it was made."""
        made = self.state["made"]  # pyright: ignore[reportOptionalSubscript]
        return None if made is None else (base64url.decode(made[0]), _before(made[1]), made[2])

    def keep_made(self, digest: bytes, after: Before, number: int) -> None:
        """Note the batch of `day`: it goes out from now on, and no other one will."""
        self._change({"made": [base64url.encode(digest), list(after), number]})

    def receipted(self) -> None:
        """The recipient has the batch of `day`: on to the next one."""
        state = self.state
        digest, after, number = state["made"]  # pyright: ignore[reportOptionalSubscript]
        done = state["day"]  # pyright: ignore[reportOptionalSubscript]
        change = {"day": done + 1, "previous": digest, "before": after, "number": number, "made": None}
        tariffs = state["tariffs"]  # pyright: ignore[reportOptionalSubscript]
        while len(tariffs) > 1 and tariffs[1][0] <= done + 1:
            tariffs = tariffs[1:]
        change["tariffs"] = tariffs
        self._change(change)

    # -- tariffs -----------------------------------------------------------------------------------------

    def tariff(self, day: int) -> bytes:
        """Return the digest of the tariff in force when a day began, zeros for none."""
        found = _NO_TARIFF
        for since, digest in self.state["tariffs"]:  # pyright: ignore[reportOptionalSubscript]
            if since <= day:
                found = base64url.decode(digest)
        return found

    @property
    def open_day(self) -> int:
        """The first day of which no batch has been made."""
        return self.day + (self.made is not None)

    def note_tariff(self, day: int, digest: bytes) -> bool:
        """Note which tariff is in force from a day on, or from open_day; return False when there is no room for it."""
        tariffs = self.state["tariffs"]  # pyright: ignore[reportOptionalSubscript]
        one = [max(day, self.open_day), base64url.encode(digest)]
        if tariffs and (one[0] < tariffs[-1][0] or one[1] == tariffs[-1][1]):
            return True
        kept = [noted for noted in tariffs if noted[0] < one[0]]
        if len(kept) >= _TARIFFS:
            return False
        self._change({"tariffs": kept + [one]})
        return True

    # -- keys --------------------------------------------------------------------------------------------

    def within(self, first: int, last: int) -> "tuple | None":
        """Return (chain's id, first day, last day) of the newest chain with batches of the days first .. last."""
        state = self.state
        if state is None:
            return None
        newest = [state["chain"], state["first"], state["day"] - (state["made"] is None)]
        for chain, begins, ends in [newest] + list(reversed(state["old"])):
            found = (base64url.decode(chain), max(first, begins), min(last, ends))
            if found[1] <= found[2]:
                return found
        return None

    # -- the record --------------------------------------------------------------------------------------

    def _change(self, fields):
        state = dict(self.state)  # pyright: ignore
        state.update(fields)
        self._keep(state)

    def _keep(self, state):
        self._record.save(json.dumps(state).encode())
        self.state = state


def _before(kept):
    reading, at, meters = kept
    return Before(None if reading is None else tuple(reading), at, tuple(meters))


def root(identity) -> bytes:
    """Return the secret from which all keys of a hub's chains follow. identity: identity.Identity"""
    return identity.derived_key(_LABEL)
