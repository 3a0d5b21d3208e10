"""The hub's own proof of a linear bill: the customer's prover comes to the same bill, and the verifier believes it."""

import hashlib
import random
import sys
from pathlib import Path

import linear_samples as samples
import pytest
from billing_house import HUB, HUB_KEY, SUPPLIER, SUPPLIER_KEY, sign
from linear_samples import CHAIN, DAY, HOUR, MARCH, NONCE, days, document, span, steady

from meterhub.codec import bill as forms
from meterhub.codec import billing, tariff
from meterhub.codec.timezone import Zone
from meterhub.crypto.drbg import Drbg
from meterhub.crypto.steps import run
from meterhub.trust import batches as day_batches
from meterhub.trust import linear_proof
from meterhub_tools.billing import group, prover, rules, verifier
from meterhub_tools.billing.refusals import Refused

sys.path.append(str(Path(__file__).parents[1] / "unix"))
import test_linear_proof

ID = verifier.signer_id(HUB)
G = group.fastest()


def commit(m, r):
    """Commit as the firmware does, by the host's library: the firmware's own takes ten times as long on a PC."""
    yield
    return G.encode(G.commit(m, r))


def signed(one, at=MARCH - DAY):
    return sign(SUPPLIER_KEY, forms.tariff_body(at, verifier.signer_id(SUPPLIER), tariff.packed(one)))


def batches_of(found, in_force=bytes(32)):
    """Return the signed batches of some days, by the hub's own code."""
    previous, raw = bytes(32), []
    for key, place, start, readings in found:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(day_batches.pedersen, "commit", commit)
            patched.setattr(day_batches.pedersen, "commit_register", commit)
            body = run(day_batches.whole_day(ID, CHAIN, key, place, (previous, in_force), start, readings))
        raw.append(sign(HUB_KEY, body))
        previous = billing.Batch(raw[-1]).digest()
    return raw


def registers_of(found):
    """Return the readings of some days as the customer has them."""
    registers = {}
    for _, (_, step_s, first, _, _, late), start, readings in found:
        registers[(first - late) * step_s] = start
        registers |= {(first + i + 1) * step_s: reading for i, reading in enumerate(readings) if reading is not None}
    return registers


def by_the_hub(found, one, digest, nonce=NONCE, exports=True):
    bill = linear_proof.LinearBill(ID, CHAIN, forms.tariff_of(signed(one)), *span(found), found[0][1][1], exports)
    for day in found:
        run(bill.day(*day))
    return linear_proof.both_of(run(bill.finish(digest, nonce, Drbg(random.randbytes(48)))))


def by_the_customer(found, raw, one):
    keys = billing.pack_keys(ID, CHAIN, found[0][1][0], [day[0] for day in found])
    return prover.prove_bill(prover.House(raw, keys, registers_of(found), G), signed(one), NONCE)[0]


def check(raw, one, made, nonce=NONCE):
    return verifier.check_bill(verifier.Batches(raw, HUB, G), signed(one), SUPPLIER, nonce, *made)


def test_the_bill_that_every_port_makes_is_believed():
    """tests/unix/test_linear_proof.py shows that MicroPython makes these very bytes."""
    found = samples.with_all()
    raw = batches_of(found)
    bill = linear_proof.LinearBill(samples.HUB, CHAIN, samples.signed(document()), *span(found), HOUR, exports=True)
    for day in found:
        run(bill.day(*day))
    same = run(bill.finish(samples.DIGEST, NONCE, Drbg(b"\x07" * 48)))
    assert hashlib.sha256(same).hexdigest() == test_linear_proof.KNOWN
    assert samples.HUB == ID
    assert verifier.Batches(raw, HUB, G).digest == samples.DIGEST
    check(raw, document(), linear_proof.both_of(same))


