"""The DLMS push decoder's frames: HDLC, M-Bus, segments, blocks and envelopes, and which of them are believed."""

import gc
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from dlms_samples import (
    AUTH_KEY,
    GOOD,
    KEY,
    LLC,
    METER,
    TITLE,
    TRUTH,
    blocks,
    ciphered,
    described,
    feed,
    hdlc,
    mbus,
    name,
    notification,
    scaled,
    segments,
    struct,
    u32,
)

from meterhub.codec.crc import crc16_x25
from meterhub.meters.dlms import DLMSDecoder
from meterhub.meters.dlms_raw import RawDLMSDecoder

FRAME = hdlc(LLC + GOOD)


class Case(unittest.TestCase):
    def setUp(self):
        self.dlms = None
        gc.collect()  # fresh buffers for each test, in a small heap
        self.fresh()

    def fresh(self, *keys):
        self.dlms = None
        self.dlms = DLMSDecoder(*keys)

    def good(self, raw, size=0, times=1):
        """Assert that `raw` gives the sample's values so many times, and no error."""
        self.read(raw, size, times)
        self.assertEqual(self.dlms.errors, {})

    def read(self, raw, size=0, times=1):
        found = feed(self.dlms, raw, size)
        self.assertEqual(len(found), times, self.dlms.errors)
        for telegram in found:
            self.assertTrue([tuple(r) for r in telegram.readings] == TRUTH)

    def refused(self, raw, errors):
        self.assertEqual(len(feed(self.dlms, raw)), 0)
        self.assertEqual(self.dlms.errors, errors)


class HDLCTest(Case):
    def test_a_frame_gives_its_telegram(self):
        (telegram,) = feed(self.dlms, FRAME)
        self.assertEqual([tuple(r) for r in telegram.readings], TRUTH)
        self.assertEqual((telegram.meter, telegram.version), (METER, "ABCDE_V0001"))

    def test_addresses_of_one_two_and_four_bytes(self):
        for destination in (b"\x01", b"\x02\x01", b"\x00\x01", b"\x02\x04\x06\x09"):
            for source in (b"\x21", b"\x00\x01", b"\x02\x23", b"\x10\x20\x30\x41"):
                self.good(hdlc(LLC + GOOD, destination=destination, source=source))

    def test_an_address_that_does_not_end_is_none(self):
        self.refused(hdlc(LLC + GOOD, source=b"\x02\x02\x02\x02\x03"), {"garbage": 1})
        self.read(FRAME)

    def test_0x7e_inside_and_frames_back_to_back(self):
        inside = notification(described(struct(name(96, 9, a=0), b"\x0a\x05~~~~~")))
        self.good(hdlc(LLC + inside) * 3, times=3)
        self.good((FRAME[:-1]) * 3 + b"\x7e", times=3)  # one flag between two frames
        self.good(b"\x7e\x7e" + FRAME + b"\x7e\x7e", times=1)

    def test_a_flag_lost_to_noise_costs_no_frame(self):
        for noise in (0x00, 0x0A, 0x7F, 0xFF):
            for size in (0, 1):
                self.fresh()
                self.read(FRAME + bytes((noise,)) + FRAME[1:], size, times=2)
                self.assertEqual(self.dlms.errors, {"garbage": 1})

    def test_a_notification_without_llc(self):
        self.good(hdlc(GOOD) + FRAME, times=2)

    def test_0x7e_in_the_check_sums_and_sums_of_zero(self):
        seen = set()
        for n in range(65536):
            frame = hdlc(LLC + notification(struct(struct(name(1, 8), u32(n), scaled(0, 30)))))
            fcs = frame[-3:-1]
            if fcs == b"\x00\x00" or (0x7E in fcs and len(seen) < 40):
                seen.add(fcs)
                self.assertEqual([t.readings[0].value for t in feed(self.dlms, frame + frame)], [n, n])
                if len(seen) > 4:
                    break
        self.assertEqual(self.dlms.errors, {})

    def test_a_wrong_header_or_frame_sum_is_refused(self):
        for i in range(1, len(FRAME) - 1):
            raw = bytearray(FRAME)
            raw[i] ^= 0x10
            self.fresh()
            self.read(bytes(raw) + b"\x00" * 2050 + FRAME)
            self.assertTrue(self.dlms.errors)

    def test_what_is_no_notification_is_named(self):
        self.refused(hdlc(b"\xe6\xe7\x00\x61\x29\xa1"), {"unsupported APDU": 1})
        self.assertEqual(len(feed(self.dlms, FRAME)), 1)

    def test_a_frame_without_information_is_nothing(self):
        raw = b"\xa0\x07\x03\x21\x93"
        frame = b"\x7e" + raw + crc16_x25(raw, 5).to_bytes(2, "little") + b"\x7e"
        self.good(frame + FRAME)

    def test_segments_are_put_together(self):
        for size in (20, 50, 100, len(GOOD)):
            self.good(segments(LLC + GOOD, size))
            self.good(segments(LLC + GOOD, size) * 2, 33, times=2)

    def test_a_lost_segment_costs_its_telegram_only(self):
        frames = segments(LLC + GOOD, 60).split(b"\x7e\x7e")
        frames = [b"\x7e" + frame.strip(b"\x7e") + b"\x7e" for frame in frames]
        self.assertTrue(len(frames) >= 3)
        for lost in range(len(frames)):
            self.fresh()
            self.read(b"".join(frames[:lost] + frames[lost + 1 :] + frames))
            self.assertTrue(self.dlms.errors)

    def test_a_segment_with_a_wrong_sum_costs_its_telegram_only(self):
        frames = bytearray(segments(LLC + GOOD, 60))
        frames[100] ^= 1
        self.read(bytes(frames) + segments(LLC + GOOD, 60))
        self.assertTrue(self.dlms.errors.get("crc"))

    def test_a_frame_between_the_segments_of_another_ends_it(self):
        frames = segments(LLC + GOOD, 100)
        self.read(frames[:112] + FRAME)
        self.assertEqual(self.dlms.errors, {"truncated": 1})

    def test_segments_without_end_are_too_long(self):
        self.refused(segments(LLC + GOOD + bytes(3000), 200)[:2400], {"too long": 1})
        self.read(FRAME)


