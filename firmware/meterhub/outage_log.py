"""What is kept of outages: how many there were, and those that have been announced.

Source   GBCS 0x8F35, 0x8F36 (restored; restored after three minutes or more); EN 50160 (an interruption of more than
         three minutes is a long one). Both rules are applied to the seconds.
Units    Unix seconds, UTC
Memory   the record, while it is looked at; loaded when it is
Runs on  both

Format   JSON {count, min3, long, seconds, last: [start, end] or [], planned: [[ref, from, to, text, at], ...]} in one
         two-slot record: how many there were, how many of three minutes or more, of more than three, how long in all;
         at most 8 are planned.
"""

import json

from micropython import const

from .errors import HubError

RESTORED, RESTORED_3MIN = "supply restored", "supply restored 3 min"
_3MIN_S = const(180)
_MOST_PLANNED = const(8)


def state(record) -> dict:
    """Return what the record (a store.record.Record) holds."""
    raw = record.load()
    return json.loads(raw) if raw else {"count": 0, "min3": 0, "long": 0, "seconds": 0, "last": [], "planned": []}


def settle(record, start: int, end: int, clock_state: str) -> tuple:
    """Count an outage; return the event's name and detail."""
    lasted = end - start
    known = state(record)
    known["count"] += 1
    known["min3"] += lasted >= _3MIN_S
    known["long"] += lasted > _3MIN_S
    known["seconds"] += lasted
    known["last"] = [start, end]
    record.save(json.dumps(known).encode())
    said = "%d-%d %d s estimated %s clock %s"
    said %= (start, end, lasted, "long" if lasted > _3MIN_S else "short", clock_state)
    for plan in known["planned"]:
        if plan[1] <= end and start <= plan[2]:
            said += " planned " + plan[0]
            break
    return (RESTORED_3MIN if lasted >= _3MIN_S else RESTORED), said


def plan(record, claims: dict, now: int) -> None:
    """Keep an announced outage (an order "mh-outage").

    HubError EXPIRED for one that is over, REPLAY for one that is not newer, STORE_FULL when 8 are not over.
    """
    if claims["to"] <= now:
        raise HubError("EXPIRED", "to")
    known = state(record)
    kept = [one for one in known["planned"] if one[0] != claims["ref"]]
    if any([one[0] == claims["ref"] and one[4] >= claims["at"] for one in known["planned"]]):
        raise HubError("REPLAY", "at")
    if len(kept) >= _MOST_PLANNED:
        # one that is over stays as long as there is room: the supply may have come back after its end
        over = [one for one in kept if one[2] < now]
        if not over:
            raise HubError("STORE_FULL", "outages")
        kept.remove(over[0])
    kept.append([claims["ref"], claims["from"], claims["to"], claims.get("text", ""), claims["at"]])
    known["planned"] = kept
    record.save(json.dumps(known).encode())
