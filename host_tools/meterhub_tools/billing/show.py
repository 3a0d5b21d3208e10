"""Bills and disclosures as people read them, and as machines do: the customer's view and the supplier's.

Units    Unix seconds UTC; Wh; amounts in units of the tariff's last decimal
Errors   Refused BILL_BATCHES, BILL_TARIFF, FEE for a bill that is not of this house and tariff
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import firmware  # noqa: F401 - puts the firmware's package on the path
from . import rules
from .prover import House
from .refusals import Refused

from meterhub.codec import bill as forms  # isort: skip
from meterhub.codec import base32, tariff  # isort: skip
from meterhub.codec.rates import Rates  # isort: skip
from meterhub.codec.tariff_use import Bill, bill  # isort: skip

_HIDDEN = "not seen"
_SHOWN_BYTES = 8  # of a commitment's 33


def hub_name(hub: bytes) -> str:
    """Return a hub's id as its display has it."""
    return str(base32.encode(hub))


def money(amount: int, rates: Rates) -> str:
    """Return an amount with its currency."""
    sign = "-" if amount < 0 else ""
    whole, rest = divmod(abs(amount), 10**rates.round)
    return f"{sign}{whole}" + (f".{rest:0{rates.round}}" if rates.round else "") + f" {rates.currency}"


def wall(rates: Rates, at: int) -> str:
    """Return a time as it is on the wall at the tariff's place."""
    year, month, day, hour, minute = rates.zone.local(at)[:5]
    return f"{year}-{month:02}-{day:02} {hour:02}:{minute:02}"


def clear(house: House, rates: Rates) -> Bill:
    """Return the bill of a house computed in the clear, of what was used within its days."""
    rows = [
        (row.start, row.stop, row.imported[0], row.exported[0] if row.exported else None)
        for row in house.rows
        if row.start >= house.start
    ]
    return bill(rates, rows, house.step_s)


# -- a bill ------------------------------------------------------------------------------------------------------


def facts(said: forms.Bill, rates: Rates) -> dict[str, Any]:
    """Return a bill for machines."""
    found: dict[str, Any] = {"hub": hub_name(said.hub), "chain": said.chain.hex(), "tariff": rates.id}
    for name in ("start", "stop", "days", "gaps", "unpriced_wh", "unpaid_wh", "energy", "standing", "total", "income"):
        found[name] = getattr(said, name)
    found |= {"decimals": rates.round, "currency": rates.currency, "net": said.net, "income_net": said.income_net}
    return found | {"digits": rates.digits, "totals_wh": list(said.totals), "nonce": said.nonce.hex()}


def period(said: forms.Bill, rates: Rates) -> str:
    """Return what a bill is about, in a line."""
    return f"{wall(rates, said.start)} to {wall(rates, said.stop)} ({said.days} days), by {rates.id}"


def amounts(said: forms.Bill, rates: Rates) -> list[tuple[str, str]]:
    """Return the amounts of a bill: what, how much."""
    found = [("energy", money(said.energy, rates)), (f"{said.days} days standing charge", money(said.standing, rates))]
    found.append(("total, with tax", money(said.total, rates)))
    if rates.exports:
        found.append(("paid for what was fed in", money(said.income, rates)))
    return found


def summary(said: forms.Bill, rates: Rates) -> list[str]:
    """Return a bill for people."""
    rows = amounts(said, rates)
    width = max(len(amount) for _, amount in rows)
    return [period(said, rates), *(f"  {what:<28} {amount:>{width}}" for what, amount in rows)]


# -- both views --------------------------------------------------------------------------------------------------


