"""The hub proves its bill: the same bytes on every port, by no tariff that would show too much, and no second one."""

import hashlib
import unittest

from crypto_vectors import error_of
from linear_samples import CHAIN, DAY, DIGEST, HOUR, HUB, MARCH, NONCE, days, document, signed, span, steady, with_all

from meterhub.codec import bill as forms
from meterhub.crypto.drbg import Drbg
from meterhub.crypto.steps import run
from meterhub.errors import HubError, StoreError
from meterhub.trust.bills_made import BillsMade
from meterhub.trust.linear_proof import LinearBill, both_of

# of the bill and the proof, from the samples and a generator with a known seed. tests/host/test_billing_hub.py makes
# the same and has the verifier look at it
KNOWN = "70ed53cbf5e3b4cf2d452556996c9a59a77f5481f1e228447958d2f5d88d7a30"


def utc(**fields):
    return document(zone="UTC0", **fields)


def begun(found, one, exports=True, **fields):
    start, stop = span(found)
    return LinearBill(HUB, CHAIN, signed(one, **fields), start, stop, found[0][1][1], exports)


def made(found, one, exports=True, **fields):
    bill = begun(found, one, exports, **fields)
    for one_day in found:
        run(bill.day(*one_day))
    return run(bill.finish(DIGEST, NONCE, Drbg(b"\x07" * 48)))


