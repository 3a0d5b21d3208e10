"""What the lists of each maker mean: names, units and scales, and the clocks, all by their documents."""

import gc
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from dlms_samples import (
    AT,
    CLOCK,
    KEY,
    array,
    ciphered,
    i8,
    name,
    notification,
    octets,
    scaled,
    struct,
    u8,
    u16,
    u32,
    visible,
)

from meterhub.codec.timezone import Zone
from meterhub.meters.dlms import DLMSDecoder

NO_CLOCK = b""


class Case(unittest.TestCase):
    def setUp(self):
        self.dlms = None
        gc.collect()
        self.dlms = DLMSDecoder(KEY)

    def one(self, data, time=CLOCK, title=None):
        apdu = notification(data, time)
        found = self.dlms.read_apdu(apdu if title is None else ciphered(apdu, title=title))
        self.assertEqual((len(found), self.dlms.errors), (1, {}))
        return found[0]

    def values(self, data, **more):
        """Return {name: (value, scale, unit)} of a list."""
        found = {}
        for reading in self.one(data, **more).readings:
            found[reading.obis] = reading[1:4]
        return found

    def refused(self, data, reason):
        self.dlms.errors = {}
        self.assertEqual(len(self.dlms.read_apdu(notification(data))), 0)
        self.assertEqual(self.dlms.errors, {reason: 1})


class ShapeTest(Case):
    def test_every_integer_and_float(self):
        for raw, value in (
            (b"\x0f\x80", (-128, 0)),
            (b"\x10\x80\x00", (-32768, 0)),
            (b"\x05\xff\xff\xff\xff", (-1, 0)),
            (b"\x14" + b"\xff" * 7 + b"\xfe", (-2, 0)),
            (b"\x11\xff", (255, 0)),
            (b"\x12\xff\xff", (65535, 0)),
            (b"\x06\xff\xff\xff\xff", (4294967295, 0)),
            (b"\x15" + b"\xff" * 8, (18446744073709551615, 0)),
            (b"\x03\x01", (1, 0)),
            (b"\x16\x07", (7, 0)),
            (b"\x17\x43\x66\x80\x00", (2305, -1)),
            (b"\x18\x40\x6c\xd0\x00\x00\x00\x00\x00", (2305, -1)),
        ):
            found = self.values(struct(struct(name(32, 7), raw, scaled(-1, 35))))
            self.assertEqual(found, {"1-0:32.7.0": (value[0], value[1] - 1, "V")})

    def test_what_has_no_value_is_left_out(self):
        for raw in (b"\x00", b"\x17\x7f\xc0\x00\x00", b"\x04\x09\xff\x80", b"\x1a\x07\xe9\x0a\x09\x04"):
            found = self.values(struct(struct(name(1, 8), raw), struct(name(2, 8), u32(5), scaled(0, 30))))
            self.assertEqual(found, {"1-0:2.8.0": (5, 0, "Wh")})

    def test_a_flat_list_that_says_units(self):
        data = struct(octets(CLOCK), name(1, 8), u32(13579), scaled(0, 30), name(13, 7), u16(998), scaled(-3, 255))
        self.assertEqual(self.values(data), {"1-0:1.8.0": (13579, 0, "Wh"), "1-0:13.7.0": (998, -3, "")})

    def test_value_class_scale_and_name(self):
        data = array(
            struct(u32(5), u16(3), scaled(-1, 30), name(1, 8)), struct(u16(7), u16(3), scaled(0, 27), name(1, 7))
        )
        self.assertEqual(self.values(data), {"1-0:1.8.0": (5, -1, "Wh"), "1-0:1.7.0": (7, 0, "W")})

    def test_class_name_attribute_and_value(self):
        data = array(
            struct(u16(1), name(96, 1, 1, a=0), i8(2), octets(b"12345")),
            struct(u16(3), name(1, 8), i8(2), u32(77)),
            struct(u16(3), name(2, 8), i8(2), u16(0)),  # a descriptor and no more
        )
        found = self.one(data)
        self.assertEqual([r[:4] for r in found.readings], [("1-0:1.8.0", 77, 0, "Wh")])
        self.assertEqual(found.meter, "12345")

    def test_a_list_in_a_list(self):
        self.assertEqual(
            self.values(struct(struct(array(struct(name(1, 8), u32(5), scaled(3, 30)))))), {"1-0:1.8.0": (5, 3, "Wh")}
        )

    def test_an_unknown_list_is_named(self):
        self.refused(struct(u8(1), u8(2)), "unsupported list")
        self.refused(struct(), "unsupported list")
        self.refused(u32(5), "unsupported list")
        self.refused(b"\x13\x01\x02\x03", "unsupported compact array")
        self.refused(b"\x02\x02\x0b\x00", "garbage")
        self.refused(b"\x02\x02\x06\x00", "truncated")
        self.refused(struct(*([b"\x02\x01"] * 12 + [u8(1)])), "truncated")

    def test_units_that_nobody_says_stay_empty(self):
        self.assertEqual(self.values(struct(name(1, 8), u32(5))), {"1-0:1.8.0": (5, 0, "")})

    def test_tag_and_length_of_a_name_the_wrong_way_round(self):
        good = struct(struct(name(1, 8), u32(5), scaled(0, 30)), struct(name(31, 7), u16(5), scaled(-1, 33)))
        bad = good.replace(b"\x09\x06\x01", b"\x06\x09\x01")
        self.assertEqual(self.values(bad), self.values(good))
        big = struct(struct(name(1, 8), u32(0x09010203), scaled(0, 30)))  # what only looks like it
        self.assertEqual(self.values(big)["1-0:1.8.0"][0], 0x09010203)

    def test_descriptors_without_tags(self):
        data = array(
            b"\x02\x02\x00\x01\x00\x00\x60\x01\x01\xff\x02" + octets(b"12345"),
            b"\x02\x02\x00\x03\x01\x00\x01\x08\x00\xff\x02" + u32(77),
        )
        self.assertEqual(self.values(data), {"1-0:1.8.0": (77, 0, "Wh")})


