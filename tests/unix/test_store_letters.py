"""Letters on flash: none is lost before its receipt, and no number is given twice, wherever the power is cut."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from store_cuts import Cut, Flash
from store_folder import flip, fresh, read, remove, write

from meterhub.store import files
from meterhub.store.letters import MOST_CONTENT, Letters

AT = 1790000000


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = fresh()
        self.told, self.damaged = [], []
        self.box = self.start()

    def tearDown(self):
        remove(self.folder)

    def start(self, most=40):
        """Power on."""
        return Letters(self.folder + "/letters", self.told.append, self.damaged.append, most)

    def put(self, n=1, lane=1):
        return [self.box.put("kid", b"letter %d" % i, AT, lane) for i in range(n)][-1]

    def names(self):
        return files.names(self.folder + "/letters")


class KeptTest(Case):
    def test_what_is_put_is_there_in_order_also_after_a_start(self):
        self.assertEqual(self.box.waiting(), [])
        self.assertEqual([self.box.put("kid%d" % n, b"%d" % n, AT + n, n % 2) for n in (1, 2, 3)], [1, 2, 3])
        for box in (self.box, self.start()):
            self.assertEqual((box.waiting(), box.last), ([1, 2, 3], 3))
            self.assertEqual(box.read(2), ("kid2", AT + 2, b"2"))
        self.assertEqual(self.damaged, [])

    def test_a_number_is_not_given_again_when_all_letters_are_gone(self):
        for n in (1, 2, 3):
            self.assertEqual(self.put(), n)
            self.box.remove(n)
            self.box = self.start()
            self.assertEqual((self.box.waiting(), self.box.last), ([], n))
            self.assertEqual(len(self.names()), 1)

    def test_letters_go_in_any_order(self):
        self.put(4)
        for n in (2, 4, 1, 3):
            self.box.remove(n)
            self.assertEqual(self.start().waiting(), self.box.waiting())
        self.assertEqual(self.start().last, 4)
        self.assertEqual(self.put(), 5)

    def test_what_is_too_long_is_refused(self):
        self.assertRaises(ValueError, self.box.put, "kid", bytes(MOST_CONTENT + 1), AT, 1)
        self.assertRaises(ValueError, self.box.put, "k" * 17, b"", AT, 1)
        self.assertEqual((self.box.waiting(), self.names()), ([], []))
        self.assertEqual(self.box.put("k" * 16, b"", 0, 0), 1)
        self.assertEqual(self.box.read(1), ("k" * 16, 0, b""))

    def test_a_letter_that_is_not_there_is_none(self):
        self.assertEqual(self.box.read(7), None)


class FullTest(Case):
    def test_the_oldest_of_lane_0_goes_first_and_of_lane_1_when_that_is_empty(self):
        self.box = self.start(4)
        for lane in (1, 0, 0, 1):
            self.put(1, lane)
        waiting = []
        for _ in range(4):
            self.put(1, 1)
            waiting.append(self.box.waiting())
        self.assertEqual(waiting, [[1, 3, 4, 5], [1, 4, 5, 6], [4, 5, 6, 7], [5, 6, 7, 8]])
        self.assertEqual(self.told, [2, 3, 1, 4])
        self.assertEqual(self.start(4).waiting(), [5, 6, 7, 8])


class DamageTest(Case):
    def test_a_damaged_letter_is_set_aside_and_told_once(self):
        self.put(3)
        name = self.folder + "/letters/100000002.ml"
        raw = read(name)
        for offset in range(0, len(raw), 3):
            flip(name, offset)
            self.assertEqual(self.start().read(2), None)
            self.assertEqual(self.damaged.pop(), name)
            self.assertEqual(self.start().waiting(), [1, 3])
            for aside in self.names():
                if aside.endswith(".bad"):
                    remove(self.folder + "/letters/" + aside)
            write(name, raw)
        for size in range(1, len(raw)):
            write(name, raw[:size])
            self.assertEqual(self.start().read(2), None)
            remove(name + ".bad")
        write(name, raw)
        self.assertEqual(self.start().read(2), ("kid", AT, b"letter 1"))

    def test_the_number_of_the_newest_letter_is_not_given_again_when_that_is_damaged(self):
        self.put(2)
        flip(self.folder + "/letters/100000002.ml", 9)
        self.box = self.start()
        self.assertEqual(self.box.read(2), None)
        self.box = self.start()
        self.assertEqual((self.box.waiting(), self.put()), ([1], 3))
        self.assertEqual(self.start().waiting(), [1, 3])

    def test_what_is_no_letter_is_left_alone(self):
        self.put(1)
        for name in ("readme", "2000000ff.ml", "1zzzzzzzz.ml", "10000ff.ml"):
            write(self.folder + "/letters/" + name, b"x")
        self.box = self.start()
        self.assertEqual((self.box.waiting(), self.put()), ([1], 2))


class CutTest(Case):
    def test_wherever_the_power_is_cut_what_was_kept_is_there_and_no_number_comes_twice(self):
        """Put, received, put, ...: after each cut go on, and look at every number that has ever been given."""
        cuts = 0
        for torn in (False, True):
            for changes in range(60):
                self.tearDown()
                self.setUp()
                self.box = self.start(3)
                kept, given = [], []
                try:
                    with Flash(changes, torn):
                        self.live(kept, given)
                    break
                except Cut:
                    cuts += 1
                self.box = self.start(3)
                found = self.box.waiting()
                for n in kept:
                    self.assertTrue(n in found or self.doubt == n, (changes, kept, found))
                for n in found:
                    self.assertTrue(n in kept or self.doubt in (n, "put"), (changes, kept, found))
                    self.assertEqual(self.box.read(n)[2], b"letter 0")
                self.assertEqual(self.damaged, [])
                number = self.put()
                self.assertTrue(number > max(given + found + [0]), (changes, given, found, number))
            self.assertTrue(10 < changes < 59)
        self.assertTrue(cuts > 20)

    def live(self, kept, given):
        """Put letters and receive some; what is in doubt while the power goes is `doubt`."""
        for step in ("put", "put", 2, "put", 1, 3, "put", "put", "put", "put", 7):
            self.doubt = step
            if step != "put":
                self.box.remove(step)
                kept.remove(step)
                continue
            if len(kept) == 3:
                self.doubt = min(kept)  # it gives way
            given.append(self.put_one(kept))
            kept.append(given[-1])

    def put_one(self, kept):
        number = self.box.put("kid", b"letter 0", AT, 1)
        if len(kept) == 3:
            kept.remove(min(kept))
        return number


if __name__ == "__main__":
    unittest.main()
