"""Transactions and what hubs tell, for people and as JSON."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from typing import Any

from .store import Transaction

_TIMES = ("at", "from", "to", "until", "since", "start", "end", "expiry", "time", "begin", "next")
_FIRST_TIME = 1_000_000_000
_REGISTERS = {3: ("register", "unit", "scale"), 4: ("register", "value", "unit", "scale")}  # value x 10^scale in unit
_UNITS = {13: "m3", 25: "J", 27: "W", 29: "var", 30: "Wh", 32: "varh"}  # IEC 62056-6-2 table 4
_REASONS = {
    "UNSUPPORTED": "this hub knows no such command; `meterhub command --list` shows what there is",
    "NOT_AUTHORISED": "this role may not; `meterhub command --list` shows who may",
    "NOT_CONSENTED": "the household has not agreed to it; consent.ask asks it",
    "NOT_AVAILABLE": "this home has none, or it is not turned on in the hub's settings",
    "OUT_OF_RANGE": "the hub has nothing there, or `role grant --from` lets this role read from a later time on only",
    "INVALID_VALUE": "the hub does not take this value",
    "MALFORMED": "missing, unknown, or of another type; firmware/meterhub/services/ describes each command",
    "CLOCK_INVALID": "the hub does not know the time yet",
}


def moment(second: int) -> str:
    """Return a time as text, UTC; "-" for none."""
    return f"{datetime.datetime.fromtimestamp(second, datetime.UTC):%Y-%m-%dT%H:%M:%SZ}" if second else "-"


def facts(given: Transaction) -> dict[str, Any]:
    """Return a transaction for JSON."""
    names = ("state", "accepted", "hub", "kid", "ctr", "cmd", "arg", "at", "error", "field", "answer")
    found: dict[str, Any] = {name: getattr(given, name) for name in names}
    return found | {"sent_ms": given.sent_ms, "answered_ms": given.answered_ms, "deadline": given.deadline}


def sentence(given: Transaction) -> str:
    """Return what became of a command, in a line."""
    what = f"{given.cmd} to {given.hub}"
    if given.state == "DONE":
        return f"DONE  {what}, {given.answered_ms - given.sent_ms} ms"
    if given.state == "REFUSED":
        about = f" ({given.field})" if given.field else ""
        why = f": {_REASONS[given.error]}" if given.error in _REASONS else ""
        return f"REFUSED({given.error})  {what}{about}{why}"
    if given.state == "OVERDUE":
        return f"OVERDUE  {what}: no answer until {moment(given.deadline)}"
    if given.accepted:
        return f"DELIVERED  {what}: the hub has accepted it; its final word comes later"
    if given.state == "DELIVERED":
        return f"DELIVERED  {what}: the broker has taken it"
    return f"PENDING  {what}: the broker has not taken it yet; a running head-end sends it again"


def answer(given: Transaction, as_json: bool) -> str:
    """Return a transaction as it is printed: the sentence, and a table of the data; or JSON."""
    if as_json:
        return json.dumps(facts(given))
    return "\n".join([sentence(given), *data(given.answer)])


def data(told: dict[str, Any]) -> list[str]:
    """Return the lines of a table of an answer's data: names and values, then lists as rows."""
    plain = {name: value for name, value in told.items() if not isinstance(value, (list, dict))}
    width = max((len(name) for name in plain), default=0)
    lines = [f"{name:{width}}  {_shown(name, value)}" for name, value in plain.items()]
    for name, value in told.items():
        if isinstance(value, dict):
            lines += [f"{name}:", *(f"  {line}" for line in data(value))]
        elif isinstance(value, list):
            lines += [f"{name}:", *(f"  {line}" for line in (_registers if name == "registers" else _rows)(value))]
    return lines


def table(rows: Sequence[Sequence[object]]) -> list[str]:
    """Return rows with their columns aligned; numbers to the right."""
    texts = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in texts if i < len(row)) for i in range(max(map(len, texts), default=0))]
    lines = []
    for row, cells in zip(texts, rows, strict=True):
        parts = [
            text.rjust(width) if isinstance(cell, int) else text.ljust(width)
            for text, cell, width in zip(row, cells, widths, strict=False)
        ]
        lines.append("  ".join(parts).rstrip())
    return lines


def _rows(found: list[Any]) -> list[str]:
    if found and all(isinstance(row, dict) for row in found):
        names = list(dict.fromkeys(name for row in found for name in row))
        return table([names, *([_shown(name, row.get(name, "")) for name in names] for row in found)])
    if found and all(isinstance(row, list) for row in found):
        return table([[_first(i, cell) for i, cell in enumerate(row)] for row in found])
    return [_shown("", one) for one in found]


def _registers(found: list[Any]) -> list[str]:
    """Return rows of registers under their headings, when they are what services/readings.py tells."""
    widths = {len(row) if isinstance(row, list) else 0 for row in found}
    head = _REGISTERS.get(widths.pop()) if len(widths) == 1 else None
    if head is None:
        return _rows(found)
    return table([head, *([*row[:-2], _UNITS.get(row[-2], row[-2]), row[-1]] for row in found)])


def _first(i: int, cell: Any) -> Any:
    return moment(cell) if not i and _is_time(cell) else cell if isinstance(cell, int) else _shown("", cell)


def _shown(name: str, value: Any) -> str:
    if name in _TIMES and _is_time(value):
        return moment(value)
    return value if isinstance(value, str) else json.dumps(value)


def _is_time(value: Any) -> bool:
    return type(value) is int and value > _FIRST_TIME
