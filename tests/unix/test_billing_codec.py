"""Private billing's formats: what goes in comes out, and anything else is refused under the field's name."""

import struct
import unittest

from crypto_vectors import error_of

from meterhub.codec import bill as forms
from meterhub.codec import billing, tariff
from meterhub.codec.billing import Batch
from meterhub.crypto import pedersen
from meterhub.crypto.p256 import N
from meterhub.crypto.steps import run
from meterhub.trust import batches

HUB, CHAIN, KEY = b"0123456789", b"c" * 16, b"k" * 32
DAY, STEP_S = 20454, 1800
FIRST = DAY * 48
LINKS = (b"p" * 32, b"t" * 32)
POINT = b"\x02" + b"x" * 32


def simple(count=3, turn=billing.NO_TURN, missing=0, exports=False, late=0):
    present = count - sum([missing >> i & 1 for i in range(count)])
    points = [POINT] * ((4 if turn != billing.NO_TURN else 2) + present) * (2 if exports else 1)
    place = (DAY, STEP_S, FIRST, count, turn, late)
    mask = missing.to_bytes((count + 7) // 8, "little")
    return billing.pack(HUB, CHAIN, place, LINKS, mask, points, exports) + bytes(64)


def with_byte(raw, at, value):
    return raw[:at] + bytes((value,)) + raw[at + 1 :]


class BatchTest(unittest.TestCase):
    def refused(self, raw):
        return error_of(Batch, raw)

    def test_a_day_of_readings_becomes_its_commitments(self):
        readings = [(1010, 5), None, (1050, 9), (17, 3), (30, 3)]  # another meter at the end of the fourth interval
        place = (DAY, STEP_S, FIRST, 5, 3, 2)
        body = run(batches.whole_day(HUB, CHAIN, KEY, place, LINKS, (1000, 5), readings))
        found = Batch(batches.signed(body, b"r" * 32 + b"\x01" * 32))
        self.assertEqual((found.hub, found.chain, found.day, found.interval_s), (HUB, CHAIN, DAY, STEP_S))
        self.assertEqual((found.first, found.count, found.turn, found.late), (FIRST, 5, 3, 2))
        self.assertEqual((found.previous, found.tariff, found.exports), LINKS + (True,))
        self.assertEqual(found.present, [0, 2, 4])

        def energy(kind, i, wh):
            return run(pedersen.commit(wh, pedersen.blinding(KEY, kind, FIRST + i)))

        self.assertEqual(found.energy(), [energy(0, 0, 10), energy(0, 2, 40), energy(0, 4, 13)])
        self.assertEqual(found.energy(True), [energy(1, 0, 0), energy(1, 2, 4), energy(1, 4, 0)])
        for kind, wh, fed in ((2, 1000, 5), (3, 30, 3), (4, 1050, 9), (5, 17, 3)):
            for export, value in ((False, wh), (True, fed)):
                r = pedersen.blinding(KEY, kind + (4 if export else 0), DAY)
                self.assertEqual(found.register(kind, export), run(pedersen.commit_register(value, r)))

    def test_a_register_that_goes_back_or_jumps_is_not_committed_to(self):
        place = (DAY, STEP_S, FIRST, 1, billing.NO_TURN, 0)
        for reading in (999, 1000 + pedersen.MOST_WH + 1):
            steps = batches.whole_day(HUB, CHAIN, KEY, place, LINKS, (1000, None), [(reading, None)])
            self.assertEqual(error_of(run, steps), ("INVALID_VALUE", "wh"))

    def test_a_signature_has_one_form(self):
        low, high = (5).to_bytes(32, "big"), (N - 5).to_bytes(32, "big")
        self.assertEqual(batches.signed(b"b", b"r" * 32 + high), b"b" + b"r" * 32 + low)
        self.assertEqual(batches.signed(b"b", b"r" * 32 + low), b"b" + b"r" * 32 + low)

    def test_every_length_but_the_right_one(self):
        for raw in (simple(), simple(exports=True, turn=1, missing=2)):
            Batch(raw)
            for wrong in (raw[:-1], raw + b"\x00", raw[:100], b"", raw[:-33], raw + POINT):
                self.assertEqual(self.refused(wrong), ("MALFORMED", "batch"))

    def test_every_field_outside_its_limits(self):
        raw = simple()
        for at, value, field in (
            (3, 0x32, "version"),
            (0, 0, "version"),
            (34, 0, "interval_s"),
            (34, 3, "interval_s"),
            (35, 2, "exports"),
            (36, 0xFF, "first"),
            (31, 0x50, "first"),  # the day
            (32, 1, "day"),
            (33, 0xFF, "day"),
            (40, 0, "count"),
            (40, 101, "count"),
            (41, 0, "turn"),  # an interval that is not missing
            (41, 3, "turn"),
            (108, 8, "missing"),
            (108, 128, "missing"),
            (109, 0, "points"),
            (109, 4, "points"),
            (len(raw) - 64 - 33, 1, "points"),
        ):
            self.assertEqual(self.refused(with_byte(raw, at, value)), ("MALFORMED", "batch." + field))
        for at in (35, 108):  # more, or fewer points than there are
            self.assertEqual(self.refused(with_byte(raw, at, 1)), ("MALFORMED", "batch"))

    def test_the_signature_is_no_part_of_the_digest(self):
        one, other = Batch(simple()), Batch(simple()[:-64] + b"s" * 64)
        self.assertEqual(one.digest(), other.digest())
        self.assertEqual((one.body, other.signature), (simple()[:-64], b"s" * 64))


class KeysTest(unittest.TestCase):
    def test_keys_of_days(self):
        raw = billing.pack_keys(HUB, CHAIN, DAY, [b"a" * 32, b"b" * 32])
        self.assertEqual(billing.keys_of(raw), (HUB, CHAIN, {DAY: b"a" * 32, DAY + 1: b"b" * 32}))
        for wrong, field in (
            (raw[:-1], "keys.count"),
            (raw + b"a", "keys.count"),
            (raw[:35], "keys"),
            (with_byte(raw, 3, 0), "keys.version"),
            (with_byte(raw, 34, 0)[:36], "keys.count"),
        ):
            self.assertEqual(error_of(billing.keys_of, wrong), ("MALFORMED", field))


TARIFF = {
    "v": 1,
    "id": "a",
    "currency": "EUR",
    "zone": "UTC0",
    "kind": "linear",
    "interval_s": 1800,
    "scale": -5,
    "round": 2,
    "bands": [{"name": "a", "price": 3}],
}


class TariffTest(unittest.TestCase):
    def test_a_signed_tariff(self):
        packed = tariff.packed(TARIFF)
        body = forms.tariff_body(1700000000, HUB, packed)
        found = forms.tariff_of(body + b"s" * 64)
        self.assertEqual(tuple(found), (1700000000, HUB, packed, body, b"s" * 64))
        raw = body + b"s" * 64
        for wrong, field in (
            (raw[:80], "tariff"),
            (with_byte(raw, 3, 0x32), "tariff.version"),
            (raw[:-1], "tariff.length"),
            (raw + b"s", "tariff.length"),
            (with_byte(raw, 20, 2), "packed"),
        ):
            self.assertEqual(error_of(forms.tariff_of, wrong), ("MALFORMED", field))


def bill(**fields):
    found = {
        "hub": HUB,
        "chain": CHAIN,
        "start": 1,
        "stop": 2,
        "tariff": b"t" * 32,
        "batches": 31,
        "digest": b"d" * 32,
    }
    found.update({"nonce": b"n" * 16, "form": forms.LINEAR, "bits": 0, "days": 31, "gaps": 4, "unpriced_wh": 1 << 40})
    found.update(
        {"unpaid_wh": 6, "net": 1 << 100, "income_net": -1, "energy": -(1 << 127), "standing": (1 << 127) - 1}
    )
    found.update({"total": 0, "income": 9, "totals": ()})
    found.update(fields)
    return forms.Bill(**found)


class BillTest(unittest.TestCase):
    def test_a_bill_comes_back(self):
        for one in (
            bill(),
            bill(form=forms.OPENED, totals=(1, (1 << 64) - 1)),
            bill(form=forms.HIDDEN, bits=32),
            bill(form=forms.STEPS, bits=8),
        ):
            self.assertEqual(forms.bill_of(forms.pack_bill(one)), one)

    def test_what_is_no_bill(self):
        raw = forms.pack_bill(bill())
        opened = forms.pack_bill(bill(form=forms.OPENED, totals=(1, 2)))
        for wrong, field in (
            (raw[:241], "bill"),
            (with_byte(raw, 3, 0x32), "bill.version"),
            (with_byte(raw, 120, 4), "bill.form"),
            (with_byte(raw, 121, 8), "bill.bits"),
            (forms.pack_bill(bill(form=forms.STEPS, bits=7)), "bill.bits"),
            (forms.pack_bill(bill(form=forms.HIDDEN, bits=41)), "bill.bits"),
            (raw + b"\x00", "bill.totals"),
            (forms.pack_bill(bill(totals=(1,))), "bill.totals"),
            (opened[:-1], "bill.totals"),
            (with_byte(opened, 240, 3), "bill.totals"),
        ):
            self.assertEqual(error_of(forms.bill_of, wrong), ("MALFORMED", field))


class DisclosureTest(unittest.TestCase):
    def test_a_disclosure_comes_back_or_is_none(self):
        one = forms.Disclosure(HUB, CHAIN, 1, 2, 3, b"d" * 32, b"n" * 16, forms.TOTAL, 1, 0, 5, 1 << 50)
        raw = forms.pack_disclosure(one)
        self.assertEqual(forms.disclosure_of(raw), one)
        for wrong, field in (
            (raw[:-1], "disclosure"),
            (raw + b"\x00", "disclosure"),
            (with_byte(raw, 3, 0), "disclosure.version"),
            (with_byte(raw, 88, 2), "disclosure.kind"),
            (with_byte(raw, 88, 1), "disclosure.bits"),
            (with_byte(raw, 89, 2), "disclosure.direction"),
            (with_byte(raw, 90, 8), "disclosure.bits"),
        ):
            self.assertEqual(error_of(forms.disclosure_of, wrong), ("MALFORMED", field))


class ProofTest(unittest.TestCase):
    def test_a_proof_names_what_it_proves(self):
        raw = forms.pack_proof(b"statement", [b"a", b"bc"])
        named, parts = forms.proof_of(raw)
        self.assertEqual(bytes(parts), b"abc")
        self.assertEqual(forms.pack_proof(b"other", [])[:4] + named, raw[:36])
        self.assertTrue(named != forms.pack_proof(b"other", [])[4:])
        self.assertEqual(error_of(forms.proof_of, raw[:35]), ("MALFORMED", "proof"))
        self.assertEqual(error_of(forms.proof_of, with_byte(raw, 3, 0)), ("MALFORMED", "proof.version"))


class HostileTest(unittest.TestCase):
    def test_no_bytes_make_anything_but_a_refusal(self):
        """Every beginning of every format, and what a wrong byte makes of it: HubError, or something that parses."""
        packed = tariff.packed(TARIFF)
        signed = forms.tariff_body(1, HUB, packed) + bytes(64)
        shown = forms.Disclosure(HUB, CHAIN, 1, 2, 3, b"d" * 32, b"n" * 16, forms.TOTAL, 1, 0, 5, 9)
        opened = forms.pack_bill(bill(form=forms.OPENED, totals=(1,)))
        for raw, parser in (
            (simple(9, 1, 2), Batch),
            (billing.pack_keys(HUB, CHAIN, DAY, [KEY]), billing.keys_of),
            (signed, forms.tariff_of),
            (opened, forms.bill_of),
            (forms.pack_disclosure(shown), forms.disclosure_of),
            (forms.pack_proof(b"x", []), forms.proof_of),
        ):
            self.assertEqual(error_of(parser, raw), None)
            for end in range(0, len(raw), 7):
                self.assertEqual(error_of(parser, raw[:end])[0], "MALFORMED")
            for at in range(0, len(raw) - 64 if parser is Batch else len(raw), 3):
                for value in (0, 0xFF):
                    error_of(parser, with_byte(raw, at, value))


class SizeTest(unittest.TestCase):
    def test_the_layout_is_the_docstrings(self):
        raw = simple(48)
        self.assertEqual(len(raw), 108 + 6 + 33 * 50 + 64)
        self.assertEqual(struct.unpack_from("<IBBIBBH", raw, 30), (DAY, 2, 0, FIRST, 48, 255, 0))
        self.assertEqual((raw[44:76], raw[76:108]), LINKS)


if __name__ == "__main__":
    unittest.main()
