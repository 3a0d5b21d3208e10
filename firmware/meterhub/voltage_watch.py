"""Watches the voltage that a meter tells: the six functions of a meter, phases that are interrupted, EN 50160.

Source   meters/voltage.py (what is judged, and how), store/voltage_log.py (the log of means)
Events   of FUNCTIONS there: "sag" and "sag ended", detail L1; "phase interrupted" and "phase restored" (or
         "phase restored 3 min"); "EN 50160 failed", of a week. Each is an alert to DNO, once.
Memory   2 KB, and 5 KB of code that runs from flash (12 KB as files); only where the setting `voltage.watch` is true
Runs on  both
Format   records: `voltage` is JSON, what set.voltage_config has changed; `voltage-now` is the state, `voltage-weeks`
         the newest eight weeks, as in meters/voltage.py. The state is saved with each change and every ten minutes. A
         power cut costs the means that were being made; between an alert and the saving of it, it may come twice.

The readings are those of the first of the hub's meters that tells a voltage. Between two of them lies a gap when the
next one is as late as meters.meter calls old, or five minutes. A phase counts once there was voltage on it.
"""

import json

from micropython import const

from . import alerts
from .meters import voltage
from .store.voltage_log import VoltageLog

_PLACES = {"32.7.0": 0, "52.7.0": 1, "72.7.0": 2}
_GAP_MS = const(15000)  # as meters.meter has it
_MOST_GAP_S = const(300)
_INTERRUPTED = const((0x8F58, 0x8F59, 0x8F5A))
_RESTORED = const((0x8F37, 0x8F39, 0x8F3B))  # and one more from three minutes on
_3MIN_S = const(180)
_WEEKS = const(8)
_ROLES = const(("DNO",))


