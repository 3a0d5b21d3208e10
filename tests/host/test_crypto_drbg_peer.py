"""The random generator against another HMAC-DRBG, written on Python's own hmac after SP 800-90A's pseudocode."""

import hmac
import random

from meterhub.crypto.drbg import Drbg


class Peer:
    """SP 800-90A revision 1, 10.1.2.2 to 10.1.2.5, SHA-256, without additional input."""

    def __init__(self, seed):
        self.key, self.v = bytes(32), bytes([1] * 32)
        self.update(seed)

    def mac(self, data):
        return hmac.new(self.key, data, "sha256").digest()

    def update(self, provided):
        self.key = self.mac(self.v + b"\x00" + provided)
        self.v = self.mac(self.v)
        if provided:
            self.key = self.mac(self.v + b"\x01" + provided)
            self.v = self.mac(self.v)

    def generate(self, n):
        temp = b""
        while len(temp) < n:
            self.v = self.mac(self.v)
            temp += self.v
        self.update(b"")
        return temp[:n]


def test_both_give_the_same_stream_whatever_is_asked():
    for seed in range(50):
        chance = random.Random(seed)
        entropy = chance.randbytes(chance.randrange(48, 200))
        mine, peer = Drbg(entropy), Peer(entropy)
        for _ in range(20):
            if chance.random() < 0.2:
                more = chance.randbytes(chance.randrange(1, 64))
                mine.reseed(more)
                peer.update(more)
            n = chance.randrange(100)
            assert mine.read(n) == peer.generate(n)
