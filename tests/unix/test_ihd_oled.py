"""The OLED driver on a bus that counts, and that loses its display now and then."""

import errno
import unittest

from meterhub.ihd import asking, driver, oled

ONE = asking.notice(("one",))
TWO = asking.notice(("two",))


class Bus:
    def __init__(self):
        self.frames, self.commands, self.plugged = [], bytearray(), True

    def writeto(self, addr, buf):
        if not self.plugged:
            raise OSError(errno.ENODEV)
        self.commands.extend(buf[1:])

    def writevto(self, addr, buffers):
        if not self.plugged:
            raise OSError(errno.ENODEV)
        self.frames.append(bytes(buffers[1]))


class OledTest(unittest.TestCase):
    def setUp(self):
        self.now = 0
        driver.now_ms = lambda: self.now
        self.bus = Bus()
        self.display = oled.Oled(self.bus)

    def show(self, page, at_ms, dim=False):
        self.now = at_ms
        return self.display.show(page, dim)

    def test_the_bus_is_left_alone_before_the_first_page(self):
        self.assertEqual((self.bus.frames, bytes(self.bus.commands)), ([], b""))

    def test_nothing_empty_is_shown_before_the_first_page(self):
        self.assertTrue(self.show(ONE, 0))
        self.assertEqual(len(self.bus.frames), 1)
        self.assertTrue(any(self.bus.frames[0]))

    def test_a_page_is_sent_once(self):
        for at in range(0, 9000, 250):
            self.assertTrue(self.show(ONE, at))
        self.assertEqual(len(self.bus.frames), 1)
        self.show(TWO, 9000)
        self.assertEqual(len(self.bus.frames), 2)
        self.assertNotEqual(self.bus.frames[0], self.bus.frames[1])

    def test_registers_and_page_are_sent_again_after_ten_seconds(self):
        self.show(ONE, 0)
        self.bus.commands = bytearray()
        self.show(ONE, 10000)
        self.assertEqual(len(self.bus.frames), 2)
        self.assertEqual(self.bus.frames[0], self.bus.frames[1])
        self.assertTrue(b"\xaf" in self.bus.commands)
        self.show(ONE, 10250)
        self.assertEqual(len(self.bus.frames), 2)

    def test_dimming_is_a_change(self):
        self.show(ONE, 0)
        self.bus.commands = bytearray()
        self.show(ONE, 250, True)
        self.assertTrue(b"\x81\x01" in self.bus.commands)

    def test_a_missing_display_is_tried_every_five_seconds(self):
        self.bus.plugged = False
        self.assertFalse(self.show(ONE, 0))
        self.bus.plugged = True
        self.assertFalse(self.show(ONE, 4750))
        self.assertTrue(self.show(ONE, 5000))
        self.assertEqual(len(self.bus.frames), 1)

    def test_a_display_pulled_out_is_noticed_with_the_next_page(self):
        self.show(ONE, 0)
        self.bus.plugged = False
        self.assertTrue(self.show(ONE, 250))
        self.assertFalse(self.show(TWO, 500))

    def test_a_display_pulled_out_is_noticed_even_when_nothing_changes(self):
        self.show(ONE, 0)
        self.bus.plugged = False
        self.assertFalse(self.show(ONE, 10000))

    def test_a_display_put_back_is_started_again(self):
        self.show(ONE, 0)
        self.bus.plugged = False
        self.show(TWO, 500)
        self.bus.plugged = True
        self.bus.commands = bytearray()
        for at in range(500, 11000, 250):
            self.show(TWO, at)
        self.assertTrue(b"\xaf" in self.bus.commands)
        self.assertTrue(self.show(TWO, 11000))


if __name__ == "__main__":
    unittest.main()
