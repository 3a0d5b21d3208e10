"""A tariff that is too long for one command: it comes in pieces, in order, and counts when it is whole."""

import json
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from tariff_bench import DAY, STEP, document
from tariff_orders_bench import Hub

from meterhub.codec import base64url, tariff
from meterhub.services import tariffs as service
from meterhub.store import tariffs


def long_one():
    """Return a tariff of 48 bands in half-hours."""
    bands = [{"name": "rate %03d" % i, "price": -1999999999 + i} for i in range(48)]
    return document(bands=bands, days=[[(30 * (i // 2), i // 2)[i % 2] for i in range(96)]])


def pieces_of(raw, size):
    found = [raw[at : at + size] for at in range(0, len(raw), size)]
    return [{"packed": base64url.encode(one), "part": [i + 1, len(found)]} for i, one in enumerate(found)]


class PartsTest(unittest.TestCase):
    def setUp(self):
        self.hub = Hub()

    def tearDown(self):
        self.hub.close()

    def test_a_long_one_comes_in_pieces(self):
        raw = tariff.packed(long_one())
        pieces = pieces_of(raw, 250)
        self.assertEqual(len(pieces), 4)
        for i, piece in enumerate(pieces[:-1]):
            self.assertEqual(self.hub.send("set.tariff_price", piece).data, {"part": i + 1})
        self.assertEqual(self.hub.tariffs, None)
        self.assertEqual(self.hub.send("set.tariff_price", pieces[-1]).data["tariff"], "eco-1")
        self.assertEqual(self.hub.tariffs.kept.raw, raw)
        self.assertEqual(self.hub.record(tariffs.PART).load(), None)

    def test_pieces_out_of_order_or_of_somebody_else(self):
        pieces = pieces_of(tariff.packed(document()), 40)
        one, two, three = pieces
        self.assertEqual(self.hub.refusal("set.tariff_price", two), ("OUT_OF_ORDER", "arg.part"))
        self.hub.send("set.tariff_price", one)
        self.assertEqual(self.hub.refusal("set.tariff_price", three), ("OUT_OF_ORDER", "arg.part"))
        self.assertEqual(self.hub.refusal("set.tariff_price", two, None, "ANOTHER"), ("OUT_OF_ORDER", "arg.part"))
        self.assertEqual(
            self.hub.refusal("set.tariff_price", {"packed": two["packed"], "part": [2, 4]}),
            ("OUT_OF_ORDER", "arg.part"),
        )
        self.hub = self.hub.again()
        self.hub.send("set.tariff_price", two)
        self.hub.send("set.tariff_price", one)  # begins anew
        self.hub.send("set.tariff_price", two)
        self.hub.send("set.tariff_price", three)
        self.assertEqual(self.hub.tariffs.rates.id, "eco-1")

    def test_parts_that_are_none(self):
        packed = base64url.encode(b"x" * 1000)
        for part, name in (("1", "MALFORMED"), ([1], "MALFORMED"), ([1, "2"], "MALFORMED"), ([0, 2], "INVALID_VALUE")):
            self.assertEqual(
                self.hub.refusal("set.tariff_price", {"packed": packed, "part": part}), (name, "arg.part")
            )
        for part in ([3, 2], [1, 9]):
            self.assertEqual(
                self.hub.refusal("set.tariff_price", {"packed": packed, "part": part}), ("INVALID_VALUE", "arg.part")
            )
        for i in (1, 2):
            self.assertEqual(self.hub.send("set.tariff_price", {"packed": packed, "part": [i, 4]}).data, {"part": i})
        refusal = self.hub.refusal("set.tariff_price", {"packed": packed, "part": [3, 4]})
        self.assertEqual(refusal, ("OVERSIZED", "arg.packed"))

    def test_the_last_piece_may_have_a_date(self):
        pieces = pieces_of(tariff.packed(document()), 60)
        self.hub.send("set.tariff_price", pieces[0])
        self.assertEqual(
            self.hub.refusal("set.tariff_price", pieces[0], DAY + 4 * STEP), ("INVALID_VALUE", "arg.part")
        )
        last = self.hub.command("set.tariff_price", pieces[1], DAY + 4 * STEP)
        service.check(self.hub, last)
        self.hub.send(
            "set.tariff_price", pieces_of(tariff.packed(document(id="other")), 60)[0]
        )  # the next one comes in
        self.hub = self.hub.again(DAY + 4 * STEP)
        self.assertEqual(service.handle(self.hub, last).data["applied"], DAY + 4 * STEP)
        self.assertEqual(self.hub.tariffs.rates.id, "eco-1")
        self.assertEqual(self.hub.record(tariffs.NEXT).load(), None)

    def test_the_longest_answers_fit_a_letter(self):
        raw = tariff.packed(long_one())
        self.hub.send("set.tariff_price", {"packed": base64url.encode(raw)})
        kept = self.hub.tariffs.kept
        self.hub.tariffs.kept = tariffs.Kept(kept.since, kept.kid, kept.ctr, raw + bytes(2000))
        self.assertTrue(2000 < len(json.dumps(self.hub.send("read.tariff", {}).data)) < 3072)
        self.hub.tariffs.registers[:] = [10**10] * 48
        self.assertTrue(len(json.dumps(self.hub.send("read.tou_registers", {}).data)) < 3072)


if __name__ == "__main__":
    unittest.main()
