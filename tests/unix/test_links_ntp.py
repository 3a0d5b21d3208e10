"""NTP: a question and its answer over a real UDP socket, eras, and every answer that is none."""

import asyncio
import os
import socket
import struct
import unittest

from meterhub.errors import HubError
from meterhub.hal.epoch import LATEST
from meterhub.links import ntp

NOW = 1790000000
COOKIE = b"\x01\x02\x03\x04\x05\x06\x07\x08"


class Drbg:
    def read(self, count):
        return COOKIE[:count]


def answer(unix_s=NOW, fraction=0, **changes):
    said = {"first": 0x24, "stratum": 2, "cookie": COOKIE, "seconds": (unix_s + 2208988800) % 4294967296}
    said.update(changes)
    head = bytes((said["first"], said["stratum"], 6, 0xEC)) + bytes(20) + said["cookie"] + bytes(8)
    return head + struct.pack("!II", said["seconds"], fraction)


class Server:
    """A server on loopback that answers each question with answer(question)."""

    def __init__(self, reply):
        self.reply = reply
        self.heard = []
        self.line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.line.setblocking(False)
        while True:
            self.port = 20000 + int.from_bytes(os.urandom(2), "big") % 40000
            try:
                self.line.bind(socket.getaddrinfo("127.0.0.1", self.port)[0][-1])
                return
            except OSError:
                pass

    async def run(self):
        while True:
            await asyncio.sleep(0.005)
            try:
                question, who = self.line.recvfrom(100)
            except OSError:
                continue
            self.heard.append(question)
            for packet in self.reply(question):
                self.line.sendto(packet, who)


class AskTest(unittest.TestCase):
    def ask(self, reply, wait_ms=3000):
        server = Server(reply)

        async def both():
            task = asyncio.create_task(server.run())
            try:
                return await ntp.ask("127.0.0.1", Drbg(), server.port, wait_ms)
            finally:
                task.cancel()

        try:
            return asyncio.run(both()), server.heard
        except HubError as err:
            return err.name + " " + err.field, server.heard
        finally:
            server.line.close()

    def test_the_answer_to_the_question_is_the_time(self):
        said, heard = self.ask(lambda question: [answer(cookie=question[40:48])])
        self.assertEqual(said, NOW)
        self.assertEqual(heard, [b"\x23" + bytes(39) + COOKIE])  # it gives away nothing of the hub's own time

    def test_a_fraction_near_one_counts(self):
        self.assertTrue(self.ask(lambda question: [answer(fraction=0xFFFF0000)])[0] in (NOW, NOW + 1))

    def test_silence_and_a_forged_answer_are_named(self):
        said = self.ask(lambda question: [], 100)[0]
        self.assertEqual(said, "NOT_AVAILABLE no answer")
        self.assertEqual(self.ask(lambda question: [answer(cookie=bytes(8))])[0], "MALFORMED originate")


class PacketTest(unittest.TestCase):
    def refusal(self, packet):
        try:
            ntp.unix_s(packet, COOKIE)
        except HubError as err:
            return err.field
        return ""

    def test_every_packet_that_is_no_answer_is_refused_by_name(self):
        for packet, field in (
            (b"", "length"),
            (answer()[:47], "length"),
            (answer(first=0x23), "mode"),  # a question
            (answer(first=0x25), "mode"),  # broadcast
            (answer(first=0x14), "mode"),  # version 2
            (answer(first=0x2C), "mode"),  # version 5
            (answer(first=0xE4), "stratum"),  # its clock is not synchronised
            (answer(stratum=0), "stratum"),  # go away
            (answer(stratum=16), "stratum"),
            (answer(cookie=bytes(8)), "originate"),
            (answer(seconds=0), "transmit"),
            (answer(), ""),
            (answer(first=0x1C), ""),  # version 3
        ):
            self.assertEqual(self.refusal(packet), field)

    def test_eras_from_2020_to_the_end_of_2100(self):
        for unix_s in (1577836800, 2085978495, 2085978497, 2147483648, 4102444800, LATEST - 1):
            self.assertEqual(ntp.unix_s(answer(unix_s), COOKIE), unix_s)


if __name__ == "__main__":
    unittest.main()
