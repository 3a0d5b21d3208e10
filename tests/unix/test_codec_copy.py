"""Copying between buffers: the native twin against the specification, and that nothing is allocated."""

import unittest

import micropython

from meterhub.codec import copy


class CopyTest(unittest.TestCase):
    def test_both_twins_do_what_the_specification_does(self):
        raw = bytes(range(60))
        for at, pos, n in ((0, 0, 0), (0, 0, 60), (3, 5, 1), (63, 59, 1), (4, 0, 60), (10, 20, 30)):
            expected, found = bytearray(64), bytearray(64)
            copy._copy_py(expected, at, raw, pos, n)
            copy.copy(found, at, raw, pos, n)
            self.assertEqual(found, expected)
            copy.copy(memoryview(found)[:], at, memoryview(raw), pos, n)
            self.assertEqual(found, expected)

    def test_nothing_is_allocated(self):
        to, raw = bytearray(64), bytes(range(64))
        take = copy.copy
        micropython.heap_lock()
        try:
            take(to, 0, raw, 0, 64)
        finally:
            micropython.heap_unlock()
        self.assertEqual(to, raw)


if __name__ == "__main__":
    unittest.main()
