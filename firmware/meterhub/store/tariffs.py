"""The tariffs that a hub keeps: the one in force, the one before it until its last interval has come, the next.

Source   this file. A two-slot record (record.py) each, "tariff", "tariff-old", and "tariff-next" for one that came in
         pieces and waits for its date; little endian:
             u8 1, u32 since (Unix s), u64 ctr and u8 length of kid, kid: the command that brought it; then the packed
             tariff (codec/tariff.py) to the end. Empty: there is none
         "tariff-part": u8 1, u8 pieces, u8 of them here, u8 length of kid, kid, what has come of a packed tariff
         "billing", JSON [period, day, month]: the calendar (codec/billing_calendar.py) of set.billing_calendar
         "tariff-use", "tariff-base": tariff_desk.py
Memory   the record, while it is looked at
Runs on  both
"""

import json
import struct
from collections import namedtuple

from .. import lazy

IN_FORCE, OLD, NEXT = "tariff", "tariff-old", "tariff-next"
PART, BILLING, USE, BASE = "tariff-part", "billing", "tariff-use", "tariff-base"
_HEAD = "<BIQB"
_HEAD_BYTES = 14

# since: Unix s, a multiple of the tariff's interval_s, from which it counts; kid, ctr: as in trust.command.Command
Kept = namedtuple("Kept", ("since", "kid", "ctr", "raw"))


def load(record) -> "Kept | None":
    """Return the tariff in a record (store.record.Record), None when there is none."""
    blob = record.load()
    if not blob or blob[0] != 1:
        return None
    _, since, ctr, size = struct.unpack_from(_HEAD, blob, 0)
    end = _HEAD_BYTES + size
    return Kept(since, str(blob[_HEAD_BYTES:end], "utf-8"), ctr, blob[end:])


def blob(kept: Kept) -> bytes:
    """Return what load() reads."""
    kid = kept.kid.encode()
    return struct.pack(_HEAD, 1, kept.since, kept.ctr, len(kid)) + kid + kept.raw


def change(hub, contents: "list | tuple", commit=None) -> None:
    """Keep each (record's name, blob) in its place: all of them or none. hub: app.Hub

    commit(transaction): ends it, together with what else must change then.
    """
    before = lazy.loaded()
    from .transaction import Transaction  # noqa: PLC0415 - some times a year

    one = Transaction(hub.board.data_dir)
    for name, content in contents:
        one.save(hub.record(name), content)
    if commit is None:
        one.commit()
    else:
        commit(one)
    one = Transaction = None
    lazy.let_go(lazy.parts(("store.transaction",)) - before)


def billing(record, default: tuple) -> tuple:
    """Return the billing calendar in a record; `default` when there is none."""
    raw = record.load()
    return tuple(json.loads(raw)) if raw else default


def set_billing(record, calendar: tuple) -> None:
    """Keep a billing calendar."""
    record.save(json.dumps(list(calendar)).encode())
