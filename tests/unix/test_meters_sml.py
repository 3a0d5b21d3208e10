"""The SML decoder: what a list of values says, and which lists are believed."""

import gc
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from sml_samples import (
    ESCAPE,
    METER,
    NONE,
    PLAIN,
    closing,
    entry,
    feed,
    framed,
    integer,
    listed,
    message,
    obis,
    octets,
    opening,
    sml,
    unsigned,
    values,
)

from meterhub.meters.sml import SMLDecoder

AT = 1760000400


class Case(unittest.TestCase):
    def setUp(self):
        self.sml = None
        gc.collect()  # a fresh buffer for each test, in a small heap
        self.fresh()

    def fresh(self):
        self.sml = None
        self.sml = SMLDecoder()

    def one(self, raw):
        found = feed(self.sml, raw)
        self.assertEqual((len(found), self.sml.errors), (1, {}))
        return found[0]

    def value(self, *entries, **more):
        """Return (value, scale, unit) of the one number in a frame of these entries."""
        readings = self.one(sml(*entries, **more)).readings
        self.assertEqual(len(readings), 1)
        return readings[0][1:4]

    def refused(self, raw, errors):
        self.assertEqual(len(feed(self.sml, raw)), 0)
        self.assertEqual(self.sml.errors, errors)
        self.assertEqual(len(feed(self.sml, sml(*PLAIN))), 1)


class ValueTest(Case):
    def test_a_list_gives_numbers_texts_and_the_meters_id(self):
        found = self.one(sml(*PLAIN))
        self.assertEqual((found.meter, found.version, found.at), (METER, "", None))
        self.assertEqual(
            [tuple(r) for r in found.readings],
            [
                ("1-0:1.8.0", 123456789, -1, "Wh", METER, 0, None),
                ("1-0:2.8.0", 7, -1, "Wh", METER, 0, None),
                ("1-0:16.7.0", -1234, 0, "W", METER, 0, None),
            ],
        )
        self.assertEqual(
            found.texts,
            {"1-0:96.50.1.1": "ABC", "1-0:96.1.0": "0a01414243000012d687", "1-0:1.8.0 status": "1835268"},
        )

    def test_every_width_of_integer(self):
        for width in range(1, 9):
            top = 1 << 8 * width - 1
            for number in (0, 1, top - 1, -1, -top):
                self.assertEqual(self.value(entry(obis(16, 7), integer(number, width), 27, 0))[0], number)
            for number in (0, top, 2 * top - 1):
                self.assertEqual(self.value(entry(obis(1, 8), unsigned(number, width), 30, 0))[0], number)
        self.assertEqual(self.value(entry(obis(1, 2), b"\x42\x01"))[0], 1)

    def test_a_wider_integer_is_none(self):
        self.refused(sml(entry(obis(1, 8), unsigned(1, 9), 30, 0)), {"garbage": 1})

    def test_scaler_and_unit_may_be_missing_or_of_any_width(self):
        self.assertEqual(self.value(entry(obis(96, 5), unsigned(5))), (5, 0, ""))
        self.assertEqual(self.value(entry(obis(1, 8), unsigned(5), 30)), (5, 0, "Wh"))
        self.assertEqual(self.value(entry(obis(1, 8), unsigned(5), None, 3)), (5, 3, ""))
        self.assertEqual(self.value(entry(obis(14, 7), unsigned(499, 2), 44, -1)), (499, -1, "Hz"))
        self.assertEqual(self.value(entry(obis(81, 7, 1), unsigned(120), 8, 0)), (120, 0, "\xb0"))
        self.assertEqual(self.value(entry(obis(1, 8), unsigned(5), 255, 0)), (5, 0, ""))
        wide = listed(octets(obis(1, 8)), NONE, NONE, unsigned(30, 2), integer(-1, 2), unsigned(5), NONE)
        self.assertEqual(self.value(wide), (5, -1, "Wh"))

    def test_an_entry_without_value_costs_only_itself(self):
        found = self.one(sml(entry(obis(1, 8, 1), NONE, 30, -1), *PLAIN))
        self.assertEqual(len(found.readings), 3)

    def test_an_entry_that_is_none_costs_only_itself(self):
        odd = (listed(octets(b"\x01\x02"), NONE), listed(octets(b"12345"), NONE, NONE, NONE, NONE, NONE, NONE), NONE)
        self.assertEqual(len(self.one(sml(*(odd + PLAIN))).readings), 3)

    def test_status_words_of_any_width(self):
        for width in (1, 2, 4, 8):
            found = self.one(sml(entry(obis(1, 8), unsigned(5), 30, 0, unsigned(0x82, width))))
            self.assertEqual(found.texts, {"1-0:1.8.0 status": "130"})

    def test_texts_are_text_or_hex(self):
        found = self.one(sml(entry(obis(96, 50), octets(b"1.02.007")), entry(obis(96, 5), octets(b"\x00\x80"))))
        self.assertEqual(found.texts, {"1-0:96.50.0": "1.02.007", "1-0:96.5.0": "0080"})

    def test_long_lists_and_long_texts(self):
        many = [entry(obis(21, 7, e), unsigned(e), 27, 0, signature=octets(bytes(40))) for e in range(20)]
        found = self.one(sml(*(many + [entry(obis(96, 9), octets(b"x" * 300))])))
        self.assertEqual([r.value for r in found.readings], list(range(20)))
        self.assertEqual(found.texts["1-0:96.9.0"], "x" * 300)

    def test_meter_ids(self):
        for server, meter in (
            (b"\x09\x01XYZ\x00\x00\x00\x00\x07", "1XYZ0000000007"),
            (b"\x0a\x01HLY\x02\x00\x01\xe2\x40", "1HLY0200123456"),
            (b"\x0a\x01XYZ\x00\xff\xff\xff\xff", "0a0158595a00ffffffff"),
            (b"\x06XYZ\x01\x02\x03\x04\x05\x06", "0658595a010203040506"),
            (b"\x01\x02", "0102"),
        ):
            self.assertEqual(self.one(sml(*PLAIN, server=server)).meter, meter)


