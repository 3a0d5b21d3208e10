"""Wired M-Bus: what the records of an answer mean, and which frames are refused and why.

The examples are those of EN 13757-3 and EN 1434-3 where they have one; no meter of them exists.
"""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from mbus_samples import EXAMPLE, answer, feed, long_frame, numbers, raw

from meterhub.meters.mbus import MBusDecoder


class RecordsTest(unittest.TestCase):
    def one(self, records, **more):
        """Return the one Telegram of an answer with these records."""
        self.mbus = MBusDecoder()
        (found,) = feed(self.mbus, answer(records, **more))
        self.assertEqual(self.mbus.errors, {})
        return found

    def number(self, record):
        """Return the one reading of a record as (name, value, scale, unit)."""
        (only,) = self.one(record).readings
        return only[:4]

    def text(self, record):
        """Return the one text of a record as (name, text)."""
        texts = self.one(record).texts
        (only,) = [pair for pair in texts.items() if pair[0] not in ("medium", "version", "status")]
        return only

    def test_the_example_of_the_standard(self):
        (found,) = feed(MBusDecoder(), EXAMPLE)
        self.assertEqual(found.meter, "PAD12345678")
        self.assertEqual(found.version, "72")
        self.assertEqual(found.texts, {"medium": "water", "version": "1"})
        self.assertEqual(
            numbers(found),
            {
                "volume": (12565, -3, "m3"),
                "volume flow max s5": (113, -3, "m3/h"),
                "energy t2 u1": (21837, 1, "Wh"),
            },
        )

    def test_integers_of_every_width_are_signed(self):
        for record, value in (
            ("01 13 80", -128),
            ("02 13 FF 7F", 32767),
            ("02 13 FE FF", -2),
            ("03 13 00 00 80", -8388608),
            ("04 13 FF FF FF FF", -1),
            ("06 13 00 00 00 00 00 80", -(1 << 47)),
            ("07 13 01 00 00 00 00 00 00 80", 1 - (1 << 63)),
        ):
            self.assertEqual(self.number(record), ("volume", value, -3, "m3"))

    def test_bits_have_no_sign(self):
        self.assertEqual(self.number("02 FD 17 00 80"), ("error flags", 32768, 0, ""))

    def test_bcd_of_every_width(self):
        for record, value in (
            ("09 13 42", 42),
            ("0A 13 34 12", 1234),
            ("0B 13 56 34 12", 123456),
            ("0C 13 78 56 34 12", 12345678),
            ("0E 13 12 90 78 56 34 12", 123456789012),
        ):
            self.assertEqual(self.number(record), ("volume", value, -3, "m3"))

    def test_an_f_in_front_makes_bcd_negative(self):
        self.assertEqual(self.number("0B 62 02 00 F0"), ("temperature difference", -2, -1, "K"))
        self.assertEqual(self.number("0A 5A 05 F1"), ("flow temperature", -105, -1, "C"))

    def test_a_to_e_in_bcd_are_an_error_and_no_number(self):
        self.assertEqual(self.text("3C 2B BD EB DD DD"), ("power error", "error DDDDEBBD"))
        self.assertEqual(self.text("0A 5A 05 F0 0A 5A AB F1"), ("flow temperature #2", "error -1AB"))
        self.assertEqual(self.text("0A 5A F5 10"), ("flow temperature", "error 10F5"))  # F only in front

    def test_floats_become_exact_decimals(self):
        self.assertEqual(self.number("05 5B 00 00 B8 42"), ("flow temperature", 92, 0, "C"))
        self.assertEqual(self.number("05 2B CD CC CC 3D"), ("power", 1, -1, "W"))
        self.assertEqual(self.text("05 2B 00 00 C0 7F"), ("power", "no number"))
        self.assertEqual(self.text("05 2B 00 00 80 FF"), ("power", "no number"))

    def test_a_value_during_an_error_is_told_as_one(self):
        self.assertEqual(self.number("3B 3B 99 99 99")[0], "volume flow error")
        self.assertEqual(self.number("22 3B 01 00")[0], "volume flow min")

    def test_storage_tariff_and_subunit_go_over_all_dife(self):
        self.assertEqual(self.number("C4 81 C0 10 13 01 00 00 00")[0], "volume s3 t16 u2")
        self.assertEqual(self.number("84 8F 0F 13 01 00 00 00")[0], "volume s510")

    def test_durations_are_seconds(self):
        for vif, seconds in (("20", 1), ("21", 60), ("22", 3600), ("23", 86400)):
            self.assertEqual(self.number("02" + vif + "0300"), ("on time", 3 * seconds, 0, "s"))
        self.assertEqual(self.number("01 FD 69 02"), ("duration since cumulation", 2 * 86400, 0, "s"))
        self.assertEqual(self.number("01 FD 6E 05"), ("battery operating time", 5, 0, "month"))
        self.assertEqual(self.number("01 FD 32 02"), ("duration of tariff", 7200, 0, "s"))

    def test_units_of_the_first_table(self):
        for vif, name, scale, unit in (
            ("00", "energy", -3, "Wh"),
            ("07", "energy", 4, "Wh"),
            ("0F", "energy", 7, "J"),
            ("16", "volume", 0, "m3"),
            ("1B", "mass", 0, "kg"),
            ("2E", "power", 3, "W"),
            ("33", "power", 3, "J/h"),
            ("3D", "volume flow", -1, "m3/h"),
            ("40", "volume flow", -7, "m3/min"),
            ("4F", "volume flow", -2, "m3/s"),
            ("53", "mass flow", 0, "kg/h"),
            ("5E", "return temperature", -1, "C"),
            ("67", "external temperature", 0, "C"),
            ("68", "pressure", -3, "bar"),
            ("6E", "heat cost units", 0, ""),
            ("7A", "bus address", 0, ""),
        ):
            self.assertEqual(self.number("01" + vif + "07"), (name, 7, scale, unit))

    def test_units_of_the_extensions(self):
        for vif, name, scale, unit in (
            ("FB 00", "energy", 5, "Wh"),
            ("FB 01", "energy", 6, "Wh"),
            ("FB 03", "reactive energy", 4, "varh"),
            ("FB 05", "apparent energy", 4, "VAh"),
            ("FB 09", "energy", 9, "J"),
            ("FB 11", "volume", 3, "m3"),
            ("FB 17", "reactive power", 3, "var"),
            ("FB 18", "mass", 5, "kg"),
            ("FB 1A", "relative humidity", -1, "%"),
            ("FB 21", "volume", -1, "ft3"),
            ("FB 29", "power", 6, "W"),
            ("FB 2E", "frequency", -1, "Hz"),
            ("FB 37", "apparent power", 3, "VA"),
            ("FB 77", "temperature limit", 0, "C"),
            ("FD 02", "credit", -1, ""),
            ("FD 0E", "firmware version", 0, ""),
            ("FD 48", "voltage", -1, "V"),
            ("FD 4F", "voltage", 6, "V"),
            ("FD 59", "current", -3, "A"),
            ("FD 3A", "dimensionless", 0, ""),
        ):
            self.assertEqual(self.number("01" + vif + "07"), (name, 7, scale, unit))

    def test_vife_that_correct(self):
        self.assertEqual(self.number("01 93 74 07"), ("volume", 7, -5, "m3"))
        self.assertEqual(self.number("01 93 7D 07"), ("volume", 7, 0, "m3"))
        self.assertEqual(self.number("01 86 3B 07"), ("energy forward", 7, 3, "Wh"))
        self.assertEqual(self.number("01 86 BC 22 07"), ("energy backward", 7, 3, "Wh/h"))
        self.assertEqual(self.number("01 90 28 08"), ("volume per input pulse 0", 8, -6, "m3"))
        self.assertEqual(self.number("01 AB 48 07"), ("power upper limit", 7, 0, "W"))
        self.assertEqual(self.number("01 AB 49 07"), ("power above limit count", 7, 0, ""))
        self.assertEqual(self.number("01 DA 5D 02"), ("flow temperature x5d", 120, 0, "s"))

    def test_vife_behind_fc_tell_where_and_which_way(self):
        self.assertEqual(self.number("02 FD C8 FC 01 E6 00"), ("voltage L1", 230, -1, "V"))
        self.assertEqual(self.number("02 FD D9 FC 03 05 00"), ("current L3", 5, -3, "A"))
        self.assertEqual(self.number("02 AB FC 08 05 00"), ("power Q1", 5, 0, "W"))
        self.assertEqual(self.number("01 83 FC 11 FF"), ("energy unsigned", 255, 0, "Wh"))
        self.assertEqual(self.number("01 83 FC 8C 74 05"), ("energy difference", 5, -2, "Wh"))
        self.assertEqual(self.number("01 83 FC 15 05"), ("energy x7c15", 5, 0, "Wh"))

    def test_vife_of_the_manufacturer_are_part_of_the_name(self):
        self.assertEqual(self.number("02 FD C9 FF 01 ED 00"), ("voltage x01", 237, 0, "V"))
        self.assertEqual(self.number("02 93 7F ED 00"), ("volume", 237, -3, "m3"))
        self.assertEqual(self.number("02 FF 68 ED 00"), ("manufacturer 68", 237, 0, ""))

    def test_a_vif_that_is_not_assigned_is_told_by_its_code(self):
        self.assertEqual(self.number("01 6F 07"), ("VIF 6F", 7, 0, ""))
        self.assertEqual(self.number("01 FD 7E 07"), ("VIF FD7E", 7, 0, ""))
        self.assertEqual(self.number("01 EF 3B 07"), ("VIF 6F forward", 7, 0, ""))

    def test_a_plain_text_vif_stands_before_its_vife(self):
        self.assertEqual(self.number("02 FC 03 48 52 25 74 D4 11"), ("%RH", 4564, -2, "%RH"))
        self.assertEqual(self.number("02 7C 03 48 52 25 D4 11"), ("%RH", 4564, 0, "%RH"))

    def test_values_of_variable_length(self):
        self.assertEqual(self.text("0D 78 04 31 32 33 34"), ("serial number", "4321"))
        self.assertEqual(self.number("0D 13 C2 34 12"), ("volume", 1234, -3, "m3"))
        self.assertEqual(self.number("0D 13 D2 34 12"), ("volume", -1234, -3, "m3"))
        self.assertEqual(self.number("0D 13 E2 FE FF"), ("volume", -2, -3, "m3"))
        many = "".join(["%02X" % i for i in range(16)])
        self.assertEqual(self.text("0D FD 3A F0 " + many), ("dimensionless", "0f0e0d0c0b0a09080706050403020100"))

    def test_a_date_a_time_and_both(self):
        self.assertEqual(self.text("02 6C DF 1C"), ("date", "2014-12-31"))
        self.assertEqual(self.text("02 6C FF FF"), ("date", ""))
        self.assertEqual(self.text("03 6D 1E 2D 0C"), ("time", "12:45:30"))
        found = self.one("04 6D 19 0F 8A 17")
        self.assertEqual(found.texts["time"], "2012-07-10T15:25")
        self.assertEqual(found.at, 1341930300)
        self.assertEqual(self.one("04 6D 19 8F 8A 17").at, 1341930300 - 3600)  # summer time
        self.assertEqual(self.one("04 6D 99 0F 8A 17").at, None)  # the meter's clock is not set
        self.assertEqual(self.one("04 6D 99 0F 8A 17").texts["time"], "invalid")
        found = self.one("46 6D 00 00 08 16 27 00")
        self.assertEqual(found.texts["time s1"], "2016-07-22T08:00:00")
        self.assertEqual(self.text("44 6D 00 00 E1 F1"), ("time s1", "*-01-01T00:00"))  # year 127: every year
        self.assertEqual(self.text("02 EC 7E FF 1C"), ("date future", "2015-12-31"))
        self.assertEqual(self.text("04 DA 6F 32 14 7A 18"), ("flow temperature last end", "2011-08-26T20:50"))

    def test_what_was_stored_has_the_time_that_was_stored_with_it(self):
        stored = "44 13 02 00 00 00 44 6D 1E 08 61 19"
        found = self.one("04 13 01 00 00 00" + stored + "04 6D 19 0F 8A 17 84 01 13 03 00 00 00")
        self.assertEqual([r.at for r in found.readings], [1341930300, 1314862200, None])

    def test_a_name_that_comes_again_is_numbered(self):
        found = self.one("0A FD 47 01 00 0A FD 47 02 00 0A FD 47 03 00")
        self.assertEqual([r.obis for r in found.readings], ["voltage", "voltage #2", "voltage #3"])

    def test_an_error_in_the_vife_is_no_value(self):
        self.assertEqual(self.text("02 DA 15 FF 7F"), ("flow temperature", "no data"))
        self.assertEqual(self.text("02 DA 16 FF 7F"), ("flow temperature", "overflow"))
        self.assertEqual(self.text("02 DA 02 FF 7F"), ("flow temperature", "error 02"))

    def test_fillers_and_records_without_data_are_passed_over(self):
        self.assertEqual(numbers(self.one("2F 2F 00 13 01 13 07 2F 2F")), {"volume": (7, -3, "m3")})

    def test_the_rest_is_the_manufacturers(self):
        found = self.one("01 13 07 0F 01 02 03")
        self.assertEqual(found.texts["manufacturer data"], "010203")
        self.assertFalse(self.mbus.more)
        self.one("01 13 07 1F 01")
        self.assertTrue(self.mbus.more)

    def test_a_status_is_told(self):
        head = "78 56 34 12 24 40 01 07 55 10 00 00"
        self.assertEqual(self.one("01 13 07", head=head).texts["status"], "10")

    def test_the_header_turned_round(self):
        body = raw("08 05 76 12 34 56 78 40 24 01 04 55 00 00 00 02 6C 23 12 3C 0F 00 58 53 40 0A 5A 04 25")
        (found,) = feed(MBusDecoder(), long_frame(body))
        self.assertEqual(found.meter, "PAD12345678")
        self.assertEqual(found.texts["date"], "2016-03-18")
        self.assertEqual(numbers(found), {"energy error": (585340, 7, "J"), "flow temperature": (425, -1, "C")})

    def test_no_header(self):
        (found,) = feed(MBusDecoder(), long_frame(raw("08 05 78 0C 78 78 56 34 12 01 13 07")))
        self.assertEqual((found.meter, found.version), ("12345678", "78"))
        self.assertEqual(found.readings[0].meter, "12345678")

    def test_the_short_header(self):
        (found,) = feed(MBusDecoder(), long_frame(raw("08 05 7A 2A 10 00 00 01 13 07")))
        self.assertEqual((found.meter, found.version, found.texts), ("", "7A", {"status": "10"}))

    def test_the_fixed_structure_of_the_standards_example(self):
        frame = long_frame(raw("08 05 73 78 56 34 12 0A 00 E9 7E 01 00 00 00 35 01 00 00"))
        (found,) = feed(MBusDecoder(), frame)
        self.assertEqual((found.meter, found.texts), ("12345678", {"medium": "water"}))
        self.assertEqual(numbers(found), {"volume": (1, 0, "l"), "volume s1": (135, 0, "l")})

    def test_the_fixed_structure_in_binary_at_a_fixed_date(self):
        frame = long_frame(raw("08 05 73 78 56 34 12 0A 03 05 17 01 00 00 00 FF FF FF FF"))
        (found,) = feed(MBusDecoder(), frame)
        self.assertEqual(numbers(found), {"energy s1": (1, 3, "Wh"), "power s1": (-1, 3, "W")})


