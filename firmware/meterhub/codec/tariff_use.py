"""Energy booked to the bands of a tariff, interval by interval, and what it costs; what cannot be told stays apart.

Units    Unix seconds UTC; Wh; net amounts: rates.py
Memory   a number for each band, two of a tariff of blocks
Errors   HubError INVALID_VALUE "interval_s": the tariff cannot be told from intervals of this length
Runs on  both

An interval is booked to the band that it begins in. Where readings are missing, only how much was used in all is
known: that is booked to a band when nothing but that band's price can have counted for it; else it is unassigned, has
no price, and is told. Nothing is ever shared out by a guess.
"""

from collections import namedtuple

from micropython import const

from ..errors import HubError
from .rates import BLOCK, STEPS, Rates

_LOOK_S = const(691200)  # how far Rates.next_change() looks

# start, stop: Unix s; wh, net: of each band; unpriced_wh: unassigned; gaps: intervals of which nothing is known;
# days: local days that begin between start and stop; energy, standing, total: with tax, each rounded alone;
# export_wh, income: what was fed in and what is paid for it, without tax, no part of total; unpaid_wh: the part of
# export_wh whose price cannot be told
Bill = namedtuple(
    "Bill",
    (
        "start",
        "stop",
        "wh",
        "net",
        "unpriced_wh",
        "gaps",
        "days",
        "energy",
        "standing",
        "total",
        "export_wh",
        "income",
        "unpaid_wh",
    ),
)


class Use:
    """What was used under a tariff, from intervals of `interval_s`.

    wh: of each band; unassigned_wh; used: of a tariff of blocks, in each band since the blocks began anew; until: when
    they do again. All of it may be set to what it was before.
    """

    def __init__(self, rates: Rates, interval_s: int) -> None:
        if rates.interval_s % interval_s or (rates.kind == STEPS and rates.interval_s != interval_s):
            raise HubError("INVALID_VALUE", "interval_s")
        self.rates = rates
        self.wh = [0] * rates.bands
        self.unassigned_wh = 0
        self.used = [0] * (rates.bands if rates.kind == BLOCK else 0)
        self.until = 0

    def book(self, start: int, wh: int) -> int:
        """Book an interval that began at `start`; return its net amount."""
        rates = self.rates
        band = rates.band_at(start)
        self.wh[band] += wh
        if rates.kind != BLOCK:
            return rates.charge(band, wh)
        self._look_at_blocks(start)
        before = self.used[band]
        self.used[band] += wh
        return rates.charge(band, wh, before)

    def book_gap(self, start: int, stop: int, wh: int) -> "int | None":
        """Book what was used in several intervals together; return its net amount, None when it is unassigned."""
        if self._is_plain(start, stop):
            return self.book(start, wh)
        self.unassigned_wh += wh
        return None

    def cost_of(self, start: int, wh: int) -> int:
        """Return the net amount that book() would, and book nothing."""
        rates = self.rates
        band = rates.band_at(start)
        before = self.used[band] if rates.kind == BLOCK and start < self.until else 0
        return rates.charge(band, wh, before)

    def _look_at_blocks(self, start):
        if start >= self.until:
            self.used = [0] * self.rates.bands
            self.until = self.rates.blocks_end(start)

    def _is_plain(self, start, stop):
        """Return whether it makes no difference when in these intervals the energy was used."""
        rates = self.rates
        if rates.kind == STEPS:
            return False
        if rates.kind == BLOCK and stop > rates.blocks_end(start):
            return False
        if rates.bands == 1:
            return True
        change = rates.next_change(start)
        return stop <= (start + _LOOK_S if change is None else change)


def bill(rates: Rates, series, interval_s: int) -> Bill:
    """Return the Bill of a series of (start, end, Wh, Wh fed in), in rising order; None for what is not known.

    Each is an interval, or several of which only the whole is known. What the series leaves out is a gap. Blocks are
    counted from the first interval on. HubError INVALID_VALUE "at": a time that is no interval's, or not in order.
    """
    use = Use(rates, interval_s)
    net = [0] * rates.bands
    first = stop = gaps = export_wh = unpaid_wh = paid = 0
    for start, end, wh, fed_wh in series:
        if start < stop or end <= start or start % interval_s or end % interval_s:
            raise HubError("INVALID_VALUE", "at")
        first = first or start
        gaps += (start - (stop or start)) // interval_s
        stop = end
        band = rates.band_at(start)
        if wh is None:
            gaps += (end - start) // interval_s
        elif end - start == interval_s:
            net[band] += use.book(start, wh)
        else:
            net[band] += use.book_gap(start, end, wh) or 0
        if fed_wh:
            export_wh += fed_wh
            if end - start == interval_s or rates.exports < 2:
                paid += rates.income(band, fed_wh)
            else:
                unpaid_wh += fed_wh
    days = rates.midnights(first, stop - 1) if stop else 0
    energy, standing = sum(net), days * rates.standing_net
    found = [first, stop, use.wh, net, use.unassigned_wh, gaps, days]
    found += [rates.amount(energy), rates.amount(standing), rates.amount(energy + standing)]
    return Bill(*(found + [export_wh, rates.amount(paid, None, False), unpaid_wh]))
