"""The hub makes a bill and its proof itself, by a time-of-use tariff, for the recipient of its batches.

Source   trust/linear_proof.py (how), codec/bill.py (bill and proof), trust/mhx.py (request and chunk)
Units    Unix seconds, UTC; days counted from 1970, local
Memory   a day's readings, the packed tariff, the bill
Errors   HubError: what linear_proof.py and bills_made.py refuse; MALFORMED; OUT_OF_RANGE "from" for what was before
         the tenancy; INVALID_VALUE "from" "to" for what is no local day's beginning, "tariff.other" where the hub had
         another one in force; NOT_AVAILABLE "chain" for days of which this account has no batches of one chain;
         RECORD_FAILED "bills"
Runs on  both

A request is one for data with what = "proof": regs are those of the consent to billing, res is "half-hour", and
  tariff   the signed tariff (codec/bill.py), base64url: as much of it as a message has room for, 700 bytes or so
  batches  SHA-256 of the digests of the period's batches, one after the other: 32 bytes, base64url
  nonce    16 bytes, base64url, of whoever is to verify the bill
It goes as data do, PIN and all: one chunk, typ "mhx-bill", as linear_proof.py hands out a bill and its proof. Consent:
the one to billing. That a tariff is its supplier's own is for the verifier to see: the bill says by which it is.

The readings before the period are looked at for eight days back, or from the chain's beginning, to know what the first
interval begins with, as applets/billed_day.py does it from day to day.
"""

import asyncio
import hashlib

from micropython import const

from ..codec import base64url
from ..codec import bill as forms
from ..codec.rates import Rates
from ..crypto.pedersen import day_key
from ..errors import HubError
from ..store import tariffs
from ..trust import bill_chain, mhx
from ..trust.bills_made import BillsMade
from ..trust.linear_proof import LinearBill
from . import billed_day

_DAY_S = const(86400)
_BACK = const(8)  # days
_SLICES = const(12)  # between two pauses
_PAUSE_MS = const(20)


class BillStream:
    """The one chunk of a request by recipient `kid`; like stream.Stream.

    hub: app.Hub; claims: of the request, whose structure is right
    """

    chunks = 1

    def __init__(self, hub, kid: str, claims: dict) -> None:
        self._hub = hub
        self._claims = claims
        self._signed = forms.tariff_of(base64url.decode(mhx.text(claims, "tariff", mhx.MAX_MESSAGE)))
        self._digest = mhx.binary(claims, "batches", 32)
        self._nonce = mhx.binary(claims, "nonce", 16)
        self._columns = billed_day.columns_of(hub.profile, hub.zone, claims["regs"])
        self._first, self._last = _day_of(hub.zone, claims["from"], "from"), _day_of(hub.zone, claims["to"], "to") - 1
        if claims["from"] < hub.profile.since:
            raise HubError("OUT_OF_RANGE", "from")
        chain = bill_chain.Chain(hub.record(bill_chain.RECORD))
        found = chain.within(self._first, self._last)
        if found is None or found[1:] != (self._first, self._last) or not _is_of(chain, kid, claims["sub"]):
            raise HubError("NOT_AVAILABLE", "chain")
        self._chain, self._begins = found[0], chain.within(0, self._last)[1]  # pyright: ignore[reportOptionalSubscript]
        self._bills = BillsMade(hub.strict_record("bills"))
        bill = self._begin()
        self._check_in_force(bill.tariff)
        self._bills.check(claims["from"], claims["to"], bill.tariff)
        self.entries = self.present = (claims["to"] - claims["from"]) // hub.profile.interval_s
        self.packed = 0
        self.digest = b""  # SHA-256 over the SHA-256 of the chunk
        self._chunk = b""

    def typ(self, seq: int) -> str:
        """Return the type of a chunk."""
        return "mhx-bill"

    def _begin(self):
        hub, claims = self._hub, self._claims
        public = hashlib.sha256(hub.identity.public).digest()[:10]
        period = (claims["from"], claims["to"], hub.profile.interval_s)
        return LinearBill(public, self._chain, self._signed, *(period + (len(self._columns) > 1,)))

    def _check_in_force(self, digest):
        """Refuse a tariff where the hub itself had another one in force within the period."""
        for name in (tariffs.IN_FORCE, tariffs.OLD):
            kept = tariffs.load(self._hub.record(name))
            if kept is None:
                return
            if kept.since < self._claims["to"] and hashlib.sha256(kept.raw).digest() != digest:
                raise HubError("INVALID_VALUE", "tariff.other")
            if kept.since <= self._claims["from"]:
                return

    async def pack(self, seq: int) -> bytes:
        """Return the chunk, made in slices: it comes as it was when it is asked for again."""
        if not self._chunk:
            bill = self._begin()
            await self._days(bill)
            made = await _gently(bill.finish(self._digest, self._nonce, self._hub.drbg))
            try:  # before it leaves
                self._bills.add(self._claims["from"], self._claims["to"], bill.tariff, self._hub.profile.first or 0)
            except OSError:
                raise HubError("RECORD_FAILED", "bills")
            self._chunk = made
            self.packed = 1
            self.digest = hashlib.sha256(hashlib.sha256(made).digest()).digest()
        return self._chunk

    async def _days(self, bill):
        """Let the bill have each day of the period, as it was committed to."""
        hub, columns = self._hub, self._columns
        profile, zone = hub.profile, hub.zone
        root = bill_chain.root(hub.identity)
        day, before = self._before()
        while day <= self._last:
            place = billed_day.place(zone, profile.interval_s, day)
            start, _, number, count = place
            readings, turn, after = await _gently(billed_day.read(profile, columns, place, before, profile.meters))
            if day >= self._first:
                late = billed_day.late(before, start, profile.interval_s)
                registers = before.reading or ((0, 0) if len(columns) > 1 else (0, None))
                of_day = (day, profile.interval_s, number, count, turn, late)
                await _gently(bill.day(day_key(root, self._chain, day), of_day, registers, readings))
            before = after
            day += 1

    def _before(self):
        """Return (a day to begin with, what it begins with)."""
        profile = self._hub.profile
        for day in (max(self._begins, self._first - _BACK), self._begins):
            for meters in (profile.eldest_meters(), profile.meters):
                start = self._hub.zone.day_begins(day)
                before = billed_day.first_before(profile, self._columns, start, meters)
                if before.reading is not None:
                    return day, before
        return self._begins, before


def told(claims: dict) -> str:
    """Return what a request's bill would show, in 21 characters: of a tariff that BillStream has accepted."""
    rates = Rates(forms.tariff_of(base64url.decode(claims["tariff"])).raw)
    bands, paid = min(rates.bands, 6), min(rates.exports, 6) if len(claims["regs"]) > 1 else 0
    if paid:
        return "fee+income: %d totals" % (bands + paid)
    return "fee: at most %d total%s" % (bands, "s" if bands > 1 else "")


def _is_of(chain, kid, sub):
    """Return whether a chain is an account's own."""
    return (chain.state["kid"], chain.state["sub"]) == (kid, sub)


def _day_of(zone, at, field):
    """Return the local day that begins at `at`."""
    day = (at + zone.offset_s(at)) // _DAY_S
    if zone.day_begins(day) != at:
        raise HubError("INVALID_VALUE", field)
    return day


async def _gently(steps):
    """Go through `steps`; let every other task run between two slices, and have a pause now and then."""
    turn = 0
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value
        turn += 1
        await asyncio.sleep_ms(0 if turn % _SLICES else _PAUSE_MS)