class MBusTest(Case):
    def test_one_frame(self):
        self.good(mbus(GOOD)[0])

    def test_a_telegram_over_several_frames(self):
        for size in (20, 60, 100):
            frames = mbus(GOOD, size)
            self.assertTrue(1 < len(frames) < 17)
            self.good(b"".join(frames) * 2, 7, times=2)

    def test_a_length_that_has_wrapped(self):
        long = notification(described(struct(name(96, 9, a=0), b"\x0a\x40" + b"x" * 64)))
        for extra in range(251, 256):
            frame = mbus(long, extra)
            n = len(frame[0]) - 6
            self.assertEqual(frame[0][1], n & 0xFF)
            self.good(b"".join(frame) * 2, times=2)

    def test_a_lost_or_doubled_frame_costs_its_telegram_only(self):
        frames = mbus(GOOD, 60)
        for lost in range(len(frames)):
            self.fresh()
            self.read(b"".join(frames[:lost] + frames[lost + 1 :] + frames))
            self.assertTrue(self.dlms.errors.get("truncated"))
        self.fresh()
        self.read(frames[0] + frames[1] + frames[1] + b"".join(frames))

    def test_a_wrong_sum_or_end_is_refused(self):
        for i, reason in ((-2, "crc"), (60, "crc"), (-1, "garbage")):
            raw = bytearray(mbus(GOOD)[0])
            raw[i] ^= 1
            self.fresh()
            self.refused(bytes(raw), {reason: 1})
            self.read(bytes(300) + mbus(GOOD)[0])

    def test_another_control_information_is_named(self):
        raw = b"\x08\x01\x72" + bytes(12)
        self.refused(b"\x68\x0f\x0f\x68" + raw + bytes((sum(raw) & 0xFF, 0x16)), {"unsupported CI": 1})


