"""The queue between tasks: bounded, and nothing is lost in it."""

import asyncio
import time
import unittest

from meterhub.applets.mailbox import Mailbox


class MailboxTest(unittest.TestCase):
    def test_items_come_out_in_order_and_what_does_not_fit_is_refused_and_counted(self):
        box = Mailbox(2)
        self.assertEqual([box.put(item) for item in "abc"], [True, True, False])
        self.assertEqual(box.discarded, 1)
        self.assertEqual([asyncio.run(box.take(0)) for _ in range(3)], ["a", "b", None])

    def test_an_item_wakes_who_waits_for_it(self):
        async def run():
            box = Mailbox(2)
            waiting = asyncio.create_task(box.take(5000))
            await asyncio.sleep(0)
            box.put("a")
            return await waiting

        self.assertEqual(asyncio.run(run()), "a")

    def test_what_comes_while_the_time_runs_out_is_not_left_in_the_box(self):
        """Who gets None may go away for good: it must not mean "nothing had come when the time was up"."""

        async def run(wait_ms):
            box = Mailbox(2)
            waiting = asyncio.create_task(box.take(wait_ms))
            for _ in range(3 if wait_ms else 1):
                await asyncio.sleep(0)  # until it waits
            time.sleep(2 * wait_ms / 1000)  # the time is up before anybody could be told of the item
            box.put("a")
            return await waiting

        for wait_ms in (0, 10):
            self.assertEqual(asyncio.run(run(wait_ms)), "a")


if __name__ == "__main__":
    unittest.main()