class RefusedTest(unittest.TestCase):
    def refused(self, frame, reason):
        mbus = MBusDecoder()
        found = feed(mbus, frame)
        found.extend(mbus.silence())
        self.assertEqual((found, mbus.errors), ([], {reason: 1}))

    def test_what_the_meter_itself_refuses(self):
        for code, why in enumerate(
            (
                "unspecified",
                "CI field",
                "too long",
                "too many records",
                "premature end",
                "too many DIFE",
                "too many VIFE",
                "reserved",
                "busy",
                "too many readouts",
            )
        ):
            self.refused(long_frame(bytes((0x08, 1, 0x70, code))), "refused " + why)
        self.refused(long_frame(raw("08 01 70")), "refused unspecified")

    def test_records_that_end_too_soon(self):
        cut = ("00", "01", "01 93", "84", "02 13 01", "01 FD", "01 FC", "01 FC 05 41", "0D 78", "0D 78 05 31", "84 80")
        for records in cut:
            if records != "01":
                self.refused(answer("01 13 07" + records), "truncated")

    def test_too_many_extensions(self):
        self.refused(answer("84" + "80" * 11 + "00 13 00 00 00 00"), "too many DIFE")
        self.refused(answer("04" + "93" + "80" * 11 + "00 00 00 00 00"), "too many VIFE")
        self.assertEqual(len(feed(MBusDecoder(), answer("84" + "80" * 9 + "00 13 00 00 00 00"))), 1)

    def test_a_dif_whose_length_nobody_knows(self):
        self.refused(answer("01 13 07 3F 00"), "unsupported DIF 3F")
        self.refused(answer("0D 13 CB 00"), "unsupported LVAR CB")

    def test_headers_that_end_too_soon(self):
        for body in ("08 05 72", "08 05 72 78 56 34 12", "08 05 7A 00", "08 05 73 78 56 34 12 0A 00"):
            self.refused(long_frame(raw(body)), "truncated")

    def test_what_a_master_sends(self):
        self.refused(long_frame(raw("53 FE 51 07 79 04 03 02 01 24 40 01 04")), "unsupported request")

    def test_other_ci(self):
        self.refused(long_frame(raw("08 05 71 00")), "unsupported CI 71")

    def test_encrypted_records(self):
        self.refused(answer("01 13 07", head="78 56 34 12 24 40 01 07 55 00 10 05"), "key missing")

    def test_an_old_signature_is_no_encryption(self):
        frame = answer("01 13 07", head="78 56 34 12 24 40 01 07 55 00 27 B6")
        self.assertEqual(len(feed(MBusDecoder(), frame)), 1)

    def test_a_wrong_sum_or_end(self):
        self.refused(EXAMPLE[:-2] + bytes((EXAMPLE[-2] ^ 1, 0x16)), "crc")
        self.refused(EXAMPLE[:-1] + b"\x17", "crc")

    def test_an_empty_long_frame(self):
        self.refused(raw("68 00 00 68 08 16"), "garbage")

    def test_a_frame_that_stops(self):
        self.refused(EXAMPLE[:9], "truncated")


if __name__ == "__main__":
    unittest.main()
