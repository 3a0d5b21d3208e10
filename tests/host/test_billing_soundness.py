"""What a proof can and cannot show: every small case, transcripts without readings, weeks that look alike."""

import random
import zlib
from itertools import product

import pytest
from billing_house import (
    CHAIN,
    HUB,
    HUB_KEY,
    JANUARY,
    NONCE,
    SUPPLIER,
    House,
    blocks,
    household,
    linear,
    rising,
    sign,
    signed_tariff,
)
from ecdsa import NIST256p, ellipticcurve

from meterhub.codec import bill as forms
from meterhub.codec import billing, tariff
from meterhub.codec.rates import Rates
from meterhub.crypto import pedersen
from meterhub_tools.billing import group, prover, transcript, verifier
from meterhub_tools.billing.refusals import Refused

HOUR, DAY = 3600, 86400
PLAN = [[0, 0, 420, 1]]
STATEMENT = b"a statement"
G = group.fastest()


def holds(proof, check):
    """Return whether a verifier believes a proof, of which `check` reads all parts."""
    one = verifier.Proof(G, STATEMENT, proof)
    try:
        check(one)
        one.end()
    except Refused:
        return False
    return True


# -- every small case --------------------------------------------------------------------------------------------


class Cheat(prover.Proof):
    """Says of a value what it is not: any bits at all, the lowest being what is left over."""

    def claimed(self, value, bits):
        m, r = value
        blindings = [0, *(random.getrandbits(200) for _ in bits[1:])]
        blindings[0] = r - sum(one << j for j, one in enumerate(blindings))
        values = [(m - sum(bit << j for j, bit in enumerate(bits) if j), blindings[0])]
        values += list(zip(bits[1:], blindings[1:], strict=True))
        points = self._points(value, *values[1:])
        branches = [prover._Either((bit, r), (bit - 1, r)) for bit, r in values]
        c = self._draw(b"bits", points + self._points(*(one for branch in branches for one in branch.announced())))
        self._parts += [*points[1:], c.to_bytes(16), *(branch.answer(c) for branch in branches)]


def test_three_bits_hold_for_eight_values_and_no_other():
    for m in range(-9, 18):
        commitment = G.commit(m, 4711)
        for bits in product((0, 1), repeat=3):
            proof = Cheat(G, STATEMENT)
            proof.claimed((m, 4711), bits)
            truth = 0 <= m < 8 and m == bits[0] + 2 * bits[1] + 4 * bits[2]
            # the lowest bit is what is left over: it may be another one than was claimed
            left = m - 2 * bits[1] - 4 * bits[2]
            assert truth <= (left in (0, 1))
            assert holds(proof.raw(), lambda one, point=commitment: one.bits(point, 3, "")) == (left in (0, 1))


def test_an_honest_prover_says_no_to_a_value_out_of_range():
    for m in range(-9, 18):
        proof = prover.Proof(G, STATEMENT)
        if 0 <= m < 8:
            proof.bits((m, 99), 3)
            assert holds(proof.raw(), lambda one, m=m: one.bits(G.commit(m, 99), 3, ""))
            for other in {-1, 0, 7, 8} - {m}:
                assert not holds(proof.raw(), lambda one, other=other: one.bits(G.commit(other, 99), 3, ""))
        else:
            with pytest.raises(Refused, match="RANGE"):
                proof.bits((m, 99), 3)


def excess_of(used, above, limit, rise):
    """Return the proof of a prover who says that `above` of `used` lies beyond a limit."""
    proof = prover.Proof(G, STATEMENT)
    proof._parts += proof._points((above, 5))
    over = (above - used + limit, 5 - 7)
    if rise > 0:
        for value in ((above, 5), over):
            cheat = Cheat(G, STATEMENT)
            cheat._number = proof._number
            bits = [value[0] >> j & 1 for j in range(4)]
            cheat.claimed(value, bits)
            proof._parts += cheat._parts
            proof._number += 1
    else:
        proof._piece((above, 5), over)
    return proof.raw()


@pytest.mark.parametrize("rise", [3, -3])
def test_a_fee_can_never_be_too_low(rise):
    """Every use, every claim: what is believed makes the fee the right one, or, as nobody minds, a higher one."""
    limit, base = 3, 10
    for used, above in product(range(7), range(-4, 8)):
        proof = excess_of(used, above, limit, rise)
        believed = holds(proof, lambda one, used=used: one.excess(G.commit(used, 7), limit, rise, 4, ""))
        truth = max(used - limit, 0)
        assert believed == (above >= truth if rise > 0 else above in (0, used - limit))
        if believed:
            assert base * used + rise * above >= base * used + rise * truth
        if above == truth:
            assert believed