class MakerTest(Case):
    def test_kamstrup(self):
        data = struct(
            visible(b"Kamstrup_V0001"),
            *(name(0, 0, 5, b=1), visible(b"5700000000000001")),
            *(name(96, 1, 1, b=1), visible(b"000000000000000000")),
            *(name(1, 7, b=1), u32(1234), name(4, 7, b=1), u32(5)),
            *(name(31, 7, b=1), u32(567), b"\x00", name(32, 7, b=1), u16(231)),
            *(name(1, 0, a=0, b=1), octets(CLOCK)),
            *(name(1, 8, b=1), u32(89), name(3, 8, b=1), u32(7), name(13, 7, b=1), u8(98)),
        )
        found = self.one(data, time=NO_CLOCK)
        self.assertEqual((found.meter, found.version, found.at), ("5700000000000001", "Kamstrup_V0001", AT))
        self.assertEqual(
            [r[:4] for r in found.readings],
            [
                ("1-1:1.7.0", 1234, 0, "W"),
                ("1-1:4.7.0", 5, 0, "var"),
                ("1-1:31.7.0", 567, -2, "A"),
                ("1-1:32.7.0", 231, 0, "V"),
                ("1-1:1.8.0", 89, 1, "Wh"),
                ("1-1:3.8.0", 7, 1, "varh"),
                ("1-1:13.7.0", 98, -2, ""),
            ],
        )

    def test_kaifa_with_names(self):
        data = struct(
            *(name(0, 2, 129), octets(b"KFM_001"), name(96, 1, a=0), octets(b"7340000000000001")),
            *(name(31, 7), u32(456), name(32, 7), u32(2289), name(1, 8), u32(22334455), name(1, 7), u32(380)),
        )
        found = self.one(data)
        self.assertEqual((found.meter, found.version), ("7340000000000001", "KFM_001"))
        self.assertEqual(
            [r[:4] for r in found.readings],
            [
                ("1-0:31.7.0", 456, -3, "A"),
                ("1-0:32.7.0", 2289, -1, "V"),
                ("1-0:1.8.0", 22334455, 0, "Wh"),
                ("1-0:1.7.0", 380, 0, "W"),
            ],
        )

    def kaifa(self, currents, hourly):
        items = [octets(b"KFM_001"), octets(b"7340000000000001"), octets(b"MA304H4D")]
        items += [u32(n) for n in (1357, 0, 0, 192)]
        items += [u32(2468)] * currents + [u32(2299)] * currents
        items += [octets(CLOCK)] + [u32(n) for n in (5, 6, 7, 8)] if hourly else []
        return self.one(struct(*items), time=NO_CLOCK)

    def test_kaifa_without_names(self):
        for currents in (1, 3):
            for hourly in (False, True):
                found = self.kaifa(currents, hourly)
                values = {r.obis: r[1:4] for r in found.readings}
                self.assertEqual((found.meter, found.at), ("7340000000000001", AT if hourly else None))
                self.assertEqual(values["1-0:1.7.0"], (1357, 0, "W"))
                self.assertEqual(values["1-0:4.7.0"], (192, 0, "var"))
                self.assertEqual(values["1-0:31.7.0"], (2468, -3, "A"))
                self.assertEqual(values["1-0:32.7.0"], (2299, -1, "V"))
                self.assertEqual("1-0:52.7.0" in values, currents == 3)
                self.assertEqual(values.get("1-0:2.8.0"), (6, 0, "Wh") if hourly else None)
                self.assertEqual(found.texts["0-0:96.1.7"], "MA304H4D")

    def test_kaifa_with_a_tag_before_the_time(self):
        apdu = b"\x0f\x40\x00\x00\x00\x09\x0c" + CLOCK + struct(u32(1234))
        (found,) = self.dlms.read_apdu(apdu)
        self.assertEqual((found.at, found.readings[0][:4]), (AT, ("1-0:1.7.0", 1234, 0, "W")))

    def test_iskraemeco_without_names_is_not_taken_for_kaifa(self):
        items = [octets(b"ISK1030700000001"), octets(b"12345678")] + [u32(n) for n in (100, 0, 3, 4)]
        items += [u16(n) for n in (2301, 2302, 2303, 11, 12, 13)] + [u32(n) for n in (30, 30, 40, 0, 0, 0)]
        found = self.one(struct(*items))
        values = {r.obis: r[1:4] for r in found.readings}
        self.assertEqual(found.meter, "12345678")
        self.assertEqual(values["1-0:1.7.0"], (100, 0, "W"))
        self.assertEqual(values["1-0:52.7.0"], (2302, -1, "V"))
        self.assertEqual(values["1-0:71.7.0"], (13, -2, "A"))
        self.assertEqual(values["1-0:61.7.0"], (40, 0, "W"))
        self.refused(struct(*(items + [u32(0)])), "unsupported list")

    def push(self, *pairs, counts_itself=True):
        """Return a push object list and its values, as IDIS meters have it."""
        objects = [struct(u16(40), name(25, 9, a=0, b=6), i8(2), u16(0))] if counts_itself else []
        for code, attribute, _ in pairs:
            objects.append(struct(u16(3), code, i8(attribute), u16(0)))
        return struct(array(*objects), *[value for _, _, value in pairs])

    def test_a_push_object_list(self):
        for counts_itself in (True, False):
            data = self.push(
                (name(25, 9, a=0, b=6), 1, octets(b"\x00\x06\x19\x09\x00\xff")),
                (name(42, 0, a=0), 2, octets(b"LGZ1030000000001")),
                (name(1, 8, b=1), 2, u32(24680)),
                (name(1, 7), 2, u32(11)),
                (name(32, 7), 2, u16(2345)),
                (name(52, 7), 2, u16(0)),
                (name(31, 7), 2, u16(6)),
                (name(13, 7), 2, u16(998)),
                (name(7, 8), 2, u32(3)),
                counts_itself=counts_itself,
            )
            found = self.one(data)
            self.assertEqual(found.meter, "LGZ1030000000001")
            self.assertEqual(
                [r[:4] for r in found.readings],
                [
                    ("1-1:1.8.0", 24680, 0, "Wh"),
                    ("1-0:1.7.0", 11, 0, "W"),
                    ("1-0:32.7.0", 2345, -1, "V"),
                    ("1-0:52.7.0", 0, -1, "V"),
                    ("1-0:31.7.0", 6, -2, "A"),
                    ("1-0:13.7.0", 998, -3, ""),
                    ("1-0:7.8.0", 3, 0, "varh"),
                ],
            )

    def test_voltages_in_volts_and_in_tenths(self):
        for volts, scale in (((236, 236, 0), 0), ((400, 0, 0), 0), ((2345, 0, 0), -1), ((0, 410, 390), -1)):
            pairs = [(name(32 + 20 * i, 7), 2, u16(volts[i])) for i in range(3)]
            found = self.one(self.push(*pairs))
            self.assertEqual([(r.value, r.scale) for r in found.readings], [(v, scale) for v in volts])

    def test_a_push_list_with_scales_and_a_clock(self):
        data = self.push(
            (name(1, 0, a=0), 2, octets(CLOCK)),
            (name(1, 8), 2, u32(5)),
            (name(1, 8), 3, scaled(-1, 30)),
        )
        found = self.one(data, time=NO_CLOCK)
        self.assertEqual((found.at, found.readings[0][:4]), (AT, ("1-0:1.8.0", 5, -1, "Wh")))

    def test_a_push_list_that_does_not_fit_its_values_is_refused(self):
        data = self.push((name(1, 8), 2, u32(5)), (name(2, 8), 2, u32(6)))
        self.refused(b"\x02\x02" + data[2:-5], "unsupported list")

    def test_channels_have_their_own_ids(self):
        data = self.push(
            (name(96, 1, a=0, b=1), 2, octets(b"24500000")),
            (name(96, 1, a=0, b=2), 2, octets(b"\x00")),
            (name(24, 2, 1, a=0, b=1), 2, b"\x05\x00\x00\x77\x77"),
            (name(24, 2, 1, a=0, b=2), 2, b"\x05\x00\x00\x00\x00"),
        )
        found = self.one(data)
        self.assertEqual(
            [(r.obis, r.value, r.meter, r.channel) for r in found.readings],
            [("0-1:24.2.1", 30583, "24500000", 1), ("0-2:24.2.1", 0, "00", 2)],
        )

    def test_names_and_values_of_a_ciphered_e450(self):
        data = struct(octets(CLOCK), name(1, 8), u32(33445566), name(1, 7), u32(654))
        found = self.one(data, title=b"LGZ\x01\x02\x03\x04\x05")
        self.assertEqual(found.meter, "LGZ0102030405")
        self.assertEqual([r[1:4] for r in found.readings], [(33445566, 0, "Wh"), (654, 0, "W")])

    def test_a_last_string_of_twelve_digits_is_a_number_and_no_clock(self):
        data = struct(octets(CLOCK), name(1, 8), u32(1), scaled(0, 30), octets(b"310000000007"))
        found = self.one(data, time=NO_CLOCK)
        self.assertEqual((found.meter, found.at), ("310000000007", AT))