class TimeTest(Case):
    def at(self, time, own=NONE):
        found = self.one(sml(entry(obis(1, 8), unsigned(5), 30, 0, time=own), time=time))
        return found.at, found.readings[0].at

    def test_a_time_is_unix_time_where_the_meter_has_a_clock(self):
        clock = listed(unsigned(2), unsigned(AT, 4))
        self.assertEqual(self.at(clock), (AT, AT))
        local = listed(unsigned(3), listed(unsigned(AT, 4), integer(60, 2), integer(60, 2)))
        self.assertEqual(self.at(local), (AT, AT))
        self.assertEqual(self.at(clock, listed(unsigned(2), unsigned(AT - 9, 4))), (AT, AT - 9))
        self.assertEqual(self.at(NONE, local), (None, AT))

    def test_seconds_since_the_meter_started_are_no_time(self):
        self.assertEqual(self.at(listed(unsigned(1), unsigned(AT, 4))), (None, None))

    def test_a_time_without_its_choice_is_no_time(self):
        self.assertEqual(self.at(unsigned(AT, 4), unsigned(AT, 4)), (None, None))

    def test_a_time_as_value_is_delivered_as_its_number(self):
        time = listed(unsigned(1), listed(unsigned(1), unsigned(77, 4)))
        self.assertEqual(self.value(entry(obis(96, 8), time)), (77, 0, ""))


