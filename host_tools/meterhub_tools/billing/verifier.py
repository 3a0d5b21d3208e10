"""Anyone's side: is a bill or a disclosure right? From public things alone; no reading, no key of the customer.

Source   README.md: what each part of a proof shows; firmware/meterhub/codec/billing.py and bill.py: the formats
Units    Unix seconds UTC; Wh
Errors   Refused, each reason by its own name; nothing else for anything that came from outside
Shares with the prover the encodings, the group, the challenge's hash and the rules, and nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from .. import firmware  # noqa: F401 - puts the firmware's package on the path
from . import rules
from .group import POINT_BYTES, Group, N, Point, fastest
from .refusals import Refused
from .transcript import MASK, challenge

from meterhub.codec import bill as forms  # isort: skip
from meterhub.codec import billing, tariff  # isort: skip
from meterhub.codec.rates import BLOCK, LINEAR, STEPS, Rates  # isort: skip
from meterhub.crypto.pedersen import MOST_WH  # isort: skip
from meterhub.errors import HubError  # isort: skip

_NONE = bytes(32)
_PLAIN_S = 691200  # a gap of more than eight days has no price where there is more than one
_MOST_LATE = 65535


@dataclass
class Verdict:
    """What was found right, and what there was to learn."""

    checked: list[str] = field(default_factory=list)
    learnt: list[str] = field(default_factory=list)


class Row(NamedTuple):
    """From one reading to the next; `plain` when no reading is missing in between."""

    start: int
    stop: int
    imported: Point
    exported: Point | None
    plain: bool


def signer_id(public: bytes) -> bytes:
    """Return the 10 bytes by which a public point (65 bytes) is named."""
    return hashlib.sha256(public).digest()[:10]


def _is_signed(public: bytes, body: bytes, signature: bytes) -> bool:
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
    try:
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public)
        key.verify(encode_dss_signature(r, s), body, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


# -- batches -----------------------------------------------------------------------------------------------------


class Batches:
    """Some days on end of a hub, signed by it: `rows` of commitments in order."""

    def __init__(self, raw: list[bytes], hub_key: bytes, group: Group | None = None) -> None:
        self.group = group or fastest()
        try:
            self.batches = [billing.Batch(one) for one in raw]
        except HubError as error:
            raise Refused("BATCH_FORMAT", error.field) from None
        if not self.batches:
            raise Refused("BATCH_NONE")
        first, last = self.batches[0], self.batches[-1]
        self.hub, self.chain, self.step_s, self.exports = first.hub, first.chain, first.interval_s, first.exports
        for batch in self.batches:
            self._check_signed(batch, hub_key)
        for before, after in pairwise(self.batches):
            self._check_follows(before, after)
        self.start = first.first * self.step_s
        self.stop = (last.first + last.count) * self.step_s
        self.digest = hashlib.sha256(b"".join(batch.digest() for batch in self.batches)).digest()
        self.rows: list[Row] = []
        reading_at = (first.first - first.late) * self.step_s
        for batch in self.batches:
            reading_at = self._take(batch, reading_at)

    def _check_signed(self, batch: billing.Batch, hub_key: bytes) -> None:
        if batch.hub != signer_id(hub_key):
            raise Refused("BATCH_HUB", f"day {batch.day}")
        one_form = int.from_bytes(batch.signature[32:]) <= (N - 1) // 2
        if not one_form or not _is_signed(hub_key, batch.body, batch.signature):
            raise Refused("BATCH_SIGNATURE", f"day {batch.day}")

    def _check_follows(self, before: billing.Batch, after: billing.Batch) -> None:
        where = f"day {after.day}"
        if after.chain != self.chain:
            raise Refused("BATCH_CHAIN", where)
        if after.day <= before.day:
            raise Refused("BATCH_ORDER", where)
        if after.day != before.day + 1:
            raise Refused("BATCH_MISSING", where)
        same = (after.interval_s, after.exports) == (self.step_s, self.exports)
        if not same or after.previous != before.digest() or after.first != before.first + before.count:
            raise Refused("BATCH_LINK", where)

    def _take(self, batch: billing.Batch, reading_at: int) -> int:
        """Read the points of a batch; return when the last reading was."""
        missing = batch.first - reading_at // self.step_s
        if batch.late != min(missing, _MOST_LATE):
            raise Refused("BATCH_LATE", f"day {batch.day}")
        for export in (False, True)[: 1 + self.exports]:
            for kind in range(billing.START, billing.START + batch.registers):
                self.group.decode(batch.register(kind, export))
        imported = [self.group.decode(raw) for raw in batch.energy()]
        exported = [self.group.decode(raw) for raw in batch.energy(True)] if self.exports else None
        number = 0
        for i in range(batch.count):
            stop = (batch.first + i + 1) * self.step_s
            if i == batch.turn:
                reading_at = stop
            if batch.is_missing(i):
                continue
            fed = exported[number] if exported is not None else None
            plain = stop - reading_at == self.step_s
            self.rows.append(Row(reading_at, stop, imported[number], fed, plain))
            reading_at, number = stop, number + 1
        return reading_at

    def gaps(self, start: int, stop: int) -> int:
        """Return how many intervals from start to stop have no reading at their end."""
        count = 0
        for batch in self.batches:
            for i in range(batch.count):
                if start <= (batch.first + i) * self.step_s < stop and batch.is_missing(i):
                    count += 1
        return count

    def unexplained(self, export: bool) -> Point:
        """Return the intervals less the registers' difference: a commitment to 0 where nothing was left out."""
        group = self.group
        first, last = self.batches[0], self.batches[-1]
        points = [row.exported if export else row.imported for row in self.rows]
        points.append(group.decode(first.register(billing.START, export)))
        points.append(group.minus(group.decode(last.register(billing.END, export))))
        for batch in self.batches:
            if batch.turn != billing.NO_TURN:
                points.append(group.decode(batch.register(billing.FIRST, export)))
                points.append(group.minus(group.decode(batch.register(billing.LAST, export))))
        return group.total(points)


