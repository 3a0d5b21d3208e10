"""What a customer chooses to show: one reading, a total, a bound; and nothing that is not so."""

import pytest
from billing_house import CHAIN, HUB, JANUARY, NONCE, House, household

from meterhub.codec import bill as forms
from meterhub_tools.billing import prover, verifier
from meterhub_tools.billing.refusals import Refused

HOUR, DAY = 3600, 86400


@pytest.fixture(scope="module")
def house():
    return House(2, household("shown", True), step_s=HOUR, missing={JANUARY + 20 * HOUR, JANUARY + 21 * HOUR})


@pytest.fixture(scope="module")
def mine(house):
    return prover.House(house.batches, house.keys(), house.registers)


@pytest.fixture(scope="module")
def batches(house):
    return verifier.Batches(house.batches, HUB)


def used(house, start, stop, which=2):
    return [row[which] for row in house.rows if start <= row[0] and row[1] <= stop]


@pytest.mark.parametrize(("first", "last"), [(0, 1), (7, 8), (0, 24), (24, 48), (0, 48), (19, 23)])
@pytest.mark.parametrize("export", [False, True])
def test_a_total_is_shown(house, mine, batches, first, last, export):
    start, stop = JANUARY + first * HOUR, JANUARY + last * HOUR
    raw, proof = prover.prove_total(mine, start, stop, NONCE, export)
    verdict = verifier.check_disclosure(batches, NONCE, raw, proof)
    wh = sum(used(house, start, stop, 2 + export))
    assert forms.disclosure_of(raw).wh == wh
    assert any(line.endswith(f": {wh} Wh") for line in verdict.learnt)
    assert any("no reading" in line for line in verdict.learnt) == (first <= 20 < last)


def test_a_bound_is_shown_and_is_the_least_that_can_be(house, mine, batches):
    start, stop = JANUARY, JANUARY + 18 * HOUR
    most = max(used(house, start, stop))
    raw, proof = prover.prove_never_above(mine, start, stop, most, NONCE, bits=12)
    verdict = verifier.check_disclosure(batches, NONCE, raw, proof)
    assert f"never more than {most} Wh" in verdict.learnt[0]
    with pytest.raises(Refused, match="READING_ABOVE"):
        prover.prove_never_above(mine, start, stop, most - 1, NONCE, bits=12)


def test_few_bits_would_show_a_bound_from_below_and_are_refused(mine):
    with pytest.raises(Refused, match="8 bits would show"):
        prover.prove_never_above(mine, JANUARY, JANUARY + 18 * HOUR, 5000, NONCE, bits=8)


def test_nothing_is_certified_over_the_exchange_of_a_meter():
    noon = JANUARY + 12 * HOUR
    house = House(1, lambda at: (40000 if at == noon else 300, None), step_s=HOUR, turns={noon})
    mine, batches = prover.House(house.batches, house.keys(), house.registers), verifier.Batches(house.batches, HUB)
    for make in (
        lambda stop: prover.prove_total(mine, JANUARY, stop, NONCE),
        lambda stop: prover.prove_never_above(mine, JANUARY, stop, 500, NONCE),
    ):
        verifier.check_disclosure(batches, NONCE, *make(noon))
        with pytest.raises(Refused, match="DISCLOSURE_GAP"):
            make(JANUARY + DAY)
    rows = [(row, row.imported) for row in mine.rows]
    with pytest.MonkeyPatch.context() as patched:  # a prover that does not mind
        patched.setattr(prover, "_rows_within", lambda *_: rows)
        lie = prover.prove_total(mine, JANUARY, JANUARY + DAY, NONCE)
    with pytest.raises(Refused, match="DISCLOSURE_GAP"):
        verifier.check_disclosure(batches, NONCE, *lie)


