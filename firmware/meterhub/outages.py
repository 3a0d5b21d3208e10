"""Outages of the supply, as a hub without battery sees them: from the last heartbeat to the next start.

Events   "supply restored", "supply restored 3 min" (outage_log.py, and how they are counted):
         START-END SECONDS s estimated short|long clock STATE [planned REF]; an alert to DNO and SUP
Units    Unix seconds, UTC. An outage is estimated: it began up to one heartbeat (outage.heartbeat_s) later.
Memory   a few numbers
Runs on  the unix port and the boards

A restart that was meant is no outage, nor is a reset that a board's memory has survived. The end is known as soon as
the time is; if the supply goes again before that, what follows counts as the same outage.
"""

from micropython import const

from . import lazy
from .store import heartbeat

_LATE_S = const(3)  # a beat waits so long for a telegram to have come: a flash write may tear the next one


class Outages:
    """hub: app.Hub. To be made at the start, before the first beat."""

    def __init__(self, hub) -> None:
        self._hub = hub
        self._path = hub.board.data_dir + "/heartbeat"
        self.record = hub.record("outages")  # outage_log.py's
        self._period_s = hub.settings.get("outage.heartbeat_s")
        self._beaten = -self._period_s  # uptime
        found = heartbeat.read(self._path)
        kept = heartbeat.unpack(hub.kept.get("beat"))
        went_on = kept is not None and (found is None or kept.at >= found.at)
        # when the supply went, until it is known when it came back
        self._from = found.at if found is not None and found.kind == heartbeat.BEAT and not went_on else 0

    def beat(self, waits: bool = False) -> None:
        """Note that the hub is alive, when it is time to. waits: a telegram may be under way."""
        hub = self._hub
        up_s = hub.clock.uptime_s()
        if up_s - self._beaten < self._period_s + (_LATE_S if waits else 0):
            return
        now = hub.clock.now()
        if now and not self._from:
            self._beaten = up_s
            self._write(heartbeat.BEAT, now)

    def restarting(self) -> None:
        """The hub is about to restart, and means to."""
        if self._hub.clock.now() and not self._from:
            self._write(heartbeat.RESTART, self._hub.clock.now())

    def _write(self, kind, at):
        raw = heartbeat.pack(kind, at)
        self._hub.kept.put("beat", raw)
        try:
            heartbeat.write(self._path, raw)
        except OSError as err:  # a full flash must not stop the housekeeping
            self._hub.journal.add("event", "RECORD_FAILED", "heartbeat %s" % (err.args[:1],))
            self._beaten += 3600

    @property
    def is_open(self) -> bool:
        """Whether there was an outage, and nobody has told the time yet by which it has ended."""
        return bool(self._from)

    def in_log(self, work):
        """Return work(outage_log), which is loaded for that."""
        before = lazy.loaded()
        from . import outage_log  # noqa: PLC0415 - seldom

        try:
            return work(outage_log)
        finally:
            outage_log = None
            lazy.let_go(lazy.loaded() - before)

    # -- after a start ------------------------------------------------------------------------------------

    def look(self) -> None:
        """Settle the outage that the start has ended, as soon as the time is known."""
        clock = self._hub.clock
        if not self._from or not clock.now():
            return
        start, end = self._from, clock.now() - clock.uptime_s()
        if end < start:
            if clock.state != "set":
                return  # the meter may still be telling its past
            self._hub.journal.add("event", "CLOCK_INVALID", "heartbeat %d s ahead" % (start - end))
        else:
            self._settle(start, end)
        self._from = 0

    def planned(self, claims: dict) -> bytes:
        """Return what `record` would hold with an announced outage (outage_log.planned)."""
        return self.in_log(lambda log: log.planned(self.record, claims, self._hub.clock.now()))

    def forget(self, ref: str) -> None:
        """Take the announcement of an outage back."""
        self.in_log(lambda log: log.forget(self.record, ref))

    def _settle(self, start, end):
        hub = self._hub
        for meter in hub.meters:
            if meter.intervals is not None:
                meter.intervals.torn(start, end)
        self.in_log(lambda log: log.settle(hub, start, end))
