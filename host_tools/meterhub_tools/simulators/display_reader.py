"""Reads what stands on the in-home display, from its pixels by the firmware's own glyphs, or from its characters.

For tests and the headless demo, which must see what the household sees. Every glyph must match to the pixel, so
what is read is what is there. Displays with characters or digits say what they show as text (their seen()); digits
show the PIN group by group, and whoever reads it presses B.

Pixels are rows of bools, as SSD1306.pixels() gives them. A column is an int, its topmost pixel in bit 0.
"""

import re
from collections.abc import Iterator
from functools import cache

from .. import firmware  # noqa: F401 - puts the firmware's package on the path

from meterhub.ihd import layout, sheets  # isort: skip
from meterhub.ihd.canvas import Canvas  # isort: skip
from meterhub.ihd.glyphs import BIG, SMALL  # isort: skip
from meterhub.ihd.glyphs_code import MEDIUM  # isort: skip

Pixels = list[list[bool]]
Columns = tuple[int, ...]
Font = dict[str, Columns]

_SOURCES = {"small": SMALL, "bold": SMALL, "double": SMALL, "medium": MEDIUM, "big": BIG}
_GAPS = {"small": 1, "bold": 1, "double": 2, "medium": 2, "big": 3}
_CHUNK_GAP = 10  # columns; two words are never so far apart


def read_pin(pixels: Pixels) -> str | None:
    """Return the nine digits of the PIN page, or None when there is no PIN."""
    digits = ""
    for group in range(3):
        for place in range(3):
            x = sheets.PIN_X[group & 1] + place * sheets.PIN_PITCH
            cell = _columns(pixels, sheets.PIN_Y[group >> 1], BIG[1])[x : x + sheets.PIN_PITCH - 1]
            digits += next((d for d in "0123456789" if _padded(_font("big")[d], len(cell)) == cell), "")
    return digits if len(digits) == 9 else None


def read_code(pixels: Pixels) -> str | None:
    """Return the four characters of the PIN page's code, or None when there is no PIN."""
    if read_pin(pixels) is None:
        return None
    columns = _columns(pixels, sheets.CODE_Y, MEDIUM[1])[sheets.PIN_X[1] :]
    found = _decode(columns, _font("medium"), 2)
    return found if found is not None and len(found) == 4 else None


def read_rows(rows: list[str]) -> tuple[str, str] | None:
    """Return the PIN and its code on a display of two rows of characters, or None when there is no PIN."""
    found = re.fullmatch(r"(\d{3}) (\d{3}) (\d{3}) (\w{4})", rows[0])
    return ("".join(found.groups()[:3]), found[4]) if found else None


def read_digits(text: str) -> tuple[int, str] | None:
    """Return which part of the PIN page stands on digits, 1 to 3 a group and 4 the code, and that part; or None."""
    found = re.fullmatch(r"([123])- *(\d{3})\.?|(c)- *(\w{4})\.?", text.strip())
    if found is None:
        return None
    return (4, found[4].upper()) if found[3] else (int(found[1]), found[2])


def read_text(pixels: Pixels) -> list[str]:
    """Return the lines of text on the display, top down: title, headline, small lines, and the buttons' labels.

    Words that stand at the two ends of a line are two blanks apart. The last line is "A label  B label", as far as
    there are labels. Big numbers and bars are left out.
    """
    rows = [row[:] for row in pixels]
    bands = []
    keys = _take_keys(rows)
    for top in _boxes(rows):
        for row in rows[top : top + layout.TITLE_HEIGHT]:
            row[:] = [not pixel for pixel in row]
        bands.append((top, top + layout.TITLE_HEIGHT))
    bands += _runs(rows, bands)
    lines = [_line(rows, top, bottom) for top, bottom in sorted(bands)]
    if keys:
        labels = lines.pop() if lines and bands and max(bands)[0] >= layout.BUTTON_Y else ""
        lines.append(_labelled(keys, labels))
    return [line for line in lines if line]


def _labelled(keys: str, labels: str) -> str:
    first, _, second = labels.partition("  ")
    if len(keys) == 1:
        return f"{keys} {labels}"
    return f"A {first}  B {second}"


def _columns(rows: Pixels, top: int, height: int) -> Columns:
    """Return the columns of the rows from `top`; what lies outside the display is dark."""
    band = [rows[y] if 0 <= y < len(rows) else [False] * layout.WIDTH for y in range(top, top + height)]
    return tuple(sum(1 << y for y, row in enumerate(band) if row[x]) for x in range(layout.WIDTH))


