"""The hub makes its own bill for who has its batches: from the profile, in slices, and never a second one."""

import asyncio
import gc
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

import board_heap  # noqa: F401 - first

from meterhub.crypto import pedersen_tables  # noqa: F401  # isort: skip - the largest pieces while there is room
from meterhub.applets.billing_prover import BillStream, told  # isort: skip

from store_folder import fresh, remove

from meterhub.codec import base64url, tariff
from meterhub.codec import bill as forms
from meterhub.codec.load_profile import MEASURED, Column, Entry
from meterhub.codec.timezone import Zone
from meterhub.crypto.drbg import Drbg
from meterhub.errors import HubError
from meterhub.store import tariffs
from meterhub.store.profile import Profile
from meterhub.store.record import Record
from meterhub.trust import bill_chain
from meterhub.trust.identity import Identity
from meterhub.trust.linear_proof import both_of

STEP, DAY_S = 3600, 86400
DAY = 20463  # 10 January 2026, the chain's first
START = DAY * DAY_S
REGS = ["1-0:1.8.0", "1-0:2.8.0"]
PLAN = {
    "v": 1,
    "id": "eco-1",
    "currency": "GBP",
    "zone": "UTC0",
    "kind": "linear",
    "interval_s": STEP,
    "scale": -5,
    "round": 2,
    "bands": [{"name": "night", "price": 7500}, {"name": "day", "price": 28500}],
    "days": [[0, 0, 420, 1]],
    "export": [5000],
}


def signed(changes, at=START - DAY_S):
    document = dict(PLAN)
    document.update(changes)
    return forms.tariff_body(at, b"a supplier", tariff.packed(document)) + bytes(64)


class Hub:
    """What of app.Hub the prover needs; store, chain and identity are the real ones."""

    identity = Identity(77, b"\x04" + bytes(64), Drbg(bytes(48)))
    zone = Zone("UTC0")
    flash_is_full = False

    def __init__(self, folder):
        self.folder = folder
        self.drbg = Drbg(b"\x07" * 48)
        self.profile = Profile(folder + "/profile", [Column(reg, 0, 30) for reg in REGS], STEP, 13)

    def record(self, name):
        record = Record(self.folder + "/" + name)
        if self.flash_is_full:
            record.save = full
        return record

    strict_record = record

    def begin(self, first=DAY, day=DAY + 9):
        """Let there be a chain, whose batches are made up to `day`."""
        chain = bill_chain.Chain(self.record(bill_chain.RECORD))
        chain.begin({"mark": "1", "kid": "coop", "sub": "anna"}, b"c" * 16, first, ())
        chain.state["day"] = day
        chain._keep(chain.state)

    def live(self, hours, missing=()):
        """Let readings be kept: 100 Wh an hour, 10 fed in."""
        for hour in hours:
            if hour not in missing:
                entry = Entry(START + hour * STEP, MEASURED, (500000 + 100 * hour, 7000 + 10 * hour))
                self.profile.append(entry)


def full(raw):
    raise OSError(28)


def claims(first=DAY, last=DAY + 6, tariff_of=(), **changes):
    found = {"sub": "anna", "regs": REGS, "from": first * DAY_S, "to": (last + 1) * DAY_S}
    found["tariff"] = base64url.encode(signed(dict(tariff_of)))
    found["batches"], found["nonce"] = base64url.encode(b"d" * 32), base64url.encode(b"n" * 16)
    found.update(changes)
    return found


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = fresh()
        self.hub = Hub(self.folder)
        gc.collect()

    def tearDown(self):
        remove(self.folder)

    def made(self, **changes):
        """Return (Bill, proof, stream)."""
        stream = BillStream(self.hub, "coop", claims(**changes))
        bill, proof = both_of(asyncio.run(stream.pack(0)))
        gc.collect()
        return forms.bill_of(bill), proof, stream

    def refused(self, **changes):
        try:
            self.made(**changes)
        except HubError as err:
            gc.collect()
            return err.name + " " + err.field
        return None


