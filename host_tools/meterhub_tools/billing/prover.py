"""The customer's side: a bill or a disclosure, and its proof, from the batches, the day keys and the readings.

Source   README.md: what each part of a proof shows; firmware/meterhub/codec/billing.py and bill.py: the formats
Units    Unix seconds UTC; Wh
Errors   Refused: READING.. and KEYS.. for what does not open the commitments, what rules.py refuses, READING_ABOVE
Secrets come from the system's generator. No reading and no secret is in an error's text; of READING.. it says when.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import NamedTuple

from .. import firmware  # noqa: F401 - puts the firmware's package on the path
from . import rules
from .group import Group, N, Point, fastest
from .refusals import Refused
from .transcript import BITS, MASK, challenge

from meterhub.codec import bill as forms  # isort: skip
from meterhub.codec import billing, tariff  # isort: skip
from meterhub.codec.rates import BLOCK, STEPS, Rates  # isort: skip
from meterhub.codec.tariff_use import Use  # isort: skip
from meterhub.crypto import pedersen  # isort: skip
from meterhub.errors import HubError  # isort: skip

STEP_BITS = 16  # of an interval's energy: 65 kWh
BLOCK_BITS = 32
_LONG_AGO = 65535

Registers = Mapping[int, tuple[int, int | None]]  # Unix s: (imported, exported) Wh, of one meter after the other
Tell = Callable[[int, int], None]
Open = tuple[int, int]  # a value, and what it is blinded with


class Row(NamedTuple):
    """What was used from start to stop: more than an interval where readings are missing."""

    start: int
    stop: int
    imported: Open
    exported: Open | None

    def __repr__(self) -> str:
        return f"Row({self.start}, {self.stop})"


class House:
    """What the customer has of some days on end: checked against the batches, whose signatures are not."""

    def __init__(self, batches: list[bytes], keys: bytes, registers: Registers, group: Group | None = None) -> None:
        self.group = group or fastest()
        try:
            self.batches = [billing.Batch(raw) for raw in batches]
        except HubError as error:
            raise Refused("BATCH_FORMAT", error.field) from None
        try:
            hub, chain, self._keys = billing.keys_of(keys)
        except HubError as error:
            raise Refused("KEYS_FORMAT", error.field) from None
        if not self.batches:
            raise Refused("BATCH_NONE")
        for batch in self.batches:
            if (hub, chain) != (batch.hub, batch.chain) or batch.day not in self._keys:
                raise Refused("KEYS_OTHER")
        first, last = self.batches[0], self.batches[-1]
        self.hub, self.chain, self.step_s = hub, chain, first.interval_s
        self.start = first.first * self.step_s
        self.stop = (last.first + last.count) * self.step_s
        self.exports = first.exports
        self.rows: list[Row] = []
        self.zero = [0, 0]  # what opens the difference between intervals and registers
        for batch in self.batches:
            self._open(batch, registers)
        self._close(first, last)

    def _open(self, batch: billing.Batch, registers: Registers) -> None:
        """Check all commitments of a day, and keep what opens them."""
        key, step_s = self._keys[batch.day], self.step_s
        before = (batch.first - min(batch.late, _LONG_AGO)) * step_s
        at_start = registers.get(before, (0, 0) if batch.turn != billing.NO_TURN else None)
        if at_start is None:
            raise Refused("READING_MISSING", rules.moment(before))
        found: list[tuple[int, int, list[Open]]] = []
        for export in (False, True)[: 1 + batch.exports]:
            last = _value(at_start, export)
            values = {billing.START: last}
            points = iter(batch.energy(export))
            since, number = before, 0
            for i in range(batch.count):
                end = (batch.first + i + 1) * step_s
                if i == batch.turn:
                    values[billing.LAST] = last
                    last = values[billing.FIRST] = _reading(registers, end, export)
                    since = end
                if batch.is_missing(i):
                    continue
                wh = _reading(registers, end, export) - last
                if not 0 <= wh <= pedersen.MOST_WH:
                    raise Refused("READING_RANGE", rules.moment(end))
                r = pedersen.blinding(key, billing.EXPORT if export else billing.IMPORT, batch.first + i)
                self._check(wh, r, next(points), rules.moment(end))
                self.zero[export] += r
                if export:
                    found[number][2].append((wh, r))
                else:
                    found.append((since, end, [(wh, r)]))
                last, since, number = last + wh, end, number + 1
            values[billing.END] = last
            self._registers(batch, key, values, export)
        self.rows += [Row(since, end, both[0], both[1] if len(both) > 1 else None) for since, end, both in found]

    def _registers(self, batch: billing.Batch, key: bytes, values: dict[int, int], export: bool) -> None:
        for kind, value in values.items():
            r = pedersen.blinding(key, kind + 4 * export, batch.day)
            self._check(value, r, batch.register(kind, export), f"a register, day {batch.day}")
            if kind in (billing.FIRST, billing.LAST):
                self.zero[export] += r if kind == billing.FIRST else -r

    def _close(self, first: billing.Batch, last: billing.Batch) -> None:
        for export in (False, True)[: 1 + self.exports]:
            for batch, kind, sign in ((first, billing.START, 1), (last, billing.END, -1)):
                r = pedersen.blinding(self._keys[batch.day], kind + 4 * export, batch.day)
                self.zero[export] += sign * r

    def _check(self, value: int, r: int, raw: bytes, where: str) -> None:
        if self.group.encode(self.group.commit(value, r)) != raw:
            raise Refused("READING", where)

    def missing(self, start: int, stop: int) -> int:
        """Return how many intervals from start to stop have no reading at their end."""
        return sum(
            batch.is_missing(i) and start <= (batch.first + i) * self.step_s < stop
            for batch in self.batches
            for i in range(batch.count)
        )

    def digest(self) -> bytes:
        """Return by what a bill names these batches."""
        return bytes(forms.batches_digest([batch.digest() for batch in self.batches]))


def _value(reading: tuple[int, int | None], export: bool) -> int:
    value = reading[export]
    if value is None:
        raise Refused("READING_MISSING")
    return value


def _reading(registers: Registers, at: int, export: bool) -> int:
    if at not in registers:
        raise Refused("READING_MISSING", rules.moment(at))
    return _value(registers[at], export)


# -- bills -------------------------------------------------------------------------------------------------------


class _Work:
    """A bill on its way: what was booked where."""

    def __init__(self, house: House, rates: Rates) -> None:
        self.rates = rates
        self.net = self.income = 0
        self.units: dict[tuple[int, ...], list[int]] = {}  # what has a price together: [band, Wh, blinding]
        self.paid = self.unpriced = self.unpaid = (0, 0)
        self.has_unpriced = self.has_unpaid = False
        self.priced: list[rules.Priced] = []
        try:
            use = Use(rates, house.step_s)
        except HubError:
            raise Refused("TARIFF_INTERVAL") from None
        for row in house.rows:
            self._book(use, row, house)
            if row.exported is not None and rates.exports:
                self._pay(row, row.exported, house)

    def _book(self, use: Use, row: Row, house: House) -> None:
        wh, rates = row.imported[0], self.rates
        single = row.stop - row.start == house.step_s
        net = None
        if row.start >= house.start:
            net = use.book(row.start, wh) if single else use.book_gap(row.start, row.stop, wh)
        if net is None:
            self.has_unpriced = True
            self.unpriced = _plus(self.unpriced, row.imported)
            return
        self.net += net
        band = rates.band_at(row.start)
        block = rates.blocks_start(row.start) if rates.kind == BLOCK else 0
        self.priced.append((row.start, block, band))
        unit = self.units.setdefault((row.start,) if rates.kind == STEPS else (block, band), [band, 0, 0])
        unit[1] += wh
        unit[2] += row.imported[1]

    def _pay(self, row: Row, fed: Open, house: House) -> None:
        rates = self.rates
        inside = row.start >= house.start
        if inside and (row.stop - row.start == house.step_s or rates.exports == 1):
            band = rates.band_at(row.start)
            self.paid = _plus(self.paid, fed, rates.income(band, 1))
        else:
            self.has_unpaid = True
            self.unpaid = _plus(self.unpaid, fed)


def _plus(total: Open, one: Open, times: int = 1) -> Open:
    return total[0] + times * one[0], (total[1] + times * one[1]) % N


class Draft:
    """A bill over all days of a house, `raw`, whose proof is still to be made.

    hidden: do not open the totals of blocks. bits: of the range proofs, where STEP_BITS or BLOCK_BITS are too few for
    what was used, or more than are needed. It is seen in the bill.
    """

    def __init__(
        self, house: House, signed_tariff: bytes, nonce: bytes, *, hidden: bool = False, bits: int = 0
    ) -> None:
        try:
            signed = forms.tariff_of(signed_tariff)
        except HubError as error:
            raise Refused("TARIFF_FORMAT", error.field) from None
        rates = Rates(signed.raw)
        rules.check_terms(rates, signed.at, house.start)
        if not {batch.tariff for batch in house.batches} <= {bytes(32), tariff.digest(signed.raw)}:
            raise Refused("TARIFF_OTHER")
        if rates.kind == BLOCK and (rates.blocks_start(house.start), rates.blocks_start(house.stop)) != (
            house.start,
            house.stop,
        ):
            raise Refused("BILL_PERIOD", "no blocks begin there")
        self._house = house
        self._work = _Work(house, rates)
        rules.check_tariff(rates, self._work.priced)
        self._form = (forms.LINEAR, forms.HIDDEN if hidden else forms.OPENED, forms.STEPS)[rates.kind]
        own = STEP_BITS if self._form == forms.STEPS else BLOCK_BITS
        self._bits = 0 if self._form < forms.HIDDEN else bits or own
        self.raw: bytes = forms.pack_bill(_bill(house, signed.raw, nonce, self._work, self._form, self._bits))

    def proof(self, tell: Tell | None = None) -> bytes:
        """Return the proof. tell: hears how many of the long parts are done, and of how many."""
        return _proof_of_bill(self._house, self.raw, self._work, self._form, self._bits, tell)


def prove_bill(
    house: House, signed_tariff: bytes, nonce: bytes, *, hidden: bool = False, bits: int = 0
) -> tuple[bytes, bytes]:
    """Return (bill, proof) over all days of a house. hidden, bits: Draft"""
    draft = Draft(house, signed_tariff, nonce, hidden=hidden, bits=bits)
    return draft.raw, draft.proof()


def _bill(house: House, packed: bytes, nonce: bytes, work: _Work, form: int, bits: int) -> forms.Bill:
    rates = work.rates
    days = rates.midnights(house.start, house.stop - 1)
    standing = days * rates.standing_net
    place = (house.hub, house.chain, house.start, house.stop, tariff.digest(packed))
    about = (len(house.batches), house.digest(), nonce, form, bits, days, house.missing(house.start, house.stop))
    net, income = work.net, work.paid[0]
    amounts = (
        rates.amount(net),
        rates.amount(standing),
        rates.amount(net + standing),
        rates.amount(income, None, False),
    )
    totals = tuple(_totals(house, work)) if form == forms.OPENED else ()
    return forms.Bill(*place, *about, work.unpriced[0], work.unpaid[0], net, income, *amounts, totals)


def _totals(house: House, work: _Work) -> list[int]:
    """Return the totals of blocks that a bill opens."""
    found, at = [], house.start
    while at < house.stop:
        found += [work.units.get((at, band), (0, 0, 0))[1] for band in range(work.rates.bands)]
        at = work.rates.blocks_end(at)
    return found


def _check_bits(bits: int, limit_wh: int, what: str) -> None:
    """Refuse so few bits that a reading of 0 could not be proved to be below a limit: they would be a lower bound."""
    if limit_wh >> bits:
        raise Refused("RANGE", f"{bits} bits would show that a reading is not far below {what}")


def _proof_of_bill(house: House, raw: bytes, work: _Work, form: int, bits: int, tell: Tell | None = None) -> bytes:
    proof = Proof(house.group, raw)
    for export in (False, True)[: 1 + house.exports]:
        proof.opened(house.zero[export])
    if work.has_unpriced:
        proof.opened(work.unpriced[1])
    if house.exports and work.rates.exports:
        proof.opened(work.paid[1])
        if work.has_unpaid:
            proof.opened(work.unpaid[1])
    if form == forms.OPENED:
        for key in sorted(work.units):
            proof.opened(work.units[key][2])
        return proof.raw()
    blinding = 0
    for number, key in enumerate(sorted(work.units) if form == forms.HIDDEN else work.units):
        if tell and form != forms.LINEAR:
            tell(number, len(work.units))
        band, wh, r = work.units[key]
        base, pieces = _pieces(work.rates, band, form)
        blinding += base * r
        for limit, rise in pieces:
            _check_bits(bits, limit if rise > 0 else 0, "a step")
            blinding += rise * proof.excess((wh, r), limit, rise, bits)
    proof.opened(blinding)
    return proof.raw()


def _pieces(rates: Rates, band: int, form: int) -> tuple[int, list[tuple[int, int]]]:
    """Return (net amount of a Wh below all limits, [(limit, how much more a Wh beyond it costs), ...])."""
    found, low = [], 0
    base = before = rates.charge(band, 1)
    for _, limit in rates.steps(band)[:-1]:
        low = limit
        cost = rates.charge(band, 1, low)
        if cost != before and not (form == forms.STEPS and limit > pedersen.MOST_WH):
            found.append((limit, cost - before))
        before = cost
    return base, found


# -- disclosures -------------------------------------------------------------------------------------------------


def prove_total(house: House, start: int, stop: int, nonce: bytes, export: bool = False) -> tuple[bytes, bytes]:
    """Return (disclosure, proof) of what was used, or fed in, from start to stop: one reading, a day, a month."""
    total = (0, 0)
    for _, one in _rows_within(house, start, stop, export):
        total = _plus(total, one)
    raw = _disclosure(house, start, stop, nonce, (forms.TOTAL, int(export), 0), total[0])
    proof = Proof(house.group, raw)
    proof.opened(total[1])
    return raw, proof.raw()


def prove_never_above(
    house: House, start: int, stop: int, wh: int, nonce: bytes, export: bool = False, bits: int = STEP_BITS
) -> tuple[bytes, bytes]:
    """Return (disclosure, proof) that no interval from start to stop has more than `wh`."""
    raw = _disclosure(house, start, stop, nonce, (forms.NEVER_ABOVE, int(export), bits), wh)
    proof = Proof(house.group, raw)
    for row, one in _rows_within(house, start, stop, export):
        room = (row.stop - row.start) // house.step_s * wh - one[0]
        _check_bits(bits, room + one[0], "the limit")
        if room < 0:
            raise Refused("READING_ABOVE")
        proof.bits((room, -one[1]), bits)
    return raw, proof.raw()


def _rows_within(house: House, start: int, stop: int, export: bool) -> list[tuple[Row, Open]]:
    if export and not house.exports:
        raise Refused("DISCLOSURE_EXPORT")
    if not house.start <= start < stop <= house.stop:
        raise Refused("DISCLOSURE_PERIOD")
    rows = [row for row in house.rows if row.start < stop and start < row.stop]
    whole = rows and (rows[0].start, rows[-1].stop) == (start, stop)
    if not whole or any(one.stop != after.start for one, after in pairwise(rows)):  # or a meter was exchanged
        raise Refused("DISCLOSURE_GAP")
    return [(row, row.exported if export else row.imported) for row in rows]  # type: ignore[misc]


def _disclosure(house: House, start: int, stop: int, nonce: bytes, kind: tuple[int, int, int], wh: int) -> bytes:
    about = (house.hub, house.chain, start, stop, len(house.batches), house.digest(), nonce)
    return bytes(forms.pack_disclosure(forms.Disclosure(*about, *kind, house.missing(start, stop), wh)))


# -- parts of a proof --------------------------------------------------------------------------------------------


class Proof:
    """A proof on its way."""

    def __init__(self, group: Group, statement: bytes) -> None:
        self._group = group
        self._statement = statement
        self._context = forms.pack_proof(statement, [])[4:]
        self._number = 0
        self._parts: list[bytes] = []

    def raw(self) -> bytes:
        """Return all of it."""
        return bytes(forms.pack_proof(self._statement, self._parts))

    def _points(self, *openings: Open) -> list[bytes]:
        return [self._group.encode(self._group.commit(*one)) for one in openings]

    def _draw(self, word: bytes, points: list[bytes]) -> int:
        c = challenge(word, self._context, self._number, points)
        self._number += 1
        return c

    def opened(self, r: int) -> None:
        """Show that a commitment, less what it is said to be, is r * H."""
        k = secrets.randbelow(N)
        c = self._draw(b"opened", self._points((0, r), (0, k)))
        self._parts += [c.to_bytes(16), _scalar(k + c * r)]

    def bits(self, value: Open, count: int) -> None:
        """Show that the value of a commitment is one of 0 .. 2^count - 1."""
        m, r = value
        if not 0 <= m < 1 << count:
            raise Refused("RANGE", f"{count} bits are too few")
        blindings = [0, *(secrets.randbelow(N) for _ in range(count - 1))]
        blindings[0] = (r - sum(one << j for j, one in enumerate(blindings))) % N
        bits = [(m >> j & 1, one) for j, one in enumerate(blindings)]
        points = self._points(value, *bits[1:])
        branches = [_Branches(*bit) for bit in bits]
        c = self._draw(b"bits", points + self._points(*(one for branch in branches for one in branch.announced())))
        self._parts += [*points[1:], c.to_bytes(16), *(branch.answer(c) for branch in branches)]

    def excess(self, used: Open, limit: int, rise: int, bits: int) -> int:
        """Show that a new commitment is to what `used` has above a limit; return its blinding.

        Where the price rises beyond the limit, that it is not less; where it falls, not more.
        """
        above = max(used[0] - limit, 0)
        r = secrets.randbelow(N)
        over = (above - used[0] + limit, r - used[1])
        self._parts += self._points((above, r))
        if rise > 0:
            self.bits((above, r), bits)
            self.bits(over, bits)
        else:
            self._piece((above, r), over)
        return r

    def _piece(self, none: Open, over: Open) -> None:
        """Show that one of two commitments is to 0."""
        branches = _Either(none, over)
        c = self._draw(b"piece", self._points(none, over, *branches.announced()))
        self._parts += [c.to_bytes(16), branches.answer(c)]


class _Either:
    """One of two commitments is to 0: its answer is worked out, the other one's is made up beforehand."""

    def __init__(self, *values: Open) -> None:
        self._true = 0 if values[0][0] == 0 else 1
        self._r = values[self._true][1]
        self._k = secrets.randbelow(N)
        self._c, self._z = secrets.randbits(BITS), secrets.randbelow(N)
        m, r = values[1 - self._true]
        self._made_up = (-self._c * m, self._z - self._c * r)

    def announced(self) -> tuple[Open, Open]:
        """Return what is announced for the first and the second, as openings."""
        real = (0, self._k)
        return (self._made_up, real) if self._true else (real, self._made_up)

    def answer(self, c: int) -> bytes:
        """Return c0, z0, z1."""
        mine = (c ^ self._c) & MASK
        z = self._k + mine * self._r
        c0, z0, z1 = (self._c, self._z, z) if self._true else (mine, z, self._z)
        return c0.to_bytes(16) + _scalar(z0) + _scalar(z1)


class _Branches(_Either):
    """A bit is 0, or it is 1."""

    def __init__(self, bit: int, r: int) -> None:
        super().__init__((bit, r), (bit - 1, r))


def _scalar(k: int) -> bytes:
    return (k % N).to_bytes(32)


__all__ = ["House", "Point", "prove_bill", "prove_never_above", "prove_total"]
