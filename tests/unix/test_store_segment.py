"""One file of the load profile: records that have a right CRC and still must not count, and the window on the file."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from store_folder import fresh, remove, write

from meterhub.codec import varint
from meterhub.codec.crc import crc16_arc
from meterhub.codec.load_profile import Column
from meterhub.store import segment
from meterhub.store.window import Window

COLUMNS = [Column("1-0:1.8.0", 0, 30), Column("0-1:24.2.1", -3, 13)]
HEAD = segment.header(COLUMNS, 1800)
INDEX = 970000


def anchor(index, value, quality=1):
    return segment.pack_record(HEAD, index, quality, (value, None), None, index - INDEX)


def step(index, value, quality=1):
    return segment.pack_record(HEAD, index, quality, (value, None), [value - 7, None], index - INDEX)


def sealed(raw, index):
    """Return a record of any content with the CRC that it has to have."""
    seed = HEAD[-2] | HEAD[-1] << 8
    crc = crc16_arc(raw, len(raw), crc16_arc(index.to_bytes(4, "little"), 4, seed))
    return bytes(raw) + crc.to_bytes(2, "little")


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = fresh()
        self.path = self.folder + "/f"

    def tearDown(self):
        remove(self.folder)


class SegmentTest(Case):
    def read(self, *parts):
        """Return (index, value) of each record of a file of these parts."""
        write(self.path, b"".join([bytes(part) for part in parts]))
        found = segment.Segment(self.path, HEAD)
        return [(index - INDEX, found.values[0]) for index in found.records(found.locate(0))]

    def test_steps_follow_their_anchor(self):
        parts = (HEAD, anchor(INDEX, 100), step(INDEX + 1, 107), step(INDEX + 2, 114))
        self.assertEqual(self.read(*parts), [(0, 100), (1, 107), (2, 114)])

    def test_the_header_says_what_the_file_holds(self):
        self.read(HEAD)
        found = segment.Segment(self.path, segment.header(COLUMNS[:1], 900))
        self.assertEqual((found.columns, found.interval_s, found.is_current), (COLUMNS, 1800, False))
        self.assertEqual(found.meters, ("", ""))

    def test_the_header_says_whose_registers_they_are(self):
        for meters in (("M1", "G" * 48), ("", "G1"), ("x" * 48,) * 8):
            columns = (COLUMNS * 4)[: len(meters)]
            head = segment.header(columns, 1800, meters)
            write(self.path, head)
            found = segment.Segment(self.path, head)
            self.assertEqual((found.columns, found.meters, found.is_current), (columns, meters, True))
            self.assertEqual((found.damaged, found.read_tail()), (0, False))

    def test_a_header_with_a_flipped_bit_or_a_byte_less_is_none(self):
        head = segment.header(COLUMNS, 1800, ("M1", "G" * 48))
        for n in range(len(head)):
            for raw in (head[:n], head[:n] + bytes((head[n] ^ 1 << n % 8,)) + head[n + 1 :]):
                write(self.path, raw)
                found = segment.Segment(self.path, HEAD)
                self.assertEqual((found.damaged, found.is_current, found.meters), (1, False, ("", "")))

    def test_without_ids_all_of_them_are_empty(self):
        self.assertEqual(segment.header(COLUMNS, 1800, ("", "")), HEAD)
        self.assertEqual((HEAD[4], HEAD[-4:-2]), (3, b"\0\0"))

    def test_records_of_one_meter_do_not_count_under_the_header_of_another(self):
        other = segment.header(COLUMNS, 1800, ("M2", ""))
        raw = segment.pack_record(other, INDEX, 1, (100, None), None, 0)
        self.assertEqual(self.read(other, raw), [(0, 100)])
        self.assertEqual(self.read(segment.header(COLUMNS, 1800, ("M1", "")), raw), [])

    def test_an_id_is_cut_to_what_a_header_can_hold(self):
        self.assertEqual(segment.meter_id("E0047 \n\xe9" + "7" * 60), "7" * 48)
        self.assertEqual(segment.meter_id("Kamstrup 1\0"), "Kamstrup1")

    def test_time_does_not_run_back_in_a_file(self):
        parts = (HEAD, anchor(INDEX + 5, 500), anchor(INDEX, 100), step(INDEX + 1, 107), anchor(INDEX + 9, 900))
        self.assertEqual(self.read(*parts), [(5, 500), (9, 900)])
        self.assertEqual(self.read(HEAD, anchor(INDEX, 100), anchor(INDEX, 100)), [(0, 100)])

    def test_a_step_without_an_anchor_before_it_does_not_count(self):
        self.assertEqual(self.read(HEAD, step(INDEX, 100), anchor(INDEX + 1, 107)), [(1, 107)])

    def test_a_step_does_not_count_in_another_place(self):
        parts = (HEAD, anchor(INDEX, 100), step(INDEX + 2, 114), step(INDEX + 1, 107))
        self.assertEqual(self.read(*parts), [(0, 100)])

    def test_a_record_of_an_unknown_kind_or_quality_does_not_count(self):
        for tag in (0x50, 0x54, 0x57, 0x61, 0xF1):
            odd = sealed(bytes((tag, 8, 0)), INDEX + 1)
            self.assertEqual(self.read(HEAD, anchor(INDEX, 100), odd), [(0, 100)])
        self.assertEqual(self.read(HEAD, anchor(INDEX, 100), sealed(b"\x51\x08\0", INDEX + 1)), [(0, 100), (1, 107)])

    def test_registers_that_stand_still_have_no_cell_at_the_end_of_a_step(self):
        columns = [Column("1-0:1.8.%d" % n, 0, 30) for n in range(8)]
        head = segment.header(columns, 1800)
        before = [None, 0] + [1000] * 6
        parts, wanted, sizes = [head], [], []
        rows = [tuple(before[: 8 - n]) + tuple([1001] * n) for n in range(9)] + [(None,) * 8, (5, 0) + (1000,) * 6]
        for i, row in enumerate(rows):
            index = INDEX + 2 * i
            raw = segment.pack_record(head, index, 1, tuple(before), None, 2 * i)
            step = segment.pack_record(head, index + 1, 2, row, before, 2 * i + 1)
            parts += [raw, step]
            wanted += [tuple(before), row]
            sizes.append(len(step))
        write(self.path, b"".join([bytes(part) for part in parts]))
        found = segment.Segment(self.path, head)
        got = [found.values for _ in found.records(found.locate(0))]
        self.assertEqual((got, found.damaged), (wanted, 0))
        self.assertEqual(sizes[:5], [4, 11, 11, 11, 11])
        self.assertEqual(sizes[-2:], [11, 4])

    def test_two_kinds_of_records_differ_in_two_bits(self):
        kinds = [0xA0] + list(b"\x50\x18\x28\x30\x48\x60\x88\x90")
        for i, kind in enumerate(kinds):
            for other in kinds[:i]:
                self.assertTrue(sum([(kind ^ other) >> n & 1 for n in range(8)]) >= 2)

    def test_a_step_with_more_registers_left_out_than_there_are_is_none(self):
        for raw, counts in ((b"\x19\x08", True), (b"\x29", True), (b"\x31", False), (b"\x91", False)):
            found = self.read(HEAD, anchor(INDEX, 100), sealed(raw, INDEX + 1))
            self.assertEqual(len(found), 1 + counts, raw)

    def test_an_index_beyond_32_bits_does_not_count(self):
        raw = bytearray(b"\xa1")
        varint.append(raw, 1 << 40)
        self.assertEqual(self.read(HEAD, bytes(raw) + b"\0" * 20, anchor(INDEX, 100)), [(0, 100)])

    def test_a_record_without_its_last_byte_does_not_count_even_where_that_was_zero(self):
        for value in range(100, 5000):
            raw = anchor(INDEX, value)
            if not raw[-1]:
                self.assertEqual(self.read(HEAD, raw[:-1]), [])
                return
        self.fail("no CRC that ends with a zero")

    def test_a_header_that_no_profile_can_have_is_none_even_with_a_right_crc(self):
        for offset, value in ((5, 0), (5, 9), (6, 0), (4, 0), (4, 1), (4, 4)):
            head = bytearray(segment.header(COLUMNS * 4, 256))[:-2]
            head[offset] = value
            if offset == 6:
                head[7] = 0
            if offset == 5:
                head = head[:8] + (b"\1\0\1\x08\0\xff\0\x1e" * value)
            write(self.path, bytes(head) + crc16_arc(head, len(head), 0xFFFF).to_bytes(2, "little"))
            found = segment.Segment(self.path, HEAD)
            self.assertEqual((found.damaged, found.is_current, found.columns), (1, False, COLUMNS))

    def test_locate_passes_over_nothing_that_is_wanted(self):
        with open(self.path, "wb") as file:
            file.write(HEAD)
            for n in range(30 * 48):
                file.write(step(INDEX + n, 7 * n) if n % 48 else anchor(INDEX + n, 7 * n))
        for wanted in range(0, 30 * 48, 5):
            found = segment.Segment(self.path, HEAD)
            first = next(found.records(found.locate(INDEX + wanted)))
            self.assertTrue(wanted - 200 < first - INDEX <= wanted)


class OlderTest(Case):
    """Files of the versions before: every step has all its cells, and the first version no ids."""

    def old(self, version, meters=("", "")):
        head = segment.header(COLUMNS, 1800, meters, version)
        seed = head[-2] | head[-1] << 8
        parts = [head, segment.pack_record(head, INDEX, 1, (100, 5), None, 0)]
        for n, cells in enumerate((b"\x51\x08\x01", b"\x52\x01\x01", b"\x51\x01\x00")):
            crc = crc16_arc(cells, len(cells), crc16_arc((INDEX + 1 + n).to_bytes(4, "little"), 4, seed))
            parts.append(cells + crc.to_bytes(2, "little"))
        return b"".join([bytes(part) for part in parts])

    def records(self, raw, expected):
        write(self.path, raw)
        self.found = segment.Segment(self.path, expected)
        return [self.found.values for _ in self.found.records(self.found.locate(0))]

    def test_they_are_read_and_not_added_to(self):
        for version, meters in ((1, ("", "")), (2, ("M1", "G1")), (2, ("", ""))):
            expected = segment.header(COLUMNS, 1800, meters)
            found = self.records(self.old(version, meters), expected)
            self.assertEqual(found, [(100, 5), (107, 5), (107, 5), (107, None)])
            self.assertEqual((self.found.is_current, self.found.meters, self.found.damaged), (False, meters, 0))

    def test_their_records_are_found_under_a_damaged_header(self):
        for version, meters in ((1, ("", "")), (2, ("M1", "G1"))):
            raw = bytearray(self.old(version, meters))
            raw[4] ^= 0x40
            found = self.records(raw, segment.header(COLUMNS, 1800, meters))
            self.assertEqual((len(found), found[0], found[-1][0]), (4, (100, 5), 107))

    def test_a_short_step_is_none_in_them(self):
        head = segment.header(COLUMNS, 1800, ("", ""), 1)
        raw = segment.pack_record(head, INDEX, 1, (100, 5), None, 0)
        short = segment.pack_record(head, INDEX + 1, 1, (107, 5), [100, 5], 1)
        self.assertEqual(self.records(head + raw + short, HEAD), [(100, 5)])


class WindowTest(Case):
    def test_it_shows_every_byte_at_every_offset(self):
        raw = bytes([n * 7 & 255 for n in range(300)])
        write(self.path, raw)
        window = Window(self.path, 32)
        for offset in (0, 10, 5, 299, 270, 280, 0, 31, 32):
            at = window.show(offset, 20)
            there = bytes(window.buf[at : min(at + 20, window.limit())])
            self.assertEqual(there, raw[offset : offset + 20])

    def test_more_than_the_buffer_holds_is_a_programmer_s_mistake(self):
        write(self.path, b"x" * 100)
        self.assertRaises(ValueError, Window(self.path, 32).show, 0, 33)

    def test_what_cannot_be_read_shows_as_zeros(self):
        write(self.path, b"x" * 100)
        window = Window(self.path, 32)
        window.show(0, 20)
        remove(self.path)
        at = window.show(50, 20)
        self.assertEqual((at, window.limit(), bytes(window.buf)), (0, 32, b"\0" * 32))

    def test_a_file_that_grew_is_seen_as_it_was(self):
        write(self.path, b"x" * 20)
        window = Window(self.path, 32)
        write(self.path, b"x" * 25)
        window.show(10, 20)
        self.assertEqual((window.end, window.limit()), (20, 10))


if __name__ == "__main__":
    unittest.main()
