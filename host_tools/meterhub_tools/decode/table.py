"""What was found in a capture, laid out for people.

What a meter sends as text is shown without the characters that would move a terminal's cursor.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

_COLUMNS = ("frame", "name", "value", "unit", "meter", "channel", "at (UTC)")
_NUMBERS = (0, 2, 5)  # set to the right


def of(found: dict[str, Any]) -> str:
    """Return the lines for one file, `found` being what --json prints."""
    rows = [_row(reading) for reading in found["readings"]]
    if not rows:
        return _heading(found)
    widths = [max(len(row[i]) for row in [_COLUMNS, *rows]) for i in range(len(_COLUMNS))]
    return "\n".join([_heading(found), _laid_out(_COLUMNS, widths), *(_laid_out(row, widths) for row in rows), ""])


def _heading(found: dict[str, Any]) -> str:
    frames = found["frames"]
    errors = ", ".join(f"{reason} ({count})" for reason, count in found["errors"].items())
    said = f"{found['file']}: {found['protocol'] or 'nothing known'}, {frames} good frame{'' if frames == 1 else 's'}"
    return said + (f"; errors: {errors}" if errors else "")


def _row(reading: dict[str, Any]) -> tuple[str, ...]:
    text, at = reading.get("text"), reading["at"]
    return (
        str(reading["frame"]),
        _printable(reading.get("obis") or reading.get("quantity", "")),
        format(Decimal(reading["value"]).scaleb(reading["scale"]), "f") if text is None else _printable(text),
        reading.get("unit", ""),
        _printable(reading["meter"]),
        str(reading["channel"]),
        "" if at is None else _time(at),
    )


def _time(at: int) -> str:
    try:
        return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return str(at)


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "\\x%02x" % ord(letter) for letter in text)


def _laid_out(row: tuple[str, ...], widths: list[int]) -> str:
    cells = [
        cell.rjust(width) if i in _NUMBERS else cell.ljust(width)
        for i, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  " + "  ".join(cells).rstrip()
