"""The pages that want an answer, and what came of it. This module is loaded while somebody asks.

Runs on  both
"""

from .pages import Page, page


def who_asks(recipient: str, what_lines: "list | tuple", who_can_read: str, a: str, b: str) -> Page:
    """Who asks for what and who will be able to read it."""
    return page("WHO ASKS", recipient, tuple(what_lines)[:2], a, b, corner="1/2", strong=who_can_read, alert=True)


def pin(digits: str, code: str, left: int, seconds: int) -> Page:
    """The PIN (nine digits) in threes, the website's code, the tries and the time left."""
    groups = "%s %s %s" % (digits[:3], digits[3:6], digits[6:])
    seconds = max(seconds, 0)
    tries = "last try" if left == 1 else "%d tries left" % left
    corner = "%s  %d:%02d" % (tries, seconds // 60, seconds % 60)
    return page("PIN", groups, (code,), "cancel", "who?", corner=corner, alert=True)


def revoke(found) -> Page:
    """Ask again before the consent `found` (model.Consent) is revoked."""
    lines = ("No longer let them ask?", "Data sent stays with them.")
    return page("REVOKE", found.recipient, lines, "keep", "revoke", alert=True)


def notice(lines: "list | tuple") -> Page:
    """Return what has just happened, in as many words; the first line is the headline."""
    return page("", lines[0], tuple(lines)[1:], "ok")
