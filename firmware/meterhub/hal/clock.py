"""The hub's clock: Unix seconds, UTC, and how far they can be trusted.

Units    Unix seconds, UTC
Memory   a few numbers; discipline.py is loaded where somebody better than a meter tells the time
Errors   HubError CLOCK_INVALID for a time that cannot be true, CLOCK_JUMP for one that a good clock cannot be off by
Runs on  both

`state`, each giving way to the ones after it:
    unset   nobody has told the time; now() is 0
    net     NTP has, with nothing to hold it against
    cable   who was at the cable has
    meter   the meter's clock is followed, wherever it goes
    kept    it was synchronised, too long ago to be sure
    set     it is synchronised: by a signed message, or by NTP that agrees with one or with the meter

The board's clock is set only by a step: at the first synchronisation, or when a jump is authorised. Everything else is
slewed beside it, a second in two, so that now() never goes back and no interval is torn.
"""

from micropython import const

from ..errors import HubError
from .epoch import EARLIEST, LATEST
from .ticks import now_ms, since

JUMP_S = const(10)  # a synchronised clock is not off by more
_DRIFT_S = const(2)  # a meter tells whole seconds: leave the clock alone while they agree
_SLEW_MS = const(2000)  # for each second of correction: ten seconds are gone in twenty
_SURE_S = const(345600)  # four days: 50 ppm, the most that a board's crystal is off by, make 17 s of it
_MILLION = const(1000000)
_WRAP = const(0x3FFFFFFF)


class Clock:
    """The time of day. board: a hal Board; one whose clock is already synchronised at boot is believed as long as

    it runs. drift_ppm: what the board's clock loses, as measured; 0 before that. meter: (what the meter's clock said
    last, uptime) or None.
    """

    def __init__(self, board, ticks_ms=now_ms) -> None:
        self.board = board
        self._ticks_ms = ticks_ms
        self.state = "set" if board.clock_is_set() else "unset"
        self._is_pc = self.state == "set"  # somebody else keeps the board's clock right
        self.drift_ppm = 0
        self.drifts_from = 0  # the board's time since which drift_ppm counts
        self.ahead_s = 0  # what the board's clock is corrected by, besides the drift
        self.meter = None
        self.synced_up_s = 0  # uptime at the last synchronisation
        self._due_s = 0  # what is still to be slewed
        self._slewed = 0  # ticks when a second of it was last
        self._told = 0  # what now() said last
        self._up_ms = 0
        self._ticked = ticks_ms()
        self._discipline = None

    def uptime_s(self) -> int:
        """Return the seconds since the start: monotonic, whatever becomes of the time. To be asked every few days."""
        ticks = self._ticks_ms()
        self._up_ms += since(ticks, self._ticked)
        self._ticked = ticks
        return self._up_ms // 1000

    def now(self) -> int:
        """Return Unix seconds, 0 while nobody has told the time."""
        up_s = self.uptime_s()
        if self.state == "unset":
            return 0
        if self.state == "set" and not self._is_pc and up_s - self.synced_up_s > _SURE_S:
            self.state = "kept"
        at = self._corrected()
        if 0 < self._told - at <= JUMP_S:
            return self._told  # it is being slowed down
        self._told = at
        return at

    # -- who tells the time ---------------------------------------------------------------------------

    def follow(self, meter_at: int) -> None:
        """Take the time from the meter's clock, unless ours is better or the meter's was never set.

        Of a clock that was synchronised days ago it takes what drift can explain; a jump is not followed then.
        """
        if not EARLIEST <= meter_at < LATEST:
            return
        self.meter = (meter_at, self.uptime_s())
        if self.state == "set":
            return
        off = abs(meter_at - self.aim())
        if self.state == "kept":
            self.discipline().follow(meter_at, off)
        elif self.state != "meter" or off > JUMP_S:
            self.step(meter_at)
            self.state = "meter"
        elif off >= _DRIFT_S:
            self.slew_to(meter_at)

    def tell(self, unix_s: int) -> None:
        """Take the time from who is at the cable; HubError WRONG_STATE when ours was synchronised, CLOCK_INVALID."""
        if self.state in ("set", "kept"):
            raise HubError("WRONG_STATE", "clock")
        if not EARLIEST <= unix_s < LATEST:
            raise HubError("CLOCK_INVALID", "time")
        self.step(unix_s)
        self.state = "cable"

    def discipline(self):
        """Return the Discipline, by which a signed message or NTP sets this clock."""
        if self._discipline is None:
            from .discipline import Discipline  # noqa: PLC0415 - many hubs follow their meter and nobody else

            self._discipline = Discipline(self)
        return self._discipline

    # -- how it is corrected ----------------------------------------------------------------------------

    def aim(self) -> int:
        """Return what the clock would say if it were slewed already."""
        return self._corrected() + self._due_s

    def slew_to(self, at: int) -> None:
        """Let the clock run faster or slower until it says what would be `at` now."""
        self._due_s = at - self._corrected()
        self._slewed = self._ticks_ms()

    def step(self, unix_s: int) -> None:
        """Set the board's clock."""
        self.board.set_time(unix_s)
        self.ahead_s = self._due_s = self._told = 0
        self.drifts_from = unix_s

    def drifted_s(self) -> int:
        """Return what the board's clock has lost by its drift since it counts."""
        return (self.board.time() - self.drifts_from) * self.drift_ppm // _MILLION if self.drift_ppm else 0

    def _corrected(self):
        if self._due_s:
            self._slew_on()
        return self.board.time() + self.ahead_s + self.drifted_s()

    def _slew_on(self):
        steps = min(abs(self._due_s), max(0, since(self._ticks_ms(), self._slewed)) // _SLEW_MS)
        moved = steps if self._due_s > 0 else -steps
        self.ahead_s += moved
        self._due_s -= moved
        self._slewed = (self._slewed + steps * _SLEW_MS) & _WRAP
