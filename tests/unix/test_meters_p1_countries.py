"""P1 as other countries have it: Belgium, Luxembourg, Sweden, Hungary, Ireland, Slovenia, Lithuania."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from meters_samples import coded, feed, reading, telegram, value

from meterhub.codec.crc import crc16_x25
from meterhub.codec.timezone import Zone
from meterhub.errors import HubError
from meterhub.meters.p1 import P1Decoder
from meterhub.meters.registers import Registers


class CountriesTest(unittest.TestCase):
    def one(self, lines, ident="/MTH5\\2SAMPLE"):
        p1 = P1Decoder(Zone("CET-1CEST,M3.5.0,M10.5.0/3"))
        (found,) = feed(p1, telegram(lines, ident))
        self.assertEqual(p1.errors, {})
        return found

    def test_belgium_has_a_peak_of_this_month_and_of_the_13_before(self):
        months = "".join(["(24%02d01000000W)(24%02d15194500W)(0%d.695*kW)" % (m, m, m % 10) for m in range(1, 13)])
        months += "(250101000000W)(241215194500W)(05.980*kW)"
        found = self.one(
            (
                "0-0:96.1.4(50217)",
                "0-0:96.1.1(" + coded("1SAG0000000001") + ")",
                "0-0:1.0.0(250112135409W)",
                "1-0:1.4.0(02.351*kW)",
                "1-0:1.6.0(250109134558W)(02.589*kW)",
                "0-0:98.1.0(13)(1-0:1.6.0)(1-0:1.6.0)" + months,
                "0-0:17.0.0(999.9*kW)",
                "1-0:31.4.0(999*A)",
            )
        )
        self.assertEqual((found.version, found.meter), ("50217", "1SAG0000000001"))
        self.assertEqual(value(found, "1-0:1.4.0"), (2351, 0, "W"))
        peak = reading(found, "1-0:1.6.0")
        self.assertEqual((peak.value, peak.at), (2589, 1736426758))
        peaks = [r for r in found.readings if r.obis == "0-0:98.1.0"]
        self.assertEqual(len(peaks), 13)
        self.assertEqual((peaks[-1].value, peaks[-1].unit, peaks[-1].at), (5980, "W", 1734288300))  # when it was

    def test_belgium_has_gas_that_is_not_corrected_and_a_meter_without_time(self):
        lines = ("0-1:24.1.0(003)", "0-1:96.1.1(" + coded("7FLO0000000001") + ")", "0-1:24.4.0(1)")
        found = self.one(lines + ("0-1:24.2.3(200512134558S)(00112.384*m3)",))
        gas = reading(found, "0-1:24.2.3")
        self.assertEqual(
            (gas.value, gas.scale, gas.unit, gas.meter, gas.channel), (112384, -3, "m3", "7FLO0000000001", 1)
        )
        self.assertEqual(gas.at, 1589283958)
        found = self.one(lines + ("0-1:24.2.3(632525252525W)(00000.000)",))
        self.assertEqual(reading(found, "0-1:24.2.3").at, None)

    def test_sub_meters_on_any_channel_with_their_own_times(self):
        lines = []
        for channel, kind, stamp in (
            (1, "003", "250112130000W"),
            (2, "007", "250112132500W"),
            (4, "004", "250712120000S"),
        ):
            lines.append("0-%d:24.1.0(%s)" % (channel, kind))
            lines.append("0-%d:96.1.0(%s)" % (channel, coded("G%016d" % channel)))
            lines.append("0-%d:24.2.1(%s)(00012.5%d*%s)" % (channel, stamp, channel, "GJ" if kind == "004" else "m3"))
        found = self.one(tuple(lines))
        got = [(r.channel, r.value, r.scale, r.unit, r.meter, r.at) for r in found.readings if ":24.2.1" in r.obis]
        self.assertEqual(
            got,
            [
                (1, 1251, -2, "m3", "G0000000000000001", 1736683200),
                (2, 1252, -2, "m3", "G0000000000000002", 1736684700),
                (4, 1254, 7, "J", "G0000000000000004", 1752314400),
            ],
        )

    def test_a_dead_channel(self):
        found = self.one(("0-1:24.1.0(003)", "0-1:96.1.0()", "0-1:24.2.1(700101010000W)(00000000)"))
        dead = reading(found, "0-1:24.2.1")
        self.assertEqual((dead.value, dead.unit, dead.meter, dead.at), (0, "", "", 0))

    def test_what_a_dead_channel_says_is_not_told_and_takes_no_total_s_place(self):
        for dead in ("(000101000000W)(00000000.0000)", "(632525252525W)(00000.000*m3)"):
            registers = Registers()
            told = []
            for said in (dead, "(250110115500W)(00424.000*m3)", dead):
                found = self.one(("0-0:1.0.0(250110120000W)", "0-1:24.1.0(003)", "0-1:24.2.1" + said))
                try:
                    registers.update(found.readings)
                except HubError as err:
                    self.assertEqual(err.name, "REGISTER_BACKWARD")
                told.append(registers.told("0-1:24.2.1", -3, "m3", found.at))
            self.assertEqual(told, [None, 424000, None])
            self.assertEqual(registers.value("0-1:24.2.1", -3, "m3"), 424000)

    def test_sweden_has_phases_and_reactive_energy(self):
        found = self.one(
            (
                "0-0:1.0.0(210217184019W)",
                "1-0:1.8.0(00006678.394*kWh)",
                "1-0:3.8.0(00000021.988*kvarh)",
                "1-0:4.8.0(00001020.971*kvarh)",
                "1-0:3.7.0(0000.010*kvar)",
                "1-0:21.7.0(0000.741*kW)",
                "1-0:23.7.0(0000.000*kvar)",
                "1-0:32.7.0(240.3*V)",
                "1-0:31.7.0(005.1*A)",
            ),
            "/ELL5\\253833635_A",
        )
        self.assertEqual(found.meter, "ELL5\\253833635_A")
        self.assertEqual(value(found, "1-0:1.8.0"), (6678394, 0, "Wh"))
        self.assertEqual(value(found, "1-0:4.8.0"), (1020971, 0, "varh"))
        self.assertEqual(value(found, "1-0:3.7.0"), (10, 0, "var"))

    def test_hungary_has_the_registers_at_the_last_month_s_end_in_one_line(self):
        found = self.one(
            (
                "0-0:1.0.0(230503200210S)",
                "0-0:96.1.0(" + coded("sample1") + ")",
                "0-0:96.50.68(ON)",
                "0-0:17.0.0(90.000*kW)",
                "1-0:15.8.0(000007.700*kWh)",
                "1-0:33.7.0(0.999)",
                "1-0:5.8.0(000000.002*kvarh)",
                "0-0:98.1.0(230501000000S)(000006.711*kWh)(000002.500*kWh)(000000.250*kvarh)(00.500*kW)(00.000)",
                "0-0:96.13.0()",
            )
        )
        self.assertEqual(found.texts["0-0:96.50.68"], "ON")
        self.assertEqual(value(found, "1-0:33.7.0"), (999, -3, ""))
        ends = [r for r in found.readings if r.obis == "0-0:98.1.0"]
        self.assertEqual(
            [(r.value, r.scale, r.unit) for r in ends][:3], [(6711, 0, "Wh"), (2500, 0, "Wh"), (250, 0, "varh")]
        )
        self.assertEqual(set([r.at for r in ends]), {1682892000})

    def test_a_crc_of_the_hdlc_kind(self):
        raw = telegram(("1-0:1.8.0(1*kWh)",), "/HLY5/D545-METER")
        end = raw.find(b"!") + 1
        raw = raw[:end] + b"%04X\r\n" % crc16_x25(raw, end)
        self.assertEqual(len(feed(P1Decoder(), raw)), 1)

    def test_ireland_has_an_empty_channel(self):
        found = self.one(("0-0:96.1.0(09610)", "1-0:1.8.1(000010.181*kWh)", "1-0:31.7.0(000*A)", "0-1:96.1.1()"))
        self.assertEqual((found.meter, found.texts["0-1:96.1.1"]), ("09610", ""))

    def test_a_clock_in_a_form_of_its_own_leaves_the_telegram_without(self):
        found = self.one(("0-0:1.0.0(20240111 09:35:00)", "1-0:1.8.0(1*kWh)"))
        self.assertEqual((found.at, found.texts["0-0:1.0.0"]), (None, "20240111 09:35:00"))


if __name__ == "__main__":
    unittest.main()