# -- proofs ------------------------------------------------------------------------------------------------------


class Proof:
    """A proof that is read and checked part by part."""

    def __init__(self, group: Group, statement: bytes, raw: bytes) -> None:
        self._group = group
        try:
            named, self._rest = forms.proof_of(raw)
        except HubError as error:
            raise Refused("PROOF_FORMAT", error.field) from None
        self._context = hashlib.sha256(statement).digest()
        if named != self._context:
            raise Refused("PROOF_OTHER")
        self._at = 0
        self._number = 0
        self._minus_one = group.commit(-1, 0)

    def _read(self, length: int) -> bytes:
        end = self._at + length
        if end > len(self._rest):
            raise Refused("PROOF_FORMAT", "too short")
        found = bytes(self._rest[self._at : end])
        self._at = end
        return found

    def _challenge(self) -> int:
        return int.from_bytes(self._read(forms.CHALLENGE_BYTES))

    def _scalar(self) -> int:
        value = int.from_bytes(self._read(forms.SCALAR_BYTES))
        if value >= N:
            raise Refused("PROOF_FORMAT", "scalar")
        return value

    def _point(self) -> Point:
        return self._group.decode(self._read(POINT_BYTES))

    def _drawn(self, word: bytes, points: list[Point]) -> int:
        c = challenge(word, self._context, self._number, [self._group.encode(point) for point in points])
        self._number += 1
        return c

    def _announced(self, point: Point, c: int, z: int) -> Point:
        """Return z H - c point: what must have been announced."""
        group = self._group
        return group.add(group.commit(0, z), group.mul(-c, point))

    def end(self) -> None:
        """Refuse a proof with more in it than was asked for."""
        if self._at != len(self._rest):
            raise Refused("PROOF_FORMAT", "too long")

    def opened(self, commitment: Point, value: int, refusal: str, detail: str = "") -> None:
        """Refuse a commitment that is not to `value`."""
        rest = self._group.add(commitment, self._group.commit(-value, 0))
        c, z = self._challenge(), self._scalar()
        if self._drawn(b"opened", [rest, self._announced(rest, c, z)]) != c:
            raise Refused(refusal, detail)

    def bits(self, commitment: Point, count: int, detail: str) -> None:
        """Refuse a commitment to a value outside 0 .. 2^count - 1."""
        group = self._group
        higher = [self._point() for _ in range(count - 1)]
        rest = group.total([])
        for point in reversed(higher):
            rest = group.add(rest, point)
            rest = group.add(rest, rest)
        lowest = group.add(commitment, group.minus(rest))
        c = self._challenge()
        announced = []
        for point in [lowest, *higher]:
            announced += self._either(point, group.add(point, self._minus_one), c)
        if self._drawn(b"bits", [commitment, *higher, *announced]) != c:
            raise Refused("RANGE", detail)

    def _either(self, first: Point, second: Point, c: int) -> list[Point]:
        """Read who answered which part of a challenge; return what must have been announced."""
        c0, z0, z1 = self._challenge(), self._scalar(), self._scalar()
        return [self._announced(first, c0, z0), self._announced(second, (c ^ c0) & MASK, z1)]

    def excess(self, used: Point, limit: int, rise: int, bits: int, detail: str) -> Point:
        """Return a commitment to what `used` has above a limit: at least where the price rises, else at most."""
        above = self._point()
        over = self._group.total([above, self._group.minus(used), self._group.commit(limit, 0)])
        if rise > 0:
            self.bits(above, bits, detail)
            self.bits(over, bits, detail)
        else:
            c = self._challenge()
            announced = self._either(above, over, c)
            if self._drawn(b"piece", [above, over, *announced]) != c:
                raise Refused("PIECE", detail)
        return above


