"""The timekeeper: which signed time it takes, and when it asks for one."""

import asyncio
import json
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from order_bench import NOW, ROOT, Case, Hub, token

from meterhub.codec import base64url


class TimeTest(Case):
    def test_a_fresh_answer_sets_the_clock(self):
        self.assertEqual(self.take(self.time()), "")
        self.assertEqual((self.hub.clock.state, self.hub.clock.now()), ("set", NOW))
        self.assertEqual(self.hub.journal.entries, [("security", "clock set", "signed by grid +0 s set")])

    def test_half_the_round_trip_is_added(self):
        order = self.time()
        self.hub.keeper._asked = (self.hub.keeper._asked - 8000) & 0x3FFFFFFF
        self.assertEqual(self.take(order), "")
        self.assertEqual(self.hub.clock.now(), NOW + 4)

    def test_an_answer_counts_once_and_only_to_the_last_question(self):
        old = self.time()
        order = self.time()
        self.assertEqual(self.take(old), "REPLAY nonce")
        self.assertEqual(self.take(order), "")
        self.assertEqual(self.take(order), "REPLAY nonce")
        self.assertEqual(self.take(self.time(nonce=base64url.encode(b"n" * 16))), "REPLAY nonce")
        fresh = Hub()
        self.hub = fresh
        self.assertEqual(self.take(order), "REPLAY nonce")
        self.assertEqual(fresh.clock.state, "unset")

    def test_an_answer_that_was_held_back_is_too_old(self):
        order = self.time()
        self.hub.keeper._asked = (self.hub.keeper._asked - 10500) & 0x3FFFFFFF
        self.assertEqual(self.take(order), "EXPIRED nonce")
        self.assertEqual(self.hub.clock.state, "unset")

    def test_a_jump_is_refused_unless_the_message_says_so(self):
        self.take(self.time())
        self.assertEqual(self.take(self.time(at=NOW + 3600)), "CLOCK_JUMP 3600 s")
        self.assertEqual(self.take(self.time(at=NOW + 3600, jump=False)), "CLOCK_JUMP 3600 s")
        self.assertEqual((self.hub.clock.now(), self.hub.meters[0].intervals.marks), (NOW, []))
        self.assertEqual(self.take(self.time(at=NOW + 3600, jump=1)), "MALFORMED jump")
        self.assertEqual(self.take(self.time(at=NOW + 3600, jump=True)), "")
        self.assertEqual(self.hub.clock.now(), NOW + 3600)
        self.assertEqual(self.hub.meters[0].intervals.marks, [(NOW, NOW + 3600)])
        self.assertEqual(self.hub.journal.entries[-1][2], "signed by grid +3600 s set")

    def test_the_owners_root_may_authorise_a_jump(self):
        self.take(self.time())
        order = self.time(at=NOW - 86400, jump=True, signer=ROOT, kid=ROOT.hub)
        self.assertEqual(self.take(order), "")
        self.assertEqual(self.hub.clock.now(), NOW - 86400)

    def test_a_time_that_cannot_be_is_refused(self):
        for at in (0, 1577836799, 4133980800):
            self.assertEqual(self.take(self.time(at=at, jump=True)), "CLOCK_INVALID time")
        self.assertEqual(self.take(self.time(at=-1)), "INVALID_VALUE at")
        self.assertEqual(self.hub.clock.state, "unset")


class Wan:
    is_up = True

    def __init__(self):
        self.sent = []

    def post(self, kind, payload):
        self.sent.append((kind, json.loads(payload)))


class AskingTest(Case):
    def turn(self, up_s):
        """Let the timekeeper have its turn at this uptime."""

        async def once():
            task = asyncio.create_task(self.hub.keeper.run())
            await asyncio.sleep(0.01)
            task.cancel()

        self.hub.clock.uptime_s = lambda: up_s
        asyncio.run(once())

    def test_it_asks_at_once_every_minute_and_every_hour_once_it_was_answered(self):
        self.hub.wan = Wan()
        for up_s in (0, 30, 60):
            self.turn(up_s)
        self.assertEqual([kind for kind, _ in self.hub.wan.sent], ["time", "time"])
        self.assertEqual(len(base64url.decode(self.hub.wan.sent[-1][1]["nonce"])), 16)
        order = token("mh-time", nonce=self.hub.wan.sent[-1][1]["nonce"], at=NOW)
        self.assertEqual(self.take(order), "")
        for up_s in (120, 3659, 3660):
            self.turn(up_s)
        self.assertEqual(len(self.hub.wan.sent), 3)

    def test_without_a_broker_or_anybody_who_may_it_does_not_ask(self):
        self.turn(0)
        self.hub.wan = Wan()
        self.hub.settings["may.time"] = ""
        self.turn(0)
        self.assertEqual(self.hub.wan.sent, [])


if __name__ == "__main__":
    unittest.main()
