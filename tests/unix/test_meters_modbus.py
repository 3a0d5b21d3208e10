"""Modbus RTU: frames, register maps, and reading a meter by one."""

import json
import random
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

import micropython
from mbus_samples import feed, numbers, raw

from meterhub.codec.crc import crc16_arc
from meterhub.errors import ConfigError
from meterhub.meters.modbus import ModbusDecoder
from meterhub.meters.modbus_map import RegisterMap
from meterhub.meters.modbus_session import ModbusSession, request_frame

MAP = {
    "meter": "made up",
    "line": [9600, "8N1"],
    "function": 4,
    "registers": [
        ["1-0:32.7.0", 0, "float32", "V"],
        ["1-0:16.7.0", 2, "int16", "W", 1],
        ["1-0:1.8.0", 10, "uint32", "kWh", -2],
        ["model", 20, "text3", "", 0, 3],
    ],
}


def frame(text):
    """Return the bytes that `text` spells in hexadecimal, with their CRC."""
    body = raw(text)
    return body + crc16_arc(body, len(body), 0xFFFF).to_bytes(2, "little")


def made(**changes):
    """Return a RegisterMap of MAP with changes; None takes a key out."""
    given = dict(MAP)
    given.update(changes)
    return RegisterMap.from_text(json.dumps({key: value for key, value in given.items() if value is not None}))


