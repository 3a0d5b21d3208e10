"""What a trace of an operation would tell: as many reductions modulo P for every secret, wherever it is short or even.

Counted by a modulus that counts: Python asks the right operand of % first when its class is a subclass of the left's.
"""

import random

import pytest

from meterhub.crypto import blind, ecdh, ecdh_es, ecdsa, ecdsa_known, p256, p256_comb
from meterhub.crypto.p256 import N
from meterhub.crypto.spake2 import Spake2
from meterhub.crypto.steps import run

CHANCE = random.Random(8)
SECRETS = [
    *(CHANCE.randrange(1 << 255, N) for _ in range(8)),
    *(CHANCE.randrange(1 << 120, 1 << 128) for _ in range(4)),
    *(CHANCE.randrange(1 << 62, 1 << 64) for _ in range(4)),
    0x5555,
    1 << 200,
    N - 0x7777,
    int("f" * 63, 16),
]


class Counting(int):
    count = 0

    def __rmod__(self, value):
        Counting.count += 1
        return int(value) % int(self)


@pytest.fixture
def reductions(monkeypatch):
    """A function that goes through an operation and returns (reductions modulo P in each slice)."""
    monkeypatch.setattr(p256, "P", Counting(p256.P))
    # Euclid takes its own time; it is only ever shown what is blinded, see below
    monkeypatch.setattr(p256, "inverse", lambda a, m: pow(int(a), -1, int(m)))

    def count(steps):
        slices = []
        Counting.count = 0
        for _ in steps:
            slices.append(Counting.count)
            Counting.count = 0
        return (*slices, Counting.count)

    return count


class Scalar:
    """A generator that gives this scalar."""

    def __init__(self, k):
        self._k = k

    def scalar(self):
        return self._k


POINT = run(p256.mul_base(12345))
OPERATIONS = {
    "mul_base": p256.mul_base,
    "public_point": ecdsa.public_point,
    "mul_point": lambda k: p256.mul_point(k, POINT),
    "shared_x": lambda k: ecdh.shared_x(k, POINT),
    "cek_to": lambda k: ecdh_es.cek_to(p256.encode_point(POINT), Scalar(k)),
    "cek_from": lambda k: ecdh_es.cek_from(k, p256.encode_point(POINT)),
    "sign": lambda k: ecdsa.sign(k, bytes(32), None),
    "share of a secret scalar": lambda k: Spake2("B", 99999, k, b"", b"").share(),
    "share of a password": lambda k: Spake2("B", k, 99999, b"", b"").share(),
    "precompute": lambda k: Spake2("B", k, k, b"", b"").precompute(),
    "finish": lambda k: Spake2("B", k, k, b"", b"").finish(p256.encode_point(POINT), b""),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_secret_costs_the_same_reductions_in_the_same_slices(name, reductions):
    traces = {reductions(OPERATIONS[name](secret)) for secret in SECRETS}
    assert len(traces) == 1, traces
    assert sum(traces.pop()) > 500  # the counter did count


def test_the_counter_would_see_a_shortcut(reductions):
    def double_and_add(k):
        total = (*POINT, 1)
        for bit in bin(k)[3:]:
            total = p256.double_n(total, 1)
            if bit == "1":
                total = p256.add_mixed(total, POINT)
        yield

    assert len({reductions(double_and_add(secret)) for secret in SECRETS}) > 1


def test_verify_may_take_shortcuts_and_is_counted_too(reductions):
    digest, signature = bytes(32), run(ecdsa.sign(5, bytes(32), None))
    assert sum(reductions(ecdsa.verify(run(p256.mul_base(5)), digest, signature))) > 2000


def test_no_slice_is_long(reductions):
    # about 0.3 ms a modular multiplication on an RP2040, an estimate: 50 ms are 160 of them
    for name, operation in OPERATIONS.items():
        assert max(reductions(operation(SECRETS[0]))) < 160, name
    signature = run(ecdsa.sign(5, bytes(32), None))
    assert max(reductions(ecdsa.verify(run(p256.mul_base(5)), bytes(32), signature))) < 160
    assert max(reductions(p256.complete(((SECRETS[0], POINT),)))) < 160
    assert max(reductions(p256_comb.table_of(POINT))) < 160


def test_with_a_table_verifying_costs_less_than_half(reductions):
    point = run(p256.mul_base(5))
    signature = run(ecdsa.sign(5, b"\x55" * 32, None))
    table = run(p256_comb.table_of(point))
    first = sum(reductions(ecdsa.verify(point, b"\x55" * 32, signature)))
    slices = reductions(ecdsa_known.verify(table, b"\x55" * 32, signature))
    assert 800 < sum(slices) < first / 2
    assert max(slices) < 160
    assert sum(reductions(p256_comb.table_of(point))) < first


def test_no_bare_secret_is_inverted(monkeypatch):
    """Whatever Euclid is shown (its time depends on it) is no secret and no small multiple of one."""
    seen = []
    euclid = p256.inverse

    def recording(a, m):
        seen.append(a % m)
        return euclid(a, m)

    monkeypatch.setattr(p256, "inverse", recording)
    monkeypatch.setattr(blind, "hmac_sha256", lambda *_: bytes(31) + b"\x02")  # every mask is 3 now
    nonces = []
    original = p256.mul_base
    monkeypatch.setattr(p256, "mul_base", lambda k, z=1: nonces.append(k) or original(k, z))
    run(ecdsa.sign(5, bytes(32), None))
    assert 3 * nonces[0] % N in seen
    assert nonces[0] not in seen


def test_no_product_begins_with_a_z_that_others_know(monkeypatch):
    monkeypatch.setattr(blind, "hmac_sha256", lambda *_: bytes(31) + b"\x02")
    scales = []
    scaled = p256.scaled
    monkeypatch.setattr(p256, "scaled", lambda point, z: scales.append(z) or scaled(point, z))
    run(ecdsa.sign(5, bytes(32), None))
    assert scales == [3]
    run(ecdh.shared_x(7, POINT))
    assert scales == [3] * 3  # the table of the point, and the product itself
    side = Spake2("A", 7, 11, b"", b"")
    run(side.precompute())
    assert scales == [3] * 5
    run(side.finish(p256.encode_point(POINT), b""))
    assert scales[:6] == [3] * 6
    assert scales[6] not in (1, 3)  # the Z that the difference of two points left


def test_a_nonce_outside_the_group_is_thrown_away(monkeypatch):
    given = [bytes(32), N.to_bytes(32, "big"), b"\xff" * 32, (12345).to_bytes(32, "big")]

    class Stream:
        def __init__(self, seed):
            pass

        def read(self, n):
            return given.pop(0)

    monkeypatch.setattr(ecdsa, "Drbg", Stream)
    signature = run(ecdsa.sign(5, bytes(32), None))
    assert given == []
    assert signature[:32] == (run(p256.mul_base(12345))[0] % N).to_bytes(32, "big")
