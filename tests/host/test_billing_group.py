"""The group by pycryptodome and by OpenSSL, against the ecdsa library; and what is no point of it."""

import random

import pytest
from ecdsa import NIST256p, ellipticcurve

from meterhub.crypto import p256, pedersen
from meterhub_tools.billing import group
from meterhub_tools.billing.refusals import Refused

CURVE, G = NIST256p.curve, NIST256p.generator
H = ellipticcurve.PointJacobi(CURVE, *pedersen.H, 1, NIST256p.order)
SCALARS = [
    0,
    1,
    2,
    group.N - 1,
    group.N,
    group.N + 5,
    1 << 128,
    -3,
    *(random.Random(7).getrandbits(256) for _ in range(6)),
]


@pytest.fixture(params=[group.Pycryptodome, group.OpenSSL], ids=lambda kind: kind.name, scope="module")
def ours(request):
    return request.param()


def raw_of(point):
    if point == ellipticcurve.INFINITY:
        return group.AT_INFINITY
    return point.to_bytes("compressed")


def test_a_commitment_is_the_other_librarys(ours):
    for m in (0, 1, 77, group.N - 4, -5):
        for r in SCALARS:
            expected = G * (m % group.N) + H * (r % group.N)
            assert ours.encode(ours.commit(m, r)) == raw_of(expected)


def test_products_sums_and_opposites(ours):
    for k in SCALARS:
        p, q = ours.commit(k, 9), ours.commit(3, k)
        theirs = (G * (k % group.N) + H * 9, G * 3 + H * (k % group.N))
        assert ours.encode(ours.add(p, q)) == raw_of(theirs[0] + theirs[1])
        assert ours.encode(ours.mul(k, q)) == raw_of(theirs[1] * (k % group.N))
        assert ours.encode(ours.total([p, q, ours.minus(p), q])) == raw_of(theirs[1] * 2)


def test_special_sums(ours):
    p = ours.commit(5, 6)
    nothing = ours.add(p, ours.minus(p))
    assert (
        ours.encode(nothing) == ours.encode(ours.total([])) == ours.encode(ours.mul(group.N, p)) == group.AT_INFINITY
    )
    assert ours.encode(ours.add(p, p)) == ours.encode(ours.mul(2, p)) == ours.encode(ours.commit(10, 12))
    assert ours.encode(ours.add(nothing, p)) == ours.encode(ours.add(p, nothing)) == ours.encode(p)
    assert ours.encode(ours.mul(7, nothing)) == ours.encode(ours.minus(nothing)) == group.AT_INFINITY


def test_what_was_added_to_is_not_changed(ours):
    p, q = ours.commit(5, 6), ours.commit(7, 8)
    before = ours.encode(p), ours.encode(q)
    ours.add(p, q), ours.minus(p), ours.mul(5, q), ours.total([p, q])
    assert (ours.encode(p), ours.encode(q)) == before


def test_points_go_through_their_bytes(ours):
    for k in (1, 2, 3, 4, group.N - 1):
        raw = ours.encode(ours.commit(k, 0))
        assert ours.encode(ours.decode(raw)) == raw


def off_the_curve():
    return next(x for x in range(5, 50) if pow(x**3 - 3 * x + p256.B, (p256.P - 1) // 2, p256.P) != 1)


@pytest.mark.parametrize(
    "raw",
    [
        group.AT_INFINITY,
        b"\x00",
        b"",
        b"\x02" + off_the_curve().to_bytes(32),
        b"\x03" + off_the_curve().to_bytes(32),
        b"\x02" + (p256.P + 5).to_bytes(32),  # 5 is x of a point: the same point, encoded in another way
        b"\x02" + b"\xff" * 32,
        b"\x04" + p256.G[0].to_bytes(32),
        b"\x02" + p256.G[0].to_bytes(32) + b"\x00",
        p256.encode_point(p256.G),
    ],
    ids=lambda raw: raw.hex()[:10] + str(len(raw)),
)
def test_what_is_no_point_is_refused(ours, raw):
    with pytest.raises(Refused) as refused:
        ours.decode(raw)
    assert refused.value.name == "POINT"


def test_the_fastest_works_and_a_wrong_one_is_not_taken(monkeypatch):
    assert group.fastest().name == "OpenSSL"
    monkeypatch.setattr(group.OpenSSL, "commit", lambda self, m, r: self.mul(r, self._h))
    assert group.fastest().name == "pycryptodome"
    monkeypatch.setattr(group.ctypes.util, "find_library", lambda _: None)
    assert group.fastest().name == "pycryptodome"
    with pytest.raises(ImportError):
        group.OpenSSL()
