"""SPAKE2 against another one, written from RFC 9382 on pycryptodome's points and Python's hmac."""

import hashlib
import hmac
import random

import pytest
from Crypto.PublicKey.ECC import EccPoint
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from meterhub.crypto.p256 import N as ORDER
from meterhub.crypto.spake2 import Spake2
from meterhub.crypto.steps import run

# RFC 9382 section 4, compressed, as printed there
M = bytes.fromhex("02886e2f97ace46e55ba9dd7242579f2993b64e16ef3dcab95afd497333d8fa12f")
N = bytes.fromhex("03d8bbd6c639c62937b04d997f38c3770719c629d7014d49a24b4f98baa1292b49")
G = EccPoint(
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)


def decompressed(raw):
    p = 2**256 - 2**224 + 2**192 + 2**96 - 1
    x = int.from_bytes(raw[1:], "big")
    b = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
    y = pow(x**3 - 3 * x + b, (p + 1) // 4, p)
    return EccPoint(x, y if y % 2 == raw[0] % 2 else p - y)


def encoded(point):
    return b"\x04" + int(point.x).to_bytes(32, "big") + int(point.y).to_bytes(32, "big")


class Peer:
    def __init__(self, role, w, scalar, id_a, id_b):
        self.role, self.w, self.scalar, self.ids = role, w, scalar, (id_a, id_b)
        own, self.other = (decompressed(M), decompressed(N)) if role == "A" else (decompressed(N), decompressed(M))
        self.share = encoded(G * scalar + own * w)

    def finish(self, peer, aad):
        point = EccPoint(int.from_bytes(peer[1:33], "big"), int.from_bytes(peer[33:], "big"))
        shared = encoded((point + -(self.other * self.w)) * self.scalar)
        first, second = (self.share, peer) if self.role == "A" else (peer, self.share)
        transcript = b""
        for item in (*self.ids, first, second, shared, self.w.to_bytes(32, "big")):
            transcript += len(item).to_bytes(8, "little") + item
        digest = hashlib.sha256(transcript).digest()
        confirmation = HKDF(hashes.SHA256(), 32, None, b"ConfirmationKeys" + aad).derive(digest[16:])
        macs = [hmac.digest(key, transcript, "sha256") for key in (confirmation[:16], confirmation[16:])]
        return digest[:16], *(macs if self.role == "A" else macs[::-1])


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("role", ["A", "B"])
def test_both_agree_on_shares_key_and_confirmations(seed, role):
    chance = random.Random(seed)
    # a small one now and then: what is short is the same protocol
    w, x, y = (chance.randrange(1, chance.choice((1 << 30, ORDER))) for _ in range(3))
    ids = chance.randbytes(chance.randrange(20)), chance.randbytes(chance.randrange(300))
    aad = chance.randbytes(chance.randrange(64))
    mine = Spake2(role, w, x, *ids)
    peer = Peer("B" if role == "A" else "A", w, y, *ids)
    keys = run(mine.finish(peer.share, aad))
    ke, of_peer, expected = peer.finish(run(mine.share()), aad)
    assert (keys.ke, keys.confirm_theirs, keys.confirm_mine) == (ke, of_peer, expected)


def test_another_password_gives_another_key():
    mine, peer = Spake2("A", 1234, 77, b"", b""), Peer("B", 1235, 88, b"", b"")
    keys = run(mine.finish(peer.share, b""))
    ke, of_peer, expected = peer.finish(run(mine.share()), b"")
    assert keys.ke != ke
    assert keys.confirm_theirs != of_peer
    assert keys.confirm_mine != expected
