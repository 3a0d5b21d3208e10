"""Consent of the household with what a market role wants to do: consent.ask.

Source   requirement EX-02 and the access matrix's "with recorded consumer consent only"; project rule
Units    Unix seconds, UTC
Errors   HubError, see below; a refusal changes nothing
Runs on  both

consent.ask  arg {scope: "readings" | "demand" | "marketing", until: Unix s, at most three years ahead
             [, expiry: of the question, else 7 days]}
             -> pending {notice}; then done {action: "accept", scope, until}, and it is granted
             (trust/role_consents.py); or done {action: "decline" | "withdrawn" | "replaced", scope}; or refused
             CONSUMER_TIMEOUT, or STORE_FULL when it was agreed to and there is no room
The words of the question are the hub's own: nobody words what the household agrees to. Of a consent that the household
revokes the role hears as the alert "consent revoked" {scope, at} (app.py).
"""

from ..errors import HubError
from . import Result, asks, fields

SCOPES = ("readings", "demand", "marketing")
_WEEK_S = 7 * 86400
_LONGEST_S = 3 * 366 * 86400
_TEXTS = {
    "readings": ("Your readings?", "They want to read your meter until %s. You can end it any time under ACCESS."),
    "demand": (
        "Steer demand?",
        "They want to lower or move your demand until %s. You can end it any time under ACCESS.",
    ),
    "marketing": ("Advertising?", "They want to show you offers here until %s. You can end it any time under ACCESS."),
}


def handle(hub, command) -> Result:
    """Show the question."""
    arg, now = command.arg, hub.clock.now()
    if command.cmd != "consent.ask":
        raise HubError("UNSUPPORTED", "cmd")
    fields.only(arg, ("scope", "until", "expiry"))
    scope = fields.one_of(arg, "scope", SCOPES)
    if not now:
        raise HubError("CLOCK_INVALID", "unset")
    until = fields.whole(arg, "until", now + 1, now + _LONGEST_S)
    expiry = min(asks.expiry({"expiry": arg.get("expiry", now + _WEEK_S)}, 0, now), until)
    local = hub.zone.local(until)
    title, text = _TEXTS[scope]
    notice: dict = {"ref": "consent-" + scope, "category": "consent", "title": title, "priority": 2, "start": 0}
    notice.update({"text": text % ("%d.%d.%d" % (local[2], local[1], local[0])), "expiry": expiry, "until": until})
    notice.update({"answer": "accept", "service": "consent", "scope": scope})
    return Result("pending", {"notice": hub.notices.put(asks.of(hub, command, notice))})


def decided(hub, notice: dict, decision: str) -> "Result | None":
    """Keep what was agreed to, and tell the role."""
    if decision == "none":
        raise HubError("CONSUMER_TIMEOUT", "notice")
    if decision in ("read", "save", "delete"):
        return None
    data: dict = {"action": decision, "scope": notice["scope"], "by": notice["by"], "at": notice["changed"]}
    if decision == "accept":
        data["until"] = notice["until"]
        hub.role_consents().grant(
            notice["kid"], notice["name"], notice["scope"], notice["until"], max(notice["changed"], 1)
        )
    return Result("done", data)
