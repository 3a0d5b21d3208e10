"""Bills from the hub's batches to a verdict: each kind of tariff, equal to the same bill in the clear."""

import pytest
from billing_house import (
    HUB,
    JANUARY,
    NONCE,
    SUPPLIER,
    House,
    blocks,
    falling,
    household,
    linear,
    rising,
    signed_tariff,
)

from meterhub.codec import bill as forms
from meterhub_tools.billing import prover, verifier
from meterhub_tools.billing.group import Pycryptodome

HOUR, DAY = 3600, 86400
TWO_BANDS = [
    {"name": "night", "price": 7000},
    {"name": "day", "prices": [20000, 25000, 22000], "limits": [300, 700]},
]


def settled(house, document, group=None, **options):
    """Return (the bill, the verdict) that a verifier comes to, from bytes alone."""
    signed = signed_tariff(document)
    mine = prover.House(house.batches, house.keys(house.days), house.registers, group)
    bill, proof = prover.prove_bill(mine, signed, NONCE, **options)
    batches = verifier.Batches(house.batches, HUB, group)
    verdict = verifier.check_bill(batches, signed, SUPPLIER, NONCE, bill, proof)
    return forms.bill_of(bill), verdict


def assert_as_in_the_clear(house, document, said):
    clear = house.clear(document)
    found = (said.energy, said.standing, said.total, said.income, said.unpriced_wh, said.unpaid_wh, said.days)
    expected = (
        clear.energy,
        clear.standing,
        clear.total,
        clear.income,
        clear.unpriced_wh,
        clear.unpaid_wh,
        clear.days,
    )
    assert found == expected
    assert (said.net, said.gaps) == (sum(clear.net), house.gaps)


@pytest.fixture(scope="module")
def month():
    """A month with export, some gaps, and another meter on the 20th."""
    gaps = {JANUARY + 3 * DAY + 1800 * i for i in (4, 5, 9, 10, 11, 14, 15, 16, 17, 20, 47)}
    gaps |= {JANUARY + 10 * DAY + 1800 * i for i in range(60)}
    return House(31, household("month", True), missing=gaps, turns={JANUARY + 19 * DAY + 9 * HOUR})


@pytest.fixture(scope="module")
def week():
    """A week of hours, with a gap of two in it."""
    missing = {JANUARY + 2 * DAY + 5 * HOUR}
    return House(7, household("week"), step_s=HOUR, missing=missing)


def hours(document):
    days = [
        [minute + minute % 60 if i % 2 == 0 else minute for i, minute in enumerate(day)] for day in document["days"]
    ]
    return document | {"interval_s": HOUR, "days": days}


def test_a_month_of_time_of_use_with_export(month):
    document = linear(export=[5000, 9000])
    said, verdict = settled(month, document)
    assert_as_in_the_clear(month, document, said)
    assert said.unpriced_wh and said.unpaid_wh and said.income  # the month has all that there is to show
    assert any("no reading" in line for line in verdict.learnt)
    assert any("no price" in line for line in verdict.learnt)


def test_one_price_for_what_is_fed_in(month):
    document = linear(export=[4100])
    said, _ = settled(month, document)
    assert_as_in_the_clear(month, document, said)
    assert not said.unpaid_wh


def test_the_other_library_comes_to_the_same(month):
    document = linear(bands=[{"name": "all", "price": 28500}], days=[[0, 0]])
    said, _ = settled(month, document, Pycryptodome())
    assert_as_in_the_clear(month, document, said)


def test_a_month_of_blocks_opened_and_hidden(month):
    document = blocks(export=[4100])
    opened, shown = settled(month, document)
    hidden, kept = settled(month, document, hidden=True)
    for said in (opened, hidden):
        assert_as_in_the_clear(month, document, said)
    assert list(opened.totals) == month.clear(document).wh
    assert hidden.totals == ()
    for wh in opened.totals:
        assert any(str(wh) in line for line in shown.learnt)
        assert not any(str(wh) in line for line in kept.learnt)


def test_blocks_that_begin_anew_within_the_bill():
    house = House(14, household("fortnight"), step_s=HOUR)
    document = hours(blocks()) | {"blocks": ["weekly", 4]}  # the first of January is a Thursday
    bands = [
        {"name": "night", "prices": [7000, 9000], "limits": [9000]},
        {"name": "day", "prices": [9000, 8000], "limits": [20000]},
    ]
    for options in ({}, {"hidden": True}):
        said, _ = settled(house, document | {"bands": bands}, **options)
        assert_as_in_the_clear(house, document | {"bands": bands}, said)
    said, verdict = settled(house, document)
    assert len(said.totals) == 4
    assert not any("no reading" in line for line in verdict.learnt)


