"""The comb table of any public point: what makes each later signature of a key cost less than half of the first.

Source   p256.comb() says what an entry is; each is the one with a bit less and twice that bit's row point.
Memory   the table of 2 KiB; while it is made 6 KB more. What is worked out is kept as bytes in buffers that are there
         from the beginning: as integers it would be all over the heap, and leave no piece for a table.
Errors   ValueError for what is no point of the curve, if it is noticed. Points must come out of p256.decode_point().
Runs on  both

The additions fail where both points are equal or opposite: that cannot happen here, whatever the point. They add
multiples a and b of it with 0 < |a|, |b| < 2^217, |a| != |b|, and its order is N, which is above 2^255.
It takes three quarters of the time that verifying a signature takes, and saves more than half of each later one: it
pays from the key's third signature on. For public points only.
"""

from . import p256
from .p256 import add_mixed, double_n

_ROWS = 6  # of 43 columns


def table_of(point: "tuple[int, int]"):
    """Generate slices of the comb table of `point`; return its 2048 bytes: for p256.known(), ecdsa_known.verify()."""
    table = bytearray(64 << _ROWS - 1)
    scales = bytearray(32 << _ROWS - 1)  # the entries' Z
    steps = yield from _steps(point)
    yield
    first = add_mixed(steps[-1] + (1,), p256.negate(point))
    for i in range(1, 2 * _ROWS - 3, 2):
        first = add_mixed(first, p256.negate(steps[i]))
    _put(table, scales, 0, first)
    yield
    count = 1
    for i in range(0, 2 * _ROWS - 2, 2):
        for c in range(count):
            _put(table, scales, count + c, add_mixed(_entry(table, scales, c), steps[i]))
            if count + c & 7 == 7:
                yield
        count *= 2
    yield from _make_affine(table, scales, count)
    return table


def _steps(point):
    """Generate slices of: twice the point of a row, the point of the next row, and so on; return their list.

    The next row's point is 2^43 times that of the row, whose first one is `point`.
    """
    steps = []
    row = point + (1,)
    for _ in range(_ROWS - 1):
        row = double_n(row, 1)
        steps.append(row)
        for _ in range(3):
            row = double_n(row, 14)
            yield
        steps.append(row)
    return (yield from p256.all_affine(steps))


def _make_affine(table, scales, count):
    """Generate slices of what p256.all_affine() does with a list."""
    m = p256.P
    before = bytearray(len(scales))
    product = 1
    for c in range(count):
        before[32 * c : 32 * c + 32] = product.to_bytes(32, "big")
        product = product * _number(scales, 32 * c) % m
    yield
    product = p256.inverse(product, m)
    yield
    for c in range(count - 1, -1, -1):
        x, y, z = _entry(table, scales, c)
        inverted = product * _number(before, 32 * c) % m
        product = product * z % m
        square = inverted * inverted % m
        _put(table, scales, c, (x * square % m, y * (square * inverted % m) % m, 1))
        if not c & 7:
            yield


def _number(buf, at):
    return int.from_bytes(buf[at : at + 32], "big")


def _entry(table, scales, c):
    return _number(table, 64 * c), _number(table, 64 * c + 32), _number(scales, 32 * c)


def _put(table, scales, c, entry):
    x, y, z = entry
    table[64 * c : 64 * c + 64] = x.to_bytes(32, "big") + y.to_bytes(32, "big")
    scales[32 * c : 32 * c + 32] = z.to_bytes(32, "big")
