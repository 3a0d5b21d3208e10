"""The market roles' side of the hub: their commands come in, letters go out, what they have set is looked after.

Memory   nothing on a hub that no market role has a key of (Hub.market); each part is loaded when it is needed
Runs on  the unix port and the boards
"""

import json

from micropython import const

from . import lazy
from .errors import StoreError
from .store import files

_LOOK_S = const(5)
_PATIENCE_S = const(120)  # how long a meter may take to say who it is
_FIRST_S = const(300)
_HOUR_S = const(3600)
_NEVER_S = const(0x3FFFFFFF)


class Market:
    """hub: app.Hub. staged_at, schedules_at: when the next staged command, the next report of a schedule is due,

    0 for never. alerted: for what the owner was told lately (command_desk.py): reason -> until when that is enough
    (uptime).
    """

    def __init__(self, hub) -> None:
        self._hub = hub
        self._desk = None
        self._activating = False
        self._letters = None  # letterbox.Letterbox
        self.staged_at = 0
        self.schedules_at = 0
        self._reporting = False
        self.alerted = {}
        self._look_at = 0  # uptime when it is looked whether somebody must get to know of this hub
        self._seen_at = 0  # the time that tick() was told last
        self._seen = None  # what it was when that was done last
        self._health_at = _FIRST_S
        self._warned = []

    @property
    def letters(self):
        """Who writes to the roles (letterbox.Letterbox), while there is anything to keep for them."""
        if self._letters is None:
            from .letterbox import Letterbox  # noqa: PLC0415 - most hubs have nobody to write to

            self._letters = Letterbox(self._hub)
        return self._letters

    def start(self) -> None:
        """Take up what the last power cut has left: the hub knows by now who it is."""
        if self._hub.strict_record("roles").is_there():
            self._with_letters()
        if self._hub.identity is not None and self._hub.record("schedules").is_there():
            before = self._with_letters()
            from . import schedule_runner  # noqa: PLC0415 - most hubs have no schedule

            self.schedules_at = schedule_runner.settle(self._hub)
            schedule_runner = None
            lazy.let_go(lazy.loaded() - before - lazy.parts(("store.letters",)))
        if self._hub.identity is not None and self._hub.strict_record("commands").is_there():
            try:
                self.commands().settle()
                self._find_staged()
            except StoreError as err:
                self._hub.journal.add("security", "INTEGRITY_FAILED", err.args[0][-60:])
        if self._hub.identity is not None:
            raw = self._hub.record("diagnosis").load()
            if raw and json.loads(raw)["job"] is not None:
                self.diagnose()

    def _with_letters(self):
        """Return what is loaded, the letters among it: they stay when what uses them is let go."""
        return lazy.loaded() if self.letters is not None else set()

    def _find_staged(self):
        from . import command_desk  # noqa: PLC0415 - loaded by now

        known = command_desk.staged(self._hub.strict_record("staged"))
        self.staged_at = known[0][7] if known else 0

    def commands(self):
        """Return the command desk, loaded with the first command."""
        if self._desk is None:
            before = self._with_letters()
            from .command_desk import CommandDesk  # noqa: PLC0415 - a hub may never get one

            self._desk = CommandDesk(self._hub)
            modules = lazy.loaded() - before
            self._hub.start("commands", lambda: self._serve(modules))
        return self._desk

    async def _serve(self, modules):
        await self._desk.run()  # pyright: ignore[reportOptionalMemberAccess]
        self._desk = None
        if self._hub.export is None:
            lazy.let_go(modules)

    def decided(self, notice: dict, decision: str) -> None:
        """Tell the service of a notice, and who asked, what the household has decided (notices.py)."""
        if notice["service"]:  # else it was the hub's own
            try:
                self.commands().decided(notice, decision)
            except StoreError as err:  # the counters are lost: nobody can be told
                self._hub.journal.foreign("INTEGRITY_FAILED", err.args[0][-60:])

    def failed(self, kid: str, claims: dict, name: str) -> None:
        """The answer to a command could not be sent, or was not received: whom that concerns besides hears of it."""
        if claims["kind"] == "answer":
            try:
                self.commands().failed(kid, claims, name)
            except StoreError as err:  # the counters are lost: letters go on
                self._hub.journal.foreign("INTEGRITY_FAILED", err.args[0][-60:])

    def name(self, kid: str) -> str:
        """Return the name of the key `kid` as the household knows it; "" for none."""
        entry = self.letters.entry(kid)
        return entry[3] if entry else ""

    def take(self, payload: bytes) -> None:
        """Take what claims to be a command."""
        if self._hub.identity is None:
            self._hub.journal.foreign("INTEGRITY_FAILED", "identity")
            return
        try:
            self.commands().post(payload)
        except StoreError as err:  # what was done already is not known: nothing more is
            self._hub.journal.foreign("INTEGRITY_FAILED", err.args[0][-60:])

    def tick(self, now: int) -> bool:
        """Do what time brings; once a second. Return whether there is anything that a new one would not know."""
        if self.staged_at and now >= self.staged_at and not self._activating:
            self._activating = True
            self._hub.start("staged", self._activate)
        if now:
            if now < self._seen_at - _LOOK_S and self.schedules_at:
                self.schedules_at = 1  # the clock was ahead
            self._seen_at = now
        if self.schedules_at and now >= self.schedules_at and now and not self._reporting:
            self._reporting = True
            self._hub.start("schedules", self._report)
        if self._hub.wan is not None and self._hub.wan.is_up and self._has_letters():
            self.letters.deliver()
            up_s = self._hub.clock.uptime_s()
            if up_s >= self._look_at:
                self._look(up_s)
        if self._letters is not None and self._letters.is_idle and self._desk is None:
            self._letters = None
            lazy.let_go(lazy.parts(("letterbox",)))
        up_s = self._hub.clock.uptime_s()
        told = [reason for reason, until in self.alerted.items() if until > up_s]
        busy = self._desk is not None or self.staged_at or self.schedules_at or told
        return bool(busy) or self._has_letters()

    def _has_letters(self):
        return self._letters is not None or files.exists(self._hub.board.data_dir + "/letters")

    # -- what an administrator looks after (upkeep.py) ---------------------------------------------------------------

    def upkeep(self):
        """Return the module upkeep: a service reaches registration, health and diagnosis by it."""
        from . import upkeep  # noqa: PLC0415 - seldom

        return upkeep

    def look_again(self) -> None:
        """Keys or hardware have changed: somebody may have to be told."""
        self._seen = None
        self._look_at = 0

    def rest(self) -> None:
        """Look no more before the restart: what is set on flash is not what is set in memory."""
        self._look_at = _NEVER_S

    def diagnose(self) -> None:
        """Carry out the diagnosis that is in its record."""
        self._hub.start("diagnosis", lambda: self.upkeep().diagnose(self._hub))

    def _look(self, up_s):
        """See whether somebody must get to know of this hub, and once an hour how well it is."""
        self._look_at = up_s + _LOOK_S
        meters = self._hub.meters
        if self._letters is None or self._letters.roles() is None:
            return
        state = [self._letters.roles()] + [meter.serial for meter in meters]
        before = lazy.loaded()
        heard = up_s >= _PATIENCE_S or all([meter.telegrams for meter in meters])
        if heard and state != self._seen and self.upkeep().introduce(self._hub):
            self._seen = state
        if up_s >= self._health_at:
            self._health_at = up_s + _HOUR_S
            self._warned = self.upkeep().check_health(self._hub, self._warned)
        lazy.let_go(lazy.loaded() - before)

    async def _activate(self):
        await self.commands().activate()
        self._activating = False  # not before: who has failed is started again

    async def _report(self):
        self.commands()  # it is what reads
        before = lazy.loaded()
        from . import schedule_runner  # noqa: PLC0415 - let go until the next report is due

        modules = lazy.loaded() - before
        await schedule_runner.run(self._hub)
        schedule_runner = None
        lazy.let_go(modules)
        self._reporting = False  # not before: who has failed is started again
