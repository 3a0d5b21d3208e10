"""A planned outage: outage.planned.

Source   ETSI TR 102 691 UC-05 (planned: message, validate, display, the consumer accepts, confirm)
Units    Unix seconds, UTC
Errors   HubError, see below
Runs on  both

outage.planned  arg {ref: 1 to 32 of A-Z a-z 0-9 . _ -, from, to: at most seven days later [, text: up to 100]}
                -> pending {notice}; then done {action: "accept", ref}, or refused CONSUMER_DECLINED, or refused
                CONSUMER_TIMEOUT: not answered before it ends; done {action: "withdrawn" | "replaced", ref}
                The same ref again takes the place of what was announced; from = to = 0 takes it back -> done {}.
                What is announced is kept for the outage log (outages.py), whatever the household says.
                DISPLAY_FAILED ihd: it is shown as soon as there is a display again, and no answer is waited for.
Whatever is refused, the household is shown that there was something: one message that the next one replaces.
"""

from ..errors import HubError
from . import Result, asks, fields

_WEEK_S = 7 * 86400
_AHEAD_S = 366 * 86400


def handle(hub, command) -> Result:
    """Announce an outage to the household."""
    if command.cmd != "outage.planned":
        raise HubError("UNSUPPORTED", "cmd")
    return _announce(hub, command)


def refused(hub, cmd: str, err) -> None:
    """Show the household that something was announced in vain, whoever has found that (trust.command.Refused)."""
    if err.name not in ("DISPLAY_FAILED", "STORE_FULL"):
        asks.show_refused(hub, err, "Planned outage", "outage_plan")


def _announce(hub, command):
    arg, now = command.arg, hub.clock.now()
    fields.only(arg, ("ref", "from", "to", "text"))
    ref = fields.ref(arg, "ref")
    if not now:
        raise HubError("CLOCK_INVALID", "unset")
    if arg.get("from") == 0 and arg.get("to") == 0:
        number = hub.notices.find(command.kid, ref)
        hub.notices.status(number)  # there is one
        hub.outages.forget(ref)
        hub.notices.withdraw(number)
        return Result("done", {})
    start = fields.whole(arg, "from", 1, now + _AHEAD_S)
    end = fields.whole(arg, "to", 1, now + _AHEAD_S + _WEEK_S)
    if end <= now:
        raise HubError("EXPIRED", "arg.to")
    if not start < end <= start + _WEEK_S:
        raise HubError("INVALID_VALUE", "arg.to")
    text = _when(hub, start, end) + fields.text(arg, "text", 100, "")
    notice: dict = {
        "ref": ref,
        "category": "outage",
        "title": "No power",
        "text": text.rstrip(),
        "priority": 2,
        "start": 0,
    }
    notice.update({"expiry": end, "at": start, "answer": "accept", "service": "outage_plan", "outage": [start, end]})
    notice = asks.of(hub, command, notice)
    claims = {"ref": ref, "from": start, "to": end, "text": arg.get("text", ""), "at": now}
    plan = hub.outages.planned(claims)
    try:
        number = hub.notices.put_with(hub.outages.record, plan, notice)
    except HubError as err:
        if err.name == "DISPLAY_FAILED":
            notice.update({"answer": "", "told": 1})
            hub.notices.put_with(hub.outages.record, plan, notice, True)
        raise
    return Result("pending", {"notice": number})


def _when(hub, start, end):
    first, last = hub.zone.local(start), hub.zone.local(end)
    day = "%d.%d. " % (last[2], last[1]) if first[:3] != last[:3] else ""
    said = (first[2], first[1], first[3], first[4], day, last[3], last[4])
    return "%d.%d. %02d:%02d to %s%02d:%02d. " % said


def decided(hub, notice: dict, decision: str) -> "Result | None":
    """Tell the network operator whether the household has accepted."""
    if "told" in notice or decision in ("read", "save", "delete"):
        return None  # it was answered at once
    if decision == "none":
        asks.show_event(hub, notice, "CONSUMER_TIMEOUT", "Planned outage", "outage_plan")  # itself it is shown no more
        raise HubError("CONSUMER_TIMEOUT", "notice")
    if decision == "decline":
        raise HubError("CONSUMER_DECLINED", "notice")
    data: dict = {"action": decision, "ref": notice["ref"], "by": notice["by"], "at": notice["changed"]}
    return Result("done", data)
