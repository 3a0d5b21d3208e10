"""Interference and malfunction: told once each when it begins and when it has ended, whatever the power does."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from quality_bench import Hub
from store_folder import fresh, remove

from meterhub.hal.contact import Contact
from meterhub.tamper_watch import TamperWatch


class Flag:
    """What a contact's pin is at."""

    def __init__(self, level):
        self.level = level


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = fresh()
        self.pins = {}

    def tearDown(self):
        remove(self.folder)

    def start(self, contacts=None, **settings):
        """Start a hub with contacts {name: closed}, and let it settle."""
        settings["tamper.inputs"] = list(contacts or {})
        hub = self.hub = Hub(self.folder, **settings)
        for name, closed in (contacts or {}).items():
            pin = self.pins[name] = Flag(closed)
            hub.board.contacts[name] = Contact(lambda pin=pin: pin.level, lambda: hub.ms & 0x3FFFFFFF)
        hub.tamper = TamperWatch(hub)
        self.live(5)
        return hub

    def live(self, seconds):
        for _ in range(seconds):
            self.hub.wait(1)
            self.hub.tamper.tick()

    def sent(self):
        return [(event, code) for to, event, code, _ in self.hub.letters.sent if to == "ADM"]


class ContactTest(Case):
    def contact(self, *edges):
        """Return a Contact after edges (ms, closed), the first of them its level at 0."""
        now = [0]
        pin = Flag(edges[0][1])
        contact = Contact(lambda: pin.level, lambda: now[0])
        for at, level in edges[1:]:
            now[0], pin.level = at, level
            contact.edge()
        return contact

    def test_a_level_must_last_a_tenth_of_a_second(self):
        contact = self.contact((0, True), (1000, False), (1099, True), (2000, True))
        self.assertEqual((contact.is_closed, contact.opened), (True, 0))
        contact = self.contact((0, True), (1000, False), (1100, True), (2000, True))
        self.assertEqual((contact.is_closed, contact.opened, contact.closed), (True, 1, 2))

    def test_bouncing_is_one_opening(self):
        edges = [(0, True), (500, False), (503, True), (510, False), (512, True), (520, False), (900, False)]
        contact = self.contact(*edges)
        self.assertEqual((contact.is_closed, contact.opened), (False, 1))

    def test_where_nobody_can_tell_nothing_is_told(self):
        contact = Contact(lambda: None)
        contact.look()
        self.assertEqual((contact.is_closed, contact.opened, contact.closed), (None, 0, 0))

    def test_the_overflow_of_the_ticks_is_no_bounce(self):
        wrap = 1 << 30
        contact = self.contact((wrap - 900, True), (wrap - 50, False), (60, True), (400, True))
        self.assertEqual((contact.is_closed, contact.opened), (True, 1))


class InputTest(Case):
    CODES = (("case", 0x8F3F), ("battery", 0x8F74), ("cover", 0x8F75), ("terminal", 0x8F77), ("terminal2", 0x8F78))

    def test_each_contact_has_its_code_and_is_told_once(self):
        for name, code in self.CODES + (("magnet", 0x8F76),):
            good = name != "magnet"
            self.start({name: good})
            self.assertEqual(self.sent(), [])
            self.pins[name].level = not good
            self.live(50)
            self.assertEqual(self.sent(), [("tamper " + name, code)])
            self.pins[name].level = good
            self.live(59)
            self.assertEqual(len(self.sent()), 1)
            self.live(3)
            self.assertEqual(self.sent()[1:], [("tamper %s ended" % name, 0)])
        self.assertEqual(len(self.hub.names("security")), 12)
        self.assertEqual(self.hub.names("event"), [])

    def test_an_opening_between_two_looks_is_told(self):
        hub = self.start({"cover": True})
        contact = hub.board.contacts["cover"]
        for ms, level in ((200, False), (320, True)):
            hub.ms += ms
            self.pins["cover"].level = level
            contact.edge()
        self.live(60)
        self.assertEqual(self.sent(), [("tamper cover", 0x8F75)])
        self.live(1)
        self.assertEqual(self.sent()[1:], [("tamper cover ended", 0)])

    def test_a_contact_that_shakes_is_one_opening(self):
        hub = self.start({"cover": True})
        for _ in range(120):
            for level in (False, True):
                hub.ms += 300
                self.pins["cover"].level = level
                hub.board.contacts["cover"].edge()
            self.live(1)
        self.assertEqual(self.sent(), [("tamper cover", 0x8F75)])
        self.live(60)
        self.assertEqual(self.sent()[1:], [("tamper cover ended", 0)])

    def test_a_bounce_is_not(self):
        hub = self.start({"cover": True})
        for ms, level in ((200, False), (99, True)):
            hub.ms += ms
            self.pins["cover"].level = level
            hub.board.contacts["cover"].edge()
        self.live(5)
        self.assertEqual(self.sent(), [])

    def test_a_restart_tells_nothing_again_and_the_end_once(self):
        self.start({"cover": True})
        self.pins["cover"].level = False
        self.live(3)
        self.start({"cover": False})
        self.live(20)
        self.assertEqual(self.sent(), [])
        self.start({"cover": True})
        self.live(60)
        self.assertEqual(self.sent(), [("tamper cover ended", 0)])

    def test_one_that_was_opened_without_power_is_told_at_the_start(self):
        self.start({"cover": False})
        self.assertEqual(self.sent(), [("tamper cover", 0x8F75)])

    def test_a_bench_that_comes_late_is_no_interference(self):
        hub = Hub(self.folder, **{"tamper.inputs": ["cover"]})
        pin = Flag(False)
        hub.board.contacts["cover"] = Contact(lambda: pin.level, lambda: hub.ms & 0x3FFFFFFF)
        hub.tamper = TamperWatch(hub)
        self.hub = hub
        self.live(2)
        pin.level = True
        self.live(20)
        self.assertEqual(self.sent(), [])

    def test_a_contact_that_the_board_has_not_is_refused_by_name(self):
        hub = Hub(self.folder, **{"tamper.inputs": ["cover"]})
        TamperWatch(hub).tick()
        entry = hub.journal.last("event", 1)[0]
        self.assertEqual((entry.name, entry.detail), ("SETTING_REFUSED", "tamper.inputs the board has no cover"))


