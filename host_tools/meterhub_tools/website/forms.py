"""What customers type, checked."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django import forms
from django.contrib.auth.password_validation import validate_password

from . import bills, words
from .models import MAKERS, MODES, REGISTERS, RESOLUTIONS, Account, Link, unix_now

_METER_ID = re.compile(r"[A-Z0-9][A-Z0-9 ./-]{3,31}")
_HUB_ID = re.compile(r"[0-9A-HJKMNP-TV-Z]{16}")
_YEARS = (("1", "one year"), ("2", "two years"), ("5", "five years"))
STEP_S = 1800  # what every hub's interval divides, or is a multiple of


class SignUp(forms.Form):
    """A new account."""

    meter_id = forms.CharField(
        label="Meter id",
        max_length=32,
        help_text="The number printed on your electricity meter. It is only shown to you.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
    )
    username = forms.RegexField(
        r"^[A-Za-z0-9_.-]{3,40}$",
        label="User name",
        error_messages={"invalid": "3 to 40 letters, digits, dots, hyphens or underscores."},
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"}),
    )
    password = forms.CharField(
        label="Password",
        max_length=200,
        strip=False,
        help_text="At least ten characters.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean_meter_id(self) -> str:
        meter_id: str = self.cleaned_data["meter_id"].strip().upper()
        if not _METER_ID.fullmatch(meter_id):
            raise forms.ValidationError("A meter id has 4 to 32 letters and digits.")
        return meter_id

    def clean_username(self) -> str:
        username: str = self.cleaned_data["username"]
        if Account.objects.filter(username__iexact=username).exists():
            raise forms.ValidationError("This name is taken.")
        return username

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if {"username", "password", "meter_id"} <= found.keys():
            account = Account(username=found["username"], meter_id=found["meter_id"])
            try:
                validate_password(found["password"], account)
            except forms.ValidationError as error:
                self.add_error("password", error)
        return found


class NewLink(forms.Form):
    """A hub to be linked, and what it may be asked for from then on."""

    hub = forms.CharField(
        label="Hub id",
        max_length=40,
        help_text="16 letters and digits. The display shows it when the hub starts.",
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false", "class": "code"}
        ),
    )
    regs = forms.MultipleChoiceField(
        label="This account may ask for electricity",
        choices=REGISTERS,
        initial=[REGISTERS[0][0], REGISTERS[1][0]],
        widget=forms.CheckboxSelectMultiple,
    )
    res = forms.ChoiceField(
        label="in as much detail as", choices=RESOLUTIONS, initial="half-hour", widget=forms.RadioSelect
    )
    years = forms.ChoiceField(label="for", choices=_YEARS, initial="1")

    def clean_hub(self) -> str:
        hub = words.clean_hub_id(self.cleaned_data["hub"])
        if not _HUB_ID.fullmatch(hub):
            raise forms.ValidationError("A hub id has 16 letters and digits, for example K7QX 2M9D 4T1B 8RWE.")
        return hub

    def until(self) -> int:
        """Return when the link ends."""
        return unix_now() + int(self.cleaned_data["years"]) * 366 * 86400


class Ask(forms.Form):
    """A request for data: `have` is [from, to] of the hub's readings, `link` what the account may ask for."""

    start = forms.DateField(label="First day", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    stop = forms.DateField(label="Last day", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    res = forms.ChoiceField(
        label="One reading for", choices=RESOLUTIONS, initial="half-hour", widget=forms.RadioSelect
    )
    regs = forms.MultipleChoiceField(label="Electricity", choices=REGISTERS, widget=forms.CheckboxSelectMultiple)
    mode = forms.ChoiceField(
        label="Who will be able to read it", choices=MODES, initial="private", widget=forms.RadioSelect
    )
    zone = forms.CharField(required=False, max_length=64, initial="UTC", widget=forms.HiddenInput)

    def __init__(self, *args: Any, link: Link, have: list[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.have = have
        finest = [name for name, _ in RESOLUTIONS].index(link.res)
        self._offer("res", RESOLUTIONS[finest:], link.res)
        self._offer("regs", [pair for pair in REGISTERS if pair[0] in link.regs], link.regs)

    def _offer(self, name: str, choices: Sequence[tuple[str, str]], initial: str | list[str]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101  (for the type checker)
        field.choices = choices
        field.initial = initial

    def clean_zone(self) -> ZoneInfo:
        try:
            return ZoneInfo(self.cleaned_data["zone"] or "UTC")
        except (ZoneInfoNotFoundError, ValueError):
            raise forms.ValidationError("This time zone is not known.") from None

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if not {"start", "stop", "zone", "res"} <= found.keys():
            return found
        if found["stop"] < found["start"]:
            raise forms.ValidationError("The first day is after the last.")
        start = max(midnight(found["start"], found["zone"]), self.have[0])
        stop = min(midnight(found["stop"] + datetime.timedelta(days=1), found["zone"]), self.have[1])
        start, stop = -(-start // STEP_S) * STEP_S, stop // STEP_S * STEP_S
        if count(start, stop, found["res"], found["zone"]) < 1:
            raise forms.ValidationError("Your hub has no whole interval in that time. Nothing was sent to it.")
        found["span"] = (start, stop)
        return found


class AskBill(forms.Form):
    """A bill to be made: `days` are the first and the last day that the hub has sealed, counted from 1970."""

    start = forms.DateField(label="First day", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    stop = forms.DateField(label="Last day", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    nonce = forms.CharField(
        label="Number from your supplier",
        required=False,
        max_length=64,
        help_text="32 digits, if your supplier gave you any: they show that the bill was made for them and is new.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "class": "code"}),
    )
    mode = forms.ChoiceField(label="Who makes it", choices=MAKERS, initial="private", widget=forms.RadioSelect)
    agreed = forms.BooleanField(
        label="I have read what the supplier learns from a bill", error_messages={"required": "Please read it first."}
    )

    def __init__(self, *args: Any, days: tuple[int, int], first: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        edges = [bills.date_of(day) for day in days]
        for name, value in (("start", bills.date_of(first)), ("stop", edges[1])):
            self.fields[name].initial = value
            self.fields[name].widget.attrs |= {"min": edges[0].isoformat(), "max": edges[1].isoformat()}

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if {"start", "stop"} <= found.keys():
            if found["stop"] < found["start"]:
                raise forms.ValidationError("The first day is after the last.")
            found["days"] = (bills.day_of(found["start"]), bills.day_of(found["stop"]))
            if found["days"][1] - found["days"][0] >= bills.MOST_DAYS:
                raise forms.ValidationError("A bill is for a year at most.")
        return found


def midnight(day: datetime.date, zone: ZoneInfo) -> int:
    """Return the Unix time at which `day` begins in `zone`."""
    return int(datetime.datetime.combine(day, datetime.time(), zone).timestamp())


def count(start: int, stop: int, res: str, zone: ZoneInfo) -> int:
    """Return how many whole intervals of resolution `res` lie between two Unix times."""
    if res == "half-hour":
        return (stop - start) // STEP_S
    day = datetime.datetime.fromtimestamp(start, zone).date()
    found = -1
    while (at := midnight(day, zone)) <= stop:
        if at >= start and (res == "day" or day.day == 1):
            found += 1
        day += datetime.timedelta(days=1)
    return max(found, 0)
