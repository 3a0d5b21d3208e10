"""The quality of the voltage: means of periods, the six functions of a meter, interruptions, the week of EN 50160.

Source   GB SMETS2 and GBCS: average, extreme, swell and sag with their event codes, and their usual thresholds;
         EN 50160: of a week's 10-minute means 95 % lie within Un +-10 %, all within +10 % and -15 %; an interruption
         is below 5 % of Un; the band of Great Britain is 230 V +10 % -6 %.
Units    mV, s; ends of periods: Unix seconds. A threshold itself is still good: 253.0 V is no swell.
Memory   about 100 bytes for each phase
Errors   ValueError for a state that is none
Runs on  both

A reading stands for the time since the one before it, as long as that is no gap; whoever calls says what is one.
The state, packed, little endian:
    u8 version 1, u8 phases in use (bit 0: L1), u32 start of the week, then for each of three phases
    u8 functions that are active (bit 0: the first of FUNCTIONS; bit 6: interrupted), u32 since when it is interrupted,
    6 u16 how often each function has risen, the week's u16 means, u16 within 10 %, u16 within +10 % -15 %,
    u16 in the British band, u32 lowest mean, u32 highest
A week that is over, packed: u32 start, u8 phases, then for each of them the six numbers of the week as above.
"""

import struct

from micropython import const

PHASES = const(3)
AVERAGE_OVER, AVERAGE_UNDER = const(0), const(1)  # places in FUNCTIONS
INTERRUPTED = const(6)
MEAN_S = const(600)
WEEK_S = const(604800)
MEANS_OF_A_WEEK = const(1008)
SURE_PCT = const(90)  # a mean of less than so much of its period is kept, and not judged
_MONDAY = const(345600)
_VERSION = const(1)
_HEAD = "<BBI"
_PHASE = "<BI6H4HII"
_WEEK = "<4HII"
_MOST = const(65535)
_FIRST_LASTING = const(2)  # the functions before it judge means

# name, threshold, 1 above it or -1 below, how long it must last (None: of the mean), event codes of rise and clear
FUNCTIONS = (
    ("average over-voltage", "average_over_mv", 1, None, 0x8002, 0x8085),
    ("average under-voltage", "average_under_mv", -1, None, 0x8006, 0x8089),
    ("extreme over-voltage", "extreme_over_mv", 1, "extreme_over_s", 0x8020, 0x808D),
    ("extreme under-voltage", "extreme_under_mv", -1, "extreme_under_s", 0x8028, 0x8095),
    ("swell", "swell_mv", 1, "swell_s", 0x8024, 0x8091),
    ("sag", "sag_mv", -1, "sag_s", 0x802C, 0x8099),
)
DEFAULTS = {
    "average_period_s": 1800,
    "average_over_mv": 264000,
    "average_under_mv": 200000,
    "extreme_over_mv": 287000,
    "extreme_over_s": 30,
    "extreme_under_mv": 180000,
    "extreme_under_s": 30,
    "swell_mv": 253000,
    "swell_s": 30,
    "sag_mv": 216000,
    "sag_s": 30,
    "nominal_mv": 230000,
    "gb_band": 0,  # 1: the week is judged by the band of Great Britain, too
}


