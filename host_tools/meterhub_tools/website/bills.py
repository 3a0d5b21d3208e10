"""Bills on the website: which days and which tariff one is about, and, in server mode or by the hub, the bill itself.

Source   ../billing/README.md. In private mode the page does all this itself (frontend/bill_page.js), and what is here
         sees batches and tariffs alone, which are public
Units    times are Unix seconds, UTC; a day is a local one of the hub, counted from 1970
Errors   Refused; ToolError with what to tell the customer of what was typed
"""

from __future__ import annotations

import datetime
import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from cryptography.hazmat.primitives.asymmetric import ec

from ..billing import prover, rules, verifier
from ..billing.group import N, fastest
from ..billing.refusals import Refused
from ..errors import ToolError
from ..proof import encode_public
from ..recipient import HubBill, Result, proof_wish
from . import words
from .models import Batch

from meterhub.codec import base32, base64url, billing, tariff  # isort: skip
from meterhub.codec import bill as forms  # isort: skip
from meterhub.codec.load_profile import Column  # isort: skip
from meterhub.codec.rates import LINEAR, Rates  # isort: skip
from meterhub.errors import HubError  # isort: skip

MOST_TYPED = 8192
MOST_DAYS = 366
REGS = ("1-0:1.8.0", "1-0:2.8.0")
_EPOCH = datetime.date(1970, 1, 1)
_MOST_LATE = 65535
_WH = 30  # IEC 62056-6-2 table 4


def date_of(day: int) -> datetime.date:
    """Return a day as a date."""
    return _EPOCH + datetime.timedelta(day)


def day_of(date: datetime.date) -> int:
    """Return a date as a day."""
    return (date - _EPOCH).days


# -- tariffs -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Terms:
    """A tariff as its supplier signed it. key: the supplier's public point (65 bytes)."""

    raw: bytes = field(repr=False)
    key: bytes
    at: int
    rates: Rates = field(repr=False)

    @property
    def signer(self) -> str:
        """The id of the supplier's key, as suppliers publish it."""
        return str(base32.encode(verifier.signer_id(self.key)))

    @property
    def digest(self) -> bytes:
        """By what the tariff is known."""
        return bytes(tariff.digest(forms.tariff_of(self.raw).raw))

    @property
    def is_linear(self) -> bool:
        """Whether a page, or a hub, can make a bill by it."""
        return bool(self.rates.kind == LINEAR)

    @property
    def bands(self) -> list[tuple[str, list[str]]]:
        """What a kWh costs, tax included: (name of a band, its prices in words)."""
        rates, found = self.rates, []
        for band in range(rates.bands):
            steps = rates.steps(band)
            words_of = [f"{Decimal(rates.price_e5(price)).scaleb(-5):f} {rates.currency} a kWh" for price, _ in steps]
            if len(steps) > 1:
                limits = [f"up to {limit / 1000:g} kWh" if limit else "beyond" for _, limit in steps]
                words_of = [" ".join(pair) for pair in zip(words_of, limits, strict=True)]
            found.append((rates.name(band), words_of))
        return found

    @property
    def told(self) -> list[str]:
        """What a bill by it would show."""
        return rules.told(self.rates)


def read_terms(typed: str) -> Terms:
    """Return the signed tariff that was typed or pasted, base64url; ToolError when it is none."""
    text = "".join(typed.split()).rstrip("=").replace("+", "-").replace("/", "_")
    if not text or len(text) > MOST_TYPED:
        raise ToolError(
            "That is no signed tariff. Choose the file (.mht) that your supplier gave you, or paste its text."
        )
    try:
        signed = forms.tariff_of(base64url.decode(text))
    except HubError:
        raise ToolError("That is no signed tariff, or part of it is missing. Choose the file again.") from None
    key = _signer_key(signed)
    if key is None:
        raise ToolError("The signature of this tariff does not fit. Ask your supplier for it again.")
    return Terms(bytes(base64url.decode(text)), key, signed.at, Rates(signed.raw))


def _signer_key(signed: forms.Signed) -> bytes | None:
    """Return the public point that the signature is by, and that has the signer's id; None when there is none.

    The id is of 80 bits, as a hub's is: nobody can make another key with it. A point that is found like this from a
    signature (SEC1 4.1.6) is one that verifies it.
    """
    group = fastest()
    r, s = int.from_bytes(signed.signature[:32]), int.from_bytes(signed.signature[32:])
    e = int.from_bytes(hashlib.sha256(signed.body).digest())
    if not (0 < r < N and 0 < s < N):
        return None
    inverse = pow(r, -1, N)
    for sign in (b"\2", b"\3"):
        try:
            announced = group.decode(sign + r.to_bytes(32))
        except Refused:
            return None
        found = group.encode(group.add(group.mul(s * inverse, announced), group.commit(-e * inverse, 0)))
        try:
            public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), found)
        except ValueError:  # at infinity
            continue
        point = encode_public(public)
        if verifier.signer_id(point) == signed.signer:
            return point
    return None


