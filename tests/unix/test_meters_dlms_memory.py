"""The DLMS decoder's memory, and what hostile bytes cost: nothing raises, nothing is believed that is not right."""

import gc
import random
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

import micropython
from dlms_samples import (
    AUTH_KEY,
    GOOD,
    KEY,
    LLC,
    TRUTH,
    blocks,
    ciphered,
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

from meterhub.meters.dlms import DLMSDecoder
from meterhub.meters.dlms_raw import RawDLMSDecoder

FRAME = hdlc(LLC + GOOD)


class MemoryTest(unittest.TestCase):
    def setUp(self):
        self.dlms = None
        gc.collect()
        self.dlms = DLMSDecoder(KEY, AUTH_KEY)

    def test_part_of_a_frame_allocates_nothing(self):
        for frame in (FRAME, mbus(GOOD)[0]):
            feed(self.dlms, frame)
            pieces = []
            for pos in range(0, len(frame) - 40, 32):
                pieces.append(frame[pos : pos + 32])
            nothing = bytearray(32)
            micropython.heap_lock()
            try:
                for piece in pieces:
                    self.dlms.feed(piece, 32)
                self.dlms.feed(nothing, 3)
            finally:
                micropython.heap_unlock()
            feed(self.dlms, bytes(2050))

    def test_nothing_grows_while_names_titles_and_blocks_keep_changing(self):
        for n in range(150):
            if not n % 10:
                gc.collect()
            data = notification(struct(struct(name(n, 8), u32(5), scaled(0, 30))))
            feed(self.dlms, hdlc(LLC + ciphered(data, n + 1, title=bytes((n,)) * 8)))
            feed(self.dlms, hdlc(blocks(data, 10)[1 + n % 2]))
        self.assertTrue(len(self.dlms._apdus._lists._names._known) <= 48)
        self.assertTrue(len(self.dlms.envelope.counters) <= 4)

    def test_blocks_without_end_are_dropped(self):
        for n in range(2, 66):
            feed(self.dlms, hdlc(b"\xe0\x00" + bytes((0, n, 0, 0, 0x81, 200)) + bytes((n,)) * 200))
        self.assertTrue(self.dlms._apdus._size <= 2048)
        self.assertTrue(self.dlms.errors["too long"] >= 1)
        self.assertEqual(len(feed(self.dlms, FRAME)), 1)

    def test_hostile_headers_end(self):
        header = hdlc(bytes(2000))[:9]  # a right header, and no more
        for raw in (b"\x7e" * 4000, b"\x68" * 4000, b"\x7e\xa0" * 2000, b"\x7e\xa7\xff" * 1400, header * 450):
            feed(self.dlms, raw, 64)
            feed(self.dlms, bytes(2050))
            self.assertEqual(len(feed(self.dlms, FRAME)), 1)

    def test_structures_without_end(self):
        for data in (
            b"\x02\x01" * 400,
            b"\x01\xff" * 400,
            b"\x02\x84\xff\xff\xff\xff",
            b"\x02\x82\x03\xe8" + bytes(999),
        ):
            self.assertEqual(len(feed(self.dlms, hdlc(LLC + notification(data)))), 0)
        self.assertEqual(sum(self.dlms.errors.values()), 4)

    def mutated(self, good, chance):
        raw = bytearray(good)
        for _ in range(1 + chance.getrandbits(2)):
            at = chance.getrandbits(12) % len(raw)
            what = chance.getrandbits(3)
            if what == 0:
                raw = raw[:at] + raw[at + 1 + chance.getrandbits(3) :]
            elif what == 1:
                raw = raw[:at] + b"\x7e" + raw[at:]
            elif what == 2:
                raw = raw[:at] + raw[: chance.getrandbits(6)] + raw[at:]
            else:
                raw[at] = chance.getrandbits(8)
            raw = raw or bytearray(1)
        return bytes(raw)

    def test_mutated_frames_never_raise_and_never_give_another_value(self):
        random.seed(6)
        plain = FRAME + segments(LLC + GOOD, 90)
        for n in range(1500):
            for telegram in feed(self.dlms, self.mutated(plain, random), 50):
                self.assertEqual([tuple(r) for r in telegram.readings], TRUTH, n)
            if not n % 50:
                self.dlms.silence()
        self.dlms.silence()
        self.assertEqual(len(feed(self.dlms, FRAME)), 1)

    def test_mutated_data_under_good_sums_never_raise(self):
        random.seed(7)
        raw = RawDLMSDecoder(KEY)
        for n in range(1500):
            changed = self.mutated(GOOD, random)
            feed(self.dlms, hdlc(LLC + changed) if n & 1 else b"".join(mbus(changed)))
            self.dlms.read_apdu(changed)
            feed(raw, changed, 30)
            if not n % 20:
                gc.collect()
                for block in blocks(self.mutated(ciphered(GOOD, n + 1), random), 90):
                    feed(self.dlms, hdlc(self.mutated(block, random)))
                raw.silence()
        self.assertTrue(len(self.dlms.errors) < 16)


if __name__ == "__main__":
    unittest.main()
