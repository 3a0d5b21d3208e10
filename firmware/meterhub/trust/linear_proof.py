"""The hub as the prover of its own bill, by a linear tariff: sums of readings and of what they are blinded with.

Source   codec/bill.py (bill and proof, byte by byte); what is proved: host_tools/meterhub_tools/billing/README.md
Units    Unix seconds UTC; Wh
Memory   the packed tariff, six numbers for each band, a day's readings: 5 KB while it works, for any period
Errors   HubError: UNSUPPORTED "tariff.kind"; INVALID_VALUE "tariff.at" "tariff.interval_s" "tariff.bands"
         "tariff.band_time" "tariff.prices" for a tariff by which a fee would show too much; "day" for days that do
         not follow each other, "to" for another end; "wh" for a reading that nobody can have committed to
Runs on  both

Each commitment of a batch is m * G + r * H, and both follow from the reading and from the day's key. What a verifier
works out from the batches is a sum of them, each times its price; less the amount that is said to be paid it is r * H,
with r the same sum of the blindings. So nothing is committed to again here: only that one r is known is to be shown.

The bounds of a tariff are those of the customer's and the verifier's side (rules.py there says why); signatures
and the digest of the batches are not looked at: whoever was told wrong gets a bill that nobody believes.

Handed out: u16 little endian length of the bill, the bill, the proof.
"""

import hashlib
import struct

from ..codec import bill as forms
from ..codec import billing, tariff
from ..codec.rates import LINEAR, Rates
from ..crypto import pedersen
from ..crypto.p256 import N
from ..errors import HubError

MOST_PRICES = 6
LEAST_INTERVALS = 4
LEAST_DAYS = 7
MOST_RATIO = 20
_DAY_S = 86400
_PLAIN_S = 691200  # a gap of more than eight days has no price where there is more than one
_SLICE = 16  # intervals of a gap looked at between two slices


