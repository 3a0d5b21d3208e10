"""The tariff document: what is packed comes back, and whatever is wrong with it is refused by its name."""

import gc
import json
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from tariff_samples import LONDON, blocks, largest, simple

from meterhub.codec import tariff
from meterhub.errors import HubError


def refused(document):
    try:
        tariff.packed(document)
    except HubError as err:
        return err.name, err.field
    return None


class PackedTest(unittest.TestCase):
    def test_what_is_packed_comes_back(self):
        for make in (simple, blocks):
            document = make()
            raw = tariff.packed(document)
            found = tariff.document(raw)
            for name in document:
                self.assertEqual(found[name], document[name], name)
            self.assertEqual(tariff.packed(found), raw)
            self.assertEqual(tariff.packed(json.loads(json.dumps(document))), raw)

    def test_all_that_there_can_be_comes_back(self):
        raw = tariff.packed(largest())
        gc.collect()
        found = tariff.document(raw)  # packs it again to see
        self.assertEqual(
            (found["id"], found["special"][49], found["days"][15][94:]), ("x" * 32, [1, 25, 8], [1410, 14])
        )
        self.assertEqual((found["bands"][47]["price"], found["export"][47]), (1999999947, -1999999953))

    def test_a_default_is_as_if_it_were_written(self):
        document = simple()
        del document["days"]
        full = {"from": 0, "tax_bp": 0, "standing": {"price": 0, "scale": 0}, "export": [], "seasons": [[1, 1, 0]]}
        full.update({"weeks": [[0] * 7], "days": [[0, 0]], "special": [], "billing": ["monthly", 1]})
        full.update(document)
        self.assertEqual(tariff.packed(full), tariff.packed(document))
        document["kind"] = "block"
        document["billing"] = ["weekly", 3]
        self.assertEqual(tariff.document(tariff.packed(document))["blocks"], ["weekly", 3])

    def test_the_largest_fits_a_record(self):
        self.assertEqual(len(tariff.packed(largest())), 2798)

    def test_the_layout_is_the_one_that_is_written_down(self):
        raw = tariff.packed(simple())
        head = b"\x01\x00\x02\x05\x02\x00\x00\x00\x00\x00\x00\x00GBP\x02\x01\x00\x00\x00\x00\x00\x00\x00\x00"
        body = b"\x02\x00\x01\x01\x01\x00" + b"\x01\x01\x00" + b"\x00" * 7 + b"\x00\x00\x03\x00"
        switches = b"\x01\x00\x80\x00\x81\x07"
        prices = b"\x4c\x1d\x00\x00\x54\x6f\x00\x00"
        texts = b"\x05eco-1\x18" + LONDON.encode() + b"\x05night\x03day"
        self.assertEqual(raw, head + body + switches + prices + texts)

    def test_bytes_that_are_no_tariff_are_refused_and_nothing_else_escapes(self):
        raw = tariff.packed(blocks())
        for cut in range(len(raw)):
            self.assertRaises(HubError, tariff.document, raw[:cut])
        self.assertRaises(HubError, tariff.document, raw + b"\0")
        self.assertRaises(HubError, tariff.document, bytes(5000))
        seed = 1
        for at in range(len(raw)):
            for _ in range(3):
                seed = (seed * 1103515245 + 12345) & 0x3FFFFFFF
                bad = bytearray(raw)
                bad[at] ^= (seed >> 8) % 255 + 1
                try:
                    self.assertEqual(tariff.packed(tariff.document(bytes(bad))), bytes(bad))
                except HubError as err:
                    self.assertEqual((err.name, err.field), ("MALFORMED", "packed"))


