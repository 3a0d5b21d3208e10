"""Reading an M-Bus meter: what is sent, when it is repeated, and when it is given up."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from mbus_samples import EXAMPLE, answer, feed, long_frame, raw

from meterhub.meters.mbus import MBusDecoder
from meterhub.meters.mbus_session import MBusSession, selection, short_frame

ACK = b"\xe5"


def sent(actions):
    """Return what the actions send, None when they send nothing."""
    frames = [action[1] for action in actions if action[0] == "send"]
    return frames[0] if frames else None


class SessionTest(unittest.TestCase):
    def start(self, address=5, baud=2400):
        self.mbus = MBusDecoder()
        self.session = MBusSession(self.mbus, address, baud)
        return self.session.start()

    def take(self, data):
        return self.session.on_bytes(data, len(data))

    def test_frames_are_as_the_standard_has_them(self):
        self.assertEqual(short_frame(0x40, 5), raw("10 40 05 45 16"))
        self.assertEqual(selection("12345678"), raw("68 0B 0B 68 53 FD 52 78 56 34 12 FF FF FF FF B2 16"))
        self.assertEqual(
            selection("123FFFFF4024FF07"), raw("68 0B 0B 68 53 FD 52 FF FF 3F 12 24 40 FF 07") + b"\x5b\x16"
        )
        for wrong in ("", "1234567", "123456789", "1234567G"):
            self.assertRaises(ValueError, selection, wrong)

    def test_a_primary_address(self):
        actions = self.start()
        self.assertEqual(actions[0], ("line", 2400, "8E1"))
        self.assertEqual(sent(actions), raw("10 40 05 45 16"))
        self.assertTrue(actions[-1][0] == "wait" and 187 <= actions[-1][1] <= 400)
        self.assertEqual(sent(self.take(ACK)), raw("10 7B 05 80 16"))
        for i in range(len(EXAMPLE) - 1):
            self.assertEqual(self.session.on_bytes(EXAMPLE[i : i + 1], 1)[0][0], "wait")
        ((what, telegrams),) = self.take(EXAMPLE[-1:])
        self.assertEqual((what, len(telegrams), telegrams[0].meter), ("done", 1, "PAD12345678"))

    def test_more_frames_follow_with_the_other_fcb(self):
        self.start()
        self.take(ACK)
        self.assertEqual(sent(self.take(answer("01 13 01 1F"))), raw("10 5B 05 60 16"))
        self.assertEqual(sent(self.take(answer("01 13 02 1F"))), raw("10 7B 05 80 16"))
        ((_, telegrams),) = self.take(answer("01 13 03 0F"))
        self.assertEqual([t.readings[0].value for t in telegrams], [1, 2, 3])

    def test_a_meter_that_never_ends_is_given_up(self):
        self.start()
        actions = self.take(ACK)
        for _ in range(32):
            actions = self.take(answer("01 13 01 1F"))
        self.assertEqual(actions, (("failed", "endless"),))

    def test_a_request_is_repeated_with_the_same_fcb(self):
        self.start()
        self.take(ACK)
        self.assertEqual(sent(self.session.on_timeout()), raw("10 7B 05 80 16"))
        self.assertEqual(sent(self.session.on_timeout()), raw("10 7B 05 80 16"))
        self.assertEqual(self.session.on_timeout(), (("failed", "silent"),))

    def test_a_damaged_answer_is_asked_for_again(self):
        self.start()
        self.take(ACK)
        self.take(EXAMPLE[:-2] + b"\x00\x16")
        self.assertEqual(sent(self.session.on_timeout()), raw("10 7B 05 80 16"))
        self.assertEqual(self.take(EXAMPLE)[0][0], "done")

    def test_the_reason_of_the_last_failure_is_told(self):
        self.start()
        self.take(ACK)
        for _ in range(3):
            self.take(long_frame(raw("08 05 70 08")))
            actions = self.session.on_timeout()
        self.assertEqual(actions, (("failed", "refused busy"),))

    def test_what_went_wrong_before_is_no_reason(self):
        self.session = MBusSession(MBusDecoder(), 5)
        feed(self.session._decoder, b"\xff")
        self.start()
        self.take(ACK)
        for _ in range(3):
            actions = self.session.on_timeout()
        self.assertEqual(actions, (("failed", "silent"),))

    def test_the_only_meter_of_a_line_and_addresses_that_are_none(self):
        self.session = MBusSession(MBusDecoder(), 254)
        self.assertEqual(sent(self.session.start()), raw("10 40 FE 3E 16"))
        self.take(ACK)
        self.assertEqual(self.take(EXAMPLE)[0][0], "done")
        for address in (-1, 251, 253, 255, "1234"):
            self.assertRaises(ValueError, MBusSession, MBusDecoder(), address)

    def test_a_meter_that_does_not_acknowledge_the_reset_is_asked_all_the_same(self):
        self.start()
        self.session.on_timeout()
        self.session.on_timeout()
        self.assertEqual(sent(self.session.on_timeout()), raw("10 7B 05 80 16"))

    def test_the_answer_of_another_meter(self):
        self.start()
        self.take(ACK)
        self.assertEqual(self.take(answer("01 13 07", address=6)), (("failed", "wrong meter"),))

    def test_a_secondary_address(self):
        self.assertEqual(sent(self.start("123456FF")), raw("10 40 FD 3D 16"))
        self.assertEqual(sent(self.take(ACK)), selection("123456FF"))
        self.assertEqual(sent(self.take(ACK)), raw("10 7B FD 78 16"))
        self.assertEqual(self.take(answer("01 13 07", address=9))[0][0], "done")

    def test_a_secondary_address_that_nobody_has(self):
        self.start("12345678")
        self.take(ACK)
        self.session.on_timeout()
        self.session.on_timeout()
        self.assertEqual(self.session.on_timeout(), (("failed", "no such meter"),))

    def test_the_answer_of_a_meter_that_was_not_selected(self):
        self.start("87654321")
        self.take(ACK)
        self.take(ACK)
        self.assertEqual(self.take(answer("01 13 07")), (("failed", "wrong meter"),))

    def test_slow_lines_wait_longer(self):
        self.assertTrue(self.start(baud=300)[-1][1] >= 330 * 1000 // 300 + 50)


if __name__ == "__main__":
    unittest.main()
