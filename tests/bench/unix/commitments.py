"""The hub's part of private billing, one operation at a time.

Orders   commit, register, day, month: [us from beginning to end, us of the longest slice]; day: 48 half-hours of
         import; month: a bill over 31 such days and its proof, by a tariff of two bands
Runs on  both
"""

from binascii import unhexlify

from answers import serve
from public_key import sliced

# eco-1: night and day, London; signed by nobody
TARIFF = unhexlify(
    "6d687431806754696120737570706c6965724e000100020502f4010232000000474250020100000000000000000200010101"
    "000101000000000000000000000200000001074c1d0000546f00000565636f2d310455544330056e6967687403646179"
) + bytes(64)
KEY, HUB, CHAIN, NOTHING = b"k" * 32, b"0123456789", b"c" * 16, (bytes(32), bytes(32))
DAY, STEP_S = 20454, 1800
READINGS = [(1000 + 137 * i, None) for i in range(1, 49)]


def _day():
    from meterhub.trust import batches

    place = (DAY, STEP_S, DAY * 48, 48, 255, 0)
    return batches.whole_day(HUB, CHAIN, KEY, place, NOTHING, (1000, None), READINGS)


def commit() -> list:
    """One half-hour, its blinding among it."""
    from meterhub.trust import batches

    return sliced(batches.energy(KEY, DAY * 48, 137))


def register() -> list:
    """One register."""
    from meterhub.trust import batches

    return sliced(batches.register(KEY, DAY, 2, 123456789))


def month():
    """Generate slices of a month's bill and proof."""
    from meterhub.codec import bill
    from meterhub.crypto.drbg import Drbg
    from meterhub.crypto.pedersen import day_key
    from meterhub.trust.linear_proof import LinearBill

    start, signed = DAY * 86400, bill.tariff_of(TARIFF)
    one = LinearBill(HUB, CHAIN, signed, start, start + 31 * 86400, STEP_S, False)
    for i in range(31):
        place = (DAY + i, STEP_S, (DAY + i) * 48, 48, 255, 0)
        yield from one.day(day_key(KEY, CHAIN, DAY + i), place, (1000, None), READINGS)
    return (yield from one.finish(bytes(32), bytes(16), Drbg(bytes(48))))


if __name__ == "__main__":
    serve({"commit": commit, "register": register, "day": lambda: sliced(_day()), "month": lambda: sliced(month())})