class ClockTest(Case):
    DATA = struct(struct(name(1, 8), u32(5), scaled(0, 30)))

    def at(self, raw):
        return self.one(self.DATA, time=raw).at

    def test_what_a_clock_says_of_its_zone_is_believed(self):
        wall = b"\x07\xe9\x0a\x09\x04\x0b\x00\x00\x00"
        self.assertEqual(self.at(wall + b"\xff\x88\x80"), AT)
        self.assertEqual(self.at(wall + b"\x00\x00\x00"), AT + 7200)
        self.assertEqual(self.at(wall + b"\x00\x3c\x00"), AT + 10800)

    def test_without_it_the_base_offset_and_the_summer_bit_count(self):
        wall = b"\x07\xe9\x0a\x09\xff\x0b\x00\xff\xff\x80\x00"
        self.assertEqual(self.at(wall + b"\x80"), AT)
        self.assertEqual(self.at(wall + b"\x00"), AT + 3600)
        self.assertEqual(self.at(wall + b"\xff"), AT + 3600)

    def test_without_it_a_zone_counts(self):
        self.dlms = DLMSDecoder(None, None, Zone("CET-1CEST,M3.5.0,M10.5.0/3"))
        self.assertEqual(self.at(b"\x07\xe9\x0a\x09\x04\x0b\x00\x00\x00\x80\x00\x00"), AT)
        self.assertEqual(self.at(b"\x07\xb2\x01\x01\x04\x00\x00\x00\x00\x80\x00\x00"), None)

    def test_the_summer_bit_tells_which_of_an_hour_that_comes_twice_it_is(self):
        self.dlms = DLMSDecoder(None, None, Zone("CET-1CEST,M3.5.0,M10.5.0/3"))
        for day, hour, status, at in (
            (b"\x0a\x1a", 2, b"\x80", 1761438600),
            (b"\x0a\x1a", 2, b"\x00", 1761442200),
            (b"\x0a\x1a", 1, b"\x80", 1761435000),
            (b"\x0a\x1a", 3, b"\x80", 1761445800),  # wrong by then: the zone counts
            (b"\x01\x1a", 2, b"\x80", 1737855000),
        ):
            self.assertEqual(self.at(b"\x07\xe9" + day + bytes((255, hour, 30, 0, 255, 128, 0)) + status), at)

    def test_a_clock_that_is_wrong_or_not_whole_is_none(self):
        for raw in (
            b"\x07\xe9\x0a\x09\x04\x0b\x00\x00\x00\xff\x88\x81",
            b"\x07\xe9\x0d\x09\x04\x0b\x00\x00\x00\xff\x88\x80",
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x80\x00\xff",
            b"\x07\xe9\x0a\x09\x04\xff\xff\xff\xff\x80\x00\x00",
        ):
            self.assertEqual(self.at(raw), None)


if __name__ == "__main__":
    unittest.main()
