"""The tariff in force: the time-of-use registers, the rate of the moment, what today and this month cost.

Source   GB SMETS2: 48 time-of-use registers; the in-home display's price, cost now, today and this month
Units    Unix seconds, UTC; Wh; e5: 1/100000 of the currency's unit, with tax
Memory   the packed tariff, 48 numbers at most; PARTS are loaded in a hub that has a tariff
Runs on  the unix port and the boards

Registers are booked from the load profile of the main meter: between two measured ends of intervals (MEASURED) the
energy goes to the band of the tariff that was in force when the interval began. What lies over a gap goes to a band
only if no other can have counted (codec/tariff_use.py), and over an activation never; else to `unassigned`. An
interval in which a meter was exchanged is lost, as it is in the profile. Registers only ever grow: a new tariff goes
on with them, band by band. All of it follows from the profile and from what it was when the tariff came into force:
what a power cut takes is booked again.

A day's standing charge is of the tariff that is in force when the day begins. The cost of today and of this month
begins at midnight, or when the first tariff, or the tenant, came after that; then, and while energy has no price, it
is the "known cost" on the display.

Format   JSON in a two-slot record "tariff-use", saved once a day, at a change and when the hub is put away:
         {h: which tariff it is booked by: the first 8 bytes of the SHA-256 of its record, hex, since: of that tariff,
         good: end of the last interval that a reading is known of, reading: Wh or null, wh: [registers], unassigned,
         used: [of the blocks], until: when they begin anew, day, month: [start, e5 under earlier tariffs, net, whole]}
         "tariff-base", as it was when the tariff came into force: the same without day and month
"""

import hashlib
import json

from micropython import const

from .codec.load_profile import EXCHANGED, MEASURED
from .codec.rates import Rates
from .codec.tariff_use import Use
from .errors import HubError
from .store import tariffs

_IMPORT = "1-0:1.8.0"
PARTS = ("tariff_desk", "store.tariffs", "codec.rates", "codec.tariff_use", "codec.billing_calendar")
_SETTLED_S = const(600)  # an interval that is not there so long after its end will not come any more
_SLICE = const(96)  # intervals booked at a time


class Cost:
    """What a day or a month costs since `start`. e5: under earlier tariffs; net: under this one; whole: it is all."""

    def __init__(self, start: int, e5: int = 0, net: int = 0, whole: bool = True) -> None:
        self.start, self.e5, self.net, self.whole = start, e5, net, whole

    def add(self, start: int, stop: int, net: "int | None") -> None:
        """Take the net amount of energy from start to stop, None when it has none."""
        if stop <= self.start:
            return
        if net is None or start < self.start:
            self.whole = False
        else:
            self.net += net

    def amount(self, rates: Rates, since: int, now: int, net: int = 0) -> int:
        """Return e5 with the standing charge. since: when the tariff came; net: not booked yet"""
        days = rates.midnights(max(self.start, since), now)
        return self.e5 + rates.amount(self.net + net + days * rates.standing_net, 5)

    def json(self) -> list:
        """Return what Cost(*...) is made of."""
        return [self.start, self.e5, self.net, self.whole]


def open_for(hub) -> "TariffDesk | None":
    """Return the TariffDesk of a hub (app.Hub), None when it has no tariff."""
    kept = tariffs.load(hub.record(tariffs.IN_FORCE))
    return None if kept is None else TariffDesk(hub, kept)