class BillTest(Case):
    def test_a_week_of_the_profile_becomes_a_bill(self):
        self.hub.begin()
        self.hub.live(range(-30, 24 * 9 + 1))
        said, proof, stream = self.made()
        self.assertEqual((said.start, said.stop, said.days, said.batches), (START, START + 7 * DAY_S, 7, 7))
        self.assertEqual((said.chain, said.digest, said.nonce, said.form), (b"c" * 16, b"d" * 32, b"n" * 16, 0))
        self.assertEqual((said.net, said.income_net), (7 * 100 * (7 * 7500 + 17 * 28500), 7 * 24 * 10 * 5000))
        self.assertEqual((said.gaps, said.unpriced_wh, said.unpaid_wh), (0, 0, 0))
        self.assertEqual((len(proof), stream.chunks, stream.packed, stream.entries), (36 + 4 * 48, 1, 1, 168))
        self.assertEqual(stream.typ(0), "mhx-bill")

    def test_a_chunk_comes_as_it_was_when_it_is_asked_for_again(self):
        self.hub.begin()
        self.hub.live(range(24 * 7 + 1))
        stream = BillStream(self.hub, "coop", claims())
        once = asyncio.run(stream.pack(0))
        self.assertTrue(asyncio.run(stream.pack(0)) is once)
        self.assertEqual((stream.packed, len(stream.digest)), (1, 32))

    def test_what_is_missing_is_as_in_the_batches(self):
        """Two hours before the period, one in a band, one at the end of a band."""
        self.hub.begin()
        self.hub.live(range(24 * 9 + 1), [23, 24, 24 + 10, 48 + 7])
        said, _, _ = self.made(first=DAY + 1, last=DAY + 8)
        # the first one has three hours, of which two are from before the period
        self.assertEqual((said.gaps, said.unpriced_wh, said.unpaid_wh), (2, 300 + 200, 30))
        night, day = 8 * 7 - 1 - 1, 8 * 17 - 1
        self.assertEqual(said.net, 100 * (night * 7500 + day * 28500))

    def test_what_a_request_shows_is_told(self):
        self.assertEqual(told(claims()), "fee+income: 3 totals")
        one = {"bands": PLAN["bands"][:1], "days": [[0, 0]]}
        self.assertEqual(told(claims(tariff_of=one)), "fee+income: 2 totals")
        self.assertEqual(told(claims(tariff_of=one, regs=REGS[:1])), "fee: at most 1 total")


class RefusedTest(Case):
    def setUp(self):
        super().setUp()
        self.hub.begin()
        self.hub.live(range(24 * 9 + 1))

    def test_a_second_bill_that_overlaps_is_none(self):
        self.assertEqual(self.refused(), None)
        self.assertEqual(self.refused(), None)  # the same
        for changes in ({"last": DAY + 7}, {"first": DAY + 1, "last": DAY + 7}, {"tariff_of": {"id": "eco-2"}}):
            self.assertEqual(self.refused(**changes), "NOT_CONSENTED second bill")
        self.hub = Hub(self.folder)  # after a restart, too
        self.assertEqual(self.refused(last=DAY + 7), "NOT_CONSENTED second bill")

    def test_none_leaves_that_is_not_written_down(self):
        stream = BillStream(self.hub, "coop", claims())
        stream._bills._record.save = full
        self.assertRaises(HubError, asyncio.run, stream.pack(0))
        self.assertEqual((stream._chunk, stream.packed), (b"", 0))
        self.assertEqual(self.refused(last=DAY + 7), None)  # that one was never made

    def test_days_that_there_are_no_batches_of(self):
        for changes in ({"last": DAY + 9}, {"first": DAY - 1}, {"sub": "berta"}):
            self.assertEqual(self.refused(**changes), "NOT_AVAILABLE chain")
        self.assertEqual(self.refused(regs=["1-0:9.9.9"]), "NOT_AVAILABLE regs")
        self.assertEqual(self.refused(**{"from": START + STEP}), "INVALID_VALUE from")
        self.assertEqual(self.refused(to=START + 8 * DAY_S - 1), "INVALID_VALUE to")
        self.hub.profile.hide_before(START + 1)
        self.assertEqual(self.refused(), "OUT_OF_RANGE from")

    def test_a_tariff_that_would_show_too_much_or_that_the_hub_did_not_have(self):
        self.assertEqual(self.refused(last=DAY + 5), "INVALID_VALUE tariff.band_time")
        late = base64url.encode(signed({}, START + 1))
        self.assertEqual(self.refused(tariff=late), "INVALID_VALUE tariff.at")
        self.assertEqual(self.refused(tariff=base64url.encode(b"mht1")), "MALFORMED tariff")
        self.assertEqual(self.refused(tariff="*"), "MALFORMED base64url")
        for field in ("batches", "nonce"):
            self.assertEqual(self.refused(**{field: "AA"}), "MALFORMED " + field)
        own, other = tariff.packed(PLAN), tariff.packed(dict(PLAN, id="eco-2"))
        for kept, name in (
            ([(START - DAY_S, own)], None),
            ([(START - DAY_S, other)], "INVALID_VALUE tariff.other"),
            ([(START + 9 * DAY_S, other)], None),  # after the period
            ([(START + 3 * DAY_S, other), (START - DAY_S, own)], "INVALID_VALUE tariff.other"),
            ([(START + 9 * DAY_S, own), (START - DAY_S, other)], "INVALID_VALUE tariff.other"),
            ([(START, own), (START - DAY_S, other)], None),
        ):
            kept.append((0, b""))
            for i, place in ((0, tariffs.IN_FORCE), (1, tariffs.OLD)):
                since, raw = kept[i]
                blob = tariffs.blob(tariffs.Kept(since, "sup", 1, raw)) if raw else b""
                self.hub.record(place).save(blob)
            self.assertEqual(self.refused(), name)


if __name__ == "__main__":
    unittest.main()
