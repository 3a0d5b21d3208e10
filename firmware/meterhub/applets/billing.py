"""Private billing: each local day that the household has agreed to becomes a signed batch of commitments, and is sent.

Source   trust/mhx.py (consent, batches on the wire), codec/billing.py (the batch), trust/bill_chain.py (what is kept)
Units    Unix seconds, UTC
Memory   8 KB while a batch of half-hours of import is made, 10 KB with export; loaded then, by billing_desk.py
Errors   OSError from the file system; a receipt that is none is journalled under its name, and changes nothing
Runs on  both

One task: what is due is done, day by day, while the broker can be reached; nothing is made that cannot go out. A batch
is made a slice at a time, with a pause after each so that a line, a pulse or a button goes first, and a rest now and
then, the longer the slower the board. run() returns when nothing is left to be done now, and says when there will be.
"""

import asyncio
import hashlib

from micropython import const

from ..codec import base64url, billing
from ..crypto.steps import slowly
from ..errors import HubError
from ..hal.ticks import now_ms, since
from ..trust import bill_chain, identity, mhx
from . import billed_day

_DAY_S = const(86400)
_SETTLED_S = const(3600)  # what a meter has told while the clock was not set is kept by then
_AGAIN_S = const(60)
_OFFLINE_S = const(600)
_ANSWER_S = const(30)
_SLICES = const(12)  # between two rests
_WORK_TO_REST = const(16)


