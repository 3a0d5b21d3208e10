"""Reading a meter in mode C: a made-up meter that only hears what comes at its own baud rate."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from iec62056_samples import answer, bare, block

from meterhub.meters.iec62056 import IEC62056Decoder
from meterhub.meters.iec62056_session import IEC62056Session, command

P0 = b"\x01P0\x02(1234)\x03\x63"


class SessionTest(unittest.TestCase):
    def start(self, **more):
        self.session = IEC62056Session(IEC62056Decoder(), **more)
        return self.session.start()

    def take(self, data):
        """Feed `data` byte by byte; return the actions that the last byte brought."""
        actions = ()
        for i in range(len(data)):
            actions = self.session.on_bytes(data[i : i + 1], 1)
        return actions

    def test_commands_are_as_the_standard_has_them(self):
        self.assertEqual(command("P0", "(1234567)"), b"\x01P0\x02(1234567)\x03P")
        self.assertEqual(command("R1", "1.8.0(1)"), b"\x01R1\x021.8.0(1)\x03k")
        self.assertEqual(command("B0", ""), b"\x01B0\x03q")

    def test_a_readout(self):
        actions = self.start()
        self.assertEqual(actions[:2], (("line", 300, "7E1"), ("send", b"/?!\r\n")))
        actions = self.take(b"/MTH5\\2SAMPLE-1\r\n")
        # the acknowledgement leaves at 300 Bd; the line changes when it is out
        self.assertEqual(actions[:3], (("pause", 200), ("send", b"\x06050\r\n"), ("line", 9600, "7E1")))
        self.assertEqual(actions[3][0], "wait")
        ((what, (found,)),) = self.take(block())
        self.assertEqual((what, found.meter, len(found.readings)), ("done", "00123456", 7))

    def test_every_rate(self):
        for z, baud in enumerate((300, 600, 1200, 2400, 4800, 9600, 19200)):
            self.start()
            actions = self.take(b"/MTH%dSAMPLE\r\n" % z)
            self.assertEqual(actions[1:3], (("send", b"\x060%d0\r\n" % z), ("line", baud, "7E1")))

    def test_a_fast_meter_is_answered_fast(self):
        self.start()
        self.assertEqual(self.take(b"/MTh5SAMPLE\r\n")[0], ("pause", 20))

    def test_an_optical_head_may_be_slower_than_the_meter(self):
        self.start(most_baud=4800)
        self.assertEqual(self.take(b"/MTH6SAMPLE\r\n")[1:3], (("send", b"\x06040\r\n"), ("line", 4800, "7E1")))

    def test_mode_e_is_asked_for_mode_c(self):
        self.start()
        self.assertEqual(self.take(b"/MTH5\\W2SAMPLE\r\n")[1], ("send", b"\x06050\r\n"))

    def test_mode_b_changes_without_being_asked(self):
        self.start()
        self.assertEqual(self.take(b"/MTHCSAMPLE\r\n")[0], ("line", 2400, "7E1"))
        self.assertEqual(self.take(block())[0][0], "done")

    def test_mode_a_stays_at_300(self):
        self.start()
        data = bare(ident=b"/MTH SAMPLE\r\n")
        self.assertEqual(self.take(data[:13]), (("wait", 2200),))
        self.assertEqual(self.take(data[13:])[0][0], "done")

    def test_if_nothing_comes_at_the_faster_rate_it_is_tried_at_300(self):
        self.start()
        self.take(b"/MTH5SAMPLE\r\n")
        self.assertEqual(self.session.on_timeout()[:2], (("line", 300, "7E1"), ("send", b"/?!\r\n")))
        self.assertEqual(self.take(b"/MTH5SAMPLE\r\n")[1:3], (("send", b"\x06000\r\n"), ("line", 300, "7E1")))
        self.assertEqual(self.take(block())[0][0], "done")

    def test_an_echo_of_our_own_does_no_harm(self):
        self.start()
        self.take(b"/?!\r\n")
        self.assertEqual(self.take(b"/MTH5SAMPLE\r\n")[1], ("send", b"\x06050\r\n"))
        self.take(b"\x06050\r\n")
        self.assertEqual(self.take(block())[0][0], "done")

    def test_a_damaged_readout_is_asked_for_again_by_nak(self):
        self.start()
        self.take(b"/MTH5SAMPLE\r\n")
        damaged = bytearray(block())
        damaged[9] ^= 4
        actions = self.take(bytes(damaged))
        self.assertEqual(actions[1], ("send", b"\x15"))
        self.assertEqual(self.take(block())[0][0], "done")

    def test_and_given_up_after_three(self):
        self.start()
        self.take(b"/MTH5SAMPLE\r\n")
        damaged = block()[:-1] + b"\x00"
        self.take(damaged)
        self.take(damaged)
        self.assertEqual(self.take(damaged), (("failed", "crc"),))

    def test_a_readout_that_stops(self):
        self.start()
        self.take(b"/MTH5SAMPLE\r\n")
        self.assertEqual(self.take(block()[:50]), (("wait", 2200),))
        self.assertEqual(self.session.on_timeout()[1], ("send", b"\x15"))

    def test_a_meter_that_is_not_there(self):
        self.start()
        self.assertEqual(self.session.on_timeout()[1], ("send", b"/?!\r\n"))
        self.assertEqual(self.session.on_timeout()[1], ("send", b"/?!\r\n"))
        self.assertEqual(self.session.on_timeout(), (("failed", "silent"),))

    def test_what_went_wrong_before_is_no_reason(self):
        self.start()
        self.session._decoder.errors["crc"] = 1
        self.session.start()
        for _ in range(3):
            actions = self.session.on_timeout()
        self.assertEqual(actions, (("failed", "silent"),))

    def test_a_device_address_and_zeros_to_wake_it(self):
        actions = self.start(device="00123456", wake_up=True)
        self.assertEqual(actions[1:3], (("send", bytes(66)), ("pause", 1600)))
        self.assertEqual(actions[3], ("send", b"/?00123456!\r\n"))

    def test_registers_are_read_one_by_one(self):
        self.start(registers=("1.8.0", "2.8.0"), kind="R5")
        self.assertEqual(self.take(b"/MTH5SAMPLE\r\n")[1:3], (("send", b"\x06051\r\n"), ("line", 9600, "7E1")))
        actions = self.take(P0)
        self.assertEqual(actions[1], ("send", command("R5", "1.8.0()")))
        actions = self.take(answer("1.8.0(0012.5*kWh)"))
        self.assertEqual(actions[1], ("send", command("R5", "2.8.0()")))
        actions = self.take(answer("(7*kWh)"))
        self.assertEqual(actions[0], ("send", b"\x01B0\x03q"))
        (found,) = actions[1][1]
        self.assertEqual(
            [r[:5] for r in found.readings],
            [
                ("1-0:1.8.0", 125, 2, "Wh", "MTH5SAMPLE"),
                ("1-0:2.8.0", 7, 3, "Wh", "MTH5SAMPLE"),
            ],
        )

    def test_a_password(self):
        self.start(registers=("1.8.0",), password="1234")
        self.take(b"/MTH5SAMPLE\r\n")
        self.assertEqual(self.take(P0)[1], ("send", command("P1", "(1234)")))
        self.assertEqual(self.take(b"\x06")[1], ("send", command("R1", "1.8.0()")))

    def test_a_password_that_is_refused(self):
        self.start(registers=("1.8.0",), password="1234")
        self.take(b"/MTH5SAMPLE\r\n")
        self.take(P0)
        self.assertEqual(self.take(b"\x15")[-1], ("failed", "refused"))

    def test_a_damaged_answer_is_asked_for_again(self):
        self.start(registers=("1.8.0",))
        self.take(b"/MTH5SAMPLE\r\n")
        self.take(P0)
        self.assertEqual(self.take(answer("1.8.0(1*kWh)")[:-1] + b"\x00")[1], ("send", command("R1", "1.8.0()")))

    def test_a_register_that_the_meter_does_not_have(self):
        self.start(registers=("1.8.9", "1.8.0"))
        self.take(b"/MTH5SAMPLE\r\n")
        self.take(P0)
        self.assertEqual(self.take(answer("(ERROR)"))[1], ("send", command("R1", "1.8.0()")))
        (found,) = self.take(answer("1.8.0(1*kWh)"))[1][1]
        self.assertEqual((len(found.readings), found.texts), (1, {"1.8.9": "ERROR"}))


if __name__ == "__main__":
    unittest.main()
