"""Private billing on the hub: which registers the batches are of."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from billing_bench import EXPORT, IMPORT, REGS, START, STEP, Case

HOURS = range(25)


class LookTest(Case):
    def test_registers_that_the_profile_does_not_have_are_told(self):
        self.read(HOURS)
        self.boot((EXPORT,))
        self.assertEqual(self.work(24), [])
        self.assertEqual(self.hub.named("BILL_CHAIN"), ["NOT_AVAILABLE regs"])
        self.assertEqual(self.due, START + 48 * STEP)


class ExportedTest(Case):
    columns = (IMPORT, EXPORT)

    def test_what_is_fed_in_is_committed_to_as_well(self):
        self.read(range(0, 25, 3))
        (batch,) = self.work(24)
        self.assertTrue(batch.exports and len(batch.energy(True)) == 8)
        self.assertNotEqual(batch.energy(), batch.energy(True))
        self.assertEqual(self.hub.consents.bill()["regs"], REGS + ["1-0:2.8.0"])


if __name__ == "__main__":
    unittest.main()
