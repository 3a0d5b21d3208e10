"""Private billing on the hub: which tariff a batch names."""

import hashlib
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from billing_bench import DAY, START, STEP, Case

from meterhub.store import tariffs

HOURS = range(25)


class TariffsTest(Case):
    def keep(self, name, since, raw):
        self.hub.record(name).save(tariffs.blob(tariffs.Kept(since, "kid", 1, raw)))

    def test_the_batch_has_the_tariff_that_was_in_force_when_its_day_began(self):
        self.read(range(97))
        one, two, three = [hashlib.sha256(raw).digest() for raw in (b"one", b"two", b"three")]
        self.keep(tariffs.IN_FORCE, START - 500 * STEP, b"one")
        (first,) = self.work(24)
        self.keep(tariffs.OLD, START - 500 * STEP, b"one")
        self.keep(tariffs.IN_FORCE, START + 25 * STEP, b"two")  # within the second day
        self.answer(first)
        (second,) = self.work(73)
        self.keep(tariffs.OLD, START + 25 * STEP, b"two")
        self.keep(tariffs.IN_FORCE, START + 72 * STEP, b"three")  # as the fourth begins
        self.answer(second)
        (third,) = self.work(74)
        self.boot()
        self.answer(third)
        (fourth,) = self.work(96)
        self.assertEqual([b.tariff for b in (first, second, third, fourth)], [one, one, two, three])
        self.assertEqual(self.hub.named("BILL_CHAIN"), [])

    def test_more_changes_than_can_be_kept_end_the_chain(self):
        self.read(HOURS)
        self.hub.wan.is_up = False
        for i in range(18):
            self.keep(tariffs.IN_FORCE, START + 24 * STEP * (i + 1), b"tariff %d" % i)
            self.work(24 * i + 25)
        self.assertEqual(self.hub.named("BILL_CHAIN"), ["ended before day %d: tariffs" % DAY])


if __name__ == "__main__":
    unittest.main()