def test_an_opening_is_of_one_value():
    for value, claim in product(range(-3, 4), repeat=2):
        proof = prover.Proof(G, STATEMENT)
        proof.opened(77)
        assert holds(proof.raw(), lambda one, v=value, c=claim: one.opened(G.commit(v, 77), c, "FEE")) == (
            value == claim
        )


def test_parts_cannot_change_places_or_statements():
    proof = prover.Proof(G, STATEMENT)
    proof.opened(5)
    proof.opened(5)
    first, second = proof._parts[:2], proof._parts[2:]

    def both(one):
        one.opened(G.commit(0, 5), 0, "FEE")
        one.opened(G.commit(0, 5), 0, "FEE")

    assert holds(forms.pack_proof(STATEMENT, first + second), both)
    assert not holds(forms.pack_proof(STATEMENT, second + first), both)
    assert not holds(forms.pack_proof(STATEMENT, first + first), both)
    other = prover.Proof(G, b"another statement")
    other.opened(5)
    other.opened(5)
    assert not holds(forms.pack_proof(STATEMENT, other._parts), both)


def test_a_challenge_is_of_one_kind_of_part():
    found = {transcript.challenge(word, b"c" * 32, 1, [b"p"]) for word in (b"opened", b"bits", b"piece")}
    assert len(found) == 3 and max(found) < 1 << 128


# -- the published relations, by another library -----------------------------------------------------------------


def test_a_range_proof_is_that_of_cramer_damgard_and_schoenmakers():
    """CRYPTO '94: c0 + c1 = c (here by exclusive or), z H = A + c P for both, by the ecdsa library alone."""
    curve, order = NIST256p.curve, NIST256p.order
    base, h = NIST256p.generator, ellipticcurve.PointJacobi(curve, *pedersen.H, 1, order)
    count, value, r = 4, 11, 1 << 240
    proof = prover.Proof(G, STATEMENT)
    proof.bits((value, r), count)
    raw = proof.raw()[36:]

    def point(at):
        return ellipticcurve.PointJacobi.from_bytes(curve, raw[at : at + 33])

    higher = [point(33 * i) for i in range(count - 1)]
    whole = base * value + h * r
    lowest = whole + -sum((one * (2 << i) for i, one in enumerate(higher)), ellipticcurve.INFINITY)
    at = 33 * (count - 1)
    c = int.from_bytes(raw[at : at + 16])
    announced, at = [], at + 16
    for one in [lowest, *higher]:
        c0, z0, z1 = (int.from_bytes(raw[at + i : at + j]) for i, j in ((0, 16), (16, 48), (48, 80)))
        announced += [h * z0 + -(one * c0), h * z1 + -((one + -base) * (c ^ c0))]
        at += 80
    assert at == len(raw)
    points = [one.to_bytes("compressed") for one in [whole, *higher, *announced]]
    assert transcript.challenge(b"bits", forms.pack_proof(STATEMENT, [])[4:], 0, points) == c


# -- nothing is shown --------------------------------------------------------------------------------------------


class Oracle:
    """A hash that says what the simulator wants, and is never asked the same thing twice."""

    def __init__(self, answers):
        self.answers, self.asked = iter(answers), set()

    def __call__(self, word, context, number, points):
        assert number not in self.asked
        self.asked.add(number)
        return next(self.answers)


def simulated(document, form, bits, net, parts):
    """Return everything that a verifier is shown of a week for which there never was a reading.

    parts: the kinds of the proof's parts, in order. The points are anybody's; what is said of them is made up.
    """
    chance = random.Random(5)
    day, previous, days = JANUARY // DAY, bytes(32), []
    for number in range(day, day + 7):
        points = [G.encode(G.commit(chance.getrandbits(256), 0)) for _ in range(26)]
        place = (number, HOUR, number * 24, 24, billing.NO_TURN, 0)
        hub = verifier.signer_id(HUB)
        days.append(sign(HUB_KEY, billing.pack(hub, CHAIN, place, (previous, bytes(32)), bytes(3), points, False)))
        previous = billing.Batch(days[-1]).digest()
    batches = verifier.Batches(days, HUB)
    packed = tariff.packed(document)
    rates = Rates(packed)
    about = (batches.hub, CHAIN, batches.start, batches.stop, tariff.digest(packed), 7, batches.digest, NONCE)
    standing = 7 * rates.standing_net
    amounts = (net, 0, rates.amount(net), rates.amount(standing), rates.amount(net + standing), 0)
    bill = forms.pack_bill(forms.Bill(*about, form, bits, 7, 0, 0, 0, *amounts, ()))
    answers, raw = [], []

    def number(count):
        return chance.getrandbits(8 * count - 1).to_bytes(count)  # below the order, near enough

    for part in parts:
        if part == "commitment":
            raw.append(G.encode(G.commit(chance.getrandbits(256), 0)))
            continue
        if part == "bits":
            raw += [G.encode(G.commit(chance.getrandbits(256), 0)) for _ in range(bits - 1)]
        c = number(16)
        answers.append(int.from_bytes(c))
        raw.append(c)
        if part == "opened":
            raw.append(number(32))
        for _ in range({"bits": bits, "piece": 1, "opened": 0}[part]):
            raw += [number(16), number(32), number(32)]
    return batches, signed_tariff(document), bill, forms.pack_proof(bill, raw), Oracle(answers)


