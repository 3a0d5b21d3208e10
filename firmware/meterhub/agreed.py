"""What the household has agreed to, and decided before, in words for its display; and telling of what it has revoked.

Loaded for that moment, and let go.
Runs on  both
"""

from .ihd.entries import Consent, Logged

_WORDS = {"half-hour": "half-hours", "day": "days", "month": "months"}
_SCOPES = {"readings": "your readings", "demand": "steer demand", "marketing": "advertising"}
_RESULTS = {
    "done": "sent",
    "linked": "linked",
    "revoked": "revoked",
    "CONSUMER_DECLINED": "you said no",
    "CONSUMER_TIMEOUT": "no answer",
    "CANCELLED": "cancelled",
    "WRONG_PIN": "wrong PIN",
    "PIN_DEAD": "3 wrong PINs",
    "accepted": "you said yes",
    "declined": "you said no",
    "overridden": "you overrode it",
    "saved": "kept",
    "deleted": "deleted",
    "PIN_EXPIRED": "PIN expired",
    "NOT_RECEIVED": "broken off",
}


def shown(hub, now: int) -> tuple:
    """Return (consents in force, of Consent; the last entries of the consent log, of Logged). hub: app.Hub"""
    consents = [_consent(hub, c) for c in hub.consents.live(now)]
    if hub.has_role_consents():
        consents += [_role_consent(hub, c) for c in hub.role_consents().live(now)]
    seen = [entry for entry in hub.journal.last("consent", 10) if entry.at >= hub.tenancy.since]
    return consents, [_logged(hub, entry) for entry in seen]


def tell_revoked(hub) -> None:
    """Journal what was revoked, and tell the roles who have not heard of it."""
    consents = hub.role_consents()
    for kid, name, scope, at in consents.untold():
        detail = "|".join((name.replace("|", "/"), scope, kid, "display", str(at)))
        if detail not in [entry.detail for entry in hub.journal.last("consent", 12)]:
            hub.journal.add("consent", "revoked", detail)
        hub.letters.alert(kid, "consent revoked", 0, scope, {"scope": scope, "at": at})
        consents.told(kid, scope)


def _consent(hub, consent):
    used = _day(hub, consent["used"]) if consent["used"] else "never"
    what = _WORDS[consent["res"]] if consent["res"] else "private billing"
    return Consent(_name(hub, consent["kid"]), what, _day(hub, consent["until"]), used, consent)


def _role_consent(hub, consent):
    used = _day(hub, consent["used"]) if consent["used"] else "never"
    return Consent(consent["name"], _SCOPES[consent["scope"]], _day(hub, consent["until"]), used, consent)


def _logged(hub, entry):
    local = hub.zone.local(entry.at)
    when = "%d.%d. %02d:%02d" % (local[2], local[1], local[3], local[4])
    result = _RESULTS.get(entry.name, "refused: " + entry.name.lower().replace("_", " "))
    return Logged(when, _name(hub, entry.detail.split("|")[0]), result)


def _name(hub, kid):
    return hub.recipients[kid][0] if kid in hub.recipients else kid


def _day(hub, at):
    local = hub.zone.local(at)
    return "%d.%d.%d" % (local[2], local[1], local[0])