class SignTest(Case):
    """The two faults of sign that makers have documented, and that nobody else's numbers are touched."""

    def power(self, number, width, maker=b"DZG", value=-29912, name=None):
        server = b"\x0a\x01" + maker + b"\x00" + number.to_bytes(4, "big")
        found = self.one(sml(entry(name or obis(16, 7), integer(value, width), 27, -2), server=server))
        return found.readings[0].value

    def test_the_dvs74_of_dzg_in_the_makers_two_ranges_has_no_sign_in_up_to_two_bytes(self):
        for number in (42000000, 48999999, 55000000, 58999999):
            self.assertEqual(self.power(number, 2), 35624)
            self.assertEqual(self.power(number, 1, value=-1), 255)
            self.assertEqual(self.power(number, 2, value=300), 300)
            self.assertEqual(self.power(number, 3), -29912)
            self.assertEqual(self.power(number, 4), -29912)
            self.assertEqual(self.power(number, 2, name=obis(36, 7)), -29912)

    def test_other_meters_of_dzg_and_of_others_have_a_sign(self):
        for number in (40051234, 41999999, 49000000, 50100000, 54999999, 59000000, 60500000):
            self.assertEqual(self.power(number, 2), -29912)
        self.assertEqual(self.power(42000000, 2, b"ABC"), -29912)

    def test_the_id_may_stand_in_the_list_only(self):
        server = b"\x0a\x01DZG\x00" + (42000000).to_bytes(4, "big")
        found = self.one(
            sml(entry(obis(96, 1), octets(server)), entry(obis(16, 7), integer(-1, 2), 27, -2), server=b"\x01")
        )
        self.assertEqual(found.readings[0].value, 65535)
        self.assertEqual(self.power(60000000, 2), -29912)

    def test_a_24_bit_negative_is_negative(self):
        self.assertEqual(self.power(60000001, 3, value=0xFF1479 - (1 << 24)), -60295)

    def directed(self, status, maker=b"EMH", more=()):
        entries = (
            entry(obis(199, 130, 3, 129, 129), octets(maker)),
            entry(obis(1, 8), unsigned(5), 30, 0, status),
            entry(obis(15, 7), unsigned(777, 4), 27, -1),
        )
        return [(r.obis, r.value) for r in self.one(sml(*(entries + more))).readings]

    def test_a_sum_of_emh_gets_its_direction_from_the_status_word(self):
        sums = [("1-0:1.8.0", 5), ("1-0:15.7.0", 777)]
        self.assertEqual(self.directed(unsigned(0x182, 2)), sums + [("1-0:16.7.0", 777)])
        self.assertEqual(self.directed(unsigned(0x1A2, 2)), sums + [("1-0:16.7.0", -777)])
        self.assertEqual(self.directed(unsigned(0x1A2, 2), b"ABC"), sums)
        self.assertEqual(self.directed(NONE), sums)

    def test_a_signed_power_is_left_as_it_is(self):
        signed = (entry(obis(16, 7), integer(-1772, 4), 27, -1),)
        found = self.directed(unsigned(0x1A2, 2), more=signed)
        self.assertEqual(found[2:], [("1-0:16.7.0", -1772)])


class CRCTest(Case):
    def test_kermit_is_taken_where_a_meter_has_it(self):
        for _ in range(3):
            self.assertEqual(len(self.one(sml(*PLAIN, kermit=True)).readings), 3)

    def test_a_meter_is_held_to_its_kind_of_crc(self):
        self.one(sml(*PLAIN))
        other = sml(*PLAIN, kermit=True)
        self.assertEqual([len(feed(self.sml, other)) for _ in range(12)], [0] * 10 + [1, 1])
        self.assertEqual(self.sml.errors, {"crc": 10})

    def test_a_message_crc_that_is_one_byte_long(self):
        for kermit in (False, True):
            count = 0
            for n in range(1000):
                listed_values = values(*PLAIN, transaction=n.to_bytes(2, "big"), kermit=kermit)
                if listed_values[-3] == 0x62:
                    count += 1
                    self.fresh()
                    self.one(framed(opening(kermit) + listed_values + closing(kermit), kermit))
            self.assertTrue(count)

    def test_a_message_with_a_wrong_crc_is_dropped_and_the_others_are_delivered(self):
        good, bad = values(*PLAIN), values(*PLAIN, transaction=b"\x05")
        for i in (len(bad) - 2, len(bad) - 3, 30):
            changed = bytearray(bad)
            changed[i] ^= 1
            self.fresh()
            found = feed(self.sml, framed(opening() + bytes(changed) + good + closing()))
            if i == len(bad) - 3:
                self.assertTrue(sum(self.sml.errors.values()) >= 1)
            else:
                self.assertEqual((len(found), self.sml.errors), (1, {"crc": 1}))

    def test_any_changed_bit_costs_the_frame_and_no_other(self):
        frame = sml(*PLAIN)
        truth = feed(self.sml, frame)
        for bit in range(len(frame) * 8):
            changed = bytearray(frame)
            changed[bit >> 3] ^= 1 << (bit & 7)
            self.assertTrue(feed(self.sml, bytes(changed) + frame)[-1:] == truth, bit)
        total = sum(self.sml.errors.values())
        self.assertTrue(total >= len(frame) * 8 - 16)

    def test_an_sml_file_without_its_transport_frame(self):
        found = self.sml.read_file(opening() + values(*PLAIN) + closing())
        self.assertEqual((len(found), self.sml.errors), (1, {}))
        self.assertEqual(self.sml.read_file(b"\x76\x05"), [])
        self.assertEqual(self.sml.errors, {"truncated": 1})