class VoltageWatch:
    """hub: app.Hub. config: as DEFAULTS of meters/voltage.py; phases: of voltage.Phase; in_use: bits."""

    def __init__(self, hub) -> None:
        self._hub = hub
        self._record = hub.record("voltage-now")
        self.weeks_record = hub.record("voltage-weeks")
        self.config_record = hub.record("voltage")
        self.log = VoltageLog(
            hub.board.data_dir + "/voltage", lambda said: hub.journal.add("event", "STORE_DAMAGED", said)
        )
        self.in_use, self.week, self.phases = self._load()
        self.meter = None  # whose readings are taken
        self._volts: list = [None] * voltage.PHASES
        self._at = self._up_s = 0  # of the newest reading
        self._unsaved = False  # saving has failed, and that was said
        self._tens = voltage.Means(voltage.MEAN_S)
        self._means = voltage.Means(voltage.MEAN_S)
        self.configure()

    def _load(self):
        raw = self._record.load()
        try:
            return voltage.unpack(raw or b"")
        except ValueError:
            return 0, 0, [voltage.Phase() for _ in range(voltage.PHASES)]

    def configure(self) -> None:
        """Go by what is in the record from now on."""
        self.config = dict(voltage.DEFAULTS)
        self.config.update(json.loads(self.config_record.load() or b"{}"))
        if self._means.period_s != self.config["average_period_s"]:
            self._means = voltage.Means(self.config["average_period_s"])
        for phase in self.phases:
            phase.gap()

    # -- what comes in -------------------------------------------------------------------------------

    def take(self, meter, readings: list) -> None:
        """Take what a meter (meters.meter.Meter) has told: Readings of one telegram."""
        volts = self._find(meter, readings)
        if volts is None:
            return
        clock = self._hub.clock
        up_s, at = clock.uptime_s(), clock.now()
        gap_s = _gap_s(meter)
        passed_s = up_s - self._up_s
        if passed_s > gap_s or not self._up_s:
            passed_s = 0
            for phase in self.phases:
                phase.gap()
        for i in range(voltage.PHASES):
            if volts[i] is not None:
                for number in self.phases[i].take(volts[i], passed_s, self.config):
                    self._changed(i, number, at)
        self._up_s = up_s or 1
        if at:
            start = self._at if 0 <= at - self._at <= gap_s else at
            self._count(self._tens.take(start, at, volts))
            self._keep(self._means.take(start, at, volts))
        self._at = at

    def _find(self, meter, readings):
        """Return the voltages in a telegram, mV or None for each phase in use; None when it is not to be taken."""
        meters = self._hub.meters
        if self.meter is not None and meters.index(meter) > meters.index(self.meter):
            return None
        volts = self._volts
        found = False
        for i in range(voltage.PHASES):
            volts[i] = None
        for reading in readings:
            place = _PLACES.get(reading.obis[4:]) if reading.unit == "V" and reading.channel == 0 else None
            if place is None:
                continue
            mv = max(0, _thousandths(reading))
            if mv >= voltage.interrupted_mv(self.config):
                self.in_use |= 1 << place
            if self.in_use & 1 << place:
                volts[place] = mv
                found = True
        if not found:
            return None
        self.meter = meter
        return volts

    def tick(self) -> None:
        """Finish what the time has finished, when no reading comes any more; to be called now and then."""
        at = self._hub.clock.now()
        if at and self.meter is not None:
            late = at - _gap_s(self.meter) - 1
            self._count(self._tens.close(late))
            self._keep(self._means.close(late))

    def shown(self) -> tuple:
        """Return what the household sees of it (ihd/model.py); made anew whenever it looks."""
        meter, found = self.meter, []
        for i in range(voltage.PHASES):
            if not self.in_use & 1 << i:
                continue
            phase = self.phases[i]
            mv = None if meter is None or meter.is_old else meter.registers.value("1-0:%d.7.0" % (32 + 20 * i), -3)
            if mv is not None and mv < voltage.interrupted_mv(self.config):
                mv = 0
            lately = (
                1 if phase.is_active(voltage.AVERAGE_OVER) else -1 if phase.is_active(voltage.AVERAGE_UNDER) else 0
            )
            week = phase.week
            judged = voltage.verdict(week, self.config["gb_band"])
            found.append(("L%d" % (i + 1), mv, lately, voltage.MEAN_S * week[0], week[4], week[5], judged))
        return self.config["sag_mv"], self.config["swell_mv"], found

    # -- what becomes of it --------------------------------------------------------------------------

    def _changed(self, place, number, at):
        phase, name = self.phases[place], "L%d" % (place + 1)
        rises = phase.is_active(number)
        data = {"phase": place + 1, "at": at}
        if number == voltage.INTERRUPTED:
            self._interrupted(place, rises, at, data)
        else:
            what, _, _, _, rise, clear = voltage.FUNCTIONS[number]
            self._tell(what if rises else what + " ended", rise if rises else clear, name, data)
        self._try(self.save)

    def _interrupted(self, place, begins, at, data):
        phase, name = self.phases[place], "L%d" % (place + 1)
        if begins:
            phase.since = at
            self._tell("phase interrupted", _INTERRUPTED[place], name, data)
            return
        start, phase.since = phase.since, 0
        lasted_s = at - start if start and at > start else 0
        is_long = lasted_s >= _3MIN_S
        data["seconds"] = lasted_s
        said = "%s %d-%d %d s" % (name, start, at, lasted_s)
        self._tell("phase restored 3 min" if is_long else "phase restored", _RESTORED[place] + is_long, said, data)
        if start:
            self._try(
                lambda: self._hub.outages.in_log(lambda log: log.note(self._hub, start, start + lasted_s, 1 << place))
            )

    def _tell(self, name, code, detail, data):
        alerts.tell(self._hub, "event", _ROLES, name, code, detail, data)

    def _count(self, means):
        """Count means of ten minutes in their week."""
        for end, values, covered in means:
            if voltage.week_of(end) != self.week:
                self._end_week()
                self.week = voltage.week_of(end)
            for i in range(voltage.PHASES):
                if values[i] is not None and voltage.is_sure(covered[i], voltage.MEAN_S):
                    self.phases[i].count_mean(values[i], self.config)
            self._try(self.save)

    def _end_week(self):
        if self.week and any([phase.week[0] for phase in self.phases]):
            gb_band = self.config["gb_band"]
            raw = self.weeks_record.load() or b""
            weeks = voltage.unpack_weeks(raw)
            if not weeks or weeks[-1][0] != self.week:  # else a power cut came before the new one was begun
                raw += voltage.pack_week(self.week, self.in_use, self.phases)
                if len(weeks) >= _WEEKS:
                    raw = raw[5 + 16 * len(weeks[0][2]) :]
                self._try(lambda: self.weeks_record.save(raw))
                failed = [i + 1 for i in range(voltage.PHASES) if not voltage.verdict(self.phases[i].week, gb_band)]
                if failed:
                    data = {"week": self.week, "phases": failed}
                    self._tell("EN 50160 failed", 0, ", ".join(["L%d" % i for i in failed]), data)
        for phase in self.phases:
            phase.week = [0] * 6

    def _keep(self, means):
        """Write means of averaging periods to the log, and judge them."""
        for end, values, covered in means:
            period_s = self._means.period_s
            dv = tuple([None if mv is None else (mv + 50) // 100 for mv in values])
            percent = tuple([100 * seconds // period_s for seconds in covered])
            self._try(lambda: self.log.append(end, period_s, self.in_use, dv, percent))  # noqa: B023 - called at once
            for i in range(voltage.PHASES):
                if values[i] is not None and voltage.is_sure(covered[i], period_s):
                    for number in self.phases[i].judge_mean(values[i], self.config):
                        self._changed(i, number, end)

    def save(self) -> None:
        """Save the state; OSError when it cannot be."""
        self._record.save(voltage.pack(self.in_use, self.week, self.phases))

    def _try(self, write):
        """Write something; that it cannot be is journalled once."""
        try:
            write()
            self._unsaved = False
        except OSError as err:
            if not self._unsaved:
                self._hub.journal.add("event", "RECORD_FAILED", "voltage %s" % (err.args[:1],))
            self._unsaved = True


def _gap_s(meter):
    return min(_MOST_GAP_S, (_GAP_MS + meter.period_ms + meter.took_ms) // 1000)


def _thousandths(reading):
    shift = reading.scale + 3
    if shift >= 0:
        return reading.value * 10 ** min(shift, 6)
    return reading.value // 10 ** min(-shift, 18)
