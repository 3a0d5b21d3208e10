"""Days of a meter that is read, has gaps, and is exchanged, as the hub has them for a batch; and a tariff for them.

Runs on CPython and MicroPython: what is made of them must be the same bytes everywhere.
"""

from binascii import unhexlify

from meterhub.codec import bill as forms
from meterhub.codec import billing, tariff
from meterhub.codec.timezone import Zone
from meterhub.crypto import pedersen

HOUR, DAY = 3600, 86400
LONDON = "GMT0BST,M3.5.0/1,M10.5.0"
MARCH = 1774310400  # 24 March 2026, 00:00 UTC; on the 29th London's clock goes forward
HUB, CHAIN, ROOT = b"\xae&\x7fc-\xc9\x82\xe5z\x8d", b"chain of samples", b"\x05" * 32
NONCE = bytes(range(16))
DIGEST = unhexlify("dccf267eeb4880a12967ad92df2e68f18e60f0655b318fe23ff6ab7e9f646434")  # of the batches of with_all()


def document(**fields):
    """Return a tariff of two bands that pays for what is fed in."""
    found = {
        "v": 1,
        "id": "eco-1",
        "currency": "GBP",
        "zone": LONDON,
        "kind": "linear",
        "interval_s": HOUR,
        "scale": -5,
        "round": 2,
        "tax_bp": 500,
        "standing": {"price": 50, "scale": -2},
        "bands": [{"name": "night", "price": 7500}, {"name": "day", "price": 28500}],
        "days": [[0, 0, 420, 1]],
        "export": [5000, 6000],
    }
    found.update(fields)
    return found


def signed(one, at=MARCH - DAY):
    """Return a document as codec/bill.py has it signed; nobody looks at the signature here."""
    return forms.tariff_of(forms.tariff_body(at, b"a supplier", tariff.packed(one)) + bytes(64))


def days(count, energy, missing=(), turns=(), step_s=HOUR, zone=LONDON, export=True):
    """Return [(key, place, start, readings)] of local days on end, as trust/batches.py's whole_day() wants them.

    energy: (start of an interval) -> (Wh, Wh fed in); missing, turns: starts of intervals.
    """
    clock = Zone(zone)
    at = MARCH
    known = reading = (1000000, 500 if export else None)
    read_at, found = MARCH, []
    for _ in range(count):
        stop = clock.next_day_start(at)
        start, late, turn, readings = known, (at - read_at) // step_s, billing.NO_TURN, []
        for i in range((stop - at) // step_s):
            begins = at + i * step_s
            wh, fed = energy(begins)
            reading = (reading[0] + wh, reading[1] + fed if export else None)
            if begins in missing:
                readings.append(None)
                continue
            if begins in turns:
                turn, reading = i, (17, 3 if export else None)
            readings.append(reading)
            known, read_at = reading, begins + step_s
        day = (at + clock.offset_s(at)) // DAY
        place = (day, step_s, at // step_s, len(readings), turn, late)
        found.append((pedersen.day_key(ROOT, CHAIN, day), place, start, readings))
        at = stop
    return found


def span(found):
    """Return (start, stop) of some days."""
    first, last = found[0][1], found[-1][1]
    return first[2] * first[1], (last[2] + last[3]) * last[1]


def steady(at):
    """Return an energy of a house in which every hour is another one."""
    hour = at // HOUR
    return 100 + hour * 37 % 411, hour * 53 % 207 if 8 < hour % 24 < 17 else 0


def with_all():
    """Return nine days with gaps of all kinds, a turn, and the night on which an hour is left out."""
    gaps = [5, 6 + 24, 23 + 48, 24 + 48, 25 + 48, 100, 101, 108]
    return days(9, steady, [MARCH + HOUR * i for i in gaps], [MARCH + HOUR * 130])
