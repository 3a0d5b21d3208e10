"""The meter's registers as last read: totals that never go down, of one meter, and the power of the moment.

Source   IEC 62056-61 (OBIS): 1.8.0, 2.8.0 total import and export, .1 to .4 their tariffs; 1.7.0, 2.7.0, 16.7.0 power.
         Meters in Norway and Switzerland call these 1-1: instead of 1-0:; they are kept under both names.
Units    as in reading.py; power_w in W, import positive
Memory   one Reading for each register, at most 128.
Errors   HubError, once in a run of such readings; the old value stays until enough of them have agreed:
         REGISTER_BACKWARD  a total is lower than it was
         REGISTER_JUMP      it has grown by more than 10 MWh, or 1000 m3, from one reading to the next
         REGISTER_ROLLED    it stood at the end of its digits (99......), six of them or more, and begins again: three
                            readings that agree are enough
Runs on  both
"""

from micropython import const

from ..errors import HubError
from .reading import Reading, whole

_MOST = const(128)
_PATIENCE = const(10)  # lower readings in a row, each at least the one before, that make it a new register
_SURE = const(3)  # telegrams in a row with the same other id that make it another meter; readings of a roll-over
_MOST_GROWTH = {"Wh": 10000000, "varh": 10000000, "J": 36000000000}  # in one step; m3 in dm3
_MOST_GROWTH_DM3 = const(1000000)
_LEAST_DIGITS = const(6)
_OLD_S = const(7200)  # a gas meter behind P1 tells hourly, and what it told comes up to an hour later
_DERIVED = const(("1-0:1.8.0", "1-0:2.8.0"))
_TARIFFS = const(("1", "2", "3", "4"))
_USUAL = const(("1.8.", "2.8.", "1.7.", "2.7.", "16.7"))


