"""A household that never was: what it draws from the grid and feeds into it at any second, and what its meters say.

Deterministic: the same seed and start give the same household for ever, so a test can ask it for the truth about
any second and compare that with what came out at the far end of the system.

Units    W, Wh, dm3, tenths of a volt; times are Unix seconds, UTC. Integers only.
Model    Power is constant within a minute (cut where the extra load changes); energy is its exact integral. Each
         half-hour is drawn on its own from a hash of (seed, half-hour): nothing depends on the order of asking.
         Tariff 1 is low, 23:00-07:00 local time and the weekend; tariff 2 is normal (the Netherlands).
Errors   ValueError for a time before the start or for a change of the past.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from .faults import Planted

HALF_HOUR_S = 1800
GAS_STAMP_S = 300
MAX_EXTRA_W = 20000


class Registers(NamedTuple):
    """What the meters show: Wh per tariff, as the electricity meter has its four registers, and gas in dm3."""

    import_low_wh: int
    import_normal_wh: int
    export_low_wh: int
    export_normal_wh: int
    gas_dm3: int

    @property
    def import_wh(self) -> int:
        """The total a hub derives when the meter only has tariff registers: the sum of what they show."""
        return self.import_low_wh + self.import_normal_wh

    @property
    def export_wh(self) -> int:
        """As import_wh, for the energy fed in."""
        return self.export_low_wh + self.export_normal_wh


class Phase(NamedTuple):
    """One phase: `w` above zero is drawn, below zero fed in; `dv` tenths of a volt."""

    w: int
    dv: int


class _HalfHour(NamedTuple):
    tariff: int
    net_w: tuple[int, ...]  # one for each minute
    gas_dm3_5min: int


class _Sums(NamedTuple):
    """Watt-seconds as the registers hold them, before they are cut to whole Wh; gas as in Registers."""

    import_low: int
    import_normal: int
    export_low: int
    export_normal: int
    gas_dm3: int


OPENING = Registers(4_182_337, 5_790_611, 1_204_905, 2_866_120, 3_421_778)

# by local hour: lights, cooking hob on stand-by, television, computers
_WEEKDAY_W = tuple(
    10 * tens for tens in (2, 1, 1, 1, 1, 2, 12, 21, 13, 7, 6, 7, 11, 8, 7, 8, 13, 24, 31, 35, 36, 30, 19, 8)
)
_WEEKEND_W = tuple(
    10 * tens for tens in (4, 2, 1, 1, 1, 1, 3, 11, 21, 23, 21, 20, 24, 21, 19, 19, 21, 28, 33, 35, 37, 33, 24, 13)
)
# by month: mean outside temperature in tenths of a degree, half the day's length in minutes, PV at its best in W
_TEMPERATURE = (35, 40, 65, 100, 140, 170, 185, 185, 155, 115, 75, 45)
_HALF_DAY_MIN = (245, 295, 350, 410, 465, 495, 485, 435, 375, 315, 260, 235)
_PV_PEAK_W = (900, 1500, 2400, 3200, 3700, 3900, 3800, 3400, 2700, 1800, 1050, 750)
_NOON_UTC_MIN = 700  # 5 degrees east
_HEAT_PUMP_W = 1650


_SAG_DV, _SWELL_DV = 2160, 2530  # a meter's usual thresholds
_DEAD_DV = 115


class _Dice:
    """Numbers from a hash of what they are for: the same in every Python, in any order."""

    def __init__(self, *purpose: object) -> None:
        self._bits = int.from_bytes(hashlib.sha256(repr(purpose).encode()).digest(), "big")

    def below(self, n: int) -> int:
        self._bits, found = divmod(self._bits, n)
        return found


class Household:
    """One home with a heat pump, a gas boiler for hot water, solar panels, and people who come and go.

    start: Unix seconds, rounded down to a half-hour; seed: which home; zone: IANA name of its time zone.
    """

    def __init__(
        self, start: int, seed: int = 1, zone: str = "Europe/Amsterdam", opening: Registers = OPENING
    ) -> None:
        self.start = start - start % HALF_HOUR_S
        self.seed = seed
        self.zone = ZoneInfo(zone)
        self._sums = [_Sums._make([*(wh * 3600 for wh in opening[:4]), opening.gas_dm3])]
        self._changed_at = [0]
        self._extra_w = [0]
        self.planted: list[Planted] = []  # faults of the grid, the newest counts most; seconds since `start`
        self._half_hour = lru_cache(maxsize=64)(self._draw)

    # -- what the meters say ---------------------------------------------------------------------------

    def registers(self, at: int) -> Registers:
        """Return what the registers show at `at`; gas as of its newest five-minute stamp."""
        sums = self._at(at)
        return Registers._make([*(ws // 3600 for ws in sums[:4]), sums.gas_dm3])

    def power_w(self, at: int) -> int:
        """Return the power at `at` in W: above zero drawn from the grid, below zero fed into it."""
        return self._net_w(at) + self._extra_at(at)

    def tariff(self, at: int) -> int:
        """Return 1 in the low tariff, 2 in the normal one."""
        return self._half_hour(at // HALF_HOUR_S).tariff

    def gas_at(self, at: int) -> int:
        """Return the time of the gas reading that is the newest at `at`."""
        return at - at % GAS_STAMP_S

    def phases(self, at: int) -> list[Phase]:
        """Return the three phases at `at`; their powers add up to power_w, unless one is interrupted."""
        total = self.power_w(at)
        second = total * 35 // 100
        third = total * 22 // 100
        powers = (total - second - third, second, third)
        dice = _Dice(self.seed, "volts", at // 10)
        # 0.4 ohm of cable: what is drawn pulls the voltage down, what is fed in pushes it up
        found = [Phase(w, 2310 + dice.below(15) - w * 4 // 2300) for w in powers]
        for fault in self.planted:
            held = [fault.holds(at - self.start, number) for number in (1, 2, 3)]
            found = [_spoiled(one, fault.dv) if is_held else one for one, is_held in zip(found, held, strict=True)]
        return found

    def dips(self, at: int) -> list[tuple[int, int]]:
        """Return how many sags and swells of each phase have begun by `at`, of those that are planted."""
        counts = []
        for number in (1, 2, 3):
            begun = [
                one.dv for one in self.planted if one.holds(one.start_s, number) and self.start + one.start_s <= at
            ]
            counts.append((sum(dv < _SAG_DV for dv in begun), sum(dv > _SWELL_DV for dv in begun)))
        return counts

    def set_extra_w(self, at: int, watts: int) -> None:
        """From `at` on, draw `watts` more than the household would; ValueError if a later change is already known."""
        if not 0 <= watts <= MAX_EXTRA_W:
            raise ValueError(f"extra load {watts} W is not within 0..{MAX_EXTRA_W}")
        if at < max(self._changed_at[-1], self.start):
            raise ValueError("the past cannot be changed")
        self._changed_at.append(at)
        self._extra_w.append(watts)
        del self._sums[(at - self.start) // HALF_HOUR_S + 1 :]

    @property
    def extra_w(self) -> int:
        """The extra load in W as it was set last."""
        return self._extra_w[-1]

    # -- integration -----------------------------------------------------------------------------------

    def _at(self, at: int) -> _Sums:
        if at < self.start:
            raise ValueError("before the household's start")
        index, rest = divmod(at - self.start, HALF_HOUR_S)
        while len(self._sums) <= index:
            end = self.start + len(self._sums) * HALF_HOUR_S
            self._sums.append(self._integrate(self._sums[-1], end - HALF_HOUR_S, end))
        return self._integrate(self._sums[index], at - rest, at)

    def _integrate(self, sums: _Sums, start: int, stop: int) -> _Sums:
        """Return `sums` as they are at `stop`; `start` is a half-hour's beginning, `stop` at most its end."""
        half_hour = self._half_hour(start // HALF_HOUR_S)
        imported = exported = 0
        at = start
        while at < stop:
            i = bisect_right(self._changed_at, at)
            end = min(at - at % 60 + 60, stop, *self._changed_at[i : i + 1])
            energy = (half_hour.net_w[(at - start) // 60] + self._extra_w[i - 1]) * (end - at)
            if energy > 0:
                imported += energy
            else:
                exported -= energy
            at = end
        found = list(sums)
        found[half_hour.tariff - 1] += imported
        found[half_hour.tariff + 1] += exported
        found[4] += (stop - start) // GAS_STAMP_S * half_hour.gas_dm3_5min
        return _Sums(*found)

    def _net_w(self, at: int) -> int:
        return self._half_hour(at // HALF_HOUR_S).net_w[at % HALF_HOUR_S // 60]

    def _extra_at(self, at: int) -> int:
        return self._extra_w[bisect_right(self._changed_at, at) - 1]

    # -- the life of the house -------------------------------------------------------------------------

    def _draw(self, number: int) -> _HalfHour:
        """Draw half-hour `number` (Unix seconds // 1800)."""
        local = datetime.fromtimestamp(number * HALF_HOUR_S, self.zone)
        dice = _Dice(self.seed, "half-hour", number)
        load = self._appliances(local, dice)
        day = _Dice(self.seed, "day", local.toordinal())
        degrees = _through_the_year(_TEMPERATURE, local) + day.below(61) - 30
        self._heat(load, local, degrees, dice)
        pv = self._sun(number, local, 25 + day.below(76), dice)
        gas = dice.below(14) if local.hour in (6, 7, 8, 18, 21, 22) else dice.below(2)
        low = local.weekday() >= 5 or not 7 <= local.hour < 23
        return _HalfHour(1 if low else 2, tuple(a - b for a, b in zip(load, pv, strict=True)), gas)

    def _appliances(self, local: datetime, dice: _Dice) -> list[int]:
        weekend = local.weekday() >= 5
        load = [190 + (_WEEKEND_W if weekend else _WEEKDAY_W)[local.hour] + dice.below(40) for _ in range(30)]
        _run(load, dice.below(18), 12, 85)  # the fridge
        if local.hour in (7, 8, 10, 15, 20) and dice.below(3):
            _run(load, dice.below(26), 3, 2050)  # the kettle
        if local.hour in ((12, 17, 18) if weekend else (17, 18)) and dice.below(4):
            _run(load, dice.below(10), 10 + dice.below(10), 1400 + 100 * dice.below(13))  # the hob
        wash_day = not _Dice(self.seed, "washing", local.toordinal()).below(3)
        if wash_day and local.hour == (10 if weekend else 19):
            _run(load, 2, 28, 1950 if local.minute < 30 else 320)
        return load

    def _heat(self, load: list[int], local: datetime, degrees: int, dice: _Dice) -> None:
        wanted = 205 if 6 <= local.hour < 22 else 175
        minutes = min(30, max(0, wanted - degrees - 35) // 5)
        if minutes >= 3:
            _run(load, dice.below(31 - minutes), minutes, _HEAT_PUMP_W)

    def _sun(self, number: int, local: datetime, clear_percent: int, dice: _Dice) -> list[int]:
        half = _through_the_year(_HALF_DAY_MIN, local)
        peak = _through_the_year(_PV_PEAK_W, local) * clear_percent // 100 * (60 + dice.below(41)) // 100
        first = number * 30 % 1440 - _NOON_UTC_MIN
        return [max(0, peak * (half * half - m * m) // (half * half)) for m in range(first, first + 30)]


def _spoiled(phase: Phase, dv: int) -> Phase:
    """Return a phase with another voltage; without one nothing is drawn."""
    return Phase(phase.w if dv > _DEAD_DV else 0, dv)


def _run(load: list[int], first: int, minutes: int, watts: int) -> None:
    for minute in range(first, min(first + minutes, 30)):
        load[minute] += watts


def _through_the_year(by_month: Sequence[int], local: datetime) -> int:
    """Interpolate a table whose values hold for the middle of each month."""
    month = local.month - 1 + (0 if local.day >= 15 else -1)
    gone = local.day - 15 if local.day >= 15 else local.day + 15
    low, high = by_month[month % 12], by_month[(month + 1) % 12]
    return low + (high - low) * min(gone, 30) // 30