class EscapeTest(Case):
    def test_1b_in_any_number_at_any_place(self):
        for before in range(8):
            for run in range(14):
                text = b"\x02" * before + b"\x1b" * run + b"\x03"
                found = self.one(sml(entry(obis(96, 1), octets(text)), *PLAIN[2:]))
                self.assertEqual(found.texts["1-0:96.1.0"], text.hex())

    def test_1b_right_before_the_end(self):
        for n in range(2000):  # the CRC of the last message is what comes last
            last = message(0x0201, listed(NONE), n.to_bytes(2, "big"))[:-1]
            if last[-1] == 0x1B:
                for filling in range(4):
                    self.one(framed(bytes(filling) + values(*PLAIN) + last))

    def test_an_escape_that_means_nothing_costs_the_frame_only(self):
        frame = sml(*PLAIN)
        for follows in (b"\x02\x00\x00\x00", b"\x03\x00\x00\x00", b"\x1b\x1b\x02\x00", b"\x01\x01\x01\x02"):
            self.fresh()
            self.refused(frame[:40] + ESCAPE + follows + frame[40:], {"crc": 1})


class StreamTest(Case):
    def test_pieces_of_any_size_make_no_difference(self):
        raw = b"\x00\xff" + sml(*PLAIN) * 2 + b"\x1b\x1b" + sml(*PLAIN, time=listed(unsigned(2), unsigned(AT, 4)))
        truth = feed(self.sml, raw)
        self.assertEqual((len(truth), self.sml.errors), (3, {"garbage": 2}))
        for size in range(1, 65):
            self.fresh()
            self.assertTrue(feed(self.sml, raw, size) == truth)
            self.assertEqual(self.sml.errors, {"garbage": 2})

    def test_silence_ends_what_was_begun(self):
        frame = sml(*PLAIN)
        truth = feed(self.sml, frame)
        for cut in (1, 8, 60, len(frame) - 1):
            feed(self.sml, frame[:cut])
            self.assertEqual(len(self.sml.silence()), 0)
        self.assertEqual((len(self.sml.silence()), self.sml.errors), (0, {"truncated": 4}))
        self.assertTrue(feed(self.sml, frame) == truth)

    def test_a_frame_cut_anywhere_costs_no_other(self):
        frame = sml(*PLAIN)
        truth = feed(self.sml, frame)
        for cut in range(1, len(frame)):
            self.fresh()
            self.assertTrue(feed(self.sml, frame[:cut] + frame, 64) == truth, cut)
            self.assertEqual(sum(self.sml.errors.values()), 1)
            self.fresh()
            self.assertTrue(feed(self.sml, frame[cut:] + frame, 64) == truth, cut)
            self.assertEqual(self.sml.errors, {"garbage": 1})

    def test_a_lost_byte_costs_one_frame(self):
        frame = sml(*PLAIN)
        truth = feed(self.sml, frame)
        for lost in range(len(frame)):
            self.fresh()
            self.assertTrue(feed(self.sml, frame[:lost] + frame[lost + 1 :] + frame, 50) == truth, lost)

    def test_garbage_is_told_once_and_again_after_a_frame(self):
        raw = (b"noise" * 20 + sml(*PLAIN)) * 3
        self.assertEqual(len(feed(self.sml, raw, 7)), 3)
        self.assertEqual(self.sml.errors, {"garbage": 3})

    def test_zeros_or_0x1b_for_ever_end(self):
        for byte in (b"\x00", b"\x1b", b"\x01"):
            self.fresh()
            self.refused(byte * 5000, {"garbage": 1})

    def test_what_is_no_list_of_values_is_named(self):
        self.refused(framed(message(0x0501, listed(NONE)) + closing()), {"unsupported message": 1})
        self.fresh()
        self.refused(framed(b"\x77" + bytes(11)), {"garbage": 1})
        self.fresh()
        self.refused(framed(b"\x76\x02\x00\x62"), {"truncated": 1})


if __name__ == "__main__":
    unittest.main()
