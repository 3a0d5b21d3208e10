"""Bills that the page makes and verifies, held against the host's prover and verifier and the firmware's formats."""

import functools
import json
import random
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from billing_house import (
    HUB,
    HUB_KEY,
    JANUARY,
    NONCE,
    SUPPLIER,
    SUPPLIER_KEY,
    House,
    blocks,
    falling,
    household,
    linear,
    sign,
    signed_tariff,
)

from meterhub_tools import recipient
from meterhub_tools.billing import prover, refusals, rules, verifier
from meterhub_tools.billing.refusals import Refused

from meterhub.codec import base64url, billing, tariff  # isort: skip
from meterhub.codec import bill as forms  # isort: skip
from meterhub.codec.rates import Rates  # isort: skip
from meterhub.errors import HubError  # isort: skip

HERE = Path(__file__).parent
FRONTEND = Path(recipient.__file__).parent / "website" / "frontend"
DAY = 86400
b64, unb64 = base64url.encode, base64url.decode


class Page:
    """The page's scripts, in node."""

    def __init__(self):
        command = [shutil.which("node"), str(HERE / "website_bills.mjs"), str(FRONTEND)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, what, **more):
        self.process.stdin.write(json.dumps({"do": what, **more}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "is" in answer:
            return answer["is"]
        if answer["error"] in refusals.NAMES:
            raise Refused(answer["error"], answer["field"])
        raise AssertionError(answer)

    def prove(self, house, signed, nonce=NONCE, days=None):
        registers = [[at, *reading] for at, reading in house.registers.items()]
        about = {"batches": packed(house.batches), "keys": b64(house.keys(days)), "registers": registers}
        found = self("prove", **about, tariff=b64(signed), nonce=nonce.hex())
        return unb64(found["bill"]), unb64(found["proof"]), found["bands"]

    def check(self, raw, signed, bill, proof, nonce=NONCE, hub=HUB, supplier=SUPPLIER):
        about = {"batches": packed(raw), "hub": b64(hub), "signer": verifier.signer_id(supplier).hex()}
        return self("check", **about, tariff=b64(signed), nonce=nonce.hex(), bill=b64(bill), proof=b64(proof))


@pytest.fixture(scope="module")
def page():
    page = Page()
    yield page
    page.process.stdin.close()
    page.process.wait(10)
    page.process.stdout.close()


def packed(batches):
    return [b64(raw) for raw in batches]


def by_python(house, signed, nonce=NONCE):
    return prover.prove_bill(prover.House(house.batches, house.keys(), house.registers), signed, nonce)


@functools.lru_cache(maxsize=2)
def read_by_python(raw, hub):
    return verifier.Batches(list(raw), hub)


def check_by_python(raw, signed, bill, proof, nonce=NONCE, hub=HUB, supplier=SUPPLIER):
    return verifier.check_bill(read_by_python(tuple(raw), hub), signed, supplier, nonce, bill, proof)


def named(action, *arguments, **more):
    """Return the name under which something is refused, None where it is not."""
    try:
        action(*arguments, **more)
    except Refused as error:
        return error.name
    return None


@pytest.fixture(scope="module")
def month():
    """A month with export, some gaps, and another meter on the 20th."""
    gaps = {JANUARY + 3 * DAY + 1800 * i for i in (4, 5, 9, 10, 11, 14, 15, 16, 17, 20, 47)}
    gaps |= {JANUARY + 10 * DAY + 1800 * i for i in range(60)}
    return House(31, household("month", True), missing=gaps, turns={JANUARY + 19 * DAY + 32400})


@pytest.fixture(scope="module")
def week():
    """Eight days of hours, with a gap over two bands in it, and what was fed in."""
    missing = {JANUARY + 2 * DAY + 3600 * i for i in (6, 7)}
    return House(8, household("week", True), step_s=3600, missing=missing)


def hourly(**fields):
    """Return a tariff for the hours of `week`."""
    return linear(interval_s=3600, days=[[0, 0, 420, 1]], export=[3000, 5000], **fields)


# -- bills -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("export", [[5000, 9000], [4100], []])
def test_a_bill_of_the_page_is_accepted_and_is_the_one_in_the_clear(page, month, export):
    document = linear(export=export)
    signed = signed_tariff(document)
    bill, proof, bands = page.prove(month, signed)
    verdict = check_by_python(month.batches, signed, bill, proof)
    assert verdict.checked
    assert page.check(month.batches, signed, bill, proof)["checked"]
    said, clear = forms.bill_of(bill), month.clear(document)
    found = (said.energy, said.standing, said.total, said.income, said.unpriced_wh, said.unpaid_wh, said.days)
    wanted = (clear.energy, clear.standing, clear.total, clear.income, clear.unpriced_wh, clear.unpaid_wh, clear.days)
    assert found == wanted
    assert said.net == sum(clear.net)
    assert said.gaps == month.gaps
    assert [int(band["net"]) for band in bands] == list(clear.net)
    assert sum(band["wh"] for band in bands) + said.unpriced_wh == sum(clear.wh) + clear.unpriced_wh


def test_a_bill_of_the_host_is_accepted_by_the_page(page, month):
    signed = signed_tariff(linear(export=[5000, 9000]))
    bill, proof = by_python(month, signed)
    said = page.check(month.batches, signed, bill, proof)["said"]
    due = forms.bill_of(bill)
    assert (int(said["net"]), int(said["incomeNet"]), int(said["total"])) == (due.net, due.income_net, due.total)
    assert (said["start"], said["gaps"], int(said["unpricedWh"])) == (due.start, due.gaps, due.unpriced_wh)


def test_page_and_host_make_the_same_bill_and_never_the_same_proof(page, week):
    signed = signed_tariff(hourly())
    bill, proof, _ = page.prove(week, signed)
    again = page.prove(week, signed)
    theirs, _ = by_python(week, signed)
    assert bill == theirs == again[0]
    assert proof != again[1]


def test_a_meter_that_feeds_nothing_in(page):
    house = House(8, household("plain"), step_s=3600)
    signed = signed_tariff(hourly())
    bill, proof, _ = page.prove(house, signed)
    assert check_by_python(house.batches, signed, bill, proof)
    assert page.check(house.batches, signed, bill, proof)


def test_amounts_below_nothing_are_written_and_read(page):
    house = House(8, household("cheap"), step_s=3600)
    document = hourly() | {"bands": [{"name": "all", "price": -2000000000}], "days": [[0, 0]], "scale": 0}
    signed = signed_tariff(document | {"export": []})
    bill, proof, _ = page.prove(house, signed)
    assert forms.bill_of(bill).net < -(2**40)
    assert bill == by_python(house, signed)[0]
    assert page.check(house.batches, signed, bill, proof)


# -- what is refused ---------------------------------------------------------------------------------------------


def alike(page, expected, raw, signed, bill, proof, **more):
    """Both verifiers refuse it, by the same name."""
    assert named(check_by_python, raw, signed, bill, proof, **more) == expected
    assert named(page.check, raw, signed, bill, proof, **more) == expected


def test_every_byte_of_bill_and_proof_counts(page, week):
    signed = signed_tariff(hourly())
    bill, proof, _ = page.prove(week, signed)
    rng = random.Random(7)
    for at in range(len(bill)):
        changed = bytearray(bill)
        changed[at] ^= 1 << rng.randrange(8)
        name = named(check_by_python, week.batches, signed, bytes(changed), proof)
        assert name
        if at % 3 == 0:
            assert named(page.check, week.batches, signed, bytes(changed), proof) == name
        redone = forms.pack_proof(bytes(changed), [proof[36:]])  # it is not only by the hash of the bill
        theirs = named(check_by_python, week.batches, signed, bytes(changed), redone)
        assert theirs
        if at % 3 == 0:
            assert named(page.check, week.batches, signed, bytes(changed), redone) == theirs
    for at in range(len(proof)):
        changed = bytearray(proof)
        changed[at] ^= 1 << rng.randrange(8)
        name = named(check_by_python, week.batches, signed, bill, bytes(changed))
        assert name
        if at % 3 == 0:
            assert named(page.check, week.batches, signed, bill, bytes(changed)) == name


def test_proofs_that_are_too_short_too_long_or_not_canonical(page, week):
    signed = signed_tariff(hourly())
    bill, proof = by_python(week, signed)
    alike(page, "PROOF_FORMAT", week.batches, signed, bill, proof[:-1])
    alike(page, "PROOF_FORMAT", week.batches, signed, bill, proof[:20])
    alike(page, "PROOF_FORMAT", week.batches, signed, bill, proof + b"\0")
    z = int.from_bytes(proof[52:84])
    wrapped = (z + prover.N).to_bytes(33)[-32:] if z + prover.N < 1 << 256 else b"\xff" * 32
    alike(page, "PROOF_FORMAT", week.batches, signed, bill, proof[:52] + wrapped + proof[84:])
    alike(page, "BILL_FORMAT", week.batches, signed, bill + b"\0", proof)
    alike(page, "BILL_FORMAT", week.batches, signed, bill[:-1], proof)


@pytest.mark.parametrize(
    ("field", "value", "name"),
    [
        ("hub", bytes(10), "BILL_HUB"),
        ("chain", bytes(16), "BILL_CHAIN"),
        ("start", JANUARY - 1800, "BILL_PERIOD"),
        ("stop", JANUARY + 1800, "BILL_PERIOD"),
        ("tariff", bytes(32), "BILL_TARIFF"),
        ("batches", 7, "BILL_BATCHES"),
        ("digest", bytes(32), "BILL_BATCHES"),
        ("nonce", bytes(16), "BILL_NONCE"),
        ("form", 1, "BILL_FORM"),
        ("days", 9, "BILL_DAYS"),
        ("gaps", 0, "BILL_GAPS"),
        ("unpriced_wh", 0, "REGISTERS"),  # what is drawn for the first part has the whole bill in it
        ("unpaid_wh", 1, "REGISTERS"),
        ("energy", 1, "BILL_AMOUNT"),
        ("standing", 1, "BILL_AMOUNT"),
        ("total", 1, "BILL_AMOUNT"),
        ("income", 1, "BILL_AMOUNT"),
    ],
)
def test_every_field_of_a_bill_is_refused_by_its_name(page, week, field, value, name):
    signed = signed_tariff(hourly())
    bill, proof = by_python(week, signed)
    changed = forms.pack_bill(forms.bill_of(bill)._replace(**{field: value}))
    alike(page, name, week.batches, signed, changed, forms.pack_proof(changed, [proof[36:]]))


@pytest.mark.parametrize(
    ("field", "off", "name"),
    [
        ("net", 1, "FEE"),
        ("net", -1, "FEE"),
        ("paid", (1, 0), "INCOME"),
        ("unpriced", (-1, 0), "UNPRICED"),
        ("unpaid", (1, 0), "UNPAID"),
    ],
)
def test_what_is_off_by_one_unit_is_refused_by_its_name(page, week, monkeypatch, field, off, name):
    class Liar(prover._Work):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            was = getattr(self, field)
            setattr(self, field, was + off if field == "net" else tuple(a + b for a, b in zip(was, off, strict=True)))

    monkeypatch.setattr(prover, "_Work", Liar)
    signed = signed_tariff(hourly())
    bill, proof = by_python(week, signed)  # all is as it must be, but for one number
    alike(page, name, week.batches, signed, bill, proof)


def changed_batch(house, number, at, value, key=HUB_KEY):
    """Return the batches with some bytes of one changed, signed again by its hub."""
    body = bytearray(billing.Batch(house.batches[number]).body)
    body[at : at + len(value)] = value
    batches = list(house.batches)
    batches[number] = sign(key, bytes(body))
    return batches


def test_batches_that_are_missing_doubled_swapped_or_not_the_hubs(page, week):
    signed = signed_tariff(hourly())
    bill, proof = by_python(week, signed)
    mine = week.batches
    other = House(8, household("other", True), step_s=3600, chain=b"another chain of")
    forged = mine[3][:-1] + bytes((mine[3][-1] ^ 1,))
    s = prover.N - int.from_bytes(mine[0][-32:])
    for raw, name in (
        ([], "BATCH_NONE"),
        (mine[:3] + mine[4:], "BATCH_MISSING"),
        (mine[:4] + mine[3:], "BATCH_ORDER"),
        ([*mine[:2], mine[3], mine[2], *mine[4:]], "BATCH_MISSING"),
        (mine[:-1], "BILL_PERIOD"),
        ([*mine[:3], other.batches[3], *mine[4:]], "BATCH_CHAIN"),
        ([*mine[:3], forged, *mine[4:]], "BATCH_SIGNATURE"),
        ([mine[0][:-32] + s.to_bytes(32), *mine[1:]], "BATCH_SIGNATURE"),  # the other form of the same signature
        (changed_batch(week, 3, 4, b"x"), "BATCH_HUB"),
        (changed_batch(week, 3, 44, bytes(32)), "BATCH_LINK"),
        (changed_batch(week, 0, 42, b"\5"), "BATCH_LINK"),  # the next one names another batch
        (changed_batch(week, 7, 42, b"\5"), "BATCH_LATE"),
        (changed_batch(week, 7, 76, b"\5"), "TARIFF_OTHER"),
        (changed_batch(week, 7, 35, b"\2"), "BATCH_FORMAT"),
        (changed_batch(week, 7, 111 + 5 * 33, b"\2" + b"\xff" * 32), "POINT"),
        (changed_batch(week, 7, 111 + 4 * 33, b"\2" + bytes(31) + b"\1"), "POINT"),
    ):
        alike(page, name, raw, signed, bill, proof)
    alike(page, "BATCH_HUB", mine, signed, bill, proof, hub=SUPPLIER)
    alike(page, "BILL_NONCE", mine, signed, bill, proof, nonce=bytes(16))


def test_a_commitment_that_is_not_the_readings(page, week):
    """The hub signs one interval less, or more: the registers do not follow, whoever proves."""
    last = billing.Batch(week.batches[7])
    at = len(last.body) - 33
    signed = signed_tariff(hourly())
    bill, proof = by_python(week, signed)
    batches = changed_batch(week, 7, at, last.energy(True)[0])
    digest = forms.batches_digest([billing.Batch(raw).digest() for raw in batches])
    changed = forms.pack_bill(forms.bill_of(bill)._replace(digest=digest))
    alike(page, "REGISTERS", batches, signed, changed, forms.pack_proof(changed, [proof[36:]]))


@pytest.mark.parametrize(
    ("document", "at", "name"),
    [
        (hourly(), JANUARY + 1, "TARIFF_LATE"),
        (hourly(**{"from": JANUARY + 3600}), JANUARY - DAY, "TARIFF_LATE"),
        (hourly(bands=[{"name": "n", "price": 1000}, {"name": "d", "price": 20001}]), 1, "TARIFF_PRICES"),
        (hourly() | {"export": [1, 21]}, 1, "TARIFF_PRICES"),
        (hourly() | {"days": [[0, 0, 1260, 1]]}, 1, "TARIFF_BAND_TIME"),
        (hourly() | {"interval_s": 1800}, 1, "TARIFF_INTERVAL"),
        (
            hourly() | {"bands": [{"name": c, "price": 9} for c in "abcdefg"], "export": []} | {"days": [[0, 0]] * 7},
            1,
            None,
        ),
    ],
)
def test_tariffs_that_could_read_are_refused_alike(page, week, document, at, name):
    signed = signed_tariff(document, at)
    assert named(by_python, week, signed) == name
    assert named(page.prove, week, signed) == name
    if name:
        good = by_python(week, signed_tariff(hourly()))
        alike(page, name, week.batches, signed, *good)


def test_seven_bands_are_too_many(page, week):
    minutes = (0, 240, 480, 660, 840, 1020, 1200)
    days = [[n for band, minute in enumerate(minutes) for n in (minute - minute % 60, band)]]
    document = hourly() | {"bands": [{"name": c, "price": 9 + i} for i, c in enumerate("abcdefg")], "export": []}
    signed = signed_tariff(document | {"days": days})
    assert named(by_python, week, signed) == named(page.prove, week, signed) == "TARIFF_BANDS"


def test_tariffs_of_another_supplier_or_changed(page, week):
    signed = signed_tariff(hourly())
    good = by_python(week, signed)
    alike(page, "TARIFF_SIGNATURE", week.batches, signed, *good, supplier=HUB)
    by_another = signed_tariff(hourly(), key=SUPPLIER_KEY + 1)
    alike(page, "TARIFF_SIGNATURE", week.batches, by_another, *good)
    alike(page, "BILL_TARIFF", week.batches, signed_tariff(hourly(id="eco-2")), *good)
    for at in [*range(4, 20), 26, len(signed) - 70, len(signed) - 40, len(signed) - 1]:
        changed = bytearray(signed)
        changed[at] ^= 1
        name = named(check_by_python, week.batches, bytes(changed), *good)
        assert name in ("TARIFF_SIGNATURE", "TARIFF_FORMAT")
        assert named(page.check, week.batches, bytes(changed), *good) == name


@pytest.mark.parametrize("document", [blocks(), falling()])
def test_what_the_page_cannot_do_it_says(page, week, document):
    """Blocks and steps are for the host's prover."""
    document = document | {"interval_s": 3600, "days": [[0, 0]]}
    with pytest.raises(AssertionError, match="TARIFF_KIND"):
        page.prove(week, signed_tariff(document))


def test_readings_and_keys_that_do_not_open_the_batches(page, week):
    signed = signed_tariff(hourly())
    registers, keys = dict(week.registers), week.keys()
    at = JANUARY + 11 * 3600
    for change, name in (
        ({at: (registers[at][0] + 1, registers[at][1])}, "READING"),
        ({at: (registers[at][0], registers[at][1] + 1)}, "READING"),
        ({at: (0, 0)}, "READING_RANGE"),
        ({at: (registers[at][0], None)}, "READING_MISSING"),
        ({JANUARY: None}, "READING_MISSING"),
    ):
        week.registers = {time: one for time, one in (registers | change).items() if one}
        try:
            assert named(by_python, week, signed) == name
            assert named(page.prove, week, signed) == name
        finally:
            week.registers = registers
    assert named(page.prove, week, signed, days=7) == "KEYS_OTHER"
    swapped = keys[:36] + keys[68:100] + keys[36:68] + keys[100:]
    for raw, name in ((swapped, "READING"), (keys[:14] + bytes(16) + keys[30:], "KEYS_OTHER"), (b"", "KEYS_FORMAT")):
        registers = [[time, *one] for time, one in week.registers.items()]
        about = {"batches": packed(week.batches), "keys": b64(raw), "registers": registers}
        assert named(page, "prove", **about, tariff=b64(signed), nonce=NONCE.hex()) == name


# -- formats -----------------------------------------------------------------------------------------------------


def damaged(rng, good):
    raw = bytearray(good[: len(good) - rng.choice((0, 0, 0, 0, 1, 33))])
    for _ in range(rng.randrange(1, 4)):
        raw[rng.choice((rng.randrange(len(raw)), rng.randrange(min(len(raw), 46))))] = rng.choice((0, 1, 2, 255, 48))
    return bytes(raw)


def judged(read, raw):
    try:
        return read(raw)
    except (HubError, Refused) as error:
        return getattr(error, "field", None) or error.detail


def test_batches_are_read_as_the_firmware_does(page, month):
    def theirs(raw):
        batch = billing.Batch(raw)
        ids = (batch.hub.hex(), batch.chain.hex(), batch.previous.hex(), batch.tariff.hex())
        return [*ids, batch.day, batch.first, batch.count, batch.turn, batch.late, batch.exports, batch.present]

    def ours(raw):
        batch = page("batch", raw=b64(raw))
        names = ("hub", "chain", "previous", "tariff", "day", "first", "count", "turn", "late", "exports", "present")
        return [batch[name] for name in names]

    rng = random.Random(3)
    for raw in (month.batches[3], month.batches[10], month.batches[19]):
        assert ours(raw) == theirs(raw)
        for _ in range(150):
            changed = damaged(rng, raw)
            assert judged(ours, changed) == judged(theirs, changed)


def test_keys_and_bills_are_read_as_the_firmware_does(page, week):
    rng = random.Random(4)
    bill, _ = by_python(week, signed_tariff(hourly()))
    keys = week.keys()
    assert [unb64(key) for _, key in page("keys", raw=b64(keys))["keys"]] == list(billing.keys_of(keys)[2].values())
    for _ in range(150):
        changed = damaged(rng, keys)
        due = judged(lambda raw: len(billing.keys_of(raw)[2]), changed)
        assert judged(lambda raw: len(page("keys", raw=b64(raw))["keys"]), changed) == due
        changed = damaged(rng, bill)
        due = judged(lambda raw: str(forms.bill_of(raw).net), changed)
        assert judged(lambda raw: page("bill", raw=b64(raw))["net"], changed) == due


def test_the_key_that_signed_a_tariff_is_found(page):
    for number in range(4):
        signed = signed_tariff(linear(id=f"eco-{number}"), key=SUPPLIER_KEY + number)
        signer = forms.tariff_of(signed).signer
        assert verifier.signer_id(unb64(page("signer", raw=b64(signed)))) == signer
    assert page("signer", raw=b64(signed[:-64] + bytes(64))) is None
    assert page("signer", raw=b64(signed[:30] + b"!" + signed[31:])) is None


DOCUMENTS = [
    linear(export=[1, 2]),
    linear(zone="CET-1CEST,M3.5.0,M10.5.0/3", seasons=[[3, 1, 0], [10, 15, 1]], weeks=[[0] * 5 + [1, 1], [1] * 7])
    | {"days": [[0, 1, 390, 0, 1350, 1], [0, 0]], "special": [[2027, 1, 1, 1], [1, 1, 0], [12, 25, 1]]},
    linear(zone="<-03>3<-02>,M10.3.0/0,M2.3.0/0", interval_s=900, billing=["quarterly", 5, 2]),
    linear(zone="UTC0", scale=0, round=0, tax_bp=0, standing={"price": 3, "scale": -8}, billing=["weekly", 7]),
    blocks(),
    falling(billing=["daily"]),
]


@pytest.mark.parametrize("number", range(len(DOCUMENTS)))
def test_tariffs_are_read_and_counted_as_the_firmware_does(page, number):
    raw = tariff.packed(DOCUMENTS[number])
    rates, rng = Rates(raw), random.Random(number)
    times = [JANUARY + rng.randrange(900 * DAY) for _ in range(300)]
    times += [year + 1800 * i for year in (JANUARY + 87 * DAY, JANUARY + 297 * DAY) for i in range(48)]
    nets = [rng.randrange(-(10**15), 10**15) for _ in range(30)] + [0, 5, -5, 50 * 10**6, -50 * 10**6]
    found = page("rates", raw=b64(raw), times=times, nets=[str(net) for net in nets])
    assert found["bands"] == [rates.band_at(at) for at in times]
    assert found["offsets"] == [rates.zone.offset_s(at) for at in times]
    assert found["midnights"] == [rates.midnights(at, at + 40 * DAY) for at in times]
    due = [[str(rates.amount(net, None, taxed)) for taxed in (True, False)] for net in nets]
    assert found["amounts"] == due
    assert found["incomes"] == [str(rates.income(band, 1)) for band in range(rates.bands)]
    assert found["steps"] == [[list(step) for step in rates.steps(band)] for band in range(rates.bands)]
    assert found["names"] == [rates.id] + [rates.name(band) for band in range(rates.bands)]
    assert (found["begins"], found["digits"], int(found["standing"])) == (
        rates.begins,
        rates.digits,
        rates.standing_net,
    )
    if not rates.kind:
        assert found["charges"] == [str(rates.charge(band, 1)) for band in range(rates.bands)]


@pytest.mark.parametrize("number", range(len(DOCUMENTS)))
def test_damaged_tariffs_are_taken_or_refused_alike(page, number):
    good = tariff.packed(DOCUMENTS[number])
    rng = random.Random(10 + number)
    taken = 0
    for _ in range(400):
        raw = bytearray(good)
        at = rng.randrange(len(raw))
        raw[at] = rng.choice((raw[at] ^ 1 << rng.randrange(8), rng.randrange(256), 0, 32, 255))
        theirs = judged(tariff.document, bytes(raw)) != "packed"
        assert page("packed", raw=b64(bytes(raw))) == theirs, (at, raw[at])
        taken += theirs
    assert 20 < taken < 380


def test_a_file_of_batches_is_lengths_and_batches(page, week):
    due = b"".join(struct.pack("<H", len(raw)) + raw for raw in week.batches)
    assert unb64(page("file", batches=packed(week.batches))) == due
    assert page("unfile", raw=b64(due)) == packed(week.batches)
    for bad in (due[:-1], due + b"\0"):
        assert named(page, "unfile", raw=b64(bad)) == "BATCH_FORMAT"


def test_the_bounds_are_the_hosts():
    script = (FRONTEND / "bill_rules.js").read_text()
    for name in ("MOST_PRICES", "LEAST_INTERVALS", "LEAST_DAYS", "MOST_RATIO"):
        assert f"{name} = {getattr(rules, name)};" in script
