"""The tariff attack and the second bill: what is refused, what is told, and that the bounds are where they are."""

import json

import pytest
from billing_house import HUB, JANUARY, NONCE, SUPPLIER, House, household, linear, signed_tariff

from meterhub.codec import bill as forms
from meterhub.codec import tariff
from meterhub.codec.rates import Rates
from meterhub_tools.billing import prover, rules, verifier
from meterhub_tools.billing.refusals import Refused
from meterhub_tools.errors import ToolError

HOUR, DAY = 3600, 86400
HUB_ID = b"0123456789"


def bands(*prices):
    return [{"name": str(i), "price": price} for i, price in enumerate(prices)]


def looked_at(count=14, **fields):
    """Return the name under which a tariff is refused for some days of hours; None when it is accepted."""
    rates = Rates(tariff.packed(linear(**({"interval_s": HOUR} | fields))))
    priced = []
    for start in range(JANUARY, JANUARY + count * DAY, HOUR):
        priced.append((start, rates.blocks_start(start) if rates.kind == 1 else 0, rates.band_at(start)))
    try:
        rules.check_tariff(rates, priced)
    except Refused as error:
        return error.name
    return None


SIX = [[0, 0, 240, 1, 480, 2, 720, 3, 960, 4, 1200, 5]]
SEVEN = [[0, 0, 240, 1, 480, 2, 720, 3, 960, 4, 1200, 5, 1320, 6]]
STEP = {"name": "a", "prices": [5, 6, 7], "limits": [1, 2]}


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"bands": bands(1, 2, 3, 4, 5, 6), "days": SIX}, None),
        ({"bands": bands(1, 2, 3, 4, 5, 6, 7), "days": SEVEN}, "TARIFF_BANDS"),
        ({"bands": bands(1, 20), "days": [[0, 0, 240, 1]]}, None),
        ({"bands": bands(1, 21), "days": [[0, 0, 240, 1]]}, "TARIFF_PRICES"),
        ({"bands": bands(0, 1), "days": [[0, 0, 240, 1]]}, "TARIFF_PRICES"),
        ({"bands": bands(-3, 1), "days": [[0, 0, 240, 1]]}, "TARIFF_PRICES"),
        ({"bands": bands(0), "days": [[0, 0]]}, None),
        ({"bands": bands(1, 1000), "days": [[0, 0, 1380, 1]]}, "TARIFF_PRICES"),
        ({"bands": bands(1, 2), "days": [[0, 0, 240, 1]]}, None),  # four hours
        ({"bands": bands(1, 2), "days": [[0, 0, 180, 1]]}, "TARIFF_BAND_TIME"),
        ({"bands": bands(1, 2), "days": [[0, 0]], "special": []}, None),
        ({"bands": bands(1, 2), "days": [[0, 0], [0, 1]], "special": [[1, 3, 1]]}, "TARIFF_BAND_TIME"),  # on one day
        ({"bands": bands(1, 2), "days": [[0, 0, 240, 1]], "export": [3, 60]}, None),
        ({"bands": bands(1, 2), "days": [[0, 0, 240, 1]], "export": [3, 61]}, "TARIFF_PRICES"),
        ({"bands": bands(1, 2), "days": [[0, 0, 240, 1]], "export": [0]}, None),
        ({"kind": "steps", "bands": [STEP, STEP | {"name": "b"}], "days": [[0, 0, 240, 1]]}, None),
        (
            {"kind": "steps", "bands": [STEP, STEP, {"name": "c", "price": 5}], "days": [[0, 0, 240, 1, 480, 2]]},
            "TARIFF_BANDS",
        ),
        ({"kind": "block", "bands": [STEP], "days": [[0, 0]], "blocks": ["weekly", 4]}, None),
        ({"kind": "block", "bands": [STEP], "days": [[0, 0]], "blocks": ["daily"]}, "TARIFF_BAND_TIME"),
    ],
)
def test_which_tariffs_are_accepted(fields, name):
    assert looked_at(**fields) == name


def test_a_bill_of_six_days_is_refused():
    assert looked_at(6, bands=bands(1), days=[[0, 0]]) == "TARIFF_BAND_TIME"
    assert looked_at(7, bands=bands(1), days=[[0, 0]]) is None


def test_both_sides_refuse_a_tariff_that_reads_one_reading():
    """The attack itself: a price for one hour a week that the fee can be taken apart by."""
    house = House(8, household("attacked"), step_s=HOUR)
    document = linear(
        interval_s=HOUR, bands=bands(1, 1000000), days=[[0, 0], [0, 0, 60, 1, 120, 0]], special=[[1, 3, 1]]
    )
    raw = tariff.packed(document)
    net = sum(house.clear(document).net)
    reading = house.registers[JANUARY + 2 * DAY + 2 * HOUR][0] - house.registers[JANUARY + 2 * DAY + HOUR][0]
    # what a supplier would do with the fee of such a bill
    assert round(net / Rates(raw).charge(1, 1)) == reading
    signed = signed_tariff(document)
    mine = prover.House(house.batches, house.keys(), house.registers)
    with pytest.raises(Refused, match="TARIFF_PRICES"):
        prover.prove_bill(mine, signed, NONCE)
    batches = verifier.Batches(house.batches, HUB)
    with pytest.raises(Refused, match="TARIFF_PRICES"):
        verifier.check_bill(batches, signed, SUPPLIER, NONCE, forms.pack_bill(_any_bill()), b"")


def _any_bill():
    amounts = [0] * 6
    return forms.Bill(HUB_ID, b"c" * 16, 0, 0, b"t" * 32, 0, b"d" * 32, NONCE, 0, 0, 0, 0, 0, 0, *amounts, ())


