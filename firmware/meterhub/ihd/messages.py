"""The pages of messages: what somebody else has written, and what may be answered. Loaded while one is looked at.

Runs on  both
"""

from .pages import Page, page

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86400


def closed(message, place: str) -> Page:
    """A message (entries.Message) in the walk through all pages, with what has become of it."""
    status = "please answer" if message.asks == "accept" else message.status or ("" if message.unread else "read")
    corner = ("● " if message.unread else "") + place
    b = "read" if message.unread else "open"
    lines = (message.when, status)
    return page(message.word, message.title, lines, "next", b, corner=corner, text="from " + message.sender)


def opened(message, choices: tuple, now: int, readable: bool) -> Page:
    """A message as it was written; choices: what choices() has returned; now: Unix s, 0 while not known."""
    a, _, b, _ = choices
    corner = left(message.at - now) if message.at and now and message.asks == "override" else ""
    strong = "" if readable else "not all readable"
    lines = (message.sender + "\t" + message.when.split(" ")[0],)
    alert = bool(message.asks) and not message.said
    return page(
        message.word, message.title, lines, a, b, corner=corner, strong=strong, alert=alert, text=message.text or "-"
    )


def choices(message, shown_itself: bool, readable: bool, at_end: bool) -> tuple:
    """Return (what A is called, what it decides, what B is called, what it decides), "" for nothing.

    Who cannot read it, or has not been shown all of it, cannot agree to it.
    """
    if message.asks == "accept":
        return ("no", "decline") + (("yes", "accept") if readable else ("", ""))
    if message.asks == "override":
        if message.said:
            return ("keep", "save", "override", "override")
        return (("ok", "accept") if at_end and readable else ("", "")) + ("override", "override")
    if shown_itself and message.unread:
        return ("later", "later", "ok", "read")
    return ("keep", "save", "delete", "delete")


def left(seconds: int) -> str:
    """Return how long it is until something begins."""
    if seconds <= 0:
        return "now"
    if seconds < _HOUR_S:
        return "in %d:%02d" % (seconds // _MINUTE_S, seconds % _MINUTE_S)
    return "in %d h" % (seconds // _HOUR_S) if seconds < _DAY_S else "in %d days" % (seconds // _DAY_S)
