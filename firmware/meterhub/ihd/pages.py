"""The pages of the in-home display that are there all day, made from plain values.

reading.py and asking.py have those that are seldom on.

Source   shared page model: a title of at most 16 characters, one big value, up to three small lines, and what
         the buttons A and B do now. Nothing here knows a pixel: how a page looks is each driver's business.
Runs on  both
"""

from collections import namedtuple

from . import words

# title    at most 16 characters                 corner  short text at the title's end
# value    the big value: a number, or a few words; three groups of digits are a PIN
# unit     of the value                          lines   up to three; what follows a tab stands at the right
# strong   a line that must not be overlooked    a, b    what the buttons do now, "" for nothing
# bars     whole numbers, the last hour          alert   an answer is wanted
# text     what somebody else has written: it is broken into rows, and nothing on its page is anything but words
Page = namedtuple("Page", ("title", "corner", "value", "unit", "lines", "strong", "a", "b", "bars", "alert", "text"))

_SIGNS = {"up": "\ue000", "down": "\ue001", "off": "", "fresh": "\ue002", "old": "\ue003", "silent": "\ue004"}


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
        said("text", ""),
    )


def _overview(model, title, value, unit, lines, bars=()):
    """A page of the day: the clock, and a sign for the WAN and for each meter; B leads to what matters most."""
    signs = [_SIGNS[state] for state in (model.wan,) + tuple(model.meters)]
    corner = " ".join([model.clock or "--:--"] + [sign for sign in signs if sign])
    unread = sum([message[1] for message in model.messages])
    b = "why" if model.troubles else "%d new" % unread if unread else "msgs" if model.messages else "access"
    return page(title, value, lines, "next", b, corner=corner, unit=unit, bars=bars)


def now(model) -> Page:
    """Power, the last hour, what it costs, the register."""
    power = model.power_w
    exports = power is not None and power < 0
    value = "--" if power is None else words.kilo(abs(power), 2 if abs(power) < 9995 else 1)
    if exports:
        value = "↑" + value
        last = "export\t%s kWh" % words.kilo(model.export_wh, 3)
    else:
        last = "import\t%s kWh" % words.kilo(model.import_wh, 3)
    if model.troubles:
        last = "▲ " + model.troubles[0][0]
    return _overview(
        model, ("NOW " + model.rate).strip(), value, "kW", (_level(model), last), tuple(model.last_hour_w)
    )


def _level(model):
    power = model.power_w
    if power is None:
        return "no reading yet"
    price = model.price_e5 if power >= 0 else model.export_price_e5
    rate = words.money(words.cost(abs(power), price), model.currency)
    rate = "\t%s/h" % rate if rate else ""
    if power < 0:
        return ("↑ earning" if rate else "↑ to the grid") + rate
    if power < model.medium_w:
        return "○ low" + rate
    return ("◐ medium" if power < model.high_w else "● high") + rate


def today(model) -> Page:
    """The energy and money of today, yesterday beside it."""
    cost = model.today_cost
    return _period(model, "TODAY", model.today_wh, model.today_export_wh, cost, ("yesterday", model.yesterday_wh))


def month(model) -> Page:
    """The energy and money of this month, the month before beside it."""
    cost = model.month_cost
    return _period(
        model, "THIS MONTH", model.month_wh, model.month_export_wh, cost, ("last month", model.last_month_wh)
    )


def _period(model, title, wh, export_wh, cost, before):
    """cost: by the tariff, None where there is none; before: the period before, by name and energy."""
    whole = True
    if cost:
        spent, whole = words.money(cost[0], model.currency), cost[1]
    else:
        spent = words.money(words.cost(wh, model.price_e5), model.currency)
    if export_wh:
        spent += ("" if whole else " known") + "\t↑ %s kWh" % words.energy(export_wh)
    elif spent:
        spent = ("cost\t" if whole else "known cost\t") + spent
    lines = (spent or "no price set", "%s\t%s kWh" % (before[0], words.energy(before[1])))
    return _overview(model, title, words.energy(wh), "kWh", lines)
