"""A tariff at work: which band and price count when, and what energy costs by them, exactly.

Source   codec/tariff.py: the packed form that this reads, and what every field of it means
Units    times: Unix seconds UTC; energies Wh. A price: 10^scale of the currency's unit for a kWh, without tax.
         A net amount: units of 10^-digits of the currency, in which nothing is lost; `digits` is the tariff's own
Memory   the packed bytes (100 to 600; at most 2805), and what was last looked up
Errors   none: what is packed was checked by codec/tariff.py
Runs on  both
"""

import struct

from micropython import const

from . import calendar
from .billing_calendar import next_period_start, period_start
from .timezone import Zone

LINEAR, BLOCK, STEPS = 0, 1, 2
HEAD = "<BBBBBHBI3sBBBBBBIBBBBBB"
HEAD_BYTES = const(31)
NO_LIMIT = const(0xFFFFFFFF)
_DAY_S = const(86400)
_FAR = const(8)  # days that next_change() looks ahead


class Rates:
    """The packed tariff `raw`."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        head = struct.unpack_from(HEAD, raw, 0)
        self.kind = head[1]
        self.interval_s = 900 * head[2]
        self.round = head[4]  # decimals of an amount
        self.tax_bp = head[5]
        self.currency = str(head[8], "utf-8")
        self.billing = tuple(head[9:12])  # billing_calendar.py
        self.blocks = tuple(head[12:15])
        self.begins = head[15]
        self.bands, self.exports, self._seasons, self._weeks, self._days, self._special = head[16:22]
        energy_digits = 3 + head[3]  # a price counts for a kWh, energy is in Wh
        self.digits = max(energy_digits, head[6])
        self._factor = 10 ** (self.digits - energy_digits)
        self.standing_net = head[7] * 10 ** (self.digits - head[6])  # for a day
        self._price_digits = head[3]
        self._places = HEAD_BYTES + 3 * self._seasons + 7 * self._weeks + 5 * self._special
        self._switches = self._places + 2 * self._days + 2
        self._prices = self._switches + 2 * struct.unpack_from("<H", raw, self._switches - 2)[0]
        self._export = self._prices + self.bands * (28 if self.kind else 4)
        self.zone = Zone(self._text(1))
        self._day = self._profile = -1  # a local day and the number of its day profile
        self._start, self._stop, self._band = 0, 0, 0  # the interval that was looked up last, and its band

    @property
    def id(self) -> str:
        """The supplier's name of the tariff."""
        return self._text(0)

    def name(self, band: int) -> str:
        """Return the name of a band."""
        return self._text(2 + band)

    def _text(self, number):
        at = self._export + 4 * self.exports
        for _ in range(number):
            at += 1 + self._raw[at]
        return str(self._raw[at + 1 : at + 1 + self._raw[at]], "utf-8")

    # -- bands -------------------------------------------------------------------------------------------------

    def band_at(self, utc: int) -> int:
        """Return the number of the band of the interval that `utc` lies in."""
        if not self._start <= utc < self._stop:
            start = utc - utc % self.interval_s
            local = start + self.zone.offset_s(start)
            if local // _DAY_S != self._day:
                self._day = local // _DAY_S
                self._profile = self._profile_of(self._day)
            self._band = self._band_of(self._profile, local % _DAY_S // 900)
            self._start, self._stop = start, start + self.interval_s
        return self._band

    def _profile_of(self, day):
        """Return the number of the day profile of a local day, counted from 1970."""
        year, month, of_month = calendar.date(day)
        raw = self._raw
        at = HEAD_BYTES + 3 * self._seasons + 7 * self._weeks
        found = -1
        for _ in range(self._special):
            if raw[at + 2] == month and raw[at + 3] == of_month:
                only = raw[at] | raw[at + 1] << 8
                if only == year:
                    return raw[at + 4]
                if not only:
                    found = raw[at + 4]
            at += 5
        if found >= 0:
            return found
        at = HEAD_BYTES
        week = raw[at + 3 * self._seasons - 1]  # last year's last season goes on
        for _ in range(self._seasons):
            if (raw[at], raw[at + 1]) <= (month, of_month):
                week = raw[at + 2]
            at += 3
        return raw[at + 7 * week + calendar.weekday(day)]

    def _band_of(self, profile, quarter):
        """Return the band of a quarter of an hour of a day profile."""
        first, end = struct.unpack_from("<HH", self._raw, self._places + 2 * profile)
        while end - first > 1:  # the last switch that is not later
            middle = (first + end) // 2
            if self._switch(middle) >> 6 <= quarter:
                first = middle
            else:
                end = middle
        return self._switch(first) & 63

    def _switch(self, number):
        at = self._switches + 2 * number
        return self._raw[at] | self._raw[at + 1] << 8

    def next_change(self, utc: int) -> "int | None":
        """Return when the band changes next; None when it does not within eight days."""
        band = self.band_at(utc)
        at = utc - utc % self.interval_s
        for _ in range(_FAR * _DAY_S // self.interval_s):
            at += self.interval_s
            if self.band_at(at) != band:
                return at
        return None

    # -- prices ------------------------------------------------------------------------------------------------

    def price(self, band: int, used_wh: int = 0) -> int:
        """Return what the next Wh costs in a band.

        used_wh: what was used in the band before, in the period of the blocks or in the interval.
        """
        if not self.kind:
            return struct.unpack_from("<i", self._raw, self._prices + 4 * band)[0]
        numbers = self._numbers(band)
        for i in (4, 5, 6):
            if used_wh < numbers[i]:
                return numbers[i - 4]
        return numbers[3]

    def price_at(self, utc: int, used_wh: int = 0) -> int:
        """Return what the next Wh costs at `utc`. used_wh: as in price()"""
        return self.price(self.band_at(utc), used_wh)

    def export_price(self, band: int) -> "int | None":
        """Return what is paid for what is fed in, None when nothing is said of it."""
        if not self.exports:
            return None
        return struct.unpack_from("<i", self._raw, self._export + 4 * (band if self.exports > 1 else 0))[0]

    def _numbers(self, band):
        """Return the four prices and the three limits of a band."""
        return struct.unpack_from("<4i3I", self._raw, self._prices + 28 * band)

    def steps(self, band: int) -> list:
        """Return [(price, up to how many Wh), ...] of a band, 0 for the last: it counts beyond."""
        if not self.kind:
            return [(self.price(band), 0)]
        numbers = self._numbers(band)
        found = [(numbers[i], numbers[4 + i]) for i in (0, 1, 2) if numbers[4 + i] != NO_LIMIT]
        return found + [(numbers[len(found)], 0)]

    def charge(self, band: int, wh: int, used_wh: int = 0) -> int:
        """Return the net amount of `wh` in a band. used_wh: as in price()"""
        if not self.kind:
            return wh * self.price(band) * self._factor
        numbers = self._numbers(band)
        net = low = 0
        for i in (0, 1, 2, 3):
            high = numbers[4 + i] if i < 3 else used_wh + wh
            part = min(high, used_wh + wh) - max(low, used_wh)
            if part > 0:
                net += part * numbers[i]
            low = high
        return net * self._factor

    def income(self, band: int, wh: int) -> int:
        """Return the net amount that is paid for `wh` fed in."""
        return wh * (self.export_price(band) or 0) * self._factor

    # -- amounts -----------------------------------------------------------------------------------------------

    def amount(self, net: int, decimals: "int | None" = None, taxed: bool = True) -> int:
        """Return a net amount with tax, rounded to `decimals` (the tariff's own), half away from zero.

        The one place where anything is rounded.
        """
        decimals = self.round if decimals is None else decimals
        gross = net * (10000 + (self.tax_bp if taxed else 0))
        digits = self.digits + 4 - decimals
        return _rounded(gross, 10**digits)

    def price_e5(self, price: int, taxed: bool = True) -> int:
        """Return a price with tax for people: 1/100000 of the currency's unit for a kWh."""
        gross = price * (10000 + (self.tax_bp if taxed else 0)) * 100000
        return _rounded(gross, 10 ** (self._price_digits + 4))

    # -- periods -----------------------------------------------------------------------------------------------

    def blocks_end(self, utc: int) -> int:
        """Return when what was used in the blocks begins anew after `utc`."""
        return next_period_start(self.zone, self.blocks, utc)

    def blocks_start(self, utc: int) -> int:
        """Return since when it has been counted at `utc`."""
        return period_start(self.zone, self.blocks, utc)

    def midnights(self, start: int, stop: int) -> int:
        """Return how many local days begin from `start` to `stop`, both included."""
        zone = self.zone
        if stop < start:
            return 0
        first, last = start - 1, stop
        return (last + zone.offset_s(last)) // _DAY_S - (first + zone.offset_s(first)) // _DAY_S


def _rounded(value, unit):
    if value < 0:
        return -((-value + unit // 2) // unit)
    return (value + unit // 2) // unit
