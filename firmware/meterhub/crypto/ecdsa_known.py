"""ECDSA by a key whose comb table is there (p256_comb.py): in less than half of the time that ecdsa.verify() takes.

Source   ecdsa.py; u1 G and u2 Q both by comb, their doublings shared. All of it is public.
Runs on  both
"""

from . import ecdsa, p256, p256_tables


def verify(table: bytes, digest: bytes, signature: bytes):
    """Generate slices of what ecdsa.verify() checks, by the key whose table is `table`; return whether it is good.

    Whoever can choose the table can choose the key.
    """
    return (yield from ecdsa.checked(_sum, table, digest, signature))


def _sum(u1, u2, table):
    """Generate slices of u1 * G + u2 * the point of `table`; return it in Jacobian coordinates."""
    combs = [p256.comb(u2, table)]
    if u1:
        combs.append(p256.comb(u1, p256_tables.G))
    total = (0, 1, 0)
    for i in range(max([one[0] for one in combs]) - 1, -1, -1):
        total = p256.double_n(total, 1)
        for one in combs:
            if i < one[0]:
                total = ecdsa.plus(total, p256.column(one, i))
        if not i & 3:
            yield
    return total
