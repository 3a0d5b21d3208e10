"""Registers: sums of tariffs, totals that never go down, another meter, power."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from meterhub.codec.load_profile import Column
from meterhub.errors import HubError
from meterhub.meters.reading import Reading, whole
from meterhub.meters.registers import Registers
from meterhub.store.columns import column_of


def wh(obis, value, meter="M1", channel=0):
    return Reading(obis, value, 0, "Wh", meter, channel, None)


def watts(obis, value, meter="M1"):
    return Reading(obis, value, 0, "W", meter, 0, None)


def gas(value, meter="G1", at=None):
    return Reading("0-1:24.2.1", value, -3, "m3", meter, 1, at)


class RegistersTest(unittest.TestCase):
    def setUp(self):
        self.registers = Registers()

    def backward(self, readings):
        try:
            self.registers.update(readings)
        except HubError as err:
            self.assertEqual(err.name, "REGISTER_BACKWARD")
            return err.field
        return ""

    def exchange(self, *readings):
        """Tell the readings as often as another id needs to be told to count; return the channels that changed."""
        for _ in range(2):
            self.assertEqual(self.registers.update(list(readings)), [])
        return self.registers.update(list(readings))

    def test_a_total_is_the_sum_of_the_tariffs_of_one_telegram(self):
        self.registers.update([wh("1-0:1.8.1", 100), wh("1-0:1.8.2", 20), wh("1-0:2.8.1", 3), wh("1-0:2.8.2", 4)])
        self.assertEqual((self.registers.value("1-0:1.8.0"), self.registers.value("1-0:2.8.0")), (120, 7))

    def test_a_meter_that_says_1_1_is_known_by_the_usual_names_too(self):
        self.registers.update([wh("1-1:1.8.1", 70), wh("1-1:1.8.2", 30), watts("1-1:1.7.0", 400), wh("1-1:5.8.0", 1)])
        self.assertEqual(self.registers.value("1-0:1.8.0"), 100)
        self.assertEqual(self.registers.value("1-1:1.8.1"), 70)
        self.assertEqual(self.registers.power_w, 400)
        self.assertEqual(self.registers.value("1-0:5.8.0"), None)
        self.registers.update([wh("1-1:1.8.0", 120), wh("1-0:1.8.0", 110)])
        self.assertEqual(self.registers.value("1-0:1.8.0"), 110)  # its own

    def test_a_meter_that_gives_its_total_is_believed(self):
        self.registers.update([wh("1-0:1.8.0", 121), wh("1-0:1.8.1", 100), wh("1-0:1.8.2", 20)])
        self.assertEqual(self.registers.value("1-0:1.8.0"), 121)

    def test_no_sum_is_made_while_a_tariff_is_missing(self):
        self.registers.update([wh("1-0:1.8.1", 100), wh("1-0:1.8.2", 20)])
        self.registers.update([wh("1-0:1.8.1", 130)])
        self.assertEqual(self.registers.value("1-0:1.8.0"), 120)

    def test_what_the_newest_telegram_has_not_told_is_known_but_not_told(self):
        def told():
            return [self.registers.told(obis) for obis in ("1-0:1.8.0", "1-0:2.8.0")]

        self.registers.update([wh("1-0:1.8.1", 100), wh("1-0:1.8.2", 20), wh("1-0:2.8.0", 7)])
        self.assertEqual(told(), [120, 7])
        self.registers.update([wh("1-0:1.8.1", 130), watts("1-0:1.7.0", 5)])  # a sum is whole or none
        self.assertEqual(told(), [None, None])
        self.assertEqual(self.registers.value("1-0:2.8.0"), 7)
        self.assertEqual(self.backward([wh("1-0:1.8.0", 121), wh("1-0:2.8.0", 6)]), "1-0:2.8.0")
        self.assertEqual(told(), [121, None])
        self.registers.update([wh("1-0:1.8.0", 122, "another")])
        self.assertEqual(told(), [None, None])

    def test_what_is_asked_for_in_a_unit_is_of_no_other(self):
        self.registers.update([Reading("1-0:1.8.0", 139255, -1, "", "M1", 0, None), gas(700)])
        self.assertEqual((self.registers.told("1-0:1.8.0"), self.registers.value("1-0:1.8.0")), (13925, 13925))
        self.assertEqual(self.registers.told("1-0:1.8.0", 0, "Wh"), None)
        self.assertEqual(self.registers.value("1-0:1.8.0", 0, "Wh"), None)
        self.assertEqual(self.registers.told("0-1:24.2.1", -3, "m3"), 700)
        self.assertEqual(self.registers.value("0-1:24.2.1", -3, "m3"), 700)

    def test_what_was_read_at_no_time_or_two_hours_before_the_telegram_is_not_told(self):
        for at, told in ((10000, 700), (2800, 700), (2799, None), (None, None)):
            self.registers.update([gas(700, at=at)])
            self.assertEqual(self.registers.told("0-1:24.2.1", -3, "m3", 10000), told)
            self.assertEqual(self.registers.told("0-1:24.2.1", -3, "m3"), 700)

    def test_a_total_below_zero_is_known_but_not_told(self):
        self.registers.update([wh("1-0:1.8.0", -1), wh("1-0:2.8.0", 0)])
        self.assertEqual((self.registers.told("1-0:1.8.0"), self.registers.value("1-0:1.8.0")), (None, -1))
        self.assertEqual(self.registers.told("1-0:2.8.0"), 0)

    def test_other_registers_of_a_tariff_do_not_count(self):
        self.registers.update([wh("1-0:1.8.1", 100), wh("1-0:1.8.11", 5000), watts("1-0:1.8.2", 7)])
        self.assertEqual(self.registers.value("1-0:1.8.0"), 100)

    def test_a_lower_total_is_refused_once_and_the_old_one_stays(self):
        self.registers.update([wh("1-0:1.8.0", 1000)])
        self.assertEqual(self.backward([wh("1-0:1.8.0", 999), watts("1-0:1.7.0", 50)]), "1-0:1.8.0")
        self.assertEqual(self.backward([wh("1-0:1.8.0", 999)]), "")
        self.assertEqual((self.registers.value("1-0:1.8.0"), self.registers.power_w), (1000, 50))
        self.assertEqual(self.backward([wh("1-0:1.8.0", 1001)]), "")
        self.assertEqual(self.registers.value("1-0:1.8.0"), 1001)
        self.assertEqual(self.backward([wh("1-0:1.8.0", 999)]), "1-0:1.8.0")

    def test_ten_lower_totals_in_a_row_that_agree_are_the_register_now(self):
        self.registers.update([wh("1-0:1.8.0", 98999999)])
        for n in range(9):
            self.backward([wh("1-0:1.8.0", 1000 + n)])
            self.assertEqual(self.registers.value("1-0:1.8.0"), 98999999)
        self.backward([wh("1-0:1.8.0", 1009)])
        self.assertEqual(self.registers.value("1-0:1.8.0"), 1009)

    def test_lower_totals_that_do_not_agree_are_never_the_register(self):
        self.registers.update([wh("1-0:1.8.0", 5000)])
        for n in range(50):
            self.backward([wh("1-0:1.8.0", 1000 - n)])
        self.assertEqual(self.registers.value("1-0:1.8.0"), 5000)

    def test_a_total_that_falls_all_the_time_is_told_once(self):
        self.registers.update([wh("1-0:16.8.0", 5000)])  # of both directions, while energy is fed in
        told = [self.backward([wh("1-0:16.8.0", 4999 - n)]) for n in range(30)]
        self.assertEqual(told, ["1-0:16.8.0"] + [""] * 29)

    def odd(self, *readings):
        """Return the name under which the readings are refused."""
        try:
            self.registers.update(list(readings))
        except HubError as err:
            return err.name
        return ""

    def test_a_register_that_rolls_over_at_eight_digits_is_named_and_goes_on_from_zero(self):
        for last, scale, unit in ((99999999, 0, "Wh"), (99999999, 1, "Wh"), (999999999, -3, "m3"), (990000, 0, "Wh")):
            self.setUp()
            told = [
                self.odd(Reading("8-0:1.0.0" if unit == "m3" else "1-0:1.8.0", value, scale, unit, "M1", 0, None))
                for value in (last, 5, 6, 7)
            ]
            self.assertEqual(told, ["", "REGISTER_ROLLED", "", ""])
            self.assertEqual([reading.value for reading in self.registers._last.values()], [7])

    def test_only_the_end_of_the_digits_rolls_over(self):
        for last, now in ((98999999, 5), (99999999, 1000000), (99999, 5), (99999999, 50000000)):
            self.setUp()
            self.registers.update([wh("1-0:1.8.0", last)])
            self.assertEqual(self.odd(wh("1-0:1.8.0", now)), "REGISTER_BACKWARD")

    def test_one_low_reading_at_the_end_of_the_digits_is_no_roll_over(self):
        self.registers.update([wh("1-0:1.8.0", 99999999)])
        self.odd(wh("1-0:1.8.0", 5))
        self.registers.update([wh("1-0:1.8.0", 99999999)])
        self.odd(wh("1-0:1.8.0", 5))
        self.odd(wh("1-0:1.8.0", 6))
        self.assertEqual(self.registers.value("1-0:1.8.0"), 99999999)

    def test_a_jump_is_refused_once_and_the_true_readings_go_on(self):
        self.registers.update([wh("1-0:1.8.0", 1000)])
        self.assertEqual(self.odd(wh("1-0:1.8.0", 10001001)), "REGISTER_JUMP")
        self.assertEqual(self.registers.value("1-0:1.8.0"), 1000)
        self.assertEqual(self.odd(wh("1-0:1.8.0", 1001)), "")
        self.assertEqual(self.odd(wh("1-0:1.8.0", 10001001)), "")  # as much as ten megawatt-hours may come at once

    def test_ten_readings_that_agree_on_a_jump_are_the_register(self):
        self.registers.update([wh("1-0:1.8.0", 1000)])
        told = [self.odd(wh("1-0:1.8.0", 90000000 + n)) for n in range(10)]
        self.assertEqual(told, ["REGISTER_JUMP"] + [""] * 9)
        self.assertEqual(self.registers.value("1-0:1.8.0"), 90000009)

    def test_a_jump_is_judged_in_the_unit_whatever_the_scale(self):
        for grown, scale, unit, name in (
            (10000, 3, "Wh", ""),
            (10001, 3, "Wh", "REGISTER_JUMP"),
            (10000000000, -3, "Wh", ""),
            (10000000001, -3, "Wh", "REGISTER_JUMP"),
            (1000, 0, "m3", ""),
            (1001, 0, "m3", "REGISTER_JUMP"),
            (1000000, -3, "m3", ""),
            (1000001, -3, "m3", "REGISTER_JUMP"),
        ):
            self.setUp()
            obis = "8-0:1.0.0" if unit == "m3" else "1-0:1.8.0"
            self.registers.update([Reading(obis, 7, scale, unit, "M1", 0, None)])
            said = self.odd(Reading(obis, 7 + grown, scale, unit, "M1", 0, None))
            self.assertEqual((grown, scale, said), (grown, scale, name))

    def test_a_total_in_coarser_units_is_compared_as_what_it_is(self):
        self.registers.update([Reading("1-0:1.8.0", 12, 3, "Wh", "M1", 0, None)])
        self.assertEqual(self.backward([wh("1-0:1.8.0", 12001)]), "")
        self.assertEqual(self.backward([wh("1-0:1.8.0", 11999)]), "1-0:1.8.0")

    def test_a_total_in_another_unit_is_not_that_register(self):
        self.registers.update([wh("1-0:1.8.0", 1000)])
        self.registers.update([Reading("1-0:1.8.0", 2000, 0, "varh", "M1", 0, None)])
        self.assertEqual(self.registers.reading("1-0:1.8.0"), wh("1-0:1.8.0", 1000))

    def test_a_dead_channel_without_a_unit_does_not_take_the_total_s_place(self):
        self.registers.update([gas(700)])
        self.registers.update([Reading("0-1:24.2.1", 0, 0, "", "G1", 1, 0)])
        self.assertEqual(self.registers.reading("0-1:24.2.1"), gas(700))
        self.registers.update([gas(710)])
        self.assertEqual(self.registers.told("0-1:24.2.1", -3), 710)

    def test_power_and_averages_may_fall(self):
        for value in (500, 100):
            self.assertEqual(self.backward([watts("1-0:1.7.0", value), watts("1-0:1.4.0", value)]), "")
        self.assertEqual(self.registers.value("1-0:1.4.0"), 100)

    def test_power_is_import_less_export_and_stays_when_there_is_none(self):
        self.assertEqual(self.registers.power_w, None)
        self.registers.update([watts("1-0:1.7.0", 0), watts("1-0:2.7.0", 1500)])
        self.assertEqual(self.registers.power_w, -1500)
        self.registers.update([wh("1-0:1.8.0", 1)])
        self.assertEqual(self.registers.power_w, -1500)
        self.registers.update([watts("1-0:16.7.0", -3618)])
        self.assertEqual(self.registers.power_w, -3618)
        self.registers.update([Reading("1-0:1.7.0", 318, 0, "VA", "M1", 0, None)])
        self.assertEqual(self.registers.power_w, -3618)

    def test_while_power_flows_out_a_list_of_what_flows_in_alone_changes_it_when_some_does(self):
        self.registers.update([watts("1-0:1.7.0", 0), watts("1-0:2.7.0", 1500)])
        self.registers.update([watts("1-0:1.7.0", 0)])
        self.assertEqual(self.registers.power_w, -1500)
        self.registers.update([watts("1-0:1.7.0", 40)])
        self.assertEqual(self.registers.power_w, 40)
        self.registers.update([watts("1-0:1.7.0", 0)])
        self.assertEqual(self.registers.power_w, 0)

    def test_another_meter_starts_its_registers_anew(self):
        self.assertEqual(self.registers.update([wh("1-0:1.8.1", 5000), wh("1-0:1.8.2", 1), gas(700)]), [])
        self.assertEqual(self.exchange(wh("1-0:1.8.1", 3, "M2"), gas(701)), [0])
        self.assertEqual(self.registers.value("1-0:1.8.0"), 3)
        self.assertEqual(self.registers.value("0-1:24.2.1", -3), 701)
        self.assertEqual(self.exchange(gas(2, "G2")), [1])
        self.assertEqual(self.registers.value("0-1:24.2.1", -3), 2)
        self.assertEqual(self.registers.value("1-0:1.8.0"), 3)
        self.assertEqual(self.registers.update([gas(3, "G2")]), [])

    def test_both_meters_of_a_line_may_be_others(self):
        self.registers.update([wh("1-0:1.8.0", 5000), gas(700)])
        self.assertEqual(sorted(self.exchange(wh("1-0:1.8.0", 9000, "M2"), gas(900, "G2"))), [0, 1])
        self.assertEqual((self.registers.meter_of("1-0:1.8.0"), self.registers.meter_of("0-1:24.2.1")), ("M2", "G2"))

    def test_one_telegram_with_another_id_is_no_exchange_and_nothing_of_it_is_taken(self):
        self.registers.update([wh("1-0:1.8.0", 5000), watts("1-0:1.7.0", 5)])
        for _ in range(20):  # two meters on one line
            for n in range(2):
                strange = [wh("1-0:1.8.0", 9000 + n, "M2"), watts("1-0:1.7.0", 7, "M2"), gas(1)]
                self.assertEqual(self.registers.update(strange), [])
            self.assertEqual((self.registers.value("1-0:1.8.0"), self.registers.power_w), (5000, 5))
            self.assertEqual(self.registers.update([wh("1-0:1.8.0", 5000)]), [])
        self.assertEqual(self.registers.value("0-1:24.2.1", -3), 1)

    def test_what_tells_no_id_is_not_taken_while_there_is_doubt(self):
        self.registers.update([wh("1-0:1.8.0", 5000)])
        self.registers.update([wh("1-0:1.8.0", 9000, "M2")])
        self.registers.update([wh("1-0:1.8.0", 9001, "")])
        self.assertEqual(self.registers.value("1-0:1.8.0"), 5000)
        self.registers.update([wh("1-0:1.8.0", 9002, "M2")])
        self.assertEqual(self.registers.update([wh("1-0:1.8.0", 9003, "M2")]), [0])
        self.assertEqual(self.registers.value("1-0:1.8.0"), 9003)

    def test_three_ids_in_turn_are_no_exchange(self):
        self.registers.update([wh("1-0:1.8.0", 5000)])
        for n in range(30):
            self.assertEqual(self.registers.update([wh("1-0:1.8.0", 9000, "M%d" % (2 + n % 2))]), [])
        self.assertEqual(self.registers.meter_of("1-0:1.8.0"), "M1")

    def test_a_register_that_goes_back_does_not_hide_an_exchange(self):
        self.registers.update([wh("1-0:1.8.0", 5000), gas(700)])
        for _ in range(2):
            self.registers.update([wh("1-0:1.8.0", 3, "M2"), gas(700)])
        self.assertEqual(self.backward([wh("1-0:1.8.0", 3, "M2"), gas(699)]), "0-1:24.2.1")
        self.assertEqual(self.registers.changed, [0])
        self.registers.update([wh("1-0:1.8.0", 4, "M2")])
        self.assertEqual(self.registers.changed, [])

    def test_whose_a_register_is(self):
        self.assertEqual(self.registers.meter_of("1-0:1.8.0"), "")
        self.registers.update([wh("1-0:1.8.0", 5000, "")])
        self.assertEqual(self.registers.meter_of("1-0:1.8.0"), "")
        self.registers.update([wh("1-0:1.8.0", 5000)])
        self.registers.update([wh("1-0:1.8.0", 5001, "")])
        self.assertEqual(self.registers.meter_of("1-0:1.8.0"), "M1")

    def test_a_gas_meter_that_goes_back_is_refused_like_any_other(self):
        self.registers.update([gas(700)])
        self.assertEqual(self.backward([gas(699)]), "0-1:24.2.1")

    def test_a_telegram_without_an_id_is_no_exchange(self):
        self.registers.update([wh("1-0:1.8.0", 5000)])
        self.assertEqual(self.registers.update([wh("1-0:1.8.0", 5001, "")]), [])
        self.assertEqual(self.registers.value("1-0:1.8.0"), 5001)

    def test_unknown_registers_are_none(self):
        self.assertEqual(self.registers.value("1-0:1.8.0"), None)
        self.assertEqual(self.registers.reading("1-0:1.8.0"), None)

    def test_memory_is_bounded(self):
        for n in range(300):
            self.registers.update([watts("1-%d:%d.7.0" % (n % 250, n), n)])
        self.assertTrue(len(self.registers._last) <= 128)

    def test_where_there_are_too_many_what_is_of_now_goes_before_what_is_stored(self):
        totals = ["1-0:%d.8.0" % n for n in range(1, 9)]
        stored = [wh("1-0:%d.8.0.%d" % (1 + n // 20, 1 + n % 20), n) for n in range(140)]
        self.registers.update(stored + [wh(obis, 1000) for obis in totals])
        self.assertEqual([self.registers.told(obis) for obis in totals], [1000] * 8)


class ReadingTest(unittest.TestCase):
    def test_whole_cuts_off_what_is_finer_towards_zero(self):
        self.assertEqual(whole(Reading("", 1999, -3, "m3", "", 0, None), 0), 1)
        self.assertEqual(whole(Reading("", -1999, -3, "m3", "", 0, None), 0), -1)
        self.assertEqual(whole(Reading("", 12, 3, "Wh", "", 0, None), 0), 12000)
        self.assertEqual(whole(Reading("", 12, 3, "Wh", "", 0, None), -1), 120000)

    def test_the_columns_of_totals(self):
        self.assertEqual(column_of("1-0:1.8.0"), Column("1-0:1.8.0", 0, 30))
        self.assertEqual(column_of("1-0:4.8.0"), Column("1-0:4.8.0", 0, 32))
        self.assertEqual(column_of("0-2:24.2.1"), Column("0-2:24.2.1", -3, 13))
        for obis in ("1-0:1.7.0", "0-0:24.2.1", "0-0:96.1.1", "1-0:1.8", "x"):
            self.assertRaises(ValueError, column_of, obis)


if __name__ == "__main__":
    unittest.main()
