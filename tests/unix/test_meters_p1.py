"""The P1 decoder: what a telegram says, version by version, and which telegrams are believed."""

import gc
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from meters_samples import AT, GAS, LINES, LINES_V2, METER, bare, body, change, coded, reading, telegram, value

from meterhub.codec.crc import crc16_arc, crc16_x25
from meterhub.codec.timezone import Zone
from meterhub.meters.p1 import P1Decoder


class Case(unittest.TestCase):
    def setUp(self):
        self.p1 = None
        gc.collect()  # a fresh buffer for each test, in a small heap
        self.p1 = P1Decoder(Zone("CET-1CEST,M3.5.0,M10.5.0/3"))

    def one(self, raw):
        found = self.p1.feed(raw, len(raw))
        self.assertEqual(len(found), 1, self.p1.errors)
        return found[0]

    def refused(self, raw, reason):
        self.assertEqual(len(self.p1.feed(raw, len(raw))), 0)
        self.assertEqual(self.p1.errors, {reason: 1})


class ValueTest(Case):
    def test_a_telegram_of_version_5_gives_every_number_in_its_unit(self):
        found = self.one(telegram())
        self.assertEqual((found.meter, found.version, found.at), (METER, "50", AT))
        self.assertEqual(value(found, "1-0:1.8.1"), (1234567, 0, "Wh"))
        self.assertEqual(value(found, "1-0:2.8.2"), (456002, 0, "Wh"))
        self.assertEqual(value(found, "1-0:1.7.0"), (331, 0, "W"))
        self.assertEqual(value(found, "1-0:32.7.0"), (2301, -1, "V"))
        self.assertEqual(value(found, "1-0:31.7.0"), (144, -2, "A"))
        self.assertEqual(value(found, "0-0:96.14.0"), (2, 0, ""))
        self.assertEqual(found.texts["0-0:96.13.0"], "Hello")
        self.assertEqual(self.p1.errors, {})

    def test_a_meter_behind_the_meter_has_its_own_id_channel_and_time(self):
        gas = reading(self.one(telegram()), "0-1:24.2.1")
        self.assertEqual((gas.value, gas.scale, gas.unit), (987654, -3, "m3"))
        self.assertEqual((gas.meter, gas.channel, gas.at), (GAS, 1, AT - 300))

    def test_an_id_that_comes_after_its_value_is_found(self):
        lines = LINES[:15] + (LINES[17], LINES[16])
        gas = reading(self.one(telegram(lines)), "0-1:24.2.1")
        self.assertEqual(gas.meter, GAS)

    def test_an_event_log_gives_each_value_at_its_own_time(self):
        log = [(r.value, r.unit, r.at) for r in self.one(telegram()).readings if r.obis == "1-0:99.97.0"]
        self.assertEqual(log, [(240, "s", 1735783445), (4321, "s", 1748736184)])

    def test_version_2_has_the_value_on_the_next_line_and_no_clock(self):
        found = self.one(bare())
        self.assertEqual((found.meter, found.version, found.at), (METER, "", None))
        gas = reading(found, "0-1:24.2.1")
        self.assertEqual((gas.obis, gas.value, gas.scale, gas.at), ("0-1:24.2.1", 987654, -3, AT))
        self.assertEqual(value(found, "1-0:1.7.0"), (33, 1, "W"))

    def test_version_3_has_the_value_on_the_same_line(self):
        joined = LINES_V2[:6] + (LINES_V2[6] + LINES_V2[7], LINES_V2[8])
        self.assertEqual(value(self.one(bare(joined)), "0-1:24.2.1"), (987654, -3, "m3"))

    def test_times_follow_their_flag_and_the_zone_where_there_is_none(self):
        for stamp, at in (
            ("251009110000S", AT),
            ("251009110000W", AT + 3600),
            ("251026023000S", 1761438600),  # the hour that comes twice
            ("251026023000W", 1761442200),
            ("251009110000", AT),
            ("250109110000", 1736416800),
            ("700101010000W", 0),
            ("632525252525W", None),  # Belgium: never
            ("251309110000S", None),
            ("251009240000S", None),
        ):
            found = self.one(telegram(change(LINES, "251009105500S", stamp)))
            self.assertEqual([r.at for r in found.readings if r.channel == 1 and r.unit == "m3"], [at])

    def test_the_base_offset_can_be_that_of_another_country(self):
        self.p1 = P1Decoder(None, 0)
        self.assertEqual(self.one(telegram()).at, AT + 3600)

    def test_an_own_time_that_is_none_leaves_the_telegram_without(self):
        found = self.one(telegram(change(LINES, "251009110000S", "20251009 11:00:00")))
        self.assertEqual((found.at, self.p1.errors), (None, {}))
        found = self.one(telegram(change(LINES, "251009110000S", "251309110000S")))
        self.assertEqual((found.at, self.p1.errors), (None, {"line": 1}))

    def test_names_may_end_with_group_f_and_units_with_a_blank(self):
        lines = ("1-0:1.8.0*255(00052185.7825309*kWh)", "1-0:2.8.0(00007137.694*kWh )", "1-0:3.8.0*254(1*kvarh)")
        found = self.one(bare(lines))
        self.assertEqual(value(found, "1-0:1.8.0"), (521857825309, -4, "Wh"))
        self.assertEqual(value(found, "1-0:2.8.0"), (7137694, 0, "Wh"))
        self.assertEqual(value(found, "1-0:3.8.0.254"), (1, 3, "varh"))

    def test_negative_values_and_other_units(self):
        lines = LINES + ("1-0:16.7.0(-03.618*kW)", "0-2:24.2.1(251009110000S)(3.829*GJ)", "1-0:1.8.0(441879*wh)")
        found = self.one(telegram(lines))
        self.assertEqual(value(found, "1-0:16.7.0"), (-3618, 0, "W"))
        self.assertEqual(value(found, "0-2:24.2.1"), (3829, 6, "J"))
        self.assertEqual(value(found, "1-0:1.8.0"), (441879, 0, "Wh"))

    def test_parameters_are_numbers_and_versions_are_texts(self):
        found = self.one(telegram(LINES + ("1-0:0.8.2(00900*s)", "1-0:0.2.0(0123)", "1-0:0.0.5(12345)")))
        self.assertEqual(value(found, "1-0:0.8.2"), (900, 0, "s"))
        self.assertEqual((found.texts["1-0:0.2.0"], found.texts["1-0:0.0.5"]), ("0123", "12345"))

    def test_a_meter_without_id_goes_by_its_ident_line(self):
        lines = [line for line in LINES if "96.1.1" not in line]
        self.assertEqual(self.one(telegram(lines)).meter, "MTH5\\2SAMPLE")

    def test_an_id_that_is_no_coded_text_stands_as_it_is(self):
        plain = change(LINES, "(45303031323334", "(96602219769671")
        self.assertEqual(self.one(telegram(plain)).meter[:6], "966022")


