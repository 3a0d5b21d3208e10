"""What a hub has told of its own accord, in plain words.

Source   firmware/meterhub/events.py names what is told; the details are those of meter_watch.py, household.py and
         outages.py there. What is in a detail is shown as text, whatever it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from django.utils.html import format_html
from django.utils.safestring import SafeString

from .models import REGISTERS

Moment = Callable[[int], str]
_METER = r"(?P<meter>\S+)"
_OUTAGE = r"(?P<start>\d{1,10})-(?P<end>\d{1,10}) (?P<lasted>\d{1,10}) s \D*?(?: planned (?P<ref>.+))?"
_AWAY = "The supply is back; it was away for about {lasted}, from {start} to {end}.{ref}"
# name: (what is said of any detail, how a detail is understood, what is said of one that is)
EVENTS = {
    "METER_SILENT": ("No data from a meter.", _METER, "No data from meter {meter} since {at}."),
    "meter is back": ("A meter sends data again.", _METER, "Meter {meter} sends data again."),
    "LINE_STUCK": (
        "What comes from a meter cannot be read.",
        _METER + " (?P<why>noise|break|closed)",
        "Meter {meter} cannot be read: {why}.",
    ),
    "line is back": ("A meter’s line works again.", _METER, "The line of meter {meter} works again."),
    "METER_CLOCK": (
        "A meter’s clock is wrong.",
        _METER + r" (?P<ahead>-?\d{1,10}) s ahead",
        "The clock of meter {meter} is {ahead}.",
    ),
    "meter's clock is right": (
        "A meter’s clock is right again.",
        _METER,
        "The clock of meter {meter} is right again.",
    ),
    "METER_CHANGED": (
        "Another meter is connected.",
        _METER + r"(?: (?P<channel>\d{1,3}))?",
        "Another meter is connected as {meter}{channel}; the readings of the one before are kept apart.",
    ),
    "REGISTER_BACKWARD": (
        "A meter’s total went backward.",
        _METER + r" (?P<obis>\S+)",
        "A total of meter {meter} went backward: {obis}.",
    ),
    "supply restored": ("The supply is back.", _OUTAGE, _AWAY),
    "supply restored 3 min": ("The supply is back after three minutes or more.", _OUTAGE, _AWAY),
}
_WHY = {
    "noise": "what comes is not understood",
    "break": "its line may be broken",
    "closed": "its contact stays closed",
}


def sentence(name: str, detail: str, at: int, moment: Moment) -> SafeString:
    """Return an event in words. at: its time, 0 when not known; moment(time): the time as pages show it."""
    if name not in EVENTS:
        return format_html("The hub reported “{}”.", f"{name} {detail}".strip())
    plain, pattern, said = EVENTS[name]
    found = re.fullmatch(pattern, detail, re.ASCII)
    if found is None:
        return format_html("{} ({})", plain, detail) if detail else format_html("{}", plain)
    words = {part: _WORDS[part](text, moment) for part, text in found.groupdict().items()}
    return format_html(said, at=moment(at) if at else "a time that the hub did not know", **words)


def _text(text: str, _moment: Moment) -> str:
    return text


def _time(text: str, moment: Moment) -> str:
    return moment(int(text))


def _reference(text: str | None, _moment: Moment) -> str:
    return format_html(" It had been announced ({}).", text) if text else ""


def _ahead(text: str, _moment: Moment) -> str:
    return _duration(abs(int(text))) + (" slow" if text.startswith("-") else " fast")


def _duration(seconds: int) -> str:
    """Return a duration by its two largest units."""
    parts = [(seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "min"), (seconds % 60, "s")]
    first = next((i for i, (count, _) in enumerate(parts) if count), 3)
    return " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2] if count) or "0 s"


_WORDS: dict[str, Callable[..., str]] = {
    "meter": _text,
    "why": lambda text, _: _WHY[text],
    "ahead": _ahead,
    "channel": lambda text, _: f" (channel {text})" if text else "",
    "obis": lambda text, _: f"{dict(REGISTERS)[text]} ({text})" if text in dict(REGISTERS) else text,
    "start": _time,
    "end": _time,
    "lasted": lambda text, _: _duration(int(text)),
    "ref": _reference,
}
