"""What all notices have that a command asks for (notices.py): whose they are, and how long they last.

Units    Unix seconds, UTC
Errors   HubError CLOCK_INVALID, EXPIRED, INVALID_VALUE
Runs on  both
"""

from ..errors import HubError
from . import fields

_MONTH_S = 30 * 86400
_LONGEST_S = 366 * 86400
_DAY_S = 86400


def of(hub, command, notice: dict) -> dict:
    """Return `notice` with its sender, and the command that it answers."""
    whole: dict = {"kid": command.kid, "role": command.role, "name": name(hub, command), "ctr": command.ctr}
    whole.update({"h": command.h, "cmd": command.cmd})
    whole.update(notice)
    return whole


def name(hub, command) -> str:
    """Return the sender's name as the household knows it."""
    return hub.commands.name(command.kid) or command.role


def expiry(arg: dict, start: int, now: int) -> int:
    """Return when a notice ends: as the argument says, else in 30 days."""
    if not now:
        raise HubError("CLOCK_INVALID", "unset")
    begins = max(start, now)
    end = fields.whole(arg, "expiry", 0, 1 << 33, begins + _MONTH_S)
    if end <= now:
        raise HubError("EXPIRED", "arg.expiry")
    if not begins < end <= now + _LONGEST_S:
        raise HubError("INVALID_VALUE", "arg.expiry")
    return end


def show_refused(hub, err, what: str, service: str) -> None:
    """Show the household that a command was refused, or its answer not received, and which; the newest one alone.

    err: trust.command.Refused; what: what the command was about, for people; service: the module it belongs to.
    """
    show_event(hub, {"kid": err.kid, "h": err.h, "ctr": err.ctr, "cmd": err.cmd}, err.name, what, service)


def show_event(hub, command: dict, error: str, what: str, service: str) -> None:
    """Show the household what a command has failed with. command: its kid, h, ctr and cmd, as a notice has them."""
    now = hub.clock.now()
    said = "%s: %s" % (what, error.lower().replace("_", " "))
    notice: dict = {"role": "", "name": hub.commands.name(command["kid"])}
    notice.update({name: command[name] for name in ("kid", "h", "ctr", "cmd")})
    notice.update({"service": service, "category": "outage", "ref": "outage-event", "told": 1})
    notice.update({"title": "Outage", "text": said, "answer": "", "priority": 0, "start": 0, "at": 0})
    notice["expiry"] = now + _DAY_S if now else 0
    try:
        hub.notices.put(notice, None, True)  # it is there when the display is
    except HubError:  # no room: what wants an answer is more important
        pass
