"""The hub's clock: Unix seconds, UTC, and how far they can be trusted.

Source   MicroPython py/mpconfig.h: ESP32 counts from 2000, RP2 and unix from 1970. Nothing outside hal/ knows.
Units    Unix seconds, UTC
Errors   HubError CLOCK_INVALID for a time that cannot be true
Runs on  both
"""

from micropython import const

from ..errors import HubError

_FROM_2000_S = const(946684800)
EARLIEST = 1577836800  # 2020-01-01: a clock that says less was never set (not const(): no small int on 32 bits)
_LATEST = 7258118400  # 2200-01-01
_DRIFT_S = const(2)  # setting a board's clock restarts its second: leave it alone while it agrees


def epoch_offset_s(gmtime) -> int:
    """Return what must be added to this board's time.time() to get Unix seconds, judged by its own `gmtime`."""
    return _FROM_2000_S if gmtime(0)[0] == 2000 else 0


class Clock:
    """The time of day. `state` is "unset", "cable" (told by who was there), "meter" (follows the meter's clock) or

    "set" (synchronised); each of them gives way to the ones after it.

    board: a hal Board; one whose clock is already synchronised at boot makes the state "set".
    """

    def __init__(self, board) -> None:
        self._board = board
        self.state = "set" if board.clock_is_set() else "unset"

    def now(self) -> int:
        """Return Unix seconds, 0 while nobody has told the time."""
        return 0 if self.state == "unset" else self._board.time()

    def follow(self, meter_at: int) -> None:
        """Take the time from the meter's clock, unless ours is synchronised or the meter's was never set."""
        if self.state == "set" or not EARLIEST <= meter_at < _LATEST:
            return
        if self.state == "unset" or abs(meter_at - self._board.time()) >= _DRIFT_S:
            self._board.set_time(meter_at)
        self.state = "meter"

    def tell(self, unix_s: int) -> None:
        """Take the time from who is at the cable; HubError WRONG_STATE when ours is synchronised, else as set()."""
        if self.state == "set":
            raise HubError("WRONG_STATE", "clock")
        self.set(unix_s)
        self.state = "cable"

    def set(self, unix_s: int) -> None:
        """Set the clock from a trusted source; HubError CLOCK_INVALID when the time lies outside 2020..2199."""
        if not EARLIEST <= unix_s < _LATEST:
            raise HubError("CLOCK_INVALID", "time")
        self._board.set_time(unix_s)
        self.state = "set"
