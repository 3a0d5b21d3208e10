"""IEC 62056-21 messages: what the data sets mean, which messages are refused, and a bad line."""

import random
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

import micropython
from iec62056_samples import IDENT, LINES, answer, bare, block, with_parity
from mbus_samples import feed, numbers

from meterhub.codec.timezone import Zone
from meterhub.meters.iec62056 import IEC62056Decoder

READOUT = IDENT + block()


class ValuesTest(unittest.TestCase):
    def setUp(self):
        self.meter = IEC62056Decoder()

    def one(self, data):
        (found,) = feed(self.meter, data)
        self.assertEqual(self.meter.errors, {})
        return found

    def test_a_readout_of_mode_c(self):
        found = self.one(READOUT)
        self.assertEqual((found.meter, found.version, found.at), ("00123456", "C", 1705325405))
        self.assertEqual(
            numbers(found),
            {
                "1-0:1.8.0": (12345678, 0, "Wh"),
                "1-0:1.8.0.1": (12000000, 0, "Wh"),
                "1-0:1.8.1": (100005, 2, "Wh"),
                "1-0:2.8.0": (1234, 0, "Wh"),
                "1-0:16.7.0": (-1250, 0, "W"),
                "1-0:32.7.0": (2301, -1, "V"),
                "1-0:1.6.1": (1234, 1, "W"),
            },
        )
        self.assertEqual(found.texts["F.F"], "00000000")
        self.assertEqual(found.texts["0.2.0"], "V1.2")

    def test_times_of_readings(self):
        at = {r.obis: r.at for r in self.one(READOUT).readings}
        self.assertEqual(at["1-0:1.8.0"], 1705325405)
        self.assertEqual(at["1-0:1.8.0.1"], None)  # stored, and nobody says when
        self.assertEqual(at["1-0:1.6.1"], 1704885300)

    def test_times_with_a_season_and_in_a_zone(self):
        lines = ("0.9.1(1143005)", "0.9.2(1240715)", "1.8.0(1*kWh)")
        self.assertEqual(self.one(IDENT + block(lines)).at, 1721046605)
        self.assertEqual(self.one(IDENT + block(("0.9.1(2143005)", "0.9.2(240715)"))).at, 1721053805)
        self.meter = IEC62056Decoder(Zone("CET-1CEST,M3.5.0,M10.5.0/3"))
        self.assertEqual(self.one(IDENT + block(("0.9.1(14:30:05)", "0.9.2(24-07-15)"))).at, 1721046605)
        self.assertEqual(self.one(IDENT + block(("0-0:1.0.0(240715143005)",))).at, 1721046605)
        self.assertEqual(self.one(IDENT + block(("0.9.1(146005)", "0.9.2(240715)"))).at, None)

    def test_codes_of_other_media_stay_as_they_are_written(self):
        lines = ("6.8(0029.055*MWh)", "6.26*01(01563.92*m3)", "6.31(0030710*h)", "6.8.1(12*MWh)", "9.4(088*C&082*C)")
        found = self.one(IDENT + block(("".join(lines),)))
        self.assertEqual(
            numbers(found),
            {
                "6.8": (29055, 3, "Wh"),
                "6.26*01": (156392, -2, "m3"),
                "6.31": (110556000, 0, "s"),
                "6.8.1": (12, 6, "Wh"),
            },
        )
        self.assertEqual(found.texts, {"9.4": "088*C&082*C"})

    def test_numbers_without_unit_are_registers_or_names(self):
        found = self.one(IDENT + block(("1.8.0(013925.5*)", "0.1.0(12)", "9.20(00030874)", "1.8.1(77)", "C.5.0(00)")))
        self.assertEqual(numbers(found), {"1-0:1.8.0": (139255, -1, ""), "1-0:1.8.1": (77, 0, "")})
        self.assertEqual(found.texts["9.20"], "00030874")

    def test_units_that_nobody_knows_are_told_as_they_are_written(self):
        self.assertEqual(numbers(self.one(IDENT + block(("81.7.6(  80*Deg)",)))), {"81.7.6": (80, 0, "Deg")})

    def test_more_groups_of_one_code(self):
        found = self.one(IDENT + block(("L.1(1*kWh)(2*kWh)", "X.1(a)(b)")))
        self.assertEqual([r.value for r in found.readings], [1, 2])
        self.assertEqual(found.texts["X.1"], "a b")

    def test_brackets_without_end_do_not_pile_up(self):
        feed(self.meter, IDENT + b"\x02P.01" + b"()" * 5000)
        self.assertTrue(len(self.meter._sets._texts["P.01"]) < 4097)
        self.assertEqual(self.meter._sets.overflow, 5000 - 4096)

    def test_wanted_registers_only(self):
        self.meter = IEC62056Decoder(None, 3600, ("1.8.0",))
        found = self.one(READOUT)
        self.assertEqual([r.obis for r in found.readings], ["1-0:1.8.0"])
        self.assertEqual((found.meter, found.texts), ("00123456", {}))

    def test_the_conversation_around_a_readout_is_passed_over(self):
        talk = b"\x00\x00\x7f/?!\r\n" + IDENT + b"\x06050\r\n" + block()
        self.assertEqual(len(self.one(talk).readings), 7)
        talk = b"/?12345678!\r\n" + IDENT + b"\x06051\r\n\x01P0\x02(1234)\x03\x00"
        self.assertEqual(feed(self.meter, talk), [])
        self.assertEqual((self.meter.command, self.meter.errors), ("P0", {}))

    def test_the_answer_to_a_register_read(self):
        found = self.one(b"\x023:171.0(0)\x03\x12")
        self.assertEqual((found.meter, found.texts), ("", {"3:171.0": "0"}))
        self.meter.expect("MTH5", "1.8.0")
        found = self.one(answer("(12*kWh)"))
        self.assertEqual(found.readings[0][:5], ("1-0:1.8.0", 12, 3, "Wh", "MTH5"))

    def test_modes_a_and_d(self):
        self.assertEqual(self.one(bare()).version, "D")
        self.assertEqual(self.one(bare(ident=b"/MTH!SAMPLE\r\n")).version, "A")
        found = self.one(bare(ident=b"/MTH3SAMPLE\r\n"))
        self.assertEqual((found.version, found.meter, len(found.readings)), ("D", "00123456", 7))

    def test_data_sets_without_line_ends(self):
        found = self.one(b"/MTH3SAMPLE\r\n" + "".join(LINES).encode() + b"!\r\n")
        self.assertEqual(len(found.readings), 7)

    def test_parity_bits_are_checked_and_taken_off(self):
        for data in (READOUT, bare()):
            self.assertEqual(len(self.one(with_parity(data)).readings), 7)
        damaged = bytearray(with_parity(bare()))
        damaged[40] ^= 0x80
        self.assertEqual(feed(self.meter, bytes(damaged)), [])
        self.assertEqual(self.meter.errors, {"parity": 1})
        self.assertEqual(len(feed(self.meter, READOUT)), 1)

    def test_a_readout_of_10_kb(self):
        self.meter = IEC62056Decoder(None, 3600, ("1.8.0*79", "1.8.4*79"))
        feed(self.meter, IDENT + b"\x02")
        total = bcc = 0
        found = []
        for n in range(401):
            line = b"\x03" if n == 400 else b"1.8.%d*%02d(%09d*Wh)\r\n" % (n % 5, n // 5, n)
            for code in line:
                bcc ^= code
            total += len(line)
            found.extend(feed(self.meter, line))
        found.extend(feed(self.meter, bytes((bcc,))))
        self.assertTrue(total > 9500)
        self.assertEqual([r.value for r in found[0].readings], [395, 399])

    def test_there_is_room_for_so_many_numbers(self):
        self.meter = IEC62056Decoder(most=20)
        (found,) = feed(self.meter, IDENT + block(["1.8.0(1*Wh)"] * 22))
        self.assertEqual((len(found.readings), self.meter.errors), (20, {"too long": 1}))


class RefusedTest(unittest.TestCase):
    def setUp(self):
        self.meter = IEC62056Decoder()

    def refused(self, data, reason):
        self.meter = IEC62056Decoder()
        self.assertEqual(feed(self.meter, data), [])
        self.assertEqual(self.meter.errors, {reason: 1})
        self.meter.silence()
        self.assertEqual(len(feed(self.meter, READOUT)), 1)

    def test_a_wrong_bcc(self):
        self.refused(READOUT[:-1] + bytes((READOUT[-1] ^ 1,)), "crc")

    def test_a_data_set_that_is_damaged_costs_itself_where_there_is_a_bcc(self):
        (found,) = feed(self.meter, IDENT + block(("1.8.0(1*kWh)", "1.8.1(2*kWh", "1.8.2)", "1.8.3(4*kWh)")))
        self.assertEqual((len(found.readings), self.meter.errors), (2, {"line": 2}))

    def test_and_everything_where_there_is_none(self):
        for line in ("1.8.0(1*kWh", "1.8.0 1*kWh)", "((1)", "k0.000*kW)", "1.8.0(\x011)", "(1)" * 0 + "x"):
            self.refused(bare(("1.8.1(2*kWh)", line)), "damaged")
        self.refused(bare(()), "damaged")

    def test_a_p1_telegram(self):
        self.refused(bare()[:-2] + b"12AB\r\n", "unsupported P1")

    def test_a_data_set_without_end(self):
        self.refused(IDENT + block(("1.8.0(" + "1" * 300 + "*kWh)",)), "too long")

    def test_an_ident_line_without_end(self):
        self.refused(b"/MTH5" + b"x" * 300, "too long")

    def test_an_ident_line_without_maker(self):
        self.refused(b"/12345\r\n", "garbage")

    def test_a_readout_that_stops_and_begins_anew(self):
        for cut in range(len(IDENT) + 2, len(READOUT) - 1):
            meter = IEC62056Decoder()
            found = feed(meter, READOUT[:cut] + READOUT + READOUT)
            self.assertTrue(1 <= len(found) <= 2 and found[-1].meter == "00123456")
            meter = IEC62056Decoder()
            feed(meter, READOUT[:cut])
            meter.silence()
            self.assertEqual(meter.errors, {"truncated": 1})
            self.assertEqual(len(feed(meter, READOUT)), 1)


class LineTest(unittest.TestCase):
    def test_chunks_of_any_size_make_no_difference(self):
        truth = feed(IEC62056Decoder(), READOUT)
        for step in range(1, 65):
            self.assertTrue(feed(IEC62056Decoder(), READOUT, step) == truth)

    def test_one_changed_byte_is_never_believed(self):
        for pos in range(len(IDENT) + 1, len(READOUT) - 1):
            for change in (1, 4, 0x40):
                damaged = bytearray(READOUT)
                damaged[pos] ^= change
                for found in feed(IEC62056Decoder(), bytes(damaged)):
                    self.assertEqual(found, None)

    def test_damage_raises_nothing(self):
        random.seed(5)
        for _ in range(400):
            damaged = bytearray(READOUT if random.getrandbits(1) else bare())
            for _ in range(1 + random.getrandbits(2)):
                pos = random.getrandbits(12) % len(damaged)
                if random.getrandbits(1):
                    damaged[pos] = random.getrandbits(8)
                else:
                    damaged = damaged[:pos] + damaged[pos + random.getrandbits(3) :]
            meter = IEC62056Decoder()
            feed(meter, bytes(damaged))
            meter.silence()
            self.assertEqual(len(feed(meter, READOUT)), 1)

    def test_noise_of_the_protocol_s_own_letters(self):
        random.seed(6)
        letters = b"/MTH5\r\n(1.8)*\x02\x03\x01\x06!P?"
        meter = IEC62056Decoder()
        for _ in range(200):
            feed(meter, bytes([letters[random.getrandbits(8) % len(letters)] for _ in range(100)]))
        meter.silence()
        self.assertEqual(len(feed(meter, READOUT)), 1)

    def test_part_of_a_data_set_allocates_nothing(self):
        meter = IEC62056Decoder()
        feed(meter, IDENT + block()[:30])
        part = b"1-0:1.8.0*255(000123456.789*k"
        micropython.heap_lock()
        try:
            meter.feed(part, len(part))
        finally:
            micropython.heap_unlock()


if __name__ == "__main__":
    unittest.main()