# -- bills -------------------------------------------------------------------------------------------------------


def check_bill(
    batches: Batches,
    signed_tariff: bytes,
    supplier_key: bytes,
    nonce: bytes,
    bill: bytes,
    proof: bytes,
    tell: Callable[[int, int], None] | None = None,
) -> Verdict:
    """Return what was checked of a bill and what it shows; Refused for one that is not right in all.

    tell: hears how many of the long parts are done, and of how many.
    """
    rates, told = _terms(batches, signed_tariff, supplier_key)
    try:
        said = forms.bill_of(bill)
    except HubError as error:
        raise Refused("BILL_FORMAT", error.field) from None
    one = _Bill(batches, rates, said, tell)
    one.check_what(told, nonce)
    one.check_amounts()
    one.check_proof(Proof(batches.group, bill, proof))
    return one.verdict


def _terms(batches: Batches, signed_tariff: bytes, supplier_key: bytes) -> tuple[Rates, bytes]:
    """Return a tariff that was there before the period, and its digest."""
    try:
        signed = forms.tariff_of(signed_tariff)
    except HubError as error:
        raise Refused("TARIFF_FORMAT", error.field) from None
    if signed.signer != signer_id(supplier_key) or not _is_signed(supplier_key, signed.body, signed.signature):
        raise Refused("TARIFF_SIGNATURE")
    rates, digest = Rates(signed.raw), tariff.digest(signed.raw)
    rules.check_terms(rates, signed.at, batches.start)
    if any(batch.tariff not in (_NONE, digest) for batch in batches.batches):
        raise Refused("TARIFF_OTHER")
    if rates.interval_s % batches.step_s or (rates.kind == STEPS and rates.interval_s != batches.step_s):
        raise Refused("TARIFF_INTERVAL")
    return rates, digest


