"""Where a page's parts stand on 128 x 64 pixels, and how they are drawn: the frame of all pages, and numbers.

Pages of words and the PIN are in sheets.py, which is loaded when there is one.

Units    pixels. Rows: title 0..8, content 11..53, buttons 55..63
Runs on  both
"""

from micropython import const

from .canvas import text_width

WIDTH, HEIGHT = const(128), const(64)
TITLE_HEIGHT = const(9)
LINE = const(9)
BUTTON_Y = const(55)
_BOX = const(9)
_BARS_Y, _BARS_HEIGHT = const(12), const(20)


def draw(page, canvas, leaf: int = 0) -> int:
    """Draw `page` (pages.Page) on `canvas`, nothing of what was there before remains; return how many leaves it has.

    Only a page with a text may have more than one.
    """
    canvas.clear()
    _title(page, canvas)
    leaves = 1
    if is_number(page.value) and not page.text:
        _number(page, canvas)
    else:
        from . import sheets  # noqa: PLC0415 - most of the time there is a number

        leaves = sheets.draw(page, canvas, leaf)
    _buttons(page, canvas, page.b if leaf + 1 >= leaves else "more")
    return leaves


def is_number(value: str) -> bool:
    """Return True for what is shown in big digits."""
    return bool(value) and not value.strip("0123456789.:-↑")


def _title(page, canvas):
    if not page.title:
        return
    margin = 2 if page.alert else 0
    canvas.bold(margin, 1, page.title)
    canvas.text_right(WIDTH - margin, 1, page.corner)
    if page.alert:
        canvas.invert(0, 0, WIDTH, TITLE_HEIGHT)


def _buttons(page, canvas, b):
    if page.a:
        canvas.text(2, BUTTON_Y + 1, "A")
        canvas.invert(0, BUTTON_Y, _BOX, _BOX)
        canvas.text(_BOX + 3, BUTTON_Y + 1, page.a)
    if b:
        canvas.text(WIDTH - _BOX + 2, BUTTON_Y + 1, "B")
        canvas.invert(WIDTH - _BOX, BUTTON_Y, _BOX, _BOX)
        canvas.text_right(WIDTH - _BOX - 3, BUTTON_Y + 1, b)


def _number(page, canvas):
    end = canvas.big(0, 12, page.value)
    end = canvas.double(end + 2, 18, page.unit) + 4
    room = max(0, (WIDTH - end) // 3)
    _bars(page.bars[max(0, len(page.bars) - room) :], canvas)
    y = 36
    for text in page.lines:
        line(canvas, y, text)
        y += LINE


def _bars(bars, canvas):
    """Up to twelve bars, the newest at the right, scaled to the highest; what was not read is a gap."""
    top = max([abs(bar) for bar in bars if bar is not None] + [1])
    x = WIDTH - 3 * len(bars) + 1
    for bar in bars:
        if bar is not None:
            height = max(1, abs(bar) * _BARS_HEIGHT // top)
            canvas.box(x, _BARS_Y + _BARS_HEIGHT - height, 2, height)
        x += 3


def line(canvas, y: int, text: str) -> None:
    """Draw a line; what follows a tab stands at the right."""
    left, _, right = text.partition("\t")
    canvas.text(0, y, cut(left, WIDTH))
    if right:
        canvas.text_right(WIDTH, y, right)


def cut(text: str, width: int) -> str:
    """Cut `text` to `width` pixels; two points show where."""
    if text_width(text) <= width:
        return text
    while text and text_width(text + "..") > width:
        text = text[:-1]
    return text + ".."