def _padded(glyph: Columns, width: int) -> Columns:
    return glyph + (0,) * (width - len(glyph))


@cache
def _font(name: str) -> Font:
    """Return the glyphs of a font as the firmware draws them."""
    drawn: Font = {}
    for character in _SOURCES[name][0]:
        canvas = Canvas(24, 24, bytearray(72))
        if name == "medium":
            end = canvas.glyphs(MEDIUM, sheets.CODE_GAP, 0, 0, character)
        else:
            end = getattr(canvas, "text" if name == "small" else name)(0, 0, character)
        glyph = [canvas.buffer[x] | canvas.buffer[24 + x] << 8 | canvas.buffer[48 + x] << 16 for x in range(24)]
        drawn[character] = tuple(glyph[: end - _GAPS[name]])
    return drawn


# -- where text stands -------------------------------------------------------------------------------------------


def _take_keys(rows: Pixels) -> str:
    """Clear the two key signs at the bottom and return which there were."""
    found = ""
    for name, x in (("A", 0), ("B", layout.WIDTH - 9)):
        cell = [row[x : x + 9] for row in rows[layout.BUTTON_Y :]]
        if all(cell[0]) and all(row[0] for row in cell):
            found += name
            for row in rows[layout.BUTTON_Y :]:
                row[x : x + 9] = [False] * 9
    return found


def _boxes(rows: Pixels) -> Iterator[int]:
    """Yield where a light box as wide as the display begins."""
    y = 0
    while y < layout.BUTTON_Y:
        if all(rows[y]):
            yield y
            y += layout.TITLE_HEIGHT
        else:
            y += 1


def _runs(rows: Pixels, taken: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return (top, bottom) of the runs of rows that are not dark and not in `taken`."""
    inside = {y for top, bottom in taken for y in range(top, bottom)}
    runs = []
    start = None
    for y in range(layout.HEIGHT + 1):
        lit = y < layout.HEIGHT and y not in inside and any(rows[y])
        if lit and start is None:
            start = y
        elif not lit and start is not None:
            runs.append((start, y))
            start = None
    return runs


def _line(rows: Pixels, top: int, bottom: int) -> str:
    """Return the text in the rows from `top`, its chunks two blanks apart; "" when it is none."""
    for name, height, above in (("small", 8, 2), ("bold", 8, 2), ("double", 16, 5)):
        if bottom - top > height + 1:
            continue
        for y in range(top + 1, top - above - 1, -1):
            chunks = [_chunk(chunk, name) for chunk in _chunks(_columns(rows, y, height))]
            if chunks and all(chunks):
                return "  ".join(chunk for chunk in chunks if chunk)
    return ""


def _chunks(columns: Columns) -> Iterator[Columns]:
    """Split columns where many are dark."""
    start: int | None = None
    last = 0
    for x, column in enumerate(columns):
        if not column:
            continue
        if start is not None and x - last > _CHUNK_GAP:
            yield columns[start : last + 1]
            start = None
        start = x if start is None else start
        last = x
    if start is not None:
        yield columns[start : last + 1]


# -- what it says -------------------------------------------------------------------------------------------------


def _chunk(columns: Columns, name: str) -> str | None:
    """Return the text of a chunk in font `name` (a title's corner may be small beside a bold title)."""
    return _decode(columns, _font(name), _GAPS[name]) or (
        _decode(columns, _font("small"), 1) if name == "bold" else None
    )


def _decode(columns: Columns, font: Font, gap: int) -> str | None:
    """Return the text whose glyphs, `gap` dark columns apart, are exactly these columns."""
    by_width = sorted(font.items(), key=lambda item: (item[0] == " ", -len(item[1])))
    end = len(columns)
    lit = max((x + 1 for x in range(end) if columns[x]), default=0)
    padded = (0,) * 4 + columns + (0,) * 16

    @cache
    def rest(pen: int) -> str | None:
        if pen >= lit + 4:
            return ""
        for character, glyph in by_width:
            after = pen + len(glyph) + gap
            if padded[pen : pen + len(glyph)] == glyph and not any(padded[after - gap : after]):
                found = rest(after)
                if found is not None:
                    return character + found
        return None

    for pen in range(4, 1, -1):  # a glyph may begin with dark columns
        found = rest(pen)
        if found:
            return found.strip()
    return None