class Means:
    """Means of three phases over periods of `period_s`, which begin at multiples of it.

    A finished one is (end, (mV or None, ...), (seconds that were measured, ...)).
    """

    def __init__(self, period_s: int) -> None:
        self.period_s = period_s
        self._end = 0  # of the period that goes on, 0 while none does
        self._done = 0  # end of the newest that is finished
        self._begin()

    def _begin(self):
        self._sums = [0] * PHASES
        self._covered = [0] * PHASES

    def take(self, start: int, stop: int, volts: list) -> "list | tuple":
        """Let `volts` (mV, or None) stand for the time from start to stop (Unix s). Return what has been finished."""
        period_s = self.period_s
        if start < self._done:
            if self._done - start > period_s + MEAN_S:  # the clock was far ahead, and has been put right
                self._done = self._end = 0
                self._begin()
            else:
                start = min(self._done, stop)
        done = self.close(start)
        while start < stop:
            if not self._end:
                self._end = start - start % period_s + period_s
            upto = min(stop, self._end)
            for i in range(PHASES):
                if volts[i] is not None:
                    self._sums[i] += volts[i] * (upto - start)
                    self._covered[i] += upto - start
            start = upto
            if start == self._end:
                done = list(done) + [self._finish()]
        return done

    def close(self, now: int) -> "list | tuple":
        """Finish the period that goes on if it is over at `now`. Return what has been finished."""
        return [self._finish()] if self._end and now >= self._end else ()

    def _finish(self):
        pairs = zip(self._sums, self._covered)
        means = tuple([(total + covered // 2) // covered if covered else None for total, covered in pairs])
        found = (self._end, means, tuple(self._covered))
        self._done, self._end = self._end, 0
        self._begin()
        return found


class Phase:
    """What is known of one phase. active: bits, as above; since: Unix s at which its interruption began.

    counters: how often each function has risen; week: [means, within 10 %, within 15 %, in the band, low, high].
    """

    def __init__(self) -> None:
        self.active = self.since = 0
        self.counters = [0] * len(FUNCTIONS)
        self.week = [0] * 6
        self._lasts_s = [0] * len(FUNCTIONS)

    def take(self, mv: int, seconds: int, config: dict) -> "list | tuple":
        """Judge a reading that stands for `seconds`. Return the functions that have changed, by their numbers."""
        changed = ()
        for number in range(_FIRST_LASTING, len(FUNCTIONS)):
            _, level, sign, period, _, _ = FUNCTIONS[number]
            is_beyond = mv > config[level] if sign > 0 else mv < config[level]
            if is_beyond == self.is_active(number):
                self._lasts_s[number] = 0
                continue
            self._lasts_s[number] += seconds
            if self._lasts_s[number] >= config[period]:
                self._turn(number)
                changed = list(changed) + [number]
        if (mv < interrupted_mv(config)) != self.is_active(INTERRUPTED):
            self.active ^= 1 << INTERRUPTED
            changed = list(changed) + [INTERRUPTED]
        return changed

    def gap(self) -> None:
        """Nothing was heard for a while: nothing has lasted."""
        for number in range(len(FUNCTIONS)):
            self._lasts_s[number] = 0

    def judge_mean(self, mv: int, config: dict) -> "list | tuple":
        """Judge the mean of a whole averaging period. Return as take() does."""
        changed = ()
        for number in range(_FIRST_LASTING):
            _, level, sign, _, _, _ = FUNCTIONS[number]
            is_beyond = mv > config[level] if sign > 0 else mv < config[level]
            if is_beyond != self.is_active(number):
                self._turn(number)
                changed = list(changed) + [number]
        return changed

    def is_active(self, number: int) -> bool:
        """Return whether a function has risen and not been cleared."""
        return bool(self.active & 1 << number)

    def _turn(self, number):
        self.active ^= 1 << number
        self._lasts_s[number] = 0
        if self.is_active(number):
            self.counters[number] = min(_MOST, self.counters[number] + 1)

    def count_mean(self, mv: int, config: dict) -> None:
        """Count a mean of ten minutes in the week."""
        nominal = config["nominal_mv"]
        week = self.week
        is_low_enough = 100 * mv <= 110 * nominal
        week[4] = min(week[4], mv) if week[0] else mv
        week[5] = max(week[5], mv)
        week[0] += 1
        week[1] += is_low_enough and 100 * mv >= 90 * nominal
        week[2] += is_low_enough and 100 * mv >= 85 * nominal
        week[3] += is_low_enough and 100 * mv >= 94 * nominal


def interrupted_mv(config: dict) -> int:
    """Return the voltage below which a phase is interrupted."""
    return config["nominal_mv"] // 20


def is_sure(covered_s: int, period_s: int) -> bool:
    """Return whether enough of a period was measured for its mean to be judged."""
    return 100 * covered_s >= SURE_PCT * period_s


def week_of(end: int) -> int:
    """Return the Monday, 0:00 UTC, of the week that a period ending at `end` lies in."""
    return end - 1 - (end - 1 - _MONDAY) % WEEK_S


def verdict(week: "list | tuple", gb_band: int) -> int:
    """Return of a week's six numbers 1: as EN 50160 wants it, 0: not; -1: there were no means."""
    means, within_10, within_15, in_band = week[:4]
    if not means:
        return -1
    return int(100 * within_10 >= 95 * means and within_15 == means and (not gb_band or in_band == means))


def pack(in_use: int, week: int, phases: list) -> bytes:
    """Return the state, packed."""
    raw = bytearray(struct.pack(_HEAD, _VERSION, in_use, week))
    for phase in phases:
        raw.extend(struct.pack(_PHASE, phase.active, phase.since, *(phase.counters + phase.week)))
    return bytes(raw)


def unpack(raw: bytes) -> tuple:
    """Return (phases in use, start of the week, Phases); ValueError for what is of no version that we know."""
    size = struct.calcsize(_HEAD)
    step = struct.calcsize(_PHASE)
    if len(raw) != size + PHASES * step or raw[0] != _VERSION:
        raise ValueError("voltage")
    _, in_use, week = struct.unpack(_HEAD, raw[:size])
    phases = []
    for i in range(PHASES):
        found = struct.unpack_from(_PHASE, raw, size + i * step)
        phase = Phase()
        phase.active, phase.since = found[0], found[1]
        phase.counters, phase.week = list(found[2:8]), list(found[8:])
        phases.append(phase)
    return in_use, week, phases


def pack_week(start: int, in_use: int, phases: list) -> bytes:
    """Return a week that is over, packed."""
    raw = bytearray(struct.pack("<IB", start, in_use))
    for i in range(PHASES):
        if in_use & 1 << i:
            raw.extend(struct.pack(_WEEK, *phases[i].week))
    return bytes(raw)


def unpack_weeks(raw: bytes) -> list:
    """Return [(start, phases in use, [six numbers of each of them])] of packed weeks one after the other."""
    weeks = []
    pos = 0
    while pos < len(raw):
        start, in_use = struct.unpack_from("<IB", raw, pos)
        pos += 5
        numbers = []
        for i in range(PHASES):
            if in_use & 1 << i:
                numbers.append(struct.unpack_from(_WEEK, raw, pos))
                pos += struct.calcsize(_WEEK)
        weeks.append((start, in_use, numbers))
    return weeks
