"""The WAN link beside a broker of a few bytes: what ends the listening ends the connection, and is said."""

import asyncio
import unittest

from meterhub.links.wan import Wan

CONNACK = b"\x20\x02\x00\x00"
SUBACK = b"\x90\x03\x00\x01\x01"
TOPIC = b"meterhub/HUB/down/export"
PUBLISH = b"\x32" + bytes((4 + len(TOPIC) + 5, 0, len(TOPIC))) + TOPIC + b"\x00\x07hello"


class Stream:
    """Both directions of a connection whose other end has said `said`, and then nothing more."""

    def __init__(self, said):
        self._said = said
        self.sent = b""

    async def readexactly(self, n):
        while len(self._said) < n:
            await asyncio.sleep(0.01)
        found, self._said = self._said[:n], self._said[n:]
        return found

    def write(self, data):
        self.sent += bytes(data)

    async def drain(self):
        pass

    def close(self):
        pass

    async def wait_closed(self):
        pass


class Journal:
    def add(self, kind, name, detail=""):
        raise AssertionError(name)

    foreign = add


class Drbg:
    def read(self, n):
        return bytes(n)


def link(stream, receive):
    async def opened():
        return stream, stream

    return Wan("HUB", ("", ""), opened, receive, lambda: None, Journal(), Drbg())


class ListenTest(unittest.TestCase):
    def test_a_message_is_handed_over_and_acknowledged(self):
        found = []
        stream = Stream(CONNACK + SUBACK + PUBLISH)

        async def work():
            task = asyncio.create_task(link(stream, lambda *message: found.append(message)).run())
            while b"\x40\x02\x00\x07" not in stream.sent:
                await asyncio.sleep(0.01)
            task.cancel()

        asyncio.run(asyncio.wait_for(work(), 20))
        self.assertEqual(found, [(b"export", b"hello")])

    def test_what_has_ended_is_not_up_from_that_moment_on(self):
        class Ended(Stream):
            async def readexactly(self, n):
                raise EOFError

        wan = link(Ended(b""), None)
        wan.is_up = True
        asyncio.run(wan._listen(Ended(b"")))  # nobody has had a turn since
        self.assertFalse(wan.is_up)

    def test_no_memory_for_a_message_ends_the_connection_before_it_is_acknowledged(self):
        def receive(kind, payload):
            raise MemoryError

        stream = Stream(CONNACK + SUBACK + PUBLISH)
        try:
            asyncio.run(asyncio.wait_for(link(stream, receive).run(), 20))
            self.fail("it goes on")
        except MemoryError:
            pass
        self.assertEqual(stream.sent.find(b"\x40\x02\x00\x07"), -1)


class Noting:
    def __init__(self):
        self.names = []

    def add(self, kind, name, detail=""):
        self.names.append(name)


class Enough(Exception):
    pass


class PauseTest(unittest.TestCase):
    def pauses(self, suback, ending, seconds):
        """Return the next pause after two connections at most, and what was journalled; `ending` is what ends it."""
        streams = []

        async def opened():
            if len(streams) == 2:
                raise Enough
            stream = Stream(CONNACK + suback)
            streams.append(stream)
            return stream, stream

        journal = Noting()
        wan = Wan("HUB", ("", ""), opened, None, lambda: None, journal, Drbg())

        self.assertRaises(ending, asyncio.run, asyncio.wait_for(wan.run(), seconds))
        return wan._wait_s, journal.names

    def test_a_broker_that_refuses_the_subscription_is_asked_less_and_less_and_is_never_up(self):
        self.assertEqual(self.pauses(SUBACK[:-1] + b"\x80", Enough, 20), (4, ["LINK_DOWN"]))

    def test_a_broker_that_takes_it_is_a_link(self):
        self.assertEqual(self.pauses(SUBACK, asyncio.TimeoutError, 1.5), (1, []))


if __name__ == "__main__":
    unittest.main()
