"""Tasks are kept alive, whatever befalls them."""

import asyncio
import unittest

from meterhub import supervise


class Journal:
    def __init__(self, fails=None):
        self.told = []
        self.fails = fails

    def add(self, kind, name, detail):
        if self.fails is not None:
            raise self.fails
        self.told.append((kind, name, detail))


class Service:
    """Fails as often as it is told to, then returns."""

    def __init__(self, *errors):
        self.errors = list(errors)
        self.starts = 0

    async def __call__(self):
        self.starts += 1
        if self.errors:
            raise self.errors.pop(0)


class SuperviseTest(unittest.TestCase):
    def setUp(self):
        self.waits = []
        self.usual = asyncio.sleep

        async def sleep(seconds):
            self.waits.append(seconds)

        asyncio.sleep = sleep  # pyright: ignore

    def tearDown(self):
        asyncio.sleep = self.usual

    def run_it(self, service, journal):
        coroutine = supervise.supervise("p1", service, journal)
        try:
            while True:
                coroutine.send(None)
        except StopIteration:
            pass

    def test_a_failure_is_journalled_by_its_kind_and_the_service_starts_again(self):
        service, journal = Service(ValueError("from outside"), OSError(5)), Journal()
        self.run_it(service, journal)
        self.assertEqual(service.starts, 3)
        self.assertEqual(
            journal.told, [("event", "EXECUTE_FAILED", "p1 " + kind) for kind in ("ValueError", "OSError")]
        )

    def test_the_pauses_grow_and_end_at_five_minutes(self):
        self.run_it(Service(*[ValueError() for _ in range(11)]), Journal())
        self.assertEqual(self.waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300])

    def test_who_has_run_well_for_ten_minutes_begins_with_a_short_pause_again(self):
        now = [0]
        usual, supervise.now_ms = supervise.now_ms, lambda: now[0] & 0x3FFFFFFF
        errors = [600000, 600001, 5, 600001]  # how long it ran before each

        async def service():
            if errors:
                now[0] += errors.pop(0)
                raise ValueError()

        try:
            self.run_it(service, Journal())
        finally:
            supervise.now_ms = usual
        self.assertEqual(self.waits, [1, 1, 2, 1])

    def test_it_goes_on_without_the_memory_to_journal_it(self):
        service = Service(MemoryError())
        self.run_it(service, Journal(MemoryError()))
        self.assertEqual(service.starts, 2)


if __name__ == "__main__":
    unittest.main()