class RefusalTest(unittest.TestCase):
    def test_no_document(self):
        for wrong in (None, [], "x", 1):
            self.assertEqual(refused(wrong), ("MALFORMED", "tariff"))

    def test_a_field_that_is_missing(self):
        for name in ("v", "id", "currency", "zone", "kind", "interval_s", "scale", "round", "bands"):
            document = simple()
            del document[name]
            self.assertEqual(refused(document), ("MALFORMED", "tariff." + name))

    def test_a_field_that_is_unknown(self):
        for document, field in ((simple(), "price"), (blocks(), "extra")):
            document[field] = 1
            self.assertEqual(refused(document), ("MALFORMED", "tariff." + field))
        document = simple()
        document["blocks"] = ["monthly", 1]  # of another kind
        self.assertEqual(refused(document), ("MALFORMED", "tariff.blocks"))

    def test_every_field_of_another_type(self):
        for make in (simple, blocks, largest):
            gc.collect()
            document = make()
            for name in document:
                for wrong in (None, {}, "", 1.5, True, {"a": 1}, "x\n"):
                    bad = dict(document)
                    bad[name] = wrong
                    found = refused(bad)
                    self.assertTrue(found is not None, (name, wrong))
                    self.assertTrue(found[1].startswith("tariff." + name), (name, wrong, found))

    def check(self, name, wrong, said, where="", make=simple):
        document = make()
        document[name] = wrong
        self.assertEqual(refused(document), (said, "tariff." + name + where))

    def test_numbers_outside_their_limits(self):
        for name, values in (
            ("v", (0, 2)),
            ("interval_s", (0, 60, 899, 2700, 7200)),
            ("scale", (-9, 1)),
            ("round", (-1, 6)),
            ("tax_bp", (-1, 10001)),
            ("from", (-1800, 4102446600, 1790000001)),
        ):
            for value in values:
                self.check(name, value, "INVALID_VALUE")

    def test_texts(self):
        for name, values in (
            ("id", ("", "x" * 33, "a b", "\xe4", "a\n", " a")),
            ("currency", ("", "GB", "gbp", "GBPX", "GB1")),
            ("zone", ("GMT", "Europe/London", "CET-1CEST", "x" * 65, "<+0545>-05:45")),
            ("kind", ("", "flat", "Linear")),
        ):
            for value in values:
                self.check(name, value, "INVALID_VALUE")

    def test_a_zone_whose_changes_fall_into_an_interval(self):
        document = simple()
        for text, step_s, fits in (
            ("<+0545>-05:45", 900, True),
            ("<+0545>-05:45", 1800, False),
            ("<+0530>-05:30", 1800, True),
            ("<+0530>-05:30", 3600, False),
            ("CET-1CEST,M3.5.0/2:30,M10.5.0/3", 1800, True),
            ("CET-1CEST,M3.5.0/2:30,M10.5.0/3", 3600, False),
        ):
            document.update({"zone": text, "interval_s": step_s, "days": [[0, 0]]})
            self.assertEqual(refused(document), None if fits else ("INVALID_VALUE", "tariff.zone"))

    def test_standing(self):
        self.check("standing", {"price": 1}, "MALFORMED", ".scale")
        self.check("standing", {"scale": 0}, "MALFORMED", ".price")
        self.check("standing", {"scale": 0, "price": -1}, "INVALID_VALUE", ".price")
        self.check("standing", {"scale": 0, "price": 2000000001}, "INVALID_VALUE", ".price")
        self.check("standing", {"scale": -9, "price": 1}, "INVALID_VALUE", ".scale")
        self.check("standing", {"scale": 0, "price": 1, "per": "day"}, "MALFORMED", ".per")

    def test_bands(self):
        def band(i, **fields):
            made = [{"name": "night", "price": 1}, {"name": "day", "price": 2}]
            made[i].update(fields)
            return made

        self.check("bands", [], "INVALID_VALUE")
        self.check("bands", [{"name": "x", "price": 1}] * 49, "INVALID_VALUE")
        self.check("bands", [1], "MALFORMED", "[0]")
        self.check("bands", band(1, price=None), "MALFORMED", "[1].price")
        self.check("bands", band(1, price=1.0), "MALFORMED", "[1].price")
        self.check("bands", band(0, price=2000000001), "INVALID_VALUE", "[0].price")
        self.check("bands", band(0, price=-2000000001), "INVALID_VALUE", "[0].price")
        self.check("bands", band(0, name=""), "INVALID_VALUE", "[0].name")
        self.check("bands", band(0, name="ninechars"), "INVALID_VALUE", "[0].name")
        self.check("bands", band(0, name=5), "MALFORMED", "[0].name")
        self.check("bands", [{"price": 1}], "MALFORMED", "[0].name")
        self.check("bands", band(1, vat=1), "MALFORMED", "[1].vat")
        self.check("bands", band(1, prices=[1, 2], limits=[1]), "MALFORMED", "[1].prices")  # linear

    def test_blocks_and_steps(self):
        def check(said, where, count=2, **fields):
            document = blocks()
            for kind in ("block", "steps"):
                document["kind"] = kind
                if kind == "steps":
                    document.pop("blocks", None)
                one = {"name": "x"}
                one.update(fields)
                document["bands"] = [{"name": "y", "price": 1}] * (count - 1) + [one]
                self.assertEqual(refused(document), (said, "tariff.bands" + where) if said else None)

        check("", "", prices=[1, 2], limits=[1])
        check("", "", 8, prices=[1, 2, 3, 4], limits=[1, 2, 3])
        check("INVALID_VALUE", "", 9, prices=[1, 2], limits=[1])
        check("INVALID_VALUE", "[1].prices", prices=[1], limits=[1])
        check("INVALID_VALUE", "[1].prices", prices=[1, 2, 3, 4, 5], limits=[1, 2, 3])
        check("INVALID_VALUE", "[1].limits", prices=[1, 2, 3], limits=[1])
        check("INVALID_VALUE", "[1].limits", prices=[1, 2], limits=[1, 2, 3, 4])
        check("INVALID_VALUE", "[1].limits[1]", prices=[1, 2, 3], limits=[2, 2])
        check("INVALID_VALUE", "[1].limits[0]", prices=[1, 2], limits=[0])
        check("INVALID_VALUE", "[1].limits[0]", prices=[1, 2], limits=[2000000001])
        check("MALFORMED", "[1].limits[0]", prices=[1, 2], limits=["1"])
        check("MALFORMED", "[1].prices[1]", prices=[1, None], limits=[1])
        check("MALFORMED", "[1].limits", prices=[1, 2])
        check("MALFORMED", "[1].price", prices=[1, 2], limits=[1], price=3)
        check("MALFORMED", "[1].price", limits=[1])

    def test_export(self):
        self.check("export", [1, 2, 3], "INVALID_VALUE")
        self.check("export", [1, "2"], "MALFORMED", "[1]")
        self.check("export", [1, 2000000001], "INVALID_VALUE", "[1]")
        self.check("export", [0] * 49, "INVALID_VALUE")

    def test_seasons_weeks_days(self):
        self.check("seasons", [], "INVALID_VALUE")
        self.check("seasons", [[i, 1, 0] for i in (1, 2, 3, 4, 5)], "INVALID_VALUE")
        self.check("seasons", [[3, 1, 0], [3, 1, 0]], "INVALID_VALUE", "[1]")
        self.check("seasons", [[3, 1, 0], [2, 1, 0]], "INVALID_VALUE", "[1]")
        self.check("seasons", [[3, 1, 1]], "INVALID_VALUE", "[0][2]")
        self.check("seasons", [[13, 1, 0]], "INVALID_VALUE", "[0][0]")
        self.check("seasons", [[2, 30, 0]], "INVALID_VALUE", "[0][1]")
        self.check("seasons", [[2, 1]], "INVALID_VALUE", "[0]")
        self.check("weeks", [[0] * 7] * 5, "INVALID_VALUE")
        self.check("weeks", [[0] * 6], "INVALID_VALUE", "[0]")
        self.check("weeks", [[0, 0, 0, 0, 0, 0, 1]], "INVALID_VALUE", "[0][6]")
        self.check("weeks", [[0, 0, None, 0, 0, 0, 0]], "MALFORMED", "[0][2]")
        self.check("days", [[0, 0]] * 17, "INVALID_VALUE")
        self.check("days", [[]], "INVALID_VALUE", "[0]")
        self.check("days", [[0, 0] * 49], "INVALID_VALUE", "[0]")
        self.check("days", [[0, 0, 30]], "MALFORMED", "[0]")
        self.check("days", [[30, 0]], "INVALID_VALUE", "[0][0]")
        self.check("days", [[0, 0, 60, 1, 30, 0]], "INVALID_VALUE", "[0][4]")
        self.check("days", [[0, 0, 0, 1]], "INVALID_VALUE", "[0][2]")
        self.check("days", [[0, 0, 15, 1]], "INVALID_VALUE", "[0][2]")
        self.check("days", [[0, 0, 1440, 1]], "INVALID_VALUE", "[0][2]")
        self.check("days", [[0, 2]], "INVALID_VALUE", "[0][1]")
        self.check("days", [[0, -1]], "INVALID_VALUE", "[0][1]")

    def test_special_days(self):
        self.check("special", [[1, 1 + i % 28, 0] for i in range(51)], "INVALID_VALUE")
        self.check("special", [[12, 25, 1]], "INVALID_VALUE", "[0][2]")
        self.check("special", [[12, 25, 0], [12, 25, 0]], "INVALID_VALUE", "[1]")
        self.check("special", [[2026, 12, 25, 0], [2026, 12, 25, 0]], "INVALID_VALUE", "[1]")
        self.check("special", [[2027, 2, 29, 0]], "INVALID_VALUE", "[0][2]")
        self.check("special", [[2019, 2, 1, 0]], "INVALID_VALUE", "[0][0]")
        self.check("special", [[4, 31, 0]], "INVALID_VALUE", "[0][1]")
        self.check("special", [[0, 1, 0]], "INVALID_VALUE", "[0][0]")
        self.check("special", [[12, 25]], "INVALID_VALUE", "[0]")
        document = simple()
        document["special"] = [[2, 29, 0], [2028, 2, 29, 0]]
        self.assertEqual(refused(document), None)

    def test_billing_and_blocks(self):
        for name, make in (("billing", simple), ("blocks", blocks)):
            for good in (["daily"], ["weekly", 7], ["monthly", 28], ["quarterly", 1, 1], ["six-monthly", 6, 12]):
                document = make()
                document[name] = good
                self.assertEqual(refused(document), None)
            for wrong, said, where in (
                ([], "INVALID_VALUE", ""),
                (["fortnightly"], "INVALID_VALUE", "[0]"),
                ([1], "MALFORMED", "[0]"),
                (["daily", 1], "MALFORMED", ""),
                (["monthly"], "MALFORMED", ""),
                (["yearly", 1], "MALFORMED", ""),
                (["weekly", 0], "INVALID_VALUE", "[1]"),
                (["weekly", 8], "INVALID_VALUE", "[1]"),
                (["monthly", 29], "INVALID_VALUE", "[1]"),
                (["monthly", "1"], "MALFORMED", "[1]"),
                (["quarterly", 1, 13], "INVALID_VALUE", "[2]"),
            ):
                self.check(name, wrong, said, where, make)

    def test_the_name_begins_as_the_caller_wants(self):
        document = simple()
        document["round"] = 7
        try:
            tariff.packed(document, "arg.tariff")
        except HubError as err:
            self.assertEqual(err.field, "arg.tariff.round")


if __name__ == "__main__":
    unittest.main()