class Views:
    """A bill as its customer has it, beside what its supplier sees."""

    def __init__(self, house: House, signed_tariff: bytes, raw: bytes) -> None:
        self.house, self.said = house, forms.bill_of(raw)
        packed = forms.tariff_of(signed_tariff).raw
        self.rates = Rates(packed)
        self.clear = clear(house, self.rates)
        if self.said.digest != house.digest():
            raise Refused("BILL_BATCHES")
        if self.said.tariff != tariff.digest(packed):
            raise Refused("BILL_TARIFF")
        if self.said.net != sum(self.clear.net):
            raise Refused("FEE")
        self.commitments = [point for one in house.batches for point in one.energy()]

    def facts(self) -> dict[str, Any]:
        """Return both views for machines."""
        said, rates = self.said, self.rates
        bands = [
            {"name": rates.name(i), "wh": self.clear.wh[i], "amount": rates.amount(self.clear.net[i])}
            for i in range(rates.bands)
        ]
        readings = [
            {"start": row.start, "stop": row.stop, "wh": row.imported[0], "wh_fed": row.exported and row.exported[0]}
            for row in self.house.rows
        ]
        theirs = {"commitments": [point.hex() for point in self.commitments]} | facts(said, rates)
        return {"yours": {"bands": bands, "readings": readings}, "theirs": theirs}

    def lines(self, most: int) -> list[str]:
        """Return both views for people, with the first `most` readings."""
        rows = [("", "WHAT YOU HAVE", "WHAT THE SUPPLIER SEES"), *self._readings(most)]
        rows += [*self._bands(), *((what, amount, amount) for what, amount in amounts(self.said, self.rates))]
        rows.append(("intervals without a reading", str(self.said.gaps), str(self.said.gaps)))
        if self.said.unpriced_wh:
            wh = f"{self.said.unpriced_wh} Wh"
            rows.append(("used over gaps, no price", wh, wh))
        return [period(self.said, self.rates), *table(rows)]

    def _readings(self, most: int) -> list[tuple[str, str, str]]:
        rows = []
        for row, point in list(zip(self.house.rows, self.commitments, strict=True))[:most]:
            shown = f"{point[:_SHOWN_BYTES].hex()}..."
            rows.append((wall(self.rates, row.start), f"{row.imported[0]} Wh", shown))
        more = len(self.house.rows) - most
        if more > 0:
            rows.append((f"... and {more} more", "readings", "commitments"))
        return rows

    def _bands(self) -> list[tuple[str, str, str]]:
        rates, shown = self.rates, self._shown()
        rows = []
        for band in range(rates.bands):
            cost = money(rates.amount(self.clear.net[band]), rates)
            seen = f"{shown[band] / 1000:.3f} kWh" if shown else _HIDDEN
            rows.append((rates.name(band), f"{self.clear.wh[band] / 1000:.3f} kWh, {cost}", seen))
        return rows

    def _shown(self) -> list[int]:
        """Return what the supplier sees of each band; nothing where it sees nothing."""
        bands, totals = self.rates.bands, self.said.totals
        return [sum(totals[band::bands]) for band in range(bands)] if totals else []


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows in columns; all but the first one to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(
            f"{cell:>{width}}" if i else f"{cell:<{width}}"
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]


# -- a disclosure ------------------------------------------------------------------------------------------------


def disclosure_facts(said: forms.Disclosure) -> dict[str, Any]:
    """Return a disclosure for machines."""
    found = {"hub": hub_name(said.hub), "chain": said.chain.hex(), "kind": ("total", "never above")[said.kind]}
    found |= {"direction": ("imported", "fed in")[said.direction], "nonce": said.nonce.hex()}
    return found | {"start": said.start, "stop": said.stop, "wh": said.wh, "gaps": said.gaps}


def sentence(said: forms.Disclosure) -> str:
    """Return what a disclosure says."""
    way, when = ("imported", "fed in")[said.direction], rules.span(said.start, said.stop)
    if said.kind == forms.TOTAL:
        return f"{way} from {when}: {said.wh / 1000:.3f} kWh"
    return f"never more than {said.wh} Wh {way} in an interval from {when}"


def given(entry: rules.Entry) -> tuple[str, str, str, str]:
    """Return a line of the ledger for people."""
    what = entry.what + (" fed in" if entry.export else "") + (f" {entry.wh} Wh" if entry.wh else "")
    return (rules.moment(entry.at), what, rules.span(entry.start, entry.stop), entry.to)