def test_over_a_gap_a_bound_is_one_of_the_average(house, mine, batches):
    start, stop = JANUARY + 20 * HOUR, JANUARY + 23 * HOUR
    wh = used(house, start, stop)[0]
    raw, proof = prover.prove_never_above(mine, start, stop, -(-wh // 3), NONCE, bits=12)
    verdict = verifier.check_disclosure(batches, NONCE, raw, proof)
    assert "2 intervals of these have no reading" in verdict.learnt


@pytest.mark.parametrize(
    ("first", "last", "name"),
    [
        (-1, 3, "DISCLOSURE_PERIOD"),
        (0, 49, "DISCLOSURE_PERIOD"),
        (5, 5, "DISCLOSURE_PERIOD"),
        (0, 21, "DISCLOSURE_GAP"),
    ],
)
def test_what_cannot_be_shown(mine, first, last, name):
    with pytest.raises(Refused) as refused:
        prover.prove_total(mine, JANUARY + first * HOUR, JANUARY + last * HOUR, NONCE)
    assert refused.value.name == name


def test_what_was_fed_in_where_nothing_says_so():
    house = House(1, household("no export"), step_s=HOUR)
    mine = prover.House(house.batches, house.keys(), house.registers)
    with pytest.raises(Refused, match="DISCLOSURE_EXPORT"):
        prover.prove_total(mine, JANUARY, JANUARY + HOUR, NONCE, export=True)


def _changed(raw, **fields):
    return forms.pack_disclosure(forms.disclosure_of(raw)._replace(**fields))


FIELDS = [
    ("hub", b"0123456789", "DISCLOSURE_HUB"),
    ("chain", CHAIN[::-1], "DISCLOSURE_CHAIN"),
    ("start", JANUARY + HOUR, None),
    ("start", JANUARY - HOUR, "DISCLOSURE_PERIOD"),
    ("start", JANUARY + 1, "DISCLOSURE_GAP"),
    ("stop", JANUARY + 19 * HOUR, None),
    ("stop", JANUARY + 21 * HOUR, "DISCLOSURE_GAPS"),
    ("stop", JANUARY, "DISCLOSURE_PERIOD"),
    ("batches", 1, "DISCLOSURE_BATCHES"),
    ("digest", bytes(32), "DISCLOSURE_BATCHES"),
    ("nonce", bytes(16), "DISCLOSURE_NONCE"),
    ("direction", 1, None),
    ("gaps", 1, "DISCLOSURE_GAPS"),
    ("wh", 12345, None),
]


@pytest.mark.parametrize(
    ("field", "value", "name"), FIELDS, ids=[f"{name} {i}" for i, (name, _, _) in enumerate(FIELDS)]
)
def test_every_field_is_bound(mine, batches, field, value, name):
    """A field is refused for itself, or else for the proof, which is another one's; and a forged proof too."""
    raw, proof = prover.prove_total(mine, JANUARY, JANUARY + 20 * HOUR, NONCE)
    changed = _changed(raw, **{field: value})
    with pytest.raises(Refused) as refused:
        verifier.check_disclosure(batches, NONCE, changed, proof)
    assert refused.value.name == (name or "PROOF_OTHER")
    forged = prover.Proof(mine.group, changed)
    forged.opened(12345)
    with pytest.raises(Refused) as refused:
        verifier.check_disclosure(batches, NONCE, changed, forged.raw())
    assert refused.value.name == (name or "DISCLOSURE")


def test_a_bound_that_does_not_hold_is_not_believed(house, mine, batches):
    most = max(used(house, JANUARY, JANUARY + 3 * HOUR))
    raw, proof = prover.prove_never_above(mine, JANUARY, JANUARY + 3 * HOUR, most, NONCE, bits=12)
    lower = _changed(raw, wh=most - 1)
    with pytest.raises(Refused, match="RANGE"):
        verifier.check_disclosure(batches, NONCE, lower, forms.pack_proof(lower, [proof[36:]]))


def test_no_byte_of_a_disclosure_or_its_proof_can_be_changed(mine, batches):
    raw, proof = prover.prove_total(mine, JANUARY, JANUARY + 20 * HOUR, NONCE)
    for at in range(len(raw)):
        with pytest.raises(Refused):
            verifier.check_disclosure(
                batches, NONCE, raw[:at] + bytes((raw[at] ^ (1 << at % 8),)) + raw[at + 1 :], proof
            )
    for at in range(len(proof)):
        with pytest.raises(Refused):
            verifier.check_disclosure(
                batches, NONCE, raw, proof[:at] + bytes((proof[at] ^ (1 << at % 8),)) + proof[at + 1 :]
            )
    with pytest.raises(Refused, match="DISCLOSURE_FORMAT"):
        verifier.check_disclosure(batches, NONCE, raw[:-1], proof)
    with pytest.raises(Refused, match="PROOF_FORMAT"):
        verifier.check_disclosure(batches, NONCE, raw, proof + b"\x00")
