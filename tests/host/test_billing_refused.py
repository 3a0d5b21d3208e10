"""What is not right is refused, each thing by its own name: whoever made it, and whoever signed it."""

from pathlib import Path

import pytest
from billing_house import (
    CHAIN,
    HUB,
    HUB_KEY,
    JANUARY,
    NONCE,
    ROOT,
    SUPPLIER,
    SUPPLIER_KEY,
    House,
    blocks,
    falling,
    household,
    linear,
    public,
    rising,
    sign,
    signed_tariff,
)

from meterhub.codec import bill as forms
from meterhub.codec import billing, tariff
from meterhub.codec.rates import Rates
from meterhub.crypto import p256, pedersen
from meterhub.crypto.steps import run
from meterhub_tools.billing import group, prover, verifier
from meterhub_tools.billing.refusals import NAMES, Refused

HOUR, DAY = 3600, 86400
PLAN = [[0, 0, 420, 1]]
OTHER_CHAIN = b"another chain..."


def name_of(function, *arguments, **options):
    """Return the name under which something is refused; None when it is not."""
    try:
        function(*arguments, **options)
    except Refused as error:
        return error.name
    return None


def document(**fields):
    return linear(interval_s=HOUR, days=PLAN, **fields)


@pytest.fixture(scope="module")
def house():
    return House(8, household("refused", True), step_s=HOUR, missing={JANUARY + 5 * HOUR})


@pytest.fixture(scope="module")
def mine(house):
    return prover.House(house.batches, house.keys(), house.registers)


@pytest.fixture(scope="module")
def batches(house):
    return verifier.Batches(house.batches, HUB)


@pytest.fixture(scope="module")
def made(mine):
    """A signed tariff, a bill by it, its proof."""
    signed = signed_tariff(document(export=[5000, 6000]))
    return signed, *prover.prove_bill(mine, signed, NONCE)


def check(batches, made, **other):
    parts = dict(zip(("signed", "bill", "proof"), made, strict=True)) | {"nonce": NONCE, "key": SUPPLIER} | other
    return name_of(
        verifier.check_bill, batches, parts["signed"], parts["key"], parts["nonce"], parts["bill"], parts["proof"]
    )


def test_the_bill_itself_is_right(batches, made):
    assert check(batches, made) is None


# -- batches -----------------------------------------------------------------------------------------------------


def read(raw, key=HUB):
    return name_of(verifier.Batches, raw, key)


def resigned(raw, at, piece):
    """Return a batch that was changed, signed by the hub after that."""
    body = raw[: -billing.SIGNATURE_BYTES]
    return sign(HUB_KEY, body[:at] + piece + body[at + len(piece) :])


def test_no_byte_of_a_batch_can_be_changed(house):
    """One bit of each byte of the head, the signature and the ends, and of every fifth in between."""
    raw = house.batches[0]
    head = 108 + 3
    for at in [*range(head + 40), *range(head + 40, len(raw) - 100, 5), *range(len(raw) - 100, len(raw))]:
        changed = raw[:at] + bytes((raw[at] ^ (1 << at % 8),)) + raw[at + 1 :]
        expected = {"BATCH_FORMAT", "BATCH_SIGNATURE"} | ({"BATCH_HUB"} if 4 <= at < 14 else set())
        assert read([changed]) in expected, at


def test_batches_swapped_dropped_doubled_or_from_elsewhere(house):
    one, two, three = house.batches[:3]
    other = House(2, household("other"), step_s=HOUR, chain=OTHER_CHAIN)
    same_chain = House(2, household("other", True), step_s=HOUR)
    for raw, name in (
        ([], "BATCH_NONE"),
        ([one, three], "BATCH_MISSING"),
        ([two, one], "BATCH_ORDER"),
        ([one, one], "BATCH_ORDER"),
        ([one, other.batches[1]], "BATCH_CHAIN"),
        ([one, same_chain.batches[1]], "BATCH_LINK"),
        ([one, two[:-1]], "BATCH_FORMAT"),
    ):
        assert read(raw) == name
    assert read([one, two, three]) is None
    assert read([one], SUPPLIER) == "BATCH_HUB"
    by_another = two[:4] + verifier.signer_id(SUPPLIER) + two[14:-64]
    assert read([one, sign(SUPPLIER_KEY, by_another)]) == "BATCH_HUB"
    assert read([one, sign(SUPPLIER_KEY, two[:-64])]) == "BATCH_SIGNATURE"


