"""What has gone wrong lately, by the counts of errors that every decoder keeps.

Runs on  both
"""


def new_reason(errors: dict, before: dict) -> str:
    """Return a reason that `errors` counts more often than its earlier copy `before`, "" when there is none."""
    for reason, count in errors.items():
        if count > before.get(reason, 0):
            return reason
    return ""
