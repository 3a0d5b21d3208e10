"""The curve P-256 on Python's integers: points, and their products with secret scalars.

Source   NIST SP 800-186 3.2.1.3 (domain parameters), SEC 1 2.3.3 (encoding); doubling and mixed addition in Jacobian
         coordinates: Guide to Elliptic Curve Cryptography 3.2.2; complete addition: Renes, Costello, Batina 2016,
         algorithm 4; comb: Hedabou, Pinel, Beneteau 2005; window: Joye, Tunstall 2009.
Units    a point is (x, y), integers below P; a Jacobian point (X, Y, Z) is (X / Z^2, Y / Z^3). `z` is a secret in
         1..P-1 that the first point of a product is scaled with: nobody knows the numbers that come after it.
Memory   a comb reads 2 or 4 KiB of constant bytes; a product of any point keeps 16 points while it runs.
Errors   HubError BAD_POINT for bytes that are no point; ValueError for a scalar outside 1..N-1.
Runs on  both

A secret scalar k is only ever used as signed bits: odd k < 2^n is the sum of s_i 2^i, s_i = +-1, i < n, where bit i of
(k + 2^n - 1) / 2 says which; for an even k take N - k and the opposite result. So no digit is zero, each one costs the
same operations, tables are read by index and no branch depends on the scalar. The additions fail where both points
are equal or opposite, which needs a scalar within a few steps of 0 or N; Z is then 0, stays 0, and complete() does it
again. Python's integers themselves cannot be made constant-time.
"""

from ..errors import HubError
from . import p256_tables

P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)


def inverse(a: int, m: int) -> int:
    """Return 1 / a modulo the prime `m`; ValueError when a is 0 mod m. Its time depends on `a`: blind a secret.

    pow(a, -1, m) is silently 0 on MicroPython 1.25, and pow(a, m - 2, m) takes four times as long as Euclid.
    """
    r0, r1 = m, a % m
    s0, s1 = 0, 1
    while r1 > 1:
        q, rest = divmod(r0, r1)
        r0, r1 = r1, rest
        s0, s1 = s1, s0 - q * s1
    if r1 != 1:
        raise ValueError("no inverse")
    return s1 % m


def on_curve(x: int, y: int) -> bool:
    """Return whether (x, y) is a point of the curve, both coordinates in 0..P-1."""
    return 0 <= x < P and 0 <= y < P and (y * y - (x * x - 3) * x - B) % P == 0


def encode_point(point: "tuple[int, int]") -> bytes:
    """Return the 65 bytes 04 || x || y of `point`."""
    return b"\x04" + point[0].to_bytes(32, "big") + point[1].to_bytes(32, "big")


def decode_point(raw: bytes) -> "tuple[int, int]":
    """Return the point in 65 bytes 04 || x || y; HubError BAD_POINT for any other bytes and off the curve."""
    if len(raw) == 65 and raw[0] == 4:
        x, y = int.from_bytes(raw[1:33], "big"), int.from_bytes(raw[33:], "big")
        if on_curve(x, y):
            return x, y
    raise HubError("BAD_POINT")


def negate(point: "tuple[int, int]") -> "tuple[int, int]":
    """Return the opposite of `point`."""
    return point[0], P - point[1]


def affine(jacobian: "tuple[int, int, int]") -> "tuple[int, int]":
    """Return the point that Jacobian coordinates stand for; ValueError when Z is 0."""
    x, y, z = jacobian
    i = inverse(z, P)
    j = i * i % P
    return x * j % P, y * (j * i % P) % P


def double_n(jacobian: "tuple[int, int, int]", n: int) -> "tuple[int, int, int]":
    """Return 2^n times a Jacobian point: 7 reductions each."""
    x, y, z = jacobian
    p = P
    while n:
        n -= 1
        d = z * z % p
        g = y * y % p
        b = x * g % p
        a = 3 * (x - d) * (x + d) % p
        z = (y + y) * z % p
        x = (a * a - (b << 3)) % p
        y = (a * ((b << 2) - x) - (g * g << 3)) % p
    return x, y, z


