"""Messages on the household's display: message.send, message.withdraw, message.status.

Source   ETSI TR 102 691 UC-14, UC-02 (appointments), UC-10 (news of a tariff); marketing only with consent
Units    Unix seconds, UTC
Errors   HubError, see below; a refusal changes nothing
Runs on  both

message.send      arg {id: 1 to 32 of A-Z a-z 0-9 . _ -, category, title: up to 16 characters, text: up to 160
                  [, priority 0..3: 1] [, start: Unix s, 0 for at once] [, expiry: Unix s, else 30 days from now]
                  [, answer: "" or "accept"]}. The same id again takes the place of the message.
                  -> pending {notice}; then done {action: "read" | "accept" | "decline" | "save" | "delete" |
                  "withdrawn" | "replaced", id, by: "display" or "website", at}, or refused CONSUMER_TIMEOUT: not
                  read (not answered, where an answer is wanted) before its expiry
                  NOT_AUTHORISED arg.category: not this role's; NOT_CONSENTED arg.category: marketing that nobody
                  wants; DISPLAY_FAILED ihd; STORE_FULL notices; CLOCK_INVALID; EXPIRED arg.expiry
message.withdraw  arg {id} -> done {}; NOT_AVAILABLE notice: there is none; WRONG_STATE state: it is over
message.status    arg {[id]} -> done {messages: [{id, ref, state, said, changed, expiry}]}, the newest 8 of this sender

Who may send what: SUP all; DNO outage; ADM appointment; ESP and EFF supply, advance, general; marketing: with consent.
"""

from ..errors import HubError
from . import Result, asks, fields

_OF_THEIRS = ("supply", "advance", "general", "marketing")
_MAY = {
    "SUP": _OF_THEIRS + ("outage", "appointment", "tariff"),
    "DNO": ("outage",),
    "ADM": ("appointment",),
    "ESP": _OF_THEIRS,
    "EFF": _OF_THEIRS,
}
_CATEGORIES = _MAY["SUP"]
_FIELDS = ("id", "category", "title", "text", "priority", "start", "expiry", "answer")


def handle(hub, command) -> Result:
    """Carry out a command."""
    if command.cmd == "message.send":
        return _send(hub, command)
    if command.cmd == "message.withdraw":
        fields.only(command.arg, ("id",))
        hub.notices.withdraw(hub.notices.find(command.kid, fields.ref(command.arg, "id")))
        return Result("done", {})
    if command.cmd == "message.status":
        return _status(hub, command)
    raise HubError("UNSUPPORTED", "cmd")


def _send(hub, command):
    arg, now = command.arg, hub.clock.now()
    fields.only(arg, _FIELDS)
    category = fields.one_of(arg, "category", _CATEGORIES)
    if category not in _MAY.get(command.role, ()):
        raise HubError("NOT_AUTHORISED", "arg.category")
    start = fields.whole(arg, "start", 0, 1 << 33, 0)
    notice: dict = {"ref": fields.ref(arg, "id"), "category": category, "title": fields.text(arg, "title", 16)}
    notice.update({"text": fields.text(arg, "text", 160), "priority": fields.whole(arg, "priority", 0, 3, 1)})
    notice.update({"answer": fields.one_of(arg, "answer", ("", "accept"), ""), "start": start, "service": "messages"})
    notice["expiry"] = asks.expiry(arg, start, now)
    if category == "marketing" and not hub.role_consents().granted(command.kid, "marketing", now):
        raise HubError("NOT_CONSENTED", "arg.category")
    return Result("pending", {"notice": hub.notices.put(asks.of(hub, command, notice))})


def _status(hub, command):
    fields.only(command.arg, ("id",))
    if "id" in command.arg:
        found = [hub.notices.find(command.kid, fields.ref(command.arg, "id"))]
    else:
        found = hub.notices.of(command.kid)[-8:]
    return Result("done", {"messages": [hub.notices.status(number) for number in found]})


def decided(hub, notice: dict, decision: str) -> Result:
    """Tell the sender what the household has done; HubError CONSUMER_TIMEOUT when it has done nothing."""
    if decision == "none":
        raise HubError("CONSUMER_TIMEOUT", "notice")
    return Result("done", {"action": decision, "id": notice["ref"], "by": notice["by"], "at": notice["changed"]})