class Billing:
    """Makes and sends the batches of a hub (app.Hub).

    inbox: applets.mailbox.Mailbox of what claims to be receipts; bucket: applets.bucket.Bucket, of verifications
    """

    answer_s = _ANSWER_S

    def __init__(self, hub, inbox, bucket) -> None:
        self._hub = hub
        self._inbox = inbox
        self._bucket = bucket
        self._chain = bill_chain.Chain(hub.record(bill_chain.RECORD))

    async def run(self) -> int:
        """Do what is due; return when to come again (Unix s), 0 when a batch was sent and its receipt is awaited."""
        hub = self._hub
        consent = hub.consents.bill()
        now = hub.clock.now()
        if consent is None or not now:
            return now + _AGAIN_S
        while await self._receipt(0):
            pass
        try:
            columns = self._look(consent)
        except HubError as err:  # its registers, or the zone, are others now
            hub.journal.add("event", "BILL_CHAIN", err.name + " " + err.field)
            return now + _DAY_S
        due = None
        while due is None:
            due = await self._next_day(consent, columns)
        return due

    async def _next_day(self, consent, columns):
        """Make and send a batch if it can be; return None when its receipt is there, else what run() returns."""
        hub = self._hub
        due = self._due(consent)
        if due:
            return due
        try:
            message = await self._batch(columns)
        except HubError as err:
            if hub.consents.bill() is not consent:
                return 1
            self._end_chain(err.field)
            return None
        if hub.consents.bill() is not consent:  # revoked meanwhile, or renewed
            return 1
        try:
            hub.wan.post("batch", message)
        except HubError:  # no room beside an export
            return hub.clock.now() + _AGAIN_S
        message = None
        return None if await self._receipt(self.answer_s) else 0

    # -- the chain -----------------------------------------------------------------------------------

    def _look(self, consent):
        """See to it that there is a chain of this consent, and that it knows today's tariff; return the columns."""
        hub, chain = self._hub, self._chain
        columns = billed_day.columns_of(hub.profile, hub.zone, consent["regs"])
        if not chain.is_of(consent):
            chain.begin(consent, hub.drbg.read(16), _day(hub.zone, consent["made"]) + 1, hub.profile.meters)
        if not self._note_tariffs():
            self._end_chain("tariffs")
        return columns

    def _note_tariffs(self):
        """Keep what tariffs counted from when on; return whether there was room."""
        hub, chain, found = self._hub, self._chain, []
        from ..store import tariffs  # noqa: PLC0415 - once a day

        for name in (tariffs.IN_FORCE, tariffs.OLD):
            kept = tariffs.load(hub.record(name))
            if kept is not None:
                day = _day(hub.zone, kept.since - 1) + 1  # the first one that began with it
                found.append((day, hashlib.sha256(kept.raw).digest()))
                if day <= chain.open_day:
                    break
        return all([chain.note_tariff(*one) for one in reversed(found)])

    def _end_chain(self, why):
        """Begin another chain: this one cannot go on. A day that cannot be committed to is left out."""
        hub, day = self._hub, self._chain.day
        hub.journal.add("event", "BILL_CHAIN", "ended before day %d: %s" % (day, why))
        first = _day(hub.zone, hub.clock.now()) if why == "tariffs" else day + (why == "growth")
        self._chain.begin(hub.consents.bill(), hub.drbg.read(16), first, hub.profile.meters)

    def _due(self, consent):
        """Return when the next batch can be made, 0 for now."""
        hub, now = self._hub, self._hub.clock.now()
        tomorrow = hub.zone.next_day_start(now)
        end = hub.zone.day_begins(self._chain.day + 1)
        if end > min(now, consent["until"]):
            return tomorrow
        if (hub.profile.last or 0) < end and now < end + _SETTLED_S:
            return now + _AGAIN_S
        if not hub.wan or not hub.wan.is_up or not hub.wan.has_room(mhx.MAX_BATCH):
            return min(tomorrow, now + _OFFLINE_S)
        return 0

    # -- a batch -------------------------------------------------------------------------------------

    async def _batch(self, columns):
        """Return the signed batch of the day that is due; HubError BILL_CHAIN when it cannot be."""
        from ..trust import batches  # noqa: PLC0415 - a look at what is due needs no curve

        hub, chain = self._hub, self._chain
        place, before, links = self._place(columns)
        meters = hub.profile.meters if chain.made is None else chain.made[1].meters
        readings, place, after = await self._read(columns, place, before, meters)
        registers = before.reading or ((0, 0) if len(columns) > 1 else (0, None))
        size = batches.size_of(place, registers, readings)
        out = bytearray(size + billing.SIGNATURE_BYTES)
        day_key = batches.pedersen.day_key(bill_chain.root(hub.identity), chain.id, chain.day)
        who = (hashlib.sha256(hub.identity.public).digest()[:10], chain.id, day_key)
        await self._gently(batches.write_day(out, who, place, links, registers, readings))
        readings = None
        body = memoryview(out)[:size]
        digest = hashlib.sha256(body).digest()
        if chain.made is None:
            chain.keep_made(digest, after, place[2] + place[3])
        elif chain.made[0] != digest:
            raise HubError("BILL_CHAIN", "the profile is another one")
        out[size:] = batches.one_form(await slowly(hub.identity.sign_bytes(body)))
        return out

    def _place(self, columns):
        """Return (billed_day.place(), Before, links) of the day that is due."""
        hub, chain = self._hub, self._chain
        place = billed_day.place(hub.zone, hub.profile.interval_s, chain.day)
        if chain.number not in (0, place[2]):
            raise HubError("BILL_CHAIN", "the day has moved")
        before = chain.before
        if before.at < 0:
            before = billed_day.first_before(hub.profile, columns, place[0], before.meters)
        return place, before, (chain.previous, chain.tariff(chain.day))

    async def _read(self, columns, place, before, meters):
        """Return (readings, place as trust/batches.py has it, Before of the next day)."""
        profile = self._hub.profile
        start, _, first, count = place
        found = await self._gently(billed_day.read(profile, columns, place, before, meters))
        readings, turn, after = found
        late = billed_day.late(before, start, profile.interval_s)
        return readings, (self._chain.day, profile.interval_s, first, count, turn, late), after

    async def _gently(self, steps):
        """Go through `steps`; let every other task run between two slices, and rest now and then."""
        turn, began = 0, now_ms()
        while True:
            try:
                next(steps)
            except StopIteration as stop:
                return stop.value
            turn += 1
            if turn % _SLICES:
                await asyncio.sleep_ms(0)
                continue
            await asyncio.sleep_ms(1 + since(now_ms(), began) // _WORK_TO_REST)
            began = now_ms()

    # -- receipts ------------------------------------------------------------------------------------

    async def _receipt(self, wait_s):
        """Return whether a message came in time; a receipt that is good is carried out."""
        while True:
            payload = await self._inbox.take(1000 if wait_s else 0)
            if payload is not None:
                try:
                    if await self._carry_out(payload) or not wait_s:
                        return True
                except HubError as err:
                    self._hub.journal.foreign(err.name, "batch " + err.field)
                    if not wait_s:
                        return True
            wait_s -= 1
            if wait_s <= 0:
                return False

    async def _carry_out(self, payload):
        """Go on to the next day when it is the receipt of this one's batch; return whether. HubError: it is none."""
        hub, chain = self._hub, self._chain
        try:
            kid, claims = mhx.batched_claims(str(payload, "utf-8"))
        except UnicodeError:
            raise HubError("MALFORMED", "jws")
        digest = base64url.decode(claims["digest"])
        if chain.state is not None and (claims["day"], digest) == (chain.day - 1, chain.previous):
            return False  # of another copy
        self._check(kid, claims, digest)
        if not self._bucket.take():
            raise HubError("RATE_LIMITED", "jws")
        if not await slowly(identity.verify(hub.recipients[kid][1], str(payload, "utf-8"))):
            raise HubError("NOT_AUTHENTIC", "jws")
        self._bucket.give_back()
        self._check(kid, claims, digest)  # it may have been revoked meanwhile
        chain.receipted()
        self._note_used()
        return True

    def _note_used(self):
        """Let the household see that it goes on."""
        consents = self._hub.consents
        consents.bill()["used"] = self._hub.clock.now()
        try:
            consents.keep(consents.all)
        except OSError:  # it is seen with the next one
            pass

    def _check(self, kid, claims, digest):
        hub, chain = self._hub, self._chain
        consent = hub.consents.bill()
        if consent is None or kid != consent["kid"] or kid not in hub.recipients:
            raise HubError("UNKNOWN_RECIPIENT", "kid")
        if claims["hub"] != hub.identity.hub:
            raise HubError("WRONG_HUB", "hub")
        made = chain.made if chain.is_of(consent) else None
        if made is None or claims["day"] != chain.day or made[0] != digest:
            raise HubError("WRONG_REQUEST", "digest")


def _day(zone, at):
    """Return the local day, counted from 1970, that `at` lies in."""
    return (at + zone.offset_s(at)) // _DAY_S