def test_intervals_without_a_reading_count_for_no_band():
    """A band of which there is hardly a reading would be as good as one."""
    missing = {JANUARY + day * DAY + hour * HOUR for day in range(2, 9) for hour in range(6)}
    house = House(9, household("gaps"), step_s=HOUR, missing=missing)
    document = linear(interval_s=HOUR, bands=bands(3, 4), days=[[0, 0, 360, 1]])
    mine = prover.House(house.batches, house.keys(), house.registers)
    with pytest.raises(Refused, match="TARIFF_BAND_TIME"):
        prover.prove_bill(mine, signed_tariff(document), NONCE)


def test_what_a_tariff_shows_is_told():
    lines = rules.told(Rates(tariff.packed(linear(export=[1, 2]))))
    assert any("night, day" in line for line in lines)
    assert any("fed in" in line for line in lines)
    block = Rates(tariff.packed(linear(kind="block", bands=[STEP], days=[[0, 0]])))
    assert [any("in the bill" in line for line in rules.told(block, opened)) for opened in (True, False)] == [
        True,
        False,
    ]
    step = linear(kind="steps", bands=[STEP], days=[[0, 0]])
    assert any("each step" in line for line in rules.told(Rates(tariff.packed(step))))


# -- second bills ------------------------------------------------------------------------------------------------


def entry(what, first, last, tariff_name="aa", export=False):
    return rules.Entry(what, HUB_ID.hex(), first * DAY, last * DAY, tariff_name, "a supplier", 0, export)


@pytest.mark.parametrize(
    ("first", "last", "tariff_name", "hub", "refused"),
    [
        (0, 31, "aa", HUB_ID, False),  # the same bill once more
        (0, 31, "bb", HUB_ID, True),
        (0, 30, "aa", HUB_ID, True),
        (1, 31, "aa", HUB_ID, True),
        (30, 62, "aa", HUB_ID, True),
        (31, 62, "aa", HUB_ID, False),
        (-31, 0, "bb", HUB_ID, False),
        (0, 31, "bb", b"another hub", False),
    ],
)
def test_a_second_bill(first, last, tariff_name, hub, refused):
    ledger = rules.Ledger([entry("bill", 0, 31), entry("total", 40, 50)])
    asked = (hub, first * DAY, last * DAY, bytes.fromhex(tariff_name))
    if not refused:
        ledger.check_bill(*asked)
        return
    with pytest.raises(Refused, match="a supplier") as found:
        ledger.check_bill(*asked)
    assert found.value.name == "SECOND_BILL"


@pytest.mark.parametrize(
    ("what", "first", "last", "export", "wh", "refused"),
    [
        ("total", 0, 7, False, 0, False),  # the same once more
        ("total", 0, 6, False, 0, True),
        ("total", 6, 8, False, 0, True),
        ("total", 2, 3, False, 0, True),
        ("total", 7, 14, False, 0, False),  # what the bill is about
        ("total", 7, 13, False, 0, True),
        ("total", 0, 7, True, 0, False),  # nothing of what was fed in is known
        ("total", 7, 13, True, 0, True),  # but what is paid for it
        ("total", 14, 20, False, 0, False),
        ("bill", 7, 13, False, 0, False),  # check_bill()'s
        ("bill", 0, 14, False, 0, True),
        ("never above", 0, 6, False, 900, False),
        ("never above", 20, 21, False, 900, False),
        ("never above", 20, 21, False, 800, True),
        ("never above", 20, 22, False, 900, True),
        ("never above", 20, 21, True, 800, False),
    ],
)
def test_what_overlaps(what, first, last, export, wh, refused):
    bound = rules.Entry("never above", HUB_ID.hex(), 20 * DAY, 21 * DAY, "", "a supplier", 0, False, 900)
    ledger = rules.Ledger([entry("total", 0, 7), entry("bill", 7, 14), bound])
    asked = (what, HUB_ID, first * DAY, last * DAY, export, wh)
    ledger.check(what, b"another hub", *asked[2:])
    if not refused:
        ledger.check(*asked)
        return
    with pytest.raises(Refused, match="a supplier") as found:
        ledger.check(*asked)
    assert found.value.name == "OVERLAP"


def test_what_a_second_disclosure_would_show_is_told():
    ledger = rules.Ledger([entry("total", 0, 7), entry("never above", 0, 7), entry("bill", 7, 14)])
    days = "1970-01-07 00:00 to 1970-01-08 00:00 UTC"
    assert ledger.shows("total", HUB_ID, 0, 6 * DAY) == [
        f"what lies from {days}, beside the total that a supplier has"
    ]
    assert ledger.shows("total", HUB_ID, 0, 7 * DAY) == []
    assert ledger.shows("total", HUB_ID, 0, 6 * DAY, export=True) == []
    assert ledger.shows("never above", HUB_ID, 0, 6 * DAY) == []
    assert len(ledger.shows("total", HUB_ID, 8 * DAY, 13 * DAY)) == 2
    assert ledger.shows("total", b"another hub", 0, 6 * DAY) == []


def test_a_ledger_is_kept(tmp_path):
    path = tmp_path / "ledger.json"
    ledger = rules.Ledger.load(path)
    assert ledger.entries == []
    ledger.add(entry("bill", 0, 31))
    ledger.save(path)
    assert rules.Ledger.load(path).entries == ledger.entries
    for wrong in ("[", "[3]", "{}", json.dumps([{"what": "bill"}])):
        path.write_text(wrong)
        with pytest.raises(ToolError, match="no ledger"):
            rules.Ledger.load(path)