@pytest.mark.parametrize(
    "document",
    [rising(), falling(), rising(bands=TWO_BANDS, days=[[0, 0, 360, 1]])],
    ids=["rising", "falling", "both, in two bands"],
)
def test_steps_within_an_interval(week, document):
    said, _ = settled(week, hours(document), bits=12)
    assert_as_in_the_clear(week, hours(document), said)
    assert said.gaps == 1 and said.unpriced_wh


def test_a_limit_that_no_interval_can_reach_and_one_where_nothing_changes(week):
    bands = [{"name": "a", "prices": [9000, 9000, 8000], "limits": [100, 1100000]}]
    document = hours(rising(bands=bands))
    said, _ = settled(week, document)
    assert_as_in_the_clear(week, document, said)


def test_quarters_and_a_tariff_of_longer_intervals():
    house = House(8, household("quarters"), step_s=900)
    document = hours(linear(days=[[0, 1, 60, 0, 420, 1]]))
    said, _ = settled(house, document)
    assert_as_in_the_clear(house, document, said)


def test_a_period_that_begins_within_a_gap_is_said_to():
    """What was used before the period began, nobody can tell apart: it has no price, and everybody sees how much."""
    house = House(9, household("late", True), step_s=HOUR, missing={JANUARY + DAY - HOUR})
    house.batches = house.batches[1:]
    document = hours(linear(export=[5000]))
    said, verdict = settled(house, document)
    first = next(row for row in house.rows if row[1] == JANUARY + DAY + HOUR)
    assert (said.unpriced_wh, said.unpaid_wh) == first[2:]
    assert said.start == JANUARY + DAY
    rest = [row for row in house.rows if row[0] >= JANUARY + DAY]
    house.rows = rest
    assert said.net == sum(house.clear(document).net)
    assert any(f"{first[2]} Wh" in line for line in verdict.learnt)


def test_a_gap_of_more_than_eight_days_has_no_price_where_there_are_two():
    """As for everybody else, by codec/tariff_use.py: though both ends and all between are in one band."""
    missing = {JANUARY + 3 * DAY + HOUR * i for i in range(9 * 24)}
    house = House(17, household("long"), step_s=HOUR, missing=missing)
    two = hours(linear(days=[[0, 0]]))
    said, _ = settled(house, two)
    assert_as_in_the_clear(house, two, said)
    assert said.unpriced_wh
    one = hours(linear(days=[[0, 0]], bands=[{"name": "all", "price": 7500}]))
    said, _ = settled(house, one)
    assert_as_in_the_clear(house, one, said)
    assert not said.unpriced_wh


def test_a_gap_from_one_period_of_the_blocks_into_the_next_has_no_price():
    missing = {JANUARY + 7 * DAY + HOUR * i for i in (-2, -1, 0, 30)}
    house = House(14, household("over"), step_s=HOUR, missing=missing)
    bands = [{"name": "all", "prices": [7000, 9000], "limits": [9000]}]
    document = hours(linear(kind="block", bands=bands, days=[[0, 0]], blocks=["weekly", 4]))
    for options in ({}, {"hidden": True}):
        said, _ = settled(house, document, **options)
        assert_as_in_the_clear(house, document, said)
        assert said.unpriced_wh == next(row[2] for row in house.rows if row[1] - row[0] == 4 * HOUR)


def test_a_chain_that_begins_without_a_reading():
    house = House(8, household("first"), step_s=HOUR, turns={JANUARY})
    house.registers.pop(house.start)
    # as the hub would make it: a meter that read nothing before the first reading
    from billing_house import CHAIN, HUB_KEY, ROOT, sign

    from meterhub.codec import billing
    from meterhub.crypto import pedersen
    from meterhub.crypto.steps import run
    from meterhub.trust import batches

    place = (house.first_day, HOUR, JANUARY // HOUR, 24, 0, 0)
    readings = [(house.registers[JANUARY + HOUR * (i + 1)]) for i in range(24)]
    key = pedersen.day_key(ROOT, CHAIN, house.first_day)
    links = (bytes(32), bytes(32))
    body = run(batches.whole_day(verifier.signer_id(HUB), CHAIN, key, place, links, (0, None), readings))
    house.batches = [sign(HUB_KEY, body)]
    mine = prover.House(house.batches, house.keys(), house.registers)
    found = verifier.Batches(house.batches, HUB)
    assert billing.Batch(house.batches[0]).turn == 0
    raw, proof = prover.prove_total(mine, JANUARY + HOUR, JANUARY + DAY, NONCE)
    verifier.check_disclosure(found, NONCE, raw, proof)
    assert forms.disclosure_of(raw).wh == readings[-1][0] - readings[0][0]


def test_a_month_of_time_of_use_is_below_60_kilobytes():
    house = House(31, household("size"))
    mine = prover.House(house.batches, house.keys(), house.registers)
    bill, proof = prover.prove_bill(mine, signed_tariff(linear()), NONCE)
    assert sum(map(len, house.batches)) + len(bill) + len(proof) + len(signed_tariff(linear())) < 60000