class _Bill:
    """A bill that is being checked."""

    def __init__(
        self, batches: Batches, rates: Rates, said: forms.Bill, tell: Callable[[int, int], None] | None = None
    ) -> None:
        self._batches, self._rates, self._said, self._tell = batches, rates, said, tell
        self._group = batches.group
        self.verdict = Verdict()
        self._priced: list[tuple[int, int, Point]] = []  # period of the blocks, band, commitment
        self._unpriced: list[Point] = []
        self._paid: dict[int, list[Point]] = {}
        self._unpaid: list[Point] = []
        starts = []
        for row in batches.rows:
            band = self._band(row)
            if band is None:
                self._unpriced.append(row.imported)
            else:
                block = rates.blocks_start(row.start) if rates.kind == BLOCK else 0
                starts.append((row.start, block, band))
                self._priced.append((block, band, row.imported))
            if row.exported is not None and rates.exports:
                self._sort_export(row)
        rules.check_tariff(rates, starts)

    def _band(self, row: Row) -> int | None:
        """Return the band in which all of a row must count, None where that is not certain."""
        rates = self._rates
        if row.start < self._batches.start:
            return None
        band: int = rates.band_at(row.start)
        if row.plain:
            return band
        if rates.kind == STEPS or (rates.bands > 1 and row.stop - row.start > _PLAIN_S):
            return None
        for at in range(row.start, row.stop, self._batches.step_s):
            if rates.band_at(at) != band:
                return None
            if rates.kind == BLOCK and rates.blocks_start(at) != rates.blocks_start(row.start):
                return None
        return band

    def _sort_export(self, row: Row) -> None:
        if row.start >= self._batches.start and (row.plain or self._rates.exports == 1):
            self._paid.setdefault(self._rates.band_at(row.start), []).append(row.exported)
        else:
            self._unpaid.append(row.exported)

    def check_what(self, digest: bytes, nonce: bytes) -> None:
        """Check what the bill says that it is about."""
        said, batches, rates = self._said, self._batches, self._rates
        gaps = batches.gaps(batches.start, batches.stop)
        for is_right, refusal in (
            (said.hub == batches.hub, "BILL_HUB"),
            (said.chain == batches.chain, "BILL_CHAIN"),
            ((said.start, said.stop) == (batches.start, batches.stop), "BILL_PERIOD"),
            (said.tariff == digest, "BILL_TARIFF"),
            ((said.batches, said.digest) == (len(batches.batches), batches.digest), "BILL_BATCHES"),
            (said.nonce == nonce, "BILL_NONCE"),
            (said.form in {LINEAR: (0,), BLOCK: (1, 2), STEPS: (3,)}[rates.kind], "BILL_FORM"),
            (said.days == rates.midnights(batches.start, batches.stop - 1), "BILL_DAYS"),
            (said.gaps == gaps, "BILL_GAPS"),
        ):
            if not is_right:
                raise Refused(refusal)
        if rates.kind == BLOCK:
            for end in (batches.start, batches.stop):
                if rates.blocks_start(end) != end:
                    raise Refused("BILL_PERIOD", "no blocks begin there")
        self.verdict.checked += [
            f"{len(batches.batches)} daily batches, signed by the hub, none left out, none twice",
            "the tariff is signed by the supplier, was there before the period, and cannot be used to read readings",
            "the bill is about this hub, tariff and request, and about the period that it names",
        ]
        turns = sum(batch.turn != billing.NO_TURN for batch in batches.batches)
        if turns:
            self.verdict.learnt.append(f"the meter was exchanged on {turns} days: an interval of each is in no amount")
        if gaps:
            self.verdict.learnt.append(
                f"{gaps} intervals have no reading; a fee counts over a gap where one price holds"
            )

    def check_amounts(self) -> None:
        """Check what follows from the exact amounts."""
        said, rates = self._said, self._rates
        standing = said.days * rates.standing_net
        energy = rates.amount(said.net)
        rounded = (energy, rates.amount(standing), rates.amount(said.net + standing))
        if (said.energy, said.standing, said.total) != rounded:
            raise Refused("BILL_AMOUNT")
        if said.income != rates.amount(said.income_net, None, False):
            raise Refused("BILL_AMOUNT", "income")
        if not self._unpriced and said.unpriced_wh:
            raise Refused("UNPRICED")
        if not self._unpaid and said.unpaid_wh:
            raise Refused("UNPAID")
        if not self._paid and said.income_net:
            raise Refused("INCOME")
        self.verdict.checked.append("tax and standing charge, rounded once")
        self.verdict.learnt.append(f"the fee: {said.net} x 10^-{rates.digits} {rates.currency} before tax, exactly")

    def check_proof(self, proof: Proof) -> None:
        """Check that the exact amounts follow from the commitments."""
        batches, said = self._batches, self._said
        proof.opened(batches.unexplained(False), 0, "REGISTERS")
        if batches.exports:
            proof.opened(batches.unexplained(True), 0, "EXPORT_REGISTERS")
        self.verdict.checked.append("all intervals together are what the registers grew by")
        if self._unpriced:
            proof.opened(self._group.total(self._unpriced), said.unpriced_wh, "UNPRICED")
            self.verdict.learnt.append(f"{said.unpriced_wh} Wh were imported over gaps, and have no price")
        if batches.exports and self._rates.exports:
            self._check_export(proof)
        (self._linear, self._opened, self._hidden, self._steps)[said.form](proof)
        proof.end()
        self.verdict.checked.append("the fee follows from the intervals and the tariff")

    def _check_export(self, proof: Proof) -> None:
        group, rates, said = self._group, self._rates, self._said
        weighted = [group.mul(rates.income(band, 1), group.total(points)) for band, points in self._paid.items()]
        proof.opened(group.total(weighted), said.income_net, "INCOME")
        self.verdict.learnt.append(f"paid for what was fed in: {said.income_net} x 10^-{rates.digits}, exactly")
        if self._unpaid:
            proof.opened(group.total(self._unpaid), said.unpaid_wh, "UNPAID")
            self.verdict.learnt.append(f"{said.unpaid_wh} Wh were fed in over gaps, and have no price")

    def _sums(self) -> dict[tuple[int, int], Point]:
        """Return the commitment to what was used in each band of each period of the blocks."""
        parts: dict[tuple[int, int], list[Point]] = {}
        for block, band, point in self._priced:
            parts.setdefault((block, band), []).append(point)
        return {key: self._group.total(points) for key, points in sorted(parts.items())}

    def _linear(self, proof: Proof) -> None:
        weighted = [self._group.mul(self._rates.charge(band, 1), sum_) for (_, band), sum_ in self._sums().items()]
        proof.opened(self._group.total(weighted), self._said.net, "FEE")

    def _opened(self, proof: Proof) -> None:
        """The totals of the blocks are in the bill: the rest is arithmetic."""
        said, rates, sums = self._said, self._rates, self._sums()
        blocks, at = [], self._batches.start
        while at < self._batches.stop:
            blocks.append(at)
            at = rates.blocks_end(at)
        keys = [(block, band) for block in blocks for band in range(rates.bands)]
        if len(said.totals) != len(keys):
            raise Refused("BILL_TOTALS", "count")
        net = 0
        for key, wh in zip(keys, said.totals, strict=True):
            if wh and key not in sums:
                raise Refused("BLOCK_TOTAL")
            net += rates.charge(key[1], wh)
            if key in sums:
                proof.opened(sums[key], wh, "BLOCK_TOTAL", rates.name(key[1]))
                self.verdict.learnt.append(f"{rates.name(key[1])}: {wh} Wh in the period of the blocks")
        if net != said.net:
            raise Refused("BILL_TOTALS")

    def _hidden(self, proof: Proof) -> None:
        self._stepped(proof, [(band, point) for (_, band), point in self._sums().items()], 1 << 62)

    def _steps(self, proof: Proof) -> None:
        self._stepped(proof, [(band, point) for _, band, point in self._priced], MOST_WH)

    def _stepped(self, proof: Proof, units: list[tuple[int, Point]], most_wh: int) -> None:
        """fee = base price x use + for each limit: change of the price there x what was used beyond it."""
        weighted: dict[int, list[Point]] = {}  # by the net amount of a Wh
        for number, (band, point) in enumerate(units):
            if self._tell:
                self._tell(number, len(units))
            prices = self._prices(band)
            weighted.setdefault(prices[0][1], []).append(point)
            for (_, before), (limit, cost) in pairwise(prices):
                if cost != before and limit <= most_wh:
                    above = proof.excess(point, limit, cost - before, self._said.bits, f"number {number}")
                    weighted.setdefault(cost - before, []).append(above)
        sums = [self._group.mul(net, self._group.total(points)) for net, points in weighted.items()]
        proof.opened(self._group.total(sums), self._said.net, "FEE")

    def _prices(self, band: int) -> list[tuple[int, int]]:
        """Return [(from how many Wh on, net amount of a Wh), ...]."""
        lows = [0] + [limit for _, limit in self._rates.steps(band)[:-1]]
        return [(low, self._rates.charge(band, 1, low)) for low in lows]


