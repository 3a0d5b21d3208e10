"""Keeps the hub's clock right: asks for signed time at the broker, asks an NTP server, and says what became of it.

Source   trust/orders.py (the signed time), links/ntp.py, hal/discipline.py (what is believed)
Events   "clock set"    it has been synchronised for the first time since the start, or again after days
         CLOCK_JUMP     a source wants it to jump by more than ten seconds; it does not
         CLOCK_INVALID  a source tells a time before 2020 or after 2100
Units    *_ms: ticks
Runs on  the unix port and the boards; NTP is asked over the network that the way to the broker has brought up
Memory   about 1 KB; loaded when there is somebody to ask, or an order that tells the time
"""

import asyncio
import json

from micropython import const

from . import lazy
from .codec import base64url
from .errors import HubError
from .hal.clock import JUMP_S
from .hal.ticks import now_ms, since

_EVERY_S = const(3600)
_AGAIN_S = const(60)
_LOOK_S = const(5)
_ROUND_MS = const(10000)  # the longest round trip: the time that comes is half of it off


class Timekeeper:
    """hub: app.Hub."""

    def __init__(self, hub) -> None:
        self._hub = hub
        self._nonce = ""
        self._asked = 0  # when that was drawn
        self._due_s = 0  # uptime at which signed time is asked for again
        self._refused = ""  # why NTP was not believed last

    # -- the signed time --------------------------------------------------------------------------------

    def nonce(self) -> str:
        """Draw the number that the next signed time must answer; it is good for ten seconds, and once."""
        self._nonce = base64url.encode(self._hub.drbg.read(16))
        self._asked = now_ms()
        return self._nonce

    def take(self, kid: str, claims: dict, arrived_ms: int) -> None:
        """Set the clock by an authentic order that came at `arrived_ms`; HubError when it is not fresh, or a jump."""
        asked, mine = self._asked, self._nonce
        round_ms = since(arrived_ms, asked)
        if not mine or claims["nonce"] != mine:
            raise HubError("REPLAY", "nonce")
        self._nonce = ""
        if not 0 <= round_ms <= _ROUND_MS:
            raise HubError("EXPIRED", "nonce")
        age_ms = round_ms // 2 + since(now_ms(), arrived_ms)
        jump = claims.get("jump") is True
        self._adjust(
            lambda at: self._hub.clock.discipline().set(at, jump), claims["at"] + age_ms // 1000, "signed by " + kid
        )
        self._due_s = self._hub.clock.uptime_s() + _EVERY_S

    def _adjust(self, take, at, who):
        """Hand the time `at` to the clock; journal what is worth it."""
        hub = self._hub
        before, state = hub.clock.now(), hub.clock.state
        off = take(at)
        after = hub.clock.now()
        if hub.clock.state != state or abs(off) > JUMP_S:
            hub.journal.add("security", "clock set", "%s %+d s %s" % (who, off, hub.clock.state))
        if before and abs(after - before) > JUMP_S:
            for meter in hub.meters:
                if meter.intervals is not None:
                    meter.intervals.torn(min(before, after), max(before, after))

    # -- asking -----------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Ask whoever the settings name, every hour, and every minute as long as no good answer comes."""
        hub = self._hub
        server, ntp_due_s = hub.settings.get("time.ntp"), 0
        while True:
            up_s = hub.clock.uptime_s()
            if up_s >= self._due_s and hub.wan is not None and hub.wan.is_up and hub.settings.get("may.time"):
                self._due_s = up_s + _AGAIN_S
                self._ask()
            if server and up_s >= ntp_due_s:
                ntp_due_s = up_s + (_EVERY_S if await self._ask_ntp(server) else _AGAIN_S)
            await asyncio.sleep(_LOOK_S)

    def _ask(self):
        try:
            self._hub.wan.post("time", json.dumps({"nonce": self.nonce()}).encode())
        except HubError:  # the outbox is full: in a minute, then
            pass

    async def _ask_ntp(self, server):
        """Return whether the NTP server was heard, and has told what can be believed."""
        before = lazy.loaded()
        try:
            from .links import ntp  # noqa: PLC0415 - a board without a network has no sockets, and it is seldom needed

            at = await ntp.ask(server, self._hub.drbg)
            self._adjust(self._hub.clock.discipline().check, at, "ntp " + server[:40])
        except (HubError, OSError, ImportError) as err:
            self._refuse(err)
            return False
        finally:
            ntp = None
            lazy.let_go(lazy.loaded() - before)
        self._refused = ""
        return True

    def _refuse(self, err):
        """Journal, once while it lasts, that what NTP tells cannot be taken."""
        name, field = (err.name, err.field) if isinstance(err, HubError) else ("LINK_DOWN", "no answer")
        if name != self._refused:
            self._refused = name
            self._hub.journal.add("event" if name == "LINK_DOWN" else "security", name, "ntp " + field)
