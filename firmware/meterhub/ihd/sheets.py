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
_ROWS = const(5)  # of text on a leaf
_PLAIN, _BOLD, _STRONG = const(0), const(1), const(2)


def draw(page, canvas, leaf: int) -> int:
    """Draw what stands between title and buttons; return how many leaves there are."""
    if page.text:
        return _text(page, canvas, leaf)
    if page.value.count(" ") == 2 and page.value.replace(" ", "").isdigit():
        _pin(page, canvas)
    else:
        _words(page, canvas)
    return 1


def _text(page, canvas, leaf):
    """A headline, the lines, the text, and what must not be overlooked at the end of it; five rows to a leaf."""
    found = [(_BOLD, text) for text in _wrapped(page.value, WIDTH - 24)]
    found += [(_PLAIN, text) for text in page.lines if text]
    found += [(_PLAIN, text) for text in _wrapped(page.text, WIDTH)]
    strong = _wrapped(page.strong, WIDTH - 2)
    while strong and (len(found) + len(strong)) % _ROWS:  # at the very end
        found.append((_PLAIN, ""))
    found += [(_STRONG, text) for text in strong]
    leaves = -(-len(found) // _ROWS)
    y = 10
    for how, text in found[min(leaf, leaves - 1) * _ROWS :][:_ROWS]:
        if how == _BOLD:
            canvas.bold(0, y, text)
        elif how == _STRONG:
            canvas.text(1, y, text)
            canvas.invert(0, y - 1, WIDTH, LINE)
        else:
            line(canvas, y, text)
        y += LINE
    return leaves


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