SIX = [{"name": str(i), "price": 5000 + 700 * i} for i in range(6)]
PLAN = [[0, 0, 240, 1, 480, 2, 720, 3, 960, 4, 1200, 5]]
TARIFFS = [
    {},
    {"bands": SIX, "days": PLAN, "export": [-4]},
    {"bands": [{"name": "a", "price": 7}], "days": [[0, 0]], "export": []},
    {"bands": [{"name": "a", "price": 0}], "days": [[0, 0]], "export": [0]},
    {"bands": [{"name": "a", "price": -9}], "days": [[0, 0]], "export": [5000], "round": 0, "tax_bp": 0},
    {"days": [[0, 0], [0, 1]], "weeks": [[0, 1, 0, 1, 0, 1, 0]], "special": [[3, 26, 1]]},
    {"zone": "<+0545>-5:45", "interval_s": 900, "days": [[0, 1, 375, 0]]},
]


@pytest.mark.parametrize("number", range(len(TARIFFS)))
def test_it_is_the_bill_that_the_customers_prover_makes(number):
    """Byte for byte, for houses with gaps anywhere, an exchange, a late beginning, with and without export."""
    chance = random.Random(number)
    one = document(**TARIFFS[number])
    step_s, export = one["interval_s"], number % 3 != 1
    places = range(MARCH, MARCH + 31 * DAY, step_s)
    missing = set(chance.sample(places, len(places) // 12)) | {Zone(one["zone"]).next_day_start(MARCH) - step_s}
    if number % 2:
        first = chance.choice(places[: len(places) // 2])
        missing |= set(range(first, first + 9 * DAY, step_s))  # longer than a gap may be that has a price
    turns = {chance.choice(places[-400:])}

    def energy(at):
        made = random.Random(f"{number} {at}")
        return made.randrange(700), made.randrange(300) * made.randrange(2)

    found = days(31, energy, missing, turns, step_s, one["zone"], export)[chance.randrange(2) :]
    raw = batches_of(found)
    digest = verifier.Batches(raw, HUB, G).digest
    bill, proof = by_the_hub(found, one, digest, exports=export)
    assert bill == by_the_customer(found, raw, one)
    check(raw, one, (bill, proof))


def test_both_sides_have_the_same_bounds():
    names = ("MOST_PRICES", "LEAST_INTERVALS", "LEAST_DAYS", "MOST_RATIO")
    assert [getattr(linear_proof, name) for name in names] == [getattr(rules, name) for name in names]


def test_a_hub_that_is_told_of_other_batches_makes_a_bill_that_nobody_believes():
    found = days(8, steady)
    raw = batches_of(found)
    digest = verifier.Batches(raw, HUB, G).digest
    made = by_the_hub(found, document(), digest)
    check(raw, document(), made)
    for wrong, name in (
        (by_the_hub(found, document(), bytes(32)), "BILL_BATCHES"),
        (by_the_hub(found, document(), digest, bytes(16)), "BILL_NONCE"),
        (by_the_hub(found, document(id="eco-2"), digest), "BILL_TARIFF"),
        (by_the_hub(found[1:], document(), digest), "BILL_PERIOD"),
        ((made[0], by_the_hub(found, document(), digest)[1][:-1]), "PROOF_FORMAT"),
    ):
        with pytest.raises(Refused) as refused:
            check(raw, document(), wrong)
        assert refused.value.name == name


def test_readings_that_are_not_the_ones_of_the_batches_prove_nothing():
    """A hub whose profile was altered afterwards: the registers, the income or the fee do not fit."""
    found = days(8, steady)
    raw = batches_of(found)
    digest = verifier.Batches(raw, HUB, G).digest
    for way, name in (((1, 0), "FEE"), ((0, 1), "INCOME")):

        def energy(at, way=way):
            wh, fed = steady(at)
            more = at == MARCH + 30 * HOUR
            return wh + more * way[0], fed + more * way[1]

        with pytest.raises(Refused) as refused:
            check(raw, document(), by_the_hub(days(8, energy), document(), digest))
        assert refused.value.name == name
