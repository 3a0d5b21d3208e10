"""Errors in plain words: what happened, whether anything left the house, what to do now."""

from __future__ import annotations

_AGAIN = "Ask again when you are ready."
_LATER = "Wait a few minutes, then ask again."
ERRORS = {
    "CONSUMER_DECLINED": ("Somebody pressed “no” on the display.", "If that was a mistake, ask again."),
    "CONSUMER_TIMEOUT": ("Nobody answered on the display.", "Go to the display first, then ask again."),
    "CONSUMER_UNABLE": ("The display could not be answered.", "Check the display, then ask again."),
    "CANCELLED": ("The request was cancelled.", _AGAIN),
    "WRONG_PIN": ("That was not the PIN on the display.", "Type the PIN that the display shows now."),
    "PIN_DEAD": (
        "Three wrong PINs: the request is dead.",
        "Ask again; the display will show a new PIN. Check that its code is the one on this page.",
    ),
    "PIN_EXPIRED": ("The PIN ran out of time.", "Ask again; a PIN lives ten minutes."),
    "EXPIRED": (
        "The request ran out of time.",
        "Ask again. If it happens at once, the hub’s clock or the end of your link may be the reason.",
    ),
    "LOCKED_OUT": (
        "Your hub takes no requests for a while, because there were too many wrong PINs.",
        "Wait; the display says how long. If it was not you who typed them, tell whoever runs this website.",
    ),
    "RATE_LIMITED": ("Your hub got too many requests in a short time.", _LATER),
    "BUSY": ("Your hub is busy with another request.", "Finish or decline the one on the display, then ask again."),
    "NOT_AVAILABLE": (
        "Your hub did not answer, or does not record what you asked for.",
        "Check that the hub has power and network, and that what you ticked is measured in your home.",
    ),
    "NOT_RECEIVED": ("The connection to your hub broke off.", "Check that the hub is online, then ask again."),
    "NOT_LINKED": ("Your hub does not know this account.", "Link the hub again."),
    "REVOKED": ("The household has ended this account’s permission.", "Link the hub again if you want it back."),
    "NOT_CONSENTED": ("That is more than this account may ask for.", "Ask for less detail, or link the hub again."),
    "OUT_OF_RANGE": ("Your hub has no readings for part of that time.", "Choose days that the hub has readings of."),
    "UNKNOWN_RECIPIENT": (
        "Your hub does not know this website.",
        "The website’s key has to be entered in the hub’s settings first.",
    ),
    "DISPLAY_FAILED": ("The hub’s display does not work.", "Check the display’s cable, then ask again."),
    "CLOCK_INVALID": ("The hub’s clock is wrong.", "Wait until the meter has set it, then ask again."),
    "NOT_AUTHENTIC": ("Something in the answer was not signed by your hub.", "Do not go on. Ask again later."),
    "INTEGRITY_FAILED": ("What arrived is not what the hub signed.", "Nothing of it is shown. Ask again."),
    "WRONG_HUB": ("The answer came from another hub.", "Check the hub id on the display."),
    "STORE_FULL": ("The hub has no room for another permission.", "End one on the display, then try again."),
    "RETRIEVE_FAILED": ("The hub could not read its own history.", _LATER),
    "REPLAY": ("The hub had seen this request before.", _AGAIN),
    "INTERRUPTED": ("The website was restarted in the middle.", _AGAIN),
    "WRONG_STATE": ("That came too late: the request has moved on.", "Look at what the page shows now."),
}
_LEFT = {
    "nothing": "Nothing left your house.",
    "part": "Part of the readings had left your house, encrypted; what arrived was deleted.",
    "all": "The readings left your house, encrypted.",
}
PIN = {
    "MALFORMED": "A PIN has nine digits.",
    "INVALID_VALUE": "That cannot be right: the last digit does not fit the others. No try was used. Look again.",
}


def error(name: str, left: str = "nothing") -> dict:
    """Return {"happened", "left", "todo"} for an error name of the firmware's table."""
    happened, todo = ERRORS.get(name, (f"The hub refused ({name.lower().replace('_', ' ')}).", _AGAIN))
    return {"happened": happened, "left": _LEFT[left], "todo": todo}


def for_pages() -> dict:
    """Return everything the page needs to say the same in private mode."""
    return {"errors": {name: list(pair) for name, pair in ERRORS.items()}, "left": _LEFT, "pin": PIN}


def hub_id(hub: str) -> str:
    """Return a hub id as it is easiest to read: in groups of four."""
    return " ".join(hub[i : i + 4] for i in range(0, len(hub), 4))


def clean_hub_id(typed: str) -> str:
    """Return the 16 characters of a typed hub id; look-alikes are what Crockford's base32 says they are."""
    text = "".join(c for c in typed.upper() if c.isalnum())
    return text.translate(str.maketrans("OIL", "011"))