class BelieveTest(Case):
    def test_a_wrong_crc_is_refused(self):
        self.refused(telegram().replace(b"001234.567", b"001234.568"), "crc")

    def test_a_crc_may_be_in_small_letters_or_without_its_zeros(self):
        for n in range(300):
            raw = body(LINES + ("0-0:96.13.1(%03d)" % n,))
            crc = crc16_arc(raw, len(raw))
            self.one(raw + b"%x\r\n" % crc)
            if crc < 0x1000:
                return
        self.fail("no short CRC")

    def test_a_crc_of_the_hdlc_kind_is_known_too(self):
        raw = body()
        self.one(raw + b"%04X\r\n" % crc16_x25(raw, len(raw)))

    def test_a_meter_keeps_to_its_kind_of_crc_until_it_is_another_meter(self):
        self.one(telegram())
        raw = body()
        other = raw + b"%04X\r\n" % crc16_x25(raw, len(raw))
        self.assertEqual([len(self.p1.feed(other, len(other))) for _ in range(12)], [0] * 10 + [1, 1])

    def test_a_meter_that_sent_a_crc_is_held_to_it(self):
        self.one(telegram())
        raw = bare()
        self.assertEqual([len(self.p1.feed(raw, len(raw))) for _ in range(12)], [0] * 10 + [1, 1])
        self.assertEqual(self.p1.errors, {"crc": 10})

    def test_without_crc_one_bad_line_refuses_all(self):
        for bad in (
            "k0.000*kW)",
            "1-0:1.8.3(0123",
            "256-0:1.7.0(1*kW)",
            "1-0:21.7.0(0(0.1*kW))",
            "1-0:21.7.0(1.*kW)",
            "1-0:21.7.0(1.2x*kW)",
            "0-2:24.2.1(251009110000S)(0098x.654*m3)",
            "1-0:021.7.0(1*kW)",
            "1-0:21.7.0(.5*kW)",
            "1-0:21.7.0(1*qW)",
            "0-0:1.0.0(251009110060S)",
            "1-0:98.1.0(x)(1-0:1.6.0)(1*kW)",
            "1-0:98.1.0(1)(1-0:1.600.0)(1*kW)",
            "1-0:21.7.0(1234567890123456789*W)",
            "1-0:21.7.0(--1*W)",
            "0-2:24.3.0(251009110000)(00)(60)(2)(0-2:24.2.1)(m3)(00987.654)",
            "0-2:24.3.0(251009110000)(00)(60)(1)(0-2:24.2.1)(m3)",
            "0-2:24.3.0(251009110000)(00)(60)(1)(0-2:24.200)(m3)(00987.654)",
        ):
            self.p1 = P1Decoder()
            self.refused(bare(LINES_V2 + (bad,)), "damaged")

    def test_without_crc_a_text_with_brackets_in_it_costs_itself_only(self):
        for odd in ("1-0:0.2.0((ER11))", "0-0:96.13.0(4((5)", "1-1:0.2.8(ER13))"):
            self.p1 = P1Decoder()
            found = self.one(bare(LINES_V2 + (odd,)))
            self.assertEqual((value(found, "1-0:1.8.1"), found.texts), ((1234567, 0, "Wh"), self.texts_v2()))
            self.assertEqual(self.p1.errors, {"line": 1})
        for merged in ("0-0:96.13.0(441-0:1.7.0(5)", "1-0:0.2.0(1(2*kW)", "1-0:0.2.0((\x01))"):
            self.p1 = P1Decoder()
            self.refused(bare(LINES_V2 + (merged,)), "damaged")

    def texts_v2(self):
        raw = bare()
        return P1Decoder().feed(raw, len(raw))[0].texts

    def test_a_coded_text_may_have_brackets_and_stars_in_it(self):
        found = self.one(telegram(change(LINES, "48656C6C6F", coded("a (b) *c"))))
        self.assertEqual((found.texts["0-0:96.13.0"], self.p1.errors), ("a (b) *c", {}))

    def test_without_crc_a_telegram_with_nothing_in_it_is_none(self):
        self.refused(bare(()), "damaged")

    def test_without_crc_a_register_that_comes_twice_refuses_all(self):
        self.refused(bare(LINES_V2 + (LINES_V2[1],)), "damaged")

    def test_without_crc_the_last_line_must_have_its_end(self):
        self.refused(bare().replace(b"(1)\r\n!", b"(1)!"), "damaged")

    def test_with_crc_a_bad_line_costs_itself_only(self):
        found = self.one(telegram(LINES + ("1-0:0.2.0((ER11))", "1-0:21.7.0(00.1*kW)")))
        self.assertEqual(value(found, "1-0:21.7.0"), (1, 2, "W"))
        self.assertEqual(self.p1.errors, {"line": 1})

    def test_lines_may_end_with_lf_alone(self):
        self.assertEqual(value(self.one(telegram(eol="\n")), "1-0:1.8.1"), (1234567, 0, "Wh"))
        self.p1 = P1Decoder()
        self.assertEqual(value(self.one(bare(eol="\n")), "1-0:1.8.1"), (1234567, 0, "Wh"))

    def test_the_ident_line_may_hold_a_slash(self):
        self.one(telegram(ident="/MTH5/D545-METER"))

    def test_an_ident_line_needs_a_maker(self):
        for ident in ("/", "/!", "/a!\r\n", "/12345\r\n"):
            self.p1 = P1Decoder()
            raw = ident.encode() + b"\r\n!\r\n"
            self.assertEqual(len(self.p1.feed(raw, len(raw))), 0)
            self.assertEqual(self.p1.errors["garbage"], 1)


if __name__ == "__main__":
    unittest.main()
