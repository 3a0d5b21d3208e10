"""Every field of every message of private billing, changed in several ways: whoever reads it refuses it, always.

The layouts are those of firmware/meterhub/codec/billing.py and bill.py, and a test looks that no byte is left out.
"""

import pytest
from billing_house import (
    HUB,
    HUB_KEY,
    JANUARY,
    NONCE,
    SUPPLIER,
    SUPPLIER_KEY,
    House,
    falling,
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
from meterhub_tools.billing import group, prover, verifier
from meterhub_tools.billing.refusals import Refused

HOUR, DAY = 3600, 86400
PLAN = [[0, 0, 420, 1]]
G = group.fastest()
BITS = 12
STRANGER = 0x5555 << 190 | 3


def energy(at):
    """Return little, so that few bits hold a week of it."""
    hour = at // HOUR
    return 3 + hour * 37 % 11, hour * 53 % 7


@pytest.fixture(scope="module")
def house():
    """A week with gaps from one band into another, so that there is something without a price."""
    return House(7, energy, step_s=HOUR, missing={JANUARY + 6 * HOUR, JANUARY + 40 * HOUR})


@pytest.fixture(scope="module")
def mine(house):
    return prover.House(house.batches, house.keys(), house.registers, G)


@pytest.fixture(scope="module")
def batches(house):
    return verifier.Batches(house.batches, HUB, G)


def of_blocks():
    """Return a tariff of which one price rises in the week and the other one falls."""
    bands = [
        {"name": "night", "prices": [7000, 9000], "limits": [100]},
        {"name": "day", "prices": [9000, 8000], "limits": [300]},
    ]
    return linear(interval_s=HOUR, days=PLAN, kind="block", bands=bands, blocks=["weekly", 4], export=[5000, 6000])


def plain():
    return linear(interval_s=HOUR, days=PLAN, export=[5000, 6000])


KINDS = {
    "linear": (plain(), {}),
    "opened": (of_blocks(), {}),
    "hidden": (of_blocks(), {"hidden": True, "bits": BITS}),
    "rising": (rising(interval_s=HOUR, bands=[{"name": "a", "prices": [200, 300], "limits": [9]}]), {"bits": 8}),
    "falling": (falling(interval_s=HOUR, bands=[{"name": "a", "prices": [300, 200], "limits": [9]}]), {"bits": 8}),
}


@pytest.fixture(scope="module")
def made(mine):
    """(signed tariff, bill, proof) of each kind."""
    found = {}
    for kind, (document, options) in KINDS.items():
        signed = signed_tariff(document)
        found[kind] = (signed, *prover.prove_bill(mine, signed, NONCE, **options))
    return found


def verdict(batches, signed, bill, proof, nonce=NONCE, key=SUPPLIER):
    """Return under which name a verifier refuses; None when it does not."""
    try:
        verifier.check_bill(batches, signed, key, nonce, bill, proof)
    except Refused as refused:
        return refused.name
    return None


def fields_of(layout):
    """Return [(name, where it begins, where it ends)] of [(name, bytes)]."""
    found, at = [], 0
    for name, size in layout:
        found.append((name, at, at + size))
        at += size
    return found


def mutants(raw, begin, end):
    """Generate a message with one field changed: a bit, its first byte, all of it to 0 and 1, one more, one less."""
    field = raw[begin:end]
    number = int.from_bytes(field, "little")
    most = 1 << 8 * len(field)
    for other in (
        bytes((field[0] ^ 1,)) + field[1:],
        field[:-1] + bytes((field[-1] ^ 0x80,)),
        bytes(len(field)),
        b"\xff" * len(field),
        ((number + 1) % most).to_bytes(len(field), "little"),
        ((number - 1) % most).to_bytes(len(field), "little"),
        field[::-1],
    ):
        if other != field:
            yield raw[:begin] + other + raw[end:]


def lengths(raw):
    """Generate a message that is too short or too long."""
    yield from (b"", raw[:1], raw[: len(raw) // 2], raw[:-1], raw + b"\0", raw + raw[-48:], raw + raw)


# -- batches -----------------------------------------------------------------------------------------------------


def batch_layout(raw):
    batch = billing.Batch(raw)
    head = [("magic", 4), ("hub", 10), ("chain", 16), ("day", 4), ("interval", 1), ("exports", 1), ("first", 4)]
    head += [("count", 1), ("turn", 1), ("late", 2), ("previous", 32), ("tariff", 32), ("missing", 3)]
    points = [(f"point {i}", 33) for i in range(2 * (batch.registers + len(batch.present)))]
    return fields_of([*head, *points, ("r", 32), ("s", 32)])


def test_every_field_of_a_batch(house):
    raw = house.batches[1]
    layout = batch_layout(raw)
    assert layout[-1][2] == len(raw)
    for name, begin, end in layout:
        for changed in mutants(raw, begin, end):
            for shown in ([changed], [house.batches[0], changed]):
                with pytest.raises(Refused) as refused:
                    verifier.Batches(shown, HUB, G)
                assert refused.value.name in ("BATCH_FORMAT", "BATCH_SIGNATURE", "BATCH_HUB"), name
    for changed in lengths(raw):
        with pytest.raises(Refused, match="BATCH_FORMAT"):
            verifier.Batches([changed], HUB, G)


def test_every_field_of_a_batch_that_the_hub_itself_signs_anew(house, made):
    """A hub that says today what it did not say yesterday: a bill that was made for its batches is worth nothing."""
    raw = house.batches[3]
    for name, begin, end in batch_layout(raw)[:-2]:
        for changed in mutants(raw, begin, end):
            shown = [*house.batches[:3], sign(HUB_KEY, changed[:-64]), *house.batches[4:]]
            try:
                found = verifier.Batches(shown, HUB, G)
            except Refused:
                continue
            assert verdict(found, *made["linear"]) in ("BILL_BATCHES", "BILL_GAPS", "TARIFF_OTHER"), name


def swapped(raw, one, other):
    """Return a batch in which two of its points have changed places, signed by the hub."""
    body = bytearray(raw[:-64])
    at, to = 111 + 33 * one, 111 + 33 * other
    body[at : at + 33], body[to : to + 33] = body[to : to + 33], body[at : at + 33]
    return sign(HUB_KEY, bytes(body))


def bill_by(mine, found, document):
    """Return the best bill and proof that a prover has who opens other batches than there are."""
    signed = signed_tariff(document)
    rates = Rates(forms.tariff_of(signed).raw)
    work = prover._Work(mine, rates)
    said = prover._bill(mine, forms.tariff_of(signed).raw, NONCE, work, forms.LINEAR, 0)._replace(digest=found.digest)
    bill = forms.pack_bill(said)
    return verdict(found, signed, bill, prover._proof_of_bill(mine, bill, work, forms.LINEAR, 0))


def test_readings_that_are_swapped_doubled_or_dropped_by_a_hub(house, mine):
    """The last day, as nothing follows from it: 4 registers, 24 intervals each of import and export."""
    before, last = house.batches[:-1], house.batches[-1]
    import_night, import_day, export_night, export_day = 4 + 1, 4 + 12, 28 + 1, 28 + 12

    def bill_with(raw):
        return bill_by(mine, verifier.Batches([*before, raw], HUB, G), plain())

    def doubled(one, other):
        body = last[:-64]
        at, to = 111 + 33 * one, 111 + 33 * other
        return sign(HUB_KEY, body[:at] + body[to : to + 33] + body[at + 33 :])

    assert bill_with(last) is None
    assert bill_with(swapped(last, import_night, import_day)) == "FEE"
    assert bill_with(swapped(last, export_night, export_day)) == "INCOME"
    assert bill_with(swapped(last, import_day, export_day)) == "REGISTERS"
    assert bill_with(doubled(import_night, import_day)) == "REGISTERS"
    assert bill_with(doubled(export_night, export_day)) == "EXPORT_REGISTERS"
    assert bill_with(swapped(last, 0, 1)) == "REGISTERS"
    assert bill_with(swapped(last, 2, 3)) == "EXPORT_REGISTERS"
    # the last interval is said to be missing, and its commitments are left out
    body = last[:-64]
    shorter = body[:110] + bytes((body[110] | 0x80,)) + body[111 : 111 + 33 * 27] + body[111 + 33 * 28 : -33]
    assert bill_with(sign(HUB_KEY, shorter)) == "BILL_GAPS"


# -- tariffs -----------------------------------------------------------------------------------------------------


def test_every_field_of_a_signed_tariff(batches, made):
    signed, bill, proof = made["linear"]
    packed = forms.tariff_of(signed).raw
    layout = fields_of([("magic", 4), ("at", 4), ("signer", 10), ("length", 2), ("packed", len(packed))])
    layout += [("r", len(signed) - 64, len(signed) - 32), ("s", len(signed) - 32, len(signed))]
    places = [*layout, *((f"byte {at}", at, at + 1) for at in range(20, 20 + len(packed)))]
    for name, begin, end in places:
        for changed in mutants(signed, begin, end):
            assert verdict(batches, changed, bill, proof) in ("TARIFF_FORMAT", "TARIFF_SIGNATURE"), name
    for changed in lengths(signed):
        assert verdict(batches, changed, bill, proof) == "TARIFF_FORMAT"


def test_a_tariff_with_another_band_or_price_by_the_supplier_itself(mine, batches, made):
    """The old bill is no bill by it; nor is it when a prover says so, with a new proof of the old sums."""
    signed, bill, proof = made["linear"]
    work = prover._Work(mine, Rates(forms.tariff_of(signed).raw))
    bands = plain()["bands"]
    for fields in (
        {"bands": bands[::-1]},
        {"days": [[0, 1, 420, 0]]},
        {"days": [[0, 0, 480, 1]]},
        {"export": [6000, 5000]},
        {"bands": [bands[0] | {"price": 7501}, bands[1]]},
        {"tax_bp": 1900},
        {"standing": {"price": 51, "scale": -2}},
        {"round": 3},
    ):
        other = signed_tariff(plain() | fields)
        assert verdict(batches, other, bill, proof) == "BILL_TARIFF", fields
        said = forms.bill_of(bill)._replace(tariff=tariff.digest(forms.tariff_of(other).raw))
        named = forms.pack_bill(said)
        name = verdict(batches, other, named, prover._proof_of_bill(mine, named, work, forms.LINEAR, 0))
        assert name in ("BILL_AMOUNT", "UNPRICED", "INCOME", "FEE", "PROOF_FORMAT"), fields
    stranger = public(STRANGER)
    assert verdict(batches, signed, bill, proof, key=stranger) == "TARIFF_SIGNATURE"
    body = forms.tariff_body(JANUARY - DAY, verifier.signer_id(SUPPLIER), forms.tariff_of(signed).raw)
    assert verdict(batches, sign(SUPPLIER_KEY, body), bill, proof) is None
    assert verdict(batches, sign(STRANGER, body), bill, proof) == "TARIFF_SIGNATURE"


# -- bills and proofs of each kind -------------------------------------------------------------------------------

BILL = [
    *(("magic", 4), ("hub", 10), ("chain", 16), ("start", 4), ("stop", 4), ("tariff", 32), ("batches", 2)),
    *(("digest", 32), ("nonce", 16), ("form", 1), ("bits", 1), ("days", 2), ("gaps", 4), ("unpriced_wh", 8)),
    *(("unpaid_wh", 8), ("net", 16), ("income_net", 16), ("energy", 16), ("standing", 16), ("total", 16)),
    *(("income", 16), ("count", 2)),
]


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_of_a_bill(batches, made, kind):
    """With the proof of the true one, and with that proof's parts said to be of the changed one."""
    signed, bill, proof = made[kind]
    assert verdict(batches, signed, bill, proof) is None
    totals = [(f"total {i}", 8) for i in range(len(forms.bill_of(bill).totals))]
    assert len(totals) == (2 if kind == "opened" else 0)
    layout = fields_of([*BILL, *totals])
    assert layout[-1][2] == len(bill)
    for name, begin, end in layout:
        for changed in mutants(bill, begin, end):
            assert verdict(batches, signed, changed, proof), name
            assert verdict(batches, signed, changed, forms.pack_proof(changed, [proof[36:]])), name
    for changed in lengths(bill):
        assert verdict(batches, signed, changed, proof) == "BILL_FORMAT"


def bits_layout(name, count):
    found = [(f"{name} point {i}", 33) for i in range(1, count)] + [(f"{name} c", 16)]
    for i in range(count):
        found += [(f"{name} c0 {i}", 16), (f"{name} z0 {i}", 32), (f"{name} z1 {i}", 32)]
    return found


def opened_layout(name):
    return [(f"{name} c", 16), (f"{name} z", 32)]


def rise_layout(name, count):
    return [(f"{name} point", 33), *bits_layout(name + " above", count), *bits_layout(name + " over", count)]


def fall_layout(name):
    return [(f"{name} point", 33), (f"{name} c", 16), (f"{name} c0", 16), (f"{name} z0", 32), (f"{name} z1", 32)]


FIRST = [("magic", 4), ("statement", 32)]
REGISTERS = [*opened_layout("registers"), *opened_layout("export registers")]
GAPS = opened_layout("unpriced")
EXPORT = [*opened_layout("income"), *opened_layout("unpaid")]
PROOFS = {
    "linear": [*FIRST, *REGISTERS, *GAPS, *EXPORT, *opened_layout("fee")],
    "opened": [*FIRST, *REGISTERS, *GAPS, *EXPORT, *opened_layout("night"), *opened_layout("day")],
    "hidden": [
        *(*FIRST, *REGISTERS, *GAPS, *EXPORT),
        *(*rise_layout("night", BITS), *fall_layout("day"), *opened_layout("fee")),
    ],
}


@pytest.mark.parametrize("kind", PROOFS)
def test_every_field_of_a_proof(batches, made, kind):
    """A scalar or point in another encoding, another point, at infinity, off the curve; and all that mutants() has."""
    signed, bill, proof = made[kind]
    layout = fields_of(PROOFS[kind])
    assert layout[-1][2] == len(proof)
    off = next(x for x in range(5, 50) if pow(x**3 - 3 * x + p256.B, (p256.P - 1) // 2, p256.P) != 1)
    no_points = (
        bytes(33),
        b"\2" + off.to_bytes(32),
        b"\2" + (p256.P + 5).to_bytes(32),
        b"\4" + p256.G[0].to_bytes(32),
    )
    for name, begin, end in layout:
        changes = list(mutants(proof, begin, end))[: 7 if kind == "linear" else 2]
        others = {
            33: no_points,
            32: (p256.N.to_bytes(32), b"\xff" * 32) if " z" in name else (),
        }.get(end - begin, ())
        refusals = [verdict(batches, signed, bill, one) for one in changes]
        assert None not in refusals, name
        for other in others:
            expected = "POINT" if end - begin == 33 else "PROOF_FORMAT"
            assert verdict(batches, signed, bill, proof[:begin] + other + proof[end:]) == expected, name
    for changed in lengths(proof):
        assert verdict(batches, signed, bill, changed) in ("PROOF_FORMAT", "PROOF_OTHER")


def test_parts_of_a_proof_that_change_places_or_come_twice(batches, made):
    signed, bill, proof = made["linear"]
    parts = [proof[at : at + 48] for at in range(36, len(proof), 48)]
    for i in range(len(parts)):
        for j in range(len(parts)):
            moved = list(parts)
            moved[i] = parts[j]
            name = verdict(batches, signed, bill, forms.pack_proof(bill, moved))
            assert (name is None) == (i == j)
            moved = list(parts)
            moved[i], moved[j] = parts[j], parts[i]
            assert (verdict(batches, signed, bill, forms.pack_proof(bill, moved)) is None) == (i == j)
        assert verdict(batches, signed, bill, forms.pack_proof(bill, parts[:i] + parts[i + 1 :]))


@pytest.mark.parametrize("kind", KINDS)
def test_a_fee_that_is_off_by_one_unit(mine, batches, kind):
    """The prover does what it can: it says so in all fields that follow, and makes a whole proof for that."""
    document, options = KINDS[kind]
    signed = signed_tariff(document)
    rates = Rates(forms.tariff_of(signed).raw)
    work = prover._Work(mine, rates)
    form = {"hidden": forms.HIDDEN}.get(kind, (forms.LINEAR, forms.OPENED, forms.STEPS)[rates.kind])
    bits = options.get("bits", 0)
    refusal = "BILL_TOTALS" if form == forms.OPENED else "FEE"
    for off, name in ((0, None), (1, refusal), (-1, refusal)):
        said = prover._bill(mine, forms.tariff_of(signed).raw, NONCE, work, form, bits)
        net = said.net + off
        total = rates.amount(net + said.days * rates.standing_net)
        bill = forms.pack_bill(said._replace(net=net, energy=rates.amount(net), total=total))
        assert verdict(batches, signed, bill, prover._proof_of_bill(mine, bill, work, form, bits)) == name


# -- rules: the verifier's too -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"days": [[0, 0, 1260, 1]]}, "TARIFF_BAND_TIME"),
        ({"days": [[0, 0], [0, 1]], "special": [[1, 3, 1]]}, "TARIFF_BAND_TIME"),
        ({"bands": [{"name": "a", "price": 100}, {"name": "b", "price": 2001}]}, "TARIFF_PRICES"),
        ({"bands": [{"name": "a", "price": -1}, {"name": "b", "price": 5}]}, "TARIFF_PRICES"),
        ({"export": [100, 2001]}, "TARIFF_PRICES"),
        (
            {
                "bands": [{"name": str(i), "price": 5 + i} for i in range(7)],
                "days": [[0, 0, 240, 1, 480, 2, 720, 3, 960, 4, 1200, 5, 1320, 6]],
                "export": [5],
            },
            "TARIFF_BANDS",
        ),
    ],
)
def test_a_customer_cannot_be_made_to_break_the_rules(mine, batches, monkeypatch, fields, name):
    """The prover refuses; one that was made not to is refused by every verifier."""
    signed = signed_tariff(plain() | fields)
    with pytest.raises(Refused) as refused:
        prover.prove_bill(mine, signed, NONCE)
    assert refused.value.name == name
    with monkeypatch.context() as patched:
        patched.setattr(prover.rules, "check_tariff", lambda *_: None)
        bill, proof = prover.prove_bill(mine, signed, NONCE)
    assert verdict(batches, signed, bill, proof) == name


# -- what a hub gone wrong commits to ----------------------------------------------------------------------------


@pytest.mark.parametrize("wh", [-5, 1 << 20])
def test_a_negative_or_absurd_reading_that_was_committed_to(house, wh):
    """The hub's code never does that (tests/unix/test_pedersen.py). If one did, its customer would see it.

    If that one went along with it, the registers would say another sum. A hub that lies about these, too, is believed:
    it is the hub's word that a reading is one.
    """
    last, number = house.batches[-1], (JANUARY + 6 * DAY) // HOUR + 12
    key = pedersen.day_key(b"\x05" * 32, house.chain, house.first_day + 6)
    point = G.encode(G.commit(wh, pedersen.blinding(key, billing.IMPORT, number)))
    place = 111 + 33 * (4 + 12)
    shown = [*house.batches[:-1], sign(HUB_KEY, last[:place] + point + last[place + 33 : -64])]
    with pytest.raises(Refused) as refused:
        prover.House(shown, house.keys(), house.registers, G)
    assert refused.value.name == "READING"
    mine = prover.House(house.batches, house.keys(), house.registers, G)
    row = mine.rows[-24 + 12]
    assert row.start == number * HOUR
    mine.rows[-24 + 12] = row._replace(imported=(wh, row.imported[1]))
    assert bill_by(mine, verifier.Batches(shown, HUB, G), plain()) == "REGISTERS"


# -- disclosures and keys ----------------------------------------------------------------------------------------

DISCLOSURE = [
    *(("magic", 4), ("hub", 10), ("chain", 16), ("start", 4), ("stop", 4), ("batches", 2), ("digest", 32)),
    *(("nonce", 16), ("kind", 1), ("direction", 1), ("bits", 1), ("gaps", 4), ("wh", 8)),
]


@pytest.mark.parametrize("kind", ["total", "never above"])
def test_every_field_of_a_disclosure_and_of_its_proof(mine, batches, kind):
    stop = JANUARY + 2 * HOUR
    if kind == "total":
        raw, proof = prover.prove_total(mine, JANUARY, stop, NONCE)
        parts = opened_layout("total")
    else:
        raw, proof = prover.prove_never_above(mine, JANUARY, stop, 50, NONCE, bits=8)
        parts = [one for i in range(2) for one in bits_layout(f"interval {i}", 8)]

    def disclosed(raw, proof):
        try:
            verifier.check_disclosure(batches, NONCE, raw, proof)
        except Refused as refused:
            return refused.name
        return None

    assert disclosed(raw, proof) is None
    layout, of_proof = fields_of(DISCLOSURE), fields_of([*FIRST, *parts])
    assert (layout[-1][2], of_proof[-1][2]) == (len(raw), len(proof))
    for name, begin, end in layout:
        for changed in mutants(raw, begin, end):
            assert disclosed(changed, proof), name
            assert disclosed(changed, forms.pack_proof(changed, [proof[36:]])), name
    for name, begin, end in of_proof:
        for changed in list(mutants(proof, begin, end))[:4]:
            assert disclosed(raw, changed), name
    for changed in lengths(raw):
        assert disclosed(changed, proof) == "DISCLOSURE_FORMAT"
    for changed in lengths(proof):
        assert disclosed(raw, changed) in ("PROOF_FORMAT", "PROOF_OTHER")


def test_every_field_of_the_day_keys(house):
    raw = house.keys()
    layout = fields_of([("magic", 4), ("hub", 10), ("chain", 16), ("first", 4), ("count", 2), *[("key", 32)] * 7])
    assert layout[-1][2] == len(raw)
    for name, begin, end in layout:
        for changed in mutants(raw, begin, end):
            with pytest.raises(Refused) as refused:
                prover.House(house.batches, changed, house.registers, G)
            assert refused.value.name in ("KEYS_FORMAT", "KEYS_OTHER", "READING"), name
    for changed in lengths(raw):
        with pytest.raises(Refused, match="KEYS_FORMAT"):
            prover.House(house.batches, changed, house.registers, G)


def test_every_reading_of_the_customer():
    """Each one by a watt-hour, and each one left out."""
    house = House(1, energy, step_s=HOUR)
    for at, (imported, exported) in house.registers.items():
        for other in ((imported + 1, exported), (imported, exported + 1), (imported - 1, exported), None):
            changed = {time: one for time, one in house.registers.items() if time != at}
            if other is not None:
                changed[at] = other
            with pytest.raises(Refused) as refused:
                prover.House(house.batches, house.keys(), changed, G)
            assert refused.value.name in ("READING", "READING_RANGE", "READING_MISSING")