# -- disclosures -------------------------------------------------------------------------------------------------


def check_disclosure(batches: Batches, nonce: bytes, disclosure: bytes, proof: bytes) -> Verdict:
    """Return what was checked of a disclosure and what it shows; Refused for one that is not right in all."""
    try:
        said = forms.disclosure_of(disclosure)
    except HubError as error:
        raise Refused("DISCLOSURE_FORMAT", error.field) from None
    for is_right, refusal in (
        (said.hub == batches.hub, "DISCLOSURE_HUB"),
        (said.chain == batches.chain, "DISCLOSURE_CHAIN"),
        ((said.batches, said.digest) == (len(batches.batches), batches.digest), "DISCLOSURE_BATCHES"),
        (said.nonce == nonce, "DISCLOSURE_NONCE"),
        (batches.start <= said.start < said.stop <= batches.stop, "DISCLOSURE_PERIOD"),
        (not said.direction or batches.exports, "DISCLOSURE_EXPORT"),
        (said.gaps == batches.gaps(said.start, said.stop), "DISCLOSURE_GAPS"),
    ):
        if not is_right:
            raise Refused(refusal)
    rows = [row for row in batches.rows if row.start < said.stop and said.start < row.stop]
    whole = rows and (rows[0].start, rows[-1].stop) == (said.start, said.stop)
    if not whole or any(one.stop != after.start for one, after in pairwise(rows)):  # or a meter was exchanged
        raise Refused("DISCLOSURE_GAP")
    check: Callable[[Batches, forms.Disclosure, list[Row], Proof], str] = (_total, _never_above)[said.kind]
    one = Proof(batches.group, disclosure, proof)
    learnt = check(batches, said, rows, one)
    one.end()
    checked = f"{len(batches.batches)} daily batches, signed by the hub; the disclosure follows from them"
    gaps = [f"{said.gaps} intervals of these have no reading"] if said.gaps else []
    return Verdict([checked], [learnt, *gaps])


def _points(rows: list[Row], said: forms.Disclosure) -> Iterator[Point]:
    for row in rows:
        yield row.exported if said.direction else row.imported


def _total(batches: Batches, said: forms.Disclosure, rows: list[Row], proof: Proof) -> str:
    proof.opened(batches.group.total(_points(rows, said)), said.wh, "DISCLOSURE")
    return f"{'fed in' if said.direction else 'imported'} from {rules.span(said.start, said.stop)}: {said.wh} Wh"


def _never_above(batches: Batches, said: forms.Disclosure, rows: list[Row], proof: Proof) -> str:
    group = batches.group
    for number, (row, point) in enumerate(zip(rows, _points(rows, said), strict=True)):
        most = (row.stop - row.start) // batches.step_s * said.wh
        proof.bits(group.add(group.commit(most, 0), group.minus(point)), said.bits, f"number {number}")
    way = "fed in" if said.direction else "imported"
    return f"never more than {said.wh} Wh {way} in an interval from {rules.span(said.start, said.stop)}"
