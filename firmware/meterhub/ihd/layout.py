"""Where a page's parts stand on 128 x 64 pixels, and how they are drawn.

Units    pixels. Rows: title 0..8, content 11..53, buttons 55..63
Runs on  both
"""

from micropython import const

from . import canvas as glyphs

WIDTH, HEIGHT = const(128), const(64)
TITLE_HEIGHT = const(9)
PIN_X = (6, 74)  # the PIN's groups: two above, one below, its code at the right of that
PIN_Y = (10, 32)
PIN_PITCH = const(17)
CODE_Y = const(39)
BUTTON_Y = const(55)
_BOX = const(9)
_BARS_Y, _BARS_HEIGHT = const(12), const(20)
_LINE = const(9)
_FOOT = const(46)  # where the lowest strong line begins


def draw(page, canvas) -> None:
    """Draw `page` (pages.Page) on `canvas`, nothing of what was there before remains."""
    canvas.clear()
    _title(page, canvas)
    if page.value.count(" ") == 2 and page.value.replace(" ", "").isdigit():
        _pin(page, canvas)
    elif _is_number(page.value):
        _number(page, canvas)
    else:
        _words(page, canvas)
    _buttons(page, canvas)


def _is_number(value):
    return bool(value) and not value.strip("0123456789.:-↑")


def _title(page, canvas):
    if not page.title:
        return
    margin = 2 if page.alert else 0
    canvas.bold(margin, 1, page.title)
    canvas.text_right(WIDTH - margin, 1, page.corner)
    if page.alert:
        canvas.invert(0, 0, WIDTH, TITLE_HEIGHT)


def _buttons(page, canvas):
    if page.a:
        canvas.text(2, BUTTON_Y + 1, "A")
        canvas.invert(0, BUTTON_Y, _BOX, _BOX)
        canvas.text(_BOX + 3, BUTTON_Y + 1, page.a)
    if page.b:
        canvas.text(WIDTH - _BOX + 2, BUTTON_Y + 1, "B")
        canvas.invert(WIDTH - _BOX, BUTTON_Y, _BOX, _BOX)
        canvas.text_right(WIDTH - _BOX - 3, BUTTON_Y + 1, page.b)


def _pin(page, canvas):
    groups = page.value.split(" ")
    for i in range(3):
        canvas.big(PIN_X[i & 1], PIN_Y[i >> 1], groups[i])
    canvas.text(PIN_X[1], CODE_Y - 8, "code")
    canvas.medium(PIN_X[1], CODE_Y, page.lines[0])


def _number(page, canvas):
    end = canvas.big(0, 12, page.value)
    canvas.double(end + 2, 18, page.unit)
    end += 2 * glyphs.text_width(page.unit) + 6
    room = max(0, (WIDTH - end) // 3)
    _bars(page.bars[max(0, len(page.bars) - room) :], canvas)
    for i in range(len(page.lines)):
        _line(canvas, 36 + i * _LINE, page.lines[i])


def _bars(bars, canvas):
    """Up to twelve bars, the newest at the right, scaled to the highest; what was not read is a gap."""
    top = max([abs(bar) for bar in bars if bar is not None] + [1])
    x = WIDTH - 3 * len(bars) + 1
    for bar in bars:
        if bar is not None:
            height = max(1, abs(bar) * _BARS_HEIGHT // top)
            canvas.box(x, _BARS_Y + _BARS_HEIGHT - height, 2, height)
        x += 3


def _line(canvas, y, text):
    left, _, right = text.partition("\t")
    canvas.text(0, y, _cut(left, WIDTH))
    if right:
        canvas.text_right(WIDTH, y, right)


def _words(page, canvas):
    lines = list(page.lines)
    strong = _wrapped(page.strong, WIDTH - 2) if page.strong else []
    y = _headline(canvas, page, 3 - len(lines) - len(strong))
    for line in lines:
        _line(canvas, y, line)
        y += _LINE
    y = _FOOT - _LINE * (len(strong) - 1)
    for line in strong:
        canvas.text(1, y, line)
        canvas.invert(0, y - 1, WIDTH, _LINE)
        y += _LINE


def _headline(canvas, page, spare):
    """Draw a value of words as large as it goes; return where the lines begin. spare: lines that stay empty."""
    y = 10 if page.title else 18 - 5 * len(page.lines)
    value = page.value
    if spare >= 0 and 2 * glyphs.text_width(value) <= WIDTH:
        canvas.double(0, y, value)
        return y + 17
    for line in _wrapped(value, WIDTH - len(value) // 2 - 8)[: 2 if spare >= 0 else 1]:
        canvas.bold(0, y, line)
        y += _LINE
    return y


def _wrapped(text, width):
    """Break `text` between words into lines of at most `width` pixels of small glyphs."""
    lines = []
    line = ""
    for word in text.split(" "):
        longer = line + " " + word if line else word
        if line and glyphs.text_width(longer) > width:
            lines.append(line)
            longer = word
        line = longer
    lines.append(line)
    return [_cut(found, width) for found in lines]


def _cut(text, width):
    """Cut `text` to `width` pixels; two points show where."""
    if glyphs.text_width(text) <= width:
        return text
    while text and glyphs.text_width(text + "..") > width:
        text = text[:-1]
    return text + ".."
