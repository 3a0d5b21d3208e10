"""Is a value what a setting may be?

Runs on  both
"""


def wrong(kind: type, check, value) -> str:
    """Return what is wrong with a value, "" when nothing is.

    check: (low, high) of a number or of a text's length, (choices), a function that says what is wrong, or None.
    """
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        return "is no " + {int: "whole number", str: "text", bool: "true or false", list: "list"}[kind]
    if check is None:
        return ""
    if not isinstance(check, tuple):
        return check(value)
    if isinstance(check[0], int) and kind is str:
        return "" if check[0] <= len(value) <= check[1] else "must have %d to %d characters" % check
    if len(check) == 2 and kind is int:
        return "" if check[0] <= value <= check[1] else "must lie between %d and %d" % check
    return "" if value in check else "must be one of " + ", ".join([str(c) for c in check])
