"""Filters that templates have without loading them."""

from __future__ import annotations

import datetime

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from . import event_words, words
from .models import REGISTERS, RESOLUTIONS, Entry, Event

register = template.Library()
_WHAT = {
    "link": "Link the hub",
    "data": "Readings",
    "revoke": "End the permission",
    "bill": "Private billing on",
    "bill-key": "Readings and keys for a bill",
    "bill-hub": "A bill made by the hub",
    "bill-off": "Private billing off",
}
_ANSWER = {"accept": "you said yes", "decline": "you said no", "override": "you overrode it"}
_AT_HOME = {"bill-off": "Private billing ended on the display"}
_MODE = {"private": "only the browser could read it", "server": "this website could read it", "display": "at home"}


@register.filter
def hub_id(hub: str) -> str:
    """A hub id in groups of four."""
    return words.hub_id(hub)


@register.filter
def moment(at: int) -> SafeString | str:
    """A time; the page's script writes it in the reader's own zone."""
    if not at:
        return "never"
    then = datetime.datetime.fromtimestamp(at, datetime.UTC)
    return format_html('<time datetime="{}">{}</time>', then.isoformat(), then.strftime("%d %b %Y %H:%M UTC"))


@register.filter
def day(at: int) -> SafeString:
    """A date; the page's script writes it in the reader's own zone."""
    then = datetime.datetime.fromtimestamp(at, datetime.UTC)
    return format_html('<time class="day" datetime="{}">{}</time>', then.isoformat(), then.strftime("%d %b %Y"))


@register.filter
def date(day: int) -> str:
    """A local day of the hub, counted from 1970: the same in every zone."""
    return f"{datetime.date(1970, 1, 1) + datetime.timedelta(day):%-d %b %Y}"


@register.filter
def detail(res: str) -> str:
    """A resolution in words."""
    return dict(RESOLUTIONS).get(res, res)


@register.filter
def registers(regs: list) -> str:
    """OBIS codes in words."""
    return " and ".join(dict(REGISTERS).get(reg, reg) for reg in regs)


@register.filter
def what(entry: Entry) -> str:
    """What a log entry asked for."""
    if entry.mode == "display":
        return _AT_HOME.get(entry.what, "Permission ended on the display")
    return _WHAT.get(entry.what, entry.what)


@register.filter
def reader(mode: str) -> str:
    """Who could read it."""
    return _MODE.get(mode, mode)


@register.filter
def trouble(entry: Entry) -> dict:
    """Why a log entry was refused, in words."""
    return words.error_or_bill(entry.error, entry.left_house)


@register.filter
def happened(event: Event) -> SafeString:
    """What a hub has told, in words."""
    return event_words.sentence(event.name, event.detail, event.at, moment)


@register.filter
def answer(said: str) -> str:
    """What was answered to a notice."""
    return _ANSWER.get(said, said)
