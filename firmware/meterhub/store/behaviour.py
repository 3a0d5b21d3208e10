"""How market roles want events to be told: the record `event-behaviour`, which set.event_behaviour makes.

Source   GBCS ECS25; services/security.py
Errors   StoreError when flash does not hold what was written
Runs on  both
Format   JSON {v 1, role: {name of an event: bits}}; bit 0: the role is alerted, bit 1: its logs tell the event. What
         is not in it has both bits
"""

import json

from micropython import const

RECORD = "event-behaviour"
ALERT, LOG = const(1), const(2)


def changed(record) -> dict:
    """Return what roles have changed: role -> {event: bits}."""
    raw = record.load()
    return json.loads(raw) if raw else {}
