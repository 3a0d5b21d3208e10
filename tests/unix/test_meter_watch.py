"""What goes wrong with a meter is said once, however long it lasts, and once more when it is over."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from meterhub import meter_watch
from meterhub.meters.meter import Meter

NOW = 1790000000


class Journal:
    def __init__(self):
        self.said = []

    def add(self, kind, name, detail=""):
        self.said.append((name + " " + detail).strip())


class Clock:
    state = "set"

    def now(self):
        return NOW


class Decoder:
    def __init__(self):
        self.errors = {}
        self.silences = 0

    def silence(self):
        self.silences += 1
        return ()


class TwinTest(unittest.TestCase):
    def setUp(self):
        self.journal = Journal()
        self.meters = []
        for name in ("p1", "heat"):
            setting = {"name": name, "protocol": "sml", "input": name}
            self.meters.append(Meter(setting, (9600, "8N1", False), 0, Decoder(), None))

    def tell(self, number, **ids):
        self.meters[number].registers.meters = {int(name[1:]): told for name, told in ids.items()}
        meter_watch.look_for_twins(self.journal, self.meters[number], self.meters)

    def test_two_meters_with_one_id_are_named_once_and_once_more_when_they_differ(self):
        self.tell(0, c0="E1", c1="G1")
        self.tell(1, c0="H1")
        self.assertEqual(self.journal.said, [])
        for _ in range(3):
            self.tell(1, c0="G1")
        self.tell(1, c0="H1")
        self.assertEqual(self.journal.said, ["METER_TWICE heat", "meters differ heat"])

    def test_two_channels_with_one_id_are_named(self):
        self.tell(0, c0="E1", c1="G1", c2="G1")
        self.assertEqual(self.journal.said, ["METER_TWICE p1"])

    def test_pulse_inputs_and_meters_without_an_id_are_no_twins(self):
        for told in ("pulse", ""):
            for number in (0, 1):
                self.tell(number, c0=told)
        self.assertEqual(self.journal.said, [])

    def test_a_time_before_2020_or_after_2100_is_named_once_and_not_used(self):
        meter = self.meters[0]
        for at, used in ((NOW, NOW), (1577836799, None), (0, None), (4133980800, None), (1577836800, 1577836800)):
            self.assertEqual(meter_watch.judged_time(self.journal, meter, at), used)
        self.assertEqual(meter_watch.judged_time(self.journal, meter, None), None)
        self.assertEqual(self.journal.said, ["CLOCK_INVALID p1", "meter's clock was set p1"])


class WatchTest(unittest.TestCase):
    def setUp(self):
        self.journal = Journal()
        self.decoder = Decoder()
        self.meter = self.made(0)

    def made(self, every_s):
        session = object() if every_s else None
        return Meter(
            {"name": "gas", "protocol": "sml", "input": "a"}, (9600, "8N1", False), every_s, self.decoder, session
        )

    def wait(self, seconds, noise=b""):
        for _ in range(seconds):
            if noise:
                self.meter.heard(noise, len(noise))
            self.meter.elapse(1000)
            meter_watch.look(self.journal, self.meter)

    def test_what_cannot_be_saved_is_said_once_and_once_more_when_it_can(self):
        for name in ("", "STORE_FULL", "STORE_FULL", "INTERVAL_LATE", "STORE_DAMAGED", "", "", "STORE_DAMAGED"):
            meter_watch.say_store(self.journal, self.meter, "history", name)
        self.assertEqual(
            self.journal.said, ["STORE_FULL gas history", "saved again gas history", "STORE_DAMAGED gas history"]
        )

    def test_a_meter_that_is_silent_and_back(self):
        self.wait(30)
        self.assertEqual(self.journal.said, [])
        self.wait(200)
        self.assertEqual(self.journal.said, ["METER_SILENT gas"])
        self.meter.told()
        self.wait(20)
        self.assertEqual(self.journal.said, ["METER_SILENT gas", "meter is back gas"])

    def test_a_silence_of_months_stays_one(self):
        self.wait(31)
        for _ in range(100):
            self.meter.elapse(0x0FFFFFFF)
            meter_watch.look(self.journal, self.meter)
        self.assertEqual(self.journal.said, ["METER_SILENT gas"])

    def test_a_meter_that_is_asked_may_be_silent_for_three_periods(self):
        self.meter = self.made(60)
        self.wait(180)
        self.assertEqual(self.journal.said, [])
        self.meter.busy = True  # a readout of several minutes is no silence
        self.wait(100)
        self.assertEqual(self.journal.said, [])
        self.meter.busy = False
        self.wait(1)
        self.assertEqual(self.journal.said, ["METER_SILENT gas"])

    def test_a_line_on_which_nothing_makes_sense_is_stuck(self):
        self.wait(120, b"\x55" * 40)
        self.assertEqual(self.journal.said, ["METER_SILENT gas", "LINE_STUCK gas noise"])
        self.wait(60)  # it is no better when the noise ends
        self.assertEqual(len(self.journal.said), 2)
        self.meter.told()
        self.wait(1)
        self.assertEqual(self.journal.said[2:], ["meter is back gas", "line is back gas"])

    def test_a_line_that_is_held_down_is_stuck_and_a_pulled_cable_is_not(self):
        self.meter.heard(b"/XMX5", 5)
        self.wait(120)
        self.assertEqual(self.journal.said, ["METER_SILENT gas"])
        self.meter.heard(b"\0", 1)
        self.wait(90)
        self.assertEqual(self.journal.said, ["METER_SILENT gas", "LINE_STUCK gas break"])

    def test_a_contact_that_stays_closed_is_stuck(self):
        self.meter.is_closed = True
        for _ in range(7):
            self.meter.told()  # its register is told all the same
            self.wait(10)
        self.assertEqual(self.journal.said, ["LINE_STUCK gas closed"])
        self.meter.is_closed = False
        self.wait(1)
        self.assertEqual(self.journal.said[1:], ["line is back gas"])

    def test_a_clock_that_drifts(self):
        for ahead in (0, 60, -60, 61, 4000, -61, 30, None, -61):
            meter_watch.look_at_clock(self.journal, self.meter, None if ahead is None else NOW + ahead, Clock())
        said = ["METER_CLOCK gas 61 s ahead", "meter's clock is right gas", "METER_CLOCK gas -61 s ahead"]
        self.assertEqual(self.journal.said, said)

    def test_a_clock_is_no_judge_before_it_is_set(self):
        clock = Clock()
        clock.state = "meter"
        meter_watch.look_at_clock(self.journal, self.meter, NOW + 5000, clock)
        self.assertEqual(self.journal.said, [])

    def test_a_readout_that_took_long_is_as_old_as_its_beginning(self):
        self.meter.took_ms = 300000
        meter_watch.look_at_clock(self.journal, self.meter, NOW - 350, Clock())
        self.assertEqual(self.journal.said, [])

    def test_a_decoder_hears_of_each_silence_once(self):
        self.wait(1, b"x")
        self.assertEqual(self.decoder.silences, 0)
        self.wait(5)
        self.assertEqual(self.decoder.silences, 1)
        self.wait(1, b"x")
        self.wait(5)
        self.assertEqual(self.decoder.silences, 2)

    def test_why_nothing_was_read_is_counted_once(self):
        self.decoder.errors["crc"] = 3
        for reason in ("crc", "silent", "silent"):
            self.meter.failed(reason)
        self.assertEqual(self.meter.errors, {"crc": 3, "silent": 2})

    def test_what_the_household_is_shown(self):
        self.meter.troubles = {"METER_SILENT"}
        self.assertEqual(meter_watch.in_words(self.meter, "14:05", True)[:2], ("No meter data", "since 14:05."))
        self.meter.troubles.add("LINE_STUCK")
        self.assertEqual(meter_watch.in_words(self.meter, "14:05", False)[:2], ("Meter unreadable", "gas 14:05"))


if __name__ == "__main__":
    unittest.main()