@pytest.mark.parametrize(
    ("document", "form", "bits", "parts"),
    [
        (linear(interval_s=HOUR, days=PLAN), forms.LINEAR, 0, ["opened", "opened"]),
        (
            blocks(interval_s=HOUR) | {"days": PLAN, "blocks": ["weekly", 4]},
            forms.HIDDEN,
            8,
            ["opened", *["commitment", "bits", "bits", "commitment", "piece", "commitment", "bits", "bits"], "opened"],
        ),
        (
            rising(interval_s=HOUR),
            forms.STEPS,
            8,
            ["opened", *["commitment", "bits", "bits"] * 168, "opened"],
        ),
    ],
    ids=["linear", "blocks", "steps"],
)
def test_all_of_it_can_be_made_up_without_a_reading(monkeypatch, document, form, bits, parts):
    """Whoever could choose the hash's answers would need no reading: so nothing about one can be in what is shown."""
    batches, signed, bill, proof, oracle = simulated(document, form, bits, 123456789, parts)
    with pytest.raises(Refused):
        verifier.check_bill(batches, signed, SUPPLIER, NONCE, bill, proof)
    monkeypatch.setattr(verifier, "challenge", oracle)
    verifier.check_bill(batches, signed, SUPPLIER, NONCE, bill, proof)
    assert len(oracle.asked) == sum(part != "commitment" for part in parts)


def two_weeks():
    """Return two weeks of the same fee: one the same every night and day, the other very much not."""
    flat = House(7, lambda at: (100 if at % DAY < 7 * HOUR else 300, None), step_s=HOUR)

    def spiky(at):
        hour = at % DAY // HOUR
        if hour < 7:
            return (700 if hour == at // DAY % 7 else 0), None
        return (17 * 300 if hour == 7 + at // DAY % 17 else 0), None

    return flat, House(7, spiky, step_s=HOUR, chain=b"chain of another")


def shown(house):
    signed = signed_tariff(linear(interval_s=HOUR, days=PLAN))
    bill, proof = prover.prove_bill(prover.House(house.batches, house.keys(), house.registers), signed, NONCE)
    verifier.check_bill(verifier.Batches(house.batches, HUB), signed, SUPPLIER, NONCE, bill, proof)
    return bill, proof


def spread(raw):
    """Return chi-square of the bytes: 255 +- 23 for random ones."""
    expected = len(raw) / 256
    return sum((raw.count(bytes((value,))) - expected) ** 2 / expected for value in range(256))


def test_two_weeks_of_the_same_fee_look_alike():
    houses = two_weeks()
    bills, proofs = zip(*(shown(house) for house in houses), strict=True)
    said = [forms.bill_of(bill)._replace(chain=b"", digest=b"") for bill in bills]
    assert said[0] == said[1]  # all else that the bill says
    assert len(proofs[0]) == len(proofs[1])
    coordinates = []
    for house in houses:
        points = [point for raw in house.batches for point in billing.Batch(raw).energy()]
        assert len(set(points)) == len(points)  # the same reading never looks the same
        assert 50 < sum(point[0] == 2 for point in points) < 118
        coordinates.append(b"".join(point[1:] for point in points))
    for raw in coordinates:
        assert 150 < spread(raw) < 380
        assert len(zlib.compress(raw, 9)) >= len(raw)
    assert len({len(raw) for house in houses for raw in house.batches}) == 1


def test_the_simple_tests_can_tell_a_hub_that_blinds_badly():
    """With no blinding worth the name the same reading is the same point: the tests above would see that."""
    flat = b"".join(G.encode(G.commit(100 if hour < 7 else 300, 5))[1:] for _ in range(7) for hour in range(24))
    assert spread(flat) > 380
    assert len(zlib.compress(flat, 9)) < len(flat) / 2


def test_a_proof_is_another_one_each_time():
    house = House(7, household("twice"), step_s=HOUR)
    first, second = shown(house), shown(house)
    assert first[0] == second[0]
    parts = [{proof[at : at + 48] for at in range(36, len(proof), 48)} for _, proof in (first, second)]
    assert not parts[0] & parts[1]
