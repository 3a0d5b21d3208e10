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
_MADE_NOT = "No bill was made."
_TELL = "Save the sealed days and show them to whoever runs this website; something is not as it should be."
_SUPPLIER = "Ask your supplier for another tariff, and tell them why. You need not accept this one."
_NEW = "Make the bill again from the start."
_PROVED = ("The proof of the bill does not hold.", "Do not use this bill. " + _NEW)
_BATCH = ("What your hub has sealed is damaged, or not from your hub.", _TELL)
BILL = {
    "BILLING_OFF": ("Private billing is off at your hub.", "Switch it on again: bills are for the days after that."),
    "BATCH_FORMAT": _BATCH,
    "BATCH_HUB": _BATCH,
    "BATCH_SIGNATURE": _BATCH,
    "POINT": _BATCH,
    "BATCH_NONE": ("There is no sealed day in this time.", "Choose days that your hub has sealed."),
    "BATCH_CHAIN": (
        "The days are not of one run: private billing was switched off and on in between.",
        "Make one bill up to then, and another one from then on.",
    ),
    "BATCH_ORDER": ("A day is there twice, or the days are not in order.", _TELL),
    "BATCH_MISSING": ("A sealed day is missing in between.", "Wait until your hub has sent it, or choose fewer days."),
    "BATCH_LINK": ("A day does not follow from the one before it: something was swapped.", _TELL),
    "BATCH_LATE": ("The number of missing readings is not the same everywhere.", _TELL),
    "TARIFF_FORMAT": ("This tariff cannot be read.", _SUPPLIER),
    "TARIFF_KIND": (
        "By this tariff a price depends on how much was used; neither a page nor a hub can prove that.",
        "Let this website make the bill, or save the files and use “meterhub bill prove” on your computer.",
    ),
    "TARIFF_SIGNATURE": ("The tariff is not signed by the supplier that you agreed to.", _SUPPLIER),
    "TARIFF_LATE": (
        "The tariff was signed, or begins, after the time of the bill had begun.",
        "Choose days after that, or the tariff that was there before.",
    ),
    "TARIFF_OTHER": (
        "Your hub had another tariff in force on some of these days.",
        "Use the tariff that your display shows, and days on which it was in force.",
    ),
    "TARIFF_INTERVAL": ("This tariff needs shorter intervals than your hub measures.", _SUPPLIER),
    "TARIFF_BANDS": ("This tariff has so many prices that the fee would show too much about you.", _SUPPLIER),
    "TARIFF_BAND_TIME": (
        "One of the prices counts for so few half-hours that the fee would show them.",
        "Choose a longer time, or ask your supplier for another tariff. You need not accept this one.",
    ),
    "TARIFF_PRICES": ("The prices lie so far apart that the fee would show too much about you.", _SUPPLIER),
    "SECOND_BILL": (
        "There is another bill for part of this time already. Both together would show what lies between them.",
        "Make the same bill again, or one that begins where the other ends.",
    ),
    "OVERLAP": (
        "Together with what you gave away before, this would show more than either does.",
        "Choose days that do not overlap with it.",
    ),
    "READING": (
        "A reading is not what your hub has sealed.",
        "Do not accept a bill for this time. " + _TELL,
    ),
    "READING_MISSING": (
        "Your hub has sealed a reading that it did not send.",
        "Ask again; if the hub no longer has it, choose later days.",
    ),
    "READING_RANGE": ("A reading is lower than the one before it, or far too high.", _TELL),
    "READING_ABOVE": ("A reading is above what was to be shown.", "Choose a higher limit."),
    "KEYS_FORMAT": ("The keys of the days cannot be read.", _NEW),
    "KEYS_OTHER": ("Your hub did not send the keys of all these days.", "Choose days since private billing was on."),
    "REGISTERS": ("What is billed is not what the meter’s register has counted.", "Do not use this bill. " + _TELL),
    "EXPORT_REGISTERS": (
        "What was sent to the grid is not what the meter’s register has counted.",
        "Do not use this bill. " + _TELL,
    ),
    "FEE": ("The fee is not what the readings come to.", "Do not use this bill. " + _NEW),
    "INCOME": ("What is paid for energy sent to the grid is another amount.", "Do not use this bill. " + _NEW),
    "BILL_AMOUNT": ("An amount on the bill does not follow from the others.", "Do not use this bill. " + _NEW),
}
# what a hub says that gives no keys, or makes no bill: (name, field), and what that is called here
_OF_HUB = {
    ("NOT_LINKED", "keys"): "BILLING_OFF",
    ("REVOKED", "keys"): "BILLING_OFF",
    ("EXPIRED", "keys"): "BILLING_OFF",
    ("NOT_CONSENTED", "second bill"): "SECOND_BILL",
    ("NOT_AVAILABLE", "chain"): "BATCH_NONE",
    ("UNSUPPORTED", "tariff.kind"): "TARIFF_KIND",
    ("INVALID_VALUE", "tariff.at"): "TARIFF_LATE",
    ("INVALID_VALUE", "tariff.other"): "TARIFF_OTHER",
    ("INVALID_VALUE", "tariff.interval_s"): "TARIFF_INTERVAL",
    ("INVALID_VALUE", "tariff.bands"): "TARIFF_BANDS",
    ("INVALID_VALUE", "tariff.band_time"): "TARIFF_BAND_TIME",
    ("INVALID_VALUE", "tariff.prices"): "TARIFF_PRICES",
    ("INVALID_VALUE", "wh"): "READING_RANGE",
}
_LEFT = {
    "nothing": "Nothing left your house.",
    "bill": "A bill left your house, encrypted, and no reading did.",
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


def bill_error(name: str, left: str = "The readings came only to where you let them go; no bill left it.") -> dict:
    """Return {"happened", "left", "todo"} for why a bill was refused: a name of ../billing/refusals.py."""
    happened, todo = BILL.get(name, _PROVED)
    return {"happened": happened, "left": f"{_MADE_NOT} {left}", "todo": todo, "name": name}


def name_of_hub(name: str, field: str) -> str:
    """Return the name, of BILL if there is one, for a hub's error that is about a bill."""
    return _OF_HUB.get((name, field), name)


def error_or_bill(name: str, left: str) -> dict:
    """Return {"happened", "left", "todo"} for a name of either table."""
    return bill_error(name, _LEFT[left]) if name in BILL else error(name, left)


def for_bills() -> dict:
    """Return what a page needs to say why a bill was refused."""
    return {"errors": {name: list(pair) for name, pair in BILL.items()}, "other": list(_PROVED)}


def hub_id(hub: str) -> str:
    """Return a hub id as it is easiest to read: in groups of four."""
    return " ".join(hub[i : i + 4] for i in range(0, len(hub), 4))


def clean_hub_id(typed: str) -> str:
    """Return the 16 characters of a typed hub id; look-alikes are what Crockford's base32 says they are."""
    text = "".join(c for c in typed.upper() if c.isalnum())
    return text.translate(str.maketrans("OIL", "011"))