def add_mixed(jacobian: "tuple[int, int, int]", point: "tuple[int, int]") -> "tuple[int, int, int]":
    """Return the Jacobian sum: 10 reductions. Wrong, and always with Z = 0, where both are equal or opposite."""
    x, y, z = jacobian
    x2, y2 = point
    p = P
    d = z * z % p
    h = (x2 * d - x) % p
    r = (y2 * (d * z % p) - y) % p
    z = z * h % p
    g = h * h % p
    b = h * g % p
    a = x * g % p
    x = (r * r - b - (a << 1)) % p
    return x, (r * (a - x) - y * b) % p, z


def scaled(point: "tuple[int, int]", z: int) -> "tuple[int, int, int]":
    """Return `point` in Jacobian coordinates with the given Z."""
    zz = z * z % P
    return point[0] * zz % P, point[1] * (zz * z % P) % P, z


def _signed(k, bits):
    """Return (the signed bits of k or N - k, whichever is odd; 1 when it was N - k)."""
    if not 0 < k < N:
        raise ValueError("scalar")
    even = 1 - (k & 1)
    return ((k, N - k)[even] + (1 << bits) - 1) >> 1, even


# -- products of points that are known beforehand -----------------------------------------------------------


def comb(k: int, table: bytes) -> tuple:
    """Return scalar `k` and `table` made ready for column(); its item 0 is the number of columns.

    A table of 64 * 2^(rows - 1) bytes holds x || y, entry c the sum of +-2^(columns * row) times its point, + in the
    last row and where bit `row` of c is set. Row r of the comb is the signed bits from columns * r on.
    """
    rows, columns = (6, 43) if len(table) == 2048 else (7, 37)
    bits, even = _signed(k, rows * columns)
    spread = ((1 << rows * columns) - 1) // ((1 << columns) - 1)  # one column's bits
    gather = (1 << columns - 1) - 1  # modulo this 2^(columns * row) is 2^row: a column's bits come together
    return columns, bits, even, memoryview(table), spread, gather, rows - 1


def column(comb: tuple, i: int) -> "tuple[int, int]":
    """Return the point that column `i` of a comb adds; where the last row's bit is 0, the opposite of the opposite."""
    _, bits, even, table, spread, gather, last = comb
    c = (bits >> i & spread) % gather
    minus = c >> last ^ 1
    at = (c ^ -minus) << 6 & len(table) - 64
    y = int.from_bytes(table[at + 32 : at + 64], "big")
    return int.from_bytes(table[at : at + 32], "big"), (y, P - y)[minus ^ even]


def known(products: tuple, z: int = 1):
    """Generate slices of the sum of k * point over `products`, tuples (k, point, table); return it as a point."""
    combs = [comb(k, table) for k, _, table in products]
    total, begun = (0, 1, 0), False
    for i in range(max(one[0] for one in combs) - 1, -1, -1):
        if begun:
            total = double_n(total, 1)
        for one in combs:
            if i < one[0]:
                point = column(one, i)
                total = add_mixed(total, point) if begun else scaled(point, z)
                begun = True
        if not i & 3:
            yield
    if not total[2]:
        total = yield from complete(products)
    return affine(total)


def mul_base(k: int, z: int = 1):
    """Generate slices of k * G; return it as a point."""
    return (yield from known(((k, G, p256_tables.G),), z))


# -- products of any point ----------------------------------------------------------------------------------


def odd_multiples(jacobian: "tuple[int, int, int]"):
    """Generate slices of the points 1, 3, 5 .. 15 times a Jacobian point; return their list.

    Twice the point has Z = d. With coordinates scaled by d^2, d^3 it is affine there, each step a mixed addition.
    """
    x, y, _ = jacobian
    x2, y2, d = double_n(jacobian, 1)
    g = y * y % P
    point = (4 * x * g % P, 8 * g * g % P, 1)
    points = []
    for i in range(8):
        points.append((point[0], point[1], point[2] * d % P))
        point = add_mixed(point, (x2, y2))
        if i & 3 == 3:
            yield
    return (yield from all_affine(points))