class LinearBill:
    """A bill on its way. chain: its 16 bytes; signed: bill.Signed; start, stop: the period; exports: as in a batch."""

    def __init__(
        self, hub: bytes, chain: bytes, signed, start: int, stop: int, interval_s: int, exports: bool
    ) -> None:
        self._rates = rates = Rates(signed.raw)
        if rates.kind != LINEAR:
            raise HubError("UNSUPPORTED", "tariff.kind")
        if signed.at > start or rates.begins > start:
            raise HubError("INVALID_VALUE", "tariff.at")
        if rates.interval_s % interval_s:
            raise HubError("INVALID_VALUE", "tariff.interval_s")
        self._place = (hub, chain, start, stop)
        self.tariff = tariff.digest(signed.raw)
        self._step_s = interval_s
        self._directions = (0, 1) if exports else (0,)
        self._at = start  # all is taken until then
        self._days = self._gaps = 0
        self._zero = [0, 0]  # what opens the difference between intervals and registers
        self._last = None  # (key, day) of the last day
        self._bands = {}  # band: [local day, its intervals so far, days with enough, the last of these]
        # [Wh or exact amount, blinding], and whether there is anything in it
        self._net, self._income = [0, 0], [0, 0]
        self._unpriced, self._unpaid = [0, 0], [0, 0]
        self._has_unpriced = self._has_unpaid = False

    def day(self, key: bytes, place: tuple, start: tuple, readings: list):
        """Generate slices that take the next day; key: the day's, all else as whole_day() of batches.py has it."""
        day, step_s, first, count, turn, late = place
        if step_s != self._step_s or first * step_s != self._at:
            raise HubError("INVALID_VALUE", "day")
        if not self._days:
            self._registers(key, day, billing.START, 1)
        last, since = start, (first - late) * step_s
        for i in range(count):
            end = (first + i + 1) * step_s
            reading = readings[i]
            if i == turn:
                self._registers(key, day, billing.FIRST, 1)
                self._registers(key, day, billing.LAST, -1)
                last, since = reading, end
                self._gaps += 1
            elif reading is None:
                self._gaps += 1
            else:
                for export in self._directions:
                    wh = reading[export] - last[export]
                    if not 0 <= wh <= pedersen.MOST_WH:
                        raise HubError("INVALID_VALUE", "wh")
                    r = pedersen.blinding(key, export, first + i)
                    self._zero[export] += r
                    yield from (self._book, self._pay)[export](since, end, wh, r)
                last, since = reading, end
            yield
        self._last = (key, day)
        self._at = (first + count) * step_s
        self._days += 1

    def _registers(self, key, day, kind, sign):
        for export in self._directions:
            self._zero[export] += sign * pedersen.blinding(key, kind + 4 * export, day)

    def _book(self, start, stop, wh, r):
        """Generate slices that let what was imported count in its band, if there is one."""
        rates = self._rates
        if start < self._place[2] or not (yield from self._is_plain(start, stop)):
            self._has_unpriced = True
            _add(self._unpriced, wh, r, 1)
            return
        band = rates.band_at(start)
        _add(self._net, wh, r, rates.charge(band, 1))
        day = (start + rates.zone.offset_s(start)) // _DAY_S
        seen = self._bands.setdefault(band, [day, 0, 0, 0])
        if seen[0] != day:
            seen[0], seen[1] = day, 0
        seen[1] += 1
        if seen[1] == LEAST_INTERVALS and day > seen[3]:
            seen[2], seen[3] = seen[2] + 1, day

    def _is_plain(self, start, stop):
        """Generate slices; return whether one price counts from start to stop, as codec/tariff_use.py has it."""
        rates, step_s = self._rates, self._step_s
        if stop - start == step_s or rates.bands == 1:
            return True
        if stop - start > _PLAIN_S:
            return False
        band = rates.band_at(start)
        for i in range(1, (stop - start) // step_s):
            if rates.band_at(start + i * step_s) != band:
                return False
            if not i % _SLICE:
                yield
        return True

    def _pay(self, start, stop, wh, r):
        """Let what was fed in be paid for, where a price can be told. Takes no slice of its own."""
        rates = self._rates
        if not rates.exports:
            return ()
        if start >= self._place[2] and (stop - start == self._step_s or rates.exports == 1):
            _add(self._income, wh, r, rates.income(rates.band_at(start), 1))
        else:
            self._has_unpaid = True
            _add(self._unpaid, wh, r, 1)
        return ()

    def finish(self, digest: bytes, nonce: bytes, drbg):
        """Generate slices of the bill and its proof; return both as they are handed out.

        digest: by which a bill names its batches; nonce: of who is to verify it. drbg: crypto.drbg.Drbg
        """
        if self._last is None or self._at != self._place[3]:
            raise HubError("INVALID_VALUE", "to")
        self._check_tariff()
        self._registers(self._last[0], self._last[1], billing.END, -1)
        bill = self._bill(digest, nonce)
        openings = [self._zero[export] for export in self._directions]
        if self._has_unpriced:
            openings.append(self._unpriced[1])
        if len(self._directions) == 2 and self._rates.exports:
            openings.append(self._income[1])
            if self._has_unpaid:
                openings.append(self._unpaid[1])
        openings.append(self._net[1])
        parts, context = [], hashlib.sha256(bill).digest()
        for number, r in enumerate(openings):
            parts.append((yield from _opened(context, number, r % N, drbg.scalar())))
        return struct.pack("<H", len(bill)) + bill + forms.pack_proof(bill, parts)

    def _check_tariff(self):
        """Refuse a tariff by which the fee over this period would show too much."""
        rates = self._rates
        _check_prices([rates.price(band) for band in self._bands])
        if rates.exports:
            _check_prices([rates.export_price(band) for band in self._bands])
        if len(self._bands) > MOST_PRICES:
            raise HubError("INVALID_VALUE", "tariff.bands")
        if any([seen[2] < LEAST_DAYS for seen in self._bands.values()]):
            raise HubError("INVALID_VALUE", "tariff.band_time")

    def _bill(self, digest, nonce):
        rates, (hub, chain, start, stop) = self._rates, self._place
        days = rates.midnights(start, stop - 1)
        standing = days * rates.standing_net
        net, income = self._net[0], self._income[0]
        amounts = (rates.amount(net), rates.amount(standing), rates.amount(net + standing))
        place = (hub, chain, start, stop, self.tariff, self._days, digest, nonce)
        known = (forms.LINEAR, 0, days, self._gaps, self._unpriced[0], self._unpaid[0], net, income)
        return forms.pack_bill(forms.Bill(*(place + known + amounts + (rates.amount(income, None, False), ()))))


def _add(total, wh, r, times):
    total[0] += times * wh
    total[1] = (total[1] + times * r) % N


def _check_prices(prices):
    if prices and min(prices) != max(prices) and min(prices) * MOST_RATIO < max(prices):
        raise HubError("INVALID_VALUE", "tariff.prices")


def _opened(context, number, r, k):
    """Generate slices of the part of a proof that r of a point r * H is known: c and z. k: random, used once"""
    digest = hashlib.sha256(b"mhp1 opened\x00" + context + number.to_bytes(4, "big"))
    digest.update((yield from _times_h(r)))
    digest.update((yield from _times_h(k)))
    c = digest.digest()[: forms.CHALLENGE_BYTES]
    return c + ((k + int.from_bytes(c, "big") * r) % N).to_bytes(forms.SCALAR_BYTES, "big")


def _times_h(r):
    """Generate slices of r * H; return its 33 bytes, zeros where there is nothing to open."""
    if not r:
        return bytes(billing.POINT_BYTES)
    return (yield from pedersen.commit(0, r))


def both_of(raw: bytes) -> tuple:
    """Return (bill, proof) of what finish() handed out; HubError MALFORMED "proof" for other bytes."""
    size = struct.unpack_from("<H", raw, 0)[0] if len(raw) > 2 else len(raw)
    if len(raw) < 2 + size:
        raise HubError("MALFORMED", "proof")
    return bytes(raw[2 : 2 + size]), bytes(raw[2 + size :])
