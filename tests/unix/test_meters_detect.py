"""Finding out what is on a line: the right speed decides, whatever order is tried, and nothing but a good frame."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from meterhub.codec.crc import crc16_arc
from meterhub.meters.detect import Detector
from meterhub.meters.p1 import P1Decoder

BODY = b"/XMX5LGBBFG1009\r\n\r\n1-0:1.8.1(000123.456*kWh)\r\n0-0:96.1.1(4530303039)\r\n!"
TELEGRAM = BODY + b"%04X\r\n" % crc16_arc(BODY, len(BODY))
BARE = b"/ISk5\\2MT382-1000\r\n\r\n0-0:96.1.1(4530303039)\r\n1-0:1.8.1(00001.001*kWh)\r\n!\r\n"


def with_parity(raw):
    """Return what a line of 7E1 brings to one that is read as 8N1."""
    return bytes([byte | (sum([byte >> i & 1 for i in range(7)]) & 1) << 7 for byte in raw])


class DetectTest(unittest.TestCase):
    def setUp(self):
        self.now = 1000
        self.detector = Detector({"p1": P1Decoder(None, 3600)}, self.now)
        self.lines = [self.detector.line]

    def quiet(self, ms):
        for _ in range(ms // 100):
            self.now += 100
            if self.detector.on_quiet(self.now):
                self.lines.append(self.detector.line)

    def bytes(self, raw, ms):
        """Let `raw` come within so many milliseconds."""
        step = max(1, len(raw) * 20 // ms)
        for at in range(0, len(raw), step):
            self.now += 20
            piece = raw[at : at + step]
            if self.detector.on_bytes(piece, len(piece), self.now):
                self.lines.append(self.detector.line)

    def test_a_telegram_at_the_first_speed_is_found_at_once(self):
        self.bytes(TELEGRAM, 100)
        found = self.detector.found
        self.assertEqual((found.protocol, found.baud, found.format, found.is_encrypted), ("p1", 115200, "8N1", False))
        self.assertEqual(found.telegrams[0].readings[0].value, 123456)

    def test_a_wrong_check_sum_decides_nothing(self):
        self.quiet(500)
        self.bytes(TELEGRAM.replace(b"123.456", b"123.457"), 100)
        self.assertEqual(self.detector.found, None)
        self.quiet(500)
        self.assertEqual(self.lines, [(115200, "8N1"), (9600, "8N1")])

    def test_a_burst_whose_beginning_was_missed_does_not_speak_against_the_speed(self):
        self.bytes(TELEGRAM[40:], 100)
        self.quiet(900)
        self.assertEqual(self.lines, [(115200, "8N1")])
        self.bytes(TELEGRAM, 100)
        self.assertEqual(self.detector.found.baud, 115200)

    def test_zeros_tell_how_slow_the_line_is(self):
        self.bytes(bytes(800), 300)  # 2,667 lows in a second
        self.assertEqual(self.lines[1], (9600, "8N1"))
        self.detector = Detector({}, self.now)
        self.lines = []
        self.bytes(bytes(200), 300)  # 667
        self.assertEqual(self.lines[0], (2400, "8E1"))

    def test_seven_bits_are_read_as_eight(self):
        self.quiet(12000)
        self.bytes(with_parity(BARE), 300)
        found = self.detector.found
        self.assertEqual((found.protocol, found.baud, found.format), ("p1", 9600, "7E1"))

    def test_a_silent_line_and_one_that_never_pauses_are_tried_at_every_speed(self):
        self.quiet(12000 * 6)
        speeds = [(115200, "8N1"), (9600, "8N1"), (2400, "8E1"), (2400, "8N1"), (9600, "8E1")]
        self.assertEqual(self.lines, speeds + speeds[:1] + speeds[1:2])
        self.lines = []
        for _ in range(25):
            self.bytes(b"\x55" * 1000, 1000)
        self.assertEqual(sorted(set(self.lines)), sorted(speeds))


if __name__ == "__main__":
    unittest.main()
