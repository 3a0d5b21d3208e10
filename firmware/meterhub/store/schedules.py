"""What the market roles want to be told again and again: the list of schedules, and when each one is due.

Source   ETSI TR 102 691, potential new requirements: periodic reports, whose period can be changed; round robin,
         random in a window, round-robin groups with random replies in a window
Units    Unix seconds, UTC
Memory   the list, while it is looked at
Errors   HubError STORE_FULL
Runs on  both

Slot n of a schedule begins at start + n * period_s, and its report is due `delay` after that:
  fixed   at once
  random  anywhere in the window, drawn afresh for each slot
  round   in its own part of the window: that of this hub's place, `index` among `of` hubs
  group   drawn afresh for each slot, in its group's part of the window: `index` among `of` groups

Format   JSON {v 1, all: [[kid, id, cmd, arg, start, period_s, window_s, mode, index, of, seq, slot, at, missed], ...]}
         in one two-slot record, at most 8. seq: of the newest report; slot, at: which one is next, and when it is due;
         missed: slots without a report since the newest one
"""

import json

from micropython import const

from ..errors import HubError

MODES = ("fixed", "random", "round", "group")
MOST = const(8)
_LIMIT = const(4096)
_LATE_S = const(60)
KID, ID, CMD, ARG, START, PERIOD, WINDOW, MODE, INDEX, OF = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
SEQ, SLOT, AT, MISSED = 10, 11, 12, 13


def load(record) -> list:
    """Return the schedules in a record (store.record.Record)."""
    raw = record.load()
    return json.loads(raw)["all"] if raw else []


def save(record, known: list) -> None:
    """Keep the schedules."""
    blob = json.dumps({"v": 1, "all": known}).encode()
    if len(known) > MOST or len(blob) > _LIMIT:
        raise HubError("STORE_FULL", "schedules")
    record.save(blob)


def find(known: list, kid: str, name: str) -> "list | None":
    """Return the schedule `name` of the key `kid`."""
    for one in known:
        if one[KID] == kid and one[ID] == name:
            return one
    return None


def next_at(known: list) -> int:
    """Return when the first of the schedules is due, 0 when there is none."""
    return min([one[AT] for one in known]) if known else 0


def delay(one: list, drbg) -> int:
    """Return how long after the beginning of its slot the next report is due."""
    window, mode = one[WINDOW], one[MODE]
    begin, end = 0, window
    if mode in ("round", "group"):
        begin, end = window * one[INDEX] // one[OF], window * (one[INDEX] + 1) // one[OF]
    if mode in ("fixed", "round") or end <= begin:
        return begin if mode != "fixed" else 0
    return begin + int.from_bytes(drbg.read(8), "big") % (end - begin)


def plan(one: list, slot: int, drbg) -> None:
    """Let `slot` be the next one of a schedule."""
    one[SLOT] = slot
    one[AT] = one[START] + slot * one[PERIOD] + delay(one, drbg)


def plan_from(one: list, now: int, drbg) -> None:
    """Let the first slot that begins now or later be the next one."""
    plan(one, max(0, -((one[START] - now) // one[PERIOD])), drbg)


def is_ahead(one: list, now: int) -> bool:
    """Return whether the slot before the next one is still to come: the clock was ahead when that was planned."""
    return one[SLOT] > 0 and one[START] + (one[SLOT] - 1) * one[PERIOD] > now + _LATE_S


def catch_up(one: list, now: int, drbg) -> int:
    """Plan anew what was due while nobody looked; return how many slots are over without a report.

    A report that is late is not missed while its slot lasts, nor for a minute.
    """
    slot = (now - one[START]) // one[PERIOD]
    gone = slot - one[SLOT]
    if gone <= 0 or now - one[AT] <= _LATE_S:
        return 0
    plan(one, slot, drbg)
    one[MISSED] += gone
    return gone
