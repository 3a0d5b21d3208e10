"""The pages that are looked at now and then, and the walk through all of them with the buttons.

Where somebody is in that walk is a stop: (kind, index). This module is loaded when the household walks.

Runs on  both
"""

from .pages import Page, page

_LISTS = {"trouble": "troubles", "message": "messages", "consent": "consents", "log": "log"}


def _things(model, kind):
    return getattr(model, _LISTS[kind])


def shown(model, stop: tuple) -> "Page | None":
    """Return the page at a stop; None when what was looked at has gone meanwhile."""
    kind, index = stop
    if kind == "start":
        return start(model)
    things = _things(model, kind)
    if things:
        return _PAGES[kind](model, min(index, len(things) - 1))
    return no_access() if kind == "consent" else log(model, 0) if kind == "log" else None


def following(model, stop: tuple) -> tuple:
    """Return where A leads: through all pages, round and round. Messages and the log are read with B."""
    stops = [("now", 0), ("today", 0), ("month", 0)]
    stops += [("trouble", i) for i in range(len(model.troubles))]
    stops += [("message", 0)] if model.messages else []
    stops += [("consent", i) for i in range(max(1, len(model.consents)))]
    stops.append(("log", 0))
    here = (stop[0], 0) if stop[0] in ("log", "message") else stop
    return stops[(stops.index(here) + 1) % len(stops)] if here in stops else ("now", 0)


def second(model, stop: tuple) -> tuple:
    """Return where B leads, as the page says."""
    kind, index = stop
    if kind in ("now", "today", "month"):
        return ("trouble" if model.troubles else "message" if model.messages else "consent", 0)
    if kind in ("log", "message") and index + 1 < len(_things(model, kind)):
        return (kind, index + 1)
    if kind == "consent" and index < len(model.consents):
        return ("revoke", index)
    return stop


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


def trouble(model, index: int) -> Page:
    """One present trouble in plain words, and what to do."""
    lines = model.troubles[index]
    return page("TROUBLE", lines[0], lines[1:], "next", corner=_place(index, model.troubles))


def message(model, index: int) -> Page:
    """One message; unread ones are marked."""
    found = model.messages[index]
    corner = ("● " if found.unread else "") + _place(index, model.messages)
    return page("MESSAGE", found.title, found.lines, "next", _older(index, model.messages), corner=corner)


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
