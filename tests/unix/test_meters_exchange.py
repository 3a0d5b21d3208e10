"""A meter is exchanged under the same line: from its telegrams to the intervals, the display's sums and an export."""

import asyncio
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from store_folder import flip, fresh, remove

from meterhub.applets.stream import Stream
from meterhub.codec import series
from meterhub.codec.calendar import seconds
from meterhub.codec.load_profile import EXCHANGED, MEASURED, MISSING, OPEN, Entry
from meterhub.codec.timezone import Zone
from meterhub.errors import HubError
from meterhub.household import Household
from meterhub.meters.intervals import IntervalRecorder
from meterhub.meters.periods import Periods
from meterhub.meters.reading import Reading
from meterhub.meters.registers import Registers
from meterhub.meters.units import unit
from meterhub.store.columns import column_of
from meterhub.store.profile import Profile

T = seconds(2025, 10, 9)  # midnight in UTC
STEP = 1800
DAY = 86400
IMPORT, GAS = "1-0:1.8.0", "0-1:24.2.1"
FIRST = {"A": 5_000_000, "B": 6_000_000, "G": 700_000, "H": 10}  # what each meter read at T; B more than A


class Clock:
    state = "meter"

    def now(self):
        return 0


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = fresh()
        self.ticks = 0
        self.boot()

    def tearDown(self):
        remove(self.folder)

    def boot(self):
        self.registers = Registers()
        self.profile = Profile(self.folder, [column_of(IMPORT), column_of(GAS)], STEP)
        self.recorder = IntervalRecorder(self.profile, Clock(), lambda: self.ticks)

    def hear(self, at, meter="A", gas="G"):
        """Take a telegram of the second T + at, as a hub does; return (channels, columns) that changed hands."""
        at += T
        told = [Reading(IMPORT, self.reads(meter, at), 0, "Wh", meter, 0, at)]
        told.append(Reading(GAS, self.reads(gas, at), -3, "m3", gas, 1, at))
        return self.take(at, told)

    def take(self, at, told):
        channels = self.registers.update(told)
        columns = self.profile.columns
        moved = self.recorder.set_meters(tuple([self.registers.meter_of(column.obis) for column in columns]), at)
        values = [self.registers.told(column.obis, column.scale, unit(column.unit), at) for column in columns]
        self.recorder.reading(at, tuple(values))
        return channels, moved

    def hear_from(self, start, stop, meter="A", gas="G", every=600):
        for at in range(start, stop + 1, every):
            self.hear(at, meter, gas)

    def exchange(self, at, meter="B", gas="G"):
        """Hear the first telegrams of another meter, a second apart, up to the one at `at`."""
        found = [self.hear(at + n, meter, gas) for n in (-2, -1, 0)]
        self.assertEqual(found[:2], [([], [])] * 2)
        return found[2]

    def reads(self, meter, at):
        return FIRST[meter] + (at - T) // 60

    def kept(self, *meters):
        """Return (number of the interval, quality, whose readings) of each that is kept."""
        found = []
        for entry in self.profile.read(T, T + 2 * DAY, meters or None):
            if entry.quality != MISSING:
                found.append(((entry.at - T) // STEP, entry.quality, self.whose(entry)))
        return found

    def whose(self, entry):
        shown = ""
        for value, meters in zip(entry.values, ("AB", "GH")):  # noqa: B905 - MicroPython has no strict=
            near = [m for m in meters if value is not None and abs(value - self.reads(m, entry.at)) < 30]
            shown += near[0] if near else "." if value is None else "?"
        return shown


class IntervalsTest(Case):
    def test_the_interval_of_the_exchange_is_the_new_meter_s(self):
        self.hear_from(0, 4000)
        self.assertEqual(self.exchange(4300), ([0], [0]))
        self.hear_from(4800, 9000, "B")
        quality = [EXCHANGED if n == 3 else MEASURED for n in range(6)]
        self.assertEqual(self.kept(), [(n, quality[n], ".G" if n < 3 else "BG") for n in range(6)])
        self.assertEqual(self.kept("A", "G"), [(n, quality[n], "AG" if n < 3 else ".G") for n in range(6)])

    def test_an_interval_that_had_ended_is_the_old_meter_s(self):
        for work in (lambda: self.recorder.set_meters(("B", "G"), T + 1900), lambda: self.exchange(1900)):
            self.tearDown()
            self.setUp()
            self.hear_from(0, 1790, every=10)
            work()
            self.assertEqual(self.kept("A", "G"), [(0, MEASURED, "AG"), (1, MEASURED, "AG")])
            self.assertEqual(self.kept(), [(0, MEASURED, ".G"), (1, MEASURED, ".G")])

    def test_what_the_old_meter_read_last_is_not_kept_as_the_new_one_s(self):
        self.hear_from(0, 1200)
        self.exchange(1230, "B", "H")
        self.ticks = 3600000
        self.recorder.close_stale(T + 4000)
        self.assertEqual(self.kept(), [(1, EXCHANGED, "BH")])
        self.assertEqual(self.kept("A", "G"), [(0, MEASURED, "AG")])

    def test_the_open_interval_has_nothing_of_the_old_meter(self):
        self.hear_from(0, 1200)
        self.recorder.set_meters(("B", "G"), T + 1201)
        self.assertEqual(self.recorder.open_entry(), Entry(T + STEP, OPEN, (None, self.reads("G", T + 1200))))
        self.recorder.set_meters(("B", "H"), T + 1202)
        self.assertEqual(self.recorder.open_entry(), None)

    def test_while_another_meter_is_in_doubt_nothing_is_kept_of_the_one_before(self):
        self.hear_from(0, 1200)
        self.hear_from(1800, 3000, "B")  # in no hurry: the third telegram comes in the next interval
        self.hear(3600, "B")
        self.assertEqual(self.kept("A", "G"), [(0, MEASURED, "AG"), (1, MEASURED, ".G"), (2, EXCHANGED, ".G")])
        self.assertEqual(self.kept(), [(0, MEASURED, ".G"), (1, MEASURED, ".G"), (2, EXCHANGED, "BG")])

    def test_a_sub_meter_s_exchange_leaves_the_others_alone(self):
        self.hear_from(0, 1200)
        self.assertEqual(self.exchange(1300, "A", "H"), ([1], [1]))
        self.hear_from(1800, 3600, "A", "H")
        self.assertEqual(self.kept(), [(0, MEASURED, "A."), (1, EXCHANGED, "AH"), (2, MEASURED, "AH")])

    def test_a_sub_meter_that_is_dead_for_an_hour_leaves_a_gap_and_goes_on(self):
        self.hear_from(0, 3600)
        for at in range(T + 4200, T + 7800, 600):
            dead = Reading(GAS, 0, 0, "", "", 1, -3600)
            self.take(at, [Reading(IMPORT, self.reads("A", at), 0, "Wh", "A", 0, at), dead])
        self.hear_from(7800, 10800)
        self.assertEqual(self.kept(), [(n, MEASURED, "A." if n in (3, 4) else "AG") for n in range(7)])

    def test_a_meter_exchanged_while_the_hub_was_off_is_told_at_once(self):
        self.hear_from(0, 3600)
        self.boot()
        self.assertEqual(self.hear(5000, "B"), ([], [0]))
        self.hear_from(5400, 7200, "B")
        quality = [EXCHANGED if n == 3 else MEASURED for n in range(5)]
        self.assertEqual(self.kept(), [(n, quality[n], ".G" if n < 3 else "BG") for n in range(5)])

    def test_where_the_old_meter_s_interval_cannot_be_kept_the_new_one_s_still_are(self):
        self.hear_from(0, 1790, every=10)
        self.profile._path += "/gone"
        self.assertRaises(HubError, self.recorder.set_meters, ("B", "G"), T + 1900)
        self.profile._path = self.folder
        self.assertEqual(self.profile.meters, ("B", "G"))
        self.recorder.reading(T + 3600, (self.reads("B", T + 3600), None))
        self.assertEqual(self.kept(), [(0, MEASURED, ".G"), (1, MEASURED, ".G"), (2, EXCHANGED, "B.")])

    def test_what_shows_only_when_the_meter_is_known_is_not_closed_again(self):
        self.hear_from(0, 3600)
        flip(self.folder + "/202510a.lp", 5)
        self.boot()
        self.hear(3610)
        self.hear_from(4200, 5400)
        self.assertEqual(self.kept(), [(n, MEASURED, "AG") for n in range(4)])


class House(Household):
    """A household that is told what a meter's registers hold, and no more of a hub."""

    journal = None

    def __init__(self):
        self._hub = self.model = self


class Told:
    """A meter of which only what it tells matters."""

    pulses = 0
    troubles = ()

    def __init__(self, registers, profile):
        self.registers, self.profile = registers, profile
        self.intervals = self.last = self
        self.kept = []

    def set_meters(self, _ids, _at):
        return []

    def reading(self, at, values):
        self.kept.append(values)
        return 0

    def note(self, at, values, _pulses):
        self.kept.append(values)


class HouseholdTest(Case):
    def taken(self, at, *told):
        """Return what the intervals, the last values and the display get of a telegram."""
        self.registers.update(list(told))
        house, meter = House(), Told(self.registers, self.profile)
        house._keep(meter, at)
        house._note_last(meter, at)
        house._show_power(self.registers)
        return meter.kept + [(house.import_wh, house.export_wh)]

    def test_a_number_in_another_unit_is_not_taken_for_a_register(self):
        told = [Reading(obis, 700, 0, "", "A", 0, T) for obis in (IMPORT, "1-0:2.8.0", GAS)]
        self.assertEqual(self.taken(T, *told), [(None, None), {}, (None, None)])
        told = [Reading(obis, 700, 0, "Wh", "A", 0, T) for obis in (IMPORT, "1-0:2.8.0")]
        self.boot()
        self.assertEqual(self.taken(T, *told), [(700, None), {IMPORT: 700}, (700, 700)])

    def test_an_old_reading_is_not_kept_again_as_the_one_of_now(self):
        found = self.taken(T, Reading(IMPORT, 5, 0, "Wh", "A", 0, T), Reading(GAS, 7, -3, "m3", "G", 1, T - 7201))
        self.assertEqual(found, [(5, None), {IMPORT: 5, GAS: 7}, (5, None)])


class PeriodsTest(Case):
    def test_no_sum_spans_an_exchange(self):
        periods = Periods(self.profile, Zone("UTC0"), 0)
        self.hear_from(0, DAY + 3600)
        now = T + DAY + 3600
        self.assertEqual(periods.sums(now, self.registers.value(IMPORT))[:2], (60, 1440))
        self.exchange(DAY + 3700)
        found = periods.sums(now + 100, self.registers.value(IMPORT))
        self.assertEqual(found, (None, None, None, None))
        self.hear_from(DAY + 3800, 2 * DAY + 600, "B")
        found = periods.sums(T + 2 * DAY + 600, self.registers.value(IMPORT))
        self.assertEqual(found[:2], (10, None))


class NoKeys:
    chunks = 0


class ExportTest(Case):
    def stream(self, res="half-hour", regs=(IMPORT, GAS)):
        stop = T + 3 * DAY
        return Stream(self.profile, self.recorder.open_entry(), Zone("UTC0"), list(regs), T, stop, res)

    def chunk(self, stream, seq):
        """Return the base and the entries of a chunk."""
        _, _, start, base, entries = series.unpack(asyncio.run(stream.pack(seq)))
        return [Entry(start, MEASURED, base)] + entries

    def history(self):
        self.hear_from(0, DAY + 3000)
        self.exchange(DAY + 3300)
        self.hear_from(DAY + 3600, 3 * DAY, "B")

    def test_an_export_over_an_exchange_is_whole_and_of_the_new_meter_only(self):
        self.history()
        stream = self.stream()
        self.assertEqual((stream.chunks, stream.entries), (2, 144))
        for seq, count in enumerate((128, 16)):
            entries = self.chunk(stream, seq)
            self.assertEqual(len(entries), count + 1)
            for i, entry in enumerate(entries):
                n = seq * 128 + i
                self.assertEqual((entry.at, self.whose(entry)), (T + n * STEP, "BG" if n > 49 else ".G"))
        self.assertEqual(stream.present, 144)

    def test_who_proves_a_bill_gets_the_old_meters_readings_too(self):
        self.history()
        stream = self.stream()
        stream.with_keys(NoKeys)
        found = self.chunk(stream, 0) + self.chunk(stream, 1)[1:]
        for n, entry in enumerate(found):
            self.assertEqual((entry.at, self.whose(entry)), (T + n * STEP, "BG" if n > 49 else "AG"))
        self.assertEqual((found[49].quality, found[50].quality), (MEASURED, EXCHANGED))

    def test_where_nothing_is_left_it_is_missing(self):
        self.history()
        stream = self.stream(regs=(IMPORT,))
        entries = self.chunk(stream, 0)[1:] + self.chunk(stream, 1)[1:]
        self.assertEqual([entry.quality for entry in entries], [MISSING] * 49 + [EXCHANGED] + [MEASURED] * 94)
        self.assertEqual(stream.present, 95)

    def test_days_over_an_exchange(self):
        self.history()
        entries = self.chunk(self.stream("day"), 0)
        self.assertEqual([self.whose(entry) for entry in entries], [".G", ".G", "BG", "BG"])

    def test_an_exchange_while_it_is_sent_changes_nothing_of_it(self):
        self.hear_from(0, 3 * DAY)
        stream = self.stream()
        before = asyncio.run(stream.pack(0))
        self.exchange(3 * DAY + 60)
        self.assertEqual(asyncio.run(stream.pack(0)), before)
        self.assertEqual([self.whose(entry) for entry in self.chunk(stream, 1)], ["AG"] * 17)


if __name__ == "__main__":
    unittest.main()
