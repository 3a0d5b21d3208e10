"""The keys that go with an export: in which chunks, and of which chain."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

import board_heap  # noqa: F401 - first

from meterhub.applets import keyed
from meterhub.codec import billing
from meterhub.codec.timezone import Zone
from meterhub.crypto.drbg import Drbg
from meterhub.trust import bill_chain
from meterhub.trust.identity import Identity

TODAY = 20717


class Record:
    raw = None

    def load(self):
        return self.raw

    def save(self, raw):
        self.raw = raw


class Hub:
    identity = Identity(77, b"\x04" + bytes(64), Drbg(bytes(48)))
    zone = Zone("UTC0")

    class profile:
        since = 0

    def __init__(self):
        self.kept = Record()

    def record(self, name):
        return self.kept


class ChunksTest(unittest.TestCase):
    def test_a_long_range_is_some_chunks_and_the_newest_chain_in_it_counts(self):
        hub = Hub()
        state = bill_chain.Chain(hub.kept)
        one = {"mark": "1", "kid": "coop", "sub": "anna"}
        state.begin(one, b"a" * 16, TODAY - 300, ())
        state.state["day"] = TODAY - 150
        state.begin(one, b"b" * 16, TODAY - 140, ())
        state.state["day"] = TODAY
        state._keep(state.state)

        def of(start, stop):
            chunks = keyed.days_of(hub, (TODAY - start) * 86400, (TODAY - stop) * 86400)
            found = [billing.keys_of(chunks.pack(i)) for i in range(chunks.chunks)]
            return [(chain[:1], TODAY - min(keys), len(keys)) for _, chain, keys in found]

        self.assertEqual(of(70, 0), [(b"b", 70, 31), (b"b", 39, 31), (b"b", 8, 8)])
        self.assertEqual([one[2] for one in of(400, 0)], [31] * 4 + [16])
        self.assertEqual(of(400, 140)[0], (b"a", 300, 31))
        self.assertEqual([one[2] for one in of(400, 140)], [31] * 4 + [26])
        self.assertEqual(of(149, 141), [])
        state.begin({"mark": "2", "kid": "coop", "sub": "berta"}, b"d" * 16, TODAY, ())  # another account
        self.assertEqual(of(400, 0), [])


if __name__ == "__main__":
    unittest.main()
