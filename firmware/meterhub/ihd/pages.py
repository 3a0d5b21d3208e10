"""The pages of the in-home display, made from plain values. How a page looks is each driver's business.

Source   shared page model: a title of at most 16 characters, one big value, up to three small lines, and what
         the buttons A and B do now. Nothing here knows a pixel.
Runs on  both
"""

from collections import namedtuple

from . import words
from .canvas import FRESH, OLD, SILENT, WAN_DOWN, WAN_UP

# title    at most 16 characters                 corner  short text at the title's end
# value    the big value: a number, or a few words; three groups of digits are a PIN
# unit     of the value                          lines   up to three; what follows a tab stands at the right
# strong   a line that must not be overlooked    a, b    what the buttons do now, "" for nothing
# bars     whole numbers, the last hour          alert   an answer is wanted
Page = namedtuple("Page", ("title", "corner", "value", "unit", "lines", "strong", "a", "b", "bars", "alert"))

_MEDIUM_W, _HIGH_W = 500, 2500
_METERS = {"fresh": FRESH, "old": OLD, "silent": SILENT}
_WAN = {"up": WAN_UP, "down": WAN_DOWN}


def page(title: str, value: str, lines: "list | tuple", a: str = "", b: str = "", **rest) -> Page:
    """Return a Page; what is not said is empty."""
    said = rest.get
    return Page(
        title[:16],
        said("corner", ""),
        value,
        said("unit", ""),
        tuple(lines)[:3],
        said("strong", ""),
        a,
        b,
        said("bars", ()),
        said("alert", False),
    )


def _signs(model):
    """The clock, and a sign for the WAN and for each meter."""
    signs = _WAN.get(model.wan, "") + "".join([_METERS[state] for state in model.meters])
    return " ".join([model.clock or "--:--"] + list(signs))


def _second(model):
    """What B does on the pages that are there all day."""
    if model.troubles:
        return "why"
    if model.messages:
        return "msgs"
    return "access"


def start(model) -> Page:
    """Name, version and hub id, and what is being waited for."""
    lines = ("hub " + model.hub_id, model.waiting)
    return page("METERHUB", model.name, lines, "next", corner=model.version)


def now(model) -> Page:
    """Power, the last hour, what it costs, the register."""
    power = model.power_w
    value = "--" if power is None else words.kilo(abs(power), 2 if abs(power) < 9995 else 1)
    if power is not None and power < 0:
        value = "↑" + value
    register = model.export_wh if power is not None and power < 0 else model.import_wh
    last = "%s\t%s kWh" % ("export" if power is not None and power < 0 else "import", words.kilo(register, 3))
    if model.troubles:
        last = "▲ " + model.troubles[0][0]
    lines, bars = (_level(model), last), tuple(model.last_hour_w)
    return page("NOW", value, lines, "next", _second(model), corner=_signs(model), unit="kW", bars=bars)


def _level(model):
    power = model.power_w
    if power is None:
        return "no reading yet"
    price = model.price_e5 if power >= 0 else model.export_price_e5
    rate = words.money(words.cost(abs(power), price), model.currency)
    rate = "\t%s/h" % rate if rate else ""
    if power < 0:
        return ("↑ earning" if rate else "↑ to the grid") + rate
    if power < _MEDIUM_W:
        return "○ low" + rate
    return ("◐ medium" if power < _HIGH_W else "● high") + rate


def today(model) -> Page:
    """The energy and money of today, yesterday beside it."""
    return _period(model, "TODAY", model.today_wh, model.today_export_wh, "yesterday", model.yesterday_wh)


def month(model) -> Page:
    """The energy and money of this month, the month before beside it."""
    return _period(model, "THIS MONTH", model.month_wh, model.month_export_wh, "last month", model.last_month_wh)


def _period(model, title, wh, export_wh, before, before_wh):
    spent = words.money(words.cost(wh, model.price_e5), model.currency)
    if export_wh:
        spent += "\t↑ %s kWh" % words.energy(export_wh)
    elif spent:
        spent = "cost\t" + spent
    lines = (spent or "no price set", "%s\t%s kWh" % (before, words.energy(before_wh)))
    return page(title, words.energy(wh), lines, "next", _second(model), corner=_signs(model), unit="kWh")


def _place(index, things):
    """Where one is among several: "1/3"."""
    return "%d/%d" % (index + 1, len(things)) if len(things) > 1 else ""


def trouble(model, index: int) -> Page:
    """One present trouble in plain words, and what to do."""
    lines = model.troubles[index]
    return page("TROUBLE", lines[0], lines[1:], "next", corner=_place(index, model.troubles))


def message(model, index: int) -> Page:
    """One message; unread ones are marked."""
    found = model.messages[index]
    corner = ("● " if found.unread else "") + _place(index, model.messages)
    older = "older" if index + 1 < len(model.messages) else ""
    return page("MESSAGE", found.title, found.lines, "next", older, corner=corner)


def no_access() -> Page:
    """Nobody may ask for data."""
    return page("WHO MAY ASK", "nobody", ("No one has your consent", "to ask for your data."), "next")


def consent(model, index: int) -> Page:
    """Who may still ask, until when, last used."""
    found = model.consents[index]
    lines = (found.what, "until\t" + found.until, "last used\t" + found.last_used)
    return page("WHO MAY ASK", found.recipient, lines, "next", "revoke", corner=_place(index, model.consents))


def revoke(found) -> Page:
    """Ask again before the consent `found` (model.Consent) is revoked."""
    lines = ("No longer let them ask?", "Data sent stays with them.")
    return page("REVOKE", found.recipient, lines, "keep", "revoke", alert=True)


def log(model, index: int) -> Page:
    """One line of the consent log."""
    if not model.log:
        return page("LOG", "empty", ("Nothing has left", "this house."), "next")
    found = model.log[index]
    older = "older" if index + 1 < len(model.log) else ""
    return page("LOG", found.who, (found.when, found.result), "next", older, corner=_place(index, model.log))


def who_asks(recipient: str, what_lines: "list | tuple", who_can_read: str, a: str, b: str) -> Page:
    """Who asks for what and who will be able to read it."""
    return page("WHO ASKS", recipient, tuple(what_lines)[:2], a, b, corner="1/2", strong=who_can_read, alert=True)


def pin(digits: str, code: str, left: int, seconds: int) -> Page:
    """The PIN (nine digits) in threes, the website's code, the tries and the time left."""
    groups = "%s %s %s" % (digits[:3], digits[3:6], digits[6:])
    corner = ("last try  " if left == 1 else "%d tries left  " % left) + words.countdown(seconds)
    return page("PIN", groups, (code,), "cancel", "who?", corner=corner, alert=True)


def notice(lines: "list | tuple") -> Page:
    """Return what has just happened, in as many words; the first line is the headline."""
    return page("", lines[0], tuple(lines)[1:], "ok")