def rows(order, kind, data):
    """Return the one number of a map of one row of `kind`."""
    registers = made(order=order, registers=[["x", 0, kind, ""]])
    answer = frame("01 04 %02X" % len(raw(data)) + data)
    request = request_frame(1, 4, 0, len(raw(data)) // 2)
    (found,) = feed(ModbusDecoder(registers), request + answer)
    return [(r.value, r.scale) for r in found.readings]


class DecoderTest(unittest.TestCase):
    def setUp(self):
        self.modbus = ModbusDecoder(made())

    def test_the_standards_example_of_a_request(self):
        self.assertEqual(request_frame(0x11, 3, 0x6B, 3), raw("11 03 00 6B 00 03 76 87"))

    def test_registers_are_read_by_the_request_before_them(self):
        talk = request_frame(1, 4, 0, 3) + frame("01 04 06 42 C8 00 00 FF 85")
        (found,) = feed(self.modbus, talk)
        self.assertEqual(numbers(found), {"1-0:32.7.0": (100, 0, "V"), "1-0:16.7.0": (-123, 1, "W")})
        self.assertEqual((found.meter, found.version, self.modbus.errors), ("modbus 1", "", {}))

    def test_without_a_map_the_registers_are_told(self):
        talk = request_frame(2, 3, 107, 2) + frame("02 03 04 02 2B 00 64")
        (found,) = feed(ModbusDecoder(), talk)
        self.assertEqual(numbers(found), {"holding register 107": (555, 0, ""), "holding register 108": (100, 0, "")})

    def test_an_answer_that_nobody_asked_for(self):
        self.assertEqual(feed(self.modbus, frame("01 04 02 00 01")), [])
        self.assertEqual(self.modbus.errors, {"no request": 1})

    def test_an_answer_of_another_length_is_refused(self):
        feed(self.modbus, request_frame(1, 4, 0, 3))
        self.assertEqual(feed(self.modbus, frame("01 04 04 42 C8 00 00")), [])

    def test_an_exception(self):
        feed(self.modbus, request_frame(1, 4, 0, 3) + frame("01 84 02"))
        self.assertEqual((self.modbus.errors, self.modbus.exception), ({"refused illegal data address": 1}, 2))

    def test_other_functions(self):
        feed(self.modbus, frame("01 06 00 2D 00 58"))
        feed(self.modbus, frame("01 10 00 18 00 01 02 00 32") + frame("01 10 00 18 00 01"))
        self.assertEqual(self.modbus.errors, {"unsupported function 6": 1, "unsupported function 16": 1})

    def test_chunks_of_any_size_and_every_cut(self):
        talk = request_frame(1, 4, 0, 3) + frame("01 04 06 42 C8 00 00 FF 85")
        for step in range(1, 65):
            self.assertEqual(len(feed(ModbusDecoder(made()), talk + talk, step)), 2)
        for cut in range(len(talk)):
            modbus = ModbusDecoder(made())
            found = feed(modbus, talk[:cut])
            found.extend(modbus.silence())
            found.extend(feed(modbus, talk))
            self.assertEqual(len(found), 1)
            found = feed(modbus, talk[cut:] + talk)
            found.extend(modbus.silence())
            self.assertTrue(1 <= len(found) <= 2 and found[-1].readings[0].value == 100)

    def test_a_frame_behind_noise_is_found(self):
        talk = request_frame(1, 4, 0, 3) + frame("01 04 06 42 C8 00 00 FF 85")
        for noise in (b"\x01\x04", b"\x01\x04\xfa", b"\xff" * 700, b"\x01\x10\x00\x00\x00\x01\xf0", b"\x00" * 9):
            modbus = ModbusDecoder(made())
            found = feed(modbus, noise + talk)
            found.extend(modbus.silence())
            self.assertEqual(len(found), 1)
            self.assertTrue(modbus.errors)

    def test_no_changed_byte_is_believed(self):
        answer = frame("01 04 06 42 C8 00 00 FF 85")
        for pos in range(len(answer)):
            for change in (1, 0x80, 0xFF):
                damaged = bytearray(answer)
                damaged[pos] ^= change
                self.modbus.asked(1, 4, 0, 3)
                self.assertEqual(feed(self.modbus, bytes(damaged)) + list(self.modbus.silence()), [])

    def test_noise_raises_nothing(self):
        random.seed(3)
        for _ in range(300):
            feed(self.modbus, bytes([random.getrandbits(8) & 0x87 for _ in range(60)]))
        self.modbus.silence()
        self.assertEqual(len(feed(self.modbus, request_frame(1, 4, 0, 1) + frame("01 04 02 00 01"))), 1)

    def test_part_of_a_frame_allocates_nothing(self):
        feed(self.modbus, request_frame(1, 4, 0, 3))
        part = raw("01 04 06 42 C8 00 00")
        micropython.heap_lock()
        try:
            self.modbus.feed(part, 7)
        finally:
            micropython.heap_unlock()


class MapTest(unittest.TestCase):
    def test_byte_and_word_orders(self):
        for order, data in (
            ("ABCD", "12 34 56 78"),
            ("CDAB", "56 78 12 34"),
            ("BADC", "34 12 78 56"),
            ("DCBA", "78 56 34 12"),
        ):
            self.assertEqual(rows(order, "uint32", data), [(0x12345678, 0)])
        self.assertEqual(rows("DCBA", "uint64", "08 07 06 05 04 03 02 01"), [(0x0102030405060708, 0)])
        self.assertEqual(rows("CDAB", "uint64", "07 08 05 06 03 04 01 02"), [(0x0102030405060708, 0)])

    def test_types(self):
        self.assertEqual(rows("ABCD", "int16", "FF FB"), [(-5, 0)])
        self.assertEqual(rows("ABCD", "uint16", "FF FB"), [(65531, 0)])
        self.assertEqual(rows("ABCD", "int32", "FF FF FF FF"), [(-1, 0)])
        self.assertEqual(rows("ABCD", "int64", "FF FF FF FF FF FF FF FE"), [(-2, 0)])
        self.assertEqual(rows("ABCD", "float32", "43 66 33 33"), [(2302, -1)])
        self.assertEqual(rows("ABCD", "float64", "3F B9 99 99 99 99 99 9A"), [(1, -1)])
        self.assertEqual(rows("ABCD", "float32", "7F C0 00 00"), [])

    def test_text_and_scale_and_unit(self):
        registers = made()
        modbus = ModbusDecoder(registers)
        (found,) = feed(modbus, request_frame(1, 4, 10, 2) + frame("01 04 04 00 01 00 00"))
        self.assertEqual(numbers(found), {"1-0:1.8.0": (65536, 1, "Wh")})
        (found,) = feed(modbus, request_frame(1, 3, 20, 3) + frame("01 03 06 41 42 43 20 00 00"))
        self.assertEqual(found.texts, {"model": "ABC"})

    def test_requests_are_grouped(self):
        self.assertEqual(made().requests(), [(3, 20, 3), (4, 0, 3), (4, 10, 2)])
        self.assertEqual(made(gap=7).requests(), [(3, 20, 3), (4, 0, 12)])
        self.assertEqual(made(gap=7, most=11).requests(), [(3, 20, 3), (4, 0, 3), (4, 10, 2)])
        self.assertEqual(made(serial=[3, 64512, "uint32"]).requests()[0], (3, 64512, 2))

    def test_rows_may_come_in_any_order_and_overlap(self):
        registers = made(registers=[["b", 2, "uint32", ""], ["a", 0, "uint64", ""]])
        self.assertEqual(registers.requests(), [(4, 0, 4)])

    def test_what_is_wrong_in_a_map_is_said_with_its_place(self):
        for place, changes in (
            ("map.spelling", {"spelling": 1}),
            ("map.order", {"order": "ACBD"}),
            ("map.line", {"line": 9600}),
            ("map.line", {"line": [9600, "7E1"]}),
            ("map.function", {"function": 6}),
            ("map.most", {"most": 126}),
            ("map.gap", {"gap": -1}),
            ("map.serial", {"serial": [3, 64512]}),
            ("map.registers", {"registers": []}),
            ("map.registers", {"registers": None}),
            ("map.registers[0]", {"registers": [["a", 0, "uint16"]]}),
            ("map.registers[0]", {"registers": [["a", 0, "uint24", ""]]}),
            ("map.registers[0]", {"registers": [["a", 65536, "uint16", ""]]}),
            ("map.registers[0]", {"registers": [["a", 0, "text126", ""]]}),
            ("map.registers[0]", {"registers": [["a", 0, "uint16", "", 0.5]]}),
            ("map.registers[0]", {"registers": [["", 0, "uint16", ""]]}),
            ("map.registers[0]", {"registers": [["a", 0, "uint16", "", 0, 5]]}),
        ):
            try:
                made(**changes)
                self.fail(place)
            except ConfigError as err:
                self.assertEqual(err.args[0], place)
        for text in ("", "[]", "{", "3"):
            self.assertRaises(ConfigError, RegisterMap.from_text, text)


class SessionTest(unittest.TestCase):
    def start(self, **changes):
        self.session = ModbusSession(made(**changes), 1)
        return self.session.start()

    def take(self, text):
        data = frame(text)
        return self.session.on_bytes(data, len(data))

    def asks(self, actions, *request):
        """Check that the actions keep the line silent and then send the frame of a request."""
        found = [action for action in actions if action[0] != "line"]
        self.assertEqual([action[0] for action in found], ["pause", "send", "wait"])
        self.assertTrue(found[0][1] >= 4)  # 3.5 characters at 9600
        self.assertEqual(found[1][1], request_frame(1, *request))

    def test_a_reading_by_all_of_the_map(self):
        actions = self.start(serial=[3, 64512, "uint32"])
        self.assertEqual(actions[0], ("line", 9600, "8N1"))
        self.asks(actions, 3, 64512, 2)
        self.asks(self.take("01 03 04 00 BC 61 4E"), 3, 20, 3)
        self.asks(self.take("01 03 06 41 42 43 00 00 00"), 4, 0, 3)
        self.asks(self.take("01 04 06 42 C8 00 00 FF 85"), 4, 10, 2)
        ((what, (found,)),) = self.take("01 04 04 00 01 00 00")
        self.assertEqual((what, found.meter, found.texts), ("done", "12345678", {"model": "ABC"}))
        self.assertEqual([r.obis for r in found.readings], ["1-0:32.7.0", "1-0:16.7.0", "1-0:1.8.0"])
        self.assertEqual(found.readings[0].meter, "12345678")

    def test_an_answer_is_waited_for_until_it_is_whole(self):
        self.start()
        data = frame("01 03 06 41 42 43 00 00 00")
        for i in range(len(data) - 1):
            self.assertEqual(self.session.on_bytes(data[i : i + 1], 1), ())
        self.asks(self.session.on_bytes(data[-1:], 1), 4, 0, 3)

    def test_a_group_that_is_refused_is_asked_for_row_by_row(self):
        self.start()
        self.take("01 03 06 41 42 43 00 00 00")
        self.asks(self.take("01 84 02"), 4, 0, 2)
        self.asks(self.take("01 04 04 42 C8 00 00"), 4, 2, 1)
        self.asks(self.take("01 84 02"), 4, 10, 2)  # the row that the meter does not have is left out
        ((_, (found,)),) = self.take("01 04 04 00 01 00 00")
        self.assertEqual([r.obis for r in found.readings], ["1-0:32.7.0", "1-0:1.8.0"])

    def test_a_busy_meter_is_asked_again(self):
        self.start()
        actions = self.take("01 83 06")
        self.assertEqual(actions[0], ("pause", 1000))
        self.asks(actions[1:], 3, 20, 3)

    def test_silence_is_answered_three_times(self):
        self.start()
        self.asks(self.session.on_timeout(), 3, 20, 3)
        self.asks(self.session.on_timeout(), 3, 20, 3)
        self.assertEqual(self.session.on_timeout(), (("failed", "silent"),))

    def test_damage_is_named(self):
        self.start()
        for _ in range(3):
            self.session.on_bytes(raw("01 03 06 41 42 43 00 00 00 00 00"), 11)
            actions = self.session.on_timeout()
        self.assertEqual(actions, (("failed", "crc"),))

    def test_what_went_wrong_before_is_no_reason(self):
        self.start()
        feed(self.session.decoder, b"\xff" * 9)
        for _ in range(2):
            self.session.on_timeout()
        self.assertEqual(self.session.on_timeout(), (("failed", "silent"),))

    def test_a_meter_that_refuses_all(self):
        self.start(registers=[["a", 0, "uint16", ""]])
        self.assertEqual(self.take("01 84 01"), (("failed", "refused illegal function"),))

    def test_an_adapter_that_echoes(self):
        self.start()
        echo = request_frame(1, 3, 20, 3)
        self.assertEqual(self.session.on_bytes(echo, 8), ())
        self.asks(self.take("01 03 06 41 42 43 00 00 00"), 4, 0, 3)
        self.assertEqual(self.session.decoder.errors, {})


if __name__ == "__main__":
    unittest.main()
