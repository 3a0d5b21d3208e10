"""Efficiency measures: efficiency.propose, efficiency.apply.

Source   ETSI TR 102 691 UC-13 (propose, validate, display, approve, confirm the action)
Units    Unix seconds, UTC
Errors   HubError as services/messages.py; a refusal changes nothing
Runs on  both

efficiency.propose  arg {id, title, text [, priority: 1] [, expiry: else in 30 days]}: the measure is shown and
                    approved or declined
                    -> pending {notice}; then done {action: "accept" | "decline" | "withdrawn" | "replaced", id},
                    or refused CONSUMER_TIMEOUT
efficiency.apply    arg {id [, text]}: the measure that was approved is carried out; the household is told so
                    -> pending {notice}; then done {action: "read" | "save" | "delete", id, applied: Unix s}; what
                    nobody reads ends as done {action: "none", id, applied}
                    NOT_AVAILABLE arg.id: it was not proposed, or that is long ago; WRONG_STATE arg.id: it was not
                    approved, or has been carried out. A measure is what the entity or the household does: the hub
                    itself has nothing to switch before there are devices at the premises.

Format   record "efficiency": JSON {v 1, all: [[kid, id, title, state, at], ...]}, state "approved", "declined" or
         "applied"; the newest 8 are kept
"""

import json

from ..errors import HubError
from . import Result, asks, fields

_MOST = 8


def handle(hub, command) -> Result:
    """Carry out a command."""
    if command.cmd == "efficiency.propose":
        return _propose(hub, command)
    if command.cmd == "efficiency.apply":
        return _apply(hub, command)
    raise HubError("UNSUPPORTED", "cmd")


def _propose(hub, command):
    arg, now = command.arg, hub.clock.now()
    fields.only(arg, ("id", "title", "text", "priority", "expiry"))
    notice: dict = {"ref": fields.ref(arg, "id"), "category": "efficiency", "title": fields.text(arg, "title", 16)}
    notice.update({"text": fields.text(arg, "text", 160), "priority": fields.whole(arg, "priority", 0, 3, 1)})
    notice.update({"start": 0, "expiry": asks.expiry(arg, 0, now), "answer": "accept", "service": "efficiency"})
    return Result("pending", {"notice": hub.notices.put(asks.of(hub, command, notice))})


def _apply(hub, command):
    arg, now = command.arg, hub.clock.now()
    fields.only(arg, ("id", "text"))
    ref = fields.ref(arg, "id")
    text = fields.text(arg, "text", 160, "")
    record = hub.record("efficiency")
    rows = _rows(record)
    found = [row for row in rows if row[:2] == [command.kid, ref]]
    if not found:
        raise HubError("NOT_AVAILABLE", "arg.id")
    kid, _, title, state, _ = found[0]
    if state != "approved":
        raise HubError("WRONG_STATE", "arg.id")
    notice: dict = {"ref": ref, "category": "efficiency", "title": title, "priority": 1, "start": 0, "answer": ""}
    notice.update({"text": text or "What you agreed to is done now.", "expiry": asks.expiry({}, 0, now)})
    notice.update({"service": "efficiency", "applied": now})
    rows = [row for row in rows if row is not found[0]] + [[kid, ref, title, "applied", now]]
    number = hub.notices.put_with(record, _packed(rows), asks.of(hub, command, notice))
    return Result("pending", {"notice": number})


def decided(hub, notice: dict, decision: str) -> "Result | None":
    """Note what was approved, and tell the entity."""
    data: dict = {"action": decision, "id": notice["ref"], "by": notice["by"], "at": notice["changed"]}
    if "applied" in notice:
        data["applied"] = notice["applied"]
        return Result("done", data)
    if decision == "none":
        raise HubError("CONSUMER_TIMEOUT", "notice")
    if decision in ("read", "save", "delete"):
        return None
    if decision in ("accept", "decline"):
        record = hub.record("efficiency")
        rows = [row for row in _rows(record) if row[:2] != [notice["kid"], notice["ref"]]]
        state = "approved" if decision == "accept" else "declined"
        record.save(_packed(rows + [[notice["kid"], notice["ref"], notice["title"], state, notice["changed"]]]))
    return Result("done", data)


def _rows(record):
    raw = record.load()
    return json.loads(raw)["all"] if raw else []


def _packed(rows):
    return json.dumps({"v": 1, "all": rows[-_MOST:]}).encode()