class FailureTest(Case):
    def fail(self, times, each_s=1):
        for _ in range(times):
            self.hub.journal.add("security", "NOT_AUTHENTIC", "command")
            self.live(each_s)

    def test_ten_within_an_hour_are_told_once(self):
        self.start()
        self.fail(9)
        self.assertEqual(self.sent(), [])
        self.fail(60)
        self.assertEqual(self.sent(), [("tamper authentication", 0x8F3D)])
        self.live(3500)
        self.assertEqual(len(self.sent()), 1)
        self.live(200)
        self.assertEqual(self.sent()[1:], [("tamper authentication ended", 0)])

    def test_ten_in_two_hours_are_not(self):
        self.start()
        self.fail(20, 420)  # nine within any hour
        self.assertEqual(self.sent(), [])

    def test_how_many_is_the_owners_to_say(self):
        self.start(**{"tamper.failed": 3})
        self.fail(3)
        self.assertEqual(len(self.sent()), 1)


class MeterTest(Case):
    def test_a_silent_meter_is_told_and_that_it_is_back(self):
        hub = self.start()
        hub.journal.add("event", "METER_SILENT", "p1")
        self.live(1)
        hub.journal.add("event", "METER_SILENT", "heat")
        hub.journal.add("event", "meter is back", "p1")
        self.live(1)
        said = ["tamper meter silent", "tamper meter silent", "tamper meter silent ended"]
        self.assertEqual([event for event, _ in self.sent()], said)
        self.assertEqual([entry.detail for entry in hub.journal.after("security", 0)], ["p1", "heat", "p1"])
        self.assertEqual(list(hub.tamper.active), ["meter silent heat"])

    def test_a_total_that_goes_down_is_told_for_a_day(self):
        hub = self.start()
        hub.journal.add("event", "REGISTER_BACKWARD", "gas 0-1:24.2.1")
        hub.journal.add("event", "REGISTER_BACKWARD", "p1 1-0:1.8.1")
        hub.journal.add("event", "REGISTER_BACKWARD", "p1 1-0:1.8.2")
        self.live(1)
        self.assertEqual(self.sent(), [("tamper meter backward", 0x8F3F)])
        hub.wait(86000)
        self.live(1)
        self.assertEqual(len(self.sent()), 1)
        hub.wait(500)
        self.live(1)
        self.assertEqual(self.sent()[1:], [("tamper meter backward ended", 0)])

    def test_export_where_none_is_expected(self):
        hub = self.start(**{"tamper.no_export": True})
        registers = hub.meters[0].registers
        registers.power_w = -200
        self.live(59)
        self.assertEqual(self.sent(), [])
        registers.power_w = 0
        self.live(1)
        registers.power_w = -200
        self.live(59)
        self.assertEqual(self.sent(), [])
        self.live(60)
        self.assertEqual(self.sent(), [("tamper export", 0x8F3F)])
        registers.power_w = 300
        self.live(61)
        self.assertEqual(self.sent()[1:], [("tamper export ended", 0)])

    def test_export_is_nobodys_business_otherwise(self):
        hub = self.start()
        hub.meters[0].registers.power_w = -200
        self.live(100)
        self.assertEqual(self.sent(), [])

    def test_what_is_old_is_no_export(self):
        hub = self.start(**{"tamper.no_export": True})
        hub.meters[0].registers.power_w = -200
        hub.meters[0].is_old = True
        self.live(100)
        self.assertEqual(self.sent(), [])


if __name__ == "__main__":
    unittest.main()
