"""What is shown of months with the same fee looks alike, whatever happened in them (PB-03)."""

import random
import zlib
from itertools import pairwise

import pytest
from billing_house import CHAIN, HUB, HUB_KEY, JANUARY, NONCE, SUPPLIER, House, linear, rising, sign, signed_tariff

from meterhub.codec import bill as forms
from meterhub.codec import billing
from meterhub_tools.billing import group, prover, verifier
from meterhub_tools.billing.refusals import Refused

HOUR, DAY = 3600, 86400
PLAN = [[0, 0, 420, 1]]
OTHER_CHAIN = b"chain of another"
G = group.fastest()


def at_home(at):
    return (100 if at % DAY < 7 * HOUR else 300), 40


def away_but_for_one_day(at):
    """The same in each band and direction, all of it on one day of the month."""
    day, hour = (at - JANUARY) // DAY, at % DAY // HOUR
    return (31 * (100 if hour < 7 else 300), 31 * 40) if day == 17 else (0, 0)


def bursts(at):
    day, hour = (at - JANUARY) // DAY, at % DAY // HOUR
    if hour < 7:
        return (700 if hour == day % 7 else 0), 40
    return (17 * 300 if hour == 7 + day % 17 else 0), 40


def even(at):
    return 500, None


def odd(at):
    """Below and above the limit in turn: as much above it as the even one has."""
    return (400, 600)[at // HOUR % 2], None


def blocks_of_a_month():
    """Blocks whose period is January, and whose totals lie on both sides of a limit."""
    bands = [
        {"name": "night", "prices": [7000, 9000], "limits": [9000]},
        {"name": "day", "prices": [20000, 18000], "limits": [200000]},
    ]
    return linear(interval_s=HOUR, days=PLAN, kind="block", bands=bands, blocks=["monthly", 1], export=[4100])


def shown(house, document, **options):
    """Return the (bill, proof) of a house, which a verifier believes."""
    signed = signed_tariff(document)
    mine = prover.House(house.batches, house.keys(), house.registers, G)
    bill, proof = prover.prove_bill(mine, signed, NONCE, **options)
    verifier.check_bill(verifier.Batches(house.batches, HUB, G), signed, SUPPLIER, NONCE, bill, proof)
    return bill, proof


# -- the tests that look for a reading ---------------------------------------------------------------------------


def numbers_of(house, proofs):
    """Return all that is shown and is not said in words: the points' coordinates, and the bytes of the proofs."""
    points = b"".join(
        point[1:] for raw in house.batches for export in (False, True) for point in energies(raw, export)
    )
    return points + b"".join(proof[36:] for proof in proofs)


def energies(raw, export=False):
    batch = billing.Batch(raw)
    return batch.energy(export) if batch.exports or not export else []


def oddities(raw):
    """Return by how much each of some figures is off what it is for random bytes, in standard deviations."""
    count = len(raw)
    ones = sum(byte.bit_count() for byte in raw)
    expected = count / 256
    chi = sum((raw.count(bytes((value,))) - expected) ** 2 / expected for value in range(256))
    mean = sum(raw) / count - 127.5
    serial = sum((a - 127.5) * (b - 127.5) for a, b in pairwise(raw)) / count
    lag = sum((a - 127.5) * (b - 127.5) for a, b in zip(raw, raw[32:], strict=False)) / count
    variance = (256**2 - 1) / 12
    return {
        "ones": (ones - 4 * count) / (2 * count) ** 0.5,
        "bytes": (chi - 255) / (2 * 255) ** 0.5,
        "mean": mean / (variance / count) ** 0.5,
        "serial": serial / (variance / count**0.5),
        "a point further": lag / (variance / count**0.5),
        "compressed": min(0, len(zlib.compress(raw, 9)) - count),
    }


def follows(house, truth):
    """Return how well a point's first bytes, or its sign, follow the readings: in standard deviations."""
    points = [point for raw in house.batches for point in energies(raw)]
    used = [truth(row[0])[0] for row in house.rows]
    found = []
    for figures in ([int.from_bytes(point[1:5]) for point in points], [point[0] for point in points]):
        mean, average = sum(figures) / len(figures), sum(used) / len(used)
        both = sum((a - mean) * (b - average) for a, b in zip(figures, used, strict=True))
        spread = sum((a - mean) ** 2 for a in figures) * sum((b - average) ** 2 for b in used)
        found.append(both / spread**0.5 * len(used) ** 0.5 if spread else 0.0)
    return found


def assert_nothing_odd(house, proofs, truth):
    figures = oddities(numbers_of(house, proofs))
    assert all(abs(one) < 6 for one in figures.values()), figures
    assert all(abs(one) < 6 for one in follows(house, truth))
    points = [point for raw in house.batches for export in (False, True) for point in energies(raw, export)]
    assert len(set(points)) == len(points)


# -- months ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def months():
    """Three Januaries in which each band has the same total, and nothing else is alike."""
    ways = (at_home, away_but_for_one_day, bursts)
    return [(House(31, way, step_s=HOUR, chain=bytes((65 + i,)) * 16), way) for i, way in enumerate(ways)]


@pytest.mark.parametrize(
    ("document", "options"),
    [
        (linear(interval_s=HOUR, days=PLAN, export=[5000, 9000]), {}),
        (blocks_of_a_month(), {}),
        (blocks_of_a_month(), {"hidden": True}),
    ],
    ids=["linear", "blocks opened", "blocks hidden"],
)
def test_months_of_the_same_fee(months, document, options):
    found = [shown(house, document, **options) for house, _ in months]
    said = [forms.bill_of(bill)._replace(chain=b"", digest=b"") for bill, _ in found]
    assert said[0] == said[1] == said[2]
    assert said[0].net and said[0].income_net
    assert len({len(proof) for _, proof in found}) == 1
    assert len({tuple(map(len, house.batches)) for house, _ in months}) == 1
    for (house, truth), (_, proof) in zip(months, found, strict=True):
        assert_nothing_odd(house, [proof], truth)


def test_the_batches_say_nothing_else(months):
    """Head by head, but for chain and digest, they are the same; and no point of one month is one of another."""
    heads = [[raw[:14] + raw[30:44] + raw[76:111] for raw in house.batches] for house, _ in months]
    assert heads[0] == heads[1] == heads[2]
    points = [{point for raw in house.batches for point in energies(raw)} for house, _ in months]
    assert not points[0] & points[1] and not points[0] & points[2] and not points[1] & points[2]


def test_weeks_of_the_same_fee_by_steps():
    document = rising(interval_s=HOUR)
    houses = [(House(7, even, step_s=HOUR), even), (House(7, odd, step_s=HOUR, chain=OTHER_CHAIN), odd)]
    found = [shown(house, document, bits=10) for house, _ in houses]
    said = [forms.bill_of(bill)._replace(chain=b"", digest=b"") for bill, _ in found]
    assert said[0] == said[1]
    assert len(found[0][1]) == len(found[1][1])
    for (house, truth), (_, proof) in zip(houses, found, strict=True):
        assert_nothing_odd(house, [without_signs(proof, 7 * 24, 10)], truth)


def without_signs(proof, count, bits):
    """Return a proof by steps without the first byte of each point, which is 2 or 3."""
    found, at = proof[:84], 84
    for _ in range(count):
        found, at = found + proof[at + 1 : at + 33], at + 33
        for _ in range(2):
            for _ in range(bits - 1):
                found, at = found + proof[at + 1 : at + 33], at + 33
            end = at + 16 + 80 * bits
            found, at = found + proof[at:end], end
    assert at + 48 == len(proof)
    return found + proof[at:]


# -- the tests can tell ------------------------------------------------------------------------------------------


class Bad(House):
    """A hub whose blindings are one and the same each day: a thing that must be seen."""

    def __init__(self, days, energy, blinding):
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("meterhub.crypto.pedersen.blinding", blinding)
            super().__init__(days, energy, step_s=HOUR)


def test_these_tests_see_a_hub_that_blinds_badly():
    same = Bad(7, bursts, lambda key, kind, index: 1 + kind)
    with pytest.raises(AssertionError):
        assert_nothing_odd(same, [], bursts)
    each_day = Bad(7, at_home, lambda key, kind, index: 5 + kind + 100 * (index % 24))
    assert oddities(numbers_of(each_day, []))["compressed"] < -1000  # the same hour of two days is the same point


def test_these_tests_see_a_reading_that_leaks():
    """In six of ten points the sign says whether more than 500 Wh were used."""
    house, chance = House(7, odd, step_s=HOUR), random.Random(3)
    assert max(abs(one) for one in follows(house, odd)) < 6
    rows = iter(house.rows)
    for day, raw in enumerate(house.batches):
        changed = bytearray(raw)
        for i in range(24):
            if chance.random() < 0.6:
                changed[111 + 33 * (2 + i)] = 2 if next(rows)[2] > 500 else 3
            else:
                next(rows)
        house.batches[day] = bytes(changed)
    assert max(abs(one) for one in follows(house, odd)) > 6


# -- a disclosure without a reading ------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [0, 8])
def test_a_disclosure_can_be_made_up_without_a_reading(monkeypatch, bits):
    """Whoever chose the hash's answers could show any total and any bound of a day that never was."""
    chance = random.Random(9)

    def number(size):
        return chance.getrandbits(8 * size - 1).to_bytes(size)

    def point():
        return G.encode(G.commit(chance.getrandbits(255), 0))

    hub, day = verifier.signer_id(HUB), JANUARY // DAY
    place = (day, HOUR, day * 24, 24, billing.NO_TURN, 0)
    points = [point() for _ in range(26)]
    body = billing.pack(hub, CHAIN, place, (bytes(32), bytes(32)), bytes(3), points, False)
    batches = verifier.Batches([sign(HUB_KEY, body)], HUB, G)
    kind = forms.NEVER_ABOVE if bits else forms.TOTAL
    about = (hub, CHAIN, JANUARY, JANUARY + DAY, 1, batches.digest, NONCE)
    raw = forms.pack_disclosure(forms.Disclosure(*about, kind, 0, bits, 0, 4321))
    answers, parts = [], []
    for _ in range(24 if bits else 1):
        parts += [point() for _ in range(bits - 1)]
        parts.append(number(16))
        answers.append(int.from_bytes(parts[-1]))
        parts += [number(size) for _ in range(bits) for size in (16, 32, 32)] if bits else [number(32)]
    proof = forms.pack_proof(raw, parts)
    with pytest.raises(Refused):
        verifier.check_disclosure(batches, NONCE, raw, proof)
    drawn = iter(answers)
    monkeypatch.setattr(verifier, "challenge", lambda *_: next(drawn))
    assert "4321 Wh" in verifier.check_disclosure(batches, NONCE, raw, proof).learnt[0]
    assert next(drawn, None) is None