class KnownTest(unittest.TestCase):
    def test_it_is_the_same_on_every_port(self):
        raw = made(with_all(), document())
        self.assertEqual("".join(["%02x" % byte for byte in hashlib.sha256(raw).digest()]), KNOWN)
        bill, proof = both_of(raw)
        said = forms.bill_of(bill)
        self.assertEqual((said.hub, said.chain, said.digest, said.nonce), (HUB, CHAIN, DIGEST, NONCE))
        self.assertEqual((said.start, said.stop, said.days, said.batches), span(with_all()) + (9, 9))
        self.assertEqual((said.gaps, len(proof)), (9, 36 + 48 * 6))

    def test_what_is_handed_out_is_a_bill_and_a_proof(self):
        raw = made(days(7, steady), document())
        bill, proof = both_of(raw)
        self.assertEqual(raw, len(bill).to_bytes(2, "little") + bill + proof)
        for wrong in (b"", b"\x01\x00", raw[:100]):
            self.assertEqual(error_of(both_of, wrong), ("MALFORMED", "proof"))

    def test_no_slice_is_long(self):
        """Between two of them lies one interval of each direction at most, or sixteen of a gap."""
        found = days(7, steady, [MARCH + HOUR * i for i in range(30, 100)])
        bill = begun(found, document(days=[[0, 0]]))
        self.assertEqual([len(list(bill.day(*one))) for one in found], [24, 24, 24, 24, 24 + 70 // 16, 23, 24])


class RefusedTest(unittest.TestCase):
    def refused(self, found, one, name, field, at=MARCH - DAY):
        self.assertEqual(error_of(lambda: made(found, one, at=at)), (name, field))

    def test_a_tariff_that_would_show_too_much(self):
        week = days(7, steady, zone="UTC0")  # a week of whole days
        six = [{"name": "%d" % i, "price": 1 + i} for i in range(6)]
        plan = [[0, 0, 240, 1, 480, 2, 720, 3, 960, 4, 1200, 5]]
        self.assertEqual(error_of(made, week, utc(bands=six, days=plan, export=[5])), None)
        self.refused(week[:6], document(), "INVALID_VALUE", "tariff.band_time")
        for field, fields in (
            ("bands", {"bands": six + [{"name": "x", "price": 6}], "days": [plan[0] + [1380, 6]], "export": [5]}),
            ("band_time", {"days": [[0, 0, 1260, 1]]}),  # three hours a day
            ("band_time", {"days": [[0, 0], [0, 1]], "special": [[3, 26, 1]]}),  # on one day
            ("prices", {"bands": [{"name": "a", "price": 100}, {"name": "b", "price": 2001}]}),
            ("prices", {"bands": [{"name": "a", "price": 0}, {"name": "b", "price": 1}]}),
            ("prices", {"bands": [{"name": "a", "price": -1}, {"name": "b", "price": 1}]}),
            ("prices", {"export": [100, 2001]}),
        ):
            self.refused(week, utc(**fields), "INVALID_VALUE", "tariff." + field)
        just = utc(bands=[{"name": "a", "price": 100}, {"name": "b", "price": 2000}], export=[100, 2000])
        self.assertEqual(error_of(made, week, just), None)
        self.assertEqual(error_of(made, week, utc(days=[[0, 0, 1200, 1]])), None)

    def test_a_tariff_of_afterwards_or_of_another_kind(self):
        week = days(7, steady)
        self.refused(week, document(), "INVALID_VALUE", "tariff.at", at=MARCH + 1)
        self.refused(week, document(**{"from": MARCH + HOUR}), "INVALID_VALUE", "tariff.at")
        self.assertEqual(error_of(made, week, document(**{"from": MARCH})), None)
        steps = [{"name": "a", "prices": [5, 6], "limits": [100]}]
        for kind in ("steps", "block"):
            other = document(kind=kind, bands=steps, days=[[0, 0]], export=[5])
            self.refused(week, other, "UNSUPPORTED", "tariff.kind")
        self.refused(week, document(interval_s=1800), "INVALID_VALUE", "tariff.interval_s")

    def test_days_that_do_not_follow_each_other(self):
        week = days(8, steady)
        for wrong in (week[1:], week[:3] + week[4:], [week[0]] + week, week[:2] + [week[0]] + week[2:]):
            bill = begun(week, document())
            name = error_of(lambda bill=bill, wrong=wrong: [run(bill.day(*one)) for one in wrong])
            self.assertEqual(name, ("INVALID_VALUE", "day"))
        bill = begun(week, document())
        self.assertEqual(error_of(run, bill.finish(DIGEST, NONCE, None)), ("INVALID_VALUE", "to"))
        for one in week[:7]:
            run(bill.day(*one))
        self.assertEqual(error_of(run, bill.finish(DIGEST, NONCE, None)), ("INVALID_VALUE", "to"))

    def test_a_reading_that_nobody_can_have_committed_to(self):
        for wrong in (-1, 1 << 20):
            for way in ((wrong, 0), (0, wrong)):
                found = days(1, lambda at, way=way: way if at == MARCH + 5 * HOUR else (9, 9))
                self.refused(found, document(), "INVALID_VALUE", "wh")
        found = days(7, lambda at: ((1 << 20) - 1, 0))
        self.assertEqual(error_of(made, found, document()), None)

    def test_what_is_random_is_used_once(self):
        """Two proofs of one bill with one generator: no number of them is the same."""
        found, drbg, parts = days(7, steady), Drbg(b"\x07" * 48), []
        for _ in range(2):
            bill = begun(found, document())
            for one in found:
                run(bill.day(*one))
            _, proof = both_of(run(bill.finish(DIGEST, NONCE, drbg)))
            parts += [proof[at : at + 48] for at in range(36, len(proof), 48)]
        self.assertEqual(len(set(parts)), len(parts))
        self.assertEqual(len(parts), 2 * 4)


class MemoryRecord:
    raw = None

    def load(self):
        return self.raw

    def save(self, raw):
        self.raw = raw


class DamagedRecord:
    def load(self):
        raise StoreError("bills: no whole slot")


class BillsMadeTest(unittest.TestCase):
    def setUp(self):
        self.record = MemoryRecord()
        self.bills = BillsMade(self.record)
        self.bills.add(100 * DAY, 131 * DAY, b"a" * 32, 0)

    def check(self, first, last, tariff=b"a" * 32):
        return error_of(BillsMade(self.record).check, first * DAY, last * DAY, tariff)

    def test_the_same_bill_may_be_made_again(self):
        self.assertTrue(self.bills.check(100 * DAY, 131 * DAY, b"a" * 32))
        before = self.record.raw
        self.bills.add(100 * DAY, 131 * DAY, b"a" * 32, 0)
        self.assertEqual(self.record.raw, before)

    def test_none_that_overlaps_it(self):
        second = ("NOT_CONSENTED", "second bill")
        for first, last in ((100, 130), (101, 131), (99, 131), (130, 160), (90, 101), (110, 120), (1, 500)):
            self.assertEqual(self.check(first, last), second)
        self.assertEqual(self.check(100, 131, b"b" * 32), second)
        self.assertRaises(HubError, self.bills.add, 130 * DAY, 160 * DAY, b"a" * 32, 0)
        for first, last in ((131, 160), (69, 100)):
            self.assertEqual(self.check(first, last), None)
            self.assertTrue(not self.bills.check(first * DAY, last * DAY, b"b" * 32))

    def test_there_is_an_end_to_it_and_old_ones_are_let_go(self):
        for i in range(1, 64):
            self.bills.add((100 + 31 * i) * DAY, (131 + 31 * i) * DAY, b"a" * 32, 0)
        full = (error_of, self.bills.add, 5000 * DAY, 5031 * DAY, b"a" * 32)
        self.assertEqual(full[0](*full[1:] + (131 * DAY - 1,)), ("STORE_FULL", "bills"))
        self.assertEqual(full[0](*full[1:] + (131 * DAY,)), None)
        self.assertEqual(len(self.record.raw), 1 + 40 * 64)
        self.assertEqual(self.check(100, 130), None)
        self.assertEqual(self.check(5000, 5001), ("NOT_CONSENTED", "second bill"))

    def test_where_nobody_knows_no_bill_is_made(self):
        lost = ("INTEGRITY_FAILED", "bills")
        self.assertEqual(error_of(BillsMade(DamagedRecord()).check, 1, 2, b"a" * 32), lost)
        for raw in (b"\x02", b"\x01" + bytes(39), b"\x01" + bytes(41)):
            self.record.raw = raw
            self.assertEqual(error_of(self.bills.check, 1, 2, b"a" * 32), lost)


if __name__ == "__main__":
    unittest.main()