class BlockTest(Case):
    def frames(self, apdu, size=60):
        """Return the blocks in HDLC frames, with LLC in the first one only."""
        parts = blocks(apdu, size)
        return [hdlc((b"" if i else LLC) + parts[i]) for i in range(len(parts))]

    def test_blocks_in_order(self):
        for size in (30, 60, 127, 200):
            self.good(b"".join(self.frames(GOOD, size)) * 2, 50, times=2)

    def test_blocks_after_the_first_in_any_order(self):
        a, b, c = self.frames(GOOD, 70)[:3]
        self.assertEqual(len(self.frames(GOOD, 70)), 3)
        self.good(a + c + b)

    def test_a_doubled_block_is_one(self):
        frames = self.frames(GOOD, 70)
        for i in range(3):
            self.fresh()
            self.read(b"".join(frames[: i + 1] + frames[i:]))
            # the last one's double begins nothing that is believed
            self.read(b"".join(frames))

    def test_an_orphan_before_a_whole_transfer(self):
        old = self.frames(notification(described(struct(name(2, 8), u32(5), scaled(0, 30)))), 70)
        new = self.frames(GOOD, 70)
        for orphan in (old[1], old[2], old[1] + old[2], old[-1]):
            self.fresh()
            self.read(orphan + b"".join(new))

    def test_the_end_of_the_last_transfer_is_never_mixed_with_the_front_of_the_next(self):
        values = []
        for n in (1, 2):
            data = described(struct(name(2, 8), u32(n), scaled(0, 30)))
            values.append(self.frames(notification(data), 70))
        found = feed(self.dlms, values[0][-1] + b"".join(values[1][:-1]))
        self.assertEqual(len(found), 0)
        found = feed(self.dlms, values[1][-1])
        self.assertEqual([t.readings[-1].value for t in found], [2])
        self.assertEqual(self.dlms.errors, {"truncated": 1})

    def test_a_lost_block_costs_its_transfer_only(self):
        frames = self.frames(GOOD, 70)
        for lost in range(3):
            self.fresh()
            self.read(b"".join(frames[:lost] + frames[lost + 1 :]) + b"".join(frames), times=1)

    def test_ciphered_blocks_in_any_order_are_proved_by_their_tag(self):
        for i in range(6):
            self.fresh(KEY, AUTH_KEY)
            a, b, c = self.frames(ciphered(GOOD, i + 1), 70)[:3]
            order = ((a, b, c), (a, c, b), (b, a, c), (b, c, a), (c, a, b), (c, b, a))[i]
            self.good(b"".join(order))

    def test_a_stale_block_fails_the_tag_and_the_right_one_is_waited_for(self):
        self.fresh(KEY, AUTH_KEY)
        old = self.frames(ciphered(GOOD, 1), 70)
        new = self.frames(ciphered(GOOD, 2), 70)
        self.read(old[2] + b"".join(new))
        self.assertEqual(self.dlms.errors, {"truncated": 1})

    def test_bad_blocks_are_refused(self):
        self.refused(hdlc(b"\xe0\x40\x00\x00\x00\x00\x01\x0f"), {"garbage": 1})
        self.refused(hdlc(b"\xe0\x40\x01\x00\x00\x00\x01\x0f"), {"garbage": 1, "too long": 1})
        self.refused(hdlc(b"\xe0\x40\x00\x01\x00\x00\x09\x0f"), {"garbage": 1, "too long": 1, "truncated": 1})
        inner = blocks(GOOD, 500)[0]
        self.refused(hdlc(blocks(inner, 500)[0]), {"garbage": 2, "too long": 1, "truncated": 1})
        self.read(FRAME)


class EnvelopeTest(Case):
    def setUp(self):
        super().setUp()
        self.fresh(KEY, AUTH_KEY)

    def frame(self, counter=1, **more):
        return hdlc(LLC + ciphered(GOOD, counter, **more))

    def test_with_tag_without_tag_and_with_nothing_but_a_tag(self):
        for counter, control in ((1, 0x30), (3, 0x10), (4, 0x31)):
            self.good(self.frame(counter, control=control))
        for control in (0x20, 0x21, 0x30):
            self.fresh(KEY)
            self.good(self.frame(control=control))

    def test_a_tag_that_was_taken_off_is_missed(self):
        for control in (0x20, 0x21):
            self.fresh(KEY, AUTH_KEY)
            self.refused(self.frame(control=control), {"not authentic": 1})

    def test_over_m_bus_in_two_frames(self):
        self.good(b"".join(mbus(ciphered(GOOD), 100)))

    def test_no_key(self):
        self.fresh()
        self.refused(self.frame(), {"key missing": 1})

    def test_a_wrong_key_is_seen_with_and_without_a_tag(self):
        for counter, control in ((1, 0x30), (2, 0x20)):
            self.fresh(bytes(16), AUTH_KEY)
            self.refused(self.frame(counter, control=control), {"not authentic": 1})
            self.fresh(bytes(16))
            self.refused(self.frame(counter, control=control), {"not authentic": 1})

    def test_a_wrong_authentication_key(self):
        self.fresh(KEY, bytes(16))
        self.refused(self.frame(), {"not authentic": 1})

    def test_without_the_authentication_key_the_tag_is_not_looked_at(self):
        self.fresh(KEY)
        self.good(self.frame() * 2, times=2)

    def test_any_changed_bit_is_refused_and_moves_no_counter(self):
        apdu = ciphered(GOOD, 9)
        for i in range(2, len(apdu), 3):
            raw = bytearray(apdu)
            raw[i] ^= 0x40
            self.assertEqual(len(feed(self.dlms, hdlc(LLC + bytes(raw)))), 0, i)
        self.assertEqual(self.dlms.envelope.counters, {})
        self.read(hdlc(LLC + apdu))
        self.assertEqual(self.dlms.envelope.counters, {TITLE: 9})

    def test_a_replay_is_refused(self):
        self.good(self.frame(5))
        self.refused(self.frame(5) + self.frame(4) + self.frame(0), {"replay": 3})
        self.read(self.frame(6))
        self.read(self.frame(0xFFFFFFFF))  # a counter may jump

    def test_a_forged_counter_keeps_nobody_out(self):
        forged = bytearray(ciphered(GOOD, 1))
        at = 2 + 8 + 3
        forged[at : at + 4] = b"\xff\xff\xff\xff"
        self.refused(hdlc(LLC + bytes(forged)), {"not authentic": 1})
        self.read(self.frame(1))

    def test_another_meter_has_its_own_counter(self):
        self.good(self.frame(5) + self.frame(1, title=b"XYZ\x00\x00\x00\x00\x01"), times=2)

    def test_counters_can_be_kept_over_a_restart(self):
        self.dlms.envelope.counters = {TITLE: 100}
        self.refused(self.frame(100), {"replay": 1})
        self.read(self.frame(101))

    def test_other_suites_compression_and_no_protection_are_named(self):
        for control in (0x32, 0xB0, 0x00):
            apdu = bytearray(ciphered(GOOD, 1))
            apdu[12] = control
            self.fresh(KEY, AUTH_KEY)
            self.refused(hdlc(LLC + bytes(apdu)), {"unsupported security": 1})

    def test_lengths_that_lie(self):
        apdu = ciphered(GOOD, 1)
        for cut in (apdu[:9], apdu[:10], apdu[:20], apdu[:-1], apdu[:10] + b"\x04", apdu[:10] + b"\x05" + bytes(5)):
            found = feed(self.dlms, hdlc(LLC + cut))
            self.assertEqual(len(found), 0)
        self.read(self.frame())

    def test_the_systems_title_names_a_meter_that_does_not(self):
        data = struct(struct(name(1, 8), u32(7), scaled(0, 30)))
        (telegram,) = feed(self.dlms, hdlc(LLC + ciphered(notification(data))))
        self.assertEqual(telegram.meter, "ABC0000000007")


