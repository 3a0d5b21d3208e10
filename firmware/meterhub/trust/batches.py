"""A day's batch of commitments, made from what the registers read: private billing on the hub.

Source   codec/billing.py, crypto/pedersen.py
Memory   the batch, and 2 KB while it works: what it loads are the parts of NEEDS
Errors   HubError INVALID_VALUE "wh" for a register that went back, or grew by more than an interval can have
Runs on  both

Interval by interval or all at once: energy() is one commitment, whole_day() makes all of a day and puts them together.
"""

from ..codec import billing
from ..crypto import pedersen
from ..crypto.p256 import N

# what this file loads; who is done with it may let it go, and this file
NEEDS = (
    "codec.billing",
    "crypto.blind",
    "crypto.hkdf",
    "crypto.p256",
    "crypto.p256_tables",
    "crypto.pedersen",
    "crypto.pedersen_tables",
)


def energy(key: bytes, number: int, wh: int, export: bool = False):
    """Generate slices of the commitment to the energy of the interval `number`; return its 33 bytes. key: the day's"""
    kind = billing.EXPORT if export else billing.IMPORT
    return (yield from pedersen.commit(wh, pedersen.blinding(key, kind, number)))


def register(key: bytes, day: int, kind: int, wh: int, export: bool = False):
    """Generate slices of the commitment to a register of a day; return its 33 bytes. kind: billing.START .. FIRST"""
    return (yield from pedersen.commit_register(wh, pedersen.blinding(key, kind + (4 if export else 0), day)))


def whole_day(hub: bytes, chain: bytes, key: bytes, place: tuple, links: tuple, start: tuple, readings: list):
    """Generate slices of a day's batch; return it without its signature.

    place, links: billing.pack(). start: (imported, exported) Wh, the registers at the start, exported None when
    there is no such register; readings: the same at the end of each interval, None where it is missing, and for the
    turn what the new meter had.
    """
    out = bytearray(size_of(place, start, readings))
    yield from write_day(out, (hub, chain, key), place, links, start, readings)
    return bytes(out)


def size_of(place: tuple, start: tuple, readings: list) -> int:
    """Return how many bytes a batch has without its signature."""
    _, _, _, count, turn, _ = place
    energies = sum([reading is not None for reading in readings]) - (turn != billing.NO_TURN)
    registers = 2 if turn == billing.NO_TURN else 4
    return billing.head_bytes(count) + billing.POINT_BYTES * (energies + registers) * (1 if start[1] is None else 2)


def write_day(out: bytearray, who: tuple, place: tuple, links: tuple, start: tuple, readings: list):
    """Generate slices of writing a day's batch into `out`. who: hub, chain, key; others: whole_day()"""
    hub, chain, key = who
    day, _, first, count, turn, _ = place
    missing = bytearray((count + 7) // 8)
    for i in range(count):
        if readings[i] is None or i == turn:
            missing[i >> 3] |= 1 << (i & 7)
    directions = (False, True) if start[1] is not None else (False,)
    head = billing.pack(hub, chain, place, links, bytes(missing), [], len(directions) == 2)
    at = len(head)
    out[:at] = head
    for export in directions:
        for i, wh in enumerate(_registers(turn, start, readings, int(export))):
            out[at : at + billing.POINT_BYTES] = yield from register(key, day, billing.START + i, wh, export)
            at += billing.POINT_BYTES
    for export in directions:
        last = start[int(export)]
        for i in range(count):
            if readings[i] is None:
                continue
            wh = readings[i][int(export)]
            if i != turn:
                out[at : at + billing.POINT_BYTES] = yield from energy(key, first + i, wh - last, export)
                at += billing.POINT_BYTES
            last = wh


def _registers(turn, start, readings, column):
    """Return the registers of a day in the order in which a batch has them."""
    at_end = at_turn = start[column]
    for i, reading in enumerate(readings):
        if reading is not None:
            if i == turn:
                at_turn = at_end
            at_end = reading[column]
    if turn == billing.NO_TURN:
        return start[column], at_end
    return start[column], at_end, at_turn, readings[turn][column]


def signed(body: bytes, signature: bytes) -> bytes:
    """Return a batch with its signature, in the one of its two forms that counts."""
    return body + one_form(signature)


def one_form(signature: bytes) -> bytes:
    """Return a signature in the one of its two forms that counts."""
    s = int.from_bytes(signature[32:], "big")
    return signature[:32] + min(s, N - s).to_bytes(32, "big")
