"""What looks after private billing: nothing is loaded before it is wanted, and nothing stays when it is not."""

import asyncio
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from billing_bench import DAY, START, STEP, Case, batch_of, receipt

from meterhub import billing_desk, lazy


class DeskTest(Case):
    def setUp(self):
        super().setUp()
        self.read(range(0, 25, 8))
        self.tasks = []
        self.hub.start = lambda name, service: self.tasks.append(service)
        self.desk = billing_desk.BillingDesk(self.hub)
        box = self.desk._inbox._items

        async def take(ms):  # no receipt is waited for
            return box.pop(0) if box else None

        self.desk._inbox.take = take

    def tick(self, hour):
        """Let it be so many hours after START; do what is begun then."""
        now = self.hub.clock.at = START + hour * STEP
        self.desk.tick(now)
        tasks, self.tasks = self.tasks, []
        for task in tasks:
            asyncio.run(task())
        return len(tasks)

    def test_without_a_receipt_it_waits_longer_and_longer(self):
        waits = []
        for _ in range(8):
            now = START + 24 * STEP + sum(waits)
            self.assertEqual(self.tick(24 + sum(waits) / STEP), 1)
            waits.append(self.desk.due - now)
        self.assertEqual(waits, [60, 120, 240, 480, 960, 1920, 3600, 3600])

    def test_a_receipt_and_a_connection_are_looked_at_at_once(self):
        self.tick(24)
        batch = batch_of(self.hub.wan.posted[0])
        self.assertEqual(self.tick(24), 0)
        self.desk.connected()
        self.assertEqual(self.tick(24), 1)
        self.desk.receive(receipt(DAY, batch.digest()))
        self.assertEqual((self.tick(24), self.hub.chain().day), (1, DAY + 1))
        self.assertEqual(self.desk.due, START + 48 * STEP)

    def test_what_is_too_long_or_too_much_is_not_kept(self):
        self.desk.receive(b"x" * 1025)
        for _ in range(3):
            self.desk.receive(b"x")
        self.assertEqual(self.hub.refused(), ["OVERSIZED batch", "RATE_LIMITED batch"])

    def test_a_full_flash_is_told_and_it_comes_again(self):
        self.tick(1)

        def full(name):
            raise OSError(28)

        record, self.hub.record = self.hub.record, full
        self.assertEqual(self.tick(24), 1)
        self.assertEqual(self.hub.named("RECORD_FAILED"), ["billing"])
        self.assertEqual((self.desk.due, self.hub.wan.posted), (START + 25 * STEP, []))
        self.hub.record = record
        self.assertEqual((self.tick(25), len(self.hub.wan.posted)), (1, 1))

    def test_it_begins_nothing_twice_and_nothing_without_a_time(self):
        self.desk.tick(0)
        self.desk.tick(START + 24 * STEP)
        self.desk.connected()
        self.desk.tick(START + 24 * STEP)
        self.assertEqual(len(self.tasks), 1)

    def test_it_works_when_it_is_time_and_lets_go_what_it_has_loaded(self):
        lazy.let_go(lazy.parts(("store.tariffs", "trust.batches")))  # of what the bench has not
        kept = lazy.loaded()
        self.assertEqual((self.tick(1), self.tick(2)), (1, 0))
        self.assertEqual(self.desk.due, START + 24 * STEP)
        self.assertEqual(self.tick(24), 1)
        self.assertEqual((lazy.loaded(), len(self.hub.wan.posted)), (kept, 1))


if __name__ == "__main__":
    unittest.main()
