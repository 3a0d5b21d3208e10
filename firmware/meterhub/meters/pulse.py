"""A meter that only blinks or closes a contact: pulses in, a register and a power or flow out.

Source   EN 62053-31 (S0: the meter constant in impulses per kWh), EN 1434-2 and ISO 4064 (pulses of volume)
Units    register in Wh or dm3, power in W, flow in l/h, times in ticks (ms)
Memory   a few integers; pulse() allocates nothing while they are small.
Errors   ValueError for a meter constant that is none.
Runs on  both

The power is that of the time between the last two pulses. When the next one is overdue it is what it can be at most:
one pulse in the time waited. That falls as 1/time, is 0 as soon as it is less than 1 W (an hour at 1000 imp/kWh),
and 0 after a day however slow the meter is.
"""

from micropython import const

from ..hal.ticks import age
from .reading import Reading

_HOUR_MS = const(3600000)
_FORGOTTEN_MS = const(86400000)
# what is counted: its parts in the register, the register's scale and unit, its OBIS code
_KINDS = {
    "kWh": (1000, 0, "Wh", "1-0:1.8.0"),
    "m3": (1000, -3, "m3", "8-0:1.0.0"),
    "l": (1, -3, "m3", "8-0:1.0.0"),
}


class PulseMeter:
    """One pulse input. imp: impulses per `per`, "kWh", "m3" or "l"; start: the register before the first, Wh or dm3.

    register: its OBIS code where it is not that of imported energy (kWh) or of cold water (m3, l).
    """

    def __init__(self, imp: int, per: str = "kWh", start: int = 0, register: str = "") -> None:
        if imp <= 0 or start < 0 or per not in _KINDS:
            raise ValueError("pulse meter")
        self._imp = imp
        self._start = start
        self._parts, self._scale, self._unit, usual = _KINDS[per]
        self.register = register or usual
        self.pulses = 0
        self._last_ms = -1  # when the newest pulse came; -1 when that is not known
        self._each_ms = 0  # between two pulses, lately; 0 while not known
        self._stopped = False  # no pulse for so long that the power is 0

    @property
    def value(self) -> int:
        """The register: whole Wh or dm3; what is less than one waits for the next pulses."""
        return self._start + self.pulses * self._parts // self._imp

    def catch_up(self, value: int) -> None:
        """Let the register be at least `value`: what it is known to have shown."""
        missing = (value - self._start) * self._imp
        self.pulses = max(self.pulses, -(-missing // self._parts))

    def pulse(self, n: int, now_ms: int) -> None:
        """Count `n` pulses that came since the last call, the newest of them at `now_ms` (ticks)."""
        if n <= 0:
            return
        if self._last_ms >= 0:
            self._each_ms = max(1, age(now_ms, self._last_ms) // n)
            self._stopped = False
        self.pulses += n
        self._last_ms = now_ms

    def power(self, now_ms: int) -> "int | None":
        """Return the power in W, or the flow in l/h, at `now_ms` (ticks); None before the second pulse."""
        waited_ms = age(now_ms, self._last_ms) if self._last_ms >= 0 else 0
        if waited_ms >= _FORGOTTEN_MS:  # ticks wrap after days: do not look at them again
            self._stopped = self._stopped or self._each_ms > 0
            self._last_ms = -1
            self._each_ms = 0
        if self._stopped:
            return 0
        if not self._each_ms:
            return None
        return _HOUR_MS * self._parts // (self._imp * max(self._each_ms, waited_ms))

    def readings(self, at: "int | None", now_ms: int) -> list:
        """Return the Readings of this moment: the register and, once known, power or flow. at: Unix s or None."""
        found = [Reading(self.register, self.value, self._scale, self._unit, "pulse", 0, at)]
        power = self.power(now_ms)
        if power is not None:
            found.append(self._power_reading(power, at))
        return found

    def _power_reading(self, power, at):
        if self._unit == "Wh":
            return Reading(self.register.replace(".8.", ".7."), power, 0, "W", "pulse", 0, at)
        return Reading("volume flow", power, 0, "l/h", "pulse", 0, at)
