"""An applet that nobody needs any more returns, so that it can be let go; while a request is open it stays."""

import asyncio
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from export_bench import Hub, Recipient


class LetGoTest(unittest.TestCase):
    def setUp(self):
        self.hub = Hub(3)
        self.hub.export.idle_s = 1

    def returns(self, within_s=30):
        try:
            asyncio.run(asyncio.wait_for(self.hub.export.run(), within_s))
            return True
        except asyncio.TimeoutError:
            return False

    def test_it_returns_when_nothing_is_asked(self):
        self.assertTrue(self.returns())

    def test_it_serves_what_came_before_it_returns(self):
        self.hub.export.post(b"x")
        self.assertTrue(self.returns())
        self.assertEqual(self.hub.journal.names("security"), ["MALFORMED"])

    def test_it_stays_while_a_request_is_open(self):
        recipient = Recipient(self.hub, "server")
        self.hub.turn(recipient.request("link"))
        self.assertFalse(self.returns(2.5))
        self.assertEqual(self.hub.export._open.state, "asked")


if __name__ == "__main__":
    unittest.main()
