"""Which tariffs and bills a customer's side accepts: none by which a fee would be a reading.

Source   README.md, "What a tariff can be used for"
Errors   Refused TARIFF_BANDS, TARIFF_BAND_TIME, TARIFF_PRICES, TARIFF_LATE, SECOND_BILL, OVERLAP

The fee of a bill is one exact number: by prices of its own choice whoever set them can read from it what was used at
each price, but nothing more. So what must be bounded is how many prices there are, and how little can be behind one.
Prover and verifier both look at these rules; the ledger is the customer's alone.
"""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from .. import firmware  # noqa: F401 - puts the firmware's package on the path
from ..errors import ToolError
from .refusals import Refused

from meterhub.codec.rates import BLOCK, STEPS, Rates  # isort: skip

MOST_PRICES = 6  # bands; where the price depends on the use in an interval, its pieces
LEAST_INTERVALS = 4  # of a band, on each of
LEAST_DAYS = 7
MOST_RATIO = 20  # of the dearest price to the cheapest
_DAY_S = 86400

Priced = tuple[int, int, int]  # start of an interval, the period of the blocks it counts in, band


def check_terms(rates: Rates, signed_at: int, start: int) -> None:
    """Refuse a tariff that was not there before the period began."""
    if signed_at > start or rates.begins > start:
        raise Refused("TARIFF_LATE")


def check_tariff(rates: Rates, priced: Iterable[Priced]) -> None:
    """Refuse a tariff by which a fee over these intervals would show too much.

    In each period of its blocks each band that counts at all has to do so on LEAST_DAYS days for LEAST_INTERVALS.
    """
    days: dict[tuple[int, int], dict[int, int]] = {}
    for start, block, band in priced:
        of_band = days.setdefault((block, band), {})
        day = (start + rates.zone.offset_s(start)) // _DAY_S
        of_band[day] = of_band.get(day, 0) + 1
    bands = sorted({band for _, band in days})
    _check_prices([price for band in bands for price, _ in rates.steps(band)])
    if rates.exports:
        _check_prices([rates.export_price(band) or 0 for band in bands])
    count = sum(len(rates.steps(band)) for band in bands) if rates.kind == STEPS else len(bands)
    if count > MOST_PRICES:
        raise Refused("TARIFF_BANDS", f"{count}, at most {MOST_PRICES}")
    for (_, band), counts in days.items():
        enough = sum(count >= LEAST_INTERVALS for count in counts.values())
        if enough < LEAST_DAYS:
            raise Refused("TARIFF_BAND_TIME", f"{rates.name(band)}, {enough} days")


def _check_prices(prices: list[int]) -> None:
    if len(set(prices)) > 1 and min(prices) * MOST_RATIO < max(prices):  # with 0 or less it always is
        raise Refused("TARIFF_PRICES", f"{min(prices)} to {max(prices)}")


def told(rates: Rates, opened: bool = True) -> list[str]:
    """Return what a bill by this tariff lets the supplier know, in plain words: for the customer to agree to.

    opened: whether the totals of blocks are in the bill.
    """
    names = ", ".join(rates.name(band) for band in range(rates.bands))
    found = ["the fee, exactly: from it may be worked out at most what was used at each price: " + names]
    if rates.kind == BLOCK and opened:
        found.append("how much was used at each price, in each period of the blocks: this is in the bill")
    if rates.kind == STEPS:
        found.append("of each price with steps: how much energy lay above each step, added up over the period")
    if rates.exports:
        found.append("what is paid for the energy fed in, exactly")
    return [*found, "which intervals have no reading, and how much energy has no price for that"]


@dataclass(frozen=True)
class Entry:
    """Something that was given away. what: "bill", "total" or "never above"; to: for whom; tariff: digest in hex.

    wh: the limit of a "never above", else 0.
    """

    what: str
    hub: str
    start: int
    stop: int
    tariff: str
    to: str
    at: int
    export: bool = False
    wh: int = 0


class Ledger:
    """What the customer has given away, so that a second bill cannot be played off against the first one."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.entries = list(entries)

    def check_bill(self, hub: bytes, start: int, stop: int, tariff: bytes) -> None:
        """Refuse a bill that overlaps another one, unless it is that very bill again."""
        for one in self.entries:
            if one.what != "bill" or one.hub != hub.hex() or one.stop <= start or stop <= one.start:
                continue
            if (one.start, one.stop, one.tariff) != (start, stop, tariff.hex()):
                raise Refused("SECOND_BILL", f"{span(one.start, one.stop)}, to {one.to}")

    def check(self, what: str, hub: bytes, start: int, stop: int, export: bool = False, wh: int = 0) -> None:
        """Refuse what overlaps something else that was given away, so that both would show more than either.

        Totals and bills would by their difference; "never above" with another limit would narrow a reading down.
        """
        for one in self.entries:
            if one.hub != hub.hex() or not _meet(one, start, stop) or one.what == what == "bill":
                continue
            if (one.what == "never above") != (what == "never above"):
                continue
            if "bill" not in (one.what, what) and one.export != export:
                continue
            if (one.start, one.stop, one.wh) != (start, stop, wh):
                raise Refused("OVERLAP", f"the {one.what} of {span(one.start, one.stop)}, to {one.to}")

    def shows(self, what: str, hub: bytes, start: int, stop: int, export: bool = False) -> list[str]:
        """Return what would be seen from something new together with what was given away before."""
        found = []
        for one in self.entries:
            if one.hub != hub.hex() or "never above" in (what, one.what) or not _meet(one, start, stop):
                continue
            if one.what == what == "total" and one.export != export:
                continue
            for first, last in {tuple(sorted((start, one.start))), tuple(sorted((stop, one.stop)))}:
                if first < last:
                    found.append(f"what lies from {span(first, last)}, beside the {one.what} that {one.to} has")
        return sorted(set(found))

    def add(self, entry: Entry) -> None:
        """Write down what was given away."""
        self.entries.append(entry)

    def save(self, path: Path) -> None:
        """Write all of it to a file, which its owner alone can read; there is never half of it."""
        draft = path.with_name(path.name + ".new")
        try:
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
                json.dump([asdict(entry) for entry in self.entries], file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except OSError as error:
            raise ToolError(f"{path}: {error.strerror}; name another place with --ledger") from None

    @classmethod
    def load(cls, path: Path) -> Ledger:
        """Return what save() wrote, an empty one where there is no file; ToolError for another file."""
        if not path.exists():
            return cls()
        try:
            found = json.loads(path.read_text(encoding="ascii"))
            if not isinstance(found, list):
                raise TypeError
            return cls(Entry(**one) for one in found)
        except OSError as error:
            raise ToolError(f"{path}: {error.strerror}") from None
        except (ValueError, TypeError, AttributeError):
            raise ToolError(f"{path} is no ledger of what was given away; look what has become of it") from None


def _meet(one: Entry, start: int, stop: int) -> bool:
    return one.start < stop and start < one.stop


def moment(at: int) -> str:
    """Return a time as text."""
    return f"{datetime.datetime.fromtimestamp(at, datetime.UTC):%Y-%m-%d %H:%M} UTC"


def span(start: int, stop: int) -> str:
    """Return a period as text."""
    return f"{moment(start).removesuffix(' UTC')} to {moment(stop)}"
