"""What the drivers put on their wires, and which of them is opened; simulators on the bench look closer."""

import errno
import unittest

from meterhub.ihd import asking, driver, drivers, pages, tm1637
from meterhub.ihd.model import Model

ONE = asking.notice(("one",))


class Bus:
    def __init__(self):
        self.writes = []

    def writeto(self, addr, buf):
        self.writes.append((addr, bytes(buf)))

    def writevto(self, addr, vector):
        self.writeto(addr, b"".join([bytes(part) for part in vector]))

    write = lambda self, buf: self.writes.append(bytes(buf))  # noqa: E731 - the SPI's side of it

    def select(self, level):
        self.writes.append(level)


class Line:
    """One open-drain line."""

    def __init__(self, wires, name):
        self.wires, self.name, self.level = wires, name, 1

    def __call__(self, level=None):
        if level is None:
            return self.level and not self.wires.pulls
        before, self.level = self.level, level
        self.wires.moved(self.name, before, level)
        return level


class Wires:
    """A chip that only listens and acknowledges: frames are what came between start and stop."""

    def __init__(self):
        self.clk, self.dio = Line(self, "clk"), Line(self, "dio")
        self.frames, self.bits, self.pulls, self.there = [], [], False, True

    def moved(self, name, before, level):
        if name == "dio" and self.clk.level and before != level:
            if not level:
                self.frames.append(bytearray())
                self.bits = []
        elif name == "clk" and level and not before:
            self.bits.append(self.dio.level)
        elif name == "clk" and before and not level:
            self.pulls = self.there and len(self.bits) == 8
            if len(self.bits) == 8:
                self.frames[-1].append(sum([bit << i for i, bit in enumerate(self.bits)]))
            elif len(self.bits) == 9:
                self.bits = []


class Board:
    def __init__(self):
        self.bus = Bus()
        self.wires = Wires()

    def i2c(self, most_hz):
        self.hz = most_hz
        return self.bus

    def spi(self):
        return self.bus, self.bus.select

    def pin_pair(self, name):
        return {"tm1637": (self.wires.clk, self.wires.dio)}[name]


class Bare:
    """A board with nothing wired, as hal tells it."""

    def i2c(self, most_hz):
        raise KeyError("i2c")

    def spi(self):
        raise KeyError("spi")

    def pin_pair(self, name):
        raise KeyError(name)


class DriversTest(unittest.TestCase):
    def setUp(self):
        driver.now_ms = lambda: 0
        self.board = Board()

    def open(self, name, address=0):
        return drivers.open(name, self.board, address)

    def test_none_is_no_display(self):
        self.assertIsNone(drivers.open("none", Bare()))

    def test_a_board_without_the_bus_says_so(self):
        for name in ("ssd1306", "sh1106", "hd44780", "max7219", "tm1637"):
            with self.assertRaises(OSError):
                drivers.open(name, Bare())

    def test_the_expander_of_an_lcd_takes_a_hundred_kilobits_and_no_more(self):
        for name, hz in (("ssd1306", 400000), ("sh1106", 400000), ("hd44780", 100000)):
            self.open(name)
            self.assertEqual(self.board.hz, hz)

    def test_i2c_displays_are_spoken_to_at_the_usual_address_or_the_given_one(self):
        for name, usual in (("ssd1306", 0x3C), ("sh1106", 0x3C), ("hd44780", 0x27)):
            for given, used in ((0, usual), (0x3D, 0x3D)):
                self.board.bus.writes = []
                self.assertTrue(self.open(name, given).show(ONE))
                self.assertEqual({addr for addr, _ in self.board.bus.writes}, {used})

    def test_the_sh1106_gets_eight_stripes_from_its_third_column_on(self):
        self.open("ssd1306").show(ONE)
        frame = [data[1:] for _, data in self.board.bus.writes if data[0] == 0x40]
        self.board.bus.writes = []
        self.open("sh1106").show(ONE)
        sent = [data for _, data in self.board.bus.writes]
        stripes = [data[1:] for data in sent if data[0] == 0x40]
        self.assertEqual((len(frame), len(stripes), b"".join(stripes)), (1, 8, frame[0]))
        self.assertEqual([bytes((0, 0xB0 | i, 2, 16)) in sent for i in range(8)], [True] * 8)

    def test_the_max7219_is_selected_for_each_register(self):
        display = self.open("max7219")
        self.assertTrue(display.show(ONE))
        writes = self.board.bus.writes
        self.assertEqual(writes[0::3] + writes[2::3], [0] * (len(writes) // 3) + [1] * (len(writes) // 3))
        self.assertEqual(dict([(w[0], w[1]) for w in writes[1::3]])[8], 0b0011101)  # "o" in the leftmost digit

    def test_the_chip_is_deselected_when_the_bus_fails(self):
        def fails(_):
            raise OSError(errno.EIO)

        self.board.bus.write = fails
        self.assertFalse(self.open("max7219").show(ONE))
        self.assertEqual(self.board.bus.writes, [0, 1])

    def test_the_lcds_backlight_is_out_at_night(self):
        display = self.open("hd44780")
        page = pages.now(Model())
        for dim in (False, True):
            display.show(page, dim)
            self.assertEqual(self.board.bus.writes[-1][1][-1] & 8, 0 if dim else 8)


class TwoWiresTest(unittest.TestCase):
    def setUp(self):
        if not hasattr(tm1637.time, "sleep_us"):  # CPython has none
            tm1637.time.sleep_us = lambda us: None  # pyright: ignore
        driver.now_ms = lambda: 0
        self.board = Board()
        self.wires = self.board.wires

    def test_three_commands_and_the_digits_in_the_modules_order(self):
        self.assertTrue(drivers.open("tm1637", self.board).show(asking.notice(("1234567",))))
        digits = b"\x4f\x5b\x06\xfd\x6d\x66"  # 3 2 1, 6 with the point that says that there is more, 5 4
        self.assertEqual([bytes(frame) for frame in self.wires.frames], [b"\x40", b"\xc0" + digits, b"\x8c"])
        self.assertEqual((self.wires.clk.level, self.wires.dio.level), (1, 1))

    def test_who_is_not_there_does_not_acknowledge(self):
        self.wires.there = False
        self.assertFalse(drivers.open("tm1637", self.board).show(ONE))
        self.assertEqual([bytes(frame) for frame in self.wires.frames], [b"\x40"])
        self.assertEqual((self.wires.clk.level, self.wires.dio.level), (1, 1))


if __name__ == "__main__":
    unittest.main()