class StreamTest(Case):
    def test_pieces_of_any_size_make_no_difference(self):
        raw = b"\x00\xff\x7e" + FRAME * 2 + b"noise" + segments(LLC + GOOD, 70) + b"".join(mbus(GOOD, 90)) + FRAME
        self.read(raw, times=5)
        errors = dict(self.dlms.errors)
        for size in range(1, 65):
            self.fresh()
            self.read(raw, size, times=5)
            self.assertEqual(self.dlms.errors, errors)

    def test_a_frame_cut_anywhere_costs_no_other(self):
        for frame in (FRAME, mbus(GOOD)[0]):
            for cut in range(1, len(frame) - 1):  # the closing flag is not waited for
                self.fresh()
                self.read(frame[:cut] + frame, 64)
                self.fresh()
                self.read(frame[cut:] + frame + bytes(270), 64)

    def test_a_lost_byte_costs_one_frame(self):
        for lost in range(len(FRAME)):
            self.fresh()
            found = feed(self.dlms, FRAME[:lost] + FRAME[lost + 1 :] + FRAME + bytes(2050), 50)
            self.assertTrue(found and [tuple(r) for r in found[-1].readings] == TRUTH, lost)

    def test_silence_ends_what_was_begun(self):
        feed(self.dlms, segments(LLC + GOOD, 100)[:112])
        self.assertEqual(self.dlms.silence(), [])
        self.assertEqual(self.dlms.errors, {"truncated": 1})
        self.read(FRAME)
        self.read(b"\x68\x90\x90\x68" + FRAME[:40], times=0)
        self.assertEqual(self.dlms.silence(), [])
        self.read(FRAME)

    def test_silence_gives_what_stood_behind_a_false_start(self):
        self.assertEqual(len(feed(self.dlms, b"\x68\x02\x02\x68" + FRAME)), 0)
        found = self.dlms.silence()
        self.assertEqual([tuple(r) for r in found[0].readings], TRUTH)


class RawTest(Case):
    def fresh(self, *keys):
        self.dlms = None
        self.dlms = RawDLMSDecoder(*keys)

    def test_apdus_one_after_the_other(self):
        self.good((GOOD + LLC + GOOD) * 2, 37, times=4)

    def test_in_blocks_and_ciphered(self):
        self.good(b"".join(blocks(GOOD, 50)), 20)
        self.fresh(KEY, AUTH_KEY)
        self.good(ciphered(GOOD, 1) + ciphered(GOOD, 2), 20, times=2)

    def test_garbage_in_front(self):
        self.read(b"\x00\x01\x02" + GOOD)
        self.assertEqual(self.dlms.errors, {"garbage": 1})

    def test_one_apdu_at_once(self):
        self.assertEqual([tuple(r) for r in self.dlms.read_apdu(LLC + GOOD)[0].readings], TRUTH)
        self.assertEqual(self.dlms.read_apdu(b"\x0f"), [])
        self.assertEqual(self.dlms.errors, {"truncated": 1})


if __name__ == "__main__":
    unittest.main()