class Registers:
    """What one meter line has told, by OBIS code."""

    def __init__(self) -> None:
        self.power_w = None  # int or None
        self.meters = {}  # channel -> id of the meter behind it
        self.changed = []  # what the newest update() returned, or would have
        self._last = {}
        self._newest = {}  # obis -> Reading of the newest telegram, taken or not
        self._strange = {}  # channel -> (another id than its meter's, telegrams in a row that have told it)
        self._odd = {}  # obis -> (readings in a row that cannot follow the register's, the last of them, why not)

    def reading(self, obis: str) -> "Reading | None":
        """Return the last Reading of a register, or None."""
        return self._last.get(obis)

    def codes(self) -> list:
        """Return the OBIS codes of all registers that were read, in order."""
        return sorted(self._last)

    def value(self, obis: str, scale: int = 0, kind: str = "") -> "int | None":
        """Return a register's value in units of 10^scale, or None when it was never read.

        kind: its unit, "" for any; None for a register in another one.
        """
        reading = self._last.get(obis)
        return None if reading is None or kind not in ("", reading.unit) else whole(reading, scale)

    def told(self, obis: str, scale: int = 0, kind: str = "", at: "int | None" = None) -> "int | None":
        """Return a register's value as value() does, but None unless the newest telegram, of `at`, has told it.

        None as well for what is below zero, or was read more than two hours before `at`.
        """
        reading = self._last.get(obis)
        if reading is None or reading is not self._newest.get(obis):
            return None
        if at is not None and (reading.at is None or at - reading.at > _OLD_S):
            return None
        return self.value(obis, scale, kind) if reading.value >= 0 else None

    def meter_of(self, obis: str) -> str:
        """Return the id of the meter that a register is of, "" while it was not read or told none."""
        reading = self._last.get(obis)
        return "" if reading is None else self.meters.get(reading.channel, "")

    def update(self, readings: list) -> list:
        """Take the readings of one telegram; return the channels whose meter is another one than before.

        Another id counts when it comes a third time in a row; until then nothing of its channel is taken.
        Raises the HubError (field: the OBIS code) when all else has been taken; then see `changed`.
        """
        self.changed = self._look_for_exchange(readings)
        if self._strange:
            readings = [reading for reading in readings if reading.channel not in self._strange]
        odd = None
        present = self._newest = {}
        for reading in readings:
            present[reading.obis] = reading
        for obis in [obis for obis in present if obis[:4] == "1-1:" and obis[4:8] in _USUAL]:
            present.setdefault("1-0:" + obis[4:], present[obis])
        for obis in _DERIVED:
            if obis not in present:
                derived = self._derive(obis, present)
                if derived:
                    present[obis] = derived
        for obis in sorted(present, key=_rank) if len(present) > _MOST else present:
            name = self._take(obis, present[obis])
            odd = HubError(name, obis) if name else odd
        self._set_power(present)
        if odd is not None:
            raise odd
        return self.changed

    def _look_for_exchange(self, readings):
        """Forget the registers of each channel whose meter has surely another id now; return these channels."""
        told = {}
        for reading in readings:
            if reading.meter:
                told[reading.channel] = reading.meter
        changed = []
        for channel, meter in told.items():
            if self._is_sure(channel, meter):
                if channel in self.meters:
                    changed.append(channel)
                    self._forget(channel)
                self.meters[channel] = meter
        return changed

    def _is_sure(self, channel, meter):
        """Return whether `meter` is another id than the channel's, and there is no doubt about it."""
        known = self.meters.get(channel)
        before, count = self._strange.pop(channel, ("", 0))
        if known is None or meter == known:
            return known is None
        count = count + 1 if meter == before else 1
        if count < _SURE:
            self._strange[channel] = (meter, count)
        return count == _SURE

    def _forget(self, channel):
        for obis in [obis for obis, last in self._last.items() if last.channel == channel]:
            del self._last[obis]
            self._odd.pop(obis, None)

    def _derive(self, obis, present):
        """Return the sum of a total's tariff registers, or None unless all that were read before are there."""
        total, first = 0, None
        for tariff in _TARIFFS:
            name = obis[:-1] + tariff
            part = present.get(name)
            if part is None or part.unit != "Wh":
                if name in self._last:
                    return None  # without it the sum would go down
                continue
            first = first or part
            total += whole(part, 0)
        return first and Reading(obis, total, 0, "Wh", first.meter, first.channel, first.at)

    def _take(self, obis, reading):
        """Keep a reading; return the error's name at the first of a run of totals that cannot follow, else ""."""
        last = self._last.get(obis)
        if last is None:
            if len(self._last) < _MOST:
                self._last[obis] = reading
            return ""
        if is_total(last) and reading.unit != last.unit:
            return ""
        if is_total(reading) and is_total(last):
            odd = _oddity(last, reading)
            if odd:
                return self._doubt(obis, reading, odd)
            self._odd.pop(obis, None)
        self._last[obis] = reading
        return ""

    def _doubt(self, obis, reading, odd):
        """Count a reading that cannot follow the register's; after enough that agree, it is the register."""
        count, before, told = self._odd.get(obis, (0, reading, ""))
        count = count + 1 if count and not _oddity(before, reading) else 1
        if count >= (_SURE if odd == "REGISTER_ROLLED" else _PATIENCE):
            del self._odd[obis]
            self._last[obis] = reading
            return ""
        self._odd[obis] = (count, reading, odd)
        return "" if told == odd else odd

    def _set_power(self, present):
        power = _watts(present.get("1-0:16.7.0"))
        imported, exported = _watts(present.get("1-0:1.7.0")), _watts(present.get("1-0:2.7.0"))
        if imported is not None or exported is not None:
            power = (imported or 0) - (exported or 0)
            if not power and exported is None and self.power_w is not None and self.power_w < 0:
                return  # nothing flows in, and how much flows out another telegram tells
        if power is not None:
            self.power_w = power


def _rank(obis):
    """Return the place of a register where there are too many: first what is of now, then what is stored."""
    return obis.count(".") > 2


def is_total(reading: Reading) -> bool:
    """Return whether the reading is of a register that only ever grows: energy or a volume, but not an average."""
    code = reading.obis[reading.obis.find(":") + 1 :]
    if reading.unit in ("Wh", "varh", "J"):
        return code.find(".8.") > 0 or code.startswith("24.2.")
    return reading.unit == "m3"


def _oddity(last, reading):
    """Return the name of what is wrong with a total that is to follow `last`, "" when nothing is."""
    scale = min(reading.scale, last.scale)
    before, now = whole(last, scale), whole(reading, scale)
    if now < before:
        return "REGISTER_ROLLED" if _has_rolled(last, reading) else "REGISTER_BACKWARD"
    most = _MOST_GROWTH_DM3 if reading.unit == "m3" else _MOST_GROWTH[reading.unit]
    unit_scale = -3 if reading.unit == "m3" else 0
    grown = now - before if scale <= unit_scale else (now - before) * 10 ** (scale - unit_scale)
    return "REGISTER_JUMP" if grown > most * 10 ** max(0, unit_scale - scale) else ""


def _has_rolled(last, reading):
    """Return whether a lower reading is what follows the end of the digits that the register has."""
    digits = len(str(last.value))
    if digits < _LEAST_DIGITS or last.scale != reading.scale:
        return False
    percent = 10 ** (digits - 2)
    return last.value >= 99 * percent and reading.value < percent


def _watts(reading):
    return whole(reading, 0) if reading is not None and reading.unit == "W" else None
