"""How a clock (clock.py) is synchronised: what is believed of signed messages and of NTP, and how drift is measured.

A jump of more than ten seconds is refused unless who has signed it says so. Of a clock that nobody has synchronised
for more than four days as much more is believed as drift may have made: 100 ppm.

Between synchronisations a day or more apart the board's drift is measured; from then on it is compensated.

Units    Unix seconds, UTC; *_ppm: seconds in a million
Errors   HubError CLOCK_INVALID, CLOCK_JUMP; nothing changes
Runs on  both
"""

from micropython import const

from ..errors import HubError
from .clock import JUMP_S
from .epoch import EARLIEST, LATEST

_DRIFT_S = const(2)
_WORST_PPM = const(100)  # what a clock may have drifted by that was not synchronised for longer
_MOST_PPM = const(500)  # more is no drift
_BASELINE_S = const(86400)  # a second's rounding at its ends is 12 ppm
_ANEW_S = const(604800)
_MILLION = const(1000000)
_FRESH_S = const(120)  # the meter's clock is good for a comparison so long after a telegram
_SYNCHRONISED = const(("set", "kept"))


class Discipline:
    """clock: a clock.Clock."""

    def __init__(self, clock) -> None:
        self._clock = clock
        self._righted_up_s = 0  # uptime when it was synchronised, or the meter's clock agreed, last
        self._anchor = None  # (the board's time, the true one) that the drift is measured from
        self._unsigned_s = 0  # what NTP has moved since somebody else had a say

    def set(self, unix_s: int, may_jump: bool = False) -> int:
        """Take the time from who has signed it; return the seconds that the clock was off by (0: it was not set).

        CLOCK_INVALID when the time lies outside 2020..2100; CLOCK_JUMP, with these seconds, when a synchronised clock
        cannot be off by so much, unless it may_jump.
        """
        _check(unix_s)
        clock = self._clock
        off = unix_s - clock.aim() if clock.state != "unset" else 0
        if clock.state in _SYNCHRONISED and abs(off) > self._believable_s() and not may_jump:
            raise HubError("CLOCK_JUMP", "%d s" % off)
        self._unsigned_s = 0
        self._synchronise(unix_s, off)
        return off

    def check(self, unix_s: int) -> int:
        """Take the time from NTP, which anybody can forge; return the seconds that the clock was off by.

        It counts when it agrees with the meter's clock, or, within ten seconds in all, with what was signed before;
        before anybody has told the time it is better than none. HubError CLOCK_JUMP, CLOCK_INVALID.
        """
        _check(unix_s)
        clock = self._clock
        if clock.state == "unset":
            self._step(unix_s)
            clock.state = "net"
            return 0
        off = unix_s - clock.aim()
        agrees = self._agrees_with_meter(unix_s, off)
        if clock.state in _SYNCHRONISED:
            moved = off if agrees else self._unsigned_s + off
            if abs(moved) > (self._believable_s() if agrees else JUMP_S):
                raise HubError("CLOCK_JUMP", "%d s" % off)
            self._unsigned_s = moved
        elif not agrees:
            if agrees is not None or abs(off) > JUMP_S:
                raise HubError("CLOCK_JUMP", "%d s" % off)
            clock.slew_to(unix_s)
            return off
        self._synchronise(unix_s, off)
        return off

    def follow(self, meter_at: int, off: int) -> None:
        """Take the meter's time for a clock that was synchronised days ago, if drift can explain that it is `off`."""
        if off <= self._believable_s():
            self._righted_up_s = self._clock.uptime_s()
            if off >= _DRIFT_S:
                self._clock.slew_to(meter_at)

    def _agrees_with_meter(self, unix_s, off):
        """Return whether the meter's clock says so too, None when it has not been heard lately."""
        clock = self._clock
        if clock.state == "meter":
            return abs(off) <= JUMP_S
        if clock.meter is None or clock.uptime_s() - clock.meter[1] > _FRESH_S:
            return None
        return abs(unix_s - clock.meter[0] - clock.uptime_s() + clock.meter[1]) <= JUMP_S

    def _believable_s(self):
        """Return by how much a clock that was synchronised may be off now."""
        if self._clock.state == "set":
            return JUMP_S
        return JUMP_S + (self._clock.uptime_s() - self._righted_up_s) * _WORST_PPM // _MILLION

    def _synchronise(self, at, off):
        clock = self._clock
        if clock.state in _SYNCHRONISED and abs(off) <= self._believable_s():
            self._measure(at)
            clock.slew_to(at)
        elif clock.state == "unset" or abs(off) > JUMP_S:
            self._step(at)
        else:
            clock.slew_to(at)
        if self._anchor is None:
            self._anchor = (clock.board.time(), at)
        clock.state = "set"
        clock.synced_up_s = self._righted_up_s = clock.uptime_s()

    def _measure(self, at):
        """Learn from two synchronisations what the board's clock loses."""
        if self._anchor is None:
            return
        clock = self._clock
        board = clock.board.time()
        elapsed = board - self._anchor[0]
        if elapsed < _BASELINE_S:
            return
        ppm = (at - self._anchor[1] - elapsed) * _MILLION // elapsed
        if abs(ppm) <= _MOST_PPM:
            clock.ahead_s += clock.drifted_s()
            clock.drifts_from = board
            clock.drift_ppm = ppm
        if elapsed >= _ANEW_S:
            self._anchor = (board, at)

    def _step(self, unix_s):
        self._clock.step(unix_s)
        self._anchor = None
        self._unsigned_s = 0


def _check(unix_s):
    if not EARLIEST <= unix_s < LATEST:
        raise HubError("CLOCK_INVALID", "time")