def all_affine(points: list):
    """Generate slices of the affine points of a list of Jacobian ones with one inverse; return the list, changed."""
    product = 1
    before = []
    for point in points:
        before.append(product)
        product = product * point[2] % P
    product = inverse(product, P)
    yield
    for i in range(len(points) - 1, -1, -1):
        x, y, z = points[i]
        inverted = product * before[i] % P
        product = product * z % P
        square = inverted * inverted % P
        points[i] = (x * square % P, y * (square * inverted % P) % P)
    return points


def mul_jacobian(k: int, jacobian: "tuple[int, int, int]"):
    """Generate slices of k times a Jacobian point; return it as a point. Its Z is the secret scale here too."""
    bits, even = _signed(k, 256)
    odd = yield from odd_multiples(jacobian)
    table = [negate(point) for point in reversed(odd)] + odd  # four signed bits d stand for 2 d - 15
    digits = bits.to_bytes(32, "big")
    total = scaled(table[digits[0] >> 4], jacobian[2])
    for i in range(1, 64):
        total = double_n(total, 4)
        total = add_mixed(total, table[digits[i >> 1] >> (4, 0)[i & 1] & 15])
        if not i & 1:
            yield
    if not total[2]:
        total = yield from complete(((k, odd[0]),))
        even = 0
    x, y = affine(total)
    return x, (y, P - y)[even]


def mul_point(k: int, point: "tuple[int, int]", z: int = 1):
    """Generate slices of k * point; return it as a point."""
    return (yield from mul_jacobian(k, scaled(point, z)))


# -- additions that never fail ------------------------------------------------------------------------------


def add_complete(p: "tuple[int, int, int]", q: "tuple[int, int, int]") -> "tuple[int, int, int]":
    """Return the sum of any two points (X, Y, Z) that stand for (X / Z, Y / Z); (0, 1, 0) is the one at infinity."""
    m = P
    x1, y1, z1 = p
    x2, y2, z2 = q
    t0 = x1 * x2 % m
    t1 = y1 * y2 % m
    t2 = z1 * z2 % m
    t3 = ((x1 + y1) * (x2 + y2) - t0 - t1) % m
    t4 = ((y1 + z1) * (y2 + z2) - t1 - t2) % m
    y3 = ((x1 + z1) * (x2 + z2) - t0 - t2) % m
    x3 = 3 * ((y3 - B * t2) % m)
    z3 = t1 - x3
    x3 = t1 + x3
    t2 *= 3
    y3 = 3 * ((B * y3 - t2 - t0) % m)
    t0 = 3 * t0 - t2
    return (t3 * x3 - t4 * y3) % m, (x3 * z3 + t0 * y3) % m, (t4 * z3 + t3 * t0) % m


def complete(products: tuple):
    """Generate slices of the sum of k * point over `products`, tuples (k >= 0, point, ...), whatever they are.

    Return it in Jacobian coordinates, with Z = 0 for the point at infinity. Ten times as slow as the others.
    """
    total = (0, 1, 0)
    for product in products:
        k, point = product[0], product[1] + (1,)
        partial = (0, 1, 0)
        for i in range(255, -1, -1):
            partial = add_complete(partial, partial)
            partial = (partial, add_complete(partial, point))[k >> i & 1]
            if not i & 3:
                yield
        total = add_complete(total, partial)
    x, y, z = total
    return x * z % P, y * z % P * z % P, z


def add(p: "tuple[int, int]", q: "tuple[int, int]") -> "tuple[int, int] | None":
    """Return p + q, None when they are opposite points. For public points only."""
    x, y, z = add_complete(p + (1,), q + (1,))
    return affine((x * z, y * z * z, z)) if z else None
