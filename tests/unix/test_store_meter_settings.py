"""The setting `meters`: what an entry may have, what two may share, and who sees a key."""

import unittest

from meterhub.errors import ConfigError
from meterhub.store import meter_settings, settings_table

KEY = "00112233445566778899aabbccddeeff"
P1 = {"protocol": "p1", "input": "p1"}
MBUS = {"protocol": "mbus", "input": "serial", "address": "1"}
GOOD = (
    [],
    [P1],
    [{"protocol": "p1", "input": "p1", "key": KEY, "auth_key": KEY, "inverted": False, "base_offset_s": 0}],
    [P1, {"protocol": "pulse", "input": "p1", "unit": "m3", "imp": 10, "register": "7-0:3.0.0", "min_ms": 30}],
    [MBUS, {"protocol": "mbus", "input": "serial", "address": "12345678", "name": "heat-2"}],
    [{"protocol": "iec62056", "input": "a", "every_s": 0, "registers": "1.8.0 2.8.0", "password": "0000000"}],
    [{"protocol": "modbus", "input": "a", "map": "ours.json", "baud": 9600, "format": "8N2", "every_s": 1}],
    [{"protocol": "auto", "input": "serial", "key": KEY, "registers_kept": ["1-0:1.8.0"]}],
)
BAD = (  # what is refused, the entries
    ("meters", {}),
    ("meters", [P1] * 7),
    ("meters.1", ["p1"]),
    ("meters.1.protocol", [{"input": "p1"}]),
    ("meters.1.protocol", [{"protocol": ["p1"], "input": "p1"}]),
    ("meters.p1.input", [{"protocol": "p1"}]),
    ("meters.p1.input", [{"protocol": "p1", "input": ""}]),
    ("meters.p1.colour", [{"protocol": "p1", "input": "p1", "colour": 1}]),
    ("meters.p1.address", [{"protocol": "p1", "input": "p1", "address": "1"}]),
    ("meters.p1.baud", [{"protocol": "p1", "input": "p1", "baud": 12345}]),
    ("meters.p1.baud", [{"protocol": "p1", "input": "p1", "baud": True}]),
    ("meters.p1.format", [{"protocol": "p1", "input": "p1", "format": "9N1"}]),
    ("meters.p1.key", [{"protocol": "p1", "input": "p1", "key": KEY[1:]}]),
    ("meters.p1.key", [{"protocol": "p1", "input": "p1", "key": True}]),
    ("meters.p1.name", [P1, {"protocol": "p1", "input": "p2"}]),
    ("meters.1.name", [{"protocol": "p1", "input": "p1", "name": "The Meter"}]),
    ("meters.second.input", [P1, {"protocol": "p1", "input": "p1", "name": "second"}]),
    ("meters.mbus.input", [P1, {"protocol": "mbus", "input": "p1"}]),
    ("meters.other.address", [MBUS, {"protocol": "mbus", "input": "serial", "address": "1", "name": "other"}]),
    ("meters.mbus.address", [{"protocol": "mbus", "input": "serial", "address": "251"}]),
    ("meters.mbus.address", [{"protocol": "mbus", "input": "serial", "address": "123456789"}]),
    ("meters.mbus.every_s", [{"protocol": "mbus", "input": "serial", "every_s": 0}]),
    ("meters.modbus.map", [{"protocol": "modbus", "input": "serial"}]),
    ("meters.modbus.map", [{"protocol": "modbus", "input": "serial", "map": "../owner"}]),
    ("meters.modbus.address", [{"protocol": "modbus", "input": "serial", "map": "sdm120", "address": "248"}]),
    ("meters.iec62056.address", [{"protocol": "iec62056", "input": "serial", "address": "1!\r\n"}]),
    ("meters.iec62056.registers", [{"protocol": "iec62056", "input": "serial", "registers": "1.8.0()\x03"}]),
    ("meters.iec62056.password", [{"protocol": "iec62056", "input": "serial", "password": "a)b"}]),
    ("meters.pulse.imp", [{"protocol": "pulse", "input": "pulse0", "imp": 0}]),
    ("meters.pulse.unit", [{"protocol": "pulse", "input": "pulse0", "unit": "ft3"}]),
    ("meters.pulse.register", [{"protocol": "pulse", "input": "pulse0", "register": "1-0:1.7.0"}]),
    ("meters.pulse.min_ms", [{"protocol": "pulse", "input": "pulse0", "min_ms": 0}]),
    ("meters.p1.registers_kept", [{"protocol": "p1", "input": "p1", "registers_kept": ["energy"]}]),
    ("meters.p1.registers_kept", [{"protocol": "p1", "input": "p1", "registers_kept": [5]}]),
)


class MeterSettingsTest(unittest.TestCase):
    def test_what_is_good_is_taken_and_named(self):
        for entries in GOOD:
            self.assertEqual(len(meter_settings.checked(entries)), len(entries))
        self.assertEqual(meter_settings.checked([P1]), [{"protocol": "p1", "input": "p1", "name": "p1"}])
        self.assertEqual(P1, {"protocol": "p1", "input": "p1"})

    def test_what_is_bad_is_refused_by_name_and_no_value_is_repeated(self):
        for name, entries in BAD:
            try:
                meter_settings.checked(entries)
                self.fail(name)
            except ConfigError as err:
                self.assertEqual(err.args[0], name)
                self.assertTrue(KEY[2:] not in err.args[1])

    def test_a_secret_is_shown_to_nobody_and_stays_where_it_is_given_as_true(self):
        before = meter_settings.checked([{"protocol": "dlms", "input": "a", "key": KEY}, MBUS])
        shown = settings_table.masked({"name": "hub", "meters": before})["meters"]
        self.assertEqual([entry.get("key") for entry in shown], [True, None])
        self.assertEqual(settings_table.filled({"meters": shown}, {"meters": before})["meters"], before)
        self.assertEqual(before[0]["key"], KEY)
        shown[0]["name"] = "another"
        after = settings_table.filled({"meters": shown}, {"meters": before})["meters"]
        self.assertEqual(after[0]["key"], True)  # nobody knows that one's: it is refused
        self.assertRaises(ConfigError, meter_settings.checked, after)

    def test_what_is_no_list_of_entries_is_left_for_the_check_to_refuse(self):
        for nonsense in (5, "meters", {"key": KEY}, [5, None]):
            self.assertEqual(meter_settings.masked(nonsense), nonsense)
            self.assertEqual(meter_settings.filled(nonsense, []), nonsense)


if __name__ == "__main__":
    unittest.main()
