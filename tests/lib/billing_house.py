"""A house whose hub commits to its readings: batches by the firmware's own code, keys, registers, a signed tariff."""

import random

from meterhub.codec import bill as forms
from meterhub.codec import billing, tariff
from meterhub.codec.calendar import seconds
from meterhub.codec.rates import Rates
from meterhub.codec.tariff_use import bill
from meterhub.crypto import ecdsa, p256, pedersen
from meterhub.crypto.drbg import Drbg
from meterhub.crypto.steps import run
from meterhub.trust import batches
from meterhub_tools.billing.verifier import signer_id

HUB_KEY, SUPPLIER_KEY = 0x1234567 << 200 | 99, 0x7654321 << 180 | 77
JANUARY = seconds(2026, 1, 1)
STEP_S = 1800
NONCE = bytes(range(16))
ROOT, CHAIN = b"\x05" * 32, b"chain of a house"
_DRBG = Drbg(b"\x09" * 48)


def public(key):
    """Return the 65 bytes of a private key's point."""
    return p256.encode_point(run(ecdsa.public_point(key)))


HUB, SUPPLIER = public(HUB_KEY), public(SUPPLIER_KEY)


def sign(key, body):
    """Return a body with its signature, as the hub makes it."""
    import hashlib

    return batches.signed(body, run(ecdsa.sign(key, hashlib.sha256(body).digest(), _DRBG)))


def signed_tariff(document, at=JANUARY - 86400, key=SUPPLIER_KEY):
    """Return the document (tariff.py) as its supplier signs it."""
    return sign(key, forms.tariff_body(at, signer_id(public(key)), tariff.packed(document)))


class House:
    """What there is of some days. energy: (start) -> (Wh, Wh fed in or None); missing: starts without a reading."""

    def __init__(
        self, days, energy, *, missing=(), turns=(), zone_s=0, step_s=STEP_S, chain=CHAIN, in_force=bytes(32)
    ):
        self.step_s = step_s
        self.first_day = JANUARY // 86400
        self.start = JANUARY - zone_s
        self.days = days
        self.chain, self.batches, self.registers, self.rows = chain, [], {}, []
        self.stop = self.start + days * 86400
        reading = tuple(None if one is None else 1000000 for one in energy(self.start))
        self.registers[self.start] = reading
        last_at, known = self.start, reading
        self.gaps = 0
        previous = bytes(32)
        for day in range(self.first_day, self.first_day + days):
            start = self.start + (day - self.first_day) * 86400
            count = 86400 // step_s
            late = (start - last_at) // step_s
            at_start, found, turn = known, [], billing.NO_TURN
            for i in range(count):
                at = start + i * step_s
                reading = tuple(None if a is None else a + b for a, b in zip(reading, energy(at), strict=True))
                if at in turns:
                    turn, reading = i, tuple(None if one is None else 17 for one in reading)
                elif at in missing:
                    found.append(None)
                    self.gaps += 1
                    continue
                else:
                    grown = [None if a is None else a - b for a, b in zip(reading, known, strict=True)]
                    self.rows.append((last_at, at + step_s, *grown))
                last_at, known = at + step_s, reading
                self.gaps += at in turns
                found.append(reading)
                self.registers[last_at] = reading
            place = (day, step_s, start // step_s, count, turn, late)
            key = pedersen.day_key(ROOT, chain, day)
            hub = signer_id(HUB)
            body = run(batches.whole_day(hub, chain, key, place, (previous, in_force), at_start, found))
            self.batches.append(sign(HUB_KEY, body))
            previous = billing.Batch(self.batches[-1]).digest()

    def keys(self, days=None):
        """Return the keys of all days, or of the first ones, as the customer has them."""
        days = days or self.days
        keys = [pedersen.day_key(ROOT, self.chain, self.first_day + i) for i in range(days)]
        return billing.pack_keys(signer_id(HUB), self.chain, self.first_day, keys)

    def clear(self, document):
        """Return the same bill computed in the clear."""
        return bill(Rates(tariff.packed(document)), self.rows, self.step_s)


def household(seed, export=False, most=900):
    """Return an energy of a house that is like others."""

    def energy(at):
        chance = random.Random(f"{seed} {at}")
        base = 60 if at % 86400 < 23400 else 200
        wh = base + chance.randrange(150) + (chance.random() < 0.12) * chance.randrange(most)
        return wh, (chance.randrange(400) if export and 30000 < at % 86400 < 60000 else 0) if export else None

    return energy


def linear(**fields):
    """Return a tariff of two bands, for which London's clock is UTC's in January."""
    found = {
        "v": 1,
        "id": "eco-1",
        "currency": "GBP",
        "zone": "GMT0BST,M3.5.0/1,M10.5.0",
        "kind": "linear",
        "interval_s": STEP_S,
        "scale": -5,
        "round": 2,
        "tax_bp": 500,
        "standing": {"price": 50, "scale": -2},
        "bands": [{"name": "night", "price": 7500}, {"name": "day", "price": 28500}],
        "days": [[0, 1, 30, 0, 450, 1]],
    }
    found.update(fields)
    return found


def blocks(**fields):
    """Return a tariff of blocks."""
    bands = [
        {"name": "night", "prices": [7000, 9000, 8000], "limits": [20000, 60000]},
        {"name": "day", "prices": [20000, 30000], "limits": [90000]},
    ]
    return linear(kind="block", bands=bands, blocks=["monthly", 1], **fields)


def rising(**fields):
    """Return a tariff whose price rises with the use in an interval."""
    bands = [{"name": "all", "prices": [20000, 40000], "limits": [400]}]
    return linear(**({"kind": "steps", "bands": bands, "days": [[0, 0]]} | fields))


def falling(**fields):
    """Return a tariff whose price falls with the use in an interval."""
    bands = [{"name": "all", "prices": [40000, 30000, 20000], "limits": [200, 500]}]
    return linear(**({"kind": "steps", "bands": bands, "days": [[0, 0]]} | fields))
