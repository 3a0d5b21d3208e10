"""The firmware's AES-128-GCM against pyca/cryptography: random messages of every length, and the awkward ones."""

import random

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from meterhub.crypto.gcm import GCM


@pytest.mark.parametrize("seed", range(100))
def test_a_random_message_is_sealed_as_a_peer_seals_it(seed):
    chance = random.Random(seed)
    key, iv = chance.randbytes(16), chance.randbytes(12)
    aad, plain = chance.randbytes(chance.randrange(70)), chance.randbytes(chance.randrange(700))
    agrees(key, iv, aad, plain)


@pytest.mark.parametrize("fill", [0x00, 0xFF, 0x80, 0x01])
@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 63, 64, 65, 1024])
def test_edges_of_blocks_and_fields(fill, length):
    filled = bytes((fill,))
    agrees(filled * 16, filled * 12, filled * (length % 33), filled * length)


def agrees(key, iv, aad, plain):
    sealed = AESGCM(key).encrypt(iv, plain, aad)
    gcm = GCM(key)
    buf = bytearray(plain)
    tag = gcm.seal(iv, aad, buf)
    assert bytes(buf) + tag == sealed
    gcm.unseal(iv, aad, buf, 0, len(buf), sealed[-16:])
    assert bytes(buf) == plain
