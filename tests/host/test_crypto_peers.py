"""Keys, signatures and points of the firmware's P-256 against pyca/cryptography and pycryptodome."""

import hashlib
import random

import pytest
from Crypto.PublicKey.ECC import EccPoint
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from meterhub.crypto import ecdh, ecdsa, ecdsa_known, p256, p256_comb
from meterhub.crypto.drbg import Drbg
from meterhub.crypto.p256 import N
from meterhub.crypto.steps import run

SHA256 = ec.ECDSA(utils.Prehashed(hashes.SHA256()))


def peer_key(d):
    return ec.derive_private_key(d, ec.SECP256R1())


def point_of(key):
    numbers = key.public_key().public_numbers()
    return numbers.x, numbers.y


def raw(der):
    r, s = utils.decode_dss_signature(der)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def peer_verifies(key, signature, digest):
    der = utils.encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    try:
        key.public_key().verify(der, digest, SHA256)
    except InvalidSignature:
        return False
    return True


def verifies(point, table, digest, signature):
    """Return what both ways to verify say, which is the same."""
    good = run(ecdsa.verify(point, digest, signature))
    assert run(ecdsa_known.verify(table, digest, signature)) is good
    return good


@pytest.mark.parametrize("seed", range(200))
def test_a_random_key_does_the_same_with_a_peer(seed):
    chance = random.Random(seed)
    d, other = chance.randrange(1, N), chance.randrange(1, N)
    digest = chance.randbytes(32)
    key, other_key = peer_key(d), peer_key(other)
    point = run(ecdsa.public_point(d))
    assert point == point_of(key)
    for drbg in (None, Drbg(chance.randbytes(48))):
        assert peer_verifies(key, run(ecdsa.sign(d, digest, drbg)), digest)
    signature = raw(key.sign(digest, SHA256))
    table, other_table = run(p256_comb.table_of(point)), run(p256_comb.table_of(point_of(other_key)))
    assert verifies(point, table, digest, signature)
    assert not verifies(point, table, hashlib.sha256(digest).digest(), signature)
    assert not verifies(point_of(other_key), other_table, digest, signature)
    assert run(ecdh.shared_x(d, point_of(other_key))) == key.exchange(ec.ECDH(), other_key.public_key())


@pytest.mark.parametrize("seed", range(60))
def test_points_are_those_of_a_peer(seed):
    chance = random.Random(seed)
    top = (1 << 16, 1 << 128, N)[seed % 3]
    a, b = chance.randrange(1, top), chance.randrange(1, top)
    mine, peer = run(p256.mul_base(a)), EccPoint(*p256.G) * a
    assert mine == (int(peer.x), int(peer.y))
    product, peer_product = run(p256.mul_point(b, mine)), peer * b
    assert product == (int(peer_product.x), int(peer_product.y))
    total, peer_total = p256.add(mine, product), peer + peer_product
    assert total == (int(peer_total.x), int(peer_total.y))


def test_signatures_are_rfc_6979s():
    for seed in range(20):
        chance = random.Random(seed)
        d, digest = chance.randrange(1, N), chance.randbytes(32)
        deterministic = ec.ECDSA(utils.Prehashed(hashes.SHA256()), deterministic_signing=True)
        assert run(ecdsa.sign(d, digest, None)) == raw(peer_key(d).sign(digest, deterministic))


# With Q = t G, r = x(R) and e = u1 s the verifier computes u1 G + u2 Q for any u1, u2 that one likes
@pytest.mark.parametrize("t", [1, 2, 3, N - 1, N - 2, (N + 1) // 2, 1 << 255, 12345])
def test_sums_of_equal_opposite_and_infinite_points_verify_as_with_a_peer(t):
    key = peer_key(t)
    table = run(p256_comb.table_of(point_of(key)))
    values = (0, 1, 2, 3, 5, 16, 31, 32, 1 << 37, 1 << 128, N - 1, N - 2, (N + 1) // 2)
    for u1 in values:
        for u2 in values[1:]:
            k = (u1 + u2 * t) % N
            r = point_of(peer_key(k))[0] % N if k else 7
            s = r * pow(u2, -1, N) % N
            digest = (u1 * s % N).to_bytes(32, "big")
            signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
            good = verifies(point_of(key), table, digest, signature)
            assert good == peer_verifies(key, signature, digest) == bool(k)


def test_every_encoded_point_is_one_for_a_peer_and_only_those_are():
    chance = random.Random(5)
    for _ in range(50):
        x, y = chance.randrange(p256.P), chance.randrange(p256.P)
        with pytest.raises(ValueError, match="Invalid EC key"):
            ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), p256.encode_point((x, y)))
        assert not p256.on_curve(x, y)
    for _ in range(20):
        point = run(p256.mul_base(chance.randrange(1, N)))
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), p256.encode_point(point))
        assert (key.public_numbers().x, key.public_numbers().y) == p256.decode_point(p256.encode_point(point))
