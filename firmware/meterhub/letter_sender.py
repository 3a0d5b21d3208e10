"""Sends the letters that wait, each again and again until its receipt is there.

Source   trust/letter.py (the messages); ETSI TR 102 691: an entity must get to know that a confirmation was not
         received: tried again after 30 s, 2 min, 10 min, 1 h, then daily, for 14 days
Units    seconds of the hub's uptime
Memory   3 KB, and 12 KB for a moment while a letter is signed and sealed; 60 bytes for each letter that was sent
Errors   NOT_RECEIVED is journalled once when the first time is over, and once more when a letter is given up
Runs on  both
"""

import asyncio
import json

from micropython import const

from . import lazy
from .codec import base64url
from .crypto.equal import equal
from .crypto.steps import slowly
from .errors import HubError
from .trust import identity

_WAITS_S = (30, 120, 600, 3600)
_DAY_S = const(86400)
_GIVEN_UP_S = const(1209600)
_MAX_RECEIPT = const(256)
_IN_FLIGHT = const(4)

_DUE, _TRIES, _KEY = 0, 1, 2


class Sender:
    """Sends for `hub` (app.Hub), by its letterbox `box` (letterbox.Letterbox), what is in `store` (store.letters)."""

    waits_s = _WAITS_S

    def __init__(self, hub, box, store) -> None:
        self._hub = hub
        self._box = box
        self._store = store
        self._sent = {}  # number -> [when it is due again, how often it was sent, key of its receipt]
        self._work = asyncio.Event()

    def wake(self) -> None:
        """There may be something new to send."""
        self._work.set()

    def at_once(self, number: int) -> None:
        """Send a letter again without waiting for its time."""
        if number in self._sent:
            self._sent[number][_DUE] = 0
        self.wake()

    async def run(self) -> None:
        """Send until nothing waits or the WAN is down."""
        hub = self._hub
        while hub.wan.is_up and self._store.waiting():
            number = self._next()
            if number:
                await self._send(number)
                continue
            self._work.clear()
            try:
                await asyncio.wait_for(self._work.wait(), 1)
            except asyncio.TimeoutError:
                pass

    def _next(self):
        """Return the number of the letter that is due, 0 when none is."""
        now = self._hub.clock.uptime_s()
        young = [n for n, one in self._sent.items() if one[_TRIES] == 1 and one[_DUE] > now]
        young = [self._store.kid(n) for n in young]
        for number in self._store.waiting():
            state = self._sent.get(number)
            if state is None:
                if young.count(self._store.kid(number)) < _IN_FLIGHT:  # who never answers holds nobody else up
                    return number
            elif state[_DUE] <= now:
                return number
        return 0

    async def _send(self, number):
        hub = self._hub
        found = self._store.read(number)
        entry = self._box.reader(found[0]) if found else None
        state = self._sent.setdefault(number, [0, 0, b""])
        if found is None or entry is None or self._is_over(found[1], number, state):
            if found is not None:
                self._store.remove(number)
            del self._sent[number]
            return
        kid = found[0]
        token, state[_KEY] = await sealed(hub, entry, number, found)
        try:
            hub.wan.post("role-" + kid, token)
        except HubError:  # no room beside an export: the letter is sent again
            state[_DUE] = hub.clock.uptime_s() + 2
            return
        self._note_tried(number, found, state)
        self._box.charge(kid, 1, len(token), 0, 0, 0)

    def _note_tried(self, number, found, state):
        tries = state[_TRIES]
        state[_DUE] = self._hub.clock.uptime_s() + (self.waits_s[tries] if tries < len(self.waits_s) else _DAY_S)
        state[_TRIES] = tries + 1
        if tries == 1:
            self._hub.journal.add("event", "NOT_RECEIVED", "letter %d to %s" % (number, found[0]))
            self._hub.market.failed(found[0], json.loads(found[2]), "NOT_RECEIVED")

    def _is_over(self, at, number, state):
        """Return whether a letter has waited for too long, and say so."""
        now = self._hub.clock.now()
        if not at or not now or now < at + _GIVEN_UP_S or not state[_TRIES]:
            return False
        self._hub.journal.add("event", "NOT_RECEIVED", "letter %d given up" % number)
        return True

    def received(self, payload: bytes) -> None:
        """Take what claims to be a receipt: the letter is done with."""
        try:
            number, mac = _receipt(payload)
        except HubError as err:
            self._hub.journal.foreign(err.name, "receipt " + err.field)
            return
        state = self._sent.get(number)
        if state is None or not state[_KEY]:
            if number not in self._store.waiting() and 0 < number <= self._store.last:
                return  # received before, and said again
            self._hub.journal.foreign("REPLAY", "receipt n")
            return
        before = lazy.loaded()
        from .trust import letter  # noqa: PLC0415

        good = equal(letter.received_mac(state[_KEY], number), mac)
        letter = None
        if self._hub.export is None:
            lazy.let_go(lazy.parts(("trust.letter",)) - before)
        if not good:
            self._hub.journal.foreign("NOT_AUTHENTIC", "receipt mac")
            return
        del self._sent[number]
        self._store.remove(number)
        self.wake()


async def sealed(hub, entry, number, found) -> tuple:
    """Return (letter, key of its receipt) of what the letterbox keeps: found (kid, at, content); entry: the key's."""
    kid, at, content = found
    claims = {"v": 1, "hub": hub.identity.hub, "to": kid, "n": number, "at": at, "clock": hub.clock.state}
    claims.update(json.loads(content))
    before = lazy.loaded()
    from .trust import letter  # noqa: PLC0415 - let go again, with all that seals

    try:
        token = await slowly(hub.identity.sign("mhc-letter", claims))
        return await slowly(letter.seal(token, base64url.decode(entry[2]), hub.drbg))
    finally:
        brief = identity.SIGNING + letter.SEALING + ("trust.letter",)
        letter = None
        if hub.export is None:
            lazy.let_go(lazy.parts(brief) - before)


def _receipt(payload):
    """Return (number, mac) of a receipt; HubError when it is none."""
    if len(payload) > _MAX_RECEIPT:
        raise HubError("OVERSIZED", "message")
    try:
        found = json.loads(payload)
    except (ValueError, UnicodeError):
        raise HubError("MALFORMED", "message")
    if not isinstance(found, dict) or not isinstance(found.get("n"), int) or not isinstance(found.get("mac"), str):
        raise HubError("MALFORMED", "message")
    mac = base64url.decode(found["mac"])
    if len(mac) != 16:
        raise HubError("MALFORMED", "mac")
    return found["n"], mac
