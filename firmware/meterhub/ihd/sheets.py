"""Pages of words, and the PIN, on 128 x 64 pixels.

Units    pixels, as in layout.py
Runs on  both
"""

from micropython import const

from .canvas import text_width
from .layout import LINE, WIDTH, cut, line
from .rows import rows

PIN_X = (6, 74)  # the PIN's groups: two above, one below, its code at the right of that
PIN_Y = (10, 32)
PIN_PITCH = const(17)
CODE_Y = const(39)
CODE_GAP = const(2)
_FOOT = const(46)  # where the lowest strong line begins


def draw(page, canvas) -> None:
    """Draw what stands between title and buttons."""
    if page.value.count(" ") == 2 and page.value.replace(" ", "").isdigit():
        _pin(page, canvas)
    else:
        _words(page, canvas)


def _pin(page, canvas):
    from .glyphs_code import MEDIUM  # noqa: PLC0415 - nothing else needs these glyphs

    groups = page.value.split(" ")
    for i in range(3):
        canvas.big(PIN_X[i & 1], PIN_Y[i >> 1], groups[i])
    canvas.text(PIN_X[1], CODE_Y - 8, "code")
    canvas.glyphs(MEDIUM, CODE_GAP, PIN_X[1], CODE_Y, page.lines[0])


def _words(page, canvas):
    strong = _wrapped(page.strong, WIDTH - 2)
    y = _headline(canvas, page, 3 - len(page.lines) - len(strong))
    for text in page.lines:
        line(canvas, y, text)
        y += LINE
    y = _FOOT - LINE * (len(strong) - 1)
    for text in strong:
        canvas.text(1, y, text)
        canvas.invert(0, y - 1, WIDTH, LINE)
        y += LINE


def _headline(canvas, page, spare):
    """Draw a value of words as large as it goes; return where the lines begin. spare: lines that stay empty."""
    y = 10 if page.title else 18 - 5 * len(page.lines)
    value = page.value
    if spare >= 0 and 2 * text_width(value) <= WIDTH:
        canvas.double(0, y, value)
        return y + 17
    width = WIDTH - min(len(value), 40) // 2 - 8  # a bold glyph may be a pixel wider
    found = _wrapped(value, width)
    most = 2 if spare >= 0 else 1
    if len(found) > most:
        found[most - 1 :] = [cut(found[most - 1] + " ..", width)]
    for text in found:
        canvas.bold(0, y, text)
        y += LINE
    return y


def _wrapped(text, width):
    """Break `text` between words into lines of at most `width` pixels of small glyphs."""
    return rows(text, width, text_width)
