"""Removing the household's PIN: disable.privacy_pin.

Source   GBCS ECS14 (disable privacy PIN)
Errors   HubError WRONG_STATE when there is none; CLOCK_INVALID is none here: nothing has a date
Runs on  both

disable.privacy_pin  arg {} -> done {}. For who has forgotten it, and has told the supplier so: the buttons decide
                     without a PIN from then on, and a message tells the household. Both happen, or neither.
"""

from ..errors import HubError
from . import Result, asks, fields

_TEXT = (
    "Your PIN was removed. The buttons decide without one now. If you did not ask for it, call them and set a new one."
)


def handle(hub, command) -> Result:
    """Remove the PIN."""
    if command.cmd != "disable.privacy_pin":
        raise HubError("UNSUPPORTED", "cmd")
    fields.only(command.arg, ())
    if not hub.settings.get("household.pin"):
        raise HubError("WRONG_STATE", "household.pin")
    notice: dict = {"ref": "privacy-pin", "category": "general", "title": "PIN removed", "text": _TEXT, "priority": 2}
    notice.update({"start": 0, "expiry": 0, "answer": "", "service": "privacy"})
    notice = asks.of(hub, command, notice)
    hub.change_setting("household.pin", "", lambda transaction: hub.notices.put(notice, transaction, True))
    hub.journal.add("security", "household PIN removed", "%s %s" % (command.role, command.kid))
    return Result("done", {})


def decided(hub, notice: dict, decision: str) -> None:
    """Nobody waits for an answer."""