class TariffDesk:
    """kept: the store.tariffs.Kept in force; rates: it, at work; registers, unassigned: Wh.

    good: until when all that was measured is booked.
    """

    def __init__(self, hub, kept) -> None:
        self._hub = hub
        self._column = -1
        for i, column in enumerate(hub.profile.columns):
            if column.obis == _IMPORT:
                self._column = i
        self._open(kept)

    def _open(self, kept):
        """Take up what the records hold."""
        self.kept = kept
        self.rates = Rates(kept.raw)
        self._old = None  # Kept: the tariff before, while that is booked by
        self._looked = None
        self._unsaved = False
        self._said = None  # what the display's rate was made from
        state = self._json(tariffs.USE)
        base = self._json(tariffs.BASE)
        if state is None or not self._is_known(state["h"]):
            state = base if base is not None and base["h"] == _hash(kept) else None
        if state is None:
            first = kept.since - self._hub.profile.interval_s
            state = {"since": kept.since, "good": first, "reading": None, "wh": [], "unassigned": 0}
        self._resume(state)

    def _is_known(self, h):
        """Look whether it is the tariff in force, or the one before, that the registers were booked by."""
        if h == _hash(self.kept):
            return True
        old = tariffs.load(self._hub.record(tariffs.OLD))
        if old is None or _hash(old) != h:
            return False
        self._old = old
        return True

    def _resume(self, state):
        rates = self.rates if self._old is None else Rates(self._old.raw)
        self._since = state["since"]
        self.good, self._reading = state["good"], state["reading"]
        self._at = self.good  # all intervals until then were looked at
        self.registers, self.unassigned = state["wh"], state["unassigned"]
        self._use = self._use_of(rates)
        if state.get("used"):
            self._use.used, self._use.until = state["used"], state["until"]
        self._day = Cost(*state.get("day", (0,)))
        self._month = Cost(*state.get("month", (0,)))

    def _use_of(self, rates):
        use = Use(rates, self._hub.profile.interval_s)
        self.registers.extend([0] * (rates.bands - len(self.registers)))
        use.wh = self.registers
        return use

    def _json(self, name):
        raw = self._hub.record(name).load()
        return json.loads(raw) if raw else None

    def save(self) -> None:
        """Keep the registers and costs. OSError of the file system."""
        self._hub.record(tariffs.USE).save(self._state())

    def _state(self):
        state = self._base(self._old or self.kept)
        state.update({"day": self._day.json(), "month": self._month.json()})
        return json.dumps(state).encode()

    def _base(self, kept):
        state = {"h": _hash(kept), "since": self._since, "good": self.good, "reading": self._reading}
        state.update({"wh": self.registers, "unassigned": self.unassigned})
        state.update({"used": self._use.used, "until": self._use.until})
        return state

    # -- a new tariff ------------------------------------------------------------------------------------------

    def put_in_force(self, kept: tariffs.Kept, commit=None) -> None:
        """Let a tariff count from kept.since on: it, or the one before, is what a power cut leaves.

        It must be one that codec/tariff_use.py can book intervals of the profile by. commit: as of tariffs.change()

        HubError BUSY while the intervals before the last change have not come yet.
        """
        if self._old is not None and self.kept.since != kept.since:
            raise HubError("BUSY", "tariff")
        contents = [(tariffs.IN_FORCE, tariffs.blob(kept)), (tariffs.USE, self._state())]
        if self._old is None:
            contents.append((tariffs.OLD, tariffs.blob(self.kept)))
        tariffs.change(self._hub, contents, commit)
        self._open(kept)

    def _change_over(self):
        """All intervals before the tariff in force are booked: go on with it."""
        day, month = self._day, self._month
        old = self._use.rates
        for cost in (day, month):
            cost.e5 = cost.amount(old, self._since, self.kept.since - 1)
            cost.net = 0
        self._since = self.kept.since
        before, self._use = self._use, self._use_of(self.rates)
        if (old.kind, old.blocks, old.bands) == (self.rates.kind, self.rates.blocks, self.rates.bands):
            self._use.used, self._use.until = before.used, before.until  # other prices only: the blocks go on
        self._old = None
        base = json.dumps(self._base(self.kept)).encode()
        tariffs.change(self._hub, ((tariffs.BASE, base), (tariffs.USE, self._state())))

    # -- once a second -----------------------------------------------------------------------------------------

    def tick(self, now: int) -> None:
        """Book what has come, and tell the display, when an interval was closed or a minute has passed."""
        key = (self._hub.profile.last, now // 60)
        if not now or key == self._looked:
            return
        self._looked = key
        self._unsaved = self._roll(now) or self._unsaved
        try:
            if self._book(now):
                self._looked = None
            elif self._unsaved:
                self._unsaved = False
                self.save()
        except OSError as err:  # the flash is full or broken: it is booked all the same
            self._hub.journal.add("event", "RECORD_FAILED", "tariff %s" % (err.args[:1],))
        self._show(now)

    def _roll(self, now):
        """Begin the day's and the month's cost anew when they have ended; return whether the day has."""
        zone, moved_in = self._hub.zone, self._hub.profile.since
        starts = []
        for begins, cost in ((zone.day_start, self._day), (zone.month_start, self._month)):
            start = begins(now)
            tenant = moved_in if start < moved_in <= now else start
            goes_on = cost.start >= tenant and begins(cost.start) == start
            starts.append(cost if goes_on else self._anew(tenant, start, cost.start))
        is_new_day = starts[0] is not self._day
        self._day, self._month = starts
        return is_new_day

    def _anew(self, start, midnight, before):
        """Return a Cost from `start` on; it is not whole when the first tariff came later or the clock went back."""
        whole = start == midnight and before <= start and (self._since <= start or self._old is not None)
        return Cost(start, 0, 0, whole)

    def _book(self, now):
        """Book the intervals that have come; return whether there are more."""
        profile = self._hub.profile
        step = profile.interval_s
        stop = max(profile.last or 0, (now - _SETTLED_S) // step * step)
        if self._at > max(stop, now):  # the clock was ahead
            self._at = self.good
        if self._old is not None:
            stop = max(self._at, min(stop, self.kept.since))
        end = min(stop, self._at + _SLICE * step)
        if end > self._at:
            for entry in profile.read(self._at + step, end, None, 0):
                self._take(entry, step)
            self._at = end
        if self._old is not None and self._at >= self.kept.since:
            self._change_over()
            return True
        return end < stop

    def _take(self, entry, step):
        value = entry.values[self._column]
        if entry.quality == EXCHANGED:
            self._lose(entry.at)
        elif entry.quality == MEASURED and value is not None:
            before, start = self._reading, self.good
            self.good, self._reading = entry.at, value
            if before is None or value < before:  # what was used is not known
                self._tell(start, entry.at, None)
            else:
                self._tell(start, entry.at, self._net_of(start, entry.at, value - before, step))

    def _lose(self, at):
        self._tell(self.good, at, None)
        self.good, self._reading = at, None

    def _net_of(self, start, stop, wh, step):
        """Book energy; return its net amount, None when it has none."""
        use = self._use
        if start < self._since:  # two tariffs have counted for it
            self.unassigned += wh
            return None if wh else 0
        if stop - start == step:
            return use.book(start, wh)
        net = use.book_gap(start, stop, wh)
        self.unassigned += use.unassigned_wh
        use.unassigned_wh = 0
        return net

    def _tell(self, start, stop, net):
        self._day.add(start, stop, net)
        self._month.add(start, stop, net)

    # -- the display -------------------------------------------------------------------------------------------

    def _show(self, now):
        hub, rates = self._hub, self.rates
        model = hub.model
        band = rates.band_at(now)
        export = rates.export_price(band)
        if export is not None:
            model.export_price_e5 = rates.price_e5(export, False)
        model.price_e5, model.currency = self.price_e5(now), rates.currency
        if self._said != (band, now // 3600):
            self._said = (band, now // 3600)
            self._show_rate(now, band)
        net = self._open_net(now, model.import_wh)
        since = self._since
        rates = self._use.rates
        model.today_cost = (self._day.amount(rates, since, now, net or 0), self._day.whole and net is not None)
        model.month_cost = (self._month.amount(rates, since, now, net or 0), self._month.whole and net is not None)

    def price_e5(self, now: int) -> int:
        """Return what the next kWh costs, with tax."""
        band = self.rates.band_at(now)
        used = self._use.used[band] if self._old is None and self._use.used else 0
        return self.rates.price_e5(self.rates.price(band, used))

    def _show_rate(self, now, band):
        """Say which rate it is, until when, and the standing charge."""
        hub, rates = self._hub, self.rates
        name, until = "", ""
        if rates.bands > 1:
            name = rates.name(band)
            change = rates.next_change(now)
            if change is not None and change - now < 86400:
                until = "until %02d:%02d" % hub.zone.local(change)[3:5]
        hub.model.rate = name
        hub.model.tariff = (rates.id, until, rates.amount(rates.standing_net, 5))

    def _open_net(self, now, newest):
        """Return the net amount of what was used since the last reading that is booked, None when it is not known."""
        wh = 0 if newest is None or self._reading is None else newest - self._reading
        if self._old is not None or wh <= 0:
            return 0
        if now - self.good > self._hub.profile.interval_s + _SETTLED_S:
            return None
        return self._use.cost_of(self.good, wh)


def _hash(kept):
    """Return by what a tariff in a record is known: its digest and since when it counts."""
    return "".join(["%02x" % byte for byte in hashlib.sha256(tariffs.blob(kept)).digest()[:8]])
