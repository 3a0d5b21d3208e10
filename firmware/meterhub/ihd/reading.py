"""The pages that are looked at now and then, and the walk through all of them with the buttons.

Where somebody is in that walk is a stop: (kind, index). This module is loaded when the household walks.

Runs on  both
"""

from . import words
from .pages import Page, page
from .rows import rows

_CELLS = 22  # of a line, at the least
_LISTS = {"trouble": "troubles", "message": "messages", "consent": "consents", "log": "log"}


def _things(model, kind):
    return getattr(model, _LISTS[kind])


def shown(model, stop: tuple) -> "Page | None":
    """Return the page at a stop; None when what was looked at has gone meanwhile."""
    kind, index = stop
    if kind == "start":
        return start(model)
    if kind == "supply":
        return supply(model, index)
    if kind == "tariff":
        return tariff(model) if model.tariff else None
    if kind == "voltage":
        return voltage(model, index)
    things = _things(model, kind)
    if things:
        return _PAGES[kind](model, min(index, len(things) - 1))
    return no_access() if kind == "consent" else log(model, 0) if kind == "log" else None


def following(model, stop: tuple) -> tuple:
    """Return where A leads: through all pages, round and round. The log is read with B."""
    stops = [("now", 0), ("today", 0), ("month", 0)]
    stops += [("tariff", 0)] if model.tariff else []
    stops += [("trouble", i) for i in range(len(model.troubles))]
    stops += [("voltage", 0)] if model.voltage else []
    stops += [("supply", 0)] if model.supply else []
    if stop == ("supply", 1):
        return ("supply", 0)
    stops += [("message", i) for i in range(len(model.messages))]
    stops += [("consent", i) for i in range(max(1, len(model.consents)))]
    stops.append(("log", 0))
    here = (stop[0], 0) if stop[0] in ("log", "voltage") else stop
    return stops[(stops.index(here) + 1) % len(stops)] if here in stops else ("now", 0)


def second(model, stop: tuple) -> tuple:
    """Return where B leads, as the page says."""
    kind, index = stop
    if kind in ("now", "today", "month"):
        return ("trouble" if model.troubles else "message" if model.messages else "consent", 0)
    if kind == "log" and index + 1 < len(model.log):
        return (kind, index + 1)
    if kind == "voltage":
        index = 1 - index
    elif kind == "supply" and model.supply and model.supply[2]:
        index += 1  # 2: it has been asked again
    if kind == "message" and index < len(model.messages):
        return ("opened", model.messages[index][0])
    if kind == "consent" and index < len(model.consents):
        return ("revoke", index)
    return (kind, index)


# -- the pages -------------------------------------------------------------------------------------------------------


def _place(index, things):
    """Where one is among several: "1/3"."""
    return "%d/%d" % (index + 1, len(things)) if len(things) > 1 else ""


def _older(index, things):
    return "older" if index + 1 < len(things) else ""


def start(model) -> Page:
    """Name, version and hub id, and what is being waited for."""
    lines = ("hub " + model.hub_id, model.waiting)
    return page("METERHUB", model.name, lines, "next", corner=model.version)


def tariff(model) -> Page:
    """The price of the moment and until when it counts, the standing charge, the tariff's id."""
    unit = {"GBP": "p", "EUR": "ct", "USD": "ct"}.get(model.currency)
    price_e5 = model.price_e5 or 0
    value = words.kilo(price_e5 if unit else price_e5 // 100, 2)
    name, until, standing_e5 = model.tariff
    lines = [(model.rate + "\t" + until).strip()] if model.rate else []
    lines.append("standing\t%s/day" % words.money(standing_e5, model.currency))
    return page(
        "TARIFF", value, lines[-2:] if model.rate else lines + [name], "next", unit=(unit or model.currency) + "/kWh"
    )


def trouble(model, index: int) -> Page:
    """One present trouble in plain words, and what to do."""
    lines = model.troubles[index]
    return page("TROUBLE", lines[0], lines[1:], "next", corner=_place(index, model.troubles))


def voltage(model, index: int) -> "Page | None":
    """The voltage, and how this week has been."""
    if not model.voltage:
        return None
    from . import voltage_pages  # noqa: PLC0415 - most hubs do not watch it

    return (voltage_pages.week if index else voltage_pages.now)(*model.voltage())


def supply(model, index: int) -> "Page | None":
    """Whether the supply is on, why, and what B does; before it is turned on that is asked again."""
    if not model.supply:
        return None
    value, lines, may = model.supply
    if index and may:
        lines = ("Are hobs, irons and", "heaters off? They may", "start at once.")
        return page("TURN ON?", "supply", lines, "no", "turn on", alert=True)
    lines = rows(lines[0], _CELLS)[:2] + [lines[1]]
    return page("SUPPLY", value, lines, "next", "turn on" if may else "")


def message(model, index: int) -> "Page | None":
    """One message, closed; unread ones are marked."""
    from . import messages  # noqa: PLC0415 - many walk past here and have none

    found = model.message(model.messages[index][0])
    return messages.closed(found, _place(index, model.messages)) if found else None


def no_access() -> Page:
    """Nobody may ask for data."""
    return page("WHO MAY ASK", "nobody", ("No one has your consent", "to ask for your data."), "next")


def consent(model, index: int) -> Page:
    """Who may still ask, until when, last used."""
    found = model.consents[index]
    lines = (found.what, "until\t" + found.until, "last used\t" + found.last_used)
    return page("WHO MAY ASK", found.recipient, lines, "next", "revoke", corner=_place(index, model.consents))


def log(model, index: int) -> Page:
    """One line of the consent log."""
    if not model.log:
        return page("LOG", "empty", ("Nothing has left", "this house."), "next")
    found = model.log[index]
    lines = (found.when, found.result)
    return page("LOG", found.who, lines, "next", _older(index, model.log), corner=_place(index, model.log))


_PAGES = {"trouble": trouble, "message": message, "consent": consent, "log": log}