def test_a_signature_in_its_other_form(house):
    raw = house.batches[0]
    s = p256.N - int.from_bytes(raw[-32:])
    assert read([raw[:-32] + s.to_bytes(32)]) == "BATCH_SIGNATURE"


def test_what_only_a_hub_gone_wrong_would_sign(house):
    one, two = house.batches[:2]
    register, energy = 111, 111 + 4 * 33
    for at, piece, name in (
        (14, OTHER_CHAIN, "BATCH_CHAIN"),
        (30, (JANUARY // DAY).to_bytes(4, "little"), "BATCH_FORMAT"),  # the intervals are not that day's
        (34, b"\x02", "BATCH_FORMAT"),
        (36, (JANUARY // HOUR + 25).to_bytes(4, "little"), "BATCH_LINK"),
        (36, (JANUARY // HOUR + 23).to_bytes(4, "little"), "BATCH_LINK"),
        (42, b"\x01\x00", "BATCH_LATE"),
        (44, bytes(32), "BATCH_LINK"),
        (44, two[44:75] + b"\x00", "BATCH_LINK"),
        (register, b"\x02" + b"\xff" * 32, "POINT"),  # though no amount may depend on it
        (register + 3 * 33, b"\x03" + off_the_curve().to_bytes(32), "POINT"),
        (energy, group.AT_INFINITY, "BATCH_FORMAT"),
        (energy, b"\x02" + b"\xff" * 32, "POINT"),
        (energy, b"\x02" + (p256.P + 5).to_bytes(32), "POINT"),
        (energy, b"\x02" + off_the_curve().to_bytes(32), "POINT"),
    ):
        assert read([one, resigned(two, at, piece)]) == name, (at, piece)
    assert read([resigned(one, energy, one[energy + 33 : energy + 66]), two]) == "BATCH_LINK"


def test_a_batch_that_has_suddenly_no_export(house):
    quiet = House(2, household("refused"), step_s=HOUR).batches[1]
    before = billing.Batch(house.batches[0]).digest()
    assert read([house.batches[0], resigned(quiet, 44, before)]) == "BATCH_LINK"


def bill_over(house, batches):
    """Return the name under which a bill over batches is refused that a hub gone wrong has signed."""
    mine, found = prover.House(house.batches, house.keys(), house.registers), verifier.Batches(batches, HUB)
    signed = signed_tariff(document())
    said = forms.bill_of(prover.prove_bill(mine, signed, NONCE)[0])._replace(digest=found.digest)
    bill = forms.pack_bill(said)
    work = prover._Work(mine, Rates(forms.tariff_of(signed).raw))
    return check(found, (signed, bill, prover._proof_of_bill(mine, bill, work, forms.LINEAR, 0)))


def test_a_register_that_is_another(house):
    """The last batch's: nothing follows from it."""
    end = 111 + 33
    last = house.batches[-1]
    assert bill_over(house, [*house.batches[:-1], resigned(last, end, last[end + 33 : end + 66])]) == "REGISTERS"
    assert (
        bill_over(house, [*house.batches[:-1], resigned(last, end + 66, last[end : end + 33])]) == "EXPORT_REGISTERS"
    )
    assert bill_over(house, house.batches) is None


def off_the_curve():
    return next(x for x in range(5, 50) if pow(x**3 - 3 * x + p256.B, (p256.P - 1) // 2, p256.P) != 1)


# -- tariffs -----------------------------------------------------------------------------------------------------


def test_a_tariff_that_is_changed_or_anothers(batches, made):
    signed = made[0]
    for at in range(len(signed)):
        changed = signed[:at] + bytes((signed[at] ^ 1,)) + signed[at + 1 :]
        assert check(batches, made, signed=changed) in ("TARIFF_FORMAT", "TARIFF_SIGNATURE"), at
    assert check(batches, made, key=HUB) == "TARIFF_SIGNATURE"
    assert check(batches, made, key=b"\x04" + bytes(64)) == "TARIFF_SIGNATURE"
    assert check(batches, made, signed=signed_tariff(document(), key=HUB_KEY)) == "TARIFF_SIGNATURE"
    body = forms.tariff_of(signed).body
    in_anothers_name = sign(SUPPLIER_KEY, body[:8] + verifier.signer_id(HUB) + body[18:])
    assert check(batches, made, signed=in_anothers_name) == "TARIFF_SIGNATURE"
    dearer = document(export=[5000, 6000], bands=[{"name": "a", "price": 7500}, {"name": "b", "price": 28501}])
    assert check(batches, made, signed=signed_tariff(dearer)) == "BILL_TARIFF"


def test_a_tariff_of_afterwards(mine, batches, made):
    for late in (signed_tariff(document(), at=JANUARY + 1), signed_tariff(document(**{"from": JANUARY + HOUR}))):
        assert check(batches, made, signed=late) == "TARIFF_LATE"
        assert name_of(prover.prove_bill, mine, late, NONCE) == "TARIFF_LATE"
    assert name_of(prover.prove_bill, mine, signed_tariff(document(), at=JANUARY), NONCE) is None


def test_a_tariff_that_the_hub_did_not_have():
    in_force = tariff.digest(tariff.packed(document()))
    house = House(7, household("in force"), step_s=HOUR, in_force=in_force)
    mine, batches = prover.House(house.batches, house.keys(), house.registers), verifier.Batches(house.batches, HUB)
    for one, name in ((document(), None), (document(id="other"), "TARIFF_OTHER")):
        signed = signed_tariff(one)
        assert check(batches, lying(mine, signed)) == name
        assert name_of(prover.prove_bill, mine, signed, NONCE) == name


def test_a_tariff_of_intervals_that_there_are_not(mine, batches, made):
    for one in (rising(interval_s=1800), linear(interval_s=1800)):
        assert check(batches, made, signed=signed_tariff(one)) == "TARIFF_INTERVAL"
        assert name_of(prover.prove_bill, mine, signed_tariff(one), NONCE) == "TARIFF_INTERVAL"


def test_blocks_that_do_not_end_with_the_bill(mine, batches, made):
    one = signed_tariff(blocks(interval_s=HOUR) | {"days": PLAN})
    assert name_of(prover.prove_bill, mine, one, NONCE) == "BILL_PERIOD"
    raw = forms.bill_of(made[1])._replace(tariff=tariff.digest(forms.tariff_of(one).raw), form=forms.OPENED)
    assert check(batches, made, signed=one, bill=forms.pack_bill(raw)) == "BILL_PERIOD"


# -- bills -------------------------------------------------------------------------------------------------------

FIELDS = [
    ("hub", b"0123456789", "BILL_HUB"),
    ("chain", OTHER_CHAIN, "BILL_CHAIN"),
    ("start", JANUARY + HOUR, "BILL_PERIOD"),
    ("stop", JANUARY, "BILL_PERIOD"),
    ("tariff", bytes(32), "BILL_TARIFF"),
    ("batches", 9, "BILL_BATCHES"),
    ("digest", bytes(32), "BILL_BATCHES"),
    ("nonce", bytes(16), "BILL_NONCE"),
    ("form", forms.OPENED, "BILL_FORM"),
    ("days", 9, "BILL_DAYS"),
    ("gaps", 0, "BILL_GAPS"),
    ("energy", None, "BILL_AMOUNT"),
    ("standing", None, "BILL_AMOUNT"),
    ("total", None, "BILL_AMOUNT"),
    ("income", None, "BILL_AMOUNT"),
    ("unpriced_wh", None, "UNPRICED"),
    ("unpaid_wh", None, "PROOF_OTHER"),  # there is some: only the proof can say how much
    ("net", None, "PROOF_OTHER"),  # too little to change what is rounded
    ("income_net", None, "PROOF_OTHER"),
]


@pytest.mark.parametrize(("field", "value", "name"), FIELDS, ids=[field[0] for field in FIELDS])
def test_a_field_of_a_bill_that_is_another(batches, made, field, value, name):
    said = forms.bill_of(made[1])
    changed = said._replace(**{field: getattr(said, field) + 1 if value is None else value})
    assert check(batches, made, bill=forms.pack_bill(changed)) == name


def test_no_byte_of_a_bill_can_be_changed(batches, made):
    bill = made[1]
    for at in range(len(bill)):
        assert check(batches, made, bill=bill[:at] + bytes((bill[at] ^ (1 << at % 8),)) + bill[at + 1 :]), at
    for other in (b"", bill[:-1], bill + b"\x00"):
        assert check(batches, made, bill=other) == "BILL_FORMAT"


def test_a_bill_for_another_verifier(batches, made):
    assert check(batches, made, nonce=bytes(16)) == "BILL_NONCE"


def lying(mine, signed, **fields):
    """Return a bill in which a prover lies, and the best proof that there is for it."""
    rates = Rates(forms.tariff_of(signed).raw)
    work = prover._Work(mine, rates)
    form = {0: forms.LINEAR, 1: forms.OPENED, 2: forms.STEPS}[rates.kind]
    bits = 12 if form == forms.STEPS else 0
    said = prover._bill(mine, forms.tariff_of(signed).raw, NONCE, work, form, bits)
    said = said._replace(**{name: getattr(said, name) + by for name, by in fields.items() if name != "totals"})
    said = said._replace(totals=fields.get("totals", said.totals))
    standing = said.days * rates.standing_net
    said = said._replace(energy=rates.amount(said.net), total=rates.amount(said.net + standing))
    said = said._replace(income=rates.amount(said.income_net, None, False))
    raw = forms.pack_bill(said)
    return signed, raw, prover._proof_of_bill(mine, raw, work, form, bits)


@pytest.mark.parametrize(
    ("field", "name"),
    [("net", "FEE"), ("income_net", "INCOME"), ("unpriced_wh", "UNPRICED"), ("unpaid_wh", "UNPAID")],
)
@pytest.mark.parametrize("by", [1, -1])
def test_a_prover_that_lies_by_one_unit(field, name, by):
    # a gap from one band into another, so that there is something without a price
    house = House(8, household("lie", True), step_s=HOUR, missing={JANUARY + 6 * HOUR, JANUARY + 40 * HOUR})
    mine, batches = prover.House(house.batches, house.keys(), house.registers), verifier.Batches(house.batches, HUB)
    signed = signed_tariff(document(export=[5000, 6000]))
    assert check(batches, lying(mine, signed)) is None
    assert check(batches, lying(mine, signed, **{field: by})) == name


def test_a_prover_that_keeps_what_was_fed_in_to_itself(mine, batches):
    """No export in the bill, though the tariff has a price for it and the hub committed to it."""
    signed = signed_tariff(document(export=[5000, 6000]))
    rates = Rates(forms.tariff_of(signed).raw)
    income = prover._Work(mine, rates).paid[0]
    assert check(batches, lying(mine, signed, income_net=-income)) == "INCOME"
    quiet = [batch for batch in batches.batches if not batch.exports]
    assert not quiet


def test_totals_of_blocks_that_are_not_so():
    house = House(7, household("totals"), step_s=HOUR)
    mine, batches = prover.House(house.batches, house.keys(), house.registers), verifier.Batches(house.batches, HUB)
    signed = signed_tariff(blocks(interval_s=HOUR) | {"days": PLAN, "blocks": ["weekly", 4]})
    rates = Rates(forms.tariff_of(signed).raw)
    night, day = (prover._Work(mine, rates).units[(JANUARY, band)][1] for band in (0, 1))
    less = rates.charge(0, night - 1) - rates.charge(0, night)
    assert check(batches, lying(mine, signed)) is None
    assert check(batches, lying(mine, signed, totals=(night - 1, day))) in ("BILL_TOTALS", "BLOCK_TOTAL")
    assert check(batches, lying(mine, signed, totals=(night - 1, day), net=less)) == "BLOCK_TOTAL"
    assert check(batches, lying(mine, signed, net=less)) == "BILL_TOTALS"
    assert check(batches, lying(mine, signed, totals=(night, day, 0))) == "BILL_TOTALS"


def test_a_total_of_a_band_that_never_counted():
    house = House(7, household("unused"), step_s=HOUR)
    mine, batches = prover.House(house.batches, house.keys(), house.registers), verifier.Batches(house.batches, HUB)
    document = blocks(interval_s=HOUR) | {"days": [[0, 0]], "blocks": ["weekly", 4]}
    signed = signed_tariff(document)
    used = prover._Work(mine, Rates(forms.tariff_of(signed).raw)).units[(JANUARY, 0)][1]
    assert check(batches, lying(mine, signed, totals=(used, 0))) is None
    assert check(batches, lying(mine, signed, totals=(used, 5), net=5 * 20000)) == "BLOCK_TOTAL"


def test_what_there_is_no_commitment_to_is_zero():
    """No export, or no gap: nothing in the proof would say so, so it is looked at by itself."""
    house = House(7, household("none"), step_s=HOUR)
    mine, batches = prover.House(house.batches, house.keys(), house.registers), verifier.Batches(house.batches, HUB)
    signed = signed_tariff(document(export=[5000, 6000]))
    assert check(batches, lying(mine, signed)) is None
    assert check(batches, lying(mine, signed, income_net=5000)) == "INCOME"
    assert check(batches, lying(mine, signed, unpaid_wh=1)) == "UNPAID"
    assert check(batches, lying(mine, signed, unpriced_wh=1)) == "UNPRICED"


def test_a_prover_that_lies_about_a_step():
    house = House(7, household("step", most=300), step_s=HOUR)
    mine, batches = prover.House(house.batches, house.keys(), house.registers), verifier.Batches(house.batches, HUB)
    signed = signed_tariff(rising(interval_s=HOUR))
    assert check(batches, lying(mine, signed)) is None
    assert check(batches, lying(mine, signed, net=-1)) == "FEE"


# -- proofs ------------------------------------------------------------------------------------------------------


def test_no_byte_of_a_proof_can_be_changed(batches, made):
    proof = made[2]
    for at in range(len(proof)):
        name = check(batches, made, proof=proof[:at] + bytes((proof[at] ^ (1 << at % 8),)) + proof[at + 1 :])
        assert name, at
        if at < 4:
            assert name == "PROOF_FORMAT"
        elif at < 36:
            assert name == "PROOF_OTHER"
    assert check(batches, made, proof=proof[:-1]) == "PROOF_FORMAT"
    assert check(batches, made, proof=proof + b"\x00") == "PROOF_FORMAT"
    assert check(batches, made, proof=b"") == "PROOF_FORMAT"


def test_a_scalar_has_one_encoding(batches, made):
    proof = made[2]
    for part in range((len(proof) - 36) // 48):
        at = 36 + 48 * part + 16
        z = int.from_bytes(proof[at : at + 32]) + p256.N
        if z < 1 << 256:
            assert check(batches, made, proof=proof[:at] + z.to_bytes(32) + proof[at + 32 :]) == "PROOF_FORMAT"
        for wrong in (p256.N, (1 << 256) - 1):
            assert check(batches, made, proof=proof[:at] + wrong.to_bytes(32) + proof[at + 32 :]) == "PROOF_FORMAT"


def test_a_proof_of_another_bill_or_of_parts_in_another_order(mine, batches, made):
    signed, bill, proof = made
    again = prover.prove_bill(mine, signed, bytes(16))[1]
    assert check(batches, made, proof=again) == "PROOF_OTHER"
    moved = forms.pack_proof(bill, [again[36:]])  # said to be of this bill
    assert check(batches, made, proof=moved) == "REGISTERS"
    first, second, rest = proof[36:84], proof[84:132], proof[132:]
    assert check(batches, made, proof=forms.pack_proof(bill, [second, first, rest])) == "REGISTERS"
    assert check(batches, made, proof=forms.pack_proof(bill, [first, first, rest])) == "EXPORT_REGISTERS"


def test_no_field_of_a_range_proof_can_be_changed(batches):
    """The first and the last interval of a week: each kind of field of what proves its step."""
    house = House(7, household("bits", most=300), step_s=HOUR)
    mine, batches = prover.House(house.batches, house.keys(), house.registers), verifier.Batches(house.batches, HUB)
    signed = signed_tariff(rising(interval_s=HOUR))
    bill, proof = prover.prove_bill(mine, signed, NONCE, bits=12)
    one = 11 * 33 + 16 + 12 * 80  # bytes of a proof of 12 bits
    start, end = 36 + 48, len(proof) - 48 - 33 - 2 * one
    places = [
        0,
        1,
        32,
        33,
        34,
        33 + 33 * 11,
        33 + 33 * 11 + 16,
        33 + 33 * 11 + 40,
        33 + 33 * 11 + 70,
        33 + one,
        33 + one + 40,
    ]
    for at in [start + place for place in places] + [end, end + 33 + one - 1]:
        changed = proof[:at] + bytes((proof[at] ^ 1,)) + proof[at + 1 :]
        assert check(batches, (signed, bill, changed)) in ("RANGE", "POINT"), at
    infinite = proof[:start] + group.AT_INFINITY + proof[start + 33 :]
    assert check(batches, (signed, bill, infinite)) == "POINT"


def test_no_field_of_what_chooses_a_piece_can_be_changed():
    house = House(7, household("piece", most=300), step_s=HOUR)
    mine, batches = prover.House(house.batches, house.keys(), house.registers), verifier.Batches(house.batches, HUB)
    signed = signed_tariff(falling(interval_s=HOUR))
    bill, proof = prover.prove_bill(mine, signed, NONCE)
    start = 36 + 48
    for place in (0, 1, 32, 33, 48, 49, 64, 65, 97, 128, 129):
        at = start + place
        changed = proof[:at] + bytes((proof[at] ^ 1,)) + proof[at + 1 :]
        assert check(batches, (signed, bill, changed)) in ("PIECE", "POINT", "PROOF_FORMAT"), place
    swapped = proof[:start] + proof[start + 129 : start + 258] + proof[start : start + 129] + proof[start + 258 :]
    assert check(batches, (signed, bill, swapped)) == "PIECE"
    infinite = proof[:start] + group.AT_INFINITY + proof[start + 33 :]
    assert check(batches, (signed, bill, infinite)) == "POINT"


# -- the customer's side -----------------------------------------------------------------------------------------


def test_readings_that_are_not_those_of_the_hub(house):
    def opened(registers=None, keys=None, batches=None):
        return name_of(prover.House, batches or house.batches, keys or house.keys(), registers or house.registers)

    at = JANUARY + 30 * HOUR
    imported, exported = house.registers[at]
    for reading, name in (
        ((imported + 1, exported), "READING"),
        ((imported, exported + 1), "READING"),
        ((imported - 100000, exported), "READING_RANGE"),
        ((imported + pedersen.MOST_WH + 1, exported), "READING_RANGE"),
        ((imported, None), "READING_MISSING"),
    ):
        assert opened(house.registers | {at: reading}) == name
    assert opened({time: reading for time, reading in house.registers.items() if time != at}) == "READING_MISSING"
    assert opened({time: reading for time, reading in house.registers.items() if time != JANUARY}) == "READING_MISSING"
    shifted = {time: (one + 1, two) for time, (one, two) in house.registers.items()}
    assert opened(shifted) == "READING"  # the registers themselves
    keys = house.keys()
    assert opened(keys=keys[:-1] + bytes((keys[-1] ^ 1,))) == "READING"
    assert opened(keys=keys[:-1]) == "KEYS_FORMAT"
    assert opened(keys=house.keys(3)) == "KEYS_OTHER"
    assert opened(keys=keys[:4] + b"0123456789" + keys[14:]) == "KEYS_OTHER"
    assert name_of(prover.House, [], keys, house.registers) == "BATCH_NONE"
    assert opened(batches=[house.batches[0][:-1]]) == "BATCH_FORMAT"


def test_a_reading_that_a_hub_gone_wrong_committed_to(house):
    """A commitment to a negative reading, well signed: no customer opens it as anything."""
    raw = house.batches[0]
    key = pedersen.day_key(ROOT, CHAIN, JANUARY // DAY)
    r = pedersen.blinding(key, billing.IMPORT, JANUARY // HOUR)
    G = group.fastest()
    evil = resigned(raw, 111 + 4 * 33, G.encode(G.commit(-5, r)))
    start = house.registers[JANUARY]
    lower = house.registers | {JANUARY + HOUR: (start[0] - 5, house.registers[JANUARY + HOUR][1])}
    assert name_of(prover.House, [evil], house.keys(), lower) == "READING_RANGE"
    assert name_of(prover.House, [evil], house.keys(), house.registers) == "READING"


def test_no_secret_is_in_an_error(house):
    with pytest.raises(Refused) as refused:
        prover.House(house.batches, house.keys(), house.registers | {JANUARY + 30 * HOUR: (987654321, 5)})
    assert "987654321" not in str(refused.value)
    mine = prover.House(house.batches, house.keys(), house.registers)
    assert repr(mine.rows[0]) == f"Row({JANUARY}, {JANUARY + HOUR})"
    assert ROOT.hex() not in repr(mine) and str(house.registers[JANUARY][0]) not in repr(mine.rows)


def test_the_keys_of_the_tests_are_the_points_of_the_tests():
    assert (public(HUB_KEY), public(SUPPLIER_KEY)) == (HUB, SUPPLIER)
    assert run(p256.mul_base(HUB_KEY)) == p256.decode_point(HUB)


def test_every_name_is_one_that_something_is_refused_by():
    """And has a test here or in the files beside this one."""
    source = "".join(path.read_text() for path in Path(verifier.__file__).parent.glob("*.py"))
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_billing_*.py"))
    for name in NAMES:
        assert source.count(f'"{name}"') > 1, name
        assert name in tests, name
