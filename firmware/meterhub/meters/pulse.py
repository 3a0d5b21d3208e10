"""A meter that only blinks: pulses in, a register and a power out.

Source   IEC 62053-31 (S0 pulses: the meter constant in impulses per kWh).
Units    register in Wh, power in W, times in ticks (ms)
Memory   a few integers; pulse() allocates nothing while they are small.
Errors   ValueError for a meter constant that is none.
Runs on  both
"""

from micropython import const

from ..hal.ticks import since
from .reading import Reading

_WMS_PER_KWH = const(3600000000)  # 1 kWh in W x ms
_FORGOTTEN_MS = const(3600000)  # after an hour without a pulse the power is 0


class PulseMeter:
    """One pulse input. imp_per_kwh: the meter constant; start_wh: the register when the counting began."""

    def __init__(self, imp_per_kwh: int, start_wh: int = 0) -> None:
        if imp_per_kwh <= 0 or start_wh < 0:
            raise ValueError("pulse meter")
        self._imp_per_kwh = imp_per_kwh
        self._start_wh = start_wh
        self.pulses = 0
        self._last_ms = 0
        self._each_ms = 0  # between two pulses, lately; 0 while not known

    @property
    def wh(self) -> int:
        """The register: whole Wh; what is less than one waits for the next pulses."""
        return self._start_wh + self.pulses * 1000 // self._imp_per_kwh

    def catch_up(self, wh: int) -> None:
        """Let the register be at least `wh`: what it is known to have shown."""
        missing = (wh - self._start_wh) * self._imp_per_kwh
        self.pulses = max(self.pulses, -(-missing // 1000))

    def pulse(self, n: int, now_ms: int) -> None:
        """Count `n` pulses that came since the last call, the newest of them at `now_ms` (ticks)."""
        if n <= 0:
            return
        if self.pulses:
            self._each_ms = max(1, since(now_ms, self._last_ms) // n)
        self.pulses += n
        self._last_ms = now_ms

    def power_w(self, now_ms: int) -> "int | None":
        """Return the power at `now_ms` (ticks), None before the second pulse.

        It is that of the time between the last two pulses, or less, when the next one is overdue.
        """
        if not self._each_ms:
            return None
        waited_ms = since(now_ms, self._last_ms)
        if not 0 <= waited_ms < _FORGOTTEN_MS:
            self._each_ms = _FORGOTTEN_MS  # ticks wrap after days: do not look at them again
            self._last_ms = now_ms
            return 0
        if self._each_ms == _FORGOTTEN_MS:
            return 0
        return _WMS_PER_KWH // (self._imp_per_kwh * max(self._each_ms, waited_ms))

    def readings(self, at: "int | None", now_ms: int) -> list:
        """Return the Readings of this moment: 1-0:1.8.0 and, once it is known, 1-0:1.7.0. at: Unix s or None."""
        found = [Reading("1-0:1.8.0", self.wh, 0, "Wh", "pulse", 0, at)]
        power = self.power_w(now_ms)
        if power is not None:
            found.append(Reading("1-0:1.7.0", power, 0, "W", "pulse", 0, at))
        return found
