"""The token bucket: so many at once, then one every so often, and all of them again after weeks without a question."""

import unittest

from meterhub.applets import bucket
from meterhub.applets.bucket import Bucket


class BucketTest(unittest.TestCase):
    def setUp(self):
        self.ms = 0x3FFFFFFF - 500  # the ticks are about to wrap
        self._now_ms, bucket.now_ms = bucket.now_ms, lambda: self.ms & 0x3FFFFFFF

    def tearDown(self):
        bucket.now_ms = self._now_ms

    def taken(self, one):
        return [one.take() for _ in range(4)].count(True)

    def test_so_many_at_once_and_then_one_every_so_often(self):
        one = Bucket(3, 1000)
        self.assertEqual(self.taken(one), 3)
        for waited_ms, found in ((999, 0), (1, 1), (2500, 2), (500, 1), (60000, 3)):
            self.ms += waited_ms
            self.assertEqual(self.taken(one), found)

    def test_after_weeks_without_a_question_all_of_them(self):
        one = Bucket(3, 1000)
        for days in (0, 5, 7, 11, 15):
            self.ms += days * 86400000
            self.assertEqual(self.taken(one), 3)

    def test_what_was_well_spent_comes_back_and_no_more(self):
        one = Bucket(3, 1000)
        one.take()
        for _ in range(2):
            one.give_back()
        self.assertEqual(self.taken(one), 3)


if __name__ == "__main__":
    unittest.main()
