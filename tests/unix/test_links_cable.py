"""The WAN tunnel: it opens when somebody bridges it, and what is damaged or late ends a connection, never the hub."""

import asyncio
import binascii
import unittest

from meterhub.errors import HubError
from meterhub.links.cable import Tunnel


def run(work):
    """Run a coroutine of a test; one that hangs fails."""
    return asyncio.run(asyncio.wait_for(work, 10))


class TunnelTest(unittest.TestCase):
    def setUp(self):
        self.said = []
        self.tunnel = Tunnel(self.said.append)
        self.tunnel.patience_s = 0.05

    async def opened(self):
        opening = asyncio.create_task(self.tunnel.open())
        await asyncio.sleep(0)
        await self.tunnel.take(b"open")
        return await opening

    async def refused(self):
        try:
            await self.tunnel.open()
        except HubError as err:
            return err.field
        self.fail("not refused")

    async def asked(self, times):
        while self.said.count("~open") < times:
            await asyncio.sleep(0.01)

    def sent(self):
        return b"".join([binascii.a2b_base64(line[1:]) for line in self.said if line not in ("~open", "~close")])

    def test_it_opens_when_the_bridge_says_so(self):
        async def work():
            reader, writer = await self.opened()
            writer.write(b"x" * 500)
            writer.write(b"y" * 500)
            await writer.drain()
            await self.tunnel.take(binascii.b2a_base64(b"hello"))
            return await reader.readexactly(2) + await reader.readexactly(3)

        self.assertEqual(run(work()), b"hello")
        self.assertEqual(self.sent(), b"x" * 500 + b"y" * 500)
        self.assertTrue(max([len(line) for line in self.said]) <= 1024)

    def test_nobody_there_is_said_once_and_then_waited_for(self):
        async def work():
            self.assertEqual(await self.refused(), "cable nobody bridges it")
            opening = asyncio.create_task(self.tunnel.open())
            await self.asked(3)
            asked = self.said.count("~open")
            self.tunnel.patience_s = 20  # from the next time on
            await self.asked(asked + 1)
            await self.tunnel.take(b"close")  # a bridge comes
            await self.asked(asked + 2)
            await self.tunnel.take(b"open")
            await opening

        run(work())

    def test_a_bridge_without_a_broker_is_named(self):
        async def work():
            opening = asyncio.create_task(self.refused())
            await asyncio.sleep(0)
            await self.tunnel.take(b"close")
            return await opening

        self.assertTrue(run(work()).startswith("cable the bridge"))

    def test_what_belongs_to_no_connection_is_dropped(self):
        async def work():
            await self.tunnel.take(b"open")
            await self.tunnel.take(binascii.b2a_base64(b"old"))
            await self.opened()
            await self.tunnel.take(binascii.b2a_base64(b"new"))
            return await self.tunnel.readexactly(3)

        self.assertEqual(run(work()), b"new")

    def test_a_line_waits_until_the_one_before_it_was_read(self):
        async def work():
            await self.opened()
            await self.tunnel.take(binascii.b2a_base64(b"one"))
            second = asyncio.create_task(self.tunnel.take(binascii.b2a_base64(b"two")))
            await asyncio.sleep(0)
            self.assertFalse(second.done())
            self.assertEqual(await self.tunnel.readexactly(6), b"onetwo")
            await second

        run(work())

    def test_the_end_of_the_connection_ends_what_waits_for_it(self):
        async def work():
            for end in (b"close", b"A"):
                await self.opened()
                await self.tunnel.take(binascii.b2a_base64(b"half"))
                reading = asyncio.create_task(self.ended(self.tunnel.readexactly(8)))
                await self.tunnel.take(end)
                self.assertTrue(await reading)
                self.tunnel.write(b"late")
                self.assertTrue(await self.ended(self.tunnel.drain()))

        run(work())
        self.assertEqual(self.said, ["~open", "~open", "~close"])  # the host is told of bytes that are no base64

    def test_who_waits_to_hand_over_a_line_goes_on_when_the_connection_ends(self):
        async def work():
            await self.opened()
            await self.tunnel.take(binascii.b2a_base64(b"one"))
            second = asyncio.create_task(self.tunnel.take(binascii.b2a_base64(b"two")))
            await asyncio.sleep(0)
            self.tunnel.close()
            await second

        run(work())

    async def ended(self, waiting):
        try:
            await waiting
        except EOFError:
            return True
        return False


if __name__ == "__main__":
    unittest.main()