# -- which days --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Order:
    """What a bill is to be about: days on end of one chain, a tariff, the number of who is to verify it."""

    hub: str
    batches: tuple[bytes, ...] = field(repr=False)
    terms: Terms
    nonce: bytes

    @property
    def parsed(self) -> list[billing.Batch]:
        """The batches, to be looked into."""
        return [billing.Batch(raw) for raw in self.batches]

    @property
    def last_day(self) -> int:
        """The last day that it is about."""
        return int(self.parsed[-1].day)

    @property
    def span(self) -> tuple[int, int]:
        """From when to when the bill is."""
        first, last = self.parsed[0], self.parsed[-1]
        return first.first * first.interval_s, (last.first + last.count) * last.interval_s

    @property
    def wanted(self) -> tuple[int, int]:
        """From when to when readings are needed: the last one before counts, too."""
        first = self.parsed[0]
        late = 0 if first.late == _MOST_LATE else first.late
        return self.span[0] - late * first.interval_s, self.span[1]

    @property
    def regs(self) -> list[str]:
        """Whose readings are needed."""
        return list(REGS if self.parsed[0].exports else REGS[:1])

    @property
    def file(self) -> bytes:
        """The batches as a file (.mhb)."""
        return file_of(self.batches)

    @property
    def wish(self) -> dict:
        """The claims that ask the hub to make it."""
        return proof_wish(list(self.batches), self.terms.raw, self.nonce)

    def check(self) -> None:
        """Refuse what can be seen to be refused before any reading is asked for."""
        rules.check_terms(self.terms.rates, self.terms.at, self.span[0])
        if not {one.tariff for one in self.parsed} <= {bytes(32), self.terms.digest}:
            raise Refused("TARIFF_OTHER")

    def for_page(self) -> dict:
        """Return what a page needs to make or to check the bill, beside the batches."""
        return {
            "tariff": base64url.encode(self.terms.raw),
            "signer": verifier.signer_id(self.terms.key).hex(),
            "nonce": self.nonce.hex(),
            "words": words.for_bills(),
        }


def file_of(batches: Iterable[bytes]) -> bytes:
    """Return a file (.mhb) of batches: u16 length, little endian, before each."""
    return b"".join(len(raw).to_bytes(2, "little") + raw for raw in batches)


def order(hub: str, kept: Sequence[Batch], days: tuple[int, int], terms: Terms, nonce: str) -> Order:
    """Return what a bill from one day to another, both included, is about; ToolError when it cannot be."""
    chosen = [one for one in kept if days[0] <= one.day <= days[1]]
    if not chosen or [one.day for one in chosen] != list(range(days[0], days[1] + 1)):
        raise ToolError("Your hub has not sealed every day of that time. Choose days from the list.")
    number = secrets.token_bytes(16)
    if nonce.strip():
        try:
            number = bytes.fromhex("".join(nonce.split()))
        except ValueError:
            number = b""
    if len(number) != 16:
        raise ToolError("Your supplier’s number has 32 digits, 0 to 9 and a to f. Leave it out if there is none.")
    return Order(hub, tuple(bytes(one.raw) for one in chosen), terms, number)


# -- in server mode, and by the hub ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Made:
    """A bill that was made here, or by the hub, and verified here. keys: b"" where the hub has made it."""

    bill: bytes
    proof: bytes
    keys: bytes = field(repr=False)
    checked: list[str]
    learnt: list[str]


def made_of(order: Order, result: Result | HubBill) -> Made:
    """Return the bill, verified, that a customer has let this website make, or that the hub has made; Refused."""
    return _take(order, result) if isinstance(result, HubBill) else _make(order, result)


def _make(order: Order, result: Result) -> Made:
    if not result.keys:
        raise Refused("KEYS_OTHER")
    house = prover.House(list(order.batches), result.keys, _registers(result))
    bill, proof = prover.prove_bill(house, order.terms.raw, order.nonce)
    batches = verifier.Batches(list(order.batches), result.hub_key, house.group)
    verdict = verifier.check_bill(batches, order.terms.raw, order.terms.key, order.nonce, bill, proof)
    return Made(bill, proof, result.keys, verdict.checked, verdict.learnt)


def _take(order: Order, result: HubBill) -> Made:
    batches = verifier.Batches(list(order.batches), result.hub_key)
    terms = order.terms
    verdict = verifier.check_bill(batches, terms.raw, terms.key, order.nonce, result.bill, result.proof)
    return Made(result.bill, result.proof, b"", verdict.checked, verdict.learnt)


def _registers(result: Result) -> dict[int, tuple[int, int | None]]:
    """Return what the registers read, in Wh."""
    places = [next((i for i, one in enumerate(result.columns) if one.obis == reg), None) for reg in REGS]
    if places[0] is None:
        raise Refused("READING_MISSING")
    found: dict[int, tuple[int, int | None]] = {}
    for at, values in [(result.start, result.base), *((one.at, one.values) for one in result.entries)]:
        imported, exported = (None if i is None else _wh(values[i], result.columns[i]) for i in places)
        if imported is not None:
            found[at] = (imported, exported)
    return found


def _wh(value: int | None, column: Column) -> int | None:
    if value is None or column.unit != _WH or column.scale < 0:
        return None
    return int(value * 10**column.scale)
